"""An undo puts back every table to the last bit, but for what was written since."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engram_lab.core.clock import ManualClock
from engram_lab.core.dreams import Change, DreamRun
from engram_lab.core.errors import ConflictError, NotFoundError, UndoConflictError
from engram_lab.core.ids import IdSource
from engram_lab.core.settings import StoreSettings
from engram_lab.core.sqlite import SqliteStore
from engram_lab.core.types import RecalledMemory, RecallEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Dream = Callable[..., DreamRun]

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ITS_OWN = {"changes", "dream_runs", "consolidation_runs", "dream_journal", "dream_locks"}
Dump = dict[str, list[tuple[Any, ...]]]
_IDS = IdSource(9)


def dump_of(store: SqliteStore, *, accesses: bool = True) -> Dump:
    """Return every row of every table, and every word of the text index."""
    with store._context.database.write() as connection:
        names: list[str] = [
            name
            for (name,) in connection.execute(
                "SELECT name FROM sqlite_schema WHERE type = 'table' "
                "AND name NOT LIKE 'memories_fts%' ORDER BY name"
            )
        ]
        dump: Dump = {}
        for name in names:
            if name not in ITS_OWN:
                columns = [str(row[1]) for row in connection.execute(f"PRAGMA table_info({name})")]
                if not accesses and name == "memories":
                    columns = [each for each in columns if "access" not in each]
                rows = connection.execute(f"SELECT {', '.join(columns)} FROM {name}").fetchall()
                dump[name] = sorted(rows, key=repr)
        connection.execute(
            "CREATE VIRTUAL TABLE IF NOT EXISTS temp.words "
            "USING fts5vocab('main', 'memories_fts', 'instance')"
        )
        dump["words"] = sorted(connection.execute("SELECT * FROM temp.words").fetchall(), key=repr)
    return dump


def differing(one: Dump, other: Dump) -> list[str]:
    return [name for name in one if one[name] != other[name]]


@dataclass
class Story:
    """A store and what happens to it, told in numbers."""

    store: SqliteStore
    clock: ManualClock

    def known(self, workspace: str = "default") -> list[str]:
        return self.store.dreams.columns(workspace).ids

    def write(self, deed: int, one: int, other: int) -> None:
        """Do one of the things that others than dreams do."""
        self.clock.advance(seconds=one % 3)
        store, ids = self.store, self.known()
        if deed == 0 or len(ids) < 2:
            store.memories.remember(
                {
                    "content": f"memory {one} <private>{other}</private>" if one % 4 == 0
                    else f"memory {one} of {other}",
                    "tags": [f"t{one % 3}"],
                    "metadata": {"n": other, "of": [one]},
                    "importance": (other % 11) / 10,
                    "tier": "daily" if other % 9 == 0 else "permanent",
                    "workspace": "yard" if other % 7 == 0 else "default",
                    "scope": "global/org:a" if other % 5 == 0 else "global",
                }
            )  # fmt: skip
            return
        a, b = ids[one % len(ids)], ids[other % len(ids)]
        deeds: dict[int, Callable[[], object]] = {
            1: lambda: store.memories.update(a, {"importance": 0.5, "tags": [f"u{other}"]}),
            2: lambda: store.memories.forget(a),
            3: lambda: a != b and store.links.put(a, b, type="x" if other % 2 else "coactivation"),
            4: lambda: [store.links.close(edge.id) for edge in store.links.of(a)[:1]],
            5: lambda: store.vectors.put("m", [a], np.full((1, 2), one, np.float32)),
            6: lambda: store.entities.mention(a, f"name {other % 3}"),
            7: lambda: store.memories.purge([a]),
            8: lambda: self.recall(a),
            9: lambda: store.memories.update(a, {"content": f"other words {other}"}),
        }
        deeds.get(deed, lambda: None)()

    def recall(self, id_: str) -> None:
        now = self.clock.now()
        hit = RecalledMemory(memory_id=id_, rank=1, score=1.0)
        event = RecallEvent(id=self.store.new_id(), at=now, query="what?", hits=(hit,))
        self.store.events.record([event])

    def plan(self, numbers: Sequence[tuple[int, int, int]]) -> list[Change]:
        """Plan a dream of what is there, as a step would."""
        columns, links = self.store.dreams.columns("default"), self.store.dreams.links("default")
        planned: list[Change] = []
        versions = dict(zip(columns.ids, columns.version.tolist(), strict=True))
        scopes = dict(zip(columns.ids, columns.scopes, strict=True))
        ids = list(columns.ids)
        for deed, one, other in numbers:
            told: dict[str, Any] = {"step": f"s{deed}", "reason": "r"}
            a = ids[one % len(ids)] if ids else None
            if deed in {0, 1} and a is not None:
                fields: dict[str, Any] = {"importance": (other % 11) / 10}
                if deed == 1:
                    fields = {"tags": [f"d{other}"], "metadata": {"d": other}, "valid_to": NOON,
                              "lifecycle": "archived"}  # fmt: skip
                planned.append(
                    Change(action="update", id=a, fields=fields, seen=versions[a], **told)
                )
                versions[a] += 1
            elif deed == 2 and a is not None:
                planned.append(Change(action="forget", id=a, seen=versions[a], **told))
                versions[a] += 1
            elif deed == 3:
                scope = scopes[a] if a is not None else "global"
                fields = {"content": f"gist {other}", "tags": ["g"], "workspace": "default",
                          "scope": scope, "metadata": {"g": [other]}}  # fmt: skip
                made = Change(action="remember", id=_IDS.new(NOON), fields=fields, **told)
                planned.append(made)
                ids.append(made.id)
                versions[made.id], scopes[made.id] = 1, scope
                if a is not None:
                    planned.append(_link(made.id, a, "derived_from", told))
            elif deed == 4 and a is not None:
                b = ids[other % len(ids)]
                if a != b and scopes[a] == scopes[b]:
                    planned.append(_link(a, b, "coactivation", told))
            elif len(links) and deed in {5, 6}:
                at = other % len(links)
                planned.append(
                    Change(
                        action="unlink" if deed == 5 else "link", id=links.ids[at],
                        fields={} if deed == 5 else {"weight": (one % 11) / 10},
                        seen=links.updated_at[at], **told,
                    )
                )  # fmt: skip
        return planned

    def dream(self, numbers: Sequence[tuple[int, int, int]]) -> str:
        changes = self.plan(numbers)
        self.clock.advance(seconds=len(numbers) % 2)
        lock = self.store.dreams.take_lock("default", owner="me", ttl_s=9)
        run = DreamRun(
            id=self.store.new_id(), workspace="default", config_hash="c",
            started_at=lock.taken_at, ended_at=lock.taken_at,
        )  # fmt: skip
        self.store.dreams.apply(run, changes, owner="me")
        return run.id


def _link(start: str, end: str, kind: str, told: dict[str, Any]) -> Change:
    fields = {"from_id": start, "to_id": end, "type": kind, "weight": 0.25}
    return Change(action="link", id=_IDS.new(NOON), fields=fields, **told)


numbers = st.integers(0, 30)
histories = st.lists(st.tuples(st.integers(0, 9), numbers, numbers), min_size=4, max_size=25)
dreamt = st.lists(st.tuples(st.integers(0, 6), numbers, numbers), max_size=12)


def told(history: Sequence[tuple[int, int, int]]) -> Story:
    clock = ManualClock(NOON)
    story = Story(SqliteStore.open(":memory:", settings=StoreSettings(seed=1), clock=clock), clock)
    for deed in [(0, n, n + 1) for n in range(4)]:
        story.write(*deed)
    story.store.vectors.put("m", story.known()[:1], np.ones((1, 2), np.float32))
    for deed in history:
        story.write(*deed)
    return story


def sound(store: SqliteStore) -> bool:
    return all(each.ok for each in store.doctor.examine())


@settings(max_examples=120, deadline=None)
@given(histories, dreamt)
def test_an_undo_puts_back_every_table(
    history: Sequence[tuple[int, int, int]], dream: Sequence[tuple[int, int, int]]
) -> None:
    story = told(history)
    with closing(story.store) as store:
        before = dump_of(store)
        run = story.dream(dream)
        made = [each.id for each in store.dreams.changes_of(run) if each.action == "remember"]
        present = [each for each in made if each in story.known()]
        if present:
            store.vectors.put("m", present, np.zeros((len(present), 2), np.float32))
        report = store.dreams.undo(run)

        assert differing(before, dump_of(store)) == []
        assert report.kept == ()
        assert sound(store)


@settings(max_examples=60, deadline=None)
@given(histories, dreamt, dreamt)
def test_dreams_are_undone_in_turn(
    history: Sequence[tuple[int, int, int]],
    first: Sequence[tuple[int, int, int]],
    second: Sequence[tuple[int, int, int]],
) -> None:
    story = told(history)
    with closing(story.store) as store:
        before = dump_of(store)
        one = story.dream(first)
        between = dump_of(store)
        other = story.dream(second)
        after = dump_of(store)
        if refused_for(store, one):
            assert differing(after, dump_of(store)) == []
            store.dreams.undo(other)
            assert differing(between, dump_of(store)) == []
            store.dreams.undo(one)
        else:
            store.dreams.undo(other)
        assert differing(before, dump_of(store)) == []
        assert sound(store)


@settings(max_examples=100, deadline=None)
@given(histories, dreamt, st.lists(st.tuples(st.integers(1, 9), numbers, numbers), max_size=6))
def test_what_was_written_later_stays(
    history: Sequence[tuple[int, int, int]],
    dream: Sequence[tuple[int, int, int]],
    later: Sequence[tuple[int, int, int]],
) -> None:
    story = told(history)
    with closing(story.store) as store:
        states = states_of(store)
        run = story.dream(dream)
        for deed in later:
            story.write(*deed)
        now, present = dump_of(store), states_of(store)
        touched = {each.id for each in store.dreams.changes_of(run)}
        kept = refused_for(store, run)
        if kept:
            assert differing(now, dump_of(store)) == []
            assert store.dreams.undo(run, keep_later=True).kept == kept

        assert set(kept) <= touched
        after = states_of(store)
        for id_ in touched:
            wanted = present if id_ in kept else states
            assert after.get(id_) == wanted.get(id_)
        untouched = states.keys() | present.keys() - touched
        assert all(after.get(id_) == present.get(id_) for id_ in untouched - touched)
        assert sound(store)


def refused_for(store: SqliteStore, run: str) -> tuple[str, ...]:
    """Undo a dream, or return the ids for which that was refused."""
    try:
        store.dreams.undo(run)
    except UndoConflictError as error:
        return error.ids
    return ()


def states_of(store: SqliteStore) -> dict[str, tuple[Any, ...]]:
    """Return each memory and link by id, but for what counts accesses."""
    dump = dump_of(store, accesses=False)
    memories = {row[1]: row for row in dump["memories"]}
    return memories | {row[0]: row for row in dump["links"]}


def remembered(store: SqliteStore, *contents: str) -> list[str]:
    return [store.memories.remember({"content": each}).id for each in contents]


def gist_of(*sources: str) -> list[Change]:
    told: dict[str, Any] = {"step": "abstract", "reason": "r"}
    gist = Change(
        action="remember", id=_IDS.new(NOON), fields={"workspace": "default", "content": "gist"},
        sources=sources, **told,
    )  # fmt: skip
    return [gist, *(_link(gist.id, each, "derived_from", told) for each in sources)]


def archive(id_: str) -> Change:
    return Change(
        step="fade", action="update", id=id_, fields={"lifecycle": "archived"}, reason="r", seen=1
    )


def test_an_undo_is_in_the_log_so_that_indexes_follow(store: SqliteStore, dream: Dream) -> None:
    a, b = remembered(store, "a", "b")
    edge = store.links.put(a, b)
    gist, derived = gist_of(a)
    dropped = Change(step="s", action="unlink", id=edge.id, reason="r", seen=edge.updated_at)
    run = dream([archive(a), gist, derived, dropped])
    last = store.changes.last()
    keys = store.corpus.find([gist.id])
    report = store.dreams.undo(run.id)

    logged = [(each.action, each.target, each.id) for each in store.changes.since(last)]
    assert sorted(logged) == sorted(
        [
            ("undo", "memory", a),
            ("purge", "memory", gist.id),
            ("unlink", "link", derived.id),
            ("undo", "link", edge.id),
        ]
    )
    assert {each.author for each in store.changes.since(last)} == {"undo"}
    assert (report.memories, report.links, report.kept) == (2, 2, ())
    texts = store.corpus.text_changes(last)
    assert texts.purged
    assert keys[0] not in store.corpus.alive()
    undone = store.dreams.get(run.id)
    assert (undone.status, undone.undone_at) == ("undone", NOON)
    told = store.dreams.changes_of(run.id)
    assert [each.id for each in told] == [a, gist.id, derived.id, edge.id]
    assert "content" not in told[1].fields


def test_recalls_since_go_on_counting(store: SqliteStore, clock: ManualClock, dream: Dream) -> None:
    (a,) = remembered(store, "a")
    story = Story(store, clock)
    story.recall(a)
    gist = gist_of(a)
    run = dream([archive(a), *gist])
    clock.advance(hours=1)
    story.recall(a)
    story.recall(gist[0].id)
    before = store.memories.get(a)
    store.dreams.undo(run.id)

    after = store.memories.get(a)
    assert (after.access_count, after.last_accessed_at) == (2, NOON + timedelta(hours=1))
    assert (before.version, after.version, after.lifecycle) == (2, 1, "active")
    assert [len(each.hits) for each in store.events.since()] == [1, 1, 0]


def test_a_dream_is_undone_once(store: SqliteStore, dream: Dream) -> None:
    run = dream([])
    store.dreams.undo(run.id, author="ada")
    with pytest.raises(ConflictError, match="was undone at 2026-01-01 12:00"):
        store.dreams.undo(run.id)
    with pytest.raises(NotFoundError):
        store.dreams.undo("never")


@pytest.mark.parametrize("deed", ["update", "forget", "link", "mention"])
def test_what_hangs_on_a_memory_that_a_dream_made_keeps_it(
    store: SqliteStore, dream: Dream, deed: str
) -> None:
    a, b = remembered(store, "a", "b")
    gist, derived = gist_of(a)
    run = dream([gist, derived, archive(b)])
    if deed == "update":
        store.memories.update(gist.id, {"importance": 0.9})
    elif deed == "forget":
        store.memories.forget(gist.id)
    elif deed == "link":
        store.links.put(gist.id, b)
    else:
        store.entities.mention(gist.id, "Ada")
    with pytest.raises(UndoConflictError) as caught:
        store.dreams.undo(run.id)
    assert caught.value.ids == (gist.id, derived.id)
    report = store.dreams.undo(run.id, keep_later=True)

    # What is kept keeps the links that tell what it was derived from: a purge follows them.
    assert report.kept == (gist.id, derived.id)
    assert store.memories.get(b).lifecycle == "active"
    assert store.memories.get(gist.id, forgotten=True).content == "gist"
    assert store.memories.derived([a]) == [gist.id]


def test_a_link_whose_place_was_taken_is_left(store: SqliteStore, dream: Dream) -> None:
    a, b, c = remembered(store, "a", "b", "c")
    edge, other = store.links.put(a, b), store.links.put(a, c)
    drops = [
        Change(step="s", action="unlink", id=each.id, reason="r", seen=each.updated_at)
        for each in (edge, other)
    ]
    run = dream(drops)
    taken = store.links.put(a, b, weight=0.5)
    with pytest.raises(UndoConflictError) as caught:
        store.dreams.undo(run.id)
    assert caught.value.ids == (edge.id,)
    report = store.dreams.undo(run.id, keep_later=True)

    assert (report.links, report.kept) == (1, (edge.id,))
    assert store.links.of(a) == [other, taken]


def test_what_was_purged_since_is_no_hindrance(store: SqliteStore, dream: Dream) -> None:
    a, b, c = remembered(store, "a", "b", "c")
    run = dream([archive(a), archive(b), _link(a, c, "x", {"step": "s", "reason": "r"})])
    store.memories.purge([a])
    report = store.dreams.undo(run.id)

    assert (report.memories, report.links, report.kept) == (1, 0, ())
    assert store.memories.get(b).version == 1
