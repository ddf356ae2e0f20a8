"""The embedder and the indexes of one store: made when first needed, shared by all its views."""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING

import numpy as np

from engram_lab.core.errors import EngramError, StoreClosedError
from engram_lab.core.progress import task
from engram_lab.core.selection import Selection
from engram_lab.engine.embedding import EmbeddingWorker
from engram_lab.engine.index_files import remove_index_files
from engram_lab.engine.loading import LoadedEmbedder
from engram_lab.engine.ordering import Own, check_names, ordering_of
from engram_lab.engine.tokens import TurnTokens
from engram_lab.retrieval.dense import DenseIndex
from engram_lab.retrieval.dense.registry import check_kind
from engram_lab.retrieval.features.known import Conversations
from engram_lab.retrieval.lexical.analyser import Analyser
from engram_lab.retrieval.lexical.index import LexicalIndex
from engram_lab.retrieval.recall import Dense, Recaller

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engram_lab.config import EngineConfig
    from engram_lab.core.clock import Clock
    from engram_lab.core.progress import Progress
    from engram_lab.core.protocols import QueueCounts, Store, Waiting
    from engram_lab.retrieval.embedders import Embedder
    from engram_lab.retrieval.ordering import Ordering

__all__ = ["Indexes"]

_log = logging.getLogger(__name__)


