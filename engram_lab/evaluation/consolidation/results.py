"""From what tasks observed to a folder of results, as any other evaluation leaves one.

What a measure is taken of (a pair, a fact, a probe) stands where a question stands elsewhere.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from engram_lab.config.model import EngineConfig
from engram_lab.core.errors import EvaluationError
from engram_lab.evaluation.consolidation.contrasts import beside_nulls, verdicts
from engram_lab.evaluation.consolidation.suite import (
    MEASURES,
    TITLES,
    kind_of,
    suite_of_seed,
)
from engram_lab.evaluation.datasets.dataset import QRELS
from engram_lab.evaluation.runs.environment import code_of_this_package, environment
from engram_lab.evaluation.runs.record import FORMAT, hash_of
from engram_lab.evaluation.runs.results import KEYS, RunFolder, summarise, write_json
from engram_lab.evaluation.runs.writing import check_folder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from engram_lab.evaluation.consolidation.outcome import Curve, Outcome, Setting
    from engram_lab.evaluation.suite import Suite

__all__ = ["BENCHMARK_FORMAT", "frame_of", "record_of", "results_of", "write_results"]

BENCHMARK_FORMAT: Final = 1
"""Of what a benchmark adds to results, and of the worlds that it makes; rises with either."""

_WITHIN: Final = "::"
"""Parts the category of a unit from its name, as in `2 hops::c003-02`."""

_BY_THE_MACHINE: Final = ("second", "bytes", "_ms", "_mib")
"""What is in the name of a fact that another machine, or another moment, would give otherwise."""

_SYSTEM: Final = pl.Schema({"system": pl.String})

_KEPT_BY: Final = "dream"
"""The system that stands for what cost something where nothing else was judged."""


def frame_of(outcomes: Sequence[Outcome]) -> pl.DataFrame:
    """Return the rows of `per_query.parquet`: each system with each unit; null where not judged.

    Raises:
        EvaluationError: A unit of a task was judged twice, or stands in two clusters.
    """
    units: dict[str, tuple[str, str]] = {}
    rows: list[tuple[str, str, str, float]] = []
    for outcome in outcomes:
        for each in outcome.observed:
            category, _, _ = each.unit.rpartition(_WITHIN)
            query = f"{outcome.task}/{each.unit.replace(_WITHIN, '/')}"
            place = (category or outcome.task, f"{outcome.task}/{each.cluster}")
            if units.setdefault(query, place) != place:
                raise EvaluationError(f"{query!r} stands in two clusters of the task")
            rows.append((each.system, query, each.measure, float(each.value)))
    columns = {**dict.fromkeys(("system", "query_id", "measure"), pl.String), "value": pl.Float64}
    long = pl.DataFrame(rows, schema=columns, orient="row")
    twice = long.filter(pl.struct("system", "query_id", "measure").is_duplicated())
    if twice.height:
        system, query, measure, _ = twice.row(0)
        raise EvaluationError(f"{measure} of {system} is given twice for {query!r}")
    measures = _ordered(set(long["measure"]), MEASURES)
    keys = pl.DataFrame(
        [(query, *place) for query, place in units.items()],
        schema=dict.fromkeys(KEYS[1:], pl.String),
        orient="row",
    )
    systems = pl.DataFrame({"system": _ordered(set(long["system"]), TITLES)}, schema=_SYSTEM)
    if long.is_empty():
        return systems.join(keys, how="cross").select(KEYS)
    values = long.pivot("measure", index=["system", "query_id"], values="value")
    grid = systems.join(keys, how="cross", maintain_order="left_right")
    found = grid.join(values, on=["system", "query_id"], how="left", maintain_order="left")
    return found.select(*KEYS, *measures)


def _ordered(names: set[str], known: Mapping[str, str]) -> list[str]:
    """Return names in the order in which they are known, then the others by name."""
    return [*(each for each in known if each in names), *sorted(names - set(known))]


def record_of(setting: Setting, tasks: Sequence[str]) -> dict[str, Any]:
    """Return the record: what it takes to do it again, without a time of the day.

    What was measured, and of which systems, is added with the results.
    """
    suite = suite_of_seed(setting.seed)
    flat, known = setting.config.flat(), EngineConfig.settings()
    made = {"benchmark": BENCHMARK_FORMAT, "size": setting.size, "seed": setting.seed}
    identity = {
        "dataset": {
            "id": suite.id,
            "variant": {"size": str(setting.size), "seed": str(setting.seed)},
            "hash": hash_of({**made, "tasks": list(tasks)}),
            "files": [],
        },
        "seed": setting.seed,
        "config": {name: value for name, value in flat.items() if known[name].identity},
        "config_hash": setting.config.content_hash,
        "embedder": None if setting.embedder is None else setting.embedder.fingerprint,
        "clock": "one of its own, which moves as it is told to",
    }
    code = code_of_this_package()
    given = [f"--size {setting.size}", f"--seed {setting.seed}", *(f"--task {e}" for e in tasks)]
    return {
        "format": FORMAT,
        "id": hash_of({**identity, "sources": code["sources"]}),
        "suite": asdict(suite),
        **identity,
        "systems": {},
        "code": code,
        "environment": environment(),
        "command": " ".join(["engram eval run", suite.id, *given]),
        "began_at": None,
    }


def results_of(
    outcomes: Sequence[Outcome],
    per_query: pl.DataFrame,
    setting: Setting,
    *,
    record: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the content of `results.json`."""
    measures = [each for each in per_query.columns if each not in KEYS]
    systems = per_query["system"].unique(maintain_order=True).to_list()
    suite = suite_of_seed(setting.seed, measures or tuple(MEASURES))
    costs, facts = _facts(outcomes)
    if costs and not systems:
        systems = [_KEPT_BY]
    tested = [each for each in measures if each in MEASURES]
    beside = beside_nulls(per_query, tested, seed=setting.seed)
    steps = [each.strip() for each in setting.config.dream.steps.split(",")]
    kinds = {name: {"kind": kind_of(name)} for name in systems}
    return {
        "suite": suite.id,
        "record": {**record, "suite": asdict(suite), "systems": kinds},
        "systems": [
            _system(name, per_query, measures, suite, costs=costs if name == systems[0] else {})
            for name in systems
        ],
        "skipped": [],
        "benchmark": {
            "format": BENCHMARK_FORMAT,
            "tasks": [each.task for each in outcomes],
            "beside_nulls": [each.plain() for each in beside],
            "phases": [each.plain() for each in verdicts(beside, steps)],
            "curves": [_plain(each) for outcome in outcomes for each in outcome.curves],
            "facts": facts,
        },
    }


