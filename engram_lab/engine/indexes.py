"""The embedder and the indexes of one store: made when first needed, shared by all its views."""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Final

import numpy as np

from engram_lab.core.errors import EmbedderError, EngramError, StoreClosedError
from engram_lab.core.registry import open_embedding_cache
from engram_lab.core.selection import Selection
from engram_lab.engine.embedding import EmbeddingWorker
from engram_lab.engine.index_files import remove_index_files
from engram_lab.engine.ordering import Own, check_names, ordering_of
from engram_lab.retrieval.dense import DenseIndex
from engram_lab.retrieval.dense.registry import check_kind
from engram_lab.retrieval.embedders import EMBEDDERS, EmbedderOptions, resolve
from engram_lab.retrieval.embedders.cached import cache_keys, with_cache
from engram_lab.retrieval.embedders.checked import checked
from engram_lab.retrieval.embedders.registry import REMOTE
from engram_lab.retrieval.lexical.analyser import Analyser
from engram_lab.retrieval.lexical.index import LexicalIndex
from engram_lab.retrieval.recall import Dense, Recaller

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from engram_lab.config import EngineConfig
    from engram_lab.core.clock import Clock
    from engram_lab.core.protocols import EmbeddingCache, QueueCounts, Store, Waiting
    from engram_lab.retrieval.embedders import Embedder
    from engram_lab.retrieval.ordering import Ordering

__all__ = ["Indexes"]

_log = logging.getLogger(__name__)

