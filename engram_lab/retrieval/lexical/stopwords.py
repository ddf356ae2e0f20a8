"""English words that say nothing of what a question is about."""

from __future__ import annotations

from typing import Final

__all__ = ["STOP_WORDS"]

# A line or two each: articles; pronouns; words that ask or point; forms of be, have and do; modal
# verbs, but for those that are names; prepositions; conjunctions; quantity; adverbs; what is left
# of contractions.
_WORDS: Final = """
a an the
i me my myself we us our ours ourselves you your yours yourself yourselves he him his
himself she her hers herself it its itself they them their theirs themselves
this that these those who whom whose which what when where why how
be am is are was were been being have has had having do does did doing
can could should would
about above after against at before below between by down during for from in into of off on
out over through to under until up with
and as because but if nor or than while
all any both each few more most no not only other own same some such
again also further here just now once so then there too very
don ll re ve
"""

STOP_WORDS: Final = frozenset(_WORDS.split())
