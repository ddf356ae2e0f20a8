"""The SQL of a filter and its meaning in Python agree, for any memories and any filter."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engram_lab.core.clock import ManualClock
from engram_lab.core.errors import InvalidFilterError
from engram_lab.core.filters import FIELDS, OPERATORS, Compare, matches, parse_filter
from engram_lab.core.selection import Selection
from engram_lab.core.sqlite import SqliteStore
from engram_lab.core.types import RecalledMemory, RecallEvent

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
EVENT_ID = "01890a5d-ac96-774b-bcce-b302099a8057"

# Few values, and such as are easily mistaken for one another, so that filters often hold.
texts = st.sampled_from(
    ["a", "A", "b", "ab", "tea", "1", "true", "%", "_", "'", '"', "\\", "é", "e\u0301", "\uffff",
     "\U00010000", " a", "a\nb", "x' OR 1=1 --"]
)  # fmt: skip
numbers = st.sampled_from(
    [0, 1, -1, 2, 0.0, -0.0, 1.0, 0.5, 0.1 + 0.2, 0.3, 1e308, 5e-324, 2**53, 2**53 + 1, 2.0**53,
     2**63 - 1, -(2**63), 9.3e18]
)  # fmt: skip
moments = st.integers(-2, 2).map(lambda step: NOON + timedelta(microseconds=step))
scalars = st.one_of(texts, numbers, st.booleans())
keys = st.sampled_from(["a", "b", "a.b", "a[]", "\\", "tea"])
values = st.recursive(
    scalars | st.none() | st.just(""),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=2),
    max_leaves=4,
)
contents = st.one_of(texts, texts.map(lambda text: f"{text}<private>{text} tea</private>b")).filter(
    str.strip
)
labels = texts.filter(str.strip)
short_labels = labels.filter(lambda text: len(text) < 9)
drafts = st.fixed_dictionaries(
    {"content": contents},
    optional={
        "type": short_labels,
        "tags": st.lists(labels, max_size=2),
        "metadata": st.dictionaries(keys, values, max_size=3),
        "importance": st.sampled_from([0, 0.5, 1, 0.1 + 0.2, 0.3]),
        "workspace": st.sampled_from(["a", "b"]),
        "scope": st.sampled_from(["global", "global/org:a", "global/org:ab"]),
        "tier": st.sampled_from(["permanent", "daily"]),
        "event_at": moments,
        "valid_from": moments.map(lambda moment: moment - timedelta(days=1)),
        "valid_to": moments,
        "lifecycle": st.sampled_from(["active", "stale", "archived"]),
        "pinned": st.booleans(),
        "session_id": labels,
        "agent_id": labels,
        "source": labels,
    },
)

paths = st.sampled_from(
    ["a", "b", r"a\.b", "a.b", "a[]", "a[].b", r"a\[]", "b[][]", r"\\", "tea", "a.a", "a.tea"]
)
fields = st.one_of(paths.map("metadata.".__add__), st.sampled_from(sorted(FIELDS)))
OPERANDS: dict[str, st.SearchStrategy[Any]] = {
    "text": st.one_of(texts, st.sampled_from(["", "global/org:a", "daily", "archived", "note"])),
    "tags": st.one_of(texts, st.just("")),
    "number": numbers,
    "time": moments,
    "flag": st.booleans(),
    "metadata": scalars | st.just(""),
}
ALLOWED: dict[str, tuple[str, ...]] = {
    "text": OPERATORS,
    "metadata": OPERATORS,
    "tags": ("contains", "not_contains", "exists"),
    "number": tuple(op for op in OPERATORS if "contains" not in op),
    "time": tuple(op for op in OPERATORS if "contains" not in op),
    "flag": ("eq", "ne", "in", "exists"),
}


@st.composite
def comparisons(draw: st.DrawFn) -> dict[str, Any]:
    field = draw(fields)
    kind = FIELDS.get(field, "metadata")
    op = draw(st.sampled_from(ALLOWED[kind]))
    if op == "exists":
        return {field: {op: draw(st.booleans())}}
    if op == "in":
        return {field: {op: draw(st.lists(OPERANDS[kind], max_size=3))}}
    return {field: {op: draw(OPERANDS[kind])}}


filters = st.recursive(
    comparisons(),
    lambda inner: st.one_of(
        st.builds(lambda parts: {"and": parts}, st.lists(inner, max_size=3)),
        st.builds(lambda parts: {"or": parts}, st.lists(inner, max_size=3)),
        st.builds(lambda part: {"not": part}, inner),
    ),
    max_leaves=4,
)


def shuffle(store: SqliteStore, clock: ManualClock, ids: list[str], data: st.DataObject) -> None:
    """Give the memories a past: some are changed, forgotten, recalled."""
    for number, id_ in enumerate(ids):
        clock.advance(microseconds=1)
        match data.draw(st.sampled_from(["keep", "update", "forget", "recall"])):
            case "update":
                changes = data.draw(drafts)
                changes.pop("scope", None)
                if changes.get("tier") == "permanent" or "valid_to" not in changes:
                    store.memories.update(id_, changes)
            case "forget":
                store.memories.forget(id_)
            case "recall":
                hit = RecalledMemory(memory_id=id_, rank=1, score=1.0)
                event_id = f"{EVENT_ID[:-2]}{number:02d}"
                event = RecallEvent(id=event_id, at=clock.now(), query="q", hits=(hit,))
                store.events.record([event])


@given(
    st.lists(drafts, min_size=1, max_size=6), st.lists(filters, min_size=1, max_size=6), st.data()
)
def test_sql_and_python_agree_on_the_present_and_on_the_past(
    rows: list[dict[str, Any]], sources: list[dict[str, Any]], data: st.DataObject
) -> None:
    clock = ManualClock(NOON)
    with closing(SqliteStore.open(":memory:", clock=clock)) as store:
        ids = list(store.memories.remember_many(rows).ids)
        before = clock.now()
        shuffle(store, clock, ids, data)
        for moment in (None, before):
            everything = Selection(archived=True, forgotten=True, as_of=moment)
            memories = list(store.memories.select(everything))
            assert len(ids) == len(memories)
            for source in sources:
                condition = parse_filter(source)
                expected = [memory for memory in memories if matches(condition, memory)]
                chosen = everything.also(filter=condition)
                assert expected == list(store.memories.select(chosen))
                assert len(expected) == store.memories.count(chosen)


STORED: list[Any] = [
    None, "", "a", "b", "ab", "1", "true", 0, 1, -1, 1.0, 0.5, 2**53, 2**53 + 1, 2**63 - 1, True,
    False, [], ["a"], ["ab", 1], [True], [0.5, None], [["a"]], {}, {"b": "a"}, [{"b": 1}],
]  # fmt: skip
ASKED: list[Any] = ["", "a", "b", "1", 0, 1, 0.5, -0.0, 2.0**53, 2**63 - 1, True, False]


@pytest.mark.parametrize("op", OPERATORS)
def test_every_operator_agrees_on_every_kind_of_value(store: SqliteStore, op: str) -> None:
    drafts = [{"content": f"{value!r}", "metadata": {"a": value}} for value in STORED]
    store.memories.remember_many(drafts)
    memories = list(store.memories.select(Selection()))
    operands: dict[str, list[Any]] = {
        "exists": [True, False],
        "in": [[], *([each, "ab"] for each in ASKED)],
    }
    for operand in operands.get(op, ASKED):
        for path in ("a", "a[]", "a.b", "a[].b", "a[][]"):
            condition = parse_filter({f"metadata.{path}": {op: operand}})
            expected = [memory for memory in memories if matches(condition, memory)]
            assert expected == list(store.memories.select(Selection(filter=condition)))


@given(st.dictionaries(keys, values, max_size=3), comparisons())
@example({"a": [True, 1, "1", 1.0]}, {"metadata.a": {"contains": True}})
@example({"a": 2**53 + 1}, {"metadata.a": {"eq": 2.0**53}})
@example({"a": "b"}, {"metadata.a": {"lt": 2**63 - 1}})
def test_a_filter_and_its_negation_share_the_memories_out(
    metadata: dict[str, Any], source: dict[str, Any]
) -> None:
    with closing(SqliteStore.open(":memory:")) as store:
        store.memories.remember({"content": "x", "metadata": metadata})
        holds = store.memories.count(Selection.of(source))
        assert 1 - holds == store.memories.count(Selection.of({"not": source}))
        assert holds == store.memories.count(Selection.of({"not": {"not": source}}))


@pytest.mark.parametrize("field", sorted(FIELDS))
def test_every_field_is_a_column(store: SqliteStore, field: str) -> None:
    memory = store.memories.remember({"content": "x", "tags": ["a"]})
    is_there = getattr(memory, field) not in {None, ()}
    assert is_there == bool(store.memories.count(Selection.of({field: {"exists": True}})))


def test_the_largest_filter_that_is_read_is_answered(store: SqliteStore) -> None:
    store.memories.remember({"content": "x", "metadata": {"a": "0"}})
    many: list[dict[str, Any]] = [
        {"metadata.a": {"contains": str(number)}} for number in range(500)
    ]
    assert store.memories.count(Selection.of({"or": many})) == 1
    assert store.memories.count(Selection.of({"and": many})) == 0
    strings = [str(number) for number in range(10_000)]
    assert store.memories.count(Selection.of({"metadata.a": {"in": strings}})) == 1
    deep: dict[str, Any] = {"type": "note"}
    for _ in range(30):
        deep = {"not": {"and": [deep]}} if _ % 2 else {"or": [deep, {"type": "x"}]}
        if _ == 14:
            break
    assert isinstance(store.memories.count(Selection.of(deep)), int)
    assert store.memories.match_text(["x"], Selection.of({"or": many}), 1) != []


@pytest.mark.parametrize("name", ["id = id OR 1", "public_content", "content_hash)", ""])
def test_a_filter_made_by_hand_is_no_way_around(store: SqliteStore, name: str) -> None:
    by_hand = Selection(filter=Compare(name, "text", "eq", "x"))
    with pytest.raises(InvalidFilterError, match="use parse_filter"):
        store.memories.count(by_hand)
