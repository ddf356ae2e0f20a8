"""Who follows the corpus by its changes holds what a fresh look finds, whatever was done."""

from __future__ import annotations

from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

import apsw
import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from engram_lab.core.clock import ManualClock
from engram_lab.core.errors import AccessDeniedError, InvalidInputError, StoreCorruptError
from engram_lab.core.selection import EVERYTHING
from engram_lab.core.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from engram_lab.core.protocols import TextChanges, VectorChanges

contents = st.sampled_from(["tea", "milk", "tea <private>with gin</private>", "jam"])
tags = st.lists(st.sampled_from(["x", 'y"', "[]", "é"]), max_size=2, unique=True)
places = st.integers(0, 9)


class _UndoneError(Exception):
    """What a transaction raises to be undone."""


def texts_of(batches: Iterable[TextChanges]) -> dict[int, Any]:
    return {
        key: (content, tags)
        for each in batches
        for key, content, tags in zip(each.keys.tolist(), each.contents, each.tags, strict=True)
    }


def vectors_of(batches: Iterable[VectorChanges]) -> dict[int, Any]:
    return {
        key: row.tobytes()
        for each in batches
        for key, row in zip(each.keys.tolist(), each.values, strict=True)
    }


def truth_of(store: SqliteStore) -> dict[int, Any]:
    """Return what may be searched, as the table of memories says it."""
    shown = EVERYTHING.also(private=False, forgotten=False)
    rows = store.tables.scan("memories", shown).read_all().to_pylist()
    keys = store.corpus.find([row["id"] for row in rows]).tolist()
    texts = [(row["content"], tuple(row["tags"])) for row in rows]
    return dict(sorted(zip(keys, texts, strict=True)))


class Followed(RuleBasedStateMachine):
    """Followers of one store, each of which catches up when it likes."""

    @initialize()
    def begin(self) -> None:
        self.clock = ManualClock()
        self.store = SqliteStore.open(":memory:", clock=self.clock)
        self.texts: dict[int, Any] = {}
        self.vectors: dict[int, Any] = {}
        self.texts_seen = self.vectors_seen = 0

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()

    def known(self, *, forgotten: bool = True) -> list[str]:
        page = self.store.memories.select(EVERYTHING.also(forgotten=forgotten), limit=1000)
        return [memory.id for memory in page]

    def some(self, place: int, *, forgotten: bool = False) -> list[str]:
        ids = self.known(forgotten=forgotten)
        return ids[place % len(ids) :][:1] if ids else []

    @rule(given=st.lists(st.tuples(contents, tags), min_size=1, max_size=3))
    def remember(self, given: list[tuple[str, list[str]]]) -> None:
        drafts = [{"content": content, "tags": tags} for content, tags in given]
        self.store.memories.remember_many(drafts, dedup="allow")

    @rule(place=places, content=contents, tags=tags)
    def update(self, place: int, content: str, tags: list[str]) -> None:
        for id_ in self.some(place):
            self.store.memories.update(id_, {"content": content, "tags": tags})

    @rule(place=places)
    def forget(self, place: int) -> None:
        for id_ in self.some(place):
            self.store.memories.forget(id_)

    @rule(place=places)
    def restore(self, place: int) -> None:
        for id_ in set(self.some(place, forgotten=True)) - set(self.known(forgotten=False)):
            self.store.memories.restore(id_)

    @rule(place=places, again=st.booleans())
    def purge(self, place: int, *, again: bool) -> None:
        for id_ in self.some(place, forgotten=True):
            self.store.memories.purge([id_])
            if again:
                self.store.memories.remember({"id": id_, "content": "jam"}, dedup="allow")

    @rule(place=places, value=st.integers(0, 3), embedder=st.sampled_from(["m", "other"]))
    def embed(self, place: int, value: int, embedder: str) -> None:
        for id_ in self.some(place):
            self.store.vectors.put(embedder, [id_], np.full((1, 2), value, np.float32))

    @rule(place=places)
    def expire(self, place: int) -> None:
        for id_ in self.some(place):
            self.store.memories.update(id_, {"tier": "daily"})
        self.clock.advance(days=400)
        self.store.memories.clean_up()

    @rule(place=places)
    def undo(self, place: int) -> None:
        with suppress(_UndoneError), self.store.transaction():
            self.store.memories.remember({"content": "never"}, dedup="allow")
            self.forget(place)
            raise _UndoneError

    @rule()
    def come_back(self) -> None:
        """Be remembered anew under the same id, after a purge."""
        ids = self.known()[:1]
        contents = [self.store.memories.get(each, forgotten=True).content for each in ids]
        self.store.memories.purge(ids)
        for id_, content in zip(ids, contents, strict=True):
            self.store.memories.remember({"id": id_, "content": content}, dedup="allow")

    @rule(limit=st.integers(1, 4))
    def catch_up(self, limit: int) -> None:
        corpus = self.store.corpus
        while self.texts_seen < corpus.last():
            texts = corpus.text_changes(self.texts_seen, limit=limit)
            assert texts.number <= self.texts_seen + limit
            self.texts_seen = texts.number
            self.take(self.texts, texts, texts_of([texts]))
        while self.vectors_seen < corpus.last():
            vectors = corpus.vector_changes("m", self.vectors_seen, limit=limit)
            self.vectors_seen = vectors.number
            self.take(self.vectors, vectors, vectors_of([vectors]))
        assert self.texts == truth_of(self.store)
        assert self.vectors == vectors_of(corpus.all_vectors("m", batch_rows=2))

    def take(
        self, held: dict[int, Any], change: TextChanges | VectorChanges, new: dict[int, Any]
    ) -> None:
        for keys in (change.keys, change.gone):
            assert (np.diff(keys) > 0).all()
        held.update(new)
        alive = self.store.corpus.alive().tolist() if change.purged else held
        for key in {*change.gone.tolist(), *(held.keys() - set(alive))}:
            held.pop(key, None)

    @invariant()
    def a_fresh_look_is_true(self) -> None:
        if hasattr(self, "store"):
            truth = truth_of(self.store)
            assert texts_of(self.store.corpus.all_texts(batch_rows=3)) == truth
            assert self.store.corpus.alive().tolist() == [*truth]
            assert "gin" not in repr(truth)


