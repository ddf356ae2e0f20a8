"""Embedders that all engines of a configuration share: a model is in memory once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engram_lab.core.errors import EmbedderError
from engram_lab.engine.loading import LoadedEmbedder

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from engram_lab.config import EmbeddingSettings
    from engram_lab.core.clock import Clock
    from engram_lab.retrieval.embedders import Embedder
    from engram_lab.retrieval.embedders.protocol import Kind

__all__ = ["Awaited", "SharedEmbedders", "had"]


class SharedEmbedders:
    """One embedder for each way to set it. Its holder sees to it that one thread changes it.

    Args:
        clock: Tells when one that could not be had is tried again.
    """

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._loaded: dict[EmbeddingSettings, LoadedEmbedder] = {}

    def of(self, settings: EmbeddingSettings) -> LoadedEmbedder:
        """Return what loads the embedder of these settings: the same one each time.

        Raises:
            InvalidInputError: The embedder that is named is not known.
        """
        if settings not in self._loaded:
            self._loaded[settings] = LoadedEmbedder(settings, clock=self._clock)
        return self._loaded[settings]

    def keep(self, wanted: Iterable[LoadedEmbedder]) -> None:
        """Let go of all others: each leaves memory with the last engine that uses it."""
        kept = {id(each) for each in wanted}
        self._loaded = {key: each for key, each in self._loaded.items() if id(each) in kept}


class Awaited:
    """An embedder that cannot be had yet: engines find by words until it can.

    Args:
        loaded: What tries to load it, anew after a while.
    """

    def __init__(self, loaded: LoadedEmbedder) -> None:
        self._loaded = loaded

    @property
    def fingerprint(self) -> str:
        """Raises `EmbedderError` until it is there."""
        return self._loaded.get().fingerprint

    @property
    def dim(self) -> int:
        """Raises `EmbedderError` until it is there."""
        return self._loaded.get().dim

    def embed(self, texts: Sequence[str], *, kind: Kind) -> NDArray[np.float32]:
        """Raises `EmbedderError` until it is there."""
        return self._loaded.get().embed(texts, kind=kind)


def had(loaded: LoadedEmbedder) -> Embedder | None:
    """Return the embedder to open an engine with; None where there is none by choice."""
    if not loaded.exists:
        return None
    try:
        return loaded.get()
    except EmbedderError:
        return Awaited(loaded)
