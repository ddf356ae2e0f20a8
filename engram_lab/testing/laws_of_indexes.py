"""The laws of what derived indexes are made from: memories by key, their changes, their queue."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from engram_lab.core.errors import InvalidInputError
from engram_lab.core.filters import parse_filter
from engram_lab.core.protocols import QueueCounts
from engram_lab.core.selection import EVERYTHING, Selection
from engram_lab.testing.samples import draft, filter_of
from engram_lab.testing.trial import law

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engram_lab.core.protocols import Store, TextChanges, VectorChanges
    from engram_lab.testing.trial import Trial

__all__ = ["LAWS"]

_MANY: Final = 10_000
_PRESENT: Final = Selection(archived=True)
_DAY: Final = timedelta(days=1)


@law("a memory keeps its key for life; keys rise in the order of making and are never used again")
def keys(trial: Trial) -> None:
    store = trial.open()
    ids = [store.memories.remember({"content": each}).id for each in "abc"]
    first = store.corpus.find(ids).tolist()
    trial.demand(0 < first[0] < first[1] < first[2], f"the keys of three memories are {first}")
    store.memories.update(ids[0], {"content": "changed"})
    store.memories.forget(ids[1])
    trial.equal(store.corpus.find(ids).tolist(), first, "the list of keys after changes")
    trial.equal(store.corpus.alive().tolist(), [first[0], first[2]], "the list without forgotten")
    store.memories.purge([ids[2]])
    store.memories.remember({"id": ids[2], "content": "c"})
    again = store.corpus.find([ids[2], "nobody", ids[0]]).tolist()
    trial.equal(again[1:], [0, first[0]], "the list of keys of an unknown and a known memory")
    trial.demand(again[0] > first[2], "a purged memory's key was used again")


@law("what a selection holds is the same by key as by page")
def selections(trial: Trial) -> None:
    store = trial.open()
    chance = Random(6)  # noqa: S311 - samples need to vary, not to be secret
    report = store.memories.remember_many(draft(chance) for _ in range(40))
    store.memories.remember({"content": "a <private>b</private>"})
    store.memories.forget(report.ids[3])
    memories = list(store.memories.select(_PRESENT, limit=_MANY))
    every = store.corpus.find([each.id for each in store.memories.select(EVERYTHING, limit=_MANY)])
    asked = np.append(np.sort(every)[::-1], [every.max() + 1, every[0]])
    for number in range(100):
        chosen = parse_filter(filter_of(chance, memories) if number else None)
        selection = _PRESENT.also(filter=chosen)
        page = {each.id: each for each in store.memories.select(selection, limit=_MANY)}
        found = store.corpus.keys(selection)
        trial.equal(
            found.tolist(), sorted(store.corpus.find([*page]).tolist()), f"keys of {chosen}"
        )
        seen = [memory for memory in store.corpus.fetch(asked, selection) if memory is not None]
        trial.equal(
            {each.id: each for each in seen}, page, f"the set of what is fetched of {chosen}"
        )
        visible = store.corpus.visible(asked, selection)
        trial.equal(
            asked[visible].tolist(), [key for key in asked.tolist() if key in found], "visible"
        )
    private = store.corpus.fetch(every, EVERYTHING)
    trial.demand(
        any(each is not None and "<private>" in each.content for each in private),
        "the private sections that the owner asked for are not among what is fetched",
    )
    with trial.refuses(InvalidInputError, "keys of the past"):
        store.corpus.keys(Selection(as_of=memories[0].created_at))


class _Follower:
    """An index that follows the corpus of a store by its changes alone."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._seen = {"texts": 0, "vectors": 0}
        self.texts: dict[int, Any] = {}
        self.vectors: dict[int, Any] = {}

    def catch_up(self, limit: int) -> None:
        """Take in all changes, so many at a time."""
        corpus = self._store.corpus
        while self._seen["texts"] < corpus.last():
            texts = corpus.text_changes(self._seen["texts"], limit=limit)
            self._take("texts", texts, _texts_of([texts]), self.texts)
        while self._seen["vectors"] < corpus.last():
            vectors = corpus.vector_changes("model", self._seen["vectors"], limit=limit)
            self._take("vectors", vectors, _vectors_of([vectors]), self.vectors)

    def _take(
        self,
        kind: str,
        change: TextChanges | VectorChanges,
        new: dict[int, Any],
        held: dict[int, Any],
    ) -> None:
        held.update(new)
        gone = set(change.gone.tolist())
        if change.purged:
            gone |= held.keys() - set(self._store.corpus.alive().tolist())
        for key in gone:
            held.pop(key, None)
        self._seen[kind] = change.number


