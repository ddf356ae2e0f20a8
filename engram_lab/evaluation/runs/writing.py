"""From runs to results: score them, sum them up, and write the folder that others read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from engram_lab.core.errors import ConflictError, InvalidInputError
from engram_lab.evaluation.measures.budget import token_counts
from engram_lab.evaluation.measures.parsing import parse_measure
from engram_lab.evaluation.measures.scoring import score
from engram_lab.evaluation.runs.results import RunFolder, summarise, write_json
from engram_lab.evaluation.runs.trec import write_qrels, write_run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from engram_lab.evaluation.runs.run import Run
    from engram_lab.evaluation.suite import Suite

__all__ = [
    "Judgements",
    "Ranked",
    "Scored",
    "check_folder",
    "check_place",
    "score_runs",
    "values_of",
    "write_folder",
]


@dataclass(frozen=True, kw_only=True)
class Judgements:
    """What runs are judged by.

    Attributes:
        queries: See `datasets.dataset.QUERIES`.
        qrels: See `datasets.dataset.QRELS`.
        memories: See `datasets.dataset.MEMORIES`; None where the texts are not at hand.
    """

    queries: pl.DataFrame
    qrels: pl.DataFrame
    memories: pl.DataFrame | None = None


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """A run, and what else is known of the system that made it.

    Attributes:
        run: What it found.
        title: One line about it.
        floor: Whether it is there to be beaten.
        costs: See `measures.costs`.
        guards: What must hold exactly, and whether it did.
        spec: What it takes to make the system again.
    """

    run: Run
    title: str = ""
    floor: bool = False
    costs: Mapping[str, Any] = field(default_factory=dict)
    guards: Mapping[str, Any] = field(default_factory=dict)
    spec: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Scored:
    """Runs with their values.

    Attributes:
        results: The content of `results.json`.
        per_query: The content of `per_query.parquet`.
    """

    results: dict[str, Any]
    per_query: pl.DataFrame


def score_runs(
    ranked: Sequence[Ranked],
    judgements: Judgements,
    suite: Suite,
    *,
    record: Mapping[str, Any],
    skipped: Mapping[str, str],
) -> Scored:
    """Return the values of each query and what they come to.

    Raises:
        InvalidInputError: A measure is unknown.
        MissingDependencyError: `ir_measures` is absent.
    """
    frames = [values_of(each.run, judgements, suite) for each in ranked]
    systems = []
    for each, rows in zip(ranked, frames, strict=True):
        measures, categories = summarise(rows, suite, measures=suite.measures)
        systems.append(
            {
                "name": each.run.system,
                "title": each.title,
                "floor": each.floor,
                "measures": measures,
                "categories": categories,
                "costs": dict(each.costs),
                "guards": dict(each.guards),
                "spec": dict(each.spec),
            }
        )
    results = {
        "suite": suite.id,
        "record": dict(record),
        "systems": systems,
        "skipped": [{"name": name, "reason": why} for name, why in skipped.items()],
    }
    return Scored(results=results, per_query=pl.concat(frames))


def write_folder(
    out: Path, scored: Scored, ranked: Sequence[Ranked], judgements: Judgements
) -> RunFolder:
    """Write all that was found; `results.json` comes last, so that where it is, all is.

    What an earlier evaluation left there goes first.
    """
    check_folder(out)
    runs = out / "runs"
    for stale in (out / "results.json", out / "memories.parquet", out / "gate.json"):
        stale.unlink(missing_ok=True)
    for stale in (*runs.glob("*.trec"), *runs.glob("*.parquet")):
        stale.unlink()
    runs.mkdir(parents=True, exist_ok=True)
    for each in ranked:
        write_run(each.run, out / "runs" / f"{each.run.system}.trec")
        each.run.hits.write_parquet(out / "runs" / f"{each.run.system}.parquet")
    judgements.queries.select(
        pl.col("id").alias("query_id"), "text", "category", "cluster"
    ).write_parquet(out / "queries.parquet")
    if judgements.memories is not None:
        judgements.memories.select(
            pl.col("id").alias("memory_id"), "source_id", "content"
        ).write_parquet(out / "memories.parquet")
    judgements.qrels.write_parquet(out / "qrels.parquet")
    write_qrels(judgements.qrels, out / "qrels.trec")
    scored.per_query.write_parquet(out / "per_query.parquet")
    write_json(out / "record.json", scored.results["record"])
    write_json(out / "results.json", scored.results)
    return RunFolder(out)


def check_folder(out: Path) -> None:
    """Refuse a place where no folder can be.

    Raises:
        InvalidInputError: It is a file, or lies in one.
    """
    for place in (out, *out.parents):
        if place.is_dir():
            return
        if place.exists():
            raise InvalidInputError(
                f"{place} is a file: name a folder (out, or --out at the command line)"
            )


def check_place(out: Path, record_id: str, *, fresh: bool) -> None:
    """Refuse a folder with the results of another evaluation, which would be lost.

    Raises:
        ConflictError: There are such.
        InvalidRunError: There are results that cannot be read.
    """
    if fresh or not (out / "results.json").exists():
        return
    if RunFolder(out).record.get("id") != record_id:
        raise ConflictError(
            f"{out} holds the results of another evaluation (other data, systems, settings or "
            "code): give another folder, or replace them (fresh=True, or --fresh at the command "
            "line)"
        )


def values_of(run: Run, judgements: Judgements, suite: Suite) -> pl.DataFrame:
    """Return the rows of `per_query.parquet` of one run."""
    queries, memories = judgements.queries, judgements.memories
    values = score(
        run,
        judgements.qrels,
        [parse_measure(name) for name in suite.measures],
        queries=queries["id"].to_list(),
        tokens=None if memories is None else token_counts(memories),
    )
    about = queries.select(
        pl.lit(run.system).alias("system"), pl.col("id").alias("query_id"), "category", "cluster"
    )
    return pl.concat([about, values.drop("query_id")], how="horizontal")
