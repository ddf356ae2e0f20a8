"""The engine: one memory database, and the one place where its parts are wired together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self, Unpack

from engram_lab.config import config_of
from engram_lab.core.brief import brief, placed
from engram_lab.core.clock import SystemClock
from engram_lab.core.copies import make_backup
from engram_lab.core.ids import check_ids
from engram_lab.core.interchange import iter_rows, rows_in
from engram_lab.core.progress import task
from engram_lab.core.recorder import Recorder
from engram_lab.core.registry import STORES
from engram_lab.engine.dreams import DreamVerbs
from engram_lab.engine.hooks import HookVerbs
from engram_lab.engine.index_files import folder_beside
from engram_lab.engine.indexes import Indexes
from engram_lab.engine.ordering import Own
from engram_lab.engine.showing import page_of

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from engram_lab.config import EngineConfig, LoadedConfig
    from engram_lab.core.clock import Clock
    from engram_lab.core.keywords import MemoryFields
    from engram_lab.core.progress import Progress
    from engram_lab.core.protocols import QueueCounts, Store
    from engram_lab.core.reports import (
        BackupReport,
        CleanupReport,
        PurgeReport,
        RememberReport,
    )
    from engram_lab.core.types import Dedup, Memory
    from engram_lab.retrieval.embedders import Embedder
    from engram_lab.retrieval.fusion import Fusion
    from engram_lab.retrieval.rerank import Reranker

__all__ = ["Engine"]


class Engine(DreamVerbs, HookVerbs):
    """One memory database: remember, recall, and look at all of it as frames.

    The rooms of the store that have no verb here (`sessions`, `identities`, `entities`,
    `vectors`, `workspaces`, `grants`, `events`, `changes`) are reached through `engine.store`.
    Safe to share between threads; a forked process opens its own.
    """

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str] | None = None,
        *,
        config: EngineConfig | LoadedConfig | Mapping[str, Any] | None = None,
        clock: Clock | None = None,
        read_only: bool = False,
        embedder: Embedder | None = None,
        fusion: Fusion | None = None,
        rerankers: Mapping[str, Reranker] | None = None,
        aside: Callable[[Callable[[], None]], object] | None = None,
    ) -> Self:
        """Open the database at a path, which is made where it is missing.

        Args:
            path: A file, or `":memory:"` for one that lasts until closed; else `store.path`.
            config: An `EngineConfig`, what `load_config` returned, or values by section, such as
                `{"retrieval": {"k": 5}}`; else the defaults: no file and no variable is read here.
            clock: Else the machine's.
            read_only: Never write; the file must exist.
            embedder: One of your own, instead of what `embedding.model` names.
            fusion: One of your own, instead of what `retrieval.fusion` names.
            rerankers: Your own, by name; they take their turns after those that are set.
            aside: Has recall events written by somebody else, such as `submit` of an executor;
                else one recall in `learning.event_batch` writes them.

        Raises:
            ConfigError: `config` is none of these, or a value is refused; lists every problem.
            InvalidInputError: A part that the configuration names is not known.
            StoreError: The file cannot be used: another program's, damaged, of a newer version.
            NotFoundError: `read_only`, and there is no such file.
        """
        settings = config_of(config)
        clock = clock or SystemClock()
        place = settings.store.path if path is None else str(path)
        store: Store = STORES.get(settings.store.kind).open(
            place, settings=settings.store, clock=clock, read_only=read_only
        )
        try:
            indexes = Indexes(
                store,
                settings,
                clock=clock,
                folder=folder_beside(place) if settings.index.keep else None,
                read_only=read_only,
                own=Own(embedder=embedder, fusion=fusion, rerankers=rerankers or {}),
            )
        except BaseException:
            store.close()
            raise
        recorder = Recorder(store, batch=settings.learning.event_batch, aside=aside)
        return cls(
            store,
            config=settings,
            clock=clock,
            read_only=read_only,
            indexes=indexes,
            recorder=recorder,
            path=place,
        )

    def remember(
        self,
        content: str,
        *,
        dedup: Dedup | None = None,
        author: str | None = None,
        reason: str | None = None,
        defer_embedding: bool | None = None,
        **fields: Unpack[MemoryFields],
    ) -> Memory:
        """Store a memory, durably, and return it.

        Args:
            content: The text; `<private>…</private>` sections are kept and never shown.
            dedup: What to do where the same content is known in the same workspace and scope:
                `allow`, `reject`, `skip` or `merge`; else `store.dedup`.
            author: Who is recorded as having written it.
            reason: Why, for the history.
            defer_embedding: Leave the vector to the background; else as `embedding.defer` says.
            **fields: See `Memory`.

        Raises:
            InvalidInputError: A field breaks a law; says which, and what is allowed.
            DuplicateError: `dedup` is `reject` and the content is known.
            AccessDeniedError: The scope is out of the agent's reach.
        """
        draft = {"content": content, **fields}
        memory = self.store.memories.remember(draft, dedup=dedup, author=author, reason=reason)
        self._indexes.embed_new(defer=defer_embedding)
        return memory

    def remember_many(
        self,
        rows: Iterable[Mapping[str, Any]] | Any,
        *,
        workspace: str | None = None,
        dedup: Dedup | None = None,
        author: str | None = None,
        reason: str | None = None,
        keep_going: bool = False,
        defer_embedding: bool | None = None,
        progress: Progress | None = None,
    ) -> RememberReport:
        """Store many memories in one transaction: all of them, or none.

        Args:
            rows: An iterable of dicts, an Arrow table or stream, or a Polars frame.
            workspace: For rows that name none.
            dedup: See `remember`.
            author: See `remember`.
            reason: See `remember`.
            keep_going: Report the rows that are refused and store the others.
            defer_embedding: See `remember`. The vectors are no part of the transaction.
            progress: Told how many rows were taken in, and how many memories embedded.

        Raises:
            InvalidInputError: A row breaks a law; `row` says which. Nothing was stored.
        """
        given = iter_rows(rows, workspace=workspace)
        with task("remembering", total=rows_in(rows), unit="rows", progress=progress) as counting:
            report = self.store.memories.remember_many(
                counting.over(given),
                dedup=dedup,
                author=author,
                reason=reason,
                keep_going=keep_going,
            )
            self._indexes.embed_new(defer=defer_embedding)
        return report

    def embed(self, *, progress: Progress | None = None) -> QueueCounts:
        """Embed all memories that wait for a vector, also those given up before.

        Args:
            progress: Told how many memories were embedded.

        Raises:
            EmbedderError: The embedder cannot be loaded.
        """
        return self._indexes.embed_all(progress=progress)

    def reindex(self, *, progress: Progress | None = None) -> None:
        """Make the indexes anew from what is stored, and keep them beside the database.

        Args:
            progress: Told which index is made.
        """
        self._indexes.rebuild(progress=progress)

    def took_in(self, *, defer: bool | None = None) -> None:
        """Embed what was imported without vectors, or what another embedder's vectors are of.

        Args:
            defer: Leave it to the background; else as `embedding.defer` says.
        """
        self._indexes.embed_new(defer=defer)

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
        memory = self.store.memories.update(
            id, changes, version=version, author=author, reason=reason
        )
        if "content" in changes:
            self._indexes.embed_new()
        return memory

    def restore(
        self,
        id: str,  # noqa: A002
        *,
        version: int | None = None,
        author: str | None = None,
        reason: str | None = None,
    ) -> Memory:
        """Bring back a forgotten memory, or the state of an earlier version, as a new version."""
        memory = self.store.memories.restore(id, version=version, author=author, reason=reason)
        self._indexes.embed_new()
        return memory

    def purge(
        self,
        ids: Sequence[str],
        *,
        author: str | None = None,
        reason: str | None = None,
        check: Callable[[], object] | None = None,
    ) -> PurgeReport:
        """Remove memories for good: from every table, index, cache and version, and from the files.

        Args:
            ids: Which.
            author: Who is recorded.
            reason: Why, for the log.
            check: Called first, in the same transaction: where it raises, nothing is purged.

        Raises:
            NotFoundError: One is not to be seen; nothing is purged then.
            InvalidInputError: `ids` is no list of ids.
        """
        ids = check_ids(ids)
        derived = self.store.memories.derived(ids)  # which go with it, as they may quote it
        memories = self.store.memories
        with self._indexes.erasing([*ids, *derived], view=self.store):
            if check is None:
                return memories.purge(ids, author=author, reason=reason)
            with self.store.transaction():
                check()
                report = memories.purge(ids, author=author, reason=reason)
            return replace(report, erased=memories.purge([]).erased)  # now that it has ended

    def clean_up(self) -> CleanupReport:
        """Purge what has expired and carry out the policies of the workspaces."""
        with self._indexes.expiring():
            report = self.store.memories.clean_up()
        if report.expired:
            self._indexes.erase()
        return report

    def backup(
        self,
        target: str | os.PathLike[str],
        *,
        compact: bool = False,
        progress: Progress | None = None,
    ) -> BackupReport:
        """Copy the database to a new file while it is in use; see `core.copies.make_backup`."""
        self.flush()
        return make_backup(self.store, target, compact=compact, progress=progress)

    def close(self) -> None:
        """Store what waits and close the database; a second call does nothing."""
        try:
            if not self._indexes.is_forked:  # what waits is stored by whoever opened this
                self.flush()
            self._indexes.close()
        finally:
            self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self._indexes.is_closed else "open"
        return brief(
            self, placed(self.path or ""), state, *(["read only"] if self.read_only else [])
        )

    def _repr_html_(self) -> str:
        return page_of(self)
