"""The laws of the store as a whole: its transactions, its change log, its tables out and in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from engram_lab.core.errors import ImportRefusedError, NotFoundError
from engram_lab.core.protocols import Chunk
from engram_lab.core.schemas import SCHEMAS
from engram_lab.core.selection import EVERYTHING, Selection
from engram_lab.core.types import RecalledMemory, RecallEvent
from engram_lab.testing.samples import draft
from engram_lab.testing.trial import law

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engram_lab.core.protocols import Store
    from engram_lab.testing.trial import Trial

    Rows = list[dict[str, Any]]

__all__ = ["LAWS"]

_MANY: Final = 10_000
_THEN: Final = datetime(2024, 2, 29, 12, tzinfo=UTC)


class _UndoneError(Exception):
    """What a block raises to be undone."""


def _furnish(store: Store) -> str:
    """Put something into every table, and return the id of the memory that all of it hangs on."""
    chance = Random(4)  # noqa: S311 - samples need to vary, not to be secret
    report = store.memories.remember_many(draft(chance) for _ in range(20))
    id_ = store.memories.remember({"content": "zebra <private>okapi</private>", "tags": ["é"]}).id
    store.memories.update(id_, {"content": "zebra gnu"}, author="ada", reason="about a zebra")
    store.memories.update(id_, {"metadata": {"n": [1, 1.5, True, None, {"a.b": "c"}]}})
    store.memories.update(report.ids[1], {"importance": 0.125}, reason="less")
    store.memories.forget(report.ids[1])
    store.memories.forget(report.ids[2])
    store.memories.restore(report.ids[2])
    store.links.put(id_, report.ids[0], weight=0.1, context="why", valid_from=_THEN, pinned=True)
    store.links.close(store.links.put(report.ids[0], id_, type="extends").id)
    store.links.put(report.ids[0], report.ids[2])
    values = np.array([[0.1, 2.0], [3.0, -0.0]], dtype=np.float32)
    store.vectors.put("model", [id_, report.ids[0]], values)
    hits = [RecalledMemory(memory_id=each, rank=n, score=0.5) for n, each in enumerate(report.ids)]
    own = RecalledMemory(memory_id=id_, rank=len(hits), score=1 / 3)
    store.events.record(
        [RecallEvent(id=store.new_id(), at=_THEN, query="zoo", hits=(*hits, own), agent_id="x")]
    )
    somebody = store.identities.add("Ada", aliases=["Countess"], metadata={"a": 1})
    store.entities.mention(id_, "Ada", kind="person", confidence=0.7, identity_id=somebody.id)
    store.entities.mention(report.ids[0], "Rome", metadata={"b": [True]})
    store.sessions.start("talk", title="Zoo", scope="global/org:a", started_at=_THEN)
    store.sessions.add_turns("talk", [{"speaker": "ada", "content": "hi", "spoken_at": _THEN}])
    store.sessions.end("talk", at=_THEN + timedelta(hours=1))
    store.workspaces.put("notes", scope="global/org:a", max_age_days=30.5, max_memories=100)
    store.grants.allow("x", "global/org:a", "write")
    return id_


def _rows(store: Store) -> dict[str, Rows]:
    """Return all that there is, table by table."""
    return {name: store.tables.scan(name, EVERYTHING).read_all().to_pylist() for name in SCHEMAS}


def _chunks(tables: Mapping[str, Rows]) -> list[Chunk]:
    return [Chunk(name, list(enumerate(rows))) for name, rows in tables.items()]


@law("a transaction is kept whole or undone whole")
def transactions(trial: Trial) -> None:
    store = trial.open()
    kept = store.memories.remember({"content": "kept"})
    before = _rows(store), store.changes.last(), store.revision()

    def write_and_fail() -> None:
        with store.transaction():
            _furnish(store)
            store.memories.update(kept.id, {"content": "changed"})
            raise _UndoneError

    _expect_undone(trial, write_and_fail)
    trial.equal(_rows(store), before[0], "what is in the tables after an undone transaction")
    trial.equal(store.changes.last(), before[1], "the number of the last change after it")
    with store.transaction():
        store.memories.remember({"content": "outer"})
        _expect_undone(trial, write_and_fail)
        seen = sorted(each.content for each in store.memories.select(Selection()))
        trial.equal(seen, ["kept", "outer"], "what is read inside, after an inner one was undone,")
    seen = sorted(each.content for each in store.memories.select(Selection()))
    trial.equal(seen, ["kept", "outer"], "what the outer transaction kept")
    trial.demand(store.revision() != before[2], "`revision` is the same after a commit")


def _expect_undone(trial: Trial, block: Any) -> None:
    try:
        block()
    except _UndoneError:
        return
    trial.fail("a transaction kept back what its block raised")


@law("change numbers start at 1, have no gaps, and tell of every version, vector and link")
def numbers(trial: Trial) -> None:
    store = trial.open()
    id_ = _furnish(store)
    entries = store.changes.since(0, limit=_MANY)
    trial.equal(
        [each.number for each in entries],
        list(range(1, store.changes.last() + 1)),
        "the list of change numbers",
    )
    trial.equal(store.changes.since(3, limit=2), entries[3:5], "the list of two changes after 3")
    tables = _rows(store)
    told = {(each.id, each.version) for each in entries if each.target == "memory"}
    kept = {(row["id"], row["version"]) for row in tables["versions"]}
    trial.equal(told, kept, "the set of versions in the log")
    for target, key in (("vector", "memory_id"), ("link", "id")):
        told_of = {each.id for each in entries if each.target == target}
        wanted = {row[key] for row in tables[f"{target}s"]}
        trial.equal(told_of, wanted, f"the set of {target}s in the log")
    store.memories.purge([id_])
    after = [each.number for each in store.changes.since(0, limit=_MANY)]
    trial.equal(after, list(range(1, store.changes.last() + 1)), "the list of numbers, purged,")


@law("what is purged is gone from every table, and the log keeps only that it was")
def purged(trial: Trial) -> None:
    store = trial.open()
    id_ = _furnish(store)
    memory = store.memories.get(id_)
    for name in ("memories", "versions", "links", "vectors", "events", "mentions"):
        trial.demand(id_ in repr(_rows(store)[name]), f"{name} did not hold it before")
    with trial.refuses(NotFoundError, "a purge with an unknown id"):
        store.memories.purge([id_, store.new_id()])
    trial.equal(store.memories.get(id_), memory, "the memory after a refused purge")
    store.memories.forget(id_)
    trial.equal(store.memories.purge([id_], reason="wished").ids, (id_,), "the report")
    for name, rows in _rows(store).items():
        for trace in (id_, "zebra", "okapi"):
            trial.demand(trace not in repr(rows), f"{name} still holds {trace}")
    with trial.refuses(NotFoundError, "reading a purged memory"):
        store.memories.get(id_, forgotten=True)
    with trial.refuses(NotFoundError, "the history of a purged memory"):
        store.memories.history(id_)
    entries = [each for each in store.changes.since(0, limit=_MANY) if each.id == id_]
    last = [(each.action, each.reason) for each in entries if each.target == "memory"][-1]
    trial.equal(last, ("purge", "wished"), "the last of it in the log")
    trial.demand("zebra" not in repr(entries), "the log still holds an earlier reason")
    failing = [each.name for each in store.doctor.examine() if not each.ok]
    trial.equal(failing, [], "the list of what the doctor finds wrong")


@law("what was exported loads into an empty store without loss")
def round_trip(trial: Trial) -> None:
    first, second = trial.open(), trial.open()
    _furnish(first)
    tables = _rows(first)
    counts = {name: len(rows) for name, rows in tables.items()}
    trial.equal(first.tables.counts(EVERYTHING), counts, "the count of rows by table")
    report = second.loader.load(_chunks(tables))
    trial.equal(report.total, sum(counts.values()), "the count of rows in the report")
    found = _rows(second)
    for name, rows in tables.items():
        trial.equal(len(found[name]), len(rows), f"the count of rows of {name}")
        for number, (row, back) in enumerate(zip(rows, found[name], strict=True)):
            trial.equal(back, row, f"row {number} of {name}")
    again = second.loader.load(_chunks(tables))
    trial.equal(sum(again.imported.values()), 0, "the count of rows that a second import wrote")
    failing = [each.name for each in second.doctor.examine() if not each.ok]
    trial.equal(failing, [], "the list of what the doctor finds wrong")


@law("an import with refused rows writes nothing, or the others alone where it is told to go on")
def refused_rows(trial: Trial) -> None:
    first, second = trial.open(), trial.open()
    first.memories.remember_many([{"content": "good"}, {"content": "altered"}])
    tables = _rows(first)
    tables["memories"][1]["content"] += "!"
    empty = _rows(second)
    with trial.refuses(ImportRefusedError, "a row whose content was altered"):
        second.loader.load(_chunks(tables))
    trial.equal(_rows(second), empty, "what is in the tables after the refusal")
    report = second.loader.load(_chunks(tables), keep_going=True)
    refused = {(each.table, each.row) for each in report.refused}
    trial.equal(refused, {("memories", 1), ("versions", 1)}, "the set of refused rows")
    kept = [each.content for each in second.memories.select(Selection())]
    trial.equal(kept, ["good"], "the list of what was kept")


LAWS: Final = (transactions, numbers, purged, round_trip, refused_rows)
"""The laws of this module, in the order in which they are tried."""
