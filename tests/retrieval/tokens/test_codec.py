from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import InvalidInputError
from engram_lab.retrieval.tokens.codec import HalfFloats, SmallCodes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engram_lab.retrieval.tokens.codec import TokenCodec

SMALL = [SmallCodes(bits=bits) for bits in (1, 2, 4)]
CODECS: list[TokenCodec] = [*SMALL, HalfFloats()]
STEPS = {1: 1.596, 2: 0.9957, 4: 0.3352}

each_codec = pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.name)
each_small = pytest.mark.parametrize(
    ("codec", "bits"), list(zip(SMALL, (1, 2, 4), strict=True)), ids=lambda x: type(x).__name__
)


def unit(n: int, dim: int, seed: int = 0) -> NDArray[np.float32]:
    rows = np.random.default_rng(seed).normal(size=(n, dim))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


sizes = st.tuples(st.integers(0, 40), st.integers(1, 70), st.integers(0, 2**32 - 1))


@pytest.mark.parametrize(
    ("codec", "wanted"),
    [
        (SmallCodes(bits=1), [3, 3, 4, 50]),
        (SmallCodes(bits=2), [3, 4, 5, 98]),
        (SmallCodes(bits=4), [3, 6, 7, 194]),
        (HalfFloats(), [2, 16, 18, 768]),
    ],
    ids=["1", "2", "4", "16"],
)
def test_a_vector_takes_this_many_bytes(codec: TokenCodec, wanted: list[int]) -> None:
    assert [codec.width(dim) for dim in (1, 8, 9, 384)] == wanted
    for dim in (1, 8, 9, 384):
        rows = codec.encode(unit(3, dim))
        assert rows.dtype == np.uint8
        assert rows.shape == (3, codec.width(dim))


def test_4_bits_are_what_one_gets() -> None:
    assert SmallCodes().name == SmallCodes(bits=4).name
    assert len({codec.name for codec in CODECS}) == len(CODECS)


@pytest.mark.parametrize("bits", [0, 3, 8, 16, True, "2", None])
def test_other_numbers_of_bits_are_refused(bits: Any) -> None:
    if bits is True:  # 1 by another name
        assert SmallCodes(bits=bits).width(8) == 3
        return
    with pytest.raises(InvalidInputError, match="allowed are 1, 2 and 4"):
        SmallCodes(bits=bits)


@each_small
@given(size=sizes)
def test_a_vector_is_as_near_to_its_code_as_to_itself(
    codec: SmallCodes, bits: int, size: tuple[int, int, int]
) -> None:
    """The scale is chosen for that: the estimate of the inner product with itself is exact."""
    values = unit(*size)
    decoded = codec.decode(codec.encode(values), size[1])
    # 11 bits of the scale, of numbers near 1
    assert np.einsum("ij,ij->i", values, decoded) == pytest.approx(np.ones(size[0]), abs=1e-3)


@each_codec
@given(size=sizes, asked=st.integers(0, 35))
def test_cosines_are_those_of_what_is_decoded(
    codec: TokenCodec, size: tuple[int, int, int], asked: int
) -> None:
    rows = codec.encode(unit(*size))
    questions = unit(asked, size[1], seed=1)
    found = codec.cosines(rows, questions)
    assert found.dtype == np.float32
    assert found.shape == (size[0], asked)
    wanted = codec.decode(rows, size[1]).astype(np.float64) @ questions.T.astype(np.float64)
    np.testing.assert_allclose(found, wanted.clip(-1, 1), atol=2e-5)


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_codes_are_those_of_the_definition(bits: int) -> None:
    """Written down once more, number by number, from the matrix that the codec turns with."""
    dim, codec = 12, SmallCodes(bits=bits)
    values = unit(5, dim, seed=3)
    turn = turn_of(codec, dim)
    for value, decoded in zip(values, codec.decode(codec.encode(values), dim), strict=True):
        turned = [float(value @ turn[:, at]) for at in range(dim)]
        step, half = STEPS[bits] / dim**0.5, 2 ** (bits - 1)
        codes = [min(max(np.floor(each / step), -half), half - 1) + 0.5 for each in turned]
        scale = 1 / sum(code * each for code, each in zip(codes, turned, strict=True))
        assert decoded == pytest.approx(turn @ np.array(codes) * scale, abs=1e-3)


def turn_of(codec: SmallCodes, dim: int) -> NDArray[np.float64]:
    return codec._turn(dim)[:, :dim].astype(np.float64)


@pytest.mark.parametrize("dim", [1, 2, 7, 64, 384])
def test_vectors_are_turned_and_not_bent(dim: int) -> None:
    turn = turn_of(SmallCodes(), dim)
    np.testing.assert_allclose(turn @ turn.T, np.eye(dim), atol=1e-5)


