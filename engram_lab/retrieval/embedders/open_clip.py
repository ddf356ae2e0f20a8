"""OpenCLIP: texts and images in one space."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from engram_lab.core.checks import check_limit
from engram_lab.core.errors import EmbedderError, InvalidInputError, shown
from engram_lab.core.packages import optional
from engram_lab.retrieval.embedders.torch_models import (
    import_on_torch,
    parameters_hash,
    use_threads,
)
from engram_lab.retrieval.embedders.vectors import check_kind, check_texts, unit_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from os import PathLike

    from numpy.typing import NDArray

    from engram_lab.retrieval.embedders.protocol import Kind
    from engram_lab.retrieval.embedders.registry import EmbedderOptions

__all__ = ["OpenClipEmbedder", "from_options"]

_LOCAL: Final = "local-dir:"
_HUB: Final = "hf-hub:"


class OpenClipEmbedder:
    """A model of OpenCLIP, on the processor; embeds images too.

    Questions and documents are embedded alike.

    Args:
        model: Its name, such as `ViT-B-32`; `local-dir:` and a folder; or `hf-hub:` and a name.
        pretrained: The tag of its weights, such as `laion2b_s34b_b79k`; those of a folder or of the
            hub are with the model.
        batch: How many texts or images are computed at a time.
        threads: How many threads torch computes with, in the whole process.

    Raises:
        EmbedderError: The model cannot be loaded.
        InvalidInputError: No weights are named: random ones would find nothing.
        MissingDependencyError: The extra `clip` is absent.

    Source: Radford et al. 2021, "Learning Transferable Visual Models From Natural Language
        Supervision"; Cherti et al. 2023, "Reproducible Scaling Laws for Contrastive Language-Image
        Learning".
    """

    def __init__(
        self, model: str, pretrained: str | None = None, *, batch: int = 32, threads: int = 1
    ) -> None:
        self._batch = check_limit(batch, field="batch")
        check_limit(threads, field="threads")
        whole = model.startswith((_LOCAL, _HUB))
        if not whole and not pretrained:
            raise InvalidInputError(
                f"the model {model!r} has no weights: say which, as in ViT-B-32:laion2b_s34b_b79k"
            )
        feature = f"the model {model!r}"
        library = import_on_torch(
            "open_clip", package="open-clip-torch", feature=feature, extra="clip"
        )
        self._torch = optional("torch", package="torch", feature=feature, extra="clip")
        self._images = optional("PIL.Image", package="pillow", feature=feature, extra="clip")
        use_threads(threads)
        try:
            self._model, self._prepared = library.create_model_from_pretrained(
                model, None if whole else pretrained, device="cpu"
            )
            self._tokenized = library.get_tokenizer(model)
        except Exception as error:
            raise EmbedderError(
                f"the model {model!r} cannot be loaded by OpenCLIP ({error}): give a model and "
                "weights that it lists, or local-dir: and a complete folder"
            ) from error
        self._model.eval()
        self._dim = int(self._of_texts(["a"]).shape[1])
        name = Path(model.removeprefix(_LOCAL)).name if model.startswith(_LOCAL) else model
        settings = [self._model, self._prepared, self._tokenized(["a b"]).tolist()]
        self._fingerprint = "/".join(
            ["clip", name, pretrained or "own", parameters_hash(self._model, settings)]
        )

    @property
    def fingerprint(self) -> str:
        """The model, its weights, and a hash of its parameters and of how images are prepared."""
        return self._fingerprint

    @property
    def dim(self) -> int:
        """How many numbers a vector has."""
        return self._dim

    def embed(self, texts: Sequence[str], *, kind: Kind) -> NDArray[np.float32]:
        """Return float32 [n, dim]; see `Embedder.embed`."""
        check_kind(kind)
        return self._in_batches(check_texts(texts), self._of_texts)

    def embed_images(self, paths: Sequence[str | PathLike[str]]) -> NDArray[np.float32]:
        """Return float32 [n, dim]; see `ImageEmbedder.embed_images`."""
        if isinstance(paths, str | bytes | Path):
            raise InvalidInputError(
                f"paths is the single path {shown(paths)}: give a list, such as [path]"
            )
        numbered = list(enumerate(paths))
        return self._in_batches(numbered, self._of_images)

    def _in_batches(
        self, rows: Sequence[Any], vectors: Callable[[Any], NDArray[np.float32]]
    ) -> NDArray[np.float32]:
        found = np.empty((len(rows), self._dim), np.float32)
        for start in range(0, len(rows), self._batch):
            some = rows[start : start + self._batch]
            found[start : start + self._batch] = unit_rows(vectors(some), len(some), self._dim)
        return found

    def _of_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._computed(self._model.encode_text, self._tokenized(texts))

    def _of_images(
        self, numbered: Sequence[tuple[int, str | PathLike[str]]]
    ) -> NDArray[np.float32]:
        pixels = [self._pixels(path, row) for row, path in numbered]
        return self._computed(self._model.encode_image, self._torch.stack(pixels))

    def _pixels(self, path: str | PathLike[str], row: int) -> Any:
        try:
            with self._images.open(path) as image:
                return self._prepared(image.convert("RGB"))
        except FileNotFoundError:
            raise InvalidInputError(f"there is no file {shown(path, limit=200)}", row=row) from None
        except Exception as error:
            raise InvalidInputError(
                f"the file {shown(path, limit=200)} is no image that can be read: {error}", row=row
            ) from error

    def _computed(self, encode: Callable[[Any], Any], batch: Any) -> NDArray[np.float32]:
        try:
            with self._torch.inference_mode():
                values: NDArray[np.float32] = encode(batch).float().numpy()
        except Exception as error:
            raise EmbedderError(f"OpenCLIP failed: {error}") from error
        return values


def from_options(options: EmbedderOptions) -> OpenClipEmbedder:
    """Return the embedder that the options describe, as in `clip:ViT-B-32:laion2b_s34b_b79k`.

    Raises:
        InvalidInputError: No model is named, or another dimension is wanted than it has.
    """
    told = f"{_LOCAL}{options.path}" if options.path else options.model
    if not told:
        raise InvalidInputError("no model is named: say clip:NAME:WEIGHTS, or set the path of one")
    whole = told.startswith((_LOCAL, _HUB))
    model, _, pretrained = (told, "", "") if whole else told.partition(":")
    made = OpenClipEmbedder(model, pretrained or None, batch=options.batch, threads=options.threads)
    if options.dim not in {None, made.dim}:
        raise InvalidInputError(
            f"{model!r} has {made.dim} dimensions, not {options.dim}: set no dim"
        )
    return made
