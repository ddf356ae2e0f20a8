"""The store in one SQLite file: the only place of this package that speaks SQL."""

from engram_lab.core.sqlite.backups import restore_file, verify_file
from engram_lab.core.sqlite.embedding_cache import open_embedding_cache
from engram_lab.core.sqlite.store import SqliteStore

__all__ = ["SqliteStore", "open_embedding_cache", "restore_file", "verify_file"]
