"""A cross-encoder of sentence-transformers as a scorer of question and text."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from engram_lab.core.checks import check_limit
from engram_lab.core.errors import EmbedderError
from engram_lab.retrieval.embedders.torch_models import import_on_torch, use_threads

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from numpy.typing import NDArray

__all__ = ["CrossEncoderScorer"]


class CrossEncoderScorer:
    """A `PairScorer` (see `retrieval.rerank.pairs`) by a model that reads both texts at once.

    The model is loaded at the first question, from the hub's cache or a folder. Threads may share
    it; they are served one after another.

    Source: Nogueira and Cho, "Passage Re-ranking with BERT" (2019).

    Args:
        model: A name on the hub, such as `cross-encoder/ms-marco-MiniLM-L6-v2`, or a folder.
        batch_size: How many texts are read at once.
        max_length: After how many tokens question and text together are cut; None leaves it to the
            model.
        device: Where it runs, such as `cpu` or `cuda`.
        local_files_only: Whether to refuse to download.
        threads: How many threads torch computes with, in the whole process.
    """

    def __init__(
        self,
        model: str | PathLike[str],
        *,
        batch_size: int = 32,
        max_length: int | None = None,
        device: str = "cpu",
        local_files_only: bool = False,
        threads: int = 1,
    ) -> None:
        self._name = str(model)
        self._batch_size = check_limit(batch_size, field="batch_size")
        self._options: dict[str, Any] = {"device": device, "local_files_only": local_files_only}
        if max_length is not None:
            self._options["max_length"] = check_limit(max_length, field="max_length")
        self._threads = check_limit(threads, field="threads")
        self._lock = Lock()
        self._model: Any = None

    def score(self, query: str, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return float64 [n], one score for each text.

        Raises:
            EmbedderError: The model cannot be loaded, fails, or gives more than one number for each
                pair.
            MissingDependencyError: sentence-transformers is absent.
        """
        if not texts:
            return np.empty(0)
        with self._lock:
            if self._model is None:
                self._model = self._load()
            try:
                scores = self._model.predict(
                    [(query, text) for text in texts],
                    batch_size=self._batch_size,
                    show_progress_bar=False,
                    convert_to_numpy=True,
                )
            except Exception as error:
                raise EmbedderError(f"the cross-encoder {self._name!r} failed: {error}") from error
        values = np.asarray(scores, np.float64)
        if values.shape != (len(texts),):
            raise EmbedderError(
                f"the cross-encoder {self._name!r} gives {list(values.shape)} for {len(texts)} "
                "texts: choose a model with one label"
            )
        return values

    def _load(self) -> Any:
        package = import_on_torch(
            "sentence_transformers",
            package="sentence-transformers",
            feature="a cross-encoder",
            extra="sentence-transformers",
        )
        use_threads(self._threads)
        try:
            return package.CrossEncoder(self._name, **self._options)
        except Exception as error:
            raise EmbedderError(
                f"the cross-encoder {self._name!r} cannot be loaded: {error}"
            ) from error
