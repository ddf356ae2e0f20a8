"""Token vectors in few bytes, such that inner products can be taken from the codes themselves."""

from __future__ import annotations

from hashlib import shake_128
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from engram_lab.core.errors import InvalidInputError, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["HalfFloats", "SmallCodes", "TokenCodec"]

_ROWS: Final = 512
"""Rows that are unpacked at a time: few enough to stay in the cache until they are used."""

_COLUMNS: Final = 16
_PRODUCTS: Final = 900_000
"""OpenBLAS has kernels for matrices whose three sizes multiply to a million at most, which are
twice as fast as the others where one side is as narrow as a question, and whole vectors wide."""

_STEPS: Final[Mapping[int, float]] = {1: 1.596, 2: 0.9957, 4: 0.3352}
"""The step of the best uniform quantiser of a normal variable of variance 1, by its bits."""

_LABEL: Final = b"engram_lab token codes"
_SCALE_BYTES: Final = 2

_SIGN_AND_BITS: Final = np.int32(-0x70002000)  # 0x8FFFE000
_BIAS: Final = np.float32(2.0**112)
"""Exponents count from 15 in 16 bits and from 127 in 32."""


class TokenCodec(Protocol):
    """Turns vectors into rows of bytes, and compares such rows with vectors.

    Guarantees: the bytes of a vector are the same whenever it is encoded among the same others;
    the cosines of a row depend on that row and on what is asked alone, but for the last few bits.
    Threads may share it.
    """

    @property
    def name(self) -> str:
        """What all depends on that changes a byte."""
        ...

    def width(self, dim: int) -> int:
        """Return how many bytes a vector of `dim` numbers takes, from 1."""
        ...

    def encode(self, values: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Return uint8 [n, width] for float32 [n, dim], rows of length 1 or of zeros."""
        ...

    def decode(self, rows: NDArray[np.uint8], dim: int) -> NDArray[np.float32]:
        """Return float32 [n, dim], near to what was encoded as uint8 [n, width]."""
        ...

    def cosines(self, rows: NDArray[np.uint8], asked: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return float32 [n, q] from -1 to 1.

        Args:
            rows: uint8 [n, width].
            asked: float32 [q, dim], rows of length 1 or of zeros.
        """
        ...


class HalfFloats:
    """Each number in 16 bits: 11 of them significant, 2 · dim bytes a vector."""

    @property
    def name(self) -> str:
        """`float16`."""
        return "float16"

    def width(self, dim: int) -> int:
        """Return 2 · dim."""
        return 2 * dim

    def encode(self, values: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Return uint8 [n, 2 · dim]; see `TokenCodec.encode`."""
        halves = np.ascontiguousarray(values, "<f2")
        return halves.view(np.uint8).reshape(values.shape[0], 2 * values.shape[1])

    def decode(self, rows: NDArray[np.uint8], dim: int) -> NDArray[np.float32]:
        """Return float32 [n, dim], several times as fast as `astype` makes them.

        The bits of a half float, moved to where a float has them, are that number but for the bias
        of the exponent, which one multiplication puts right, exactly, subnormal numbers included.
        """
        bits = rows.view("<i2").reshape(len(rows), dim).astype(np.int32)
        bits <<= 13
        bits &= _SIGN_AND_BITS
        wide = bits.view(np.float32)
        wide *= _BIAS
        return wide

    def cosines(self, rows: NDArray[np.uint8], asked: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return float32 [n, q]; see `TokenCodec.cosines`."""
        wanted = _columns(asked)
        found = np.empty((len(rows), wanted.shape[1]), np.float32)
        for at in range(0, len(rows), _ROWS):
            part = slice(at, at + _ROWS)
            _multiply(self.decode(rows[part], asked.shape[1]), wanted, found[part])
        return found[:, : len(asked)].clip(-1, 1)


class SmallCodes:
    """Each number in 1, 2 or 4 bits, after a turn that spreads what a vector says evenly.

    A vector x is turned by an orthogonal matrix R that is the same for everybody: signs drawn once
    for all, then a discrete cosine transform. After it the numbers of any vector are distributed
    nearly normally with variance 1 / dim, so that one uniform quantiser suits all of them, and its
    codes c need no table. A scale |x|² / ⟨R x, c⟩ goes with each row, in 16 bits: with it the
    estimate ⟨R q, c⟩ · scale of ⟨q, x⟩ is without bias, and ⟨x, x⟩ comes out as it was.

    Nothing is learned from texts, so nothing of a text is in what others' codes are made with.

    On conversations of 5,882 turns, with vectors of 384 numbers: 4 bits rank as half floats do, in
    a quarter of the room; 2 bits lose 0.1 points of recall at 10 on average, 1 bit 0.3.

    Source: Gao and Long, "RaBitQ" (SIGMOD 2024), section 3 (codes of rotated unit vectors; theorem
        3.2, the estimator and its error of order 1 / √dim); Gao et al., "Practical and
        Asymptotically Optimal Quantization of High-Dimensional Vectors" (SIGMOD 2025), section 3
        (more bits than one); Max, "Quantizing for Minimum Distortion" (1960), table II (the steps);
        Ahmed, Natarajan and Rao, "Discrete Cosine Transform" (1974), equation 1.

    Args:
        bits: Of each number.

    Raises:
        InvalidInputError: Another number of bits.
    """

    def __init__(self, *, bits: int = 4) -> None:
        if bits not in _STEPS:
            raise InvalidInputError(f"bits is {shown(bits)}: allowed are 1, 2 and 4")
        self._bits = bits
        self._per_byte = 8 // bits
        self._top = 2**bits - 1
        self._turns: dict[int, NDArray[np.float32]] = {}

    @property
    def name(self) -> str:
        """The number of bits, and which turn."""
        return f"turned-{self._bits}bit-1"

    def width(self, dim: int) -> int:
        """Return dim · bits / 8, rounded up, and 2 for the scale."""
        return self._places(dim) + _SCALE_BYTES

    def _places(self, dim: int) -> int:
        return -(-dim // self._per_byte)

    def _turn(self, dim: int) -> NDArray[np.float32]:
        """Return R, transposed, with room for whole bytes: [dim, a multiple of numbers a byte]."""
        turn = self._turns.get(dim)
        if turn is None:
            turn = np.zeros((dim, self._places(dim) * self._per_byte), np.float32)
            turn[:, :dim] = _turn(dim)
            self._turns[dim] = turn
        return turn

    def encode(self, values: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Return uint8 [n, width]; see `TokenCodec.encode`."""
        n, dim = values.shape
        turned = values @ self._turn(dim)
        middle = (self._top + 1) / 2
        steps = turned * np.float32(np.sqrt(dim) / _STEPS[self._bits])
        codes = np.clip(np.floor(steps) + middle, 0, self._top)
        centred = (codes[:, :dim] - self._top / 2).astype(np.float32)
        along = np.einsum("ij,ij->i", turned[:, :dim], centred)
        lengths = np.einsum("ij,ij->i", values, values)
        scales = np.divide(lengths, along, out=np.zeros(n, np.float32), where=along > 0)
        parts = codes.astype(np.uint8).reshape(n, self._per_byte, self._places(dim))
        rows = np.zeros((n, self.width(dim)), np.uint8)
        for place in range(self._per_byte):
            rows[:, :-_SCALE_BYTES] |= parts[:, place] << (place * self._bits)
        rows[:, -_SCALE_BYTES:] = scales.astype("<f2")[:, None].view(np.uint8)
        return rows

    def _unpack(self, rows: NDArray[np.uint8], into: NDArray[np.float32]) -> None:
        """Write the codes of rows, from 0, into float32 [n, places · numbers a byte]."""
        packed = rows[:, :-_SCALE_BYTES]
        places = packed.shape[1]
        for place in range(self._per_byte):
            codes = packed >> (place * self._bits) if place else packed
            if place < self._per_byte - 1:
                codes = codes & self._top
            into[:, place * places : (place + 1) * places] = codes

    def decode(self, rows: NDArray[np.uint8], dim: int) -> NDArray[np.float32]:
        """Return float32 [n, dim]; see `TokenCodec.decode`."""
        codes = np.empty((len(rows), self._places(dim) * self._per_byte), np.float32)
        self._unpack(rows, codes)
        centred = codes[:, :dim] - np.float32(self._top / 2)
        turned = np.asarray(centred @ self._turn(dim)[:, :dim].T, np.float32)
        turned *= _scales(rows)
        return turned

    def cosines(self, rows: NDArray[np.uint8], asked: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return float32 [n, q]; see `TokenCodec.cosines`."""
        turned = asked @ self._turn(asked.shape[1])  # [q, numbers of whole bytes]
        wanted = _columns(turned)
        found = np.empty((len(rows), wanted.shape[1]), np.float32)
        codes = np.empty((min(_ROWS, len(rows)), len(wanted)), np.float32)
        for at in range(0, len(rows), _ROWS):
            part = rows[at : at + _ROWS]
            self._unpack(part, codes[: len(part)])
            _multiply(codes[: len(part)], wanted, found[at : at + _ROWS])
        # Codes count from 0, not from the middle: what that adds is the same in every row.
        found -= wanted.sum(axis=0) * np.float32(self._top / 2)
        found *= _scales(rows)
        return found[:, : len(asked)].clip(-1, 1)


def _columns(asked: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return rows as columns, filled up with zeros to whole vectors of the processor."""
    columns = np.zeros((asked.shape[1], -(-len(asked) // _COLUMNS) * _COLUMNS), np.float32)
    columns[:, : len(asked)] = asked.T
    return columns


def _multiply(
    rows: NDArray[np.float32], columns: NDArray[np.float32], into: NDArray[np.float32]
) -> None:
    step = max(_PRODUCTS // max(columns.size, 1), 1)
    for at in range(0, len(rows), step):
        np.matmul(rows[at : at + step], columns, out=into[at : at + step])


def _turn(dim: int) -> NDArray[np.float32]:
    """Return the matrix that turns rows from the right: float32 [dim, dim], orthogonal."""
    drawn = np.frombuffer(shake_128(_LABEL).digest(-(-dim // 8)), np.uint8)
    signs = 1.0 - 2.0 * np.unpackbits(drawn)[:dim]
    at = np.arange(dim)
    waves = np.cos(np.pi / dim * np.outer(at + 0.5, at)) * np.sqrt(2 / dim)
    waves[:, 0] /= np.sqrt(2)
    return np.asarray(waves * signs[:, None], np.float32)


def _scales(rows: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return what goes with each row: float32 [n, 1]."""
    tail = np.ascontiguousarray(rows[:, -_SCALE_BYTES:])
    return tail.view("<f2").astype(np.float32)
