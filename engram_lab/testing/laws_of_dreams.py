"""The laws of dreams: what they read, that they are carried out whole, and that they are undone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from engram_lab.core.dreams import Change, DreamRun
from engram_lab.core.errors import (
    ConflictError,
    DreamLockedError,
    InvalidInputError,
    NotFoundError,
    UndoConflictError,
)
from engram_lab.testing.trial import law

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engram_lab.core.protocols import Store
    from engram_lab.testing.trial import Trial

__all__ = ["LAWS"]

_LONG: Final = 1_000.0


def _dream(store: Store, changes: Sequence[Change]) -> DreamRun:
    lock = store.dreams.take_lock("default", owner="check", ttl_s=_LONG)
    run = DreamRun(
        id=store.new_id(),
        workspace="default",
        config_hash="check",
        started_at=lock.taken_at,
        ended_at=lock.taken_at,
        state={"at": 1},
    )
    done = store.dreams.apply(run, changes, owner="check")
    store.dreams.release_lock("default", owner="check")
    return done


def _update(id_: str, *, seen: int = 1, **fields: Any) -> Change:
    return Change(step="fade", action="update", id=id_, fields=fields, reason="check", seen=seen)


def _link(store: Store, start: str, end: str, kind: str = "coactivation") -> Change:
    fields = {"from_id": start, "to_id": end, "type": kind, "weight": 0.5}
    id_ = store.new_id()
    return Change(
        step="hebbian", action="link", id=id_, fields=fields, reason="check", sources=(start, end)
    )


def _gist(store: Store, source: str) -> list[Change]:
    gist = Change(
        step="abstract",
        action="remember",
        id=store.new_id(),
        fields={"workspace": "default", "content": "the gist"},
        reason="check",
        sources=(source,),
    )
    return [gist, _link(store, gist.id, source, "derived_from")]


def _state(store: Store) -> list[Any]:
    columns, links = store.dreams.columns("default"), store.dreams.links("default")
    histories = [store.memories.history(each) for each in columns.ids]
    return [columns.ids, histories, links.ids, links.weights.tolist(), links.updated_at]


@law("a dream reads the memories of one workspace that may be found, and the links between them")
def reading(trial: Trial) -> None:
    store = trial.open()
    a, b, gone = (store.memories.remember({"content": each}).id for each in ("a", "bb", "gone"))
    far = store.memories.remember({"content": "far", "workspace": "elsewhere"}).id
    edge = store.links.put(a, b, weight=0.25)
    for end in (far, gone):
        store.links.put(a, end)
    store.memories.forget(gone)
    store.memories.update(b, {"lifecycle": "archived", "tags": ["x"]})
    columns = store.dreams.columns("default")
    trial.equal(columns.ids, [a, b], "the list of ids")
    keys = store.corpus.find([a, b])
    trial.equal(columns.keys.tolist(), keys.tolist(), "the list of keys")
    told = (columns.archived.tolist(), columns.version.tolist(), columns.chars.tolist())
    trial.equal(
        told, ([False, True], [1, 2], [1, 2]), "what is archived, of which version and length"
    )
    trial.demand(np.isnan(columns.accessed_at).all(), "a memory that nobody asked for was accessed")
    trial.equal(store.dreams.columns("default", keys[1:]).ids, [b], "the list of ids of some keys")
    trial.equal(store.dreams.texts(keys[::-1]), ["bb", "a"], "the list of texts")
    tags = [each.tags for each in store.dreams.details(keys)]
    trial.equal(tags, [(), ("x",)], "the list of tags")
    links = store.dreams.links("default")
    seen = (links.ids, links.from_keys.tolist(), links.to_keys.tolist(), links.weights.tolist())
    trial.equal(seen, ([edge.id], [keys[0]], [keys[1]], [0.25]), "the columns of links")
    trial.equal(store.dreams.changed("elsewhere", 0).keys.tolist(), [*store.corpus.find([far])],
                "the list of what changed elsewhere")  # fmt: skip


@law("a dream is carried out in order, as versions under its author, and leaves what changed since")
def applying(trial: Trial) -> None:
    store = trial.open()
    a, b = (store.memories.remember({"content": each}).id for each in "ab")
    last = store.changes.last()
    changes = [_update(a, importance=0.25), *_gist(store, a), _link(store, a, b)]
    run = _dream(store, [*changes, _update(b, seen=7, importance=0.25)])
    counts = {each.step: (dict(each.counts), each.skipped) for each in run.steps}
    wanted = {"fade": ({"update": 1}, 1), "abstract": ({"remember": 1}, 0),
              "hebbian": ({"link": 2}, 0)}  # fmt: skip
    trial.equal(counts, wanted, "what became of each step")
    trial.equal(store.dreams.get(run.id), run, "the run got back")
    trial.equal(store.dreams.all(), [run], "the list of runs")
    trial.equal(store.dreams.changes_of(run.id), changes, "the list of what was carried out")
    version = store.memories.history(a)[-1]
    told = (version.number, version.author, version.reason, version.memory.importance)
    trial.equal(told, (2, "dream", "check", 0.25), "the version that the dream made")
    trial.equal(store.dreams.changed("default", last).keys.tolist(), [], "the list of changes")
    before = _state(store)
    elsewhere = store.memories.remember({"content": "x", "workspace": "elsewhere"}).id
    for wrong in (_link(store, a, elsewhere), _link(store, a, a), _update(elsewhere, importance=1)):
        with trial.refuses(InvalidInputError, "a change that leaves the workspace or links itself"):
            _dream(store, [_update(b, importance=0.75), wrong])
    trial.equal(_state(store), before, "the state after a dream that was refused")


@law("of a workspace one dreams at a time, and without the lock nothing is written")
def locks(trial: Trial) -> None:
    store = trial.open()
    memory = store.memories.remember({"content": "a"})
    lock = store.dreams.take_lock("default", owner="one", ttl_s=_LONG)
    trial.equal(store.dreams.locks(), [lock], "the list of locks")
    with trial.refuses(DreamLockedError, "a lock that somebody else has"):
        store.dreams.take_lock("default", owner="other", ttl_s=_LONG)
    store.dreams.release_lock("default", owner="other")
    trial.equal(store.dreams.locks(), [lock], "the list of locks after somebody else let go")
    at = memory.created_at
    run = DreamRun(id="check", workspace="default", config_hash="check", started_at=at, ended_at=at)
    with trial.refuses(DreamLockedError, "a dream without the lock"):
        store.dreams.apply(run, [_update(memory.id, importance=0.25)], owner="other")
    trial.equal(store.memories.get(memory.id), memory, "the memory after that")
    store.dreams.release_lock("default", owner="one")
    store.dreams.take_lock("default", owner="other", ttl_s=_LONG)


@law("an undo puts back all that a dream did, unless a later write touched it")
def undoing(trial: Trial) -> None:
    store = trial.open()
    a, b = (store.memories.remember({"content": each}).id for each in "ab")
    edge = store.links.put(a, b)
    before = _state(store)
    dropped = Change(
        step="prune", action="unlink", id=edge.id, reason="check", seen=edge.updated_at
    )
    hidden = Change(step="prune", action="forget", id=b, reason="check", seen=1)
    changes = [_update(a, tags=["x"], lifecycle="archived"), *_gist(store, a), dropped, hidden]
    run = _dream(store, changes)
    report = store.dreams.undo(run.id)
    trial.equal((report.memories, report.links), (3, 2), "the numbers of what was put back")
    trial.equal(_state(store), before, "the state after an undo")
    trial.equal(store.dreams.get(run.id).status, "undone", "the status of the run")
    with trial.refuses(ConflictError, "a second undo"):
        store.dreams.undo(run.id)
    with trial.refuses(NotFoundError, "the undo of no dream"):
        store.dreams.undo("none")
    again = _dream(store, [_update(a, importance=0.25), _update(b, importance=0.25)])
    later = store.memories.update(a, {"importance": 0.75})
    try:
        store.dreams.undo(again.id)
    except UndoConflictError as error:
        trial.equal(error.ids, (a,), "the ids that keep a dream from being undone")
    else:
        trial.fail("an undo took back what was written after the dream")
    kept = store.dreams.undo(again.id, keep_later=True).kept
    trial.equal(kept, (a,), "the list of what was kept")
    trial.equal(store.memories.get(a), later, "the memory that was written later")
    trial.equal(store.memories.get(b).version, 1, "the version of the other one")


@law("what dreams derived from a memory is forgotten and purged with it")
def deriving(trial: Trial) -> None:
    store = trial.open()
    a, b = (store.memories.remember({"content": each}).id for each in "ab")
    ofs = {source: _gist(store, source) for source in (a, b)}
    run = _dream(store, [*ofs[a], *ofs[b]])
    trial.equal(store.memories.derived([a]), [ofs[a][0].id], "the list of what was derived")
    store.memories.forget(b)
    trial.equal(store.dreams.columns("default").ids, [a, ofs[a][0].id], "the list of what is left")
    report = store.memories.purge([a])
    trial.equal(report.ids, (a, ofs[a][0].id), "the list of what was purged")
    told = [each.id for each in store.dreams.changes_of(run.id)]
    trial.equal(told, [each.id for each in ofs[b]], "the list of what the journal tells still")


@law("what waits to be put before an agent comes out once, in order, of its own workspace")
def injections(trial: Trial) -> None:
    store = trial.open()
    first, second = (store.injections.put(each) for each in ("one", "two"))
    far = store.injections.put("far", workspace="elsewhere", source="check", ttl_s=_LONG)
    trial.equal(store.injections.waiting(), [first, second], "the list of what waits")
    third = store.injections.put("three")
    trial.equal(store.injections.take(limit=1), [first], "the list of the oldest")
    trial.equal(store.injections.take(), [second, third], "the list of the rest")
    trial.equal(store.injections.take(), [], "the list after all were taken")
    trial.equal(store.injections.take(workspace="elsewhere"), [far], "the list of elsewhere")
    with trial.refuses(InvalidInputError, "an empty text"):
        store.injections.put(" ")


LAWS: Final = (reading, applying, locks, undoing, deriving, injections)
"""The laws of this module, in the order in which they are tried."""
