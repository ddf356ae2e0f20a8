"""The memories of a tenant on their way out and in: from a machine of one's own, and back to it.

A copy of the database (a path that ends in `.db`) carries everything to the last bit, dreams and
what could undo them too. An export as Parquet, JSON Lines or JSON carries what `engram export`
does: every version, link, vector, event, session, turn, identity, entity and grant.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from engram_lab.core.copies import restore_backup
from engram_lab.core.errors import ConflictError
from engram_lab.core.interchange.importing import import_file as import_into
from engram_lab.core.selection import EVERYTHING
from engram_lab.engine.index_files import folder_beside, remove_index_files
from engram_lab.serve.limits.rooms import all_or_none
from engram_lab.serve.tenants.dreaming import opened

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engram_lab.core.progress import Progress
    from engram_lab.core.reports import ImportReport
    from engram_lab.serve.control.records import Tenant
    from engram_lab.serve.tenants.pool import EnginePool
    from engram_lab.serve.tenants.provisioning import Estate

__all__ = ["export_file", "export_table", "export_tenant", "import_file", "import_tenant"]

_COPY: Final = ".db"


def export_file(
    path: str, config: Mapping[str, Any], target: str, *, overwrite: bool = False
) -> dict[str, int]:
    """Export a database, as work for a process apart; see `Engine.export`.

    Raises:
        StoreError: The database is not there, or cannot be used.
        InvalidInputError: See `Engine.export`.
    """
    with opened(path, config, read_only=True) as engine:
        return engine.export(target, overwrite=overwrite)


def export_table(
    path: str, config: Mapping[str, Any], table: str, target: str, *, stream: bool
) -> None:
    """Write one table of a database whole, as `engram export` does, as work for a process apart.

    Private sections, and what is forgotten or archived, are in it: `import_file` takes it back.

    Args:
        path: Of the database.
        config: Of the engine.
        table: Such as `memories`.
        target: The file to be.
        stream: Write an Arrow stream; else Parquet.

    Raises:
        InvalidInputError: There is no such table.
        StoreError: The database is not there, or cannot be used.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with opened(path, config, read_only=True) as engine:
        rows = engine.config.interchange.batch_rows
        batches = engine.store.tables.scan(table, EVERYTHING, batch_rows=rows)
        if stream:
            with pa.OSFile(target, "wb") as sink, pa.ipc.new_stream(sink, batches.schema) as out:
                for batch in batches:
                    out.write_batch(batch)
        else:
            with pq.ParquetWriter(target, batches.schema, compression="zstd") as writer:
                for batch in batches:
                    writer.write_batch(batch)


def import_file(
    path: str,
    config: Mapping[str, Any],
    source: str,
    options: Mapping[str, Any],
    bound: Tenant | None = None,
) -> ImportReport:
    """Import into a database, as work for a process apart; see `Engine.import_`.

    No vector is made here: `engine.took_in(defer=True)` has the server's own engine make them,
    whose model is in memory already.

    Args:
        path: Of the database.
        config: Of the engine.
        source: The file.
        options: Of `Engine.import_`.
        bound: The tenant, where its plan bounds how many workspaces it has.

    Raises:
        StoreError: The database is not there, or cannot be used.
        InvalidInputError, ImportRefusedError: See `Engine.import_`.
        QuotaExceededError: It would make more workspaces than the plan allows; nothing was kept.
    """
    plain = {**config, "embedding": {**config["embedding"], "model": "none"}}
    with opened(path, plain) as engine:
        with all_or_none(engine, bound):
            report = import_into(engine.store, source, **options)
        engine.took_in()
        return report


def export_tenant(
    pool: EnginePool, tenant: Tenant, target: Path, *, overwrite: bool = False
) -> dict[str, int]:
    """Write everything that a tenant remembers to a file or a folder; it may be in use meanwhile.

    Args:
        pool: Lends the engine.
        tenant: Whose.
        target: A file that ends in `.db`, `.jsonl` or `.json`, or a folder for Parquet.
        overwrite: Replace a former export; a copy of a database is never replaced.

    Returns:
        How many rows of each table there are.

    Raises:
        BackupError, InvalidInputError: The target exists, or is no place to write to.
        UnavailableError: The memories cannot be reached.
    """
    with pool.lease(tenant, quiet=True) as engine:
        if target.suffix == _COPY:
            return dict(engine.backup(target).counts)
        return engine.export(target, overwrite=overwrite)


def import_tenant(
    estate: Estate,
    pool: EnginePool,
    tenant: Tenant,
    source: Path,
    *,
    progress: Progress | None = None,
) -> dict[str, int]:
    """Take in what `export_tenant`, `engram backup` or `engram export` wrote.

    A copy of a database takes the place of the tenant's own, which must never have held anything;
    an export is added to what is there.

    Args:
        estate: Where the tenant's database lies.
        pool: Lends the engine.
        tenant: Whose.
        source: The file or the folder.
        progress: Told how many rows of an export are taken in.

    Returns:
        How many rows of each table were taken in.

    Raises:
        ConflictError: The source is a copy of a database, and the tenant has memories.
        BackupError, InvalidInputError, ImportRefusedError: The source cannot be read, or does not
            verify; nothing was changed.
        UnavailableError: The memories cannot be reached, or are in use.
    """
    if source.suffix != _COPY:
        with pool.lease(tenant, quiet=True) as engine:
            return dict(engine.import_(source, progress=progress).imported)
    with pool.closed(tenant.id):
        if not estate.configurations.is_unused(tenant.id):
            raise ConflictError(
                "a copy of a database takes the place of another, and this tenant has memories: "
                "make a new tenant for it, or import an export"
            )
        place = estate.places.database(tenant.id)
        estate.places.make(tenant.id)
        report = restore_backup(source, place)
        if report.kept is not None:
            Path(report.kept).unlink(missing_ok=True)
        beside = folder_beside(str(place))
        if beside is not None:
            remove_index_files(beside)
        return dict(report.backup.counts)
