"""Judge anyone's run files: no engine takes part."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from engram_lab.core.clock import SystemClock
from engram_lab.core.errors import IncomparableError, InvalidInputError, InvalidRunError
from engram_lab.evaluation.datasets.dataset import QRELS, QUERIES
from engram_lab.evaluation.datasets.source_ids import from_source_ids
from engram_lab.evaluation.running.evaluate import dataset_of
from engram_lab.evaluation.runs.record import record_of_scoring
from engram_lab.evaluation.runs.run import Run
from engram_lab.evaluation.runs.trec import read_qrels, read_run
from engram_lab.evaluation.runs.writing import (
    Judgements,
    Ranked,
    check_folder,
    check_place,
    score_runs,
    write_folder,
)
from engram_lab.evaluation.suite import GateRules, Suite
from engram_lab.evaluation.suites import load_suite
from engram_lab.evaluation.systems.registry import check_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from engram_lab.core.clock import Clock

__all__ = ["judgements_of", "score_files"]

_USUAL = ("nDCG@10", "R@10", "recall_any@10", "recall_all@10", "RR", "AP", "Success@1")


def score_files(
    runs: Sequence[str | PathLike[str]],
    *,
    qrels: str | PathLike[str] | None = None,
    suite: str | None = None,
    measures: Sequence[str] = (),
    data: str | PathLike[str] | None = None,
    out: str | PathLike[str] | None = None,
    allow_changed: bool = False,
    fresh: bool = False,
    clock: Clock | None = None,
    command: str | None = None,
) -> dict[str, Any]:
    """Return the results of run files; each is named by its file.

    Args:
        runs: TREC, JSON, JSON Lines or Parquet.
        qrels: What they are judged by; or else
        suite: one whose data are on this machine.
        measures: Instead of the suite's, or of the usual ones.
        data: Where the data of the suite lie.
        out: Also write a folder of results, which can be compared and gated.
        allow_changed: See `running.dataset_of`.
        fresh: Replace the results of another evaluation in `out`.
        clock: For the record.
        command: For the record.

    Raises:
        InvalidRunError: A file is malformed, or scores something twice or with what is no number.
        IncomparableError: A run answers other queries, or holds memories that are not there.
        DatasetMissingError: The data of the suite are not on this machine.
        InvalidInputError: There are no judgements or two kinds of them, two runs have one name, a
            name is none for a system, or `out` is a file.
        ConflictError: `out` holds the results of another evaluation.
    """
    named = _named(runs)
    place = None if out is None else Path(out)
    if place is not None:
        check_folder(place)
    if (qrels is None) == (suite is None):
        raise InvalidInputError("judge by --qrels FILE or by --suite NAME: give one of them")
    judged_by, rules = judgements_of(
        qrels=qrels, suite=suite, data=data, allow_changed=allow_changed
    )
    if measures:
        chosen = tuple(dict.fromkeys(measures))
        rules = replace(rules, measures=chosen, gate=GateRules(measures=chosen))
    ranked = [Ranked(run=_fitting(name, path, judged_by)) for name, path in named.items()]
    record = record_of_scoring(
        rules, judged_by.qrels, named, clock=clock or SystemClock(), command=command
    )
    if place is not None:
        check_place(place, record["id"], fresh=fresh)
    scored = score_runs(ranked, judged_by, rules, record=record, skipped={})
    if place is not None:
        write_folder(place, scored, ranked, judged_by)
    return scored.results


def judgements_of(
    *,
    qrels: str | PathLike[str] | None,
    suite: str | None,
    data: str | PathLike[str] | None,
    allow_changed: bool,
) -> tuple[Judgements, Suite]:
    """Return judgements and how to sum up by them, from a file or from a suite."""
    if suite is not None:
        rules = load_suite(suite)
        dataset = dataset_of(rules, data=data, allow_changed=allow_changed)
        found = Judgements(queries=dataset.queries, qrels=dataset.qrels, memories=dataset.memories)
        return found, rules
    frame = read_qrels(Path(str(qrels)))
    if not frame.height:
        raise InvalidRunError(
            "it judges nothing: give one line for each judgement", file=str(qrels)
        )
    ids = frame["query_id"].unique(maintain_order=True)
    queries = pl.DataFrame(
        [{"id": id_, "corpus": "main", "text": ""} for id_ in ids], schema=QUERIES
    )
    rules = Suite(
        id=Path(str(qrels)).stem,
        title="judged by a file",
        dataset=None,
        measures=_USUAL,
        gate=GateRules(measures=_USUAL),
    )
    return Judgements(queries=queries, qrels=frame.select(list(QRELS))), rules


def _named(runs: Sequence[str | PathLike[str]]) -> dict[str, Path]:
    """Return run files by the names of their systems: those of the files, without endings."""
    named: dict[str, Path] = {}
    for path in map(Path, runs):
        name = (path.with_suffix("") if path.suffix == ".gz" else path).stem
        if name in named:
            raise InvalidInputError(f"two runs are called {name!r}: rename a file")
        check_name(name)
        named[name] = path
    return named


def _fitting(name: str, path: Path, judgements: Judgements) -> Run:
    """Return a run in the ids of the judgements; published ids are translated."""
    run = read_run(path, system=name)
    if not run.hits.height:
        raise InvalidRunError("it finds nothing for any query: give one line a hit", file=str(path))
    hits, queries, memories = run.hits, judgements.queries, judgements.memories
    if memories is not None:
        hits = from_source_ids(hits, queries=queries, memories=memories)
        known = memories["id"].implode()
        if strange := hits.filter(~pl.col("memory_id").is_in(known))["memory_id"].to_list():
            raise IncomparableError(
                f"{path} holds {len(set(strange))} memories that the data have not, such as "
                f"{strange[0]!r}: use the ids of the data, or the published ones"
            )
    asked = hits["query_id"].unique(maintain_order=True)
    fit = asked.is_in(queries["id"].implode())
    if not fit.any() or (memories is not None and not fit.all()):
        strange = asked.filter(~fit).to_list()
        raise IncomparableError(
            f"{path} answers {len(strange)} queries that are not judged, such as "
            f"{strange[0]!r}: run and judgements must be of one data set"
        )
    return Run(system=run.system, hits=hits)