_OFF: Final = "none"
_TRY_AGAIN_AFTER: Final = timedelta(seconds=30)


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
        self._loading = RLock()  # apart, so that words are found while a model is loaded
        self._own = own or Own()
        self._given = self._own.embedder
        self._embedder: Embedder | None = None
        self._fault: EmbedderError | None = None
        self._fault_until: datetime | None = None
        self._cache: EmbeddingCache | None = None
        self._lexical: LexicalIndex | None = None
        self._dense: DenseIndex | None = None
        self._ordering: Ordering | None = None
        model = config.embedding.model
        check_names(config.retrieval)
        check_kind(config.index.kind)
        if self._given is None and model not in {_OFF, "auto"}:
            EMBEDDERS.get(model.partition(":")[0])  # a misspelt name is refused at once
        self.worker = self._made_worker()

    @property
    def is_forked(self) -> bool:
        """Whether another process made this: here, what its threads held stays locked for ever."""
        return os.getpid() != self._pid

    def _check_process(self) -> None:
        if self.is_forked:
            raise StoreClosedError(
                "this engine was opened before the process was forked: open it anew in the child"
            )

    @property
    def embeds(self) -> bool:
        """Whether memories get vectors at all."""
        return self._given is not None or self._config.embedding.model != _OFF

    def embedder(self) -> Embedder:
        """Return the embedder, loaded the first time.

        Raises:
            EmbedderError: It cannot be loaded, or `embedding.model` is `none`.
        """
        self._check_process()
        if not self.embeds:
            raise EmbedderError("embedding.model is 'none': name an embedder, such as minilm")
        with self._loading:
            if self._embedder is None:
                self._raise_fault()
                try:
                    self._embedder = checked(self._given or self._load())
                except Exception as error:
                    self._keep_fault(error)
                    self._raise_fault(error)
                    raise
            return self._embedder

    def _keep_fault(self, error: Exception) -> None:
        """Remember why the embedder cannot be loaded, so that not everyone waits to be told."""
        said = str(error) if isinstance(error, EngramError) else f"{type(error).__name__}: {error}"
        again = getattr(error, "retryable", False) or isinstance(error, OSError)
        self._fault = EmbedderError(said, retryable=again)
        self._fault_until = self._clock.now() + _TRY_AGAIN_AFTER if again else None

    def _raise_fault(self, cause: Exception | None = None) -> None:
        fault = self._fault
        if fault is None or (self._fault_until and self._clock.now() >= self._fault_until):
            return
        raise EmbedderError(str(fault), retryable=fault.retryable) from cause

    def _load(self) -> Embedder:
        chosen = self._config.embedding
        options = EmbedderOptions(
            path=chosen.path,
            url=chosen.url,
            api_key=chosen.api_key,
            dim=chosen.dim,
            batch=chosen.batch,
            timeout_s=chosen.timeout_s,
            retries=chosen.retries,
            requests_per_minute=chosen.requests_per_minute,
            threads=chosen.threads,
        )
        embedder = resolve(chosen.model, options)
        cache = self._opened_cache()
        return embedder if cache is None else with_cache(embedder, cache)

    def _opened_cache(self) -> EmbeddingCache | None:
        path = self._config.embedding.cache
        with self._loading:
            if self._cache is None and path is not None:
                self._cache = open_embedding_cache(path)
            return self._cache

    def _made_worker(self) -> EmbeddingWorker:
        chosen = self._config.embedding
        remote = self._given is None and chosen.model.partition(":")[0] in REMOTE
        return EmbeddingWorker(
            self._store.embedding_queue,
            self.embedder,
            clock=self._clock,
            retries=chosen.retries,
            deferred=remote if chosen.defer == "auto" else chosen.defer == "always",
            passed_over=self._uncache_purged,
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
        return Dense(embedder=embedder, index=dense)

    def _ordered(self) -> Ordering:
        # Under no lock, as a transaction of another thread may be waited for: at worst made twice.
        if self._ordering is None:
            settings = self._config.retrieval
            embedder = self.embedder() if settings.rerank == "late-interaction" else None
            self._ordering = ordering_of(settings, self.lexical(), embedder, self._own)
        return self._ordering

    @cached_property
    def recaller(self) -> Recaller:
        """What answers questions."""
        return Recaller(
            self.lexical,
            self.dense,
            self._ordered,
            self._config.retrieval,
            clock=self._clock,
        )

    def embed_new(self, *, defer: bool | None = None) -> None:
        """Embed what a write left to embed; see `EmbeddingWorker.follow`."""
        if self.embeds and not self._read_only:
            self.worker.follow(defer=defer)

    def embed_all(self, *, progress: Callable[[int], None] | None = None) -> QueueCounts:
        """Embed all that waits, also what was given up before.

        Raises:
            EmbedderError: See `embedder`.
        """
        self._store.embedding_queue.retry_failed(self.embedder().fingerprint)
        return self.worker.run(progress=progress)

    def rebuild(self) -> None:
        """Make the indexes anew from what is stored, and keep them.

        Raises:
            EmbedderError: See `embedder`.
        """
        self.lexical().rebuild()
        if (dense := self.dense()) is not None:
            dense.index.rebuild()
        self.save()

    @contextmanager
    def erasing(self, ids: Sequence[str], *, view: Store) -> Iterator[None]:
        """Take memories out of index files and cache too, once the block has purged them."""
        texts = (
            [version.memory.content for id_ in ids for version in view.memories.history(id_)]
            if self._config.embedding.cache is not None
            else []
        )
        yield
        try:
            self._uncache(texts)
        finally:
            self.erase()

    @contextmanager
    def expiring(self) -> Iterator[None]:
        """Take what has expired out of the cache, once the block has purged it."""
        corpus = self._store.corpus
        texts: dict[int, str] = {}
        if self._config.embedding.cache is not None:
            for batch in corpus.all_texts():
                gone = ~corpus.visible(batch.keys, Selection(archived=True))
                texts |= {int(batch.keys[at]): batch.contents[at] for at in np.flatnonzero(gone)}
        yield
        purged = texts.keys() - corpus.alive().tolist() if texts else ()
        self._uncache([texts[key] for key in purged])

    def _uncache_purged(self, claimed: Sequence[Waiting]) -> None:
        """Take out what was purged while it was embedded, and cached after that."""
        keys = self._store.corpus.find([each.memory_id for each in claimed]).tolist()
        self._uncache([each.content for each, key in zip(claimed, keys, strict=True) if not key])

    def _uncache(self, texts: Sequence[str]) -> None:
        if texts and (cache := self._opened_cache()) is not None:
            cache.remove([key for text in texts for key in cache_keys(text)])

    def erase(self) -> None:
        """Let go of what was purged: forget it, and remove all index files, whoever wrote them.

        Raises:
            StoreError: A file cannot be removed.
        """
        with self._store.corpus.held(), self._lock:
            for index in (self._lexical, self._dense):
                if index is not None:
                    with suppress(OSError):  # its files are in the folder, where they are met again
                        index.erase()
            if self._folder is not None:
                remove_index_files(self._folder)

    def save(self) -> None:
        """Keep the indexes beside the database, where they may be written."""
        if self._folder is None or self._read_only:
            return
        for index in (self._lexical, self._dense):
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
            self.save()
            # Who searches still, in another thread, goes on with what he has, until he asks the
            # store: an index that was emptied would tell him that nothing is found.
            self._lexical = self._dense = None
            if self._cache is not None:
                self._cache.close()
                self._cache = None
