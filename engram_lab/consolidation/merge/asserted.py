"""How a text is said: as something that is so, or as a question, a condition, a wish, a fiction.

Whether Ada lives in Rome, that she would if she got the job, that it would be nice if she did, and
that she does in a novel say nothing of where she lives. Such contexts are called nonveridical: from
the whole does not follow that the part is so.

Source: A. Giannakidou, "Polarity Sensitivity as (Non)Veridical Dependency" (1998), chapter 3.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["manner_of"]

_ASKED: Final = re.compile(r"\?[\s\"'\u2019\u201d)\]]*$|^\u00bf")
_DO: Final = r"(?:does|did|do|has|have|is|are|was|were|am|can|could|will|would|should|shall)"
_INVERTED: Final = re.compile(
    rf"^(?:(?:do|does|did)\s+(?!not\b)(?:I|[yY]ou|[wW]e|[tT]hey|[hH]e|[sS]he|[iI]t|[A-Z]\w*|"
    r"the|a|an|my|your|his|her|our|their|this|that|any\w*)\b"
    rf"|{_DO}\s+(?:i|you|we|they|he|she|it|there|any\w*)\b"
    r"|(?:is|are|was|were|has|am)\s+(?-i:[A-Z])"
    r"|(?:where|when|why|how|who|whom|what|which)\b[^,.;]{0,30}?\b(?:do|does|did)\s+"
    r"(?!not\b)(?:i|you|we|they|he|she|it|the|my|your|his|her|our|their|this|that|(?-i:[A-Z])))",
    re.IGNORECASE,
)
_ASKS: Final = re.compile(
    r"\b(?:wonders?|wondered|wondering|asks?|asked|asking|not sure|unsure|unclear|don't know"
    r"|do not know|doesn't know|does not know)\s+(?:\w+\s+)?(?:if|whether)\b",
    re.IGNORECASE,
)
_HEARER: Final = r"(?:you|we|anybody|anyone|somebody|someone|one)\b"
_CONDITION: Final = re.compile(
    rf"(?:^|[,;]\s+|\bbut\s+|\band\s+)(?:if|unless|in case|provided|assuming|should)\s+"
    rf"(?!{_HEARER})|\s(?:if|unless)\s+(?!{_HEARER}|not\b|any\b|only\b|necessary|needed|possible)",
    re.IGNORECASE,
)
_SUPPOSED: Final = re.compile(
    r"^(?:(?:let's|let us|just)\s+)?(?:suppose|imagine|pretend|assume|say that|what if|if only)\b"
    r"|\b(?:imagin(?:es?|ed|ing)|pretend(?:s|ed|ing)?|dream(?:s|t|ed|ing)?|fantasi[sz]\w+)\s+"
    r"(?:that|of|about|to)\b",
    re.IGNORECASE,
)
_WISHED: Final = re.compile(
    r"\bwish(?:es|ed)?\s+(?!to\b)|\bif only\b|\b(?:would|'d)\s+(?:be|have been)\s+(?:\w+\s+)?"
    r"(?:nice|good|great|lovely|better|best|cool|ideal|wonderful|fun|awful|bad|terrible)\b"
    r"|\bhope(?:s|d)?\s+(?!to\b)(?:that\s+)?|^hopefully\b|, hopefully\b",
    re.IGNORECASE,
)
_MODAL: Final = re.compile(
    r"\b(?:might|may(?!\s+\d)|could|would|should|ought to|(?i:perhaps|maybe|possibly|probably"
    r"|presumably|supposedly|allegedly|rumou?rs? ha(?:s|ve) it|rumou?red|according to rumou?rs?"
    r"|(?:is|are) said to))\b",
)
_MADE_UP: Final = (
    "novel|book|story|tale|film|movie|play|series|show|episode|comic|game|dream|nightmare|poem"
    "|song|saga|myth|legend|fairy tale|fiction|fantasy|screenplay|script|simulation|scenario"
    "|parody|sketch|joke"
)
_FICTION: Final = re.compile(
    rf"\bin\s+(?:(?:the|a|an|my|his|her|our|their|your|this|that|one|another|some|last night's)\s+"
    rf"|(?-i:[A-Z])[\w]*['\u2019]s?\s+)(?:[\w'\u2019-]+\s+){{0,2}}?(?:{_MADE_UP})s?"
    r"(?=\s*(?:$|[,.;:!?]|(?-i:[A-Z])|(?:the|a|an|he|she|it|they|we|i|you|my|his|her|their|by|about"
    r"|called|of|that|which|where|there|and)\b))",
    re.IGNORECASE,
)
_MAY_BE_A_NAME: Final = re.compile(r"^(?:Will|May|Mark|Grant)\s+[A-Z]")


def manner_of(text: str) -> str:
    """Return how a text is said: `""` where it says that something is so.

    Else `question`, `condition`, `wish`, `fiction`, or `modal`. What is said of whoever hears it,
    as in "If you look for it, it is in the shed", conditions nothing; a plan is told as one.

    Args:
        text: As `simplified` returns it, without remarks before it.
    """
    if _ASKED.search(text) or (_INVERTED.match(text) and not _MAY_BE_A_NAME.match(text)):
        return "question"
    if _ASKS.search(text):
        return "question"
    if _WISHED.search(text):
        return "wish"
    if _FICTION.search(text) or _SUPPOSED.search(text):
        return "fiction"
    if _CONDITION.search(text):
        return "condition"
    return "modal" if _MODAL.search(text) else ""
