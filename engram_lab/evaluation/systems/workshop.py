"""What the systems of one evaluation share: a folder for their stores, models, known vectors."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from engram_lab.config import RetrievalSettings
from engram_lab.core.registry import open_embedding_cache
from engram_lab.engine import Engine
from engram_lab.retrieval.embedders.cached import with_cache

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from os import PathLike

    import numpy as np
    from numpy.typing import NDArray

    from engram_lab.config import EngineConfig
    from engram_lab.core.protocols import EmbeddingCache
    from engram_lab.evaluation.systems.corpora import Corpus
    from engram_lab.retrieval.embedders import Embedder

__all__ = ["Workshop"]


class _Known:
    """A cache that can be looked away from, so that what is timed is what a user waits for.

    Args:
        inner: Has the vectors.
    """

    def __init__(self, inner: EmbeddingCache) -> None:
        self._inner = inner
        self.hidden = False

    def get(self, fingerprint: str, hashes: Sequence[bytes]) -> list[NDArray[np.float32] | None]:
        return [None] * len(hashes) if self.hidden else self._inner.get(fingerprint, hashes)

    def put(self, fingerprint: str, hashes: Sequence[bytes], values: NDArray[np.float32]) -> None:
        if not self.hidden:
            self._inner.put(fingerprint, hashes, values)

    def remove(self, hashes: Sequence[bytes]) -> None:
        self._inner.remove(hashes)

    def close(self) -> None:
        self._inner.close()


class Workshop:
    """A place to work in, gone when the work is done.

    Vectors are made once for all systems that embed alike.

    Args:
        cache: A file that keeps them from one evaluation to the next; None for as long as this one.
    """

    def __init__(self, *, cache: str | PathLike[str] | None = None) -> None:
        self._stack = ExitStack()
        self._models: dict[str, Embedder] = {}
        self._known = _Known(open_embedding_cache(":memory:" if cache is None else cache))
        self._stack.callback(self._known.close)
        made = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="engram-eval-"))
        self._root = Path(made)

    def folder(self, corpus: Corpus) -> Path:
        """Return the folder of a corpus, where the systems keep its stores."""
        place = self._root / hashlib.sha256(corpus.name.encode()).hexdigest()[:16]
        place.mkdir(exist_ok=True)
        return place

    def forget(self, corpus: Corpus) -> None:
        """Remove the stores of a corpus that is done."""
        shutil.rmtree(self.folder(corpus))

    def embedder(self, config: EngineConfig) -> Embedder:
        """Return the embedder of a configuration, loaded once for all that want the same.

        Raises:
            EmbedderError: It cannot be loaded.
            MissingDependencyError: It needs an optional package.
        """
        key = repr(asdict(config.embedding))
        if key not in self._models:
            # An engine of its own keeps the model open while others come and go, and the tokens
            # of texts, whether it is one that looks at them or not.
            alike = replace(config, retrieval=RetrievalSettings())
            holder = self._stack.enter_context(Engine.open(":memory:", config=alike))
            self._models[key] = with_cache(holder.embedder, self._known)
        return self._models[key]

    @contextmanager
    def afresh(self) -> Iterator[None]:
        """Let models compute all that they are asked, whatever is known."""
        self._known.hidden = True
        try:
            yield
        finally:
            self._known.hidden = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()
