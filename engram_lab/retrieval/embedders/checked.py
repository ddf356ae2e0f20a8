"""An embedder asked with care: whatever a plug-in does, it is vectors that come back, or an error.

A vector of NaN or of another length would be compared with others, and rank them by chance.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from engram_lab.core.checks import check_label
from engram_lab.core.errors import EmbedderError, EngramError, shown
from engram_lab.retrieval.embedders.protocol import TokenVectors

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from engram_lab.retrieval.embedders.protocol import (
        Embedder,
        Kind,
        SentenceAndTokenEmbedder,
        TokenEmbedder,
    )

__all__ = ["checked", "embed_both_checked", "embed_checked", "embed_tokens_checked"]


def checked(embedder: Any) -> Embedder:
    """Return an embedder that says what it is: a fingerprint and a dimension that can be used.

    Raises:
        EmbedderError: It does not.
    """
    try:
        fingerprint, dim = embedder.fingerprint, embedder.dim
        check_label(fingerprint, field="its fingerprint")
    except EmbedderError:  # a provider may be asked for its dimension first, and says what is wrong
        raise
    except Exception as error:
        raise EmbedderError(
            f"a {type(embedder).__name__} is no embedder ({type(error).__name__}: {error}): see "
            "engram_lab.testing.check_embedder"
        ) from error
    if not isinstance(dim, int | np.integer) or isinstance(dim, bool) or dim < 1:
        raise EmbedderError(
            f"the embedder {shown(fingerprint)} has the dimension {shown(dim)}: it must be a whole "
            "number from 1"
        )
    found: Embedder = embedder
    return found


def embed_checked(embedder: Embedder, texts: Sequence[str], *, kind: Kind) -> NDArray[np.float32]:
    """Return what an embedder makes of texts: float32 [n, dim], all finite, as it gave them.

    Raises:
        InvalidInputError: The embedder refuses a text.
        EmbedderError: It failed, in whatever way, or gave something else. What looks like a
            network that was away is worth another try.
    """
    with _failing(embedder):
        given: Any = embedder.embed(texts, kind=kind)
    return _table(embedder, given, [len(texts), embedder.dim])


def embed_tokens_checked(
    embedder: TokenEmbedder, texts: Sequence[str], *, kind: Kind
) -> list[TokenVectors]:
    """Return the token vectors of texts: as many as there are texts, all finite.

    Raises:
        InvalidInputError: The embedder refuses a text.
        EmbedderError: It failed, in whatever way, or gave something else.
    """
    with _failing(embedder):
        given: Any = embedder.embed_tokens(texts, kind=kind)
    return _token_tables(embedder, given, len(texts))


def embed_both_checked(
    embedder: SentenceAndTokenEmbedder, texts: Sequence[str], *, kind: Kind
) -> tuple[NDArray[np.float32], list[TokenVectors]]:
    """Return the vectors of texts and of their tokens, checked as each of them alone.

    Raises:
        InvalidInputError: The embedder refuses a text.
        EmbedderError: It failed, in whatever way, or gave something else.
    """
    with _failing(embedder):
        given: Any = embedder.embed_both(texts, kind=kind)
    try:
        values, tokens = given
    except (TypeError, ValueError):
        raise _wrong(embedder, f"a {type(given).__name__} that is no pair of both") from None
    table = _table(embedder, values, [len(texts), cast("Embedder", embedder).dim])
    return table, _token_tables(embedder, tokens, len(texts))


@contextmanager
def _failing(embedder: object) -> Iterator[None]:
    """Turn whatever a plug-in raises into an error of ours."""
    try:
        yield
    except EngramError:
        raise
    except Exception as error:
        raise EmbedderError(
            f"the embedder {_name(embedder)} failed with {type(error).__name__}: {error}",
            retryable=isinstance(error, OSError),
        ) from error


def _table(embedder: object, given: Any, wanted: list[int]) -> NDArray[np.float32]:
    try:
        if np.iscomplexobj(given):  # what is imaginary would be left out
            raise _wrong(embedder, "complex numbers")
        with np.errstate(over="ignore"):  # what is too large becomes infinite, and is refused
            values = np.asarray(given, np.float32)
    except (TypeError, ValueError):
        raise _wrong(embedder, f"a {type(given).__name__} that is no table of numbers") from None
    if list(values.shape) != wanted:
        raise _wrong(embedder, f"vectors of the shape {list(values.shape)} instead of {wanted}")
    if not np.isfinite(values).all():
        raise _wrong(embedder, "NaN or infinity")
    return values


def _token_tables(embedder: object, given: Any, n: int) -> list[TokenVectors]:
    try:
        pairs = [(tuple(tokens), values) for tokens, values in given]
    except (TypeError, ValueError):
        raise _wrong(embedder, f"a {type(given).__name__} that is no list of tokens") from None
    if len(pairs) != n:
        raise _wrong(embedder, f"the tokens of {len(pairs)} texts instead of {n}")
    found: list[TokenVectors] = []
    dims = {int(np.shape(values)[-1]) for tokens, values in pairs if tokens and np.ndim(values)}
    dim = next(iter(dims), 0)  # none, where no text has a token
    for tokens, values in pairs:
        if tokens:
            found.append(TokenVectors(tokens, _table(embedder, values, [len(tokens), dim])))
        else:
            found.append(TokenVectors(tokens, np.empty((0, dim), np.float32)))
    return found


def _wrong(embedder: object, given: str) -> EmbedderError:
    return EmbedderError(
        f"the embedder {_name(embedder)} gave {given}: repair it, or set another as embedding.model"
    )


def _name(embedder: object) -> str:
    """What it calls itself; one that gives token vectors need not say more."""
    return shown(getattr(embedder, "fingerprint", type(embedder).__name__))
