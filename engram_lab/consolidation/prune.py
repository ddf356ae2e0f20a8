"""The step "prune": a workspace is brought within its budget, the least salient first."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from engram_lab.consolidation.holding import Holding
from engram_lab.consolidation.salience import Salience
from engram_lab.consolidation.step import STEPS
from engram_lab.core.dreams import Change
from engram_lab.core.errors import InvalidInputError
from engram_lab.core.text import CHARS_PER_TOKEN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from engram_lab.config import DreamSettings
    from engram_lab.consolidation.step import Scene
    from engram_lab.consolidation.view import View

__all__ = ["Prune"]

_NAME = "prune"


@dataclass(frozen=True, kw_only=True, slots=True)
class Prune:
    """Archives so many memories that what recall can find is within the budget, and no more.

    In this order: what no longer holds, that which was superseded most often first; then what
    speaks for itself alone; last what stands for others, which were merged into it or which it
    supersedes. Within each the least salient goes first, among equals the oldest. Protected
    memories never go, nor does what supersedes a protected one: the outdated word would be the last
    one left. So the present word never goes before the outdated one that it supersedes.

    What goes depends on the memories alone, not on the order in which they lie. What the same dream
    makes is counted by the next.

    Attributes:
        most_memories: How many a recall may find, from 1; None for any number.
        most_tokens: How many tokens their texts may have, by four characters each; None for any.
        forgets: Forget what goes; what stands for others is archived all the same, as those that
            were merged into it name it.
        salience: What is least worth keeping.
    """

    most_memories: int | None = None
    most_tokens: int | None = None
    forgets: bool = False
    salience: Salience = field(default_factory=Salience)

    @classmethod
    def of(cls, settings: DreamSettings) -> Self:
        """Return it as settings say."""
        return cls(
            most_memories=settings.prune_most_memories,
            most_tokens=settings.prune_most_tokens,
            forgets=settings.prune_forgets,
            salience=Salience.of(settings),
        )

    @property
    def name(self) -> str:
        """Its registered name."""
        return _NAME

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What it was set to."""
        weights = ("recency", "frequency", "importance", "feedback", "full_count")
        return {
            "most_memories": self.most_memories,
            "most_tokens": self.most_tokens,
            "forgets": self.forgets,
            "law": {"name": self.salience.law.name, **self.salience.law.parameters},
            "salience": {name: getattr(self.salience, name) for name in weights},
        }

    def plan(self, view: View, scene: Scene) -> Iterator[Change]:
        """Return what goes, in the order in which it goes.

        Raises:
            InvalidInputError: What may not go is beyond the budget already.
        """
        if self.most_memories is None and self.most_tokens is None:
            return
        columns = view.columns
        tokens = -(-columns.chars // CHARS_PER_TOKEN)
        over_memories, over_tokens = self._beyond(view, tokens)
        if over_memories <= 0 and over_tokens <= 0:
            return
        holding = Holding.of(view, scene.now_s)
        salience = self.salience.scores(columns, scene.now_s)
        may_go = view.findable & ~view.protected & ~holding.bound(view.findable & view.protected)
        order = _order(view, holding, salience, np.flatnonzero(may_go))
        freed = np.cumsum(tokens[order])
        count = max(over_memories, 0)
        if over_tokens > 0:
            count = max(count, int(np.searchsorted(freed, over_tokens)) + 1)
        if count > len(order):
            raise InvalidInputError(self._impossible(view, tokens, may_go))
        yield from self._changes(view, holding, salience, order[:count])

    def _changes(
        self,
        view: View,
        holding: Holding,
        salience: NDArray[np.float64],
        rows: NDArray[np.int64],
    ) -> Iterator[Change]:
        columns, beyond = view.columns, " and ".join(self._budget())
        told = zip(
            rows.tolist(),
            salience[rows].tolist(),
            holding.closed[rows].tolist(),
            holding.stands[rows].tolist(),
            columns.version[rows].tolist(),
            strict=True,
        )
        for row, score, closed, stands, version in told:
            forgets = self.forgets and not stands
            why = ", and it no longer holds" if closed else ""
            yield Change(
                step=_NAME,
                action="forget" if forgets else "update",
                id=columns.ids[row],
                fields={} if forgets else {"lifecycle": "archived"},
                reason=f"beyond the budget of {beyond} with salience {score:.3f}{why}",
                seen=version,
            )

    def _beyond(self, view: View, tokens: NDArray[np.int64]) -> tuple[int, int]:
        """Return by how many memories and tokens a view is above the budget, 0 or less if not."""
        memories = int(view.findable.sum())
        words = int(tokens[view.findable].sum())
        return (
            0 if self.most_memories is None else memories - self.most_memories,
            0 if self.most_tokens is None else words - self.most_tokens,
        )

    def _impossible(self, view: View, tokens: NDArray[np.int64], may_go: NDArray[np.bool_]) -> str:
        stays = view.findable & ~may_go
        asked = " and ".join(self._budget())
        return (
            f"workspace {view.workspace!r} may have {asked}, and {int(stays.sum())} memories of "
            f"{int(tokens[stays].sum())} tokens are pinned, important or supersede such: set "
            "dream.prune_most_memories or dream.prune_most_tokens higher, or protect less"
        )

    def _budget(self) -> list[str]:
        asked = ((self.most_memories, "memories"), (self.most_tokens, "tokens"))
        return [f"{most} {what}" for most, what in asked if most is not None]


def _order(
    view: View, holding: Holding, salience: NDArray[np.float64], rows: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return rows in the order in which they go."""
    group = np.where(holding.closed, 0, np.where(holding.stands, 2, 1))
    depth = np.where(holding.closed, -holding.depth, 0)
    sorted_by = (view.columns.created_at[rows], salience[rows], depth[rows], group[rows])
    order = np.lexsort(sorted_by)
    if _any_alike(*(each[order] for each in sorted_by)):
        order = np.lexsort((np.array(view.columns.ids)[rows], *sorted_by))
    return rows[order]


def _any_alike(*columns: NDArray[Any]) -> bool:
    """Tell whether two rows that stand one after the other are alike in all columns."""
    alike = np.ones(max(len(columns[0]) - 1, 0), np.bool_)
    for each in columns:
        alike &= each[1:] == each[:-1]
    return bool(alike.any())


STEPS.add(_NAME, Prune.of)
