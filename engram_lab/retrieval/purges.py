"""Whether something was purged while an index was written to a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engram_lab.core.protocols import Corpus

__all__ = ["purged_since"]


def purged_since(corpus: Corpus, number: int) -> bool:
    """Tell whether a change after a number purged a memory.

    Who purges removes all index files afterwards, but cannot see one that another process is about
    to put in its place. So whoever wrote one asks this at last, and removes it himself.

    Args:
        corpus: As its owner.
        number: Of the change up to which the file follows.
    """
    while number < corpus.last():
        changes = corpus.text_changes(number)
        if changes.purged or changes.number <= number:
            return changes.purged
        number = changes.number
    return False
