"""An embedder asked with care: whatever a plug-in does, it is vectors that come back, or an error.

A vector of NaN or of another length would be compared with others, and rank them by chance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engram_lab.core.checks import check_label
from engram_lab.core.errors import EmbedderError, EngramError, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from engram_lab.retrieval.embedders.protocol import Embedder, Kind

__all__ = ["checked", "embed_checked"]


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
    try:
        given: Any = embedder.embed(texts, kind=kind)
    except EngramError:
        raise
    except Exception as error:
        raise EmbedderError(
            f"the embedder {shown(embedder.fingerprint)} failed with "
            f"{type(error).__name__}: {error}",
            retryable=isinstance(error, OSError),
        ) from error
    wanted = [len(texts), embedder.dim]
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


def _wrong(embedder: Embedder, given: str) -> EmbedderError:
    return EmbedderError(
        f"the embedder {shown(embedder.fingerprint)} gave {given}: repair it, or set another as "
        "embedding.model"
    )
