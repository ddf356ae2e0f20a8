"""Reading files of a data set so that an error names the file and the line."""

from __future__ import annotations

import hashlib
import re
from codecs import BOM_UTF8
from typing import TYPE_CHECKING, Any, Final

import orjson
import polars as pl

from engram_lab.core.errors import DatasetMissingError, InvalidInputError
from engram_lab.evaluation.datasets.dataset import MEMORIES, QRELS, QUERIES, UNWRITABLE, DataFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = [
    "check_options",
    "data_file",
    "digest",
    "existing",
    "frame_of",
    "json_file",
    "json_lines",
    "ordinal_where_needed",
    "refused",
    "text_lines",
]

_CHUNK: Final = 1 << 20


def digest(path: Path, algorithm: str = "sha256") -> str:
    """Return the digest of a file as hexadecimal digits."""
    made = hashlib.new(algorithm, usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            made.update(chunk)
    return made.hexdigest()


def existing(folder: Path, name: str) -> Path:
    """Return the path of a file of a data set.

    Raises:
        DatasetMissingError: It is not there.
    """
    path = folder / name
    if not path.is_file():
        raise DatasetMissingError(f"there is no file {name} in {folder}")
    return path


def data_file(folder: Path, name: str) -> DataFile:
    """Return what a file is known by in the record of a run.

    Raises:
        DatasetMissingError: It is not there.
    """
    path = existing(folder, name)
    return DataFile(name=name, sha256=digest(path), size=path.stat().st_size)


def refused(path: Path, place: int | str, problem: str) -> InvalidInputError:
    """Return the error for a file that does not have its published shape.

    Args:
        path: The file.
        place: A line, counted from 1, or a place such as `[3].qa[0]`.
        problem: What is there, and what was expected.
    """
    where = f"line {place}" if isinstance(place, int) else place
    return InvalidInputError(f"{path.name}, {where}: {problem}")


def text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield each line that is not blank, without its end, and its number, counted from 1.

    Raises:
        InvalidInputError: A line is no UTF-8.
    """
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            try:
                # A file that some editor saved may begin with a byte order mark.
                line = raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
            except UnicodeDecodeError as error:
                raise refused(path, number, f"is no UTF-8 ({error.reason})") from error
            if line.strip():
                yield number, line


def json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield each JSON object of a file that holds one a line, and the number of its line.

    Raises:
        InvalidInputError: A line is no JSON object.
    """
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            line = raw.removeprefix(BOM_UTF8) if number == 1 else raw
            if line.isspace():
                continue
            try:
                found = orjson.loads(line)
            except orjson.JSONDecodeError as error:
                raise refused(path, number, f"is no JSON ({error})") from error
            if not isinstance(found, dict):
                raise refused(path, number, f"is {type(found).__name__}, not a JSON object")
            yield number, found


def json_file(path: Path) -> Any:
    """Return what a JSON file holds.

    Raises:
        InvalidInputError: It is no JSON.
    """
    try:
        return orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise refused(path, error.lineno, f"is no JSON ({error.msg})") from error


def ordinal_where_needed(ids: Sequence[str], *, letter: str) -> dict[str, str]:
    """Return the id to use for each published one.

    They stay as they are unless one holds white space, which no TREC file can write: then all
    become positions in the published order, such as `d0`.
    """
    if any(re.search(UNWRITABLE, each) for each in ids):
        return {each: f"{letter}{position}" for position, each in enumerate(ids)}
    return {each: each for each in ids}


def check_options(
    options: Mapping[str, str], allowed: Mapping[str, Sequence[str]], *, reader: str
) -> dict[str, str]:
    """Return the options of a reader, its defaults filled in.

    Args:
        options: What was given.
        allowed: The values of each option, its default first; one value alone stands for any text.
        reader: Its name, for the error.

    Raises:
        InvalidInputError: An option or a value is unknown.
    """
    for name, value in options.items():
        if name not in allowed:
            raise InvalidInputError(
                f"the reader {reader!r} has no option {name!r}: it has {', '.join(sorted(allowed))}"
            )
        if len(allowed[name]) > 1 and value not in allowed[name]:
            raise InvalidInputError(
                f"{value!r} is no {name} of the reader {reader!r}: "
                f"choose {' or '.join(allowed[name])}"
            )
    return {name: options.get(name, values[0]) for name, values in sorted(allowed.items())}


def frame_of(rows: Sequence[Mapping[str, Any]], schema: pl.Schema) -> pl.DataFrame:
    """Return rows as a frame of `MEMORIES`, `QUERIES` or `QRELS`, what they leave out being null.

    `corpus` is `main` where a row names none.
    """
    if schema not in (MEMORIES, QUERIES, QRELS):
        raise InvalidInputError(f"{dict(schema)} is no schema of a data set")
    columns = {
        name: pl.Series(
            name,
            [row.get(name, "main" if name == "corpus" else None) for row in rows],
            dtype=dtype,
        )
        for name, dtype in schema.items()
    }
    return pl.DataFrame(columns, schema=schema)
