"""Token vectors of texts, the most recently used kept within a bound of bytes."""

from __future__ import annotations

from collections import OrderedDict
from hashlib import blake2b
from threading import Lock
from typing import TYPE_CHECKING, Final

import numpy as np

from engram_lab.core.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from engram_lab.retrieval.embedders.protocol import TokenEmbedder

__all__ = ["TokenCache", "widened"]

_OVERHEAD: Final = 256
"""What an entry takes beside its numbers, in bytes: array, digest and place in the dictionary."""

_SIGN_AND_BITS: Final = np.int32(-0x70002000)  # 0x8FFFE000
_BIAS: Final = np.float32(2.0**112)
"""Exponents count from 15 in 16 bits and from 127 in 32."""


def widened(values: NDArray[np.float16]) -> NDArray[np.float32]:
    """Return the same finite numbers as float32, several times as fast as `astype` makes them.

    The bits of a half float, moved to where a float has them, are that number but for the bias of
    the exponent, which one multiplication puts right, exactly, subnormal numbers included.
    """
    bits = values.view(np.int16).astype(np.int32)
    bits <<= 13
    bits &= _SIGN_AND_BITS
    wide = bits.view(np.float32)
    wide *= _BIAS
    return wide


class TokenCache:
    """The token vectors of texts as float16, made when first asked for. Threads may share it.

    A text is known by a digest of itself, not by the `content_hash` of its memory: that one is the
    same for texts that differ in case, whose vectors differ.

    Args:
        embedder: Makes the vectors.
        most_bytes: How much is kept; 0 keeps nothing.
    """

    def __init__(self, embedder: TokenEmbedder, *, most_bytes: int) -> None:
        if most_bytes < 0:
            raise InvalidInputError(f"most_bytes is {most_bytes}: give a whole number from 0")
        self._embedder = embedder
        self._most_bytes = most_bytes
        self._held: OrderedDict[bytes, NDArray[np.float16]] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    @property
    def held_bytes(self) -> int:
        """How many bytes are kept now."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._held)

    def of(self, texts: Sequence[str]) -> list[NDArray[np.float16]]:
        """Return the token vectors of each text: float16 [tokens, dim], unit rows.

        All that are missing are made in one call, outside the lock: two threads may make the same.
        """
        digests = [
            blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
            for text in texts
        ]
        found: dict[bytes, NDArray[np.float16]] = {}
        with self._lock:
            for digest in digests:
                if digest in self._held:
                    self._held.move_to_end(digest)
                    found[digest] = self._held[digest]
        missing = {
            digest: text for digest, text in zip(digests, texts, strict=True) if digest not in found
        }
        if missing:
            made = self._embedder.embed_tokens(list(missing.values()), kind="document")
            new = {
                digest: each.values.astype(np.float16)
                for digest, each in zip(missing, made, strict=True)
            }
            found |= new
            self._keep(new)
        return [found[digest] for digest in digests]

    def _keep(self, new: dict[bytes, NDArray[np.float16]]) -> None:
        with self._lock:
            for digest, values in new.items():
                if digest not in self._held:
                    self._held[digest] = values
                    self._bytes += values.nbytes + _OVERHEAD
            while self._bytes > self._most_bytes:
                _, oldest = self._held.popitem(last=False)
                self._bytes -= oldest.nbytes + _OVERHEAD
