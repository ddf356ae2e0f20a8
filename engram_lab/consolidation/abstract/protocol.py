"""What a summariser is: several texts in, one shorter text out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Protocol, runtime_checkable

from engram_lab.config import DreamSettings
from engram_lab.core.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["SUMMARISERS", "Summariser", "SummariserFactory"]


@runtime_checkable
class Summariser(Protocol):
    """Tells the gist of a group of memories: a plug point.

    Guarantees: the gist has at most so many characters as asked for, and says nothing that the
    texts do not say. The same texts need not give the same gist: a group is summed up anew only
    when its texts changed. It is never shown a private section.
    """

    @property
    def name(self) -> str:
        """Its registered name."""
        ...

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What it was set to, as plain JSON; without secrets."""
        ...

    def summarise(self, texts: Sequence[str], *, most_chars: int) -> str:
        """Return the gist; "" where there is none that is short enough.

        Args:
            texts: Of the memories of a group, oldest first.
            most_chars: How many characters the gist may have.
        """
        ...


SummariserFactory = Callable[[DreamSettings], Summariser]

SUMMARISERS: Final[Registry[SummariserFactory]] = Registry(
    "summariser", group="engram_lab.summarisers"
)
"""What `dream.abstract_summariser` may name: each makes one from the settings of dreams."""
