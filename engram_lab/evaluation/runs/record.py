"""The record of an evaluation: all that it takes to do it again, and what it was done with."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import orjson

from engram_lab.core.checksums import file_sha256
from engram_lab.evaluation.runs.environment import code_of_this_package, environment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import polars as pl

    from engram_lab.core.clock import Clock
    from engram_lab.evaluation.datasets.dataset import Dataset
    from engram_lab.evaluation.suite import Suite

__all__ = ["FORMAT", "begin_record", "hash_of", "record_of_scoring"]

FORMAT: Final = 1
"""Of records and results; rises when a reader must know."""


def begin_record(
    suite: Suite,
    dataset: Dataset,
    systems: Mapping[str, Mapping[str, Any]],
    *,
    clock: Clock,
    command: str | None,
) -> dict[str, Any]:
    """Return the record of an evaluation that begins now.

    `id` is the hash of suite, data, systems and sources: where it is the same, the run files are.
    `timings`, how long each system took, and `judged_with`, by the name of a system and by what its
    weights were learned on the corpora that were asked with these, are added at the end.

    Args:
        suite: What is asked, and what counts.
        dataset: What was read.
        systems: What each system says of itself, by name.
        clock: Tells when it began; what the systems see as now is the time of each corpus.
        command: As it was given.
    """
    identity = {
        "suite": asdict(suite),
        "dataset": {
            "id": dataset.id,
            "variant": dict(dataset.variant),
            "hash": dataset.hash,
            "files": [asdict(each) for each in dataset.files],
            "left_out": dict(dataset.left_out),
            "memories": dataset.memories.height,
            "queries": dataset.queries.height,
            "qrels": dataset.qrels.height,
        },
        "systems": {name: dict(said) for name, said in systems.items()},
        "seed": suite.seed,
        "clock": "the time of the last thing that happens in a corpus",
    }
    return _record(identity, clock=clock, command=command)


def record_of_scoring(
    suite: Suite,
    qrels: pl.DataFrame,
    runs: Mapping[str, Path],
    *,
    clock: Clock,
    command: str | None,
) -> dict[str, Any]:
    """Return the record of judging files: which they were, by what, with which measures."""
    identity = {
        "suite": asdict(suite),
        "dataset": {"id": suite.dataset or suite.id, "hash": hash_of(qrels.rows())},
        "systems": {
            name: {"kind": "file", "sha256": file_sha256(path)} for name, path in runs.items()
        },
    }
    return _record(identity, clock=clock, command=command)


def _record(identity: Mapping[str, Any], *, clock: Clock, command: str | None) -> dict[str, Any]:
    """Return what was done, under an id of its own, and what it was done with."""
    code = code_of_this_package()
    return {
        "format": FORMAT,
        "id": hash_of({**identity, "sources": code["sources"]}),
        **identity,
        "code": code,
        "environment": environment(),
        "command": command,
        "began_at": clock.now().isoformat(),
    }


def hash_of(value: object) -> str:
    """Return the SHA-256 of a value as JSON with sorted keys."""
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()
