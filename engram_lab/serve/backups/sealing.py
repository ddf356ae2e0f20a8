"""Sealing: encryption of a file in pieces, such that any change of it is found.

A sealed file is a head, then pieces of 64 KiB, each encrypted and authenticated by itself. What a
piece is, first, fourth or last, stands in its nonce, so that pieces left out, swapped, repeated,
added or taken from another file do not open. The head names the key and carries a label that
anybody may read; it is authenticated with every piece. Each file has a key of its own, derived
from the ring's key, a salt and the head, so that no nonce is ever used twice with one key.

    bytes   what
    8       b"ENGRAMBK"
    1       the version of this format: 1
    8       the id of the key
    32      the salt
    4       the length of the label, big-endian
    n       the label
    …       pieces: 65,536 bytes (the last one: 0 to 65,536) and a tag of 16 bytes

Source: V. T. Hoang, R. Reyhanitabar, P. Rogaway, D. Vizár, "Online Authenticated-Encryption and
its Nonce-Reuse Misuse-Resistance", CRYPTO 2015, section 7 (STREAM: a counter and a mark of the
last piece in the nonce); NIST SP 800-38D (GCM); RFC 5869 (HKDF, here with SHA-256).
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from engram_lab.core.errors import BackupError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO

    from engram_lab.serve.backups.key_file import BackupKey, KeyRing

__all__ = ["PIECE_BYTES", "Opened", "open_sealed", "seal", "sealed_size"]

PIECE_BYTES: Final = 65_536
"""So much is encrypted at a time."""

_MAGIC: Final = b"ENGRAMBK"
_VERSION: Final = 1
_ID_BYTES: Final = 8
_SALT_BYTES: Final = 32
_FIXED_BYTES: Final = len(_MAGIC) + 1 + _ID_BYTES + _SALT_BYTES + 4
_TAG_BYTES: Final = 16
_COUNTER_BYTES: Final = 11
_MOST_LABEL: Final = 65_536
_PURPOSE: Final = b"engram backup, format 1"

_CHANGED: Final = "the backup is damaged or was changed: it does not open with its key"
_NO_BACKUP: Final = "this is no sealed backup, or its beginning is damaged"


def seal(source: BinaryIO, key: BackupKey, label: bytes) -> Iterator[bytes]:
    """Yield a sealed file, piece by piece.

    Args:
        source: What to seal; read to its end.
        key: See `KeyRing.newest`.
        label: What anybody may read and nobody can change.
    """
    if len(label) > _MOST_LABEL:
        raise BackupError(f"a label has {len(label)} bytes: {_MOST_LABEL} are allowed")
    salt = secrets.token_bytes(_SALT_BYTES)
    head = b"".join(
        (
            _MAGIC,
            _VERSION.to_bytes(1, "big"),
            bytes.fromhex(key.id),
            salt,
            len(label).to_bytes(4, "big"),
            label,
        )
    )
    cipher = _cipher(key, salt, head)
    yield head
    number, piece = 0, _read(source)
    while following := _read(source):
        yield cipher.encrypt(_nonce(number, last=False), piece, head)
        number, piece = number + 1, following
    yield cipher.encrypt(_nonce(number, last=True), piece, head)


def sealed_size(size_bytes: int, label: bytes) -> int:
    """Return how large a file of this size is once it is sealed."""
    pieces = max(1, -(-size_bytes // PIECE_BYTES))
    return _FIXED_BYTES + len(label) + size_bytes + pieces * _TAG_BYTES


class Opened:
    """A sealed file whose head is known to be true; iterate for what was sealed, once.

    Every piece is authenticated before it is handed out. That the file is whole is known only at
    its end, so whoever writes it down uses it after the last piece alone.

    Attributes:
        label: What it says of itself.
        key_id: Of the key that it was sealed with.
    """

    def __init__(self, *, label: bytes, key_id: str, pieces: Iterator[bytes]) -> None:
        self.label = label
        self.key_id = key_id
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces


def open_sealed(stream: Iterable[bytes], keys: KeyRing) -> Opened:
    """Open a sealed file: read its head, and its first piece, which proves the head.

    Args:
        stream: The bytes of the file, in pieces of any size.
        keys: One of these sealed it.

    Raises:
        BackupError: It is none, was changed, or was sealed with a key that is not in the ring.
    """
    reader = _Reader(stream)
    fixed = reader.take(_FIXED_BYTES)
    if len(fixed) < _FIXED_BYTES or not fixed.startswith(_MAGIC):
        raise BackupError(_NO_BACKUP)
    version, rest = fixed[len(_MAGIC)], fixed[len(_MAGIC) + 1 :]
    if version != _VERSION:
        raise BackupError(
            f"the backup has format {version}, and this version reads {_VERSION}: "
            "open it with the version that made it"
        )
    length = int.from_bytes(rest[-4:], "big")
    if length > _MOST_LABEL:
        raise BackupError(_NO_BACKUP)
    label = reader.take(length)
    key = keys.get(rest[:_ID_BYTES].hex())
    head = fixed + label
    pieces = _opened(reader, _cipher(key, rest[_ID_BYTES:-4], head), head)
    first = next(pieces)  # there always is one, an empty one of an empty file
    return Opened(label=label, key_id=key.id, pieces=_led_by(first, pieces))


def _opened(reader: _Reader, cipher: AESGCM, head: bytes) -> Iterator[bytes]:
    number, last = 0, False
    while not last:
        piece = reader.take(PIECE_BYTES + _TAG_BYTES)
        last = reader.at_end()
        try:
            yield cipher.decrypt(_nonce(number, last=last), piece, head)
        except (InvalidTag, ValueError):
            raise BackupError(_CHANGED) from None
        number += 1


def _led_by(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


class _Reader:
    """Takes pieces of one size from a stream of pieces of any size."""

    def __init__(self, stream: Iterable[bytes]) -> None:
        self._stream = iter(stream)
        self._held = bytearray()

    def take(self, count: int) -> bytes:
        """Return so many bytes, fewer where the stream ends."""
        while len(self._held) < count and self._more():
            pass
        taken = bytes(self._held[:count])
        del self._held[:count]
        return taken

    def at_end(self) -> bool:
        """Tell whether there is nothing more."""
        while not self._held:
            if not self._more():
                return True
        return False

    def _more(self) -> bool:
        piece = next(self._stream, None)
        if piece is None:
            return False
        self._held += piece
        return True


def _read(source: BinaryIO) -> bytes:
    """Return one piece in full, as a source may give less than was asked for."""
    parts: list[bytes] = []
    missing = PIECE_BYTES
    while missing and (part := source.read(missing)):
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(_COUNTER_BYTES, "big") + (b"\x01" if last else b"\x00")


def _cipher(key: BackupKey, salt: bytes, head: bytes) -> AESGCM:
    derive = HKDF(algorithm=SHA256(), length=32, salt=salt, info=_PURPOSE + head)
    return AESGCM(derive.derive(key.secret))
