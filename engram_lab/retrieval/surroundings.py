"""What lies around what was found: linked memories and neighbouring turns, as arms to be fused."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engram_lab.core.protocols import Corpus
    from engram_lab.core.selection import Selection
    from engram_lab.retrieval.conversation import Conversation
    from engram_lab.retrieval.ranking import Ranking
    from engram_lab.retrieval.spreading import Spreading

__all__ = ["CONTEXT", "LINKS", "Surroundings"]

LINKS: Final = "links"
CONTEXT: Final = "context"

_SEEDS: Final = 20
"""Of how many of the best activation starts; what comes after adds little and costs as much."""

_WEIGHTS: Final = MappingProxyType({"window": 0.5, "session": 0.25, "speaker": 0.25})
"""Of the features of a conversation: set by hand, until they are learned."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Surroundings:
    """What is looked at around what was found.

    Attributes:
        spreading: How activation spreads over links; None for not at all.
        conversation: How turns are looked at; None for not at all.
    """

    spreading: Spreading | None = None
    conversation: Conversation | None = None

    def __bool__(self) -> bool:
        return self.spreading is not None or self.conversation is not None

    def arms(
        self, corpus: Corpus, question: str, found: Ranking, selection: Selection
    ) -> Mapping[str, Ranking]:
        """Return more arms, of what the selection holds.

        Args:
            corpus: As whoever asks may reach it.
            question: The question.
            found: What the other arms found, fused.
            selection: Of the present.
        """
        arms: dict[str, Ranking] = {}
        if self.spreading is not None:
            seeds = found.top(_SEEDS)
            reached = self.spreading.spread(corpus, seeds, valid_at=selection.valid_at)
            arms[LINKS] = reached.only(corpus.visible(reached.keys, selection))
        if self.conversation is not None:
            features = self.conversation.features(corpus, question, found)
            arms[CONTEXT] = features.arm(_WEIGHTS)
        return arms
