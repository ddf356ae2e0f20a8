"""Whatever is given is refused by one of our errors, or stored exactly; nothing is half done."""

from __future__ import annotations

import math
from contextlib import closing, suppress
from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.drafts import DRAFT_FIELDS
from engram_lab.core.errors import EngramError, InvalidInputError
from engram_lab.core.filters import FIELDS, OPERATORS
from engram_lab.core.selection import EVERYTHING, Selection
from engram_lab.core.settings import StoreSettings
from engram_lab.core.sqlite import SqliteStore
from engram_lab.core.text import clean_text
from engram_lab.core.types import Memory

if TYPE_CHECKING:
    from collections.abc import Callable

ID = "01890a5d-ac96-774b-bcce-b302099a8057"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Hostile:
    def __str__(self) -> str:
        raise RuntimeError

    __repr__ = __str__


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"a": value}
    return value


CURSED: dict[str, Any] = {
    "null byte": "a\x00b",
    "lone surrogate": "a\ud800b",
    "byte order marks": "\ufeffa\ufffe",
    "right to left": "\u202eabc\u202c",
    "combining": "e" + "\u0301" * 500,
    "sql": "'; DROP TABLE memories; --",
    "sql too": '" OR 1=1; DELETE FROM changes; /*',
    "format": "{0} %s %(x)s {self.__class__}",
    "html": "<script>alert(1)</script>",
    "empty": "",
    "blank": " \t\n",
    "10 MB": "x" * 10_000_000,
    "nan": math.nan,
    "infinity": math.inf,
    "huge": 10**5000,
    "65 bits": 2**64,
    "negative": -1,
    "true": True,
    "bytes": b"\xff",
    "list": ["a"],
    "tuple": ("a", None),
    "set": {"a"},
    "object": {"a": 1},
    "deep object": nested(100),
    "bottomless": nested(50_000),
    "decimal": Decimal("0.5"),
    "fraction": Fraction(1, 2),
    "complex": 1j,
    "numpy number": np.float64(0.5),
    "numpy small": np.float32(0.5),
    "numpy array": np.array(["a", "b"]),
    "numpy flag": np.bool_(True),  # noqa: FBT003 - numpy's way
    "time": NOON,
    "naive time": datetime(2026, 1, 1),  # noqa: DTZ001
    "date": NOON.date(),
    "class": Memory,
    "function": len,
    "object()": object(),
    "hostile": Hostile(),
}


def kept_exactly(field: str, given_value: Any, stored: Any) -> bool:
    """Tell whether what is stored is what was given, by the one law that may change it."""
    if field == "content":
        return bool(stored == clean_text(given_value, field="content"))
    if field == "tags":
        return set(stored) == set(given_value)
    if isinstance(stored, datetime):
        return True  # how texts and zones are read is told by test_clock
    return bool(stored == given_value)


@pytest.mark.parametrize("field", DRAFT_FIELDS)
def test_any_value_in_any_field_is_refused_or_kept(store: SqliteStore, field: str) -> None:
    settings = StoreSettings(max_content_chars=10_000_000)
    with closing(SqliteStore.open(":memory:", settings=settings)) as wide:
        for target in (store, wide):
            for name, value in CURSED.items():
                before = target.changes.last()
                try:
                    memory = target.memories.remember({"content": "x", field: value})
                except EngramError:
                    assert before == target.changes.last(), name
                else:
                    assert memory == target.memories.get(memory.id), name
                    assert kept_exactly(field, value, getattr(memory, field)), name
        assert [each for each in wide.doctor.examine() if not each.ok] == []


@pytest.mark.parametrize("field", DRAFT_FIELDS)
def test_any_value_in_any_update_is_refused_or_kept(store: SqliteStore, field: str) -> None:
    memory = store.memories.remember({"content": "x"})
    for name, value in CURSED.items():
        before = store.memories.get(memory.id)
        try:
            updated = store.memories.update(memory.id, {field: value})
        except EngramError:
            assert before == store.memories.get(memory.id), name
        else:
            assert kept_exactly(field, value, getattr(updated, field)), name
            assert updated == store.memories.get(memory.id), name


