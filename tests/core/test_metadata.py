from __future__ import annotations

import math
from types import MappingProxyType
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import InvalidInputError
from engram_lab.core.metadata import MAX_DEPTH, check_metadata, dump_json, escape_key, leaves

LIMIT = 65_536

texts = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00<"))
scalars = st.one_of(
    texts,
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.none(),
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
)
objects = st.dictionaries(texts, values, max_size=4)


def nested(depth: int, *, by: str) -> dict[str, Any]:
    """Return an object whose scalar lies under `depth` levels of objects and lists."""
    value: Any = 1
    for _ in range(depth - 1):
        value = {"a": value} if by == "object" else [value]
    return {"a": value}


def refused(metadata: Any, *, limit: int = LIMIT) -> str:
    with pytest.raises(InvalidInputError) as raised:
        check_metadata(metadata, limit=limit)
    return str(raised.value)


def test_scalars_are_found_under_their_paths() -> None:
    metadata = {
        "place": {"name": "yard", "at": {"lat": 1.5}},
        "colours": ["red", ["deep"], {"hue": 7}],
        "open": True,
        "gone": None,
        "empty": [],
    }
    expected = [
        ("place.name", "yard"),
        ("place.at.lat", 1.5),
        ("colours[]", "red"),
        ("colours[][]", "deep"),
        ("colours[].hue", 7),
        ("open", True),
    ]
    assert expected == list(leaves(metadata))


def test_every_path_means_one_place() -> None:
    look_alikes = {
        "a": {"b": 1, "[]": 2, "b.c": 3},
        "a.b": 4,
        "a[]": 5,
        "a\\": {"b": 6},
        "a\\.b": 7,
        "a[].b": 8,
        "a\\[]": 9,
    }
    paths = [path for path, _ in leaves(look_alikes)]
    assert len(paths) == len(set(paths))


@given(st.lists(texts, min_size=1, max_size=4), st.lists(texts, min_size=1, max_size=4))
def test_two_ways_down_have_two_paths(one: list[str], two: list[str]) -> None:
    same = ".".join(map(escape_key, one)) == ".".join(map(escape_key, two))
    assert (one == two) is same


@given(objects)
def test_what_is_checked_is_kept_exactly(metadata: dict[str, Any]) -> None:
    assert metadata == orjson.loads(check_metadata(metadata, limit=LIMIT * 16))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_that_json_cannot_hold_is_refused(value: float) -> None:
    assert f"metadata.a.b[] is {value}, which JSON cannot hold" in refused({"a": {"b": [value]}})


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, pytest.param(10**5000, id="huge")])
def test_a_number_of_more_than_64_bits_is_refused(value: int) -> None:
    assert "metadata.a is a number of more than 64 bits" in refused({"a": value})


def test_a_null_character_is_refused() -> None:
    assert "metadata.a holds a null character" in refused({"a": "x\x00y"})


@pytest.mark.parametrize("metadata", [{"a": "\ud800"}, {"\ud800": "a"}, {"a": ["\udfff"]}])
def test_a_lone_surrogate_is_refused(metadata: dict[str, Any]) -> None:
    assert "cannot be written as JSON" in refused(metadata)


@pytest.mark.parametrize("key", [1, None, ("a",), b"a", pytest.param(10**5000, id="huge")])
def test_a_key_that_is_no_text_is_refused(key: object) -> None:
    assert "keys are texts" in refused({"a": {key: 1}})


@pytest.mark.parametrize("value", [b"x", {1, 2}, object(), 1j, MappingProxyType({"a": 1})])
def test_another_type_is_refused_by_name(value: object) -> None:
    assert f"metadata.a is a {type(value).__name__}: allowed are texts" in refused({"a": value})


@pytest.mark.parametrize("by", ["object", "list"])
def test_nesting_ends_at_32_levels(by: str) -> None:
    check_metadata(nested(MAX_DEPTH, by=by), limit=LIMIT)
    assert "nests deeper than 32 levels" in refused(nested(MAX_DEPTH + 1, by=by))
    assert "nests deeper than 32 levels" in refused(nested(100_000, by=by))


def test_the_size_is_counted_in_bytes_of_json() -> None:
    metadata = {"a": "é"}  # {"a":"é"} takes 10 bytes
    assert check_metadata(metadata, limit=10) == '{"a":"é"}'
    assert "takes 10 bytes of JSON: at most 9 are allowed" in refused(metadata, limit=9)


@pytest.mark.parametrize(
    "metadata", [{"a": "x<private>y"}, {"<PRIVATE>": 1}, {"a": ["</private>"]}]
)
def test_a_private_section_is_refused_as_it_would_be_read(metadata: dict[str, Any]) -> None:
    assert "put it in content instead" in refused(metadata)


def test_keys_keep_their_order() -> None:
    assert dump_json({"b": 1, "a": 2}, field="metadata", limit=LIMIT) == '{"b":1,"a":2}'
