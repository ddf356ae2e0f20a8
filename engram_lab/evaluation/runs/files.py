"""A file of rows, as runs and judgements come in, that can say on which line a row stands."""

from __future__ import annotations

import gzip
import io
import json
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import polars as pl

from engram_lab.core.errors import InvalidRunError, shown

__all__ = ["RowFile", "replacing"]

_KINDS: Final = {
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
}
_BOM: Final = b"\xef\xbb\xbf"

_NO_ROWS: Final = {
    "query_id": pl.String,
    "memory_id": pl.String,
    "score": pl.Float64,
    "relevance": pl.Int32,
}

Kinds = Mapping[str, type[pl.DataType]]


class RowFile:
    """A file that is read whole.

    Attributes:
        path: Where it lies.
        stem: Its name without endings.
        kind: `json`, `jsonl`, `parquet`, or else `lines`, by the ending of the name; `.gz` may
            follow it.

    Raises:
        InvalidRunError: It is not there or cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        packed = path.suffix == ".gz"
        named = path.with_suffix("") if packed else path
        self.stem = named.stem
        self.kind = _KINDS.get(named.suffix.lower(), "lines")
        try:
            data = path.read_bytes()
            data = gzip.decompress(data) if packed else data
        except (OSError, EOFError, zlib.error) as error:
            why = getattr(error, "strerror", None) or error
            raise InvalidRunError(
                f"it cannot be read ({why}): give the path of a run or of judgements",
                file=str(path),
            ) from error
        self._data = data.removeprefix(_BOM)
        self._heading = False

    @property
    def first(self) -> list[str]:
        """The fields of the first line that is not blank."""
        return next((line.decode(errors="replace").split() for _, line in self._lines()), [])

    def has_heading(self) -> None:
        """Take the first line that is not blank for a heading, which is no row."""
        self._heading = True

    def error(self, message: str, row: int | None = None) -> InvalidRunError:
        """Return the error that names this file, and the line of a row where it has lines."""
        line = None if row is None or self.kind not in {"lines", "jsonl"} else self.line_of(row)
        return InvalidRunError(message, file=str(self.path), line=line)

    def line_of(self, row: int) -> int:
        """Return the number of the line, from 1, of a row, from 0: blank lines hold none."""
        numbers = (number for number, _ in self._lines())
        wanted = row + self._heading
        return next(number for at, number in enumerate(numbers) if at == wanted)

    def fields(self, names: Sequence[str], numbers: Kinds) -> pl.DataFrame:
        """Return the fields of lines, which are parted by white space.

        Args:
            names: Of the fields; each line must have so many.
            numbers: The types of those that are no text.

        Raises:
            InvalidRunError: A line has another number of fields, is not UTF-8, or has something
                else where a number must be.
        """
        schema = {name: numbers.get(name, pl.String) for name in names}
        data = _single_spaces(self._data)
        if self._heading:
            data = data.partition(b"\n")[2]
        if not data:
            return pl.DataFrame(schema=schema)
        try:
            frame = pl.read_csv(
                data, schema=schema, separator=" ", has_header=False, quote_char=None
            )
        except pl.exceptions.PolarsError:
            raise self._malformed(names, numbers) from None
        if any(frame.null_count().row(0)):
            raise self._malformed(names, numbers)
        return frame

    def table(self) -> pl.DataFrame:
        """Return the rows of JSON Lines or Parquet.

        Raises:
            InvalidRunError: It is no such file.
        """
        try:
            if self.kind == "parquet":
                return pl.read_parquet(io.BytesIO(self._data))
            if not self.first:
                return pl.DataFrame(schema=_NO_ROWS)
            return pl.read_ndjson(io.BytesIO(self._data), infer_schema_length=None)
        except (pl.exceptions.PolarsError, OSError) as error:
            said = str(error).splitlines()[0]
            raise self.error(f"it cannot be read as {self.kind} ({said})") from error

    def nested(self, name: str) -> pl.DataFrame:
        """Return the rows of a JSON object `{query: {memory: number}}`.

        Args:
            name: Of the numbers.

        Raises:
            InvalidRunError: It is no such object, or a name stands twice in one.
        """
        value = self._json()
        if not isinstance(value, dict) or not all(isinstance(it, dict) for it in value.values()):
            raise self.error(f"it must be an object of objects: {{query: {{memory: {name}}}}}")
        rows = []
        for query, found in value.items():
            for memory, number in found.items():
                if isinstance(number, bool) or not isinstance(number, int | float):
                    raise self.error(
                        f"the {name} of {shown(memory)} for the query {shown(query)} is "
                        f"{shown(number)}: it must be a number"
                    )
                rows.append((query, memory, number))
        schema = {"query_id": pl.String, "memory_id": pl.String, name: pl.Float64}
        try:
            return pl.DataFrame(rows, schema=schema, orient="row", strict=False)
        except (ValueError, OverflowError) as error:
            raise self.error(f"a name or number is beyond what can be held ({error})") from error

    def _json(self) -> Any:
        def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
            found = dict(pairs)
            if len(found) < len(pairs):
                names = [name for name, _ in pairs]
                twice = next(name for name in names if names.count(name) > 1)
                raise self.error(f"{shown(twice)} stands twice in one object: it can do so once")
            return found

        try:
            return json.loads(self._data, object_pairs_hook=unique)
        except InvalidRunError:
            raise
        except (ValueError, RecursionError) as error:
            raise self.error(f"it cannot be read as JSON ({error})") from error

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        """Return the lines that are not blank, with their numbers from 1."""
        for number, line in enumerate(io.BytesIO(self._data), start=1):
            if line.strip():
                yield number, line

    def _malformed(self, names: Sequence[str], numbers: Kinds) -> InvalidRunError:
        """Return the error that names the first line that is wrong."""
        for at, (number, line) in enumerate(self._lines()):
            if (at or not self._heading) and (said := _wrong(line, names, numbers)):
                return InvalidRunError(said, file=str(self.path), line=number)
        return self.error(f"it cannot be read as lines of {' '.join(names)}")


def _single_spaces(data: bytes) -> bytes:
    """Return lines whose fields are parted by one space, without blank lines."""
    for other in (b"\t", b"\r", b"\v", b"\f"):
        if other in data:
            data = data.replace(other, b" ")
    for pair, one in ((b"  ", b" "), (b" \n", b"\n"), (b"\n ", b"\n"), (b"\n\n", b"\n")):
        while pair in data:
            data = data.replace(pair, one)
    return data.strip(b" \n")


def _wrong(line: bytes, names: Sequence[str], numbers: Kinds) -> str | None:
    """Return what is wrong with a line, or None."""
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        return f"it is not UTF-8 ({error.reason}): convert the file"
    fields = line.split()  # of bytes: white space is that of ASCII
    if len(fields) != len(names):
        return (
            f"{shown(text.strip(), limit=80)} has {len(fields)} fields: it must have "
            f"{len(names)}, {' '.join(names)}"
        )
    for name, kind in numbers.items():
        field = fields[names.index(name)].decode()
        if pl.Series([field], dtype=pl.String).cast(kind, strict=False)[0] is None:
            noun = "a whole number" if kind.is_integer() else "a number"
            return f"the {name} is {shown(field)}: it must be {noun}"
    return None


@contextmanager
def replacing(path: Path) -> Iterator[io.BufferedWriter]:
    """Open a new file beside a path, whose place it takes in one step when all is written.

    Folders that are not there are made; where writing fails, what was there stays. When the name
    is the new file's, its bytes are on the disk.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    incoming = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with incoming.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        incoming.replace(path)
    except OSError as error:
        if error.filename != str(incoming):
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        incoming.unlink(missing_ok=True)
