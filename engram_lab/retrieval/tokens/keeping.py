"""An embedder that keeps token codes of the texts that it embeds: one pass gives both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engram_lab.retrieval.embedders.checked import embed_both_checked
from engram_lab.retrieval.embedders.protocol import ImageEmbedder, SentenceAndTokenEmbedder
from engram_lab.retrieval.embedders.vectors import check_kind, check_texts
from engram_lab.retrieval.tokens.table import AT_A_TIME, TokenTable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from os import PathLike

    from numpy.typing import NDArray

    from engram_lab.retrieval.embedders.protocol import Embedder, Kind, TokenVectors

__all__ = ["TokenKeepingEmbedder", "keeping_tokens", "table_of"]


class TokenKeepingEmbedder:
    """Embeds as the inner one does, and has a table hold the tokens of documents.

    What stands before it, such as a cache, may answer in its place: the tokens of that text are
    then made when they are first asked for.

    Args:
        inner: Embeds; an embedder that is a `SentenceAndTokenEmbedder`.
        table: Holds the tokens, of the same embedder.
        wanted: Tells of a document whether its tokens are kept; of all unless given.
    """

    def __init__(
        self, inner: Any, table: TokenTable, wanted: Callable[[str], bool] | None = None
    ) -> None:
        self.inner = inner
        self.table = table
        self._wanted = wanted

    @property
    def fingerprint(self) -> str:
        """That of the inner embedder: the vectors are the same."""
        said: str = self.inner.fingerprint
        return said

    @property
    def dim(self) -> int:
        """How many numbers a vector has."""
        said: int = self.inner.dim
        return said

    def embed(self, texts: Sequence[str], *, kind: Kind) -> NDArray[np.float32]:
        """Return float32 [n, dim]; see `Embedder.embed`."""
        wanted = self._wanted
        keeps = check_kind(kind) == "document" and (
            wanted is None or any(map(wanted, check_texts(texts)))
        )
        if not keeps:
            values: NDArray[np.float32] = self.inner.embed(texts, kind=kind)
            return values
        rows = check_texts(texts)
        parts = []
        for start in range(0, len(rows), AT_A_TIME):
            some = rows[start : start + AT_A_TIME]
            values, vectors = embed_both_checked(self.inner, some, kind=kind)
            kept = [at for at, text in enumerate(some) if wanted is None or wanted(text)]
            self.table.put([some[at] for at in kept], [vectors[at] for at in kept])
            parts.append(values)
        return np.concatenate(parts) if parts else np.empty((0, self.dim), np.float32)

    def embed_tokens(self, texts: Sequence[str], *, kind: Kind) -> list[TokenVectors]:
        """See `TokenEmbedder.embed_tokens`; nothing is kept, as whole vectors are asked for."""
        found: list[TokenVectors] = self.inner.embed_tokens(texts, kind=kind)
        return found

    def embed_both(
        self, texts: Sequence[str], *, kind: Kind
    ) -> tuple[NDArray[np.float32], list[TokenVectors]]:
        """See `SentenceAndTokenEmbedder.embed_both`; nothing is kept."""
        both: tuple[NDArray[np.float32], list[TokenVectors]] = self.inner.embed_both(
            texts, kind=kind
        )
        return both


class _WithImages(TokenKeepingEmbedder):
    def embed_images(self, paths: Sequence[str | PathLike[str]]) -> NDArray[np.float32]:
        values: NDArray[np.float32] = self.inner.embed_images(paths)
        return values


def keeping_tokens(
    embedder: Embedder, table: TokenTable, *, wanted: Callable[[str], bool] | None = None
) -> Embedder:
    """Return an embedder that keeps tokens as it embeds; the same one if it cannot give both.

    A cache of sentence vectors goes around it, not inside: `with_cache(keeping_tokens(…), …)`.

    Args:
        embedder: As it was loaded.
        table: Holds the tokens, of the same embedder.
        wanted: Tells of a document whether its tokens are kept; of all unless given.
    """
    if not isinstance(embedder, SentenceAndTokenEmbedder):
        return embedder
    if isinstance(embedder, ImageEmbedder):
        return _WithImages(embedder, table, wanted)
    return TokenKeepingEmbedder(embedder, table, wanted)


def table_of(embedder: Any) -> TokenTable | None:
    """Return the table of an embedder that keeps tokens already, be it behind a cache."""
    while embedder is not None:
        if isinstance(embedder, TokenKeepingEmbedder):
            return embedder.table
        embedder = getattr(embedder, "inner", None)
    return None