TestFollowed = Followed.TestCase
TestFollowed.settings = settings(stateful_step_count=20)


def numbers_of(batches: Iterable[TextChanges | VectorChanges]) -> list[tuple[int, int]]:
    return [(each.number, len(each.keys)) for each in batches]


def test_an_empty_store_says_so_in_one_batch(store: SqliteStore) -> None:
    assert numbers_of(store.corpus.all_texts()) == [(0, 0)]
    (vectors,) = store.corpus.all_vectors("m")
    assert vectors.values.shape == (0, 0)
    assert store.corpus.text_changes(0).number == 0
    assert store.corpus.vector_changes("m", 0).values.shape == (0, 0)


def test_the_dimension_is_known_before_any_vector_is_found(store: SqliteStore) -> None:
    id_ = store.memories.remember({"content": "a"}).id
    store.vectors.put("m", [id_], np.ones((1, 3), np.float32))
    store.memories.update(id_, {"content": "b"})
    (vectors,) = store.corpus.all_vectors("m")
    assert vectors.values.shape == (0, 3)
    changes = store.corpus.vector_changes("m", 0)
    assert (changes.values.shape, changes.gone.tolist()) == ((0, 3), [1])


def test_vectors_are_one_array_that_may_be_written_to(store: SqliteStore) -> None:
    ids = store.memories.remember_many({"content": each} for each in "abc").ids
    store.vectors.put("m", ids, np.arange(6, dtype=np.float32).reshape(3, 2))
    changes = store.corpus.vector_changes("m", 0)
    assert changes.values.dtype == np.float32
    values = changes.values
    values *= 2
    assert values.tolist() == [[0, 2], [4, 6], [8, 10]]


