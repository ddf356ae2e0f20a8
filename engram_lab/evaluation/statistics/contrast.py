"""What a comparison of two systems says: the values that reports and gates are made of."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from engram_lab.core.brief import brief
from engram_lab.core.errors import InvalidInputError, shown

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Comparison", "Contrast", "Estimate", "Moved"]

_KINDS: Final = MappingProxyType({"bool": bool, "float": float, "int": int, "str": str})


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """The mean of a measure over queries.

    Attributes:
        mean: NaN where no query is scored.
        low: Lower end of the confidence interval; NaN where there are fewer than two clusters or
            queries.
        high: Upper end.
        n: Queries that are scored.
        unscored: Queries that are not.
    """

    mean: float
    low: float
    high: float
    n: int
    unscored: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Contrast:
    """One measure, on the same queries, of two systems A and B.

    Attributes:
        measure: Its canonical name.
        group: A category, or `suite.HEADLINE`.
        n: Queries scored by both.
        mean_a: Mean of A.
        mean_b: Mean of B.
        delta: `mean_b - mean_a`.
        low: Lower end of the confidence interval of the delta.
        high: Upper end.
        p: Of the paired randomisation test.
        p_adjusted: After Holm's correction over all contrasts of the comparison.
        test: How p was found, such as `exact, 2^10 sign flips of clusters`.
        effect: Standardised mean difference of the pairs, d_z; NaN where the deltas do not vary.
        mde: The smallest true loss that this test finds with probability 0.8; NaN where unknown, or
            where the queries are too few for any loss to be significant by itself.
        wins: Queries where B is better.
        ties: Where they are equal.
        losses: Where A is better.
        falling: Whether less of the measure is better. All other figures are in its own sign.
    """

    measure: str
    group: str
    n: int
    mean_a: float
    mean_b: float
    delta: float
    low: float
    high: float
    p: float
    p_adjusted: float
    test: str
    effect: float
    mde: float
    wins: int
    ties: int
    losses: int
    falling: bool = False

    @property
    def gain(self) -> float:
        """By how much B is better; below 0 where it is worse."""
        return -self.delta if self.falling else self.delta

    @property
    def detectable(self) -> float:
        """`mde`, or NaN where a measure from 0 to 1 has not so much to lose: it tells no loss."""
        means = self.mean_a, self.mean_b
        beyond = self.mde > 1 and not self.falling and all(0 <= each <= 1 for each in means)
        return math.nan if beyond else self.mde


@dataclass(frozen=True, kw_only=True, slots=True)
class Moved:
    """A query whose value changed.

    Attributes:
        query_id: Which.
        category: Its category, or None.
        measure: Of which measure.
        before: A's value.
        after: B's value.
        falling: Whether less of the measure is better.
    """

    query_id: str
    category: str | None
    measure: str
    before: float
    after: float
    falling: bool = False

    @property
    def gain(self) -> float:
        """By how much B is better; below 0 where it is worse."""
        return self.before - self.after if self.falling else self.after - self.before

    @property
    def newly_failed(self) -> bool:
        """Whether what was wanted was found and no longer is, or what was not wanted now is."""
        if self.falling:
            return self.before == 0 and self.after > 0
        return self.before > 0 and self.after == 0


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Comparison:
    """System B against system A, query by query.

    Attributes:
        a: Name of A, the one that stands.
        b: Name of B, the one that is judged.
        contrasts: Each measure over the headline, then by category.
        moved: Queries whose value of the first measure changed: newly failed first, then the
            largest losses, then gains.
        alternative: `two-sided`, or `less` where only a loss of B counts.
        clusters: How many clusters were resampled; None where each query stands for itself.
        alpha: Level of the test.
        warnings: What a reader must know, such as too few clusters.
        blind: Whether nothing could have been significant, however large: too many tests for so few
            queries or resamples. The first warning says so then.
    """

    a: str
    b: str
    contrasts: tuple[Contrast, ...]
    moved: tuple[Moved, ...]
    alternative: str
    clusters: int | None
    alpha: float
    warnings: tuple[str, ...] = ()
    blind: bool = False

    def __repr__(self) -> str:
        headline = (each for each in self.contrasts if not each.group)
        told = (f"{each.measure} {each.delta:+.4f} (p={each.p_adjusted:.3g})" for each in headline)
        return brief(self, f"{self.a} → {self.b}", *told)

    def to_polars(self, table: str = "contrasts") -> pl.DataFrame:
        """Return the figures as a frame; what is not known is null.

        Args:
            table: `contrasts` has the attributes of `Contrast` as columns; `moved` has `query`,
                `category`, `measure`, `before`, `after`, `delta` (after less before) and
                `newly_failed`, as `plots.query_deltas` draws it.

        Raises:
            InvalidInputError: There is no such table.
        """
        import polars as pl

        if table == "contrasts":
            rows = [tuple(asdict(each).values()) for each in self.contrasts]
            kinds = {each.name: _KINDS[str(each.type)] for each in fields(Contrast)}
            return pl.DataFrame(rows, schema=kinds, orient="row").fill_nan(None)
        if table != "moved":
            raise InvalidInputError(
                f"a comparison has no table {shown(table)}: allowed are contrasts, moved"
            )
        kinds = dict.fromkeys(("query", "category", "measure"), str)
        kinds |= dict.fromkeys(("before", "after", "delta"), float) | {"newly_failed": bool}
        moved = [
            (
                *(each.query_id, each.category, each.measure, each.before, each.after),
                *(each.after - each.before, each.newly_failed),
            )
            for each in self.moved
        ]
        return pl.DataFrame(moved, schema=kinds, orient="row")
