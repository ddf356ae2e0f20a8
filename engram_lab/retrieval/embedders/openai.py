"""OpenAI's embeddings, and every server that speaks like it: vLLM, LM Studio, Azure, proxies.

At most 2,048 texts a request, each of at most 8,192 tokens and not empty, 300,000 tokens in all.

Source: https://developers.openai.com/api/reference/resources/embeddings ("Create embeddings").
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

__all__ = ["OPENAI", "from_options"]


def _body(model: str, texts: Sequence[str], _kind: Kind, dim: int | None) -> dict[str, Any]:
    # Without `encoding_format`, whose default is float: some gateways refuse what they don't know.
    body: dict[str, Any] = {"model": model, "input": list(texts)}
    return body if dim is None else {**body, "dimensions": dim}


def _vectors(answer: dict[str, Any], n: int) -> NDArray[np.float64]:
    return by_index(answer.get("data"), n)


OPENAI: Final = Dialect(
    name="openai",
    title="OpenAI",
    origin="https://api.openai.com",
    root="/v1",
    path="/embeddings",
    key_variable="OPENAI_API_KEY",
    default_model="text-embedding-3-small",
    max_batch=2048,
    body=_body,
    vectors=_vectors,
)


def from_options(options: EmbedderOptions) -> ProviderEmbedder:
    """Return an embedder of OpenAI, or of a server that speaks like it.

    `options.url` is the address up to `/embeddings`, as in `http://localhost:8000/v1`; where it
    has no path at all, `/v1` is added. The kind of a text makes no difference.

    Raises:
        InvalidInputError: An option cannot be used.
    """
    return ProviderEmbedder(OPENAI, options)
