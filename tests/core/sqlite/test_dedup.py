from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import pytest

from engram_lab.core.errors import AccessDeniedError, DuplicateError, InvalidInputError
from engram_lab.core.selection import EVERYTHING, Selection
from engram_lab.core.settings import StoreSettings
from engram_lab.core.sqlite import SqliteStore
from engram_lab.core.types import Dedup

if TYPE_CHECKING:
    from engram_lab.core.clock import ManualClock

MODES: tuple[Dedup, ...] = get_args(Dedup)


def test_by_default_the_same_words_are_two_memories(store: SqliteStore) -> None:
    one, two = (store.memories.remember({"content": "tea"}) for _ in range(2))
    assert one.id != two.id
    assert one.content_hash == two.content_hash


@pytest.mark.parametrize("same", ["tea", " Tea\n", "TEA", "te\x00a"])
def test_reject_names_the_memory_that_is_there(store: SqliteStore, same: str) -> None:
    tea = store.memories.remember({"content": "tea"})
    with pytest.raises(DuplicateError, match=f"already memory {tea.id}: update that one") as raised:
        store.memories.remember({"content": same}, dedup="reject")
    assert tea.id == raised.value.existing_id
    assert store.memories.count(EVERYTHING) == 1


def test_skip_leaves_the_memory_as_it_is(store: SqliteStore) -> None:
    tea = store.memories.remember({"content": "tea"})
    skipped = store.memories.remember({"content": "Tea", "tags": ["new"]}, dedup="skip")
    assert tea == skipped
    assert store.changes.last() == 1


def test_merge_adds_what_is_new(store: SqliteStore) -> None:
    tea = store.memories.remember(
        {"content": "tea", "tags": ["a"], "metadata": {"x": 1, "y": 1}, "importance": 0.6}
    )
    merged = store.memories.remember(
        {"content": "TEA", "tags": ["b", "a"], "metadata": {"y": 2, "z": 3}, "importance": 0.3},
        dedup="merge",
        author="ada",
    )
    assert (tea.id, "tea", 2) == (merged.id, merged.content, merged.version)
    assert merged.tags == ("a", "b")
    assert merged.metadata == {"x": 1, "y": 2, "z": 3}
    assert merged.importance == 0.6
    version = store.memories.history(tea.id)[-1]
    assert (version.action, version.author, version.reason) == ("update", "ada", "merged")


def test_merge_keeps_the_higher_importance(store: SqliteStore) -> None:
    store.memories.remember({"content": "tea", "importance": 0.2})
    merged = store.memories.remember({"content": "tea", "importance": 0.9}, dedup="merge")
    assert merged.importance == 0.9


def test_merging_what_brings_nothing_new_writes_nothing(store: SqliteStore) -> None:
    tea = store.memories.remember({"content": "tea", "tags": ["a"], "metadata": {"x": 1}})
    assert tea == store.memories.remember({"content": "tea", "tags": ["a"]}, dedup="merge")
    assert store.changes.last() == 1


@pytest.mark.parametrize("mode", ["reject", "skip", "merge"])
@pytest.mark.parametrize(
    "other", [{"workspace": "kitchen"}, {"scope": "global/org:a"}, {"content": "tea!"}]
)
def test_another_place_or_word_is_another_memory(
    store: SqliteStore, mode: Dedup, other: dict[str, Any]
) -> None:
    tea = store.memories.remember({"content": "tea"})
    assert tea.id != store.memories.remember({"content": "tea", **other}, dedup=mode).id


@pytest.mark.parametrize("mode", ["reject", "skip", "merge"])
def test_what_is_gone_is_not_met(store: SqliteStore, clock: ManualClock, mode: Dedup) -> None:
    forgotten = store.memories.remember({"content": "tea"})
    store.memories.forget(forgotten.id)
    expired = store.memories.remember({"content": "milk", "tier": "daily"})
    clock.advance(days=2)
    assert forgotten.id != store.memories.remember({"content": "tea"}, dedup=mode).id
    assert expired.id != store.memories.remember({"content": "milk"}, dedup=mode).id


