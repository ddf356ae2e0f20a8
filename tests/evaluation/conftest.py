"""Folders of finished evaluations, made up: what a gate, a baseline or a report is given."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from engram_lab.evaluation.runs.run import Run
from engram_lab.evaluation.runs.trec import write_run

MEASURES = ("recall_any@10", "nDCG@10")
QUERIES = 200
CATEGORIES = ("single-hop", "temporal")

Values = Mapping[str, Sequence[float | None]]


def values_of(rate: float, n: int = QUERIES) -> dict[str, list[float | None]]:
    """Return measures of which every so many queries are found, in a fixed pattern."""
    found = [1.0 if (place * 37) % n < round(n * rate) else 0.0 for place in range(n)]
    return {MEASURES[0]: list(found), MEASURES[1]: [each * 0.7 for each in found]}


def ids_of(n: int) -> list[str]:
    return [f"q{place:04d}" for place in range(n)]


def write_folder(
    folder: Path,
    systems: Mapping[str, Values],
    *,
    suite: str = "made-up",
    data: str = "d" * 64,
    apart: Sequence[str] = (),
    categories: Sequence[str | None] | None = None,
    clusters: Sequence[str | None] | None = None,
    qrels: Sequence[tuple[str, str, int]] = (("q0000", "m0", 1),),
    hits: Mapping[str, Sequence[tuple[str, str]]] | None = None,
    guards: Mapping[str, Any] | None = None,
    specs: Mapping[str, Mapping[str, Any]] | None = None,
    skipped: Mapping[str, str] | None = None,
    ids: Sequence[str] | None = None,
) -> Path:
    """Write what `engram eval run` writes, as far as gates, baselines and reports read it."""
    (folder / "runs").mkdir(parents=True, exist_ok=True)
    frames, results = [], []
    for name, values in systems.items():
        n = len(next(iter(values.values())))
        named = list(ids or ids_of(n))
        keys: dict[str, Any] = {
            "system": [name] * n,
            "query_id": named,
            "category": list(categories or [CATEGORIES[place % 2] for place in range(n)]),
            "cluster": list(clusters or [None] * n),
        }
        schema = {**dict.fromkeys(keys, pl.String), **dict.fromkeys(values, pl.Float64)}
        frames.append(pl.DataFrame({**keys, **values}, schema=schema))
        found = (hits or {}).get(name, [(named[0], "m0")])
        rankings: dict[str, list[tuple[str, float]]] = {}
        for place, (query, memory) in enumerate(found, 1):
            rankings.setdefault(query, []).append((memory, 1 / place))
        write_run(Run.of(name, rankings.items()), folder / "runs" / f"{name}.trec")
        results.append(
            {
                "name": name,
                "measures": {},
                "categories": {},
                "costs": {},
                "guards": (guards or {}).get(name, {}),
                "spec": (specs or {}).get(name, {"kind": "made-up"}),
            }
        )
    pl.concat(frames, how="diagonal").write_parquet(folder / "per_query.parquet")
    judged = {"query_id": pl.String, "memory_id": pl.String, "relevance": pl.Int32}
    pl.DataFrame(list(qrels), schema=judged, orient="row").write_parquet(folder / "qrels.parquet")
    record = {
        "suite": {"id": suite, "apart": list(apart)},
        "dataset": {"id": "made-up", "hash": data},
        "seed": 0,
        "code": {"revision": "abc", "dirty": False},
        "environment": {"python": "3.13"},
        "command": "engram eval run made-up",
        "began_at": "2026-01-01T00:00:00+00:00",
    }
    left_out = [{"name": name, "reason": why} for name, why in (skipped or {}).items()]
    content = {"suite": suite, "record": record, "systems": results, "skipped": left_out}
    (folder / "results.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


@pytest.fixture
def made_run(tmp_path: Path) -> Callable[..., Path]:
    """Write a folder of results: `made_run(NAME_OF_FOLDER, {SYSTEM: {MEASURE: values}}, …)`."""
    return lambda name, systems, **rest: write_folder(tmp_path / name, systems, **rest)


@pytest.fixture
def found_at() -> Callable[..., dict[str, list[float | None]]]:
    """Return the values of a system that finds so many of its queries."""
    return values_of
