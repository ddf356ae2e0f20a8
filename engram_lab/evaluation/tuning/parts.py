"""The parts of a data set that settings may be chosen by, and those that are held out."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from engram_lab.core.errors import EvaluationError, InvalidInputError
from engram_lab.evaluation.tuning.folds import chosen_units, units
from engram_lab.evaluation.tuning.ledger import DataRef

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engram_lab.evaluation.datasets.dataset import Dataset
    from engram_lab.evaluation.tuning.ledger import Ledger

__all__ = ["Divided", "Parts"]


class Divided(NamedTuple):
    """Clusters, or single queries, sorted: those that may be used, and those held out."""

    used: tuple[str, ...]
    held_out: tuple[str, ...]


class Parts:
    """The clusters of a data set, and which queries lie in each.

    Args:
        dataset: The data.
    """

    def __init__(self, dataset: Dataset) -> None:
        self.queries = dataset.queries.select(pl.col("id").alias("query_id"), "cluster")
        self.data = DataRef(dataset=dataset.id, hash=dataset.hash)
        self._unit = units(self.queries)
        self.units = frozenset(self._unit)

    def check(self, named: Sequence[str]) -> tuple[str, ...]:
        """Return clusters sorted, each once.

        Raises:
            InvalidInputError: One is none of the data.
        """
        if strange := sorted(set(named) - self.units):
            known = sorted(self.units)
            more = ", …" if len(known) > len(known[:10]) else ""
            raise InvalidInputError(
                f"{self.data.dataset!r} has no cluster {strange[0]!r}: it has "
                f"{', '.join(known[:10])}{more}"
            )
        return tuple(sorted(set(named)))

    def of(self, named: Sequence[str]) -> list[str]:
        """Return the queries of clusters, in the order of the data."""
        return self.queries.filter(self._unit.is_in(list(named)))["query_id"].to_list()

    def divided(
        self,
        book: Ledger | None,
        *,
        hold_out: Sequence[str] | float = (),
        on: Sequence[str] | None = None,
        seed: int = 0,
        by: str,
    ) -> Divided:
        """Return what may be used and what is held out, which the ledger is told.

        Args:
            book: Knows what was held out before; without it, that is so for this once.
            hold_out: Clusters to be held out from now on, or the share of the queries that some
                chosen by the seed must hold.
            on: The clusters to use; else all that are not held out.
            seed: Chooses the share.
            by: The command, for the ledger.

        Raises:
            EvaluationError: It was asked to hold out what was tuned on, or all is held out.
            InvalidInputError: There is no such cluster.
        """
        if isinstance(hold_out, float):
            hold_out = chosen_units(self.queries, share=hold_out, seed=seed)
        held = self.check(hold_out)
        if book is not None:
            book.hold_out(self.data, held, by=by)
            held = tuple(sorted(book.held_out(self.data) & self.units))
        used = self.check(sorted(self.units - set(held)) if on is None else on)
        if not used:
            where = "" if book is None else f" (ledger {book.path})"
            raise EvaluationError(f"all of {self.data.dataset!r} is held out{where}")
        return Divided(used, held)
