"""What scoring costs, as a ratio to ir_measures on the same run, and what reading and writing cost.

    python evals/bench/scoring.py                 10,000 queries of 1,000 hits, all bars
    python evals/bench/scoring.py --quick         a tenth of the queries
    python evals/bench/scoring.py --save FILE     keep the figures as JSON

Ours and ir_measures take turns, and each figure is a median: what the machine does beside hits
both. Both compute the same measures, and their means are compared before anything is timed. The
exit code is 1 where a bar was missed.
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
import statistics
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ir_measures
import numpy as np
import polars as pl

from engram_lab.evaluation.datasets.dataset import QRELS
from engram_lab.evaluation.measures.parsing import parse_measure
from engram_lab.evaluation.measures.scoring import score
from engram_lab.evaluation.measures.standard import StandardMeasure
from engram_lab.evaluation.runs.run import Run
from engram_lab.evaluation.runs.trec import read_qrels, read_run, write_qrels, write_run

if TYPE_CHECKING:
    from collections.abc import Callable

SEED = 20261121
DEPTH = 1000
MEMORIES = 200_000
JUDGED = 8
STANDARD = ("nDCG@10", "R@10", "R@100", "RR", "AP", "P@5", "Success@1")
OURS = (
    "recall_any@10",
    "recall_all@10",
    "R_cap@10",
    "ndcg_longmemeval@10",
    "ndcg_mempalace@10",
    "stale@10",
    "forbidden@10",
    "current_above_stale",
    "recall@tokens=1000",
)
TOLERANCE = 1e-9
RECORDED = ("ir-measures", "pytrec-eval-terrier", "polars", "numpy")


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One thing measured, in seconds. `ratio` is ours to the floor, `bar` what is asked of it."""

    name: str
    ours: float
    floor: float | None = None
    ratio: float | None = None
    bar: str | None = None
    met: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Workload:
    """A run and its judgements, as each side holds them in memory, and as files."""

    run: Run
    qrels: pl.DataFrame
    tokens: pl.DataFrame
    as_dicts: dict[str, dict[str, float]]
    qrels_as_dicts: dict[str, dict[str, int]]
    run_file: Path
    qrels_file: Path


