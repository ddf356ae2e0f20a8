"""The token codes of texts: held within a bound of bytes, made where they are missing."""

from __future__ import annotations

from collections import OrderedDict
from hashlib import blake2b
from threading import Lock
from typing import TYPE_CHECKING, Final

from engram_lab.core.errors import EmbedderError, InvalidInputError
from engram_lab.retrieval.embedders.checked import embed_tokens_checked
from engram_lab.retrieval.tokens.codec import SmallCodes
from engram_lab.retrieval.tokens.words import worded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from engram_lab.retrieval.embedders.protocol import TokenEmbedder, TokenVectors
    from engram_lab.retrieval.tokens.codec import TokenCodec

__all__ = ["AT_A_TIME", "DIGEST_BYTES", "MOST_BYTES", "TokenTable", "digest_of"]

AT_A_TIME: Final = 128
"""Texts whose token vectors are in memory together: at 254 tokens of 384 numbers, 50 MB."""

DIGEST_BYTES: Final = 16

MOST_BYTES: Final = 256 * 2**20
"""Some 46 thousand turns of a conversation, at 28 words of 384 numbers of 4 bits a turn."""

_OVERHEAD: Final = 256
"""What an entry takes beside its codes, in bytes: two objects and a place in the dictionary."""


def digest_of(text: str) -> bytes:
    """Return what a table knows a text by.

    It is not the `content_hash` of its memory: that one is the same for texts that differ in case,
    whose vectors differ.
    """
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES).digest()


