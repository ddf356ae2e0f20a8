"""What the systems of one evaluation share: a folder for their stores, and loaded models."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Self

from engram_lab.engine import Engine

if TYPE_CHECKING:
    from engram_lab.config import EngineConfig
    from engram_lab.evaluation.systems.corpora import Corpus
    from engram_lab.retrieval.embedders import Embedder

__all__ = ["Workshop"]


class Workshop:
    """A place to work in, gone when the work is done.

    Args:
        cache: A file that keeps vectors from one evaluation to the next; None for none.
    """

    def __init__(self, *, cache: Path | None = None) -> None:
        self.cache = cache
        self._stack = ExitStack()
        self._models: dict[str, Embedder] = {}
        self._root: Path | None = None
        self._bare: Workshop | None = None

    @property
    def bare(self) -> Workshop:
        """The same place without a cache of vectors: what is timed is what a user waits for."""
        if self._bare is None:
            self._bare = self._stack.enter_context(Workshop())
            self._bare._root = self.root  # noqa: SLF001 - another view of this place
        return self._bare

    @property
    def root(self) -> Path:
        """The folder of all of it."""
        if self._root is None:
            made = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="engram-eval-"))
            self._root = Path(made)
        return self._root

    def folder(self, corpus: Corpus) -> Path:
        """Return the folder of a corpus, where the systems keep its stores."""
        place = self.root / corpus.name.encode().hex()[:80]
        place.mkdir(exist_ok=True)
        return place

    def forget(self, corpus: Corpus) -> None:
        """Remove the stores of a corpus that is done."""
        import shutil

        shutil.rmtree(self.folder(corpus))

    def embedder(self, config: EngineConfig) -> Embedder:
        """Return the embedder of a configuration, loaded once for all that want the same.

        Raises:
            EmbedderError: It cannot be loaded.
            MissingDependencyError: It needs an optional package.
        """
        key = repr(asdict(config.embedding))
        if key not in self._models:
            # An engine of its own keeps model and cache open while others come and go.
            holder = Engine.open(":memory:", config=config)
            self._stack.enter_context(holder)
            self._models[key] = holder.embedder
        return self._models[key]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()