def made_run(queries: int) -> Run:
    """Return a run in which the hits of each query are drawn without repetition."""
    rng = np.random.default_rng(SEED)
    step = rng.integers(1, MEMORIES // DEPTH, size=(queries, DEPTH))
    memory = (rng.integers(0, MEMORIES, size=(queries, 1)) + np.cumsum(step, axis=1)) % MEMORIES
    score_ = -np.sort(-rng.gamma(2.0, 5.0, size=(queries, DEPTH)), axis=1)
    frame = pl.DataFrame(
        {
            "query_id": np.repeat(np.arange(queries), DEPTH),
            "memory_id": rng.permuted(memory, axis=1).ravel(),
            "score": score_.ravel(),
        }
    )
    named = frame.with_columns(
        pl.format("q{}", pl.col("query_id").cast(pl.String).str.zfill(5)).alias("query_id"),
        pl.format("m{}", pl.col("memory_id").cast(pl.String).str.zfill(6)).alias("memory_id"),
    )
    return Run.from_frame("made-up", named)


def made_qrels(run: Run) -> pl.DataFrame:
    """Return judgements: three of four found, at ranks of which low ones are likelier."""
    rng = np.random.default_rng(SEED + 1)
    queries = len(run.queries)
    rank = np.unique(
        np.stack(
            [
                np.repeat(np.arange(queries), JUDGED),
                np.exp(rng.uniform(0, np.log(DEPTH), queries * JUDGED)).astype(np.int64),
            ]
        ),
        axis=1,
    )
    found: pl.DataFrame = run.hits[rank[0] * DEPTH + rank[1] - 1].select("query_id", "memory_id")
    lost = pl.DataFrame(
        {
            "query_id": np.repeat(np.array(run.queries), JUDGED // 3),
            "memory_id": [f"lost{number}" for number in range(queries * (JUDGED // 3))],
        }
    )
    pairs = pl.concat([found, lost])
    kinds = rng.choice([-2, -1, 0, 1, 2], p=[0.05, 0.1, 0.25, 0.5, 0.1], size=pairs.height)
    return pairs.with_columns(relevance=pl.Series(kinds, dtype=pl.Int32)).select(QRELS.names())


def dicts(frame: pl.DataFrame, value: str) -> dict[str, dict[str, Any]]:
    """Return a mapping for each query, the form in which ir_measures is quickest."""
    return {
        str(query[0]): dict(zip(rows["memory_id"].to_list(), rows[value].to_list(), strict=True))
        for query, rows in frame.partition_by("query_id", as_dict=True).items()
    }


def workload(folder: Path, queries: int) -> Workload:
    """Make both forms of one run and its judgements."""
    run = made_run(queries)
    qrels = made_qrels(run)
    # To ir_measures, what is below zero is told as judged and not relevant, which it is to ours.
    plain = qrels.with_columns(pl.col("relevance").clip(0))
    write_run(run, folder / "run.trec")
    write_qrels(plain, folder / "qrels.trec")
    lengths = np.random.default_rng(SEED + 2).integers(5, 200, MEMORIES)
    names = [f"m{number:06d}" for number in range(MEMORIES)]
    return Workload(
        run=run,
        qrels=qrels,
        tokens=pl.DataFrame({"memory_id": names, "tokens": lengths}),
        as_dicts=dicts(run.hits, "score"),
        qrels_as_dicts=dicts(plain, "relevance"),
        run_file=folder / "run.trec",
        qrels_file=folder / "qrels.trec",
    )


def ours_in_memory(work: Workload, names: tuple[str, ...] = STANDARD) -> pl.DataFrame:
    """Score the frames."""
    measures = [parse_measure(name) for name in names]
    tokens = work.tokens if "recall@tokens=1000" in names else None
    return score(work.run, work.qrels, measures, queries=work.run.queries, tokens=tokens)


def ours_from_files(work: Workload) -> pl.DataFrame:
    """Read the files, and score what they hold."""
    measures = [parse_measure(name) for name in STANDARD]
    run, qrels = read_run(work.run_file), read_qrels(work.qrels_file)
    return score(run, qrels, measures, queries=run.queries)


def theirs_in_memory(work: Workload) -> dict[str, float]:
    """Let ir_measures score its mappings."""
    measures = [_theirs(name) for name in STANDARD]
    return _means(ir_measures.calc(measures, work.qrels_as_dicts, work.as_dicts))


def theirs_from_files(work: Workload) -> dict[str, float]:
    """Let ir_measures read the files and score what they hold."""
    measures = [_theirs(name) for name in STANDARD]
    read: Any = ir_measures
    qrels = read.read_trec_qrels(str(work.qrels_file))
    return _means(ir_measures.calc(measures, qrels, read.read_trec_run(str(work.run_file))))


def _means(found: Any) -> dict[str, float]:
    return {repr(measure): float(value) for measure, value in found.aggregated.items()}


def _theirs(name: str) -> Any:
    measure = parse_measure(name)
    assert isinstance(measure, StandardMeasure)  # noqa: S101 - of STANDARD all are
    return measure.measure


def check(work: Workload) -> None:
    """Refuse to time what does not give the same values.

    Raises:
        SystemExit: A mean differs.
    """
    theirs = theirs_in_memory(work)
    for found in (ours_in_memory(work), ours_from_files(work)):
        for name, value in theirs.items():
            # They count a query to which nothing is relevant as 0, ours leaves it out.
            mine = found[name].fill_null(0.0).mean()
            if not isinstance(mine, float) or abs(mine - value) > TOLERANCE:
                raise SystemExit(f"{name} is {mine!r}, and {value!r} by ir_measures")


def seconds(task: Callable[[], object]) -> float:
    """Return how long a task takes; rubbish left by others is collected before."""
    gc.collect()
    start = time.perf_counter()
    task()
    return time.perf_counter() - start


def compared(
    name: str, ours: Callable[[], object], floor: Callable[[], object], rounds: int, *, bar: float
) -> Figure:
    """Return the medians of two that take turns."""
    mine: list[float] = []
    theirs: list[float] = []
    for _ in range(rounds):
        mine.append(seconds(ours))
        theirs.append(seconds(floor))
    one, two = statistics.median(mine), statistics.median(theirs)
    return Figure(
        name=name, ours=one, floor=two, ratio=one / two, bar=f"≤ {bar}", met=one / two <= bar
    )


def measured(work: Workload, rounds: int) -> list[Figure]:
    """Return all figures; those without a bar are only told."""
    hits = f"{len(work.run.queries):,} queries of {DEPTH:,} hits"
    several = len(STANDARD)

    def alone(name: str, task: Callable[[], object]) -> Figure:
        return Figure(name=name, ours=statistics.median(seconds(task) for _ in range(rounds)))

    return [
        compared(
            f"score {hits}, {several} measures, in memory",
            partial(ours_in_memory, work),
            partial(theirs_in_memory, work),
            rounds,
            bar=1.2,
        ),
        compared(
            f"score {hits}, {several} measures, from files",
            partial(ours_from_files, work),
            partial(theirs_from_files, work),
            rounds,
            bar=1.2,
        ),
        alone(f"the {len(OURS)} memory measures", partial(ours_in_memory, work, OURS)),
        alone("read the run file", partial(read_run, work.run_file)),
        alone(
            "write the run file",
            partial(write_run, work.run, work.run_file.with_name("again.trec")),
        ),
    ]


def show(figures: list[Figure]) -> None:
    """Print the figures as a table."""
    print(f"{'':62} {'ours':>9} {'floor':>9} {'ratio':>6}  bar")
    for each in figures:
        floor = "" if each.floor is None else f"{each.floor:.2f} s"
        ratio = "" if each.ratio is None else f"{each.ratio:.2f}"
        bar = "" if each.bar is None else f"{each.bar}: {'met' if each.met else 'MISSED'}"
        print(f"{each.name:62} {each.ours:>7.2f} s {floor:>9} {ratio:>6}  {bar}".rstrip())


def save(figures: list[Figure], file: Path) -> None:
    """Keep the figures with what they were measured with."""
    record = {
        "command": "python evals/bench/scoring.py",
        "python": platform.python_version(),
        "versions": {name: version(name) for name in RECORDED},
        "measures": list(STANDARD),
        "figures": [asdict(each) for each in figures],
    }
    file.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n")


def main() -> int:
    """Measure, print, and tell by the exit code whether every bar was met."""
    parser = argparse.ArgumentParser(description="The speed of scoring, against ir_measures.")
    parser.add_argument("--quick", action="store_true", help="a tenth of the queries")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each; 5 unless given")
    parser.add_argument("--save", type=Path, metavar="FILE", help="keep the figures as JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = workload(Path(folder), 1_000 if options.quick else 10_000)
        check(work)
        figures = measured(work, options.rounds)
    show(figures)
    if options.save is not None:
        save(figures, options.save)
    return 0 if all(each.met is not False for each in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