def _system(
    name: str,
    per_query: pl.DataFrame,
    measures: Sequence[str],
    suite: Suite,
    *,
    costs: Mapping[str, Any],
) -> dict[str, Any]:
    rows = per_query.filter(pl.col("system") == name)
    found: dict[str, Any] = {}
    categories: dict[str, dict[str, Any]] = {}
    for measure in measures:
        judged = rows.filter(pl.col(measure).is_not_null())
        if judged.is_empty():
            continue
        headline, parts = summarise(judged, suite, measures=[measure])
        found |= headline
        for category, values in parts.items():
            categories.setdefault(category, {}).update(values)
    return {
        "name": name,
        "title": TITLES.get(name, ""),
        "floor": kind_of(name) == "null",
        "measures": found,
        "categories": categories,
        "costs": dict(costs),
        "guards": {},
        "spec": {"kind": kind_of(name)},
    }


def _facts(outcomes: Sequence[Outcome]) -> tuple[dict[str, float], dict[str, float]]:
    """Return what the machine measured, and what is the same on each."""
    costs: dict[str, float] = {}
    facts: dict[str, float] = {}
    for outcome in outcomes:
        for name, value in outcome.facts:
            full = name if name.startswith(f"{outcome.task}.") else f"{outcome.task}.{name}"
            measured = any(part in name for part in _BY_THE_MACHINE)
            (costs if measured else facts)[full] = float(value)
    return costs, facts


def _plain(curve: Curve) -> dict[str, Any]:
    return {
        name: list(part) if isinstance(part, tuple) else part
        for name, part in curve._asdict().items()
    }


def write_results(out: Path, results: Mapping[str, Any], per_query: pl.DataFrame) -> RunFolder:
    """Write the folder; `results.json` comes last, so that where it is, all is.

    What an earlier evaluation left there goes first.
    """
    check_folder(out)
    runs = out / "runs"
    for stale in (out / "results.json", out / "memories.parquet", out / "gate.json"):
        stale.unlink(missing_ok=True)
    for stale in (*runs.glob("*.trec"), *runs.glob("*.parquet")):
        stale.unlink()
    out.mkdir(parents=True, exist_ok=True)
    per_query.write_parquet(out / "per_query.parquet")
    asked = per_query.select("query_id", "category", "cluster").unique(maintain_order=True)
    asked.select("query_id", pl.col("query_id").alias("text"), "category", "cluster").write_parquet(
        out / "queries.parquet"
    )
    pl.DataFrame(schema=QRELS).write_parquet(out / "qrels.parquet")
    write_json(out / "record.json", results["record"])
    write_json(out / "results.json", results)
    return RunFolder(out)
