"""What a filter may say, and how a wrong one is told what is allowed."""

from __future__ import annotations

from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import pytest

from engram_lab.core.errors import EngramError, InvalidFilterError
from engram_lab.core.filters import (
    ALWAYS,
    FIELDS,
    OPERATORS,
    And,
    Compare,
    Not,
    Or,
    matches,
    parse_filter,
)
from engram_lab.core.types import Memory

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
IS_NOTE = Compare("type", "text", "eq", "note")
IS_PINNED = Compare("pinned", "flag", "eq", value=True)


def refused(source: Any) -> str:
    with pytest.raises(InvalidFilterError) as raised:
        parse_filter(source)
    return str(raised.value)


def nested(depth: int) -> dict[str, Any]:
    source: dict[str, Any] = {"type": "note"}
    for _ in range(depth - 1):
        source = {"not": source}
    return source


def test_nothing_asked_holds_for_every_memory() -> None:
    memory = Memory(
        id="m", content="tea", created_at=NEW_YEAR, updated_at=NEW_YEAR, content_hash=""
    )
    nothing: list[Any] = [None, {}, {"and": []}, ALWAYS]
    for source in nothing:
        assert parse_filter(source) == ALWAYS
        assert matches(parse_filter(source), memory)
    assert not matches(parse_filter({"or": []}), memory)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"type": "note"}, IS_NOTE),
        ({"type": {"eq": "note"}}, IS_NOTE),
        ({"type": ["note"]}, Compare("type", "text", "in", ("note",))),
        ({"type": "note", "pinned": True}, And((IS_NOTE, IS_PINNED))),
        ({"or": [{"type": "note"}, {"pinned": True}]}, Or((IS_NOTE, IS_PINNED))),
        ({"and": ({"type": "note"}, {"pinned": True})}, And((IS_NOTE, IS_PINNED))),
        ({"not": {"type": "note"}}, Not(IS_NOTE)),
        (
            {"importance": {"gte": 0.5, "lt": 1}},
            And(
                (
                    Compare("importance", "number", "gte", 0.5),
                    Compare("importance", "number", "lt", 1),
                )
            ),
        ),
        ({"event_at": {"gt": "2026-01-01"}}, Compare("event_at", "time", "gt", NEW_YEAR)),
        ({"event_at": NEW_YEAR}, Compare("event_at", "time", "eq", NEW_YEAR)),
        ({"metadata.place.name": "yard"}, Compare("place.name", "metadata", "eq", "yard")),
        ({r"metadata.a\.b": 1}, Compare(r"a\.b", "metadata", "eq", 1)),
        ({r"metadata.a\[]": 1}, Compare(r"a\[]", "metadata", "eq", 1)),
        ({"metadata.and": 1}, Compare("and", "metadata", "eq", 1)),
        ({"metadata.a": None, "type": "x"}, None),
        ({"tags": {"contains": "taste"}}, Compare("tags", "tags", "contains", "taste")),
        ({"source": {"exists": False}}, Compare("source", "text", "exists", value=False)),
    ],
)
def test_a_filter_is_read(source: dict[str, Any], expected: object) -> None:
    if expected is None:
        assert "use 'exists' to ask for what is missing" in refused(source)
    else:
        assert expected == parse_filter(source)


def test_a_read_filter_may_be_read_again() -> None:
    assert parse_filter(IS_NOTE) is IS_NOTE


def test_any_mapping_is_a_filter() -> None:
    source = MappingProxyType({"importance": MappingProxyType({"gte": 0.5})})
    assert Compare("importance", "number", "gte", 0.5) == parse_filter(source)


@pytest.mark.parametrize(
    "field",
    [
        "Type", "", "type ", "metadata", "metadata.", "metadata..a", "metadata.a.", "metadata.a\\",
        "m.type", "1=1; --", "content\x00", "\ud800", "metadata.\ud800",
        "public_content", "pk", "seq", 7, None,
    ],
)  # fmt: skip
def test_an_unknown_field_is_refused_with_the_known_ones(field: object) -> None:
    message = refused({field: "x"})
    assert f"names the field {str(field)!r}" in message
    assert f": allowed are {', '.join(FIELDS)}" in message
    assert "metadata.<path>, and, or, not" in message


