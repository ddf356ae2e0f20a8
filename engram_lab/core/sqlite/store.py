"""The store in one SQLite file, put together from its rooms."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from engram_lab.core.access import OWNER, Access
from engram_lab.core.checks import check_label
from engram_lab.core.clock import SystemClock
from engram_lab.core.drafts import Drafter
from engram_lab.core.ids import IdSource
from engram_lab.core.scopes import check_scope
from engram_lab.core.settings import StoreSettings
from engram_lab.core.sqlite.backups import Backups
from engram_lab.core.sqlite.changes import ChangeLog
from engram_lab.core.sqlite.context import Context
from engram_lab.core.sqlite.corpus import Corpus
from engram_lab.core.sqlite.database import MEMORY, Database
from engram_lab.core.sqlite.doctor import Doctor
from engram_lab.core.sqlite.dreams import Dreams
from engram_lab.core.sqlite.embedding_queue import EmbeddingQueue
from engram_lab.core.sqlite.entities import Entities
from engram_lab.core.sqlite.erasing import ErasableMemories
from engram_lab.core.sqlite.events import RecallEvents
from engram_lab.core.sqlite.grants import Grants
from engram_lab.core.sqlite.identities import Identities
from engram_lab.core.sqlite.injections import Injections
from engram_lab.core.sqlite.links import Links
from engram_lab.core.sqlite.loading import Loader
from engram_lab.core.sqlite.sessions import Sessions
from engram_lab.core.sqlite.tables import Tables
from engram_lab.core.sqlite.vectors import Vectors
from engram_lab.core.sqlite.workspaces import Workspaces
from engram_lab.core.types import Principal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engram_lab.core.clock import Clock

__all__ = ["SqliteStore"]


class SqliteStore:
    """Memories and all that belongs to them in one SQLite file; see `core.protocols.Store`."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.memories = ErasableMemories(context)
        self.links = Links(context, self.memories)
        self.events = RecallEvents(context)
        self.vectors = Vectors(context, self.memories)
        self.entities = Entities(context, self.memories)
        self.identities = Identities(context)
        self.sessions = Sessions(context, self.memories)
        self.workspaces = Workspaces(context)
        self.grants = Grants(context)
        self.dreams = Dreams(context)
        self.injections = Injections(context)
        self.changes = ChangeLog(context)
        self.corpus = Corpus(context)
        self.embedding_queue = EmbeddingQueue(context)
        self.tables = Tables(context)
        self.loader = Loader(context)
        self.doctor = Doctor(context)
        self.backups = Backups(context)

    @classmethod
    def open(
        cls,
        path: str,
        *,
        settings: StoreSettings | None = None,
        clock: Clock | None = None,
        read_only: bool = False,
    ) -> Self:
        """Open the store at a path, made where it is missing; `":memory:"` lasts until closed.

        Raises:
            StoreError: The file cannot be used; its leaves say why.
            NotFoundError: `read_only`, and there is no such file.
        """
        settings = settings or StoreSettings()
        clock = clock or SystemClock()
        place = path if path == MEMORY else str(Path(path).expanduser())
        home = Path(StoreSettings().path).expanduser()
        if Path(place) == home and not read_only:  # nobody chose it, so nobody made its folder
            with suppress(OSError):  # what cannot be made, opening will name
                home.parent.mkdir(exist_ok=True)
        database = Database(place, settings, clock=clock, read_only=read_only)
        context = Context(
            database=database,
            clock=clock,
            ids=_ids(database, settings.seed),
            settings=settings,
            drafter=Drafter(settings),
            access=OWNER,
        )
        return cls(context)

    def as_agent(self, agent_id: str, scope: str) -> SqliteStore:
        """Return this store as an agent may see it; both share their connections.

        Raises:
            InvalidInputError: A malformed agent or scope.
            AccessDeniedError: This already is the view of an agent.
        """
        self._context.access.check_owner("act as another agent")
        name = check_label(agent_id, field="agent_id")
        access = Access(Principal(agent_id=name, scope=check_scope(scope)))
        return SqliteStore(replace(self._context, access=access))

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[None]:
        """Make all writes of the block one: kept together, or undone together.

        Args:
            durable: Wait for the disk; see `core.protocols.Store.transaction`.
        """
        database = self._context.database
        with database.write() if durable else database.write_unsynced():
            yield

    def new_id(self) -> str:
        """Return a new id, a UUIDv7 of the present moment."""
        return self._context.ids.new(self._context.now())

    def revision(self) -> tuple[int, int]:
        """Return a value that differs after any commit, by this process or another."""
        return self._context.database.revision()

    def close(self) -> None:
        """Close the store and its views; a second call does nothing."""
        self._context.database.close()


def _ids(database: Database, seed: int | None) -> IdSource:
    """Return the source of ids. A seeded one depends on what is stored, so as to repeat none."""
    if seed is None:
        return IdSource()
    counted = ("changes", "recall_events", "sessions", "identities", "entities")
    later = (
        "dream_runs",
        "pending_injections",
    )  # counted where there are any: ids stay as they were
    with database.snapshot() as connection:
        counts = [connection.execute(f"SELECT count(*) FROM {name}").get for name in counted]
        more = [connection.execute(f"SELECT coalesce(max(number), 0) FROM {n}").get for n in later]
    if any(more):
        counts += more
    return IdSource(f"{seed}:{counts}")