class TokenTable:
    """The codes of texts' token vectors. Threads may share it.

    Guarantees: what is returned for a text is the same whether it was held or not, as far as the
    embedder gives the same vectors again: every vector goes through the codec. No more than
    `most_bytes` are held; the least recently used leave first. A text that is removed while its
    codes are being made is not held afterwards.

    Args:
        embedder: Makes the vectors.
        codec: Makes them small; 4 bits a number unless given.
        most_bytes: How much is held; 0 holds nothing.

    Raises:
        InvalidInputError: `most_bytes` is below 0.
    """

    def __init__(
        self,
        embedder: TokenEmbedder,
        *,
        codec: TokenCodec | None = None,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        if most_bytes < 0:
            raise InvalidInputError(f"most_bytes is {most_bytes}: give a whole number from 0")
        self._embedder = embedder
        self._codec = codec or SmallCodes()
        self._most_bytes = most_bytes
        # Bytes are in memory alone; a view is mapped from a file.
        self._held: OrderedDict[bytes, bytes | memoryview] = OrderedDict()
        self._bytes = 0
        self._dim: int | None = None
        self._removals = 0
        self._lock = Lock()

    @property
    def codec(self) -> TokenCodec:
        """What makes the codes, and reads them."""
        return self._codec

    @property
    def dim(self) -> int | None:
        """How many numbers a vector has; None until one was made here."""
        return self._dim

    @property
    def held_bytes(self) -> int:
        """How many bytes are held now, those mapped from files included."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, text: str) -> bool:
        return digest_of(text) in self._held

    def of(self, texts: Sequence[str]) -> list[bytes | memoryview]:
        """Return the codes of each text: of as many tokens as it is rows long.

        What is missing is made outside the lock: two threads may make the same.

        Raises:
            InvalidInputError: The embedder refuses a text.
            EmbedderError: It failed, or gave something else than token vectors.
        """
        digests = [digest_of(text) for text in texts]
        found: dict[bytes, bytes | memoryview] = {}
        with self._lock:
            removals = self._removals
            for digest in digests:
                if (codes := self._held.get(digest)) is not None:
                    self._held.move_to_end(digest)
                    found[digest] = codes
        missing = {
            digest: text for digest, text in zip(digests, texts, strict=True) if digest not in found
        }
        if missing:
            new = dict(zip(missing, self._made(list(missing.values())), strict=True))
            found |= new
            with self._lock:
                if self._removals == removals:
                    self._hold(new)
        return [found[digest] for digest in digests]

    def _made(self, texts: list[str]) -> Iterator[bytes]:
        for start in range(0, len(texts), AT_A_TIME):
            some = texts[start : start + AT_A_TIME]
            for each in embed_tokens_checked(self._embedder, some, kind="document"):
                yield self._encoded(each)

    def put(self, texts: Sequence[str], vectors: Sequence[TokenVectors]) -> None:
        """Hold the codes of texts whose vectors are at hand.

        Raises:
            EmbedderError: The vectors have another dimension than those before.
            ValueError: There are more or fewer vectors than texts.
        """
        new = {
            digest_of(text): self._encoded(each) for text, each in zip(texts, vectors, strict=True)
        }
        with self._lock:
            self._hold(new)

    def _encoded(self, vectors: TokenVectors) -> bytes:
        if not vectors.tokens:
            return b""
        values = worded(vectors)
        if self._dim not in {None, values.shape[1]}:
            raise EmbedderError(
                f"a token vector has {values.shape[1]} numbers, and others have {self._dim}: give "
                "those of one embedder"
            )
        self._dim = values.shape[1]
        # Text by text, so that no code depends on what else is made at the same time.
        return self._codec.encode(values).tobytes()

    def _hold(self, new: Mapping[bytes, bytes | memoryview]) -> None:
        for digest, codes in new.items():
            if digest in self._held:
                self._held.move_to_end(digest)
            else:
                self._held[digest] = codes
                self._bytes += len(codes) + _OVERHEAD
        while self._bytes > self._most_bytes:
            self._drop(next(iter(self._held)))

    def _drop(self, digest: bytes) -> bool:
        """Let go of an entry, and tell whether it lies in a file."""
        codes = self._held.pop(digest, b"")
        self._bytes -= len(codes) + _OVERHEAD
        return isinstance(codes, memoryview)

    def remove(self, texts: Iterable[str]) -> bool:
        """Forget texts, and tell whether codes of one of them lie in a file."""
        digests = {digest_of(text) for text in texts}
        with self._lock:
            return self._remove(digests & self._held.keys())

    def keep(self, texts: Iterable[str]) -> bool:
        """Forget all but some texts, and tell whether codes of one that went lie in a file."""
        digests = {digest_of(text) for text in texts}
        with self._lock:
            return self._remove(self._held.keys() - digests)

    def _remove(self, digests: Iterable[bytes]) -> bool:
        self._removals += 1
        in_a_file = [self._drop(digest) for digest in digests]
        if any(in_a_file):
            self._unmap()
        return any(in_a_file)

    def _unmap(self) -> None:
        """Hold everything in memory, so that a file that was removed is gone from the disk too."""
        for digest, codes in self._held.items():
            if isinstance(codes, memoryview):
                self._held[digest] = bytes(codes)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._removals += 1
            self._held.clear()
            self._bytes = 0

    def detach(self) -> None:
        """Hold in memory what was mapped from files."""
        with self._lock:
            self._unmap()

    def entries(self) -> dict[bytes, bytes | memoryview]:
        """Return all that is held, by digest, the least recently used first.

        Bytes lie in memory alone; a view lies in a file.
        """
        with self._lock:
            return dict(self._held)

    def attach(self, entries: Mapping[bytes, bytes | memoryview]) -> None:
        """Hold what a file holds, as older than all that is held; or in place of the same bytes.

        What would not fit is left out.
        """
        with self._lock:
            older = []
            for digest, codes in entries.items():
                if digest in self._held:
                    self._held[digest] = codes
                else:
                    older.append((digest, codes))
            for digest, codes in reversed(older):
                if self._bytes + len(codes) + _OVERHEAD > self._most_bytes:
                    break
                self._held[digest] = codes
                self._held.move_to_end(digest, last=False)
                self._bytes += len(codes) + _OVERHEAD
