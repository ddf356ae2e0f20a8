"""What a filter means: `matches`, which every store must reproduce."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.filters import FIELDS, matches, parse_filter
from engram_lab.core.types import Memory

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
TEA = Memory(
    id="01890a5d-ac96-774b-bcce-b302099a8057",
    content="Ada takes her tea without sugar",
    type="preference",
    tags=("taste", "ada"),
    metadata={
        "cups": 2,
        "share": 0.5,
        "hot": True,
        "place": {"name": "yard", "empty": {}},
        "colours": ["red", "deep blue", 7, True],
        "rows": [{"n": 1}, {"n": 2}],
        "a.b": "dotted",
        "nothing": None,
        "mixed": ["x", {"y": "z"}],
    },
    importance=0.7,
    event_at=NOW - DAY,
    created_at=NOW,
    updated_at=NOW,
    content_hash="ab" * 32,
    source="chat",
    version=3,
)
BARE = Memory(id=TEA.id, content="x", created_at=NOW, updated_at=NOW, content_hash="")


def holds(source: dict[str, Any], memory: Memory = TEA) -> bool:
    return matches(parse_filter(source), memory)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"type": "preference"}, True),
        ({"type": "Preference"}, False),
        ({"type": {"ne": "note"}}, True),
        ({"type": {"in": ["note", "preference"]}}, True),
        ({"type": {"in": []}}, False),
        ({"type": {"gt": "note"}}, True),
        ({"type": {"gte": "preference"}}, True),
        ({"type": {"lt": "preference"}}, False),
        ({"type": {"lte": "preference"}}, True),
        ({"content": {"contains": "tea"}}, True),
        ({"content": {"contains": "TEA"}}, False),
        ({"content": {"contains": ""}}, True),
        ({"content": {"not_contains": "coffee"}}, True),
        ({"source": {"exists": True}}, True),
        ({"media_url": {"exists": False}}, True),
    ],
)
def test_text(source: dict[str, Any], *, expected: bool) -> None:
    assert expected is holds(source)


@pytest.mark.parametrize(
    ("lesser", "greater"), [("Z", "a"), ("z", "é"), ("é", "\uffff"), ("\uffff", "\U00010000")]
)
def test_texts_are_in_the_order_of_their_code_points(lesser: str, greater: str) -> None:
    memory = Memory(
        id=TEA.id, content="x", source=greater, created_at=NOW, updated_at=NOW, content_hash=""
    )
    assert holds({"source": {"gt": lesser}}, memory)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"importance": 0.7}, True),
        ({"importance": {"gt": 0.7}}, False),
        ({"importance": {"gte": 0.7, "lt": 1}}, True),
        ({"importance": {"in": [0, 0.7]}}, True),
        ({"importance": {"ne": 1}}, True),
        ({"version": 3}, True),
        ({"version": 3.0}, True),
        ({"version": {"lt": 3.5}}, True),
        ({"access_count": 0}, True),
        ({"pinned": False}, True),
        ({"pinned": {"ne": True}}, True),
        ({"pinned": [True, False]}, True),
        ({"event_at": "2025-12-31"}, True),
        ({"event_at": {"lt": "2026-01-01T00:00:00+00:00"}}, True),
        ({"event_at": {"gte": "2025-12-31T02:00:00+02:00"}}, True),
        ({"created_at": {"gt": NOW - DAY, "lte": NOW}}, True),
    ],
)
def test_numbers_flags_and_times(source: dict[str, Any], *, expected: bool) -> None:
    assert expected is holds(source)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"tags": {"contains": "taste"}}, True),
        ({"tags": {"contains": "tas"}}, False),
        ({"tags": {"not_contains": "tas"}}, True),
        ({"tags": {"not_contains": "ada"}}, False),
        ({"tags": {"exists": True}}, True),
        ({"tags": {"exists": False}}, False),
    ],
)
def test_tags(source: dict[str, Any], *, expected: bool) -> None:
    assert expected is holds(source)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"metadata.cups": 2}, True),
        ({"metadata.cups": 2.0}, True),
        ({"metadata.cups": "2"}, False),
        ({"metadata.cups": {"gt": 1.5}}, True),
        ({"metadata.cups": {"lt": "a"}}, False),
        ({"metadata.cups": {"contains": "2"}}, False),
        ({"metadata.hot": True}, True),
        ({"metadata.hot": 1}, False),
        ({"metadata.hot": {"gte": True}}, False),
        ({"metadata.hot": {"ne": 1}}, True),
        ({"metadata.share": {"in": [1, 0.5]}}, True),
        ({"metadata.place.name": {"in": ["yard", "quay"]}}, True),
        ({"metadata.place.name": {"contains": "ar"}}, True),
        ({"metadata.place.name": {"gt": "xx", "lt": "z"}}, True),
        ({"metadata.place": {"exists": True}}, False),
        ({"metadata.place.empty": {"exists": True}}, False),
        ({"metadata.nothing": {"exists": False}}, True),
        ({"metadata.colours": {"exists": True}}, True),
        ({"metadata.colours": {"contains": "red"}}, True),
        ({"metadata.colours": {"contains": "blue"}}, False),
        ({"metadata.colours": {"contains": 7}}, True),
        ({"metadata.colours": {"contains": True}}, True),
        ({"metadata.colours": {"contains": 1}}, False),
        ({"metadata.colours": "red"}, False),
        ({"metadata.colours": {"in": ["red"]}}, False),
        ({"metadata.colours": {"gt": "a"}}, False),
        ({"metadata.colours": {"ne": "red"}}, True),
        ({"metadata.colours[]": "red"}, True),
        ({"metadata.colours[]": {"contains": "blue"}}, True),
        ({"metadata.rows[].n": 2}, True),
        ({"metadata.rows[].n": {"gt": 2}}, False),
        ({"metadata.mixed[].y": "z"}, True),
        ({r"metadata.a\.b": "dotted"}, True),
        ({"metadata.a.b": "dotted"}, False),
    ],
)
def test_metadata(source: dict[str, Any], *, expected: bool) -> None:
    assert expected is holds(source)


@pytest.mark.parametrize("field", ["source", "event_at", "metadata.cups", "last_accessed_at"])
def test_a_comparison_with_what_is_not_there_is_false(field: str) -> None:
    operand: Any = {"event_at": NOW, "last_accessed_at": NOW, "metadata.cups": 1}.get(field, "x")
    for operator in ("eq", "gt", "gte", "lt", "lte"):
        assert not holds({field: {operator: operand}}, BARE)
    assert not holds({field: {"in": [operand]}}, BARE)
    assert holds({field: {"ne": operand}}, BARE)
    assert holds({field: {"exists": False}}, BARE)


@pytest.mark.parametrize("field", [each for each, kind in FIELDS.items() if kind == "text"])
def test_contains_of_nothing_is_false_and_its_opposite_true(field: str) -> None:
    if getattr(BARE, field) is None:
        assert not holds({field: {"contains": ""}}, BARE)
        assert holds({field: {"not_contains": ""}}, BARE)


def test_and_or_not() -> None:
    yes, no = {"type": "preference"}, {"type": "note"}
    assert holds({"and": [yes, yes]})
    assert not holds({"and": [yes, no]})
    assert holds({"or": [no, yes]})
    assert not holds({"or": [no, no]})
    assert holds({"not": no})
    assert not holds({"not": {"or": [no, yes]}})
    assert not holds({**yes, "pinned": True})


def test_large_numbers_are_compared_exactly() -> None:
    big = Memory(
        id=TEA.id,
        content="x",
        metadata={"n": 2**53 + 1, "least": -(2**63)},
        created_at=NOW,
        updated_at=NOW,
        content_hash="",
    )
    assert holds({"metadata.n": {"gt": float(2**53)}}, big)
    assert not holds({"metadata.n": float(2**53)}, big)
    assert holds({"metadata.least": -(2**63)}, big)


values = st.sampled_from(["a", "b", 1, 1.0, 2, True, False, ""])


@given(st.dictionaries(st.sampled_from(["x", "y"]), values | st.lists(values)), values)
def test_ne_and_not_contains_are_exact_opposites(metadata: dict[str, Any], value: Any) -> None:
    memory = Memory(
        id=TEA.id, content="x", metadata=metadata, created_at=NOW, updated_at=NOW, content_hash=""
    )
    for path in ("x", "y"):
        field = f"metadata.{path}"
        assert holds({field: {"ne": value}}, memory) is not holds({field: value}, memory)
        contains = holds({field: {"contains": value}}, memory)
        assert holds({field: {"not_contains": value}}, memory) is not contains
