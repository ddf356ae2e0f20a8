"""What the statistics of an evaluation cost: intervals and paired tests.

    python evals/bench/evaluation_statistics.py               the gate: exit code 1 where missed
    python evals/bench/evaluation_statistics.py --quick       fewer rounds
    python evals/bench/evaluation_statistics.py --save FILE   keep the figures as JSON

The bar is on seconds, for 2,000 queries, 10 measures and 10,000 resamples, bootstrap and
randomisation together, whichever way the queries are clustered. Beside it stands, without a bar,
the time of SciPy's own functions, on a tenth of the resamples, taking turns with ours.
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
import statistics
import sys
import time
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import scipy
from scipy import stats

from engram_lab.evaluation.statistics.bootstrap import estimate
from engram_lab.evaluation.statistics.randomisation import randomisation

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

SEED: Final = 20261121
QUERIES: Final = 2_000
MEASURES: Final = 10
RESAMPLES: Final = 10_000
FEWER: Final = RESAMPLES // 10
"""Where SciPy takes part, which would take minutes else."""
BAR_S: Final = 10.0


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure. `floor` is SciPy's seconds where it was measured beside; `bar` may be empty."""

    name: str
    ours: float
    floor: float | None
    unit: str
    ratio: float | None
    bar: str
    met: bool


def seconds(work: Callable[[], object]) -> float:
    """Return how long the work takes; rubbish left by others is collected before."""
    gc.collect()
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def values() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the values of two systems, float64 [queries, measures]; a third of them differ."""
    rng = np.random.default_rng(SEED)
    a = rng.random((QUERIES, MEASURES)).round(2)
    moved = rng.random(a.shape) < 1 / 3
    return a, np.where(moved, rng.random(a.shape).round(2), a)


def clusterings() -> dict[str, list[str | None] | None]:
    """Return none, ten conversations, and 500 users."""
    rng = np.random.default_rng(SEED)
    return {
        "each query by itself": None,
        "10 clusters": [str(each) for each in rng.integers(0, 10, QUERIES)],
        "500 clusters": [str(each) for each in rng.integers(0, 500, QUERIES)],
    }


def ours(
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    clusters: list[str | None] | None,
    resamples: int,
) -> None:
    """Make all intervals and all tests."""
    estimate(b - a, clusters, resamples=resamples, seed=SEED)
    randomisation(b - a, clusters, resamples=resamples, seed=SEED)


def with_scipy(a: NDArray[np.float64], b: NDArray[np.float64], resamples: int) -> None:
    """Make the same with SciPy, query by query, vectorised as far as it can be."""
    rng = np.random.default_rng(SEED)
    stats.bootstrap(
        (b - a,), np.mean, n_resamples=resamples, method="percentile", rng=rng, batch=100
    )
    stats.permutation_test(
        (b, a),
        lambda x, y, axis: np.mean(x - y, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=resamples,
        batch=100,
        rng=rng,
    )


def measure(rounds: int) -> list[Figure]:
    """Return all figures; ours and SciPy's take turns."""
    a, b = values()
    taken: dict[str, list[float]] = {name: [] for name in clusterings()}
    fewer: list[float] = []
    floor: list[float] = []
    for number in range(rounds + 1):
        spent = {
            name: seconds(partial(ours, a, b, clusters, RESAMPLES))
            for name, clusters in clusterings().items()
        }
        mine = seconds(partial(ours, a, b, None, FEWER))
        theirs = seconds(partial(with_scipy, a, b, FEWER))
        if number:  # the first round warms up
            fewer.append(mine)
            floor.append(theirs)
            for name, each in spent.items():
                taken[name].append(each)
    size = f"{QUERIES:,} queries, {MEASURES} measures"
    figures = []
    for name, times in taken.items():
        median = statistics.median(times)
        figures.append(
            Figure(
                name=f"bootstrap and randomisation, {size}, {RESAMPLES:,} resamples, {name}",
                ours=median,
                floor=None,
                unit="s",
                ratio=None,
                bar=f"< {BAR_S:g} s",
                met=median < BAR_S,
            )
        )
    short, beside = statistics.median(fewer), statistics.median(floor)
    figures.append(
        Figure(
            name=f"the same, {FEWER:,} resamples, each query by itself, beside SciPy",
            ours=short,
            floor=beside,
            unit="s",
            ratio=short / beside,
            bar="",
            met=True,
        )
    )
    return figures


def show(figures: list[Figure]) -> None:
    """Print the figures as a table."""
    print(f"{'':92} {'ours':>8} {'SciPy':>8} {'ratio':>6}  bar")
    for each in figures:
        floor = "" if each.floor is None else f"{each.floor:.2f} s"
        ratio = "" if each.ratio is None else f"{each.ratio:.3f}"
        bar = f"{each.bar}: {'met' if each.met else 'MISSED'}" if each.bar else "none"
        print(f"{each.name:92} {each.ours:>6.2f} s {floor:>8} {ratio:>6}  {bar}")


def save(figures: list[Figure], file: Path) -> None:
    """Keep the figures with what they were measured with."""
    record = {
        "command": "python evals/bench/evaluation_statistics.py",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "figures": [asdict(each) for each in figures],
    }
    file.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n")


def main() -> int:
    """Measure, print, and tell by the exit code whether the bar was met."""
    parser = argparse.ArgumentParser(description="The cost of intervals and paired tests.")
    parser.add_argument("--quick", action="store_true", help="one round instead of five")
    parser.add_argument("--save", type=Path, metavar="FILE", help="keep the figures as JSON")
    options = parser.parse_args()
    figures = measure(1 if options.quick else 5)
    show(figures)
    if options.save is not None:
        save(figures, options.save)
    return 0 if all(each.met for each in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
