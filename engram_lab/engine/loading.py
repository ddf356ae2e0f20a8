"""The embedder of an engine: loaded when it is first needed, behind its cache."""

from __future__ import annotations

from datetime import timedelta
from threading import RLock
from typing import TYPE_CHECKING, Final

from engram_lab.core.errors import EmbedderError, EngramError
from engram_lab.core.registry import open_embedding_cache
from engram_lab.retrieval.embedders import EMBEDDERS, EmbedderOptions, resolve
from engram_lab.retrieval.embedders.cached import cache_keys, with_cache
from engram_lab.retrieval.embedders.checked import checked
from engram_lab.retrieval.embedders.registry import REMOTE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from engram_lab.config import EmbeddingSettings
    from engram_lab.core.clock import Clock
    from engram_lab.core.protocols import EmbeddingCache
    from engram_lab.retrieval.embedders import Embedder

__all__ = ["LoadedEmbedder"]

_OFF: Final = "none"
_TRY_AGAIN_AFTER: Final = timedelta(seconds=30)


class LoadedEmbedder:
    """The embedder that a configuration names, or one of one's own. Threads may share it.

    Args:
        settings: See `EmbeddingSettings`.
        clock: Tells when one that could not be had is tried again.
        own: Used instead of what is named; without a cache.
        around: Returns the embedder that is used in place of one that was made.

    Raises:
        InvalidInputError: The embedder that is named is not known.
    """

    def __init__(
        self,
        settings: EmbeddingSettings,
        *,
        clock: Clock,
        own: Embedder | None = None,
        around: Callable[[Embedder], Embedder] = lambda embedder: embedder,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._own = own
        self._around = around
        self._lock = RLock()  # apart, so that words are found while a model is loaded
        self._embedder: Embedder | None = None
        self._fault: EmbedderError | None = None
        self._fault_until: datetime | None = None
        self._cache: EmbeddingCache | None = None
        if own is None and settings.model not in {_OFF, "auto"}:
            EMBEDDERS.get(self._kind)  # a misspelt name is refused at once

    @property
    def _kind(self) -> str:
        return self._settings.model.partition(":")[0]

    @property
    def exists(self) -> bool:
        """Whether memories get vectors at all."""
        return self._own is not None or self._settings.model != _OFF

    @property
    def is_remote(self) -> bool:
        """Whether it asks another machine."""
        return self._own is None and self._kind in REMOTE

    @property
    def caches(self) -> bool:
        """Whether what it makes is kept in a cache, where what is purged must not stay."""
        return self._settings.cache is not None

    def get(self) -> Embedder:
        """Return the embedder, loaded the first time.

        Raises:
            EmbedderError: It cannot be loaded, or `embedding.model` is `none`.
        """
        if not self.exists:
            raise EmbedderError("embedding.model is 'none': name an embedder, such as minilm")
        with self._lock:
            if self._embedder is None:
                self._raise_fault()
                try:
                    own = self._own
                    self._embedder = checked(self._load() if own is None else self._around(own))
                except Exception as error:
                    self._keep_fault(error)
                    self._raise_fault(error)
                    raise
            return self._embedder

    def _keep_fault(self, error: Exception) -> None:
        """Remember why it cannot be loaded, so that not everyone waits to be told."""
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
        chosen = self._settings
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
        embedder = self._around(resolve(chosen.model, options))
        cache = self._opened_cache()
        return embedder if cache is None else with_cache(embedder, cache)

    def _opened_cache(self) -> EmbeddingCache | None:
        path = self._settings.cache
        with self._lock:
            if self._cache is None and path is not None:
                self._cache = open_embedding_cache(path)
            return self._cache

    def uncache(self, texts: Sequence[str]) -> None:
        """Take texts out of the cache, if there is one.

        Raises:
            StoreError: It cannot be opened or written.
        """
        if texts and (cache := self._opened_cache()) is not None:
            cache.remove([key for text in texts for key in cache_keys(text)])

    def close(self) -> None:
        """Close the cache; a second call does nothing."""
        with self._lock:
            if self._cache is not None:
                self._cache.close()
                self._cache = None
