"""Writing a whole store to files: equal stores give equal bytes."""

from __future__ import annotations

import os
import shutil
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import orjson
import pyarrow.parquet as pq

from engram_lab.core.checksums import file_sha256
from engram_lab.core.errors import InvalidInputError
from engram_lab.core.interchange.files import (
    FORMAT_NAME,
    FORMAT_VERSION,
    MANIFEST,
    json_lines,
    manifest_of,
)
from engram_lab.core.progress import task
from engram_lab.core.schemas import SCHEMAS
from engram_lab.core.selection import EVERYTHING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pyarrow as pa

    from engram_lab.core.progress import Progress
    from engram_lab.core.protocols import Store

    Scan = Callable[[str], Iterator[pa.RecordBatch]]

__all__ = ["FORMATS", "Format", "export_store", "format_of"]

Format = Literal["parquet", "jsonl", "json"]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)


def format_of(path: Path) -> Format:
    """Return the format that a path asks for: by its ending, else a folder of Parquet files."""
    endings: dict[str, Format] = {".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json"}
    return endings.get(path.suffix.lower(), "parquet")


def export_store(
    store: Store,
    path: str | os.PathLike[str],
    *,
    format: Format | None = None,  # noqa: A002 - the word users know
    overwrite: bool = False,
    batch_rows: int = 16_384,
    compression: str = "zstd",
    progress: Progress | None = None,
) -> dict[str, int]:
    """Write everything that a store holds, private sections and tombstones included.

    All tables are of one moment. The path appears whole or not at all. Expired memories are not
    exported: they are gone, though not yet cleaned up.

    Args:
        store: The store, as its owner sees it.
        path: A folder to make (Parquet), or a file (`.jsonl`, `.json`).
        format: Overrides what the ending of the path asks for.
        overwrite: Replace what is there.
        batch_rows: Rows held in memory at a time, and in a row group of Parquet.
        compression: Of Parquet: `zstd`, `snappy` or `none`.
        progress: Told how many rows are written, and of which table.

    Returns:
        How many rows of each table were written.

    Raises:
        InvalidInputError: An unknown format; or the path exists, and `overwrite` is False or what
            is there is no export of the same kind.
        AccessDeniedError: An agent asks.
    """
    target = Path(path).expanduser()
    chosen = format or format_of(target)
    if chosen not in FORMATS:
        raise InvalidInputError(f"format is {chosen!r}: allowed are {', '.join(FORMATS)}")
    _check_place(target, chosen, overwrite=overwrite)
    totals = store.tables.counts(EVERYTHING)
    counts = dict.fromkeys(SCHEMAS, 0)
    incoming = target.with_name(target.name + ".incoming")
    _remove(incoming)
    read = [totals[name] for name in SCHEMAS if name != "memories" or chosen != "parquet"]
    told = task("exporting", total=sum(read), unit="rows", progress=progress)
    try:
        with store.tables.snapshot() as snapshot, told as counting:

            def scan(name: str) -> Iterator[pa.RecordBatch]:
                counting.say(name)
                for batch in snapshot(name, EVERYTHING, batch_rows=batch_rows):
                    counts[name] += batch.num_rows
                    yield batch
                    counting.advance(batch.num_rows)

            if chosen == "parquet":
                counts |= _write_parquet(incoming, scan, compression)
            elif chosen == "jsonl":
                _write_jsonl(incoming, scan)
            else:
                _write_json(incoming, scan)
        _swap(incoming, target)
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, str(target)) from error
    finally:
        _remove(incoming)
    return counts


def _check_place(target: Path, chosen: Format, *, overwrite: bool) -> None:
    """Refuse to replace what nobody allowed to, or what is no export of the same kind."""
    if not target.parent.is_dir():
        raise InvalidInputError(f"the folder {target.parent} does not exist: create it first")
    if not target.exists():
        return
    if not overwrite:
        raise InvalidInputError(f"{target} exists: give another path, or allow to overwrite it")
    if target.is_dir() != (chosen == "parquet"):
        kind = "a folder" if target.is_dir() else "a file"
        raise InvalidInputError(f"{target} is {kind}: give another path for {chosen}")
    if target.is_dir() and any(target.iterdir()) and not (target / MANIFEST).is_file():
        raise InvalidInputError(f"{target} is a folder of something else: give another path")


def _write_parquet(folder: Path, scan: Scan, compression: str) -> dict[str, int]:
    folder.mkdir()
    with ThreadPoolExecutor(max_workers=1) as packer:  # reads one batch while another is packed
        for name in SCHEMAS:
            if name == "memories":
                continue
            files = [_ParquetTable(folder, name, compression, packer)]
            if name == "versions":  # a memory is its newest version: one reading serves both
                files.append(_ParquetTable(folder, "memories", compression, packer))
            for batch in scan(name):
                for file in files:
                    file.write(batch)
            for file in files:
                file.close()
    tables: dict[str, dict[str, Any]] = {
        name: {
            "rows": pq.read_metadata(folder / f"{name}.parquet").num_rows,
            "sha256": file_sha256(folder / f"{name}.parquet"),
        }
        for name in SCHEMAS
    }
    (folder / MANIFEST).write_bytes(manifest_of(tables))
    return {name: table["rows"] for name, table in tables.items()}


class _ParquetTable:
    """One table's file under way; batches are packed by the thread that is handed in."""

    def __init__(
        self, folder: Path, name: str, compression: str, packer: ThreadPoolExecutor
    ) -> None:
        self._schema = SCHEMAS[name]
        self._packer = packer
        self._packing: Future[None] | None = None
        self._writer = pq.ParquetWriter(
            folder / f"{name}.parquet", self._schema, compression=compression
        )

    def write(self, batch: pa.RecordBatch) -> None:
        """Hand a batch over, once the one before is done; of versions, memories take the heads."""
        if self._packing is not None:
            self._packing.result()
        if batch.schema != self._schema:
            heads = batch.filter(batch.column("superseded_at").is_null())
            batch = heads.select(self._schema.names)
        self._packing = self._packer.submit(self._writer.write_batch, batch)

    def close(self) -> None:
        """Wait for the last batch and finish the file."""
        if self._packing is not None:
            self._packing.result()
        self._writer.close()


def _write_jsonl(file: Path, scan: Scan) -> None:
    head = {"format": FORMAT_NAME, "version": FORMAT_VERSION}
    with file.open("wb") as stream:
        stream.write(orjson.dumps(head) + b"\n")
        for name in SCHEMAS:
            stream.writelines(line + b"\n" for line in json_lines(scan(name), table=name))


def _write_json(file: Path, scan: Scan) -> None:
    with file.open("wb") as stream:
        stream.write(b'{"format":"%b","version":%d' % (FORMAT_NAME.encode(), FORMAT_VERSION))
        for name in SCHEMAS:
            stream.write(b',\n"%b":[' % name.encode())
            for number, line in enumerate(json_lines(scan(name))):
                stream.write((b",\n" if number else b"\n") + line)
            stream.write(b"]")
        stream.write(b"}\n")


def _swap(incoming: Path, target: Path) -> None:
    """Put the finished export in its place; a former one goes only when the new one is there."""
    if incoming.is_file():
        incoming.replace(target)  # in one step, which there is not for folders
        return
    former = target.with_name(target.name + ".former")
    _remove(former)
    if target.exists():
        target.rename(former)
    try:
        incoming.rename(target)
    except OSError:
        if former.exists():
            former.rename(target)
        raise
    _remove(former)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
