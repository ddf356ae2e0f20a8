"""Voyage AI's embeddings.

At most 1,000 texts a request, and 120,000 tokens in all (320,000 or 1,000,000 with the smaller
models); too long texts are cut by the provider. Voyage puts a prompt of its own before questions
and before documents, and offers a choice of dimensions with its newer models.

Source: https://docs.voyageai.com/reference/embeddings-api ("Text embedding models").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from engram_lab.retrieval.embedders.answers import by_index
from engram_lab.retrieval.embedders.provider import Dialect, ProviderEmbedder

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from engram_lab.retrieval.embedders.protocol import Kind
    from engram_lab.retrieval.embedders.registry import EmbedderOptions

__all__ = ["VOYAGE", "from_options"]


def _body(model: str, texts: Sequence[str], kind: Kind, dim: int | None) -> dict[str, Any]:
    body: dict[str, Any] = {"model": model, "input": list(texts), "input_type": kind}
    return body if dim is None else {**body, "output_dimension": dim}


def _vectors(answer: dict[str, Any], n: int) -> NDArray[np.float64]:
    return by_index(answer.get("data"), n)


VOYAGE: Final = Dialect(
    name="voyage",
    title="Voyage",
    origin="https://api.voyageai.com",
    root="/v1",
    path="/embeddings",
    key_variable="VOYAGE_API_KEY",
    default_model="voyage-3.5",
    max_batch=1000,
    body=_body,
    vectors=_vectors,
)


def from_options(options: EmbedderOptions) -> ProviderEmbedder:
    """Return an embedder of Voyage AI.

    `options.url` is the address up to `/embeddings`; where it has no path, `/v1` is added.

    Raises:
        InvalidInputError: An option cannot be used.
    """
    return ProviderEmbedder(VOYAGE, options)