def test_the_turn_is_the_same_for_ever() -> None:
    """Files hold codes that were made with it: where it changes, so must the codec's name."""
    assert SmallCodes(bits=2).name == "turned-2bit-1"
    signs = np.sign(turn_of(SmallCodes(), 16)[:, 0]).astype(int).tolist()
    assert signs == [1, -1, -1, -1, -1, -1, -1, 1, 1, 1, -1, -1, 1, -1, 1, -1]
    one = np.zeros((1, 16), np.float32)
    one[0, 5] = 1
    assert SmallCodes(bits=1).encode(one)[0].tolist() == [182, 146, 92, 56]
    assert SmallCodes(bits=2).encode(one)[0].tolist() == [56, 117, 226, 199, 253, 50]


@each_small
def test_the_error_is_as_small_as_the_theory_says(codec: SmallCodes, bits: int) -> None:
    """Of order sqrt((1 - r²) / r² / (dim - 1)) where r is the cosine of a vector and its code."""
    dim = 384
    values, asked = unit(400, dim, seed=1), unit(400, dim, seed=2)
    rows = codec.encode(values)
    decoded = codec.decode(rows, dim)
    near = np.einsum("ij,ij->i", values, decoded) / np.linalg.norm(decoded, axis=1)
    # The roots of 1 - D, with D as Max has it in table II: 0.3634, 0.1188, 0.0115.
    assert near.mean() == pytest.approx({1: 0.798, 2: 0.939, 4: 0.994}[bits], abs=2e-3)
    assert near.min() > {1: 0.74, 2: 0.91, 4: 0.98}[bits]
    errors = codec.cosines(rows, asked) - values @ asked.T
    wanted = np.sqrt((1 - near**2) / near**2 / (dim - 1))
    assert errors.std() == pytest.approx(wanted.mean(), rel=0.05)
    assert abs(errors.mean()) < 5 * wanted.mean() / 400  # no bias


@each_small
def test_vectors_along_one_axis_are_no_worse_than_others(codec: SmallCodes, bits: int) -> None:
    """Models have dimensions in which all vectors are large; the turn spreads them."""
    dim = 384
    decoded = codec.decode(codec.encode(np.eye(dim, dtype=np.float32)), dim)
    near = decoded.diagonal() / np.linalg.norm(decoded, axis=1)
    assert near.mean() > {1: 0.75, 2: 0.9, 4: 0.98}[bits]


@each_codec
def test_zeros_are_near_to_nothing(codec: TokenCodec) -> None:
    rows = codec.encode(np.zeros((2, 9), np.float32))
    assert (codec.cosines(rows, unit(3, 9)) == 0).all()
    assert (codec.decode(rows, 9) == 0).all()


@each_codec
def test_no_rows_and_no_questions_are_no_trouble(codec: TokenCodec) -> None:
    none = codec.encode(np.empty((0, 9), np.float32))
    assert none.shape == (0, codec.width(9))
    assert codec.cosines(none, unit(3, 9)).shape == (0, 3)
    assert codec.cosines(codec.encode(unit(4, 9)), unit(0, 9)).shape == (4, 0)
    assert codec.decode(none, 9).shape == (0, 9)


@each_codec
def test_the_bytes_are_the_same_again_and_by_another(codec: TokenCodec) -> None:
    values = unit(30, 384)
    before = values.copy()
    first = codec.encode(values)
    others: list[TokenCodec] = [*(SmallCodes(bits=bits) for bits in (1, 2, 4)), HalfFloats()]
    (other,) = [each for each in others if each.name == codec.name]
    assert np.array_equal(first, codec.encode(values))
    assert np.array_equal(first, other.encode(values.copy()))
    assert np.array_equal(values, before)


@each_codec
def test_what_is_unpacked_in_parts_is_the_same_as_alone(codec: TokenCodec) -> None:
    rows, asked = codec.encode(unit(1300, 40)), unit(5, 40, seed=1)
    together = codec.cosines(rows, asked)
    alone = np.concatenate([codec.cosines(rows[at : at + 1], asked) for at in range(1300)])
    np.testing.assert_allclose(together, alone, atol=1e-6)
    assert together.max() <= 1
    assert together.min() >= -1


def test_every_finite_half_float_is_decoded_exactly() -> None:
    every = np.arange(2**16).astype(np.uint16).view(np.float16)
    halves = every[np.isfinite(every)].reshape(-1, 2)
    rows = HalfFloats().encode(halves.astype(np.float32))
    before = rows.copy()
    wide = HalfFloats().decode(rows, 2)
    assert wide.dtype == np.float32
    assert np.array_equal(wide, halves.astype(np.float32))
    assert np.array_equal(np.signbit(wide), np.signbit(halves))
    assert np.array_equal(rows, before)
