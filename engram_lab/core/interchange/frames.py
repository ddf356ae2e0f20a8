"""The tables of a store as frames, streams, files and a live DuckDB connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Unpack

from engram_lab.core.interchange.exporting import export_store
from engram_lab.core.interchange.importing import import_file
from engram_lab.core.interchange.live import LiveDuckDB
from engram_lab.core.progress import telling
from engram_lab.core.selection import Selection

if TYPE_CHECKING:
    import os

    import polars as pl
    import pyarrow as pa

    from engram_lab.core.interchange.exporting import Format
    from engram_lab.core.keywords import Chosen
    from engram_lab.core.progress import Progress
    from engram_lab.core.protocols import Store
    from engram_lab.core.reports import ImportReport
    from engram_lab.core.types import Dedup

__all__ = ["Frames"]


class _Settings(Protocol):
    """How tables are cut and packed."""

    @property
    def batch_rows(self) -> int: ...
    @property
    def compression(self) -> str: ...


class Frames:
    """The tables of a store, in and out. `core.schemas.SCHEMAS` lists them with their columns."""

    def __init__(self, store: Store, settings: _Settings) -> None:
        self.store = store
        self._interchange = settings

    def flush(self) -> None:
        """Store what waits to be stored. Here nothing does."""

    def took_in(self) -> None:
        """Do what must be done after memories were imported; nothing here."""

    def scan(self, table: str = "memories", **chosen: Unpack[Chosen]) -> pa.RecordBatchReader:
        """Return a table as a stream of record batches, all of one state of the store.

        Never more than `interchange.batch_rows` rows are in memory.

        Raises:
            InvalidInputError: An unknown table, or a selection that it cannot follow.
        """
        return self.store.tables.scan(
            table, Selection.of(**chosen), batch_rows=self._interchange.batch_rows
        )

    def to_arrow(self, table: str = "memories", **chosen: Unpack[Chosen]) -> pa.Table:
        """Return a table as an Arrow table; see `scan`."""
        return self.scan(table, **chosen).read_all()

    def to_polars(self, table: str = "memories", **chosen: Unpack[Chosen]) -> pl.DataFrame:
        """Return a table as a Polars frame; see `scan`."""
        import polars as pl

        return pl.DataFrame(self.to_arrow(table, **chosen))

    def duckdb(self, **chosen: Unpack[Chosen]) -> LiveDuckDB:
        """Return a DuckDB connection in which the tables can be queried, always up to date.

        Raises:
            InvalidInputError: A selection that the tables cannot follow.
        """
        return LiveDuckDB(self.store, Selection.of(**chosen))

    def export(
        self,
        path: str | os.PathLike[str],
        *,
        format: Format | None = None,  # noqa: A002 - the word users know
        overwrite: bool = False,
        progress: Progress | None = None,
    ) -> dict[str, int]:
        """Write everything to a folder of Parquet files, or to one `.jsonl` or `.json` file.

        Lossless: private sections, versions, links, vectors and tombstones are in it, and `import_`
        into an empty store brings back a store whose export is the same to the byte.

        Args:
            path: Where to; see `export_store`.
            format: Overrides what the ending of the path asks for.
            overwrite: Replace what is there.
            progress: Told how many rows are written, and of which table.

        Returns:
            How many rows of each table were written.

        Raises:
            InvalidInputError: The path exists and `overwrite` is False, or an unknown format.
        """
        self.flush()
        return export_store(
            self.store,
            path,
            format=format,
            overwrite=overwrite,
            batch_rows=self._interchange.batch_rows,
            compression=self._interchange.compression,
            progress=progress,
        )

    def import_(
        self,
        path: str | os.PathLike[str],
        *,
        workspace: str | None = None,
        dedup: Dedup | None = None,
        keep_going: bool = False,
        progress: Progress | None = None,
    ) -> ImportReport:
        """Take in an export, or a file of memories, in one transaction: all of it, or nothing.

        Args:
            path: An export, or memories as `.jsonl`, `.json`, `.parquet`, `.arrow`, `.csv` or
                `.tsv`, with the columns that `remember_many` takes.
            workspace: For memories that name none.
            dedup: For memories, not for an export; see `remember_many`.
            keep_going: Take the good rows and report the refused ones, instead of taking none.
            progress: Told how many rows were taken in, and how many memories embedded.

        Raises:
            ImportRefusedError: Rows were refused, and `keep_going` is False; its report lists them.
            InvalidInputError: The file cannot be read.
        """
        with telling(progress):
            report = import_file(
                self.store, path, workspace=workspace, dedup=dedup, keep_going=keep_going
            )
            self.took_in()
        return report
