"""What a dream reads, and that it is carried out whole, in order, by the laws of memory."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engram_lab.core.dreams import Change, DreamRun, StepRun
from engram_lab.core.errors import (
    AccessDeniedError,
    ConflictError,
    DreamLockedError,
    InvalidInputError,
    NotFoundError,
)
from engram_lab.core.ids import IdSource
from engram_lab.core.selection import EVERYTHING

if TYPE_CHECKING:
    from collections.abc import Callable

    from engram_lab.core.clock import ManualClock
    from engram_lab.core.sqlite import SqliteStore
    from engram_lab.core.types import Memory

    Dream = Callable[..., DreamRun]

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
NOBODY = "01890a5d-ac96-774b-bcce-b302099a8057"
_IDS = IdSource(9)


def remembered(store: SqliteStore, *contents: str, **fields: Any) -> list[Memory]:
    return [store.memories.remember({"content": each, **fields}) for each in contents]


def update(memory: Memory, **fields: Any) -> Change:
    return Change(
        step="fade",
        action="update",
        id=memory.id,
        fields=fields,
        reason="nobody asked",
        sources=(memory.id,),
        seen=memory.version,
    )


def forget(memory: Memory) -> Change:
    return Change(
        step="prune", action="forget", id=memory.id, reason="too much", seen=memory.version
    )


def remember(**fields: Any) -> Change:
    return Change(
        step="abstract",
        action="remember",
        id=_IDS.new(NOON),
        fields={"workspace": "default", "content": "a gist", **fields},
        reason="three say the same",
    )


def link(start: str, end: str, weight: float = 0.5, **fields: Any) -> Change:
    return Change(
        step="hebbian",
        action="link",
        id=_IDS.new(NOON),
        fields={"from_id": start, "to_id": end, "type": "coactivation", "weight": weight, **fields},
        reason="recalled together",
        sources=(start, end),
    )


def test_columns_tell_all_but_the_words(store: SqliteStore, clock: ManualClock) -> None:
    store.sessions.start("talk")
    (turn,) = store.sessions.add_turns("talk", [{"speaker": "ada", "content": "hello"}])
    full = store.memories.remember(
        {
            "content": "tea <private>and gin</private>",
            "type": "fact",
            "importance": 0.75,
            "pinned": True,
            "lifecycle": "archived",
            "source": "diary",
            "event_at": NOON - HOUR,
            "valid_from": NOON - 2 * HOUR,
            "valid_to": NOON + 2 * HOUR,
            "expires_at": NOON + 9 * HOUR,
            "scope": "global/org:a",
        }
    )
    (other,) = remembered(store, "elsewhere", workspace="yard")
    forgotten, expired = remembered(store, "gone", "soon gone")
    store.memories.update(expired.id, {"expires_at": NOON + HOUR / 2})
    store.memories.forget(forgotten.id)
    clock.advance(hours=1)
    store.memories.update(turn.memory_id, {"lifecycle": "stale"})
    columns = store.dreams.columns("default")

    assert columns.ids == [turn.memory_id, full.id]
    assert columns.keys.tolist() == store.corpus.find(columns.ids).tolist()
    assert columns.scopes == ["global", "global/org:a"]
    assert columns.types == ["transcript_chunk", "fact"]
    assert columns.sources == [None, "diary"]
    assert columns.session_ids == ["talk", None]
    assert columns.content_hashes[1] == store.memories.get(full.id).content_hash
    assert columns.chars.tolist() == [5, 4]
    assert columns.version.tolist() == [2, 1]
    assert columns.importance.tolist() == [0.5, 0.75]
    assert columns.access_count.tolist() == [0, 0]
    flags = [columns.pinned, columns.archived, columns.stale, columns.private, columns.turns]
    assert [each.tolist() for each in flags] == [
        [False, True],
        [False, True],
        [True, False],
        [False, True],
        [True, False],
    ]
    noon = NOON.timestamp()
    assert columns.created_at.tolist() == [noon, noon]
    assert columns.updated_at.tolist() == [noon + 3600, noon]
    assert columns.event_at[1] == noon - 3600
    assert columns.valid_from[1] == noon - 7200
    assert columns.valid_to[1] == noon + 7200
    assert columns.expires_at[1] == noon + 9 * 3600
    lacking = [columns.accessed_at, columns.event_at, columns.valid_from, columns.valid_to]
    assert all(math.isnan(each[0]) for each in lacking)
    assert store.dreams.columns("yard").ids == [other.id]


def test_columns_of_some_keys_and_of_none(store: SqliteStore) -> None:
    made = remembered(store, "a", "b", "c")
    keys = store.corpus.find([each.id for each in made])

    assert store.dreams.columns("default", keys[[2, 0, 2]]).ids == [made[0].id, made[2].id]
    assert len(store.dreams.columns("default", keys[:0])) == 0
    assert len(store.dreams.columns("yard", keys)) == 0
    empty = store.dreams.columns("yard")
    assert (empty.keys.dtype, empty.pinned.dtype) == (np.dtype(np.int64), np.dtype(np.bool_))


def test_columns_are_read_in_batches_of_any_number(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engram_lab.core.sqlite.dream_columns._AT_ONCE", 3)
    made = remembered(store, *"abcdefg")

    columns = store.dreams.columns("default")

    assert columns.ids == [each.id for each in made]
    assert columns.chars.tolist() == [1] * 7


def test_texts_and_labels_in_the_order_of_keys(store: SqliteStore) -> None:
    open_, secret, gone = remembered(
        store, "open", "half <private>hid</private>", "gone", tags=["x"]
    )
    keys = store.corpus.find([open_.id, secret.id, gone.id])
    store.memories.forget(gone.id)

    assert store.dreams.texts(keys[[1, 0, 2, 1]]) == ["half ", "open", "", "half "]
    assert store.dreams.texts(keys[:0]) == []
    assert store.dreams.details(keys) == [(("x",), {}), (("x",), {}), ((), {})]


def test_links_that_hold_between_what_may_be_found(store: SqliteStore, clock: ManualClock) -> None:
    a, b, c, gone = (each.id for each in remembered(store, "a", "b", "c", "gone"))
    (far,) = (each.id for each in remembered(store, "far", workspace="yard"))
    first = store.links.put(a, b, weight=0.25, valid_from=NOON - HOUR)
    second = store.links.put(c, a, type="supersedes", pinned=True, valid_to=NOON + HOUR)
    store.links.put(a, gone)
    store.links.put(a, far)
    store.links.close(store.links.put(b, c).id)
    store.memories.forget(gone)
    found = store.dreams.links("default")
    keys = dict(zip((a, b, c), store.corpus.find([a, b, c]).tolist(), strict=True))

    assert found.ids == [first.id, second.id] == sorted([first.id, second.id])
    assert found.from_keys.tolist() == [keys[a], keys[c]]
    assert found.to_keys.tolist() == [keys[b], keys[a]]
    assert found.types == ["related_to", "supersedes"]
    assert found.sources == ["manual", "manual"]
    assert found.weights.tolist() == [0.25, 1.0]
    assert found.pinned.tolist() == [False, True]
    assert found.updated_at == found.created_at == [NOON, NOON]
    assert found.valid_from[0] == (NOON - HOUR).timestamp()
    assert np.isnan(found.valid_from[1])
    of_b = store.dreams.links("default", np.array([keys[b]]))
    assert of_b.ids == [first.id]
    assert store.dreams.links("default", types=["supersedes"]).ids == [second.id]
    assert store.dreams.links("default", types=[]).ids == []
    assert store.dreams.links("default", np.empty(0, np.int64)).ids == []
    clock.advance(hours=1)
    assert store.dreams.links("default").ids == [first.id]


def test_what_others_changed_and_not_what_dreams_did(store: SqliteStore, dream: Dream) -> None:
    a, b, c = remembered(store, "a", "b", "c")
    (_,) = remembered(store, "far", workspace="yard")
    keys = store.corpus.find([a.id, b.id, c.id]).tolist()
    seen = store.dreams.changed("default", 0)
    assert (seen.number, seen.keys.tolist()) == (4, keys)
    assert store.dreams.changed("default", 0, limit=2).keys.tolist() == keys[:2]

    run = dream([update(a, importance=0.1), link(a.id, b.id)], author="night")
    after = store.dreams.changed("default", seen.number)
    assert (after.number, after.keys.tolist()) == (6, [])
    store.vectors.put("m", [c.id], np.ones((1, 2), np.float32))
    store.memories.update(b.id, {"importance": 0.9}, author="dreamy Ada")
    assert store.dreams.changed("default", seen.number).keys.tolist() == keys[1:]
    store.dreams.undo(run.id)
    assert store.dreams.changed("default", 8).keys.tolist() == keys[:1]
    with pytest.raises(InvalidInputError, match="after is '-1'"):
        store.dreams.changed("default", -1)


def test_a_dream_is_carried_out_as_versions_under_its_name(
    store: SqliteStore, clock: ManualClock, dream: Dream
) -> None:
    a, b, c = remembered(store, "red tea", "green tea", "milk", tags=["x"])
    clock.advance(hours=1)
    gist = remember(content="tea", tags=["gist"], metadata={"n": 1})
    changes = [
        update(a, importance=0.25, lifecycle="archived", valid_to=NOON + HOUR),
        update(b, tags=["y", "z"], metadata={"of": {"n": 2}}),
        forget(c),
        gist,
        link(gist.id, a.id, type="derived_from", weight=1),
    ]
    run = dream(changes, steps=(StepRun(step="hebbian", order=0), StepRun(step="fade", order=1)))

    assert run.status == "applied"
    assert [(each.step, dict(each.counts), each.skipped) for each in run.steps] == [
        ("hebbian", {"link": 1}, 0),
        ("fade", {"update": 2}, 0),
        ("prune", {"forget": 1}, 0),
        ("abstract", {"remember": 1}, 0),
    ]
    faded = store.memories.get(a.id)
    assert (faded.importance, faded.lifecycle, faded.valid_to) == (0.25, "archived", NOON + HOUR)
    assert (faded.version, faded.updated_at, faded.content) == (2, NOON + HOUR, "red tea")
    past, present = store.memories.history(a.id)
    assert (past.memory, past.superseded_at) == (a, NOON + HOUR)
    assert (present.action, present.author, present.reason) == ("update", "dream", "nobody asked")
    assert store.memories.get(b.id).metadata == {"of": {"n": 2}}
    assert store.memories.get(c.id, forgotten=True).forgotten_at == NOON + HOUR
    made = store.memories.get(gist.id)
    assert (made.source, made.version, made.created_at) == ("dream:abstract", 1, NOON + HOUR)
    (edge,) = store.links.of(gist.id)
    assert (edge.id, edge.source, edge.weight) == (changes[-1].id, "dream:hebbian", 1.0)
    assert [each.memory.id for each in store.memories.match_text(["gist"], EVERYTHING, 9)] == [
        gist.id
    ]
    logged = [(each.action, each.target, each.id) for each in store.changes.since(3)]
    assert logged == [
        (each.action, "link" if each.action == "link" else "memory", each.id) for each in changes
    ]
    assert store.dreams.changes_of(run.id) == [
        *changes[:1],
        update(b, tags=("y", "z"), metadata={"of": {"n": 2}}),
        forget(c),
        Change(**{**_fields(gist), "fields": {**gist.fields, "tags": ("gist",)}}),
        changes[-1],
    ]


def _fields(change: Change) -> dict[str, Any]:
    return {name: getattr(change, name) for name in Change.__dataclass_fields__}


def test_what_differs_in_nothing_is_no_change(store: SqliteStore, dream: Dream) -> None:
    (a, b) = remembered(store, "a", "b", importance=0.5)
    edge = store.links.put(a.id, b.id, weight=0.5)
    last = store.changes.last()
    same = Change(
        step="s",
        action="link",
        id=edge.id,
        fields={"weight": 0.5},
        reason="r",
        seen=edge.updated_at,
    )
    run = dream([update(a, importance=0.5, tags=(), valid_to=None), same])

    assert store.changes.last() == last
    assert run.steps == ()
    assert store.memories.get(a.id) == a


def test_what_is_not_as_it_was_seen_is_left_and_counted(
    store: SqliteStore, clock: ManualClock, dream: Dream
) -> None:
    a, b, c, gone = remembered(store, "a", "b", "c", "gone")
    edge = store.links.put(a.id, b.id, weight=0.5)
    clock.advance(hours=1)
    store.memories.update(a.id, {"importance": 0.9})
    store.memories.forget(gone.id)
    changed = store.links.put(a.id, b.id, weight=0.75)
    known = remember()
    dream([known])
    last = store.changes.last()

    def relink(seen: datetime | None, **fields: Any) -> Change:
        return Change(
            step="hebbian", action="link", id=edge.id, fields=fields, reason="r", seen=seen
        )

    stale = [
        update(a, importance=0.1),
        forget(a),
        update(gone, importance=0.1),
        relink(edge.updated_at, weight=0.1),
        Change(step="hebbian", action="unlink", id=edge.id, reason="r", seen=edge.updated_at),
        Change(step="hebbian", action="unlink", id=NOBODY, reason="r", seen=edge.updated_at),
        Change(step="fade", action="update", id=NOBODY, reason="r", seen=1),
        link(a.id, b.id, type="related_to"),
        link(a.id, gone.id),
        link(NOBODY, b.id),
        known,
    ]
    run = dream(stale)

    assert {each.step: each.skipped for each in run.steps} == {
        "fade": 3,
        "prune": 1,
        "hebbian": 6,
        "abstract": 1,
    }
    assert all(each.counts == {} for each in run.steps)
    assert store.changes.last() == last
    assert store.links.of(a.id) == [changed]
    assert c == store.memories.get(c.id)


def test_steps_build_on_one_another(store: SqliteStore, dream: Dream) -> None:
    a, b = remembered(store, "a", "b")
    edge = store.links.put(a.id, b.id, weight=0.5)
    seen: dict[str, Any] = {"seen": edge.updated_at, "reason": "r", "id": edge.id}
    gist = remember()
    run = dream(
        [
            update(a, importance=0.4),
            Change(**{**_fields(update(a, importance=0.4)), "seen": 2}),
            Change(**{**_fields(update(a, lifecycle="archived")), "seen": 3}),
            Change(step="one", action="link", fields={"weight": 0.4}, **seen),
            Change(step="two", action="link", fields={"weight": 0.3}, **seen),
            gist,
            link(gist.id, a.id),
            Change(step="fade", action="update", id=gist.id, fields={"importance": 0.9},
                   reason="r", seen=1),
        ]
    )  # fmt: skip

    assert [each.skipped for each in run.steps] == [0, 0, 0, 0, 0]
    after = store.memories.get(a.id)
    assert (after.importance, after.lifecycle, after.version) == (0.4, "archived", 3)
    assert [each.memory.version for each in store.memories.history(a.id)] == [1, 2, 3]
    assert store.dreams.links("default", types=["related_to"]).weights.tolist() == [0.3]
    assert store.memories.get(gist.id).importance == 0.9
    store.dreams.undo(run.id)
    assert store.memories.get(a.id) == a


def test_a_link_may_take_the_place_of_one_that_goes(store: SqliteStore, dream: Dream) -> None:
    a, b = remembered(store, "a", "b")
    old = store.links.put(a.id, b.id, type="coactivation")
    new = link(a.id, b.id)
    ended = Change(
        step="s", action="unlink", id=old.id, reason="r", seen=old.updated_at, sources=(a.id,)
    )
    run = dream([ended, new])

    assert [each.id for each in store.links.of(a.id)] == [new.id]
    assert store.dreams.changes_of(run.id) == [ended, new]
    store.dreams.undo(run.id)
    assert store.links.of(a.id) == [old]


def test_a_closed_link_makes_room_for_another(store: SqliteStore, dream: Dream) -> None:
    a, b = remembered(store, "a", "b")
    old = store.links.put(a.id, b.id, type="coactivation")
    closing = Change(
        step="s", action="link", id=old.id, fields={"valid_to": NOON}, reason="r", seen=NOON
    )
    run = dream([closing, link(a.id, b.id)])

    assert len(store.links.of(a.id, closed=True)) == 2
    store.dreams.undo(run.id)
    assert store.links.of(a.id, closed=True) == [old]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"weight": 1.5}, "weight is '1.5'"),
        ({"type": ""}, "type has 0 characters"),
        ({"pinned": True}, "has pinned: allowed are"),
        ({"valid_from": NOON, "valid_to": NOON - HOUR}, "valid_to is before valid_from"),
        ({"context": "x" * 5000}, "context has 5000"),
    ],
)
def test_a_link_that_breaks_a_law_stops_the_dream(
    store: SqliteStore, dream: Dream, fields: dict[str, Any], told: str
) -> None:
    a, b = remembered(store, "a", "b")
    last = store.changes.last()
    with pytest.raises(InvalidInputError, match=told):
        dream([update(a, importance=0.1), link(a.id, b.id, **fields)])
    assert store.changes.last() == last
    assert store.dreams.all() == []
    assert store.memories.get(a.id) == a


def test_nothing_crosses_workspaces_or_scopes(store: SqliteStore, dream: Dream) -> None:
    (a, b) = remembered(store, "a", "b")
    (far,) = remembered(store, "far", workspace="yard")
    (deep,) = remembered(store, "deep", scope="global/org:a")
    for change in (
        link(a.id, far.id),
        link(far.id, a.id),
        link(a.id, deep.id),
        link(a.id, a.id),
        update(far, importance=0.1),
        forget(far),
        remember(workspace="yard"),
        remember(workspace=None),
    ):
        with pytest.raises(InvalidInputError):
            dream([update(b, importance=0.1), change])
    assert store.memories.get(b.id) == b
    with pytest.raises(InvalidInputError, match="there is no workspace 'moon'"):
        dream([remember(workspace="moon")], workspace="moon")


def test_what_moved_meanwhile_is_left(store: SqliteStore, clock: ManualClock, dream: Dream) -> None:
    a, b, c = remembered(store, "a", "b", "c")
    began = clock.now()
    clock.advance(seconds=1)
    store.memories.update(b.id, {"workspace": "yard"})
    store.memories.update(c.id, {"scope": "global/org:a"})
    store.dreams.take_lock("default", owner="me", ttl_s=9)
    run = DreamRun(id="r", workspace="default", config_hash="c", started_at=began, ended_at=began)
    done = store.dreams.apply(
        run, [link(a.id, b.id), update(b, importance=0.1), link(c.id, a.id)], owner="me"
    )
    assert [each.skipped for each in done.steps] == [2, 1]


def test_ends_and_type_of_a_link_never_change(store: SqliteStore, dream: Dream) -> None:
    a, b, c = remembered(store, "a", "b", "c")
    edge = store.links.put(a.id, b.id)
    for fields in ({"to_id": c.id}, {"type": "supersedes"}):
        with pytest.raises(InvalidInputError, match="which never changes"):
            dream([Change(step="s", action="link", id=edge.id, fields=fields, reason="r",
                          seen=edge.updated_at)])  # fmt: skip


def test_a_dream_needs_its_lock(store: SqliteStore, clock: ManualClock) -> None:
    (a,) = remembered(store, "a")
    run = DreamRun(id="r", workspace="default", config_hash="c", started_at=NOON, ended_at=NOON)
    with pytest.raises(DreamLockedError, match="ran out"):
        store.dreams.apply(run, [update(a, importance=0.1)], owner="me")
    store.dreams.take_lock("default", owner="me", ttl_s=60)
    with pytest.raises(DreamLockedError, match="me dreams of workspace 'default' until"):
        store.dreams.apply(run, [update(a, importance=0.1)], owner="you")
    clock.advance(seconds=60)
    with pytest.raises(DreamLockedError, match="ran out, so nothing was changed"):
        store.dreams.apply(run, [update(a, importance=0.1)], owner="me")
    assert store.memories.get(a.id) == a


def test_runs_are_told_latest_first(store: SqliteStore, dream: Dream) -> None:
    told = {"memories_before": 3, "tokens_after": 9, "state": {"at": [1, {"n": None}]}}
    step = StepRun(step="s", order=0, parameters={"k": 1}, seconds=0.5, stopped="time was up")
    first = dream([], steps=(step,), stopped="it was time", **told)
    (_,) = remembered(store, "far", workspace="yard")
    other = dream([], workspace="yard")

    assert store.dreams.get(first.id) == first
    assert (first.steps, first.state, first.stopped) == ((step,), told["state"], "it was time")
    assert store.dreams.all() == [other, first]
    assert store.dreams.all(workspace="default") == [first]
    assert store.dreams.all(limit=1) == [other]
    with pytest.raises(NotFoundError, match="no dream 'never'"):
        store.dreams.get("never")
    with pytest.raises(ConflictError, match="there already is a dream"):
        dream([], id_=first.id)


def test_progress_is_told(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engram_lab.core.sqlite.dream_writing._AT_ONCE", 2)
    made = remembered(store, *"abcde")
    told: list[int] = []
    store.dreams.take_lock("default", owner="me", ttl_s=60)
    run = DreamRun(id="r", workspace="default", config_hash="c", started_at=NOON, ended_at=NOON)
    store.dreams.apply(
        run, [update(each, importance=0.1) for each in made], owner="me", progress=told.append
    )
    assert told == [2, 4, 5]
    assert store.dreams.columns("default").importance.tolist() == [0.1] * 5


def test_dreams_are_for_the_owner(store: SqliteStore) -> None:
    agent = store.as_agent("ada", "global")
    run = DreamRun(id="r", workspace="default", config_hash="c", started_at=NOON, ended_at=NOON)
    nothing = np.empty(0, np.int64)
    for deed in (
        lambda: agent.dreams.columns("default"),
        lambda: agent.dreams.texts(nothing),
        lambda: agent.dreams.details(nothing),
        lambda: agent.dreams.links("default"),
        lambda: agent.dreams.changed("default", 0),
        lambda: agent.dreams.take_lock("default", owner="ada", ttl_s=1),
        lambda: agent.dreams.release_lock("default", owner="ada"),
        agent.dreams.locks,
        lambda: agent.dreams.apply(run, [], owner="ada"),
        lambda: agent.dreams.undo("r"),
        lambda: agent.dreams.get("r"),
        agent.dreams.all,
        lambda: agent.dreams.changes_of("r"),
        lambda: agent.injections.put("x"),
        agent.injections.take,
        agent.injections.waiting,
    ):
        with pytest.raises(AccessDeniedError):
            deed()