def _texts_of(batches: Sequence[TextChanges]) -> dict[int, Any]:
    return {
        key: (content, tags)
        for batch in batches
        for key, content, tags in zip(batch.keys.tolist(), batch.contents, batch.tags, strict=True)
    }


def _vectors_of(batches: Sequence[VectorChanges]) -> dict[int, Any]:
    return {
        key: row.tobytes()
        for batch in batches
        for key, row in zip(batch.keys.tolist(), batch.values, strict=True)
    }


def _steps(store: Store) -> Iterator[None]:
    """Do something to a store at each step."""
    ids = store.memories.remember_many({"content": f"{n}", "tags": [f"t{n}"]} for n in range(6)).ids
    yield
    store.vectors.put("model", ids[:4], np.arange(8, dtype=np.float32).reshape(4, 2))
    store.vectors.put("other", ids[:1], np.ones((1, 3), np.float32))
    yield
    store.memories.update(ids[0], {"content": "public <private>secret</private>"})
    store.memories.update(ids[1], {"tags": ["new"]})
    yield
    store.memories.forget(ids[2])
    store.memories.forget(ids[5])
    yield
    store.memories.restore(ids[2])
    store.links.put(ids[0], ids[1])
    yield
    store.memories.purge([ids[3], ids[4]])
    yield
    store.memories.remember({"id": ids[3], "content": "anew"})
    store.vectors.put("model", [ids[3]], np.zeros((1, 2), np.float32))
    yield


@law("who follows the changes of the corpus holds what a fresh look finds")
def following(trial: Trial) -> None:
    store = trial.open()
    followers = {limit: _Follower(store) for limit in (1, 3, _MANY)}
    for number, _ in enumerate(_steps(store), 1):
        texts = _texts_of([*store.corpus.all_texts(batch_rows=2)])
        vectors = _vectors_of([*store.corpus.all_vectors("model", batch_rows=2)])
        trial.equal([*texts], store.corpus.alive().tolist(), "the list of keys of all texts")
        trial.demand("secret" not in repr(texts), "private sections are among the texts")
        for limit, follower in followers.items():
            follower.catch_up(limit)
            after = f"after step {number}, {limit} changes at a time,"
            trial.equal(follower.texts, texts, f"the texts followed {after}")
            trial.equal(follower.vectors, vectors, f"the vectors followed {after}")
    late = _Follower(store)
    late.catch_up(2)
    trial.equal((late.texts, late.vectors), (texts, vectors), "what is followed from the beginning")


@law("a stamp tells the history up to a change from that of any other store, and stays")
def stamps(trial: Trial) -> None:
    stores = [trial.open(), trial.open()]
    for store in stores:
        id_ = store.memories.remember({"content": "a"}).id
        store.memories.update(id_, {"content": "b"}, reason="why")
    one, other = (store.corpus for store in stores)
    kept = [other.stamp(number) for number in range(3)]
    trial.equal((kept[0], other.stamp(3)), ("", None), "the pair of stamps of none and none yet")
    trial.equal(len(set(kept)), 3, "the count of different stamps")
    trial.demand(one.stamp(2) != kept[2], "two stores have the same stamp")
    stores[1].memories.purge([id_])
    trial.equal([other.stamp(number) for number in range(3)], kept, "the list after a purge")


