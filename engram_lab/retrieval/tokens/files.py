"""Token codes in files: some are added with each saving, and now and then all become one."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from engram_lab.retrieval.arrays import BadIndexFileError, read_arrays, write_arrays
from engram_lab.retrieval.tokens.table import DIGEST_BYTES
from engram_lab.retrieval.tokens.words import WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from engram_lab.retrieval.tokens.codec import TokenCodec

__all__ = ["TokenFile", "TokenFiles"]

_KIND: Final = "tokens-1"
_NUMBER: Final = "[0-9a-f]" * 8


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenFile:
    """A file as it was read, mapped into memory.

    Attributes:
        name: Of the file.
        entries: The codes of texts by digest, in the order of writing.
    """

    name: str
    entries: Mapping[bytes, memoryview]


class TokenFiles:
    """The files of one embedder and one codec in a folder.

    A file is never changed. Their names rise in the order of writing; what is in none of them is
    made anew, so one that is damaged, or is another's, is passed over.

    Args:
        folder: Where they lie; made when first needed.
        embedder: The fingerprint of what made the vectors.
        dim: How many numbers a vector has.
        codec: What made them small.
    """

    def __init__(self, folder: Path, *, embedder: str, dim: int, codec: TokenCodec) -> None:
        self._folder = folder
        self._about: dict[str, Any] = {
            "kind": _KIND,
            "embedder": embedder,
            "dim": dim,
            "codec": codec.name,
            "tokens": WORDS,
        }
        self._width = codec.width(dim)
        told = sha256(repr(sorted(self._about.items())).encode()).hexdigest()
        self._stem = f"tokens-{told[:16]}"

    def names(self) -> list[str]:
        """Return the names of the files, in the order of writing."""
        pattern = f"{self._stem}-{_NUMBER}-{_NUMBER}.index"
        return sorted(file.name for file in self._folder.glob(pattern))

    def bytes_of(self, names: Iterable[str]) -> int:
        """Return how much files take on the disk; one that is gone takes nothing."""
        total = 0
        for name in names:
            with suppress(FileNotFoundError):
                total += (self._folder / name).stat().st_size
        return total

    def read(self, names: Iterable[str]) -> list[TokenFile]:
        """Return files, every byte of them verified, without those that are of no use."""
        found = []
        for name in names:
            entries = self._entries(self._folder / name)
            if entries is not None:
                found.append(TokenFile(name=name, entries=entries))
        return found

    def _entries(self, file: Path) -> dict[bytes, memoryview] | None:
        try:
            header, arrays = read_arrays(file)
            if any(header.get(name) != value for name, value in self._about.items()):
                return None
            digests, sizes, codes = arrays["digests"], arrays["sizes"], arrays["codes"]
        except (BadIndexFileError, OSError, KeyError):
            return None
        if not self._fits(digests, sizes, codes):
            return None
        ends = (sizes.astype(np.int64) * self._width).cumsum().tolist()
        data = codes.data
        whole = digests.tobytes()
        keys = [whole[at : at + DIGEST_BYTES] for at in range(0, len(whole), DIGEST_BYTES)]
        return {
            key: data[start:end] for key, start, end in zip(keys, [0, *ends], ends, strict=False)
        }

    def _fits(self, digests: NDArray[Any], sizes: NDArray[Any], codes: NDArray[Any]) -> bool:
        return (
            [each.dtype.str for each in (digests, sizes, codes)] == ["|u1", "<i4", "|u1"]
            and digests.shape == (len(sizes), DIGEST_BYTES)
            and codes.ndim == sizes.ndim == 1
            and bool((sizes >= 0).all())
            and int(sizes.sum(dtype=np.int64)) * self._width == len(codes)
        )

    def write(self, entries: Mapping[bytes, bytes | memoryview]) -> TokenFile:
        """Write entries into a file of their own, and return it as it is read.

        Raises:
            OSError: It cannot be written, or not be read again.
        """
        digests = np.frombuffer(b"".join(entries), np.uint8).reshape(-1, DIGEST_BYTES)
        lengths = np.fromiter(map(len, entries.values()), np.int64, len(entries))
        codes = np.frombuffer(b"".join(entries.values()), np.uint8)
        self._folder.mkdir(parents=True, exist_ok=True)
        before = self.names()
        number = int(before[-1].split("-")[2], 16) + 1 if before else 1
        # The digests in the name keep two who write at the same time apart.
        marks = sha256(b"".join(entries)).hexdigest()[:8]
        name = f"{self._stem}-{number:08x}-{marks}.index"
        write_arrays(
            self._folder / name,
            self._about,
            {
                "digests": digests,
                "sizes": (lengths // self._width).astype("<i4"),
                "codes": codes,
            },
        )
        written = self.read([name])
        if not written:
            raise OSError(f"the file {self._folder / name} does not hold what was just written")
        return written[0]

    def remove(self, names: Iterable[str]) -> None:
        """Remove files; those that are gone already are none.

        Raises:
            OSError: One cannot be removed.
        """
        for name in names:
            (self._folder / name).unlink(missing_ok=True)

    def remove_all(self) -> None:
        """Remove all files, and what a process left that was killed while it wrote.

        Raises:
            OSError: One cannot be removed.
        """
        for file in [
            *self._folder.glob(f"{self._stem}-*.index"),
            *self._folder.glob(f".{self._stem}*.tmp"),
        ]:
            file.unlink(missing_ok=True)
