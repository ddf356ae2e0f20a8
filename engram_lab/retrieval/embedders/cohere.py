"""Cohere's embeddings, version 2 of its interface.

At most 96 texts a request; too long texts lose their end, the provider's default. Questions and
documents are told apart by `input_type`; `output_dimension` is for embed-v4.0 and newer.

Source: https://docs.cohere.com/reference/embed ("Embed API (v2)").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from engram_lab.retrieval.embedders.answers import Malformed, in_order
from engram_lab.retrieval.embedders.provider import Dialect, ProviderEmbedder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from engram_lab.retrieval.embedders.protocol import Kind
    from engram_lab.retrieval.embedders.registry import EmbedderOptions

__all__ = ["COHERE", "from_options"]

_INPUT_TYPES: Final[Mapping[Kind, str]] = {"query": "search_query", "document": "search_document"}


def _body(model: str, texts: Sequence[str], kind: Kind, dim: int | None) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": model,
        "texts": list(texts),
        "input_type": _INPUT_TYPES[kind],
        "embedding_types": ["float"],
    }
    return body if dim is None else {**body, "output_dimension": dim}


def _vectors(answer: dict[str, Any], n: int) -> NDArray[np.float64]:
    by_type = answer.get("embeddings")
    if not isinstance(by_type, dict):
        raise Malformed("no vectors by type")
    return in_order(by_type.get("float"), n)


COHERE: Final = Dialect(
    name="cohere",
    title="Cohere",
    origin="https://api.cohere.com",
    root="/v2",
    path="/embed",
    key_variable="CO_API_KEY",
    default_model="embed-v4.0",
    max_batch=96,
    body=_body,
    vectors=_vectors,
)


def from_options(options: EmbedderOptions) -> ProviderEmbedder:
    """Return an embedder of Cohere.

    `options.url` is the address up to `/embed`; where it has no path, `/v2` is added.

    Raises:
        InvalidInputError: An option cannot be used.
    """
    return ProviderEmbedder(COHERE, options)
