"""The engine: one memory database, and the one place where its parts are wired together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Self, Unpack

from engram_lab.config import EngineConfig
from engram_lab.core.clock import SystemClock
from engram_lab.core.copies import make_backup
from engram_lab.core.interchange import Frames, iter_rows
from engram_lab.core.recorder import Recorder
from engram_lab.core.registry import STORES
from engram_lab.core.selection import Selection
from engram_lab.core.types import RecallEvent
from engram_lab.retrieval import keyword_recall

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from engram_lab.core.clock import Clock
    from engram_lab.core.keywords import Chosen, MemoryFields
    from engram_lab.core.protocols import Store
    from engram_lab.core.reports import (
        AggregateRow,
        BackupReport,
        CleanupReport,
        Page,
        PurgeReport,
        RememberReport,
    )
    from engram_lab.core.selection import Order
    from engram_lab.core.types import Dedup, Direction, Link, Memory, Version
    from engram_lab.retrieval import Hits

__all__ = ["Engine", "Neighbour"]


class Neighbour(NamedTuple):
    """A memory at the other end of a link."""

    memory: Memory
    link: Link


class Engine(Frames):
    """One memory database: remember, recall, and look at all of it as frames.

    The rooms of the store that have no verb here (`links`, `sessions`, `identities`, `entities`,
    `vectors`, `workspaces`, `grants`, `events`, `changes`) are reached through `engine.store`.
    Safe to share between threads; a forked process opens its own.

    Args:
        store: Where the memories are; owned, and closed with the engine.
        config: See `EngineConfig`.
        clock: Tells the time.
        read_only: Record no recalls.
        recorder: Takes the recall events; else one of its own.
    """

    def __init__(
        self,
        store: Store,
        *,
        config: EngineConfig,
        clock: Clock,
        read_only: bool = False,
        recorder: Recorder | None = None,
    ) -> None:
        super().__init__(store, config.interchange)
        self.config = config
        self.read_only = read_only
        self._clock = clock
        self._recorder = recorder or Recorder(store, batch=config.learning.event_batch)

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str] | None = None,
        *,
        config: EngineConfig | None = None,
        clock: Clock | None = None,
        read_only: bool = False,
    ) -> Self:
        """Open the database at a path, which is made where it is missing.

        Args:
            path: A file, or `":memory:"` for one that lasts until closed; else `store.path`.
            config: Else the defaults: no file and no variable is read here (see `load_config`).
            clock: Else the machine's.
            read_only: Never write; the file must exist.

        Raises:
            StoreError: The file cannot be used: another program's, damaged, of a newer version.
            NotFoundError: `read_only`, and there is no such file.
        """
        config = config or EngineConfig()
        clock = clock or SystemClock()
        place = config.store.path if path is None else str(path)
        store: Store = STORES.get(config.store.kind).open(
            place, settings=config.store, clock=clock, read_only=read_only
        )
        return cls(store, config=config, clock=clock, read_only=read_only)

    def as_agent(self, agent_id: str, scope: str) -> Engine:
        """Return this engine as an agent sees it: its own scope, those above, and its grants.

        Raises:
            AccessDeniedError: This already is an agent's view.
            InvalidInputError: A malformed agent or scope.
        """
        return Engine(
            self.store.as_agent(agent_id, scope),
            config=self.config,
            clock=self._clock,
            read_only=self.read_only,
            recorder=self._recorder,
        )

    def remember(
        self,
        content: str,
        *,
        dedup: Dedup | None = None,
        author: str | None = None,
        reason: str | None = None,
        **fields: Unpack[MemoryFields],
    ) -> Memory:
        """Store a memory, durably, and return it.

        Args:
            content: The text; `<private>…</private>` sections are kept and never shown.
            dedup: What to do where the same content is known in the same workspace and scope:
                `allow`, `reject`, `skip` or `merge`; else `store.dedup`.
            author: Who is recorded as having written it.
            reason: Why, for the history.
            **fields: See `Memory`.

        Raises:
            InvalidInputError: A field breaks a law; says which, and what is allowed.
            DuplicateError: `dedup` is `reject` and the content is known.
            AccessDeniedError: The scope is out of the agent's reach.
        """
        draft = {"content": content, **fields}
        return self.store.memories.remember(draft, dedup=dedup, author=author, reason=reason)

    def remember_many(
        self,
        rows: Iterable[Mapping[str, Any]] | Any,
        *,
        workspace: str | None = None,
        dedup: Dedup | None = None,
        author: str | None = None,
        reason: str | None = None,
        keep_going: bool = False,
    ) -> RememberReport:
        """Store many memories in one transaction: all of them, or none.

        Args:
            rows: An iterable of dicts, an Arrow table or stream, or a Polars frame.
            workspace: For rows that name none.
            dedup: See `remember`.
            author: See `remember`.
            reason: See `remember`.
            keep_going: Report the rows that are refused and store the others.

        Raises:
            InvalidInputError: A row breaks a law; `row` says which. Nothing was stored.
        """
        given = iter_rows(rows, workspace=workspace)
        return self.store.memories.remember_many(
            given, dedup=dedup, author=author, reason=reason, keep_going=keep_going
        )

    def recall(self, query: str, k: int | None = None, **chosen: Unpack[Chosen]) -> Hits:
        """Return the memories that answer a question, best first.

        Reading changes nothing; what was asked and what came back is kept as an event where
        `learning.record_recalls` says so.

        Args:
            query: Free text; nothing in it is syntax.
            k: How many at most; else `retrieval.k`.
            **chosen: See `Selection`; `as_of` and `forgotten` do not go with a recall.

        Raises:
            InvalidInputError: A bad query, `k`, filter or scope.
        """
        selection = Selection.of(**chosen).also(forgotten=False)
        most = self.config.retrieval.k if k is None else k
        hits = keyword_recall(self.store, query, most, selection)
        if self.config.learning.record_recalls and not self.read_only:
            event = RecallEvent(
                id=self.store.new_id(),
                at=self._clock.now(),
                query=hits.query,
                hits=hits.recalled(),
                workspace=selection.workspace,
                strategy=hits.strategy,
                config_hash=self.config.content_hash,
            )
            self._recorder.add(event, through=self.store)
        return hits

    def flush(self) -> None:
        """Store the recall events that wait; closing does so too."""
        self._recorder.flush()

    def get(self, id: str, *, as_of: datetime | None = None, private: bool = False) -> Memory:  # noqa: A002
        """Return a memory, as it is or as it was at a moment.

        Raises:
            NotFoundError: There is none that may be seen.
        """
        return self.store.memories.get(id, as_of=as_of, private=private)

    def get_many(self, ids: Sequence[str]) -> list[Memory | None]:
        """Return memories in the order of `ids`; None where there is none to be seen."""
        return self.store.memories.get_many(ids)

    def select(
        self,
        *,
        order: Order = "id",
        descending: bool = False,
        limit: int = 100,
        cursor: str | None = None,
        **chosen: Unpack[Chosen],
    ) -> Page:
        """Return one page of the chosen memories; pass its `next_cursor` to get the next one.

        Raises:
            InvalidInputError: A bad order, limit, cursor, filter or scope.
        """
        return self.store.memories.select(
            Selection.of(**chosen), order=order, descending=descending, limit=limit, cursor=cursor
        )

    def count(self, **chosen: Unpack[Chosen]) -> int:
        """Return how many memories are chosen."""
        return self.store.memories.count(Selection.of(**chosen))

    def aggregate(self, by: str, **chosen: Unpack[Chosen]) -> list[AggregateRow]:
        """Return counts and means of the chosen memories for each value of `by`.

        Raises:
            InvalidInputError: An unknown `by`; says which are known.
        """
        return self.store.memories.aggregate(Selection.of(**chosen), by)

    def update(
        self,
        id: str,  # noqa: A002
        *,
        version: int | None = None,
        author: str | None = None,
        reason: str | None = None,
        **changes: Any,
    ) -> Memory:
        """Change fields of a memory and return its new version; None clears a field.

        Raises:
            VersionConflictError: `version` is given and somebody changed the memory since.
            NotFoundError: There is none that may be seen.
            InvalidInputError: A field breaks a law.
        """
        return self.store.memories.update(
            id, changes, version=version, author=author, reason=reason
        )

    def forget(self, id: str, *, author: str | None = None, reason: str | None = None) -> None:  # noqa: A002
        """Hide a memory from every read; `restore` brings it back."""
        self.store.memories.forget(id, author=author, reason=reason)

    def restore(
        self,
        id: str,  # noqa: A002
        *,
        version: int | None = None,
        author: str | None = None,
        reason: str | None = None,
    ) -> Memory:
        """Bring back a forgotten memory, or the state of an earlier version, as a new version."""
        return self.store.memories.restore(id, version=version, author=author, reason=reason)

    def purge(
        self, ids: Sequence[str], *, author: str | None = None, reason: str | None = None
    ) -> PurgeReport:
        """Remove memories for good: from every table, index and version, and from the file.

        Raises:
            NotFoundError: One is not to be seen; nothing is purged then.
        """
        return self.store.memories.purge(ids, author=author, reason=reason)

    def history(self, id: str) -> list[Version]:  # noqa: A002
        """Return every version of a memory with its author and reason, oldest first."""
        return self.store.memories.history(id)

    def clean_up(self) -> CleanupReport:
        """Purge what has expired and carry out the policies of the workspaces."""
        return self.store.memories.clean_up()

    def link(self, from_id: str, to_id: str, **fields: Any) -> Link:
        """Link two memories; see `store.links.put` for `type`, `weight`, `valid_from`."""
        return self.store.links.put(from_id, to_id, **fields)

    def neighbours(
        self,
        id: str,  # noqa: A002
        *,
        direction: Direction = "both",
        types: Sequence[str] | None = None,
        valid_at: datetime | None = None,
    ) -> list[Neighbour]:
        """Return the memories linked with one, over the heaviest link first.

        Raises:
            NotFoundError: There is no such memory that may be seen.
        """
        links = self.store.links.of(id, direction=direction, types=types, valid_at=valid_at)
        others = [link.to_id if link.from_id == id else link.from_id for link in links]
        pairs = zip(self.get_many(others), links, strict=True)
        return [Neighbour(memory, link) for memory, link in pairs if memory is not None]

    def backup(
        self,
        target: str | os.PathLike[str],
        *,
        compact: bool = False,
        progress: Callable[[int, int], None] | None = None,
    ) -> BackupReport:
        """Copy the database to a new file while it is in use; see `core.copies.make_backup`."""
        self.flush()
        return make_backup(self.store, target, compact=compact, progress=progress)

    def close(self) -> None:
        """Store what waits and close the database; a second call does nothing."""
        try:
            self.flush()
        finally:
            self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
