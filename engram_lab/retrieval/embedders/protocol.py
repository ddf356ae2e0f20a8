"""What an embedder is: texts in, unit vectors out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "Embedder",
    "ImageEmbedder",
    "Kind",
    "SentenceAndTokenEmbedder",
    "TokenEmbedder",
    "TokenVectors",
]

Kind = Literal["query", "document"]


class Embedder(Protocol):
    """Makes one unit vector of each text, so that the inner product is the cosine.

    Guarantees: rows are of length 1 (a text without any content, such as one of spaces, may give a
    row of zeros), finite, and in the order of the texts; the same text gives the same row, to the
    last few bits whatever else is in the batch. Nothing is written. It may be shared by threads.

    Not guaranteed: that vectors of two embedders can be compared, unless their fingerprints are
    equal.
    """

    @property
    def fingerprint(self) -> str:
        """What all depends on that changes a vector: model, weights, pooling, length, prefixes."""
        ...

    @property
    def dim(self) -> int:
        """How many numbers a vector has."""
        ...

    def embed(self, texts: Sequence[str], *, kind: Kind) -> NDArray[np.float32]:
        """Return float32 [n, dim], one unit row for each text.

        Args:
            texts: n of them; too long ones are cut where the model's limit lies.
            kind: Whether they are questions or what may answer them; many models ignore it.

        Raises:
            InvalidInputError: `texts` is a single text or holds what is no text, or `kind` is
                unknown.
            EmbedderError: The model or its provider failed; `retryable` says whether to try again.
        """
        ...


class TokenVectors(NamedTuple):
    """A text, token by token: `tokens` are n pieces of text, `values` float32 [n, dim] unit rows.

    Markers that a model puts around a text, such as [CLS], are left out.
    """

    tokens: tuple[str, ...]
    values: NDArray[np.float32]


@runtime_checkable
class TokenEmbedder(Protocol):
    """An embedder that also gives a vector of each token: ask with `isinstance`."""

    def embed_tokens(self, texts: Sequence[str], *, kind: Kind) -> list[TokenVectors]:
        """Return the token vectors of each text. Raises what `Embedder.embed` does."""
        ...


@runtime_checkable
class SentenceAndTokenEmbedder(Protocol):
    """An embedder that gives a text's vector and those of its tokens at once: ask `isinstance`.

    Guarantees: what it gives is what `embed` and `embed_tokens` give, to the last few bits, at
    about the price of one of them.
    """

    def embed_both(
        self, texts: Sequence[str], *, kind: Kind
    ) -> tuple[NDArray[np.float32], list[TokenVectors]]:
        """Return float32 [n, dim] and the token vectors of each text. Raises what `embed` does."""
        ...


@runtime_checkable
class ImageEmbedder(Protocol):
    """An embedder whose texts and images share one space: ask with `isinstance`."""

    def embed_images(self, paths: Sequence[str | PathLike[str]]) -> NDArray[np.float32]:
        """Return float32 [n, dim], one unit row for each image file.

        Raises:
            InvalidInputError: A file is missing or is no image; says which.
        """
        ...
