from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from engram_lab.core.errors import EmbedderError, InvalidInputError
from engram_lab.retrieval.embedders.vectors import check_kind, check_texts, unit_rows


@pytest.mark.parametrize("texts", [["a", ""], ("a", ""), iter(["a", ""])])
def test_texts_come_back_as_a_list(texts: object) -> None:
    assert check_texts(texts) == ["a", ""]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ("abc", r"texts is the single text 'abc': give a list of texts, such as \[text\]"),
        (b"abc", "texts is the single text"),
        (7, "texts is a int: give a list of texts"),
        (None, "texts is a NoneType"),
        (["a", 7], "row 1: the text is a int: give a str"),
        (["a", None], "row 1: the text is a NoneType"),
        (["a", "b\ud800"], "row 1: the text holds half a surrogate pair at character 1"),
    ],
)
def test_what_is_no_list_of_texts_is_refused(texts: object, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        check_texts(texts)


@pytest.mark.parametrize("kind", ["query", "document"])
def test_a_known_kind_comes_back(kind: str) -> None:
    assert check_kind(kind) == kind


@pytest.mark.parametrize("kind", ["passage", "", None, ["query"]])
def test_an_unknown_kind_is_refused_with_the_known_ones(kind: object) -> None:
    with pytest.raises(InvalidInputError, match="allowed are query, document"):
        check_kind(kind)


def test_rows_are_made_of_length_one() -> None:
    assert unit_rows([[3, 4], [0, -2]], 2, 2).tolist() == [
        pytest.approx([0.6, 0.8]),
        [0, -1],
    ]


def test_a_row_of_zeros_stays_so() -> None:
    assert unit_rows([[0.0, 0.0]], 1, 2).tolist() == [[0, 0]]


@pytest.mark.parametrize("scale", [1e-300, 1e-30, 1e30, 1e300])
def test_very_large_and_very_small_numbers_keep_their_direction(scale: float) -> None:
    assert unit_rows([[3 * scale, 4 * scale]], 1, 2)[0].tolist() == pytest.approx([0.6, 0.8])


@given(
    arrays(
        np.float64,
        array_shapes(min_dims=2, max_dims=2, max_side=6),
        elements=st.floats(-1e9, 1e9),
    )
)
def test_a_row_is_of_length_one_points_the_same_way_or_is_zero(values: Any) -> None:
    n, dim = values.shape

    rows = unit_rows(values, n, dim)

    assert rows.dtype == np.float32
    for row, value in zip(rows.astype(np.float64), values, strict=True):
        if not value.any():
            assert not row.any()
            continue
        assert np.linalg.norm(row) == pytest.approx(1, abs=1e-6)
        scaled = value / np.abs(value).max()
        assert row @ scaled == pytest.approx(np.linalg.norm(scaled), rel=1e-6)


@pytest.mark.parametrize("values", [[], np.empty((0, 3)), np.empty((0, 7))])
def test_no_text_gives_no_row_of_the_right_width(values: object) -> None:
    assert unit_rows(values, 0, 3).shape == (0, 3)


def test_what_is_given_is_not_changed() -> None:
    values = np.array([[3.0, 4.0]])
    unit_rows(values, 1, 2)
    assert values.tolist() == [[3, 4]]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([[1, 2, 3]], r"the shape \[1, 3\] instead of \[1, 2\]: check which model"),
        ([1, 2], r"the shape \[2\] instead of \[1, 2\]"),
        ([[1, 2], [3, 4]], r"the shape \[2, 2\] instead of"),
        ([[1, np.nan]], "gave NaN or infinity for text 0"),
        ([[np.inf, 1]], "gave NaN or infinity for text 0"),
        ([[1, 2], [3]], "gave no table of 1 by 2 numbers"),
        ([["a", "b"]], "gave no table of 1 by 2 numbers"),
        (None, r"the shape \[\] instead of|gave no table"),
    ],
)
def test_what_is_no_table_of_numbers_is_refused(values: object, message: str) -> None:
    with pytest.raises(EmbedderError, match=message):
        unit_rows(values, 1, 2)


def test_the_text_whose_vector_is_broken_is_named() -> None:
    with pytest.raises(EmbedderError, match="for text 2"):
        unit_rows([[1], [2], [np.nan], [4]], 4, 1)
