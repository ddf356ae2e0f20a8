"""The paired randomisation test: how often chance alone makes a difference so large."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from engram_lab.core.errors import InvalidInputError, shown
from engram_lab.evaluation.statistics.effect import EQUAL
from engram_lab.evaluation.statistics.units import cluster_codes, cluster_sums

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["Alternative", "Randomised", "least_p", "randomisation"]

Alternative = Literal["two-sided", "less"]

_CELLS: Final = 1 << 19
"""Signs that are held at once: 4 MiB, which a processor's cache takes."""
_ROUNDING: Final = 1e-10
"""Statistics, which lie between -1 and 1, that differ by less are equal: sums of the same numbers
in another order."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Randomised:
    """What the test of one measure found.

    Attributes:
        p: NaN where no query is scored by both.
        test: How it was found.
    """

    p: float
    test: str


@dataclass(frozen=True, kw_only=True)
class _Pairs:
    """Differences, with the queries of a cluster side by side.

    Attributes:
        deltas: float64 [n, m], 0 where not both are scored.
        codes: int64 [n], rising: the cluster of each query; None where each stands for itself.
        sizes: float64 [clusters, m]: scored queries.
    """

    deltas: NDArray[np.float64]
    codes: NDArray[np.int64] | None
    sizes: NDArray[np.float64]


def randomisation(
    deltas: NDArray[np.float64],
    clusters: Sequence[str | None] | None = None,
    *,
    alternative: Alternative = "two-sided",
    resamples: int = 10_000,
    seed: int = 0,
) -> list[Randomised]:
    """Return p of each measure: the chance of so large a difference were A and B alike.

    Were they alike, each query's difference could as well have the other sign. All ways to flip the
    signs are counted where they are no more than `resamples`, queries that did not move left out;
    else so many are drawn, and p = (b + 1) / (resamples + 1), b being those that are as extreme.

    Where each query stands for itself, the statistic is the mean difference. Where queries share
    clusters (see `cluster_codes`), it is the mean difference over its cluster-robust standard
    error, computed anew for each flip (see `power.standard_error`). Such a test is exact where the
    differences are independent, and keeps its level still where the queries of a cluster move
    together, which a test of the mean does not. To flip the signs of whole clusters keeps it too,
    but ten have 1,024 outcomes, of which a correction for many tests leaves one or two, so that
    somewhat less is found, most of all where few queries moved. `evals/simulations/gate.py` has
    the figures of all three.

    Source: Fisher, "The Design of Experiments" (1935), section 21; Smucker, Allan and Carterette,
    "A Comparison of Statistical Significance Tests for Information Retrieval Evaluation", CIKM
    2007; Phipson and Smyth, "Permutation P-values Should Never Be Zero", Statistical Applications
    in Genetics and Molecular Biology 9 (2010), for p of draws; Chung and Romano, "Exact and
    asymptotically robust permutation tests", Annals of Statistics 41 (2013), and MacKinnon and
    Webb, "The wild bootstrap for few (treated) clusters", The Econometrics Journal 21 (2018), for
    flips inside clusters under a statistic that knows the clusters.

    Args:
        deltas: float64 [n, m], B minus A; NaN where not both are scored.
        clusters: Of each query; null where it stands for itself. None where all do.
        alternative: `less`: B is worse. `two-sided`: they differ.
        resamples: Most sign flips.
        seed: Of the flips.

    Raises:
        InvalidInputError: A shape or the number of resamples is not allowed.
    """
    if deltas.ndim != 2:  # noqa: PLR2004 - queries and measures
        raise InvalidInputError(f"deltas have the shape {deltas.shape}: give [queries, measures]")
    if resamples < 1:
        raise InvalidInputError(f"{shown(resamples)} resamples are asked for: give at least 1")
    pairs = _sorted_pairs(deltas, cluster_codes(clusters, len(deltas)))
    moved = np.count_nonzero(pairs.deltas, axis=0)
    scored = np.count_nonzero(~np.isnan(deltas), axis=0)
    small = [2**count <= resamples for count in moved.tolist()]
    drawn = _drawn_p(
        pairs,
        np.flatnonzero(~np.array(small, dtype=bool)),
        alternative=alternative,
        resamples=resamples,
        seed=seed,
    )
    over = "" if pairs.codes is None else f", t over {len(pairs.sizes)} clusters"
    found = []
    for column, count in enumerate(moved.tolist()):
        if not scored[column]:
            found.append(Randomised(p=math.nan, test="none: no query is scored by both"))
        elif small[column]:
            p = _exact_p(pairs, column, alternative=alternative)
            found.append(Randomised(p=p, test=f"exact, 2^{count} sign flips of queries{over}"))
        else:
            p = drawn[column]
            found.append(Randomised(p=p, test=f"{resamples:,} sign flips of queries{over}"))
    return found


def least_p(queries: int, *, alternative: Alternative, resamples: int) -> float:
    """Return the smallest p that the test of so many queries can give; NaN for none.

    That of 2^n sign flips, of which one goes as far as all losses, or two where either sign counts;
    and 1 / (resamples + 1) where flips are drawn.

    Args:
        queries: Scored by both, n.
        alternative: See `randomisation`.
        resamples: Likewise.
    """
    if queries < 1:
        return math.nan
    if 2**queries > resamples:
        return 1 / (resamples + 1)
    return 0.5**queries * (1 if alternative == "less" else 2)


def _sorted_pairs(deltas: NDArray[np.float64], codes: NDArray[np.int64] | None) -> _Pairs:
    scored = ~np.isnan(deltas)
    filled = np.where(scored & (np.abs(deltas) > EQUAL), deltas, 0.0)
    sizes = scored.astype(np.float64)
    if codes is None:
        return _Pairs(deltas=filled, codes=None, sizes=sizes)
    order = np.argsort(codes, kind="stable")
    return _Pairs(
        deltas=filled[order], codes=codes[order], sizes=cluster_sums(sizes[order], codes[order])
    )


def _drawn_p(
    pairs: _Pairs,
    columns: NDArray[np.intp],
    *,
    alternative: Alternative,
    resamples: int,
    seed: int,
) -> dict[int, float]:
    """Return p of some columns, from the same random flips for all of them."""
    if not len(columns):
        return {}
    some = _Pairs(deltas=pairs.deltas[:, columns], codes=pairs.codes, sizes=pairs.sizes[:, columns])
    rows = np.flatnonzero(some.deltas.any(axis=1))
    observed = _statistics(np.ones((1, len(rows))), some, rows)[0]
    hits = np.zeros(len(columns), np.int64)
    for signs in _random_signs(len(pairs.deltas), rows, resamples, seed):
        hits += _as_extreme(_statistics(signs, some, rows), observed, alternative)
    return dict(zip(columns.tolist(), ((hits + 1) / (resamples + 1)).tolist(), strict=True))


def _exact_p(pairs: _Pairs, column: int, *, alternative: Alternative) -> float:
    """Return p of one column over all flips of the queries that moved."""
    one = _Pairs(
        deltas=pairs.deltas[:, [column]], codes=pairs.codes, sizes=pairs.sizes[:, [column]]
    )
    rows = np.flatnonzero(one.deltas[:, 0])
    numbers = np.arange(2 ** len(rows))[:, None]
    signs = 1.0 - 2.0 * (numbers >> np.arange(len(rows)) & 1).astype(np.float64)
    found = _statistics(signs, one, rows)
    return int(_as_extreme(found, found[0], alternative)[0]) / len(found)  # number 0 flips nothing


def _statistics(
    signs: NDArray[np.float64], pairs: _Pairs, rows: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return the statistic of each flip and measure, float64 [flips, m], between -1 and 1.

    The mean difference is divided by the mean of the absolute ones, which no flip changes. With
    clusters it is t / sqrt(t² + 1), which rises with t and needs no rule for a standard error of 0.

    Args:
        signs: float64 [flips, rows].
        pairs: The differences.
        rows: Those that moved; all others add nothing, whatever their sign.
    """
    deltas = pairs.deltas[rows]
    if pairs.codes is None:
        whole = np.abs(deltas).sum(axis=0)
        return np.asarray(signs @ (deltas / np.where(whole > 0, whole, 1.0)))
    count, measures = pairs.sizes.shape
    sums = np.zeros((count, len(signs), measures))
    present, starts = np.unique(pairs.codes[rows], return_index=True)
    for cluster, start, end in zip(present, starts, [*starts, len(rows)][1:], strict=True):
        sums[cluster] = signs[:, start:end] @ deltas[start:end]
    total, queries = sums.sum(axis=0), pairs.sizes.sum(axis=0)
    sums -= pairs.sizes[:, None, :] * (total / np.where(queries > 0, queries, 1.0))
    spread = count / (count - 1) * np.einsum("crm,crm->rm", sums, sums)
    length = np.sqrt(total * total + spread)
    return np.asarray(total / np.where(length > 0, length, 1.0))


def _as_extreme(
    found: NDArray[np.float64], observed: NDArray[np.float64], alternative: Alternative
) -> NDArray[np.int64]:
    """Return how many of the flips go as far as what was observed, int64 [m]."""
    if alternative == "less":
        far = found <= observed + _ROUNDING
    else:
        far = np.abs(found) >= np.abs(observed) - _ROUNDING
    return np.asarray(np.count_nonzero(far, axis=0), np.int64)


def _random_signs(
    queries: int, rows: NDArray[np.intp], resamples: int, seed: int
) -> Iterator[NDArray[np.float64]]:
    """Yield signs of some rows, float64 [some, rows].

    They are drawn for every query, so that p of a measure depends on no other measure.
    """
    rng = np.random.default_rng(seed)
    width = -(-queries // 8)
    most = max(1, _CELLS // queries)
    for start in range(0, resamples, most):
        flips = min(most, resamples - start)
        drawn = np.frombuffer(rng.bytes(flips * width), np.uint8).reshape(flips, width)
        bits = np.unpackbits(drawn, axis=1, count=queries)
        yield 1.0 - 2.0 * bits[:, rows].astype(np.float64)
