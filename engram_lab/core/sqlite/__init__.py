"""The store in one SQLite file: the only place of this package that speaks SQL."""

from engram_lab.core.sqlite.backups import restore_file, verify_file
from engram_lab.core.sqlite.store import SqliteStore

__all__ = ["SqliteStore", "restore_file", "verify_file"]
