"""Opening the control plane that the settings name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engram_lab.core.errors import ConfigError
from engram_lab.serve.control.plane import SqlControlPlane
from engram_lab.serve.control.sqlite import SqliteDatabase

if TYPE_CHECKING:
    from pathlib import Path

    from engram_lab.config.serving import ControlSettings
    from engram_lab.core.clock import Clock
    from engram_lab.serve.control.database import Database
    from engram_lab.serve.control.protocol import ControlPlane

__all__ = ["open_control_plane"]


def open_control_plane(settings: ControlSettings, folder: Path, *, clock: Clock) -> ControlPlane:
    """Open the control plane: PostgreSQL where `control.dsn` is set, else a file in the folder.

    A file is made and brought up to date without being asked, and so is PostgreSQL where
    `control.admin_dsn` is set.

    Raises:
        ConfigError: An address that cannot be used, a database that was not set up, or a role
            that row-level security does not bind.
        StoreError: The database cannot be opened.
    """
    if settings.dsn is None:
        if settings.admin_dsn is not None:
            raise ConfigError(["control.admin_dsn is set and control.dsn is not: set both"])
        return SqlControlPlane(SqliteDatabase(folder, clock=clock), clock=clock)
    from engram_lab.serve.control.postgres import PostgresDatabase

    database: Database = PostgresDatabase(settings.dsn, settings.admin_dsn, clock=clock)
    return SqlControlPlane(database, clock=clock)
