"""Memories by key: what `keys`, `visible` and `fetch` say is what `memories.select` says."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.clock import ManualClock
from engram_lab.core.errors import AccessDeniedError, InvalidInputError
from engram_lab.core.filters import parse_filter
from engram_lab.core.protocols import Chunk
from engram_lab.core.scopes import is_within
from engram_lab.core.selection import EVERYTHING, Selection
from engram_lab.core.settings import StoreSettings
from engram_lab.core.sqlite import SqliteStore, corpus
from engram_lab.testing import filters, memory_drafts

if TYPE_CHECKING:
    from pathlib import Path

    from engram_lab.core.types import Memory

AGENT = "global/org:a/agent:x"


def selections() -> st.SearchStrategy[Selection]:
    return st.builds(
        Selection,
        filter=filters().map(parse_filter),
        workspace=st.none() | st.sampled_from(["default", "notes"]),
        scope=st.none() | st.sampled_from(["global", "global/org:a"]),
        valid_at=st.none() | st.just(datetime(2024, 3, 1, tzinfo=UTC)),
        archived=st.booleans(),
        forgotten=st.booleans(),
        private=st.booleans(),
    )


def paged(store: SqliteStore, selection: Selection) -> dict[str, Memory]:
    return {memory.id: memory for memory in store.memories.select(selection, limit=10_000)}


def check_agreement(store: SqliteStore, selection: Selection, asked: np.ndarray) -> None:
    """Check that all that is known by key agrees with what pages show."""
    page = paged(store, selection)
    keys = store.corpus.find([*page])
    order = np.argsort(keys)
    assert store.corpus.keys(selection).tolist() == keys[order].tolist()
    by_key = dict(zip(keys.tolist(), page.values(), strict=True))
    assert store.corpus.fetch(asked, selection) == [by_key.get(key) for key in asked.tolist()]
    assert store.corpus.visible(asked, selection).tolist() == [
        key in by_key for key in asked.tolist()
    ]
    hidden = store.corpus.hidden(selection)
    if hidden is not None and not selection.forgotten:
        alive = store.corpus.alive()
        assert alive[~np.isin(alive, hidden)].tolist() == sorted(by_key)


@given(
    st.lists(memory_drafts(), max_size=6),
    st.lists(selections(), min_size=1, max_size=4),
    st.data(),
)
def test_keys_visible_and_fetch_say_what_pages_say(
    drafts: list[dict[str, Any]], chosen: list[Selection], data: st.DataObject
) -> None:
    with closing(SqliteStore.open(":memory:")) as store:
        store.memories.remember({"content": "seen <private>hidden</private>"})
        ids = store.memories.remember_many(drafts, dedup="allow").ids
        for id_ in ids[:2]:
            store.memories.forget(id_)
        some = st.lists(st.integers(-1, store.corpus.last() + 2), max_size=8)
        asked = np.array(data.draw(some), np.int64)
        for selection in chosen:
            check_agreement(store, selection, asked)


@given(st.lists(memory_drafts(), min_size=2, max_size=6), selections(), st.integers(1, 3))
def test_it_is_the_same_for_few_keys_as_for_many(
    drafts: list[dict[str, Any]], selection: Selection, few: int
) -> None:
    with closing(SqliteStore.open(":memory:")) as store, pytest.MonkeyPatch.context() as patch:
        store.memories.remember_many(drafts, dedup="allow")
        patch.setattr(corpus, "_FEW", few)
        for count in range(len(drafts) + 1):
            check_agreement(store, selection, np.arange(count)[::-1] + 1)


@given(st.lists(memory_drafts(), max_size=8), selections())
def test_an_agent_is_shown_by_key_what_it_is_shown_by_page(
    drafts: list[dict[str, Any]], selection: Selection
) -> None:
    with closing(SqliteStore.open(":memory:")) as store:
        store.memories.remember_many(drafts, dedup="allow")
        agent = store.as_agent("x", AGENT)
        every = store.corpus.alive()
        check_agreement(agent, selection.also(private=False), every)
        known = [memory.id for memory in store.memories.select(EVERYTHING, limit=100)]
        seen = paged(agent, EVERYTHING.also(private=False))
        found = agent.corpus.find(known).tolist()
        assert [key > 0 for key in found] == [id_ in seen for id_ in known]
        with pytest.raises(AccessDeniedError, match="private"):
            agent.corpus.fetch(every, Selection(private=True))


def test_a_filter_that_is_judged_in_python_is_judged_by_what_all_may_see(
    store: SqliteStore,
) -> None:
    # A comparison of metadata goes to Python; the content that it stands beside must not betray.
    store.memories.remember({"content": "tea <private>gin</private>", "metadata": {"n": 5}})
    key = store.corpus.alive()
    gin = Selection.of({"metadata.n": {"gt": 1}, "content": {"contains": "gin"}}, private=True)
    tea = Selection.of({"metadata.n": {"gt": 1}, "content": {"contains": "tea"}}, private=True)
    either = Selection.of(
        {"or": [{"metadata.n": {"gt": 7}}, {"content": {"contains": "gin"}}]}, private=True
    )
    assert store.corpus.fetch(key, gin) == [None]
    assert store.corpus.fetch(key, either) == [None]
    assert store.corpus.visible(key, either).tolist() == [False]
    (found,) = store.corpus.fetch(key, tea)
    assert found is not None
    assert found.content == "tea <private>gin</private>"


def test_what_expires_is_alive_and_not_visible(store: SqliteStore, clock: ManualClock) -> None:
    store.memories.remember({"content": "bread", "tier": "daily"})
    keys = store.corpus.keys(Selection())
    assert keys.tolist() == [1]
    clock.advance(days=400)
    assert store.corpus.alive().tolist() == [1]
    assert store.corpus.keys(Selection()).tolist() == []
    assert store.corpus.visible(keys, EVERYTHING).tolist() == [False]
    assert store.corpus.fetch(keys, EVERYTHING) == [None]


def test_what_a_wide_selection_hides_is_known_where_it_is_little(
    store: SqliteStore, clock: ManualClock
) -> None:
    drafts = [{"lifecycle": "archived"}, {}, {"tier": "daily"}, {}]
    store.memories.remember_many({"content": f"{n}", **each} for n, each in enumerate(drafts))
    hidden = store.corpus.hidden(Selection())
    assert hidden is not None
    assert hidden.dtype == np.int64
    assert hidden.tolist() == [1]
    clock.advance(days=400)
    found = [
        store.corpus.hidden(Selection(archived=archived), most=most)
        for archived, most in ((False, 2), (False, 1), (True, 1))
    ]
    assert [None if each is None else each.tolist() for each in found] == [[1, 3], None, [3]]
    for narrow in (Selection(workspace="default"), Selection.of({"type": "note"})):
        assert store.corpus.hidden(narrow) is None
    assert store.as_agent("x", AGENT).corpus.hidden(Selection()) is None


def test_the_past_has_no_keys(store: SqliteStore, clock: ManualClock) -> None:
    past = Selection(as_of=clock.now())
    for read in (
        lambda: store.corpus.keys(past),
        lambda: store.corpus.visible(np.array([1]), past),
        lambda: store.corpus.fetch(np.array([1]), past),
        lambda: store.corpus.fetch(np.array([], np.int64), past),
    ):
        with pytest.raises(InvalidInputError, match="as_of"):
            read()


@pytest.mark.parametrize("keys", [[0.5], [[1]], ["1"], 7])
def test_keys_are_whole_numbers_in_one_row(store: SqliteStore, keys: Any) -> None:
    for read in (store.corpus.visible, store.corpus.fetch):
        with pytest.raises(InvalidInputError, match=r"give int64 \[n\]"):
            read(np.asarray(keys), Selection())


def test_no_keys_find_nothing(store: SqliteStore) -> None:
    none = np.array([], np.int64)
    assert store.corpus.fetch(none, Selection()) == []
    assert store.corpus.visible(none, Selection()).dtype == np.bool_
    assert store.corpus.find([]).dtype == np.int64
    assert store.corpus.turns(none) == []
    assert store.corpus.turns_around(none, 2).shape == (0, 5)
    assert [len(column) for column in store.corpus.links(none)] == [0, 0, 0]


def test_any_kind_of_whole_numbers_will_do(store: SqliteStore) -> None:
    store.memories.remember_many({"content": each} for each in "abcd")
    for keys in (np.array([4, 2], np.int32), np.arange(8)[4:1:-2], np.array([4, 2], np.uint8)):
        given: Any = keys
        found = store.corpus.fetch(given, Selection())
        assert [each and each.content for each in found] == ["d", "b"]


def test_what_is_no_id_has_no_key(store: SqliteStore) -> None:
    id_ = store.memories.remember({"content": "a"}).id
    odd: list[Any] = [7, None, "", "x", id_, id_.upper(), b"x", ["x"]]
    assert store.corpus.find(odd).tolist() == [0, 0, 0, 0, 1, 0, 0, 0]


def test_a_key_is_never_used_again_after_a_purge(store: SqliteStore) -> None:
    ids = store.memories.remember_many({"content": each} for each in "ab").ids
    store.memories.purge(ids)
    again = store.memories.remember({"id": ids[0], "content": "a"}).id
    assert store.corpus.find([*ids, again])[1] == 0
    assert store.corpus.find([again])[0] > 4


def test_an_import_gives_keys_in_the_order_of_coming(store: SqliteStore) -> None:
    store.memories.remember_many({"content": each} for each in "abc")
    rows = store.tables.scan("memories").read_all().to_pylist()
    with closing(SqliteStore.open(":memory:")) as other:
        other.loader.load([Chunk("memories", list(enumerate(rows[::-1])))])
        changes = other.corpus.text_changes(0)
        assert changes.contents == ["c", "b", "a"]
        assert (np.diff(changes.keys) > 0).all()


class TestStamps:
    def test_the_stamp_of_nothing_is_empty_and_of_what_is_to_come_none(
        self, store: SqliteStore
    ) -> None:
        assert store.corpus.stamp(0) == ""
        assert store.corpus.stamp(1) is None
        assert store.corpus.stamp(-1) is None

    def test_two_stores_of_one_seed_and_clock_differ(self) -> None:
        stamps = set()
        for content in ("tea", "tea", "milk"):
            options: dict[str, Any] = {"settings": StoreSettings(seed=1), "clock": ManualClock()}
            with closing(SqliteStore.open(":memory:", **options)) as store:
                store.memories.remember({"content": content})
                stamps.add(store.corpus.stamp(1))
        assert len(stamps) == 3

    def test_a_copy_keeps_it_until_it_goes_another_way(self, path: Path, tmp_path: Path) -> None:
        copy = tmp_path / "copy.db"
        with closing(SqliteStore.open(str(path))) as store:
            store.memories.remember({"content": "both"})
            store.backups.backup(str(copy))
            store.memories.remember({"content": "one"})
            with closing(SqliteStore.open(str(copy))) as other:
                assert other.corpus.stamp(1) == store.corpus.stamp(1) != ""
                assert other.corpus.stamp(2) is None
                other.memories.remember({"content": "another"})
                assert other.corpus.stamp(2) != store.corpus.stamp(2)

    def test_nothing_that_is_done_later_changes_it(self, store: SqliteStore) -> None:
        ids = store.memories.remember_many(
            [{"content": "a"}, {"content": "b", "tier": "daily"}], reason="because"
        ).ids
        stamps = [store.corpus.stamp(number) for number in (1, 2)]
        store.memories.update(ids[0], {"content": "c"})
        store.memories.purge(ids)
        store.memories.clean_up()
        store.doctor.repair()
        assert [store.corpus.stamp(number) for number in (1, 2)] == stamps


class TestLinks:
    def test_links_are_in_the_order_of_their_ends(self, store: SqliteStore) -> None:
        ids = store.memories.remember_many({"content": each} for each in "abcd").ids
        for start, end in ((3, 0), (0, 2), (0, 1), (2, 3)):
            store.links.put(ids[start], ids[end], weight=start / 4)
        store.links.put(ids[0], ids[1], type="extends", weight=0.5)
        rows = store.corpus.links(np.array([4, 1, 1]))
        assert rows.from_keys.tolist() == [1, 1, 1, 3, 4]
        assert rows.to_keys.tolist() == [2, 2, 3, 4, 1]
        assert rows.weights.tolist() == [0.5, 0.0, 0.0, 0.5, 0.75]
        assert store.corpus.links(np.array([1]), types=["extends", "none"]).weights.tolist() == [
            0.5
        ]
        assert store.corpus.links(np.array([1]), types=[]).weights.tolist() == []
        with pytest.raises(InvalidInputError, match="types"):
            store.corpus.links(np.array([1]), types="extends")

    def test_links_to_what_has_expired_or_is_forgotten_are_left_out(
        self, store: SqliteStore, clock: ManualClock
    ) -> None:
        stay, leave, expire = (
            store.memories.remember({"content": each, "tier": tier}).id
            for each, tier in zip("abc", ("permanent", "permanent", "daily"), strict=True)
        )
        for other in (leave, expire):
            store.links.put(stay, other)
        key = store.corpus.find([stay])
        assert len(store.corpus.links(key).to_keys) == 2
        store.memories.forget(leave)
        clock.advance(days=400)
        assert len(store.corpus.links(key).to_keys) == 0

    def test_an_agent_sees_links_between_what_it_may_read(self, store: SqliteStore) -> None:
        scopes = ["global", AGENT, "global/org:b"]
        ids = [store.memories.remember({"content": each, "scope": each}).id for each in scopes]
        for end in (1, 2):
            store.links.put(ids[0], ids[end])
        agent = store.as_agent("x", AGENT)
        assert agent.corpus.links(store.corpus.alive()).to_keys.tolist() == [2]

    def test_a_link_holds_from_its_beginning_until_its_end(
        self, store: SqliteStore, clock: ManualClock
    ) -> None:
        ids = store.memories.remember_many({"content": each} for each in "ab").ids
        day = timedelta(days=1)
        now = clock.now()
        store.links.put(*ids, valid_from=now - day, valid_to=now + day)
        key = np.array([1])
        moments = (now - 2 * day, now - day, now, now + day)
        held = [len(store.corpus.links(key, valid_at=each).weights) for each in moments]
        assert held == [0, 1, 1, 0]
        assert len(store.corpus.links(key).weights) == 1


class TestTurns:
    def test_turns_are_found_around_each_within_their_conversation(
        self, store: SqliteStore
    ) -> None:
        for name in ("one", "two"):
            store.sessions.start(name)
            said = [{"speaker": name, "content": f"{name} {n}"} for n in range(3)]
            store.sessions.add_turns(name, said)
        keys = store.corpus.keys(Selection())
        a, b, c, d, e, f = keys.tolist()
        around = store.corpus.turns_around(keys[[3, 1, 3]], 2)
        assert around.tolist() == [[0, 0, d, e, f], [0, a, b, c, 0], [0, 0, d, e, f]]
        assert store.corpus.turns_around(keys[:2], 0).tolist() == [[a], [b]]
        places = store.corpus.turns(keys[[5, 0]])
        assert [place and tuple(place) for place in places] == [
            ("two", 2, "two"),
            ("one", 0, "one"),
        ]

    @pytest.mark.parametrize("distance", [-1, 1001, 0.5, "1", None])
    def test_a_distance_is_a_whole_number(self, store: SqliteStore, distance: Any) -> None:
        with pytest.raises(InvalidInputError, match="distance"):
            store.corpus.turns_around(np.array([1]), distance)

    def test_what_may_not_be_seen_leaves_a_gap(self, store: SqliteStore) -> None:
        store.sessions.start("talk")
        said = [{"speaker": "ada", "content": f"{n}"} for n in range(5)]
        ids = [turn.memory_id for turn in store.sessions.add_turns("talk", said)]
        a, b, _, d, e = store.corpus.find(ids).tolist()
        store.memories.forget(ids[2])
        around = store.corpus.turns_around(np.array([b, d]), 2).tolist()
        assert around == [[0, a, b, 0, d], [b, 0, d, e, 0]]
        store.memories.purge([ids[1]])
        assert store.corpus.turns_around(np.array([d]), 2).tolist() == [[0, 0, d, e, 0]]

    def test_an_agent_sees_the_turns_of_sessions_that_it_may_read(self, store: SqliteStore) -> None:
        for scope in ("global", "global/org:b"):
            store.sessions.start(scope, scope=scope)
            said = [{"speaker": "ada", "content": f"{n}"} for n in range(2)]
            turns = store.sessions.add_turns(scope, said)
        store.memories.update(turns[0].memory_id, {"scope": "global"})  # out of its session
        keys = store.corpus.keys(Selection())
        agent = store.as_agent("x", AGENT)
        assert [place is not None for place in agent.corpus.turns(keys)] == [
            True,
            True,
            False,
            False,
        ]
        around = agent.corpus.turns_around(keys, 1)
        assert np.count_nonzero(around, axis=1).tolist() == [2, 2, 0, 0]
        assert [place is not None for place in store.corpus.turns(keys)] == [True] * 4


def test_every_scope_is_judged_by_key_as_by_name(store: SqliteStore) -> None:
    scopes = ["global", "global/org:a", "global/org:ab", "global/org:a/agent:x", "global/org:b"]
    store.memories.remember_many({"content": each, "scope": each} for each in scopes)
    for root in scopes:
        visible = store.corpus.visible(np.arange(5) + 1, Selection(scope=root)).tolist()
        assert visible == [is_within(each, root) for each in scopes]