@law("links and turns by key are those of the memories")
def relations(trial: Trial) -> None:
    store = trial.open()
    store.sessions.start("talk")
    said = [{"speaker": who, "content": f"{n}"} for n, who in enumerate("abab")]
    turns = store.sessions.add_turns("talk", said)
    ids = [turn.memory_id for turn in turns]
    other = store.memories.remember({"content": "other"}).id
    known = store.corpus.find([*ids, other])
    a, b, c, d, e = known.tolist()
    store.links.put(ids[0], other, weight=0.25)
    store.links.put(other, ids[1], type="extends", weight=0.5)
    ended = store.links.put(ids[1], ids[0])
    store.links.close(ended.id, at=ended.created_at - _DAY)
    rows = [row.tolist() for row in store.corpus.links(known[[0, 4]])]
    trial.equal(rows, [[a, e], [e, b], [0.25, 0.5]], "the lists of links")
    rows = [row.tolist() for row in store.corpus.links(known[:1], types=["extends"])]
    trial.equal(rows, [[], [], []], "the lists of links of another type")
    before = store.corpus.links(known[1:2], valid_at=ended.created_at - 2 * _DAY)
    trial.equal(before.from_keys.tolist(), [b, e], "the list of links that held before")
    store.memories.forget(ids[1])
    places = store.corpus.turns(known)
    wanted = [("talk", n, who) if n != 1 else None for n, who in enumerate("abab")]
    trial.equal([place and tuple(place) for place in places], [*wanted, None], "the list of turns")
    around = store.corpus.turns_around(known, 1).tolist()
    rows = [[0, a, 0], [0, 0, 0], [0, c, d], [c, d, 0], [0, 0, 0]]
    trial.equal(around, rows, "the table of turns around each")
    left = store.corpus.links(known[:2]).to_keys.tolist()
    trial.equal(left, [e], "the list of links without those of a forgotten memory")


@law("what lacks a vector waits, is claimed by one, and gets a vector of what was claimed alone")
def queue(trial: Trial) -> None:
    store = trial.open()
    waiting = store.embedding_queue
    ids = [store.memories.remember({"content": f"{n} <private>x</private>"}).id for n in range(5)]
    trial.equal(waiting.counts("model"), QueueCounts(5, 0, 0, 0), "the count of each state")
    first, second = (waiting.claim("model", limit=n) for n in (2, 9))
    claimed = [each.memory_id for each in (*first, *second)]
    trial.equal(claimed, ids, "the list of memories claimed by two")
    trial.demand("x" not in first[0].content, "private sections are among what is claimed")
    trial.equal(waiting.claim("model", limit=9), [], "the list of what a third claims")
    trial.equal(waiting.counts("model"), QueueCounts(0, 5, 0, 0), "the count after claims")
    store.memories.update(ids[0], {"content": "changed"})
    stored = waiting.complete("model", first, np.eye(2, dtype=np.float32))
    trial.equal(stored, 1, "the number of vectors stored")
    found = [each and each.values.tolist() for each in store.vectors.get("model", ids[:2])]
    trial.equal(found, [None, [0.0, 1.0]], "the list of vectors")
    waiting.release("model", second[:1])
    waiting.fail("model", second[1:], "no such model", retry_at=None)
    trial.equal(waiting.counts("model"), QueueCounts(2, 0, 1, 2), "the count after failures")
    trial.equal(waiting.last_error("model"), "no such model", "the last error")
    again = waiting.claim("model", limit=9)
    wanted = [(ids[2], 0), (ids[0], 0)]
    seen = [(each.memory_id, each.attempts) for each in again]
    trial.equal(sorted(seen), sorted(wanted), "the list of what is claimed again")
    trial.equal(waiting.retry_failed("model"), 2, "the number of failed ones to retry")
    trial.equal(waiting.last_error("model"), None, "the last error after that")
    rest = [*again, *waiting.claim("model", limit=9)]
    trial.equal(
        waiting.complete("model", rest, np.ones((4, 2), np.float32)), 4, "the number stored"
    )
    trial.equal(waiting.counts("model"), QueueCounts(0, 0, 5, 0), "the count at the end")
    trial.equal(store.vectors.missing("model"), [], "the list of what lacks a vector")


LAWS: Final = (keys, selections, following, stamps, relations, queue)
"""The laws of this module, in the order in which they are tried."""