class Indexes:
    """What finds the memories of a store.

    Args:
        store: As its owner.
        config: See `EngineConfig`.
        clock: Tells the time.
        folder: Where index files are kept; None for nowhere.
        read_only: Embed nothing and write no index file.
        own: Parts to use instead of what the configuration names, or beside it.

    Raises:
        InvalidInputError: The configuration names a part that is not known.
    """

    def __init__(
        self,
        store: Store,
        config: EngineConfig,
        *,
        clock: Clock,
        folder: Path | None = None,
        read_only: bool = False,
        own: Own | None = None,
    ) -> None:
        self._store = store
        self._config = config
        self._clock = clock
        self._folder = folder
        self._read_only = read_only
        self._pid = os.getpid()
        self._lock = RLock()
        self._is_closed = False
        self._own = own or Own()
        self._lexical: LexicalIndex | None = None
        self._dense: DenseIndex | None = None
        self._ordering: Ordering | None = None
        self._conversations = Conversations(store.corpus, store.identities.all)
        self._tokens = TurnTokens(store.corpus, folder=folder)
        self._keeps_tokens = config.retrieval.profile != "neutral"
        check_names(config.retrieval)
        check_kind(config.index.kind)
        self._loaded = LoadedEmbedder(
            config.embedding,
            clock=clock,
            own=self._own.embedder,
            around=self._keeping,
        )
        self.worker = self._made_worker()

    @property
    def is_forked(self) -> bool:
        """Whether another process made this: here, what its threads held stays locked for ever."""
        return os.getpid() != self._pid

    @property
    def is_closed(self) -> bool:
        """Whether it was closed, with the engine."""
        return self._is_closed

    def _check_process(self) -> None:
        if self.is_forked:
            raise StoreClosedError(
                "this engine was opened before the process was forked: open it anew in the child"
            )

    @property
    def embeds(self) -> bool:
        """Whether memories get vectors at all."""
        return self._loaded.exists

    def embedder(self) -> Embedder:
        """Return the embedder, loaded the first time.

        Raises:
            EmbedderError: It cannot be loaded, or `embedding.model` is `none`.
        """
        self._check_process()
        return self._loaded.get()

    def _keeping(self, embedder: Embedder) -> Embedder:
        """Return an embedder that keeps the tokens of turns, where an order may want them."""
        return self._tokens.kept_by(embedder) if self._keeps_tokens else embedder

    def _made_worker(self) -> EmbeddingWorker:
        chosen = self._config.embedding
        return EmbeddingWorker(
            self._store.embedding_queue,
            self.embedder,
            clock=self._clock,
            retries=chosen.retries,
            batch=chosen.batch,
            deferred=self._loaded.is_remote if chosen.defer == "auto" else chosen.defer == "always",
            passed_over=self._forget_purged,
            around=self._tokens.keeping,
        )

    def lexical(self) -> LexicalIndex:
        """Return the index of words, made or loaded the first time, and brought up to date."""
        self._check_process()
        with self._store.corpus.held(), self._lock:
            lexical = self._lexical
            if lexical is None:
                chosen = self._config.retrieval
                lexical = self._lexical = LexicalIndex(
                    self._store.corpus,
                    analyser=Analyser(name=chosen.analyser),
                    k1=chosen.bm25_k1,
                    b=chosen.bm25_b,
                    folder=self._folder,
                )
        with self._store.corpus.held():
            lexical.catch_up()
        return lexical

    def dense(self) -> Dense | None:
        """Return the semantic half, made or loaded the first time, and brought up to date.

        Raises:
            EmbedderError: See `embedder`.
        """
        if not self.embeds:
            return None
        embedder = self.embedder()
        with self._store.corpus.held(), self._lock:
            dense = self._dense
            if dense is None:
                chosen = self._config.index
                dense = self._dense = DenseIndex(
                    self._store.corpus,
                    embedder=embedder.fingerprint,
                    dim=int(embedder.dim),
                    kind=chosen.kind,
                    folder=self._folder,
                    hnsw_links=chosen.hnsw_links,
                    ef_construction=chosen.hnsw_build,
                    ef_search=chosen.hnsw_search,
                    ivf_probes=chosen.ivf_probes,
                )
        with self._store.corpus.held():
            dense.catch_up()
        return Dense(embedder=embedder, index=dense, tokens=self._tokens.table())

    def _ordered(self) -> Ordering:
        # Under no lock, as a transaction of another thread may be waited for: at worst made twice.
        if self._ordering is None:
            settings = self._config.retrieval
            embedder = self.embedder() if settings.rerank == "late-interaction" else None
            self._ordering = ordering_of(settings, self.lexical(), embedder, self._own)
        return self._ordering

    @cached_property
    def recaller(self) -> Recaller:
        """What answers questions; a fusion of the user's own makes the order whatever is found."""
        settings = self._config.retrieval
        if self._own.fusion is not None:
            settings = replace(settings, profile="neutral")
        return Recaller(
            self.lexical,
            self.dense,
            self._ordered,
            self._conversations,
            settings,
            clock=self._clock,
        )

    def embed_new(self, *, defer: bool | None = None) -> None:
        """Embed what a write left to embed; see `EmbeddingWorker.follow`."""
        if self.embeds and not self._read_only:
            self.worker.follow(defer=defer)

    def embed_all(self, *, progress: Progress | None = None) -> QueueCounts:
        """Embed all that waits, also what was given up before.

        Args:
            progress: Told how many memories were embedded.

        Raises:
            EmbedderError: See `embedder`.
        """
        self._store.embedding_queue.retry_failed(self.embedder().fingerprint)
        return self.worker.run(progress=progress)

    def rebuild(self, *, progress: Progress | None = None) -> None:
        """Make the indexes anew from what is stored, and keep them.

        Args:
            progress: Told which index is made.

        Raises:
            EmbedderError: See `embedder`.
        """
        with task("indexing", total=2 + self.embeds, unit="steps", progress=progress) as counting:
            counting.say("words")
            self.lexical().rebuild()
            counting.advance()
            if self.embeds:
                counting.say("meaning")
            if (dense := self.dense()) is not None:
                dense.index.rebuild()
                if dense.tokens is not None:
                    self._tokens.fill(self._conversations.turns().contents.tolist())
                counting.advance()
            counting.say("keeping them")
            self.save()
            counting.advance()

    @contextmanager
    def erasing(self, ids: Sequence[str], *, view: Store) -> Iterator[None]:
        """Take memories out of index files and cache too, once the block has purged them."""
        texts = (
            [version.memory.content for id_ in ids for version in view.memories.history(id_)]
            if self._loaded.caches or self._tokens.holds_any
            else []
        )
        yield
        try:
            self._loaded.uncache(texts)
        finally:
            self.erase(texts)

    @contextmanager
    def expiring(self) -> Iterator[None]:
        """Take what has expired out of the cache, once the block has purged it."""
        corpus = self._store.corpus
        texts: dict[int, str] = {}
        if self._loaded.caches:
            for batch in corpus.all_texts():
                gone = ~corpus.visible(batch.keys, Selection(archived=True))
                texts |= {int(batch.keys[at]): batch.contents[at] for at in np.flatnonzero(gone)}
        yield
        purged = texts.keys() - corpus.alive().tolist() if texts else ()
        self._loaded.uncache([texts[key] for key in purged])

    def _forget_purged(self, claimed: Sequence[Waiting]) -> None:
        """Take out what was purged while it was embedded, and kept after that."""
        keys = self._store.corpus.find([each.memory_id for each in claimed]).tolist()
        texts = [each.content for each, key in zip(claimed, keys, strict=True) if not key]
        self._loaded.uncache(texts)
        try:
            self._tokens.remove(texts)
        except OSError as error:  # of no concern to whoever writes something else meanwhile
            _log.warning("an index file may hold what was purged: %s", error)

    def erase(self, texts: Sequence[str] | None = None) -> None:
        """Let go of what was purged: forget it, and remove all index files, whoever wrote them.

        Args:
            texts: What was purged, where it is known.

        Raises:
            StoreError: A file cannot be removed.
        """
        with self._store.corpus.held(), self._lock:
            for index in (self._lexical, self._dense):
                if index is not None:
                    with suppress(OSError):  # its files are in the folder, where they are met again
                        index.erase()
            try:
                self._conversations.erase()
                with suppress(OSError):
                    self._tokens.erase(texts)
            finally:
                if self._folder is not None:
                    remove_index_files(self._folder)

    def save(self) -> None:
        """Keep the indexes beside the database, where they may be written."""
        if self._folder is None or self._read_only:
            return
        for index in (self._lexical, self._dense, self._tokens):
            if index is not None:
                try:
                    index.save()
                except (OSError, EngramError) as error:  # a cache: it is made anew next time
                    _log.warning("an index was not kept: %s", error)

    def close(self) -> None:
        """Stop embedding, keep the indexes, and let go of files; a second call does nothing."""
        if self.is_forked:  # all of it is the other process's
            return
        self.worker.close()
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            self.save()
            # Who searches still, in another thread, goes on with what he has, until he asks the
            # store: an index that was emptied would tell him that nothing is found.
            self._lexical = self._dense = None
            self._loaded.close()