@pytest.mark.parametrize("in_file", [True, False])
def test_what_is_written_while_all_is_read_is_not_read(
    path: Path, store: SqliteStore, *, in_file: bool
) -> None:
    used = SqliteStore.open(str(path)) if in_file else store
    ids = used.memories.remember_many({"content": each} for each in "abcde").ids
    used.vectors.put("m", ids, np.ones((5, 2), np.float32))
    readers: list[Iterator[Any]] = [
        used.corpus.all_texts(batch_rows=2), used.corpus.all_vectors("m", batch_rows=2)
    ]  # fmt: skip
    firsts = [next(reader) for reader in readers]
    used.memories.remember({"content": "f"})
    used.memories.purge([ids[-1]])
    for first, reader in zip(firsts, readers, strict=True):
        assert numbers_of([first, *reader]) == [(10, 2), (10, 2), (10, 1)]
    if in_file:
        used.close()


def test_a_reader_that_stops_midway_holds_nothing(path: Path) -> None:
    with closing(SqliteStore.open(str(path))) as store:
        store.memories.remember_many({"content": f"{n}"} for n in range(10))
        for _ in range(20):
            next(iter(store.corpus.all_texts(batch_rows=2)))
        reader = store.corpus.all_texts(batch_rows=2)
        next(reader)
        reader.close()  # type: ignore[attr-defined]  # it is a generator
        assert store.corpus.last() == 10


def test_a_transaction_reads_its_own_changes(file_store: SqliteStore) -> None:
    with file_store.transaction():
        file_store.memories.remember({"content": "a"})
        assert texts_of(file_store.corpus.all_texts()) == {1: ("a", ())}
        assert file_store.corpus.text_changes(0).contents == ["a"]
        file_store.memories.remember({"content": "b"})


@pytest.mark.parametrize("number", [-1, 0.5, "1", None, [1]])
def test_a_number_to_follow_from_is_one(store: SqliteStore, number: Any) -> None:
    for read in (
        store.corpus.text_changes, lambda given: store.corpus.vector_changes("m", given)
    ):  # fmt: skip
        with pytest.raises(InvalidInputError, match="number of a change"):
            read(number)


def test_a_number_beyond_the_last_finds_nothing(store: SqliteStore) -> None:
    store.memories.remember({"content": "a"})
    changes = store.corpus.text_changes(7)
    assert (changes.number, len(changes.keys), changes.purged) == (1, 0, False)
    assert store.corpus.text_changes(np.int64(0)).number == 1  # type: ignore[arg-type]


@pytest.mark.parametrize("many", [0, -1, "7", None])
def test_limits_and_batches_are_whole_numbers_from_1(store: SqliteStore, many: Any) -> None:
    corpus = store.corpus
    for read in (
        lambda: corpus.text_changes(0, limit=many),
        lambda: corpus.vector_changes("m", 0, limit=many),
        lambda: corpus.all_texts(batch_rows=many),
        lambda: corpus.all_vectors("m", batch_rows=many),
    ):
        with pytest.raises(InvalidInputError, match=r"limit|batch_rows"):
            read()


def test_the_log_the_texts_and_the_vectors_are_the_owners(store: SqliteStore) -> None:
    agent = store.as_agent("x", "global").corpus
    for read in (
        lambda: agent.stamp(0),
        agent.alive,
        lambda: agent.text_changes(0),
        lambda: agent.vector_changes("m", 0),
        agent.all_texts,
        lambda: agent.all_vectors("m"),
    ):
        with pytest.raises(AccessDeniedError):
            read()
    assert agent.last() == 0


def test_a_vector_cut_short_is_damage(path: Path) -> None:
    with closing(SqliteStore.open(str(path))) as store:
        ids = store.memories.remember_many({"content": each} for each in "ab").ids
        store.vectors.put("m", ids, np.ones((2, 2), np.float32))
        with closing(apsw.Connection(str(path))) as other:
            other.execute("UPDATE vectors SET data = x'00' WHERE pk = 2")
        for read in (
            lambda: store.corpus.vector_changes("m", 0), lambda: [*store.corpus.all_vectors("m")]
        ):  # fmt: skip
            with pytest.raises(StoreCorruptError, match="restore"):
                read()