@pytest.mark.parametrize("name", CURSED)
def test_any_value_in_metadata_is_refused_or_kept(store: SqliteStore, name: str) -> None:
    value = CURSED[name]
    for metadata in ({"a": value}, {"a": [value]}, {"a": {"b": value}}):
        try:
            memory = store.memories.remember({"content": "x", "metadata": metadata})
        except EngramError:
            assert store.memories.count(EVERYTHING) == 0
        else:
            stored = memory.metadata["a"]
            expected = list(value) if isinstance(value, tuple) else value
            assert stored in (expected, [expected], {"b": expected})
    if isinstance(value, str) and name != "10 MB":
        with suppress(InvalidInputError):
            assert store.memories.remember({"content": "x", "metadata": {value: 1}}).metadata == {
                value: 1
            }


@pytest.mark.parametrize("name", CURSED)
def test_any_value_as_a_draft_is_refused(store: SqliteStore, name: str) -> None:
    if name in {"object", "deep object", "bottomless"}:
        return
    with pytest.raises(InvalidInputError):
        store.memories.remember(CURSED[name])


LOOKUPS: dict[str, Callable[[SqliteStore, Any], Any]] = {
    "get": lambda store, value: store.memories.get(value),
    "get many": lambda store, value: store.memories.get_many([value]),
    "history": lambda store, value: store.memories.history(value),
    "update": lambda store, value: store.memories.update(value, {"content": "x"}),
    "forget": lambda store, value: store.memories.forget(value),
    "restore": lambda store, value: store.memories.restore(value),
    "restore version": lambda store, value: store.memories.restore(ID, version=value),
    "purge": lambda store, value: store.memories.purge([value]),
    "links of": lambda store, value: store.links.of(value),
    "link": lambda store, value: store.links.put(ID, value),
    "close link": lambda store, value: store.links.close(value),
    "mention": lambda store, value: store.entities.mention(ID, value),
    "mention identity": lambda store, value: store.entities.mention(ID, "x", identity_id=value),
    "entities of": lambda store, value: store.entities.of(value),
    "entity's memories": lambda store, value: store.entities.memories(value),
    "find entity": lambda store, value: store.entities.find(value),
    "entity kind": lambda store, value: store.entities.find("x", kind=value),
    "identity": lambda store, value: store.identities.get(value),
    "resolve": lambda store, value: store.identities.resolve(value),
    "add identity": lambda store, value: store.identities.add(value),
    "add alias": lambda store, value: store.identities.add_alias(value, "x"),
    "remove alias": lambda store, value: store.identities.remove_alias(value),
    "session": lambda store, value: store.sessions.get(value),
    "sessions": lambda store, value: store.sessions.all(workspace=value),
    "turns": lambda store, value: store.sessions.turns(value),
    "end session": lambda store, value: store.sessions.end(value),
    "vectors": lambda store, value: store.vectors.get(value, [ID]),
    "vectors of": lambda store, value: store.vectors.get("e", [value]),
    "missing": lambda store, value: store.vectors.missing(value),
    "missing limit": lambda store, value: store.vectors.missing("e", limit=value),
    "events": lambda store, value: store.events.since(value),
    "events limit": lambda store, value: store.events.since(limit=value),
    "changes": lambda store, value: store.changes.since(value),
    "changes limit": lambda store, value: store.changes.since(0, limit=value),
    "workspace": lambda store, value: store.workspaces.get(value),
    "grants": lambda store, value: store.grants.all(value),
    "may": lambda store, value: store.grants.may(value, "read"),
    "revoke": lambda store, value: store.grants.revoke(value, "global"),
    "agent": lambda store, value: store.as_agent(value, "global").memories.count(Selection()),
    "scope": lambda store, value: store.memories.count(Selection.of(scope=value)),
    "in workspace": lambda store, value: store.memories.count(Selection(workspace=value)),
    "as of": lambda store, value: store.memories.count(Selection.of(as_of=value)),
    "valid at": lambda store, value: store.memories.count(Selection.of(valid_at=value)),
    "cursor": lambda store, value: store.memories.select(Selection(), cursor=value),
    "words": lambda store, value: store.memories.match_text([value], Selection(), 1),
    "table": lambda store, value: store.tables.scan(value),
    "filter": lambda store, value: store.memories.count(Selection.of(value)),
}


