"""Any model that the library sentence-transformers loads, by its name or from a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import orjson

from engram_lab.core.checks import check_limit
from engram_lab.core.errors import EmbedderError, InvalidInputError
from engram_lab.retrieval.embedders.torch_models import (
    import_on_torch,
    parameters_hash,
    use_threads,
)
from engram_lab.retrieval.embedders.vectors import check_kind, check_texts, unit_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from engram_lab.retrieval.embedders.protocol import Kind
    from engram_lab.retrieval.embedders.registry import EmbedderOptions

__all__ = ["SentenceTransformerEmbedder", "from_options"]

_EXTRA: Final = "sentence-transformers"


class SentenceTransformerEmbedder:
    """A model of sentence-transformers, on the processor.

    Questions and documents get the prompts that the model declares for them. Code that comes with a
    model is never run.

    Args:
        model: Its name on the Hugging Face hub, or the folder it lies in.
        dim: Keep so many of its first dimensions, where it was trained to allow that; None for all.
        batch: How many texts are computed at a time.
        threads: How many threads torch computes with, in the whole process.

    Raises:
        EmbedderError: The model cannot be loaded.
        InvalidInputError: It has fewer dimensions than `dim`.
        MissingDependencyError: The extra `sentence-transformers` is absent.

    Source: Reimers & Gurevych 2019, "Sentence-BERT"; the first dimensions alone: Kusupati et al.
        2022, "Matryoshka Representation Learning".
    """

    def __init__(
        self, model: str, *, dim: int | None = None, batch: int = 32, threads: int = 1
    ) -> None:
        self._batch = check_limit(batch, field="batch")
        check_limit(threads, field="threads")
        library = import_on_torch(
            "sentence_transformers",
            package="sentence-transformers",
            feature=f"the model {model!r}",
            extra=_EXTRA,
        )
        use_threads(threads)
        try:
            self._model = library.SentenceTransformer(model, device="cpu")
        except Exception as error:
            raise EmbedderError(
                f"the model {model!r} cannot be loaded by sentence-transformers ({error}): give "
                "a name on the Hugging Face hub that can be reached, or a complete folder"
            ) from error
        # A probe, as the library's own answer changed its name between versions.
        whole = int(self._model.encode(["a"], show_progress_bar=False).shape[1])
        if dim is not None and check_limit(dim, field="dim") > whole:
            raise InvalidInputError(f"{model!r} has {whole} dimensions, not {dim}: set fewer")
        self._dim = dim or whole
        name = Path(model).name if Path(model).is_dir() else model
        settings = [
            self._model,  # as text: its modules, with pooling and length
            orjson.dumps(self._model.prompts, option=orjson.OPT_SORT_KEYS).decode(),
            self._model.default_prompt_name,
            sorted(self._model.tokenizer.get_vocab().items()),
        ]
        self._fingerprint = (
            f"sentence-transformers/{name}/{parameters_hash(self._model, settings)}/{self._dim}"
        )

    @property
    def fingerprint(self) -> str:
        """The model's name, a hash of its parameters, modules, prompts and words; the length."""
        return self._fingerprint

    @property
    def dim(self) -> int:
        """How many numbers a vector has."""
        return self._dim

    def embed(self, texts: Sequence[str], *, kind: Kind) -> NDArray[np.float32]:
        """Return float32 [n, dim]; see `Embedder.embed`."""
        encode = {"query": self._model.encode_query, "document": self._model.encode_document}
        chosen = encode[check_kind(kind)]
        rows = check_texts(texts)
        if not rows:
            return unit_rows([], 0, self._dim)
        try:
            values = chosen(rows, batch_size=self._batch, show_progress_bar=False)
        except Exception as error:
            raise EmbedderError(f"sentence-transformers failed: {error}") from error
        return unit_rows(values[:, : self._dim], len(rows), self._dim)


def from_options(options: EmbedderOptions) -> SentenceTransformerEmbedder:
    """Return the embedder that the options describe: `path`, or what follows the colon.

    Raises:
        InvalidInputError: No model is named.
    """
    model = options.path or options.model
    if not model:
        raise InvalidInputError(
            "no model is named: say sentence-transformers:NAME, or set its path"
        )
    return SentenceTransformerEmbedder(
        model, dim=options.dim, batch=options.batch, threads=options.threads
    )
