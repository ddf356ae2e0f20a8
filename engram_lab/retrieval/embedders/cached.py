"""A cache before an embedder: a text that was embedded once is not embedded again."""

from __future__ import annotations

import logging
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from engram_lab.core.errors import StoreError
from engram_lab.retrieval.embedders.protocol import (
    ImageEmbedder,
    SentenceAndTokenEmbedder,
    TokenEmbedder,
)
from engram_lab.retrieval.embedders.vectors import KINDS, check_kind, check_texts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from numpy.typing import NDArray

    from engram_lab.core.protocols import EmbeddingCache
    from engram_lab.retrieval.embedders.protocol import Embedder, Kind, TokenVectors

__all__ = ["CachedEmbedder", "cache_key", "cache_keys", "with_cache"]

_log = logging.getLogger(__name__)

_AT_A_TIME: Final = 256
"""Texts that are embedded before their vectors are kept: as many are lost when a provider fails."""


def cache_key(text: str, *, kind: Kind) -> bytes:
    """Return what a cache knows a text by: the SHA-256 of the kind and the exact text."""
    return sha256(f"{kind}\n{text}".encode()).digest()


def cache_keys(text: str) -> list[bytes]:
    """Return all that a cache may know a text by: what to remove when the text must be gone."""
    return [cache_key(text, kind=kind) for kind in KINDS]


class CachedEmbedder:
    """An embedder that asks a cache first; made by `with_cache`.

    A text that comes twice is embedded once. Vectors come back as they were put in, bit by bit. A
    cache that fails is left aside: then all is embedded, and nothing is kept.

    Args:
        inner: What embeds the rest.
        cache: Where vectors are kept, under the fingerprint of `inner`.
    """

    def __init__(self, inner: Embedder, cache: EmbeddingCache) -> None:
        self.inner = inner
        self._cache = cache

    @property
    def fingerprint(self) -> str:
        """That of the inner embedder: a vector from the cache is the same."""
        return self.inner.fingerprint

    @property
    def dim(self) -> int:
        """How many numbers a vector has."""
        return self.inner.dim

    def embed(self, texts: Sequence[str], *, kind: Kind) -> NDArray[np.float32]:
        """Return float32 [n, dim]; see `Embedder.embed`."""
        check_kind(kind)
        rows = check_texts(texts)
        keys = [cache_key(text, kind=kind) for text in rows]
        wanted = dict(zip(keys, rows, strict=True))
        known = self._known(list(wanted))
        missing = [key for key in wanted if key not in known]
        for start in range(0, len(missing), _AT_A_TIME):
            some = missing[start : start + _AT_A_TIME]
            values = self.inner.embed([wanted[key] for key in some], kind=kind)
            known |= zip(some, values, strict=True)
            self._keep(some, values)
        if not rows:
            return np.empty((0, self.dim), np.float32)
        return np.stack([known[key] for key in keys])

    def _known(self, keys: Sequence[bytes]) -> dict[bytes, NDArray[np.float32]]:
        try:
            found = self._cache.get(self.fingerprint, keys)
        except StoreError as error:
            _log.warning("the cache of embeddings cannot be read: %s", error)
            return {}
        return {
            key: np.asarray(value, np.float32)
            for key, value in zip(keys, found, strict=True)
            if value is not None and value.shape == (self.dim,)
        }

    def _keep(self, keys: Sequence[bytes], values: NDArray[np.float32]) -> None:
        try:
            self._cache.put(self.fingerprint, keys, values)
        except StoreError as error:  # the vectors are at hand, which is what was asked for
            _log.warning("the cache of embeddings cannot be written: %s", error)


class _Tokens:
    """Hands token vectors through: they are too many to be kept."""

    inner: Any

    def embed_tokens(self, texts: Sequence[str], *, kind: Kind) -> list[TokenVectors]:
        """See `TokenEmbedder.embed_tokens`."""
        found: list[TokenVectors] = self.inner.embed_tokens(texts, kind=kind)
        return found


class _Pairs(_Tokens):
    """Hands both kinds of vectors through, as they come of one pass."""

    def embed_both(
        self, texts: Sequence[str], *, kind: Kind
    ) -> tuple[NDArray[np.float32], list[TokenVectors]]:
        """See `SentenceAndTokenEmbedder.embed_both`."""
        both: tuple[NDArray[np.float32], list[TokenVectors]] = self.inner.embed_both(
            texts, kind=kind
        )
        return both


class _Images:
    """Hands images through: a file may change under its name."""

    inner: Any

    def embed_images(self, paths: Sequence[str | PathLike[str]]) -> NDArray[np.float32]:
        """See `ImageEmbedder.embed_images`."""
        values: NDArray[np.float32] = self.inner.embed_images(paths)
        return values


class _CachedWithTokens(_Tokens, CachedEmbedder):
    pass


class _CachedWithPairs(_Pairs, CachedEmbedder):
    pass


class _CachedWithImages(_Images, CachedEmbedder):
    pass


class _CachedWithTokensAndImages(_Tokens, _Images, CachedEmbedder):
    pass


class _CachedWithPairsAndImages(_Pairs, _Images, CachedEmbedder):
    pass


def with_cache(embedder: Embedder, cache: EmbeddingCache) -> CachedEmbedder:
    """Return the embedder behind a cache; what else it can do, `isinstance` still finds."""
    images = isinstance(embedder, ImageEmbedder)
    kind: type[CachedEmbedder] = _CachedWithImages if images else CachedEmbedder
    if isinstance(embedder, SentenceAndTokenEmbedder):
        kind = _CachedWithPairsAndImages if images else _CachedWithPairs
    elif isinstance(embedder, TokenEmbedder):
        kind = _CachedWithTokensAndImages if images else _CachedWithTokens
    return kind(embedder, cache)
