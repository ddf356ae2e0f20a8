"""Runs and judgements in files: those of TREC, and as JSON, JSON Lines and Parquet.

A line of a TREC run has the fields `qid Q0 docid rank score tag`, one of its judgements
`qid 0 docid relevance`; BEIR's judgements are `query-id corpus-id score` under such a heading. The
ending of the name tells what a file is: `.json`, `.jsonl`, `.parquet`, and all else is TREC; `.gz`
may follow on reading.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from engram_lab.core.errors import InvalidRunError, shown
from engram_lab.evaluation.datasets.dataset import QRELS
from engram_lab.evaluation.runs.files import RowFile, replacing
from engram_lab.evaluation.runs.run import Run

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["read_qrels", "read_run", "write_qrels", "write_run"]

_RUN_LINE: Final = ("query_id", "Q0", "memory_id", "rank", "score", "tag")
_QRELS_LINE: Final = ("query_id", "0", "memory_id", "relevance")
_BEIR_LINE: Final = ("query_id", "memory_id", "relevance")
_QRELS_NAMES: Final = {
    "query_id": ("query_id", "qid", "query-id", "q_id"),
    "memory_id": ("memory_id", "doc_id", "docid", "docno", "corpus-id", "document_id"),
    "relevance": ("relevance", "rel", "label", "score"),
}
_UNWRITABLE: Final = r"[\s\x00\x1c-\x1f\ufeff]"
"""White space parts fields, and readers differ in what they take for it."""


def read_run(path: Path | str, *, system: str | None = None) -> Run:
    """Return the run in a file, ordered as trec_eval orders it.

    Blank lines, a byte order mark, carriage returns and an absent last line end are of no account.

    Args:
        path: TREC lines; or `.json`, `{query: {memory: score}}`; or `.jsonl` or `.parquet` with the
            columns that `Run.from_frame` knows.
        system: Whose run it is; by default what the tag of the first line says, or the file's name.

    Raises:
        InvalidRunError: The file cannot be read, a line has not six fields, a score is no number
            that is finite in single precision, or a memory is given twice for a query.
    """
    file = RowFile(Path(path))
    if file.kind == "json":
        return Run.from_frame(system or file.stem, file.nested("score"), file=str(path))
    if file.kind == "lines":
        frame = file.fields(_RUN_LINE, {"score": pl.Float64})
        tag = frame["tag"][0] if frame.height else None
        name = system or tag or file.stem
        return Run.from_frame(name, frame, file=str(path), line_of=file.line_of)
    line_of = file.line_of if file.kind == "jsonl" else None
    return Run.from_frame(system or file.stem, file.table(), file=str(path), line_of=line_of)


def write_run(run: Run, path: Path | str) -> None:
    """Write a run in one step; equal runs give equal bytes.

    A score is written with as few digits as tell its single-precision number from every other, so
    that `read_run` and trec_eval see the order of the run.

    Args:
        run: What to write.
        path: Its ending chooses the format.

    Raises:
        InvalidRunError: In TREC lines, an id or the name of the system holds white space.
    """
    path, hits = Path(path), run.hits
    if not _written(hits, "score", path):
        fields = ("query_id", pl.lit("Q0"), "memory_id", "rank", _score(hits), pl.lit(run.system))
        _write_lines(hits, fields, path, system=run.system)


def read_qrels(path: Path | str) -> pl.DataFrame:
    """Return the judgements in a file, in its order; see `datasets.dataset.QRELS`.

    Args:
        path: TREC lines; BEIR's three columns, with or without their heading; `.json`,
            `{query: {memory: relevance}}`; `.jsonl` or `.parquet` with such columns.

    Raises:
        InvalidRunError: The file cannot be read, a line has another number of fields, a relevance
            is no whole number, or a pair is judged twice.
    """
    file = RowFile(Path(path))
    if file.kind == "json":
        return _checked(file.nested("relevance"), file)
    if file.kind != "lines":
        return _checked(file.table(), file)
    first = file.first
    names = _BEIR_LINE if len(first) == len(_BEIR_LINE) else _QRELS_LINE
    if len(first) in {3, 4} and first[-1] in _QRELS_NAMES["relevance"]:
        file.has_heading()
    return _checked(file.fields(names, {"relevance": pl.Int32}), file)


def write_qrels(qrels: pl.DataFrame, path: Path | str) -> None:
    """Write judgements in one step; equal judgements give equal bytes.

    Args:
        qrels: See `datasets.dataset.QRELS`.
        path: Its ending chooses the format.

    Raises:
        InvalidRunError: There are other columns, or, in TREC lines, an id holds white space.
    """
    path = Path(path)
    if qrels.schema != QRELS:
        raise InvalidRunError(
            f"judgements have the columns {dict(qrels.schema)}: they must be {dict(QRELS)}"
        )
    if not _written(qrels, "relevance", path):
        _write_lines(qrels, ("query_id", pl.lit("0"), "memory_id", "relevance"), path)


def _checked(frame: pl.DataFrame, file: RowFile) -> pl.DataFrame:
    """Return judgements under our names and types, or refuse the first row that is wrong."""
    chosen = {}
    for name, known in _QRELS_NAMES.items():
        present = [each for each in known if each in frame.columns]
        if not present:
            raise file.error(
                f"there is no column {name!r} among {frame.columns}: name it {' or '.join(known)}"
            )
        chosen[name] = frame[present[0]]
        kind = chosen[name].dtype
        if kind.is_nested() or kind in {pl.Boolean, pl.Binary, pl.Object}:
            raise file.error(
                f"the column {present[0]!r} holds {kind}: it must hold text or numbers"
            )
    relevance = chosen["relevance"].cast(pl.Float64, strict=False)
    whole = relevance.cast(pl.Int32, strict=False)
    if (row := _first((whole != relevance).fill_null(value=True))) is not None:
        said = shown(chosen["relevance"][row])
        raise file.error(f"the relevance is {said}: it must be a whole number", row)
    ids = {name: chosen[name].cast(pl.String) for name in ("query_id", "memory_id")}
    for name, series in ids.items():
        if (row := _first((series == "").fill_null(value=True))) is not None:
            raise file.error(f"the {name} is empty: every judgement must have one", row)
    found = pl.DataFrame({**ids, "relevance": whole})
    once = found.select(pl.struct("query_id", "memory_id").is_first_distinct()).to_series()
    if (row := _first(~once)) is not None:
        query, memory, _ = found.row(row)
        raise file.error(
            f"{shown(memory)} is judged twice for the query {shown(query)}: leave one judgement",
            row,
        )
    return found


def _first(wrong: pl.Series) -> int | None:
    """Return the first row where this holds, or None."""
    rows = wrong.arg_true()
    return int(rows[0]) if rows.len() else None


def _score(hits: pl.DataFrame) -> pl.Series:
    """Return scores as text that a reader rounds to the same number, by way of double or not."""
    score = hits["score"]
    short = score.cast(pl.String)
    whole = score.cast(pl.Float64).cast(pl.String)
    return pl.select(
        pl.when(short.cast(pl.Float64).cast(pl.Float32) == score).then(short).otherwise(whole)
    ).to_series()


def _write_lines(
    frame: pl.DataFrame,
    fields: Sequence[str | pl.Expr | pl.Series],
    path: Path,
    *,
    system: str = "-",
) -> None:
    named = {name: frame[name] for name in ("query_id", "memory_id")}
    named["name of the system"] = pl.Series([system], dtype=pl.String)
    for name, series in named.items():
        wrong = series.filter(series.str.contains(_UNWRITABLE) | (series == ""))
        if wrong.len():
            raise InvalidRunError(
                f"the {name} {shown(wrong[0])} is empty or holds white space, which parts the "
                "fields of TREC lines: rename it, or write Parquet",
                file=str(path),
            )
    with replacing(path) as file:
        frame.select(pl.concat_str(fields, separator=" ")).write_csv(
            file, include_header=False, quote_style="never"
        )


def _written(frame: pl.DataFrame, number: str, path: Path) -> bool:
    """Write a frame, and return True, where the ending of the path asks for another than TREC's.

    Args:
        frame: With `query_id`, `memory_id` and a number.
        number: The column of the latter, which `.json` has alone.
        path: Where to.
    """
    if path.suffix not in {".parquet", ".jsonl", ".json"}:
        return False
    with replacing(path) as file:
        if path.suffix == ".parquet":
            frame.write_parquet(file)
        elif path.suffix == ".jsonl":
            frame.write_ndjson(file)
        else:
            found: dict[str, dict[str, float]] = {}
            for query, memory, value in frame.select("query_id", "memory_id", number).iter_rows():
                found.setdefault(query, {})[memory] = value
            file.write(json.dumps(found, ensure_ascii=False).encode() + b"\n")
    return True
