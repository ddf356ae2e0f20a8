"""Models that run in Ollama, on this machine or another.

Ollama documents no limit to the texts of a request; 512 keeps one within a usual timeout. It cuts
too long texts by itself, and returns vectors in the order of the texts. Old versions do not know
`dimensions`; the answer then has others than were wanted, and is refused.

It sends a text to the model as it is. Some models were trained with a few words before it that
say what it is for, and find less without them: those of the models below are put there, and the
fingerprint says so.

Source: https://docs.ollama.com/api/embed ("Generate embeddings"); the prefixes are those of the
models' own cards: https://huggingface.co/nomic-ai/nomic-embed-text-v1.5,
mixedbread-ai/mxbai-embed-large-v1, Snowflake/snowflake-arctic-embed-l-v2.0 and
google/embeddinggemma-300m.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from engram_lab.retrieval.embedders.answers import in_order
from engram_lab.retrieval.embedders.provider import Dialect, ProviderEmbedder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from engram_lab.retrieval.embedders.protocol import Kind
    from engram_lab.retrieval.embedders.registry import EmbedderOptions

__all__ = ["OLLAMA", "from_options"]

_SEARCHING: Final = "Represent this sentence for searching relevant passages: "
_PREFIXES: Final[Mapping[str, Mapping[Kind, str]]] = {
    "embeddinggemma": {
        "query": "task: search result | query: ",
        "document": "title: none | text: ",
    },
    "mxbai-embed-large": {"query": _SEARCHING, "document": ""},
    "nomic-embed-text": {"query": "search_query: ", "document": "search_document: "},
    "snowflake-arctic-embed": {"query": _SEARCHING, "document": ""},
    "snowflake-arctic-embed2": {"query": "query: ", "document": ""},
}


def _prefix(model: str, kind: Kind) -> str:
    name, _, _ = model.rpartition("/")[2].partition(":")  # without who made it, and the tag
    return _PREFIXES.get(name, {}).get(kind, "")


def _body(model: str, texts: Sequence[str], _kind: Kind, dim: int | None) -> dict[str, Any]:
    body: dict[str, Any] = {"model": model, "input": list(texts)}
    return body if dim is None else {**body, "dimensions": dim}


def _vectors(answer: dict[str, Any], n: int) -> NDArray[np.float64]:
    return in_order(answer.get("embeddings"), n)


OLLAMA: Final = Dialect(
    name="ollama",
    title="Ollama",
    origin="http://127.0.0.1:11434",
    root="/api",
    path="/embed",
    key_variable="OLLAMA_API_KEY",
    needs_key=False,
    default_model="nomic-embed-text",
    max_batch=512,
    body=_body,
    vectors=_vectors,
    prefix=_prefix,
    missing_model=", and fetch it with `ollama pull`",
)


def from_options(options: EmbedderOptions) -> ProviderEmbedder:
    """Return an embedder of Ollama.

    `options.url` is the address up to `/embed`, as in `http://127.0.0.1:11434`; where it has no
    path, `/api` is added. A key is sent where there is one, as Ollama's cloud wants.

    Raises:
        InvalidInputError: An option cannot be used.
    """
    return ProviderEmbedder(OLLAMA, options)