@pytest.mark.parametrize("name", LOOKUPS)
def test_any_value_may_be_looked_for(store: SqliteStore, name: str) -> None:
    store.memories.remember({"content": "x", "id": ID})
    for value in CURSED.values():
        with suppress(EngramError), store.transaction():
            LOOKUPS[name](store, value)
    assert store.memories.get(ID).content in {"x", clean_text("x", field="content")}


@pytest.mark.parametrize("field", [*FIELDS, "metadata.a"])
def test_any_value_may_be_compared_with(store: SqliteStore, field: str) -> None:
    store.memories.remember({"content": "x", "metadata": {"a": "x"}})
    for operator in OPERATORS:
        for name, value in CURSED.items():
            for operand in (value, [value]) if name != "10 MB" else ():
                with suppress(EngramError):
                    assert store.memories.count(Selection.of({field: {operator: operand}})) in {
                        0,
                        1,
                    }


@pytest.mark.parametrize("name", CURSED)
def test_a_message_stays_short(store: SqliteStore, name: str) -> None:
    for field in (*DRAFT_FIELDS, "unknown"):
        try:
            store.memories.remember({"content": "x", field: CURSED[name]})
        except EngramError as error:
            message = str(error)
        else:
            message = ""
        assert len(message) < 500


def test_ten_million_characters_are_stored_exactly_where_they_are_allowed() -> None:
    content = ("naïve 雪 \U0001f375 " * 1_000_000)[:10_000_000]
    settings = StoreSettings(max_content_chars=10_000_000)
    with closing(SqliteStore.open(":memory:", settings=settings)) as store:
        memory = store.memories.remember({"content": content})
        assert content == memory.content
        assert store.memories.count(Selection.of({"content": {"contains": "雪"}})) == 1


def test_a_mapping_with_odd_keys_is_refused(store: SqliteStore) -> None:
    for key in (1, None, ("content",), b"content", 10**5000, Hostile()):
        draft: Any = {"content": "x", key: 1}
        with pytest.raises(InvalidInputError, match="is no field of a memory"):
            store.memories.remember(draft)


anything = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.binary(), st.text(), st.datetimes()
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(DRAFT_FIELDS), anything, max_size=4), st.text(min_size=1))
def test_any_draft_is_refused_or_comes_back(draft: dict[str, Any], content: str) -> None:
    with closing(SqliteStore.open(":memory:")) as store:
        try:
            memory = store.memories.remember({"content": content, **draft})
        except EngramError:
            assert store.changes.last() == 0
        else:
            assert memory == store.memories.get(memory.id)
            table = store.tables.scan("memories", Selection(archived=True)).read_all()
            (row,) = table.to_pylist()
            same = {each.name for each in fields(Memory)} - {"metadata", "tags"}
            assert {name: getattr(memory, name) for name in same} == {
                name: row[name] for name in same
            }
        assert [each for each in store.doctor.examine() if not each.ok] == []


@given(st.dictionaries(st.text(max_size=5), anything, max_size=3))
def test_any_filter_is_refused_or_answered(source: dict[str, Any]) -> None:
    with closing(SqliteStore.open(":memory:")) as store, suppress(InvalidInputError):
        store.memories.count(Selection.of(source))