def test_private_words_make_a_difference(store: SqliteStore) -> None:
    one = store.memories.remember({"content": "pin <private>1</private>"})
    two = store.memories.remember({"content": "pin <private>2</private>"}, dedup="reject")
    assert one.id != two.id
    with pytest.raises(DuplicateError):
        store.memories.remember({"content": "PIN <private>2</private>"}, dedup="reject")


def test_merging_keeps_private_words(store: SqliteStore) -> None:
    pin = store.memories.remember({"content": "pin <private>1</private>"})
    agent = store.as_agent("coder", "global")
    draft = {"content": "pin <private>1</private>", "tags": ["a"]}
    assert agent.memories.remember(draft, dedup="merge").tags == ("a",)
    assert "<private>1" in store.memories.get(pin.id, private=True).content


@pytest.mark.parametrize("mode", ["skip", "merge"])
def test_many_report_what_became_of_each(store: SqliteStore, mode: Dedup) -> None:
    tea = store.memories.remember({"content": "tea"})
    drafts: list[dict[str, Any]] = [
        {"content": "milk"},
        {"content": "TEA", "tags": ["a"]},
        {"content": "Milk", "tags": ["b"]},
        {"content": "", "tags": ["c"]},
        {"content": "bread"},
    ]
    report = store.memories.remember_many(drafts, dedup=mode, keep_going=True)
    milk, bread = store.memories.get_many(report.ids)
    assert milk is not None
    assert bread is not None
    assert (milk.content, bread.content) == ("milk", "bread")
    met = {"skip": report.skipped, "merge": report.merged}
    assert {"skip": (), "merge": (), mode: (tea.id, milk.id)} == met
    assert [refused.row for refused in report.refused] == [3]
    assert milk.tags == (("b",) if mode == "merge" else ())


def test_reject_refuses_many_or_reports_each(store: SqliteStore) -> None:
    drafts = [{"content": "tea"}, {"content": "milk"}, {"content": "tea"}]
    with pytest.raises(DuplicateError):
        store.memories.remember_many(drafts, dedup="reject")
    assert store.memories.count(EVERYTHING) == 0
    report = store.memories.remember_many(drafts, dedup="reject", keep_going=True)
    assert [refused.row for refused in report.refused] == [2]
    assert f"already memory {report.ids[0]}" in report.refused[0].reason


def test_the_oldest_of_several_is_met(store: SqliteStore) -> None:
    oldest, *_ = store.memories.remember_many([{"content": "tea"}] * 3).ids
    assert oldest == store.memories.remember({"content": "tea"}, dedup="skip").id


@pytest.mark.parametrize("mode", MODES)
def test_the_settings_say_what_is_done_unless_told(clock: ManualClock, mode: Dedup) -> None:
    store = SqliteStore.open(":memory:", settings=StoreSettings(dedup=mode), clock=clock)
    tea = store.memories.remember({"content": "tea"})
    store.memories.remember({"content": "tea"}, dedup="allow")
    if mode == "reject":
        with pytest.raises(DuplicateError):
            store.memories.remember({"content": "tea"})
    else:
        again = store.memories.remember({"content": "tea"})
        assert (again.id == tea.id) is (mode != "allow")
    store.close()


@pytest.mark.parametrize("mode", ["", "drop", 7, ["skip"]])
def test_another_mode_is_refused_with_the_modes(store: SqliteStore, mode: Any) -> None:
    with pytest.raises(InvalidInputError, match="allowed are allow, reject, skip, merge"):
        store.memories.remember({"content": "tea"}, dedup=mode)
    assert store.memories.count(Selection()) == 0


@pytest.mark.parametrize("mode", ["reject", "skip", "merge"])
def test_an_agent_does_not_learn_what_it_may_not_read(store: SqliteStore, mode: Dedup) -> None:
    below = "global/org:a/team:t"
    store.memories.remember({"content": "tea", "scope": below})
    lead = store.as_agent("lead", "global/org:a")
    for content in ("tea", "milk"):
        with pytest.raises(AccessDeniedError):
            lead.memories.remember({"content": content, "scope": below}, dedup=mode)
    assert lead.memories.remember({"content": "tea"}, dedup=mode).scope == "global/org:a"
