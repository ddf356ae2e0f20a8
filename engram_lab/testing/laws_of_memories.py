"""The laws of single memories: kept as given, changed by versions, hidden and brought back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, Final

from engram_lab.core.errors import (
    ConflictError,
    DuplicateError,
    InvalidInputError,
    NotFoundError,
    VersionConflictError,
)
from engram_lab.core.protocols import Chunk
from engram_lab.core.selection import EVERYTHING, Selection
from engram_lab.testing.reads import ALL_READS, WORD, is_got, shown_by
from engram_lab.testing.samples import draft
from engram_lab.testing.trial import law

if TYPE_CHECKING:
    from collections.abc import Callable

    from engram_lab.core.protocols import Store
    from engram_lab.core.types import Memory
    from engram_lab.testing.trial import Trial

__all__ = ["LAWS"]

_UNKNOWN: Final = "00000000-0000-7000-8000-000000000000"
_LONG_AGO: Final = datetime(1990, 1, 1, tzinfo=UTC)
_MOMENT: Final = timedelta(microseconds=1)


@law("what is remembered is got back equal")
def remembered(trial: Trial) -> None:
    memories = trial.open().memories
    chance = Random(1)  # noqa: S311 - samples need to vary, not to be secret
    kept = []
    for given in [{"content": "plain"}, *(draft(chance) for _ in range(40))]:
        memory = memories.remember(given)
        kept.append(memory)
        for name, value in given.items():
            wanted = tuple(value) if name == "tags" else value
            trial.equal(getattr(memory, name), wanted, f"{name} of a new memory")
        trial.equal(memories.get(memory.id), memory, "the memory got back")
    ids = [memory.id for memory in kept]
    trial.equal(
        memories.get_many([*reversed(ids), _UNKNOWN, ids[0]]),
        [*reversed(kept), None, kept[0]],
        "the list of memories got back in reverse, with an unknown and a repeated id,",
    )
    with trial.refuses(ConflictError, "a second memory of the same id"):
        memories.remember({"id": ids[0], "content": "other"})


@law("many memories are remembered whole or not at all, and a draft that breaks a law not at all")
def all_or_none(trial: Trial) -> None:
    store = trial.open()
    drafts: list[dict[str, Any]] = [{"content": "good"}, {"content": " "}, {"content": "fine"}]
    try:
        store.memories.remember_many(drafts)
    except InvalidInputError as error:
        trial.equal(error.row, 1, "the row of the error")
    else:
        trial.fail("a draft without text was not refused")
    trial.equal(store.memories.count(EVERYTHING), 0, "the count of memories after the refusal")
    trial.equal(store.changes.last(), 0, "the number of the last change after the refusal")
    report = store.memories.remember_many(drafts, keep_going=True)
    trial.equal([each.row for each in report.refused], [1], "the list of refused rows")
    contents = [memory and memory.content for memory in store.memories.get_many(report.ids)]
    trial.equal(contents, ["good", "fine"], "the list of what was kept with `keep_going`")


@law("private sections are shown to no one but the owner, who asks for them")
def private(trial: Trial) -> None:
    store = trial.open()
    given = f"{WORD} <private>secret {WORD}</private> here"
    memory = store.memories.remember({"content": given})
    got = store.memories.get(memory.id)
    for shown in (memory, got, *store.memories.select(Selection())):
        trial.equal(shown.content, f"{WORD}  here", "the content that is shown")
    for version in store.memories.history(memory.id):
        trial.demand("secret" not in version.memory.content, "the history shows them")
    trial.equal(store.memories.match_text(["secret"], Selection(), 10), [], "what a search finds")
    table = store.tables.scan("memories").read_all()
    trial.demand("secret" not in repr(table.to_pylist()), "the table shows them")
    owners = store.memories.get(memory.id, private=True)
    trial.equal(owners.content, given, "the content that the owner asked for")


@law("a write of a stale version is refused, and changes nothing")
def stale(trial: Trial) -> None:
    memories = trial.open().memories
    memory = memories.remember({"content": "first"})
    second = memories.update(memory.id, {"content": "second"}, version=1)
    trial.equal((second.version, second.content), (2, "second"), "what an update returned")
    with trial.refuses(VersionConflictError, "an update of version 1, where version 2 stood,"):
        memories.update(memory.id, {"content": "third"}, version=1)
    with trial.refuses(VersionConflictError, "forgetting version 1, where version 2 stood,"):
        memories.forget(memory.id, version=1)
    trial.equal(memories.get(memory.id), second, "the memory after the refusals")
    unchanged = memories.update(memory.id, {"content": "second"}, version=2)
    trial.equal(unchanged, second, "a memory updated to what it was")
    typed = memories.update(memory.id, {"metadata": {"n": 1}})
    typed = memories.update(memory.id, {"metadata": {"n": True}}, version=typed.version)
    trial.demand(typed.metadata["n"] is True, "1 in metadata was not updated to true")


@law("what is forgotten is shown by no read, and restoring it brings it back as it was")
def forgotten(trial: Trial) -> None:
    store = trial.open()
    memory = store.memories.remember({"content": f"{WORD} one", "tags": ["a"], "source": "s"})
    other = store.memories.remember({"content": f"{WORD} two"})
    link = store.links.put(other.id, memory.id)
    trial.equal(shown_by(store, memory), ALL_READS, "the set of reads that show a new memory")
    store.memories.forget(memory.id)
    trial.equal(shown_by(store, memory), frozenset(), "the set of reads that show it forgotten")
    trial.equal(store.links.of(other.id), [], "the list of links to it")
    with trial.refuses(NotFoundError, "an update of a forgotten memory"):
        store.memories.update(memory.id, {"content": "other"})
    hidden = store.memories.get(memory.id, forgotten=True)
    trial.demand(hidden.forgotten_at is not None, "it is not marked as forgotten")
    restored = store.memories.restore(memory.id)
    trial.equal(_state(restored), _state(memory), "the state of the restored memory")
    trial.equal(restored.version, 3, "the version of the restored memory")
    trial.equal(shown_by(store, memory), ALL_READS, "the set of reads that show it restored")
    trial.equal(store.links.of(other.id), [link], "the list of links to it, restored,")
    with trial.refuses(ConflictError, "restoring what is not forgotten"):
        store.memories.restore(memory.id)


def _state(memory: Memory) -> dict[str, Any]:
    return {
        name: value
        for name, value in memory.to_dict().items()
        if name not in {"version", "updated_at"}
    }


@law("the history holds every version, and `as_of` shows the one that stood at its moment")
def history(trial: Trial) -> None:
    memories = trial.open().memories
    id_ = memories.remember({"content": "one", "tags": ["a"]}, author="ada").id
    memories.update(id_, {"content": "two", "tags": None}, author="bo", reason="wrong number")
    memories.update(id_, {"importance": 0.9})
    memories.forget(id_)
    memories.restore(id_)
    last = memories.restore(id_, version=1)
    versions = memories.history(id_)
    trial.equal([each.number for each in versions], [1, 2, 3, 4, 5, 6], "the list of versions")
    authors = [(each.author, each.reason) for each in versions[:3]]
    signed = [("ada", None), ("bo", "wrong number"), ("owner", None)]
    trial.equal(authors, signed, "the list of authors and reasons")
    texts = [each.memory.content for each in versions]
    trial.equal(texts, ["one", "two", "two", "two", "two", "one"], "the list of contents")
    trial.equal(versions[-1].memory, last, "the last version")
    ends = [each.superseded_at for each in versions]
    starts = [each.memory.updated_at for each in versions]
    trial.equal(ends, [*starts[1:], None], "the list of moments at which versions ended")
    for start in starts:
        for moment in (start - _MOMENT, start, start + _MOMENT):
            stood = [each.memory for each in versions if each.memory.updated_at <= moment]
            wanted = stood[-1:] if stood and stood[-1].forgotten_at is None else []
            at = f"`as_of` a moment {len(stood)} versions after the beginning"
            trial.equal(list(memories.select(Selection(as_of=moment))), wanted, f"select {at}")
            if wanted:
                trial.equal(memories.get(id_, as_of=moment), wanted[0], f"get {at}")
            else:
                with trial.refuses(NotFoundError, f"get {at}"):
                    memories.get(id_, as_of=moment)


@law("what has expired is shown by no read, and a clean-up purges it")
def expired(trial: Trial) -> None:
    store = trial.open()
    gone = _expired_memory(trial, store)
    here = store.memories.remember({"content": f"{WORD} here", "tier": "daily"})
    trial.equal(shown_by(store, here), ALL_READS, "the set of reads that show a daily memory")
    trial.equal(shown_by(store, gone), frozenset(), "the set of reads that show an expired one")
    reads: dict[str, Callable[[], object]] = {
        "get, of forgotten ones too,": lambda: store.memories.get(gone.id, forgotten=True),
        "get `as_of` its making": lambda: store.memories.get(gone.id, as_of=gone.created_at),
        "history": lambda: store.memories.history(gone.id),
        "links.of": lambda: store.links.of(gone.id),
        "update": lambda: store.memories.update(gone.id, {"content": "back"}),
    }
    for name, read in reads.items():
        with trial.refuses(NotFoundError, f"{name} of an expired memory"):
            read()
    again = store.memories.remember({"content": gone.content}, dedup="reject")
    trial.demand(is_got(store, again), "the same content was not remembered anew")
    trial.equal(store.memories.clean_up().expired, 1, "the count of what a clean-up purged")
    purged = [each.id for each in store.changes.since(0) if each.action == "purge"]
    trial.equal(purged, [gone.id], "the list of purged ids in the change log")


def _expired_memory(trial: Trial, store: Store) -> Memory:
    """Return a memory of the store that expired long ago, as an import may bring it."""
    elsewhere = trial.open()
    memory = elsewhere.memories.remember({"content": f"{WORD} gone", "tier": "daily"})
    row = elsewhere.tables.scan("memories").read_all().to_pylist()[0]
    store.loader.load([Chunk("memories", [(0, {**row, "expires_at": _LONG_AGO})])])
    return memory


@law("the same content is met again as `dedup` says: allow, reject, skip or merge")
def dedup(trial: Trial) -> None:
    memories = trial.open().memories
    first = memories.remember(
        {"content": "Tea  at FIVE", "tags": ["a"], "metadata": {"n": 1, "m": 1}, "importance": 0.9}
    )
    same: dict[str, Any] = {
        "content": "tea at five", "tags": ["b", "a"], "metadata": {"n": 2}, "importance": 0.1,
    }  # fmt: skip
    trial.equal(memories.remember(same, dedup="skip"), first, "the memory that `skip` returned")
    with trial.refuses(DuplicateError, "known content"):
        memories.remember(same, dedup="reject")
    elsewhere = memories.remember({**same, "workspace": "other"}, dedup="reject")
    trial.demand(elsewhere.id != first.id, "another workspace's memory was taken for the same")
    merged = memories.remember(same, dedup="merge")
    seen = (merged.id, merged.tags, dict(merged.metadata), merged.importance, merged.content)
    wanted = (first.id, ("a", "b"), {"n": 2, "m": 1}, 0.9, first.content)
    trial.equal(seen, wanted, "what `merge` returned")
    report = memories.remember_many([same, {"content": "new"}, {"content": "NEW"}], dedup="skip")
    trial.equal((len(report.ids), report.skipped), (1, (first.id, *report.ids)), "the report")
    memories.forget(first.id)
    anew = memories.remember(same, dedup="reject")
    twin = memories.remember(same, dedup="allow")
    trial.equal(len({first.id, anew.id, twin.id}), 3, "the count of memories that are not one")


LAWS: Final = (
    remembered, all_or_none, private, forgotten, stale, history, expired, dedup,
)  # fmt: skip
"""The laws of this module, in the order in which they are tried."""
