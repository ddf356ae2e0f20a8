"""Reads the bundled corpus, and writes it: JSON Lines and a table of judgements.

`memories.jsonl` and `queries.jsonl` have a line for each row of the frames of a data set, `fields`
as an object and what is null left out. `qrels.tsv` has a head line and three columns.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from engram_lab.core.errors import InvalidInputError, shown
from engram_lab.evaluation.datasets.dataset import MEMORIES, QRELS, QUERIES, DataFile, Dataset

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["files_of", "read_tiny"]

_MEMORIES: Final = "memories.jsonl"
_QUERIES: Final = "queries.jsonl"
_QRELS: Final = "qrels.tsv"
_SHOWN: Final = 60
_NEEDED: Final = {
    _MEMORIES: ("id", "corpus", "content"),
    _QUERIES: ("id", "corpus", "text"),
}
_SCHEMAS: Final = {_MEMORIES: MEMORIES, _QUERIES: QUERIES}


def read_tiny(folder: Path, *, id: str, options: Mapping[str, str]) -> Dataset:  # noqa: A002
    """Read a folder that `files_of` has written.

    Args:
        folder: Where `memories.jsonl`, `queries.jsonl` and `qrels.tsv` lie.
        id: The name of the data set.
        options: None are known.

    Raises:
        InvalidInputError: An option was given, or a file does not have its shape.
        FileNotFoundError: A file is not there.
    """
    if options:
        raise InvalidInputError(
            f"the bundled corpus has no option {shown(min(options))}: leave it out"
        )
    texts, files = {}, []
    for name in (_MEMORIES, _QUERIES, _QRELS):
        given = (folder / name).read_bytes()
        files.append(DataFile(name=name, sha256=hashlib.sha256(given).hexdigest(), size=len(given)))
        try:
            texts[name] = given.decode()
        except UnicodeDecodeError as error:
            raise InvalidInputError(
                f"{name}, byte {error.start}: it is not UTF-8; fetch or write the file again"
            ) from None
    return Dataset(
        id=id,
        variant={"unit": "turn"},
        memories=_rows_of(texts, _MEMORIES),
        queries=_rows_of(texts, _QUERIES),
        qrels=_judgements_of(texts[_QRELS]),
        files=tuple(files),
    )


def files_of(dataset: Dataset) -> dict[str, str]:
    """Return the text of each file that `read_tiny` reads, by its name."""
    judged = ("\t".join(map(str, row)) for row in dataset.qrels.rows())
    return {
        _MEMORIES: _lines_of(dataset.memories),
        _QUERIES: _lines_of(dataset.queries),
        _QRELS: "".join(f"{line}\n" for line in ("\t".join(QRELS), *judged)),
    }


def _lines_of(frame: pl.DataFrame) -> str:
    lines = []
    for row in frame.iter_rows(named=True):
        given: dict[str, Any] = {name: value for name, value in row.items() if value is not None}
        for name, value in given.items():
            if isinstance(value, datetime):
                given[name] = value.isoformat().replace("+00:00", "Z")
        if "fields" in given:
            given["fields"] = json.loads(given["fields"])
        lines.append(json.dumps(given, ensure_ascii=False) + "\n")
    return "".join(lines)


def _rows_of(texts: Mapping[str, str], name: str) -> pl.DataFrame:
    schema = _SCHEMAS[name]
    rows = []
    for number, line in enumerate(texts[name].splitlines(), 1):
        where = f"{name}, line {number}"
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise InvalidInputError(f"{where}: it is no JSON ({error.msg})") from None
        if not isinstance(row, dict):
            raise InvalidInputError(f"{where}: it must be a JSON object, such as {{'id': 'c01'}}")
        rows.append(_row_of(row, schema, _NEEDED[name], where))
    return pl.DataFrame(rows, schema=schema, orient="row")


def _row_of(
    row: Mapping[str, Any], schema: pl.Schema, needed: tuple[str, ...], where: str
) -> dict[str, Any]:
    if unknown := sorted(row.keys() - schema.keys()):
        raise InvalidInputError(
            f"{where}: {shown(unknown[0])} is no key of such a line: known are {', '.join(schema)}"
        )
    if lacking := [key for key in needed if row.get(key) is None]:
        raise InvalidInputError(f"{where}: {lacking[0]!r} is missing, and must be there")
    return {key: _value_of(key, row.get(key), schema[key], where) for key in schema}


def _value_of(key: str, value: object, kind: pl.DataType, where: str) -> object:
    if value is None:
        return None
    if key == "fields":
        if isinstance(value, dict):
            return json.dumps(value, sort_keys=True)
        wanted = "an object"
    elif kind == pl.Int32:
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31:
            return value
        wanted = "a whole number, 0 or more"
    elif kind == pl.String:
        if isinstance(value, str):
            return value
        wanted = "a text"
    else:
        moment = _moment_of(value)
        if moment is not None:
            return moment
        wanted = "a time such as '2031-03-03T09:00:00Z'"
    given = json.dumps(value, ensure_ascii=False)
    raise InvalidInputError(f"{where}: {key!r} is {given[:_SHOWN]}: it must be {wanted}")


def _moment_of(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def _judgements_of(text: str) -> pl.DataFrame:
    head, *lines = text.splitlines() or [""]
    if tuple(head.split("\t")) != tuple(QRELS):
        raise InvalidInputError(
            f"{_QRELS}, line 1: it is {shown(head)}: it must be {', '.join(QRELS)}, with tabs"
        )
    rows = []
    for number, line in enumerate(lines, 2):
        cells = line.split("\t")
        if len(cells) != len(QRELS) or not cells[2].removeprefix("-").isdecimal():
            raise InvalidInputError(
                f"{_QRELS}, line {number}: it is {shown(line)}: it must be the id of a query, the "
                "id of a memory and a whole number, with tabs"
            )
        rows.append((cells[0], cells[1], int(cells[2])))
    return pl.DataFrame(rows, schema=QRELS, orient="row")