@pytest.mark.parametrize(
    ("field", "allowed"),
    [
        ("type", "eq, ne, gt, gte, lt, lte, in, contains, not_contains, exists"),
        ("metadata.a", "eq, ne, gt, gte, lt, lte, in, contains, not_contains, exists"),
        ("importance", "eq, ne, gt, gte, lt, lte, in, exists"),
        ("event_at", "eq, ne, gt, gte, lt, lte, in, exists"),
        ("pinned", "eq, ne, in, exists"),
        ("tags", "contains, not_contains, exists"),
    ],
)
@pytest.mark.parametrize("operator", ["neq", "$gt", "like", "EQ", "", 7, None, "= 1 OR 1"])
def test_an_unknown_operator_is_refused_with_the_known_ones(
    field: str, allowed: str, operator: object
) -> None:
    assert f"uses {str(operator)!r}: allowed are {allowed}" in refused({field: {operator: "x"}})


@pytest.mark.parametrize(
    "source",
    [
        {"tags": "taste"},
        {"tags": ["taste"]},
        {"pinned": {"gt": False}},
        {"event_at": {"contains": "2"}},
    ],
)
def test_an_operator_that_a_field_has_not_is_refused(source: dict[str, Any]) -> None:
    assert "allowed are" in refused(source)


def test_every_documented_operator_works_on_text() -> None:
    # The systems before us documented `ne` and `in`, and had neither.
    operands: dict[str, Any] = dict.fromkeys(OPERATORS, "x") | {"in": ["x"], "exists": True}
    parsed = parse_filter({"source": operands})
    assert isinstance(parsed, And)
    assert [part.op for part in parsed.parts if isinstance(part, Compare)] == list(OPERATORS)


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ({"type": 1}, "give a text"),
        ({"type": True}, "give a text"),
        ({"type": None}, "use 'exists' to ask for what is missing"),
        ({"type": {"in": ["a", 1]}}, "give a text"),
        ({"type": b"x"}, "give a text"),
        ({"type": "\ud800"}, "give a text"),
        ({"tags": {"contains": 1}}, "give a text"),
        ({"importance": "0.5"}, "give a number"),
        ({"importance": True}, "give a number"),
        ({"importance": float("nan")}, "give a number"),
        ({"importance": {"gt": float("inf")}}, "give a number"),
        ({"version": 2**63}, "give a number"),
        pytest.param({"version": 10**5000}, "give a number", id="huge"),
        ({"pinned": 1}, "give true or false"),
        ({"pinned": "true"}, "give true or false"),
        ({"metadata.a": {"eq": [1]}}, "give a text, number or boolean"),
        ({"metadata.a": object()}, "give a text, number or boolean"),
        ({"metadata.a": "\udfff"}, "give a text, number or boolean"),
        ({"event_at": "soon"}, "in the filter, event_at is 'soon'"),
        ({"event_at": 1767225600}, "in the filter, event_at is a int"),
        ({"type": {"exists": 1}}, "'exists' on 'type' takes true or false"),
        ({"type": {"in": "note"}}, "'in' on 'type' takes a list"),
        ({"type": {}}, "the filter on 'type' is empty"),
    ],
)
def test_unlike_things_are_not_compared(source: dict[str, Any], wanted: str) -> None:
    assert wanted in refused(source)


@pytest.mark.parametrize("source", ["type=note", 7, [], [{"type": "note"}], b"{}", {"not": None}])
def test_what_is_no_object_is_refused_with_an_example(source: object) -> None:
    assert "a filter is an object such as {'type': 'note'}" in refused(source)


@pytest.mark.parametrize("source", [{"and": {"type": "note"}}, {"or": "x"}, {"or": None}])
def test_and_and_or_take_lists(source: dict[str, Any]) -> None:
    assert "takes a list of filters" in refused(source)


def test_nesting_ends_at_32_levels() -> None:
    parse_filter(nested(32))
    assert "nests deeper than 32 levels: flatten it" in refused(nested(33))
    assert "nests deeper than 32 levels: flatten it" in refused(nested(500))


@pytest.mark.parametrize(
    "source",
    [
        {"or": [{"type": "note"}] * 501},
        {"and": [{"or": [{"type": "note"}] * 100}] * 6},
        {"type": {"in": ["note"] * 10_001}},
        {"or": [{"type": {"in": ["note"] * 10_000}}] * 2},
    ],
    ids=["flat", "spread", "values", "values of two"],
)
def test_a_filter_too_large_for_a_store_is_refused(source: dict[str, Any]) -> None:
    assert "at most" in refused(source)


def test_a_filter_at_the_limits_is_read() -> None:
    parse_filter({"or": [{"type": "note"}] * 500})
    parse_filter({"type": {"in": ["note"] * 10_000}})


def test_every_refusal_is_one_of_ours() -> None:
    assert issubclass(InvalidFilterError, EngramError)
    assert issubclass(InvalidFilterError, ValueError)
