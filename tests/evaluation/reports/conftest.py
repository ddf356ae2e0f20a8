"""A run directory as the judge writes it: two floors, five systems, 300 queries, all made up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import orjson
import polars as pl
import pytest

from engram_lab.evaluation.gating.verdict import GateCheck, GateReport
from engram_lab.evaluation.runs.results import RunFolder
from engram_lab.evaluation.runs.run import Run
from engram_lab.evaluation.runs.trec import write_run
from engram_lab.evaluation.statistics.contrast import Comparison, Contrast, Moved

SYSTEMS = {
    "random": 0.0,
    "recency": 0.12,
    "bm25": 2.6,
    "dense": 2.1,
    "rrf": 2.7,
    "weighted": 3.0,
    "context": 3.05,
}
"""How far above noise each system lifts what is relevant."""

CATEGORIES = ("single-hop", "multi-hop", "temporal", "open-domain", "adversarial")
MEASURES = ("recall_any@10", "recall_any@5", "recall_any@1", "recall_all@10", "nDCG@10", "RR")
SCRIPT = "<script>alert('who?')</script> & \"what did Ana's sister bake\"?"
QUERIES, POOL, DEPTH = 300, 400, 20

WORDS = (
    *("Ana", "Boris", "Carla", "Deniz", "Emre", "Farah", "walked", "cooked", "painted", "bought"),
    *("lost", "found", "repaired", "the", "a", "blue", "old", "small", "bicycle", "kitchen"),
    *("garden", "violin", "boat", "letter", "lamp", "map", "in", "near", "before", "after"),
    *("Lisbon", "Ohrid", "winter", "spring", "Monday", "her", "his", "brother", "neighbour"),
)


def _sentence(chance: np.random.Generator, length: int) -> str:
    return " ".join(chance.choice(WORDS, length)).capitalize()


def _scores(ranks: list[int]) -> dict[str, float]:
    """Return the measures of the 1-based ranks of what is relevant."""
    found = {f"recall_any@{k}": float(min(ranks) <= k) for k in (1, 5, 10)}
    gain = sum(1 / np.log2(1 + rank) for rank in ranks if rank <= 10)
    ideal = sum(1 / np.log2(2 + place) for place in range(len(ranks)))
    return found | {
        "recall_all@10": float(max(ranks) <= 10),
        "nDCG@10": float(gain / ideal),
        "RR": 1 / min(ranks),
    }


def _estimate(values: pl.Series) -> dict[str, Any]:
    scored = values.drop_nulls()
    mean, spread = scored.mean(), scored.std()
    assert isinstance(mean, float)
    assert isinstance(spread, float)
    half = 1.96 * spread / len(scored) ** 0.5
    ci = [max(0.0, mean - half), min(1.0, mean + half)]
    return {"mean": mean, "ci": ci, "n": len(scored), "unscored": len(values) - len(scored)}


def _record() -> dict[str, Any]:
    return {
        "format": 1,
        "id": "51" * 32,
        "suite": {
            "id": "made-up",
            "title": "Conversations that never were",
            "apart": ["adversarial"],
            "level": 0.95,
        },
        "command": "engram eval run made-up --system bm25 --out results",
        "dataset": {"id": "made-up", "variant": {"unit": "turn"}, "hash": "9f2c" * 16, "files": []},
        "seed": 0,
        "code": {"version": "0.1.0", "revision": "ee12558", "dirty": False, "sources": "ab" * 32},
        "environment": {
            "python": "3.11.9",
            "processor": "A processor with 2 cores",
            "blas": "openblas 0.3.29",
            "packages": {"polars": "2.1.0", "numpy": "2.3.0"},
        },
        "began_at": "2026-11-21T12:00:00+00:00",
    }


def write_run_folder(path: Path) -> None:
    """Write a run directory of `SYSTEMS`; always the same."""
    chance = np.random.default_rng(4)
    (path / "runs").mkdir(parents=True)
    ids = [f"m{number:03d}" for number in range(POOL)]
    pl.DataFrame(
        {
            "memory_id": ids,
            "source_id": ids,
            "content": [_sentence(chance, int(n)) for n in chance.integers(8, 40, POOL)],
        }
    ).write_parquet(path / "memories.parquet")
    queries = pl.DataFrame(
        {
            "query_id": [f"q{number:03d}" for number in range(QUERIES)],
            "text": [SCRIPT, *(f"{_sentence(chance, 8)}?" for _ in range(1, QUERIES))],
            "category": [CATEGORIES[number % 5] for number in range(QUERIES)],
            "cluster": [f"conversation {number // 30}" for number in range(QUERIES)],
        }
    )
    queries.write_parquet(path / "queries.parquet")
    relevant = [chance.choice(POOL, 1 + number % 2, replace=False) for number in range(QUERIES)]
    pl.DataFrame(
        [(f"q{q:03d}", ids[m], 1) for q, found in enumerate(relevant) for m in found],
        schema={"query_id": pl.String, "memory_id": pl.String, "relevance": pl.Int32},
        orient="row",
    ).write_parquet(path / "qrels.parquet")
    frames, shared = [], chance.normal(size=(QUERIES, POOL))
    for system, lift in SYSTEMS.items():
        alone = system in {"random", "recency"}
        noise = chance.normal(size=(QUERIES, POOL))
        scores = noise if alone else 0.8 * shared + 0.6 * noise
        rows, values = [], []
        for q, found in enumerate(relevant):
            scores[q, found] += lift * (1 - 0.12 * (q % 5))
            order = np.argsort(-scores[q])
            place = np.empty(POOL, int)
            place[order] = np.arange(1, POOL + 1)
            values.append(_scores([int(place[m]) for m in found]))
            top = order[:DEPTH]
            rows += [(f"q{q:03d}", ids[m], r, scores[q, m]) for r, m in enumerate(top, 1)]
        hits = pl.DataFrame(rows, schema=["query_id", "memory_id", "rank", "score"], orient="row")
        hits = hits.cast({"rank": pl.Int32, "score": pl.Float32})
        write_run(Run(system=system, hits=hits), path / f"runs/{system}.trec")
        frames.append(
            queries.select(pl.lit(system).alias("system"), "query_id", "category", "cluster")
            .hstack(pl.DataFrame(values).select(MEASURES))
            .with_columns(
                pl.when(pl.col("query_id") == "q299").then(None).otherwise(pl.col("RR")).alias("RR")
            )
        )
    per_query = pl.concat(frames)
    per_query.write_parquet(path / "per_query.parquet")
    (path / "results.json").write_bytes(orjson.dumps(_results(per_query)))


def _results(per_query: pl.DataFrame) -> dict[str, Any]:
    systems = []
    for place, name in enumerate(SYSTEMS):
        rows = per_query.filter(pl.col("system") == name)
        systems.append(
            {
                "name": name,
                "title": f"The system {name}",
                "floor": place < 2,
                "measures": {each: _estimate(rows[each]) for each in MEASURES},
                "categories": {
                    category: {
                        each: _estimate(rows.filter(pl.col("category") == category)[each])
                        for each in MEASURES
                    }
                    for category in CATEGORIES
                },
                "costs": {
                    "latency_p50_ms": 0.41 + place,
                    "latency_p95_ms": 0.9 + place,
                    "latency_p99_ms": 2.25 + place,
                    "bytes_per_memory": 412.0 + 1536 * (place > 2),
                    "write_to_readable_ms": 3.1 + place,
                },
                "guards": {
                    "determinism": {"status": "pass", "said": "two runs are byte-identical"},
                    "deleted stays deleted": {"status": "skip", "said": "nothing was deleted"},
                },
                "spec": {
                    "name": name,
                    "retriever": {"arm": name},
                    "config_hash": f"{place:x}" * 64,
                },
            }
        )
    return {
        "suite": "made-up",
        "record": _record(),
        "systems": systems,
        "skipped": [{"name": "neutral", "reason": "the model <MiniLM> is not on this machine"}],
    }


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    path = tmp_path_factory.mktemp("reports") / "results"
    write_run_folder(path)
    return RunFolder(path)


@pytest.fixture(scope="session")
def comparison(run_folder: RunFolder) -> Comparison:
    """Return `weighted` against `dense`, with figures that are made up but for the queries."""
    return made_up_comparison(run_folder)


def made_up_comparison(folder: RunFolder, a: str = "weighted", b: str = "dense") -> Comparison:
    frame = folder.per_query
    one, two = (frame.filter(pl.col("system") == name) for name in (a, b))
    contrasts = []
    for group in ("", *CATEGORIES):
        for measure in MEASURES:
            keep = pl.lit(not group) | (pl.col("category") == group)
            x, y = one.filter(keep)[measure].drop_nulls(), two.filter(keep)[measure].drop_nulls()
            delta = (y - x).to_numpy()
            error = float(delta.std() / len(delta) ** 0.5)
            mean = float(delta.mean())
            p = float(np.exp(-((mean / error) ** 2) / 1.6))
            contrasts.append(
                Contrast(
                    measure=measure, group=group, n=len(delta), mean_a=float(x.to_numpy().mean()),
                    mean_b=float(y.to_numpy().mean()), delta=mean, low=mean - 1.96 * error,
                    high=mean + 1.96 * error, p=p, p_adjusted=min(1.0, 6 * p),
                    test="10,000 sign flips of clusters", effect=mean / float(delta.std()),
                    mde=2.8 * error, wins=int((delta > 0).sum()), ties=int((delta == 0).sum()),
                    losses=int((delta < 0).sum()),
                )
            )  # fmt: skip
    first = MEASURES[0]
    pairs = zip(one.rows(named=True), two.rows(named=True), strict=True)
    moved = [
        Moved(
            query_id=x["query_id"],
            category=x["category"],
            measure=first,
            before=x[first],
            after=y[first],
        )
        for x, y in pairs
        if x[first] != y[first]
    ]
    moved.sort(key=lambda each: (not each.newly_failed, each.after - each.before, each.query_id))
    return Comparison(
        a=a, b=b, contrasts=tuple(contrasts), moved=tuple(moved), alternative="two-sided",
        clusters=10, alpha=0.05, warnings=("Only 10 clusters: an exact test has 1,024 outcomes.",),
    )  # fmt: skip


@pytest.fixture(scope="session")
def gate(comparison: Comparison) -> GateReport:
    """Return a gate that failed: one loss in the headline, one check skipped."""
    return made_up_gate(comparison)


def made_up_gate(comparison: Comparison) -> GateReport:
    worst = comparison.contrasts[0]
    checks = (
        GateCheck(
            system="dense", name="forbidden hits", group="", kind="exact", status="pass",
            said="No forbidden memory was found; none is allowed.",
        ),
        GateCheck(
            system="dense", name=worst.measure, group="", kind="statistical", status="fail",
            said="recall_any@10 fell by 0.12 <p 0.001>, more than the margin of 0.010.",
            margin=0.01, contrast=worst,
        ),
        GateCheck(
            system="dense", name="nDCG@10", group="temporal", kind="statistical", status="skip",
            said="No query of the category temporal is scored by both.", margin=0.02,
        ),
    )  # fmt: skip
    return GateReport(
        suite="made-up",
        checks=checks,
        comparisons={"dense": comparison},
        baseline={"created_at": "2026-11-01T00:00:00Z", "reason": "first baseline"},
        skipped={"context": "the baseline does not hold it"},
    )
