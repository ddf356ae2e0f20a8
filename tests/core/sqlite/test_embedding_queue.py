"""What waits to be embedded: who may claim it, for how long, and what becomes of a failure."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import apsw
import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from engram_lab.core.clock import ManualClock
from engram_lab.core.errors import (
    AccessDeniedError,
    InvalidInputError,
    StoreError,
    StoreReadOnlyError,
)
from engram_lab.core.protocols import Chunk, QueueCounts
from engram_lab.core.selection import EVERYTHING
from engram_lab.core.sqlite import SqliteStore, following

if TYPE_CHECKING:
    from pathlib import Path

    from engram_lab.core.protocols import Waiting


def filled(store: SqliteStore, *contents: str) -> list[str]:
    return list(store.memories.remember_many({"content": each} for each in contents).ids)


def claim(store: SqliteStore, limit: int = 100, **options: float) -> list[Waiting]:
    return store.embedding_queue.claim("m", limit=limit, **options)


def complete(store: SqliteStore, claimed: list[Waiting]) -> int:
    values = np.ones((len(claimed), 2), np.float32)
    return store.embedding_queue.complete("m", claimed, values)


def ids_of(claimed: list[Waiting]) -> list[str]:
    return [each.memory_id for each in claimed]


def counts(store: SqliteStore) -> QueueCounts:
    return store.embedding_queue.counts("m")


def rows_of(path: Path, table: str) -> int:
    with closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)) as connection:
        found: int = connection.execute(f"SELECT count(*) FROM {table}").get
    return found


def test_remembering_writes_nothing_to_the_queue(path: Path) -> None:
    with closing(SqliteStore.open(str(path))) as store:
        claim(store)
        filled(store, "a", "b")
        assert rows_of(path, "embedding_queue") == 0
        assert counts(store).pending == 2
        assert rows_of(path, "embedding_queue") == 0  # looking does not write either
        claim(store)
        assert rows_of(path, "embedding_queue") == 2


def test_the_longest_waiting_is_claimed_first(store: SqliteStore) -> None:
    a, b, c = filled(store, "a", "b", "c")
    assert complete(store, claim(store, 2)) == 2
    store.memories.update(a, {"content": "changed"})
    assert ids_of(claim(store, 1)) == [c]
    d = store.memories.remember({"content": "d"}).id
    store.memories.update(b, {"content": "changed as well"})
    assert ids_of(claim(store)) == [a, d, b]


def test_each_embedder_has_a_queue_of_its_own(store: SqliteStore) -> None:
    ids = filled(store, "a", "b")
    queue = store.embedding_queue
    for name in ("m", "other"):
        assert ids_of(queue.claim(name, limit=9)) == ids
    with pytest.raises(InvalidInputError):
        queue.claim("", limit=1)


def test_a_claim_of_another_queue_does_not_count(store: SqliteStore) -> None:
    filled(store, "a")
    claim(store)
    others = store.embedding_queue.claim("other", limit=9)
    assert complete(store, others) == 0
    store.embedding_queue.fail("m", others, "no", retry_at=None)
    store.embedding_queue.release("m", others)
    assert counts(store) == QueueCounts(0, 1, 0, 0)


def test_a_lease_that_ends_makes_room_for_another(store: SqliteStore, clock: ManualClock) -> None:
    (id_,) = filled(store, "a")
    (lost,) = claim(store, lease_s=60)
    assert (lost.attempts, claim(store)) == (0, [])
    clock.advance(seconds=59)
    assert claim(store) == []
    clock.advance(seconds=1)
    assert counts(store) == QueueCounts(1, 0, 0, 0)
    (held,) = claim(store)
    assert (held.memory_id, held.attempts) == (id_, 1)
    assert complete(store, [lost]) == 0
    store.embedding_queue.release("m", [lost])
    store.embedding_queue.fail("m", [lost], "too late", retry_at=None)
    assert counts(store) == QueueCounts(0, 1, 0, 0)
    assert complete(store, [held]) == 1


def test_who_is_late_but_alone_is_in_time(store: SqliteStore, clock: ManualClock) -> None:
    filled(store, "a")
    claimed = claim(store, lease_s=60)
    clock.advance(hours=1)
    assert complete(store, claimed) == 1
    assert complete(store, claimed) == 0
    assert counts(store) == QueueCounts(0, 0, 1, 0)


def test_a_vector_is_stored_of_what_was_claimed_alone(store: SqliteStore) -> None:
    ids = filled(store, "same", "changed", "forgotten", "purged", "tagged", "there and back")
    claimed = claim(store)
    store.memories.update(ids[1], {"content": "CHANGED"})  # to the same letters, for a hash
    store.memories.forget(ids[2])
    store.memories.purge([ids[3]])
    store.memories.update(ids[4], {"tags": ["new"]})
    store.memories.update(ids[5], {"content": "away"})
    store.memories.update(ids[5], {"content": "there and back"})
    assert complete(store, claimed) == 3
    found = store.vectors.get("m", ids)
    assert [each is not None for each in found] == [True, False, False, False, True, True]
    assert ids_of(claim(store)) == [ids[1]]


def test_a_purged_id_that_came_back_is_another_memory(store: SqliteStore) -> None:
    (id_,) = filled(store, "a")
    claimed = claim(store)
    store.memories.purge([id_])
    store.memories.remember({"id": id_, "content": "a"})
    assert complete(store, claimed) == 0
    assert ids_of(claim(store)) == [id_]


def test_what_is_forgotten_waits_no_more_and_what_is_restored_does(store: SqliteStore) -> None:
    (id_,) = filled(store, "a")
    claim(store)
    store.memories.forget(id_)
    assert counts(store) == QueueCounts(0, 0, 0, 0)
    assert claim(store) == []
    store.memories.restore(id_)
    assert ids_of(claim(store)) == [id_]


def test_what_has_expired_does_not_wait(store: SqliteStore, clock: ManualClock) -> None:
    store.memories.remember({"content": "bread", "tier": "daily"})
    claimed = claim(store)
    clock.advance(days=400)
    assert claim(store) == []
    assert complete(store, claimed) == 0
    assert counts(store) == QueueCounts(0, 0, 0, 0)
    store.memories.clean_up()


def test_a_vector_from_elsewhere_ends_the_waiting(store: SqliteStore) -> None:
    ids = filled(store, "a", "b", "c")
    claimed = claim(store, 1)
    store.vectors.put("m", ids[:2], np.ones((2, 2), np.float32))
    assert counts(store) == QueueCounts(1, 0, 2, 0)
    assert ids_of(claim(store)) == [ids[2]]
    assert counts(store) == QueueCounts(0, 1, 2, 0)
    assert complete(store, claimed) == 0


def test_a_failure_is_tried_again_at_its_time_or_never(
    store: SqliteStore, clock: ManualClock
) -> None:
    ids = filled(store, "a", "b")
    queue = store.embedding_queue
    claimed = claim(store)
    queue.fail("m", claimed[:1], "busy", retry_at=clock.now() + timedelta(minutes=1))
    queue.fail("m", claimed[1:], "refused", retry_at=None)
    assert counts(store) == QueueCounts(1, 0, 0, 1)
    assert queue.last_error("m") == "refused"
    assert claim(store) == []
    clock.advance(minutes=1)
    (again,) = claim(store)
    assert (again.memory_id, again.attempts) == (ids[0], 1)
    assert complete(store, [again]) == 1
    assert queue.retry_failed("m") == 1
    assert queue.retry_failed("m") == 0
    assert queue.last_error("m") is None
    (last,) = claim(store)
    assert (last.memory_id, last.attempts) == (ids[1], 0)


def test_only_other_content_gives_a_failure_another_chance(store: SqliteStore) -> None:
    (id_,) = filled(store, "a <private>b</private>")
    store.embedding_queue.fail("m", claim(store), "refused", retry_at=None)
    store.memories.update(id_, {"tags": ["new"]})
    store.memories.update(id_, {"content": "a <private>c</private>"})
    store.memories.forget(id_)
    store.memories.restore(id_)
    assert (claim(store), counts(store)) == ([], QueueCounts(0, 0, 0, 1))
    store.memories.update(id_, {"content": "d"})
    assert counts(store) == QueueCounts(1, 0, 0, 0)
    assert store.embedding_queue.last_error("m") is None
    (again,) = claim(store)
    assert (again.content, again.attempts) == ("d", 0)


def test_what_is_given_back_was_not_tried(store: SqliteStore) -> None:
    filled(store, "a")
    for _ in range(3):
        (claimed,) = claim(store)
        assert claimed.attempts == 0
        store.embedding_queue.release("m", [claimed])


def test_an_error_is_kept_short_and_any_text_will_do(store: SqliteStore) -> None:
    filled(store, "a")
    store.embedding_queue.fail("m", claim(store), "\ud800" + "x" * 10_000, retry_at=None)
    said = store.embedding_queue.last_error("m")
    assert said is not None
    assert said.startswith("\\ud800x")
    assert len(said) < 1_100


def test_a_purge_blanks_what_was_said_of_it_and_of_those_that_failed_with_it(
    store: SqliteStore,
) -> None:
    ids = filled(store, "a", "b", "c")
    queue = store.embedding_queue
    first, *rest = claim(store)
    queue.fail("m", [first], "alone", retry_at=None)
    queue.fail("m", rest, "b is too long", retry_at=None)
    store.memories.purge([ids[1]])
    assert counts(store) == QueueCounts(0, 0, 0, 2)
    assert queue.last_error("m") == "alone"
    assert queue.retry_failed("m") == 2


def test_private_sections_never_leave(store: SqliteStore) -> None:
    filled(store, "seen <private>hidden</private>", "<private>hidden</private>")
    assert [each.content.strip() for each in claim(store)] == ["seen", ""]


def test_vectors_are_checked_and_a_refusal_keeps_the_claim(store: SqliteStore) -> None:
    filled(store, "a", "b")
    claimed = claim(store)
    queue = store.embedding_queue
    for values in (np.ones((1, 2)), np.ones((2, 0)), np.full((2, 2), np.nan), np.ones(2)):
        with pytest.raises(InvalidInputError, match="values"):
            queue.complete("m", claimed, values.astype(np.float32))
    assert complete(store, claimed[:1]) == 1
    with pytest.raises(InvalidInputError, match="dimensions"):
        queue.complete("m", claimed[1:], np.ones((1, 3), np.float32))
    assert counts(store) == QueueCounts(0, 1, 1, 0)
    assert queue.complete("m", [], np.ones((0, 2), np.float32)) == 0


def test_completed_vectors_are_in_the_log_like_any_other(store: SqliteStore) -> None:
    ids = filled(store, "a", "b")
    complete(store, claim(store))
    store.vectors.put("m", ids, np.ones((2, 2), np.float32))
    entries = store.changes.since(2)
    seen = [(each.action, each.target, each.id, each.author) for each in entries]
    assert seen == [("embed", "vector", id_, "owner") for id_ in ids] * 2


def test_a_memory_named_twice_is_stored_once(store: SqliteStore) -> None:
    filled(store, "a")
    assert complete(store, claim(store) * 2) == 1
    assert store.changes.last() == 2


@pytest.mark.parametrize("lease_s", [0, -1, float("nan"), float("inf"), 1e12, 1e300, "7", None])
def test_a_lease_is_a_time(store: SqliteStore, lease_s: Any) -> None:
    with pytest.raises(InvalidInputError, match="lease_s"):
        claim(store, lease_s=lease_s)


@pytest.mark.parametrize("limit", [0, -1, "7", None])
def test_a_limit_of_claims_is_a_whole_number_from_1(store: SqliteStore, limit: Any) -> None:
    with pytest.raises(InvalidInputError, match="limit"):
        claim(store, limit)


def test_only_the_owner_sees_to_it(store: SqliteStore) -> None:
    queue = store.as_agent("x", "global").embedding_queue
    for deed in (
        lambda: queue.claim("m", limit=1),
        lambda: queue.complete("m", [], np.ones((0, 2), np.float32)),
        lambda: queue.fail("m", [], "no", retry_at=None),
        lambda: queue.release("m", []),
        lambda: queue.retry_failed("m"),
        lambda: queue.counts("m"),
        lambda: queue.last_error("m"),
    ):
        with pytest.raises(AccessDeniedError):
            deed()


def test_a_store_opened_to_read_counts_and_claims_nothing(path: Path) -> None:
    with closing(SqliteStore.open(str(path))) as store:
        filled(store, "a", "b")
        claim(store, 1)
    with closing(SqliteStore.open(str(path), read_only=True)) as store:
        assert counts(store) == QueueCounts(1, 1, 0, 0)
        assert store.embedding_queue.last_error("m") is None
        for name in ("m", "new"):
            with pytest.raises(StoreReadOnlyError):
                store.embedding_queue.claim(name, limit=1)


def test_who_asks_in_vain_writes_nothing(file_store: SqliteStore) -> None:
    filled(file_store, "a")
    claim(file_store)
    before = file_store.revision()
    assert claim(file_store) == []
    assert file_store.revision() == before


def test_a_claim_waits_for_no_disk_and_a_vector_does(
    file_store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = file_store._context.database
    seen: list[int] = []

    def looked_at(connection: apsw.Connection) -> bool:
        seen.append(connection.pragma("synchronous"))
        return False  # so that it is committed

    filled(file_store, "a", "b", "c")
    with database.outside_transaction() as connection:
        connection.set_commit_hook(lambda: looked_at(connection))
    claimed = claim(file_store)
    file_store.embedding_queue.release("m", claimed[:1])
    file_store.embedding_queue.fail("m", claimed[1:2], "no", retry_at=None)
    assert set(seen) == {1}  # NORMAL
    seen.clear()
    assert complete(file_store, claimed[2:]) == 1
    with file_store.transaction():
        assert len(claim(file_store)) == 1  # is a part of what is as durable as all else
    assert seen == [2, 2]  # FULL
    seen.clear()
    monkeypatch.setattr("engram_lab.core.sqlite.embedding_queue._NEXT_STEP", "no SQL")
    filled(file_store, "d")
    with pytest.raises(StoreError):
        claim(file_store)
    file_store.memories.remember({"content": "e"})
    assert set(seen) == {2}


def test_a_long_log_is_followed_in_steps(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "_AT_ONCE", 3)
    ids = filled(store, *"abcdefghij")
    store.vectors.put("m", ids[:5], np.ones((5, 2), np.float32))
    # A step that finds something ends a claim; one that finds nothing does not.
    assert [ids_of(claim(store)) for _ in range(3)] == [ids[5:6], ids[6:9], ids[9:]]
    late = filled(store, *"klmnopqrs")
    assert counts(store) == QueueCounts(9, 5, 5, 0)
    found = [ids_of(claim(store)) for _ in range(4)]
    assert found == [late[:3], late[3:6], late[6:], []]


def test_what_came_by_an_import_waits_unless_its_vector_came_too(store: SqliteStore) -> None:
    ids = filled(store, "a", "b")
    store.vectors.put("m", ids[:1], np.ones((1, 2), np.float32))
    tables = {
        name: store.tables.scan(name, EVERYTHING).read_all().to_pylist()
        for name in ("memories", "vectors")
    }
    with closing(SqliteStore.open(":memory:")) as other:
        claim(other)
        other.loader.load(Chunk(name, list(enumerate(rows))) for name, rows in tables.items())
        assert ids_of(claim(other)) == ids[1:]


def test_a_backup_goes_on_where_the_store_was(path: Path, tmp_path: Path) -> None:
    with closing(SqliteStore.open(str(path))) as store:
        ids = filled(store, "a", "b")
        claimed = claim(store, 1)
        store.backups.backup(str(tmp_path / "copy.db"))
    with closing(SqliteStore.open(str(tmp_path / "copy.db"))) as copy:
        assert ids_of(claim(copy)) == ids[1:]
        assert complete(copy, claimed) == 1


def test_the_doctor_finds_and_removes_what_waits_of_no_memory(path: Path) -> None:
    with closing(SqliteStore.open(str(path))) as store:
        filled(store, "a", "b")
        claim(store)
    with closing(apsw.Connection(str(path))) as other:
        other.execute("DELETE FROM embedding_queues; DELETE FROM vectors")
    with closing(SqliteStore.open(str(path))) as store:
        orphans = {check.name: check for check in store.doctor.examine()}["orphans"]
        assert (orphans.ok, orphans.detail) == (False, "2 of waiting")
        assert all(check.ok for check in store.doctor.repair())
        assert len(claim(store)) == 2


class Queued(RuleBasedStateMachine):
    """The queue against a model: for each memory, the states that it may be in.

    There is more than one where a memory was forgotten and restored, or its content changed and
    changed back, under a claim: that stands unless a later claim looked at the log in between.
    """

    @initialize()
    def begin(self) -> None:
        self.clock = ManualClock()
        self.store = SqliteStore.open(":memory:", clock=self.clock)
        self.may: dict[str, set[str]] = {}
        self.claimed: dict[str, Waiting] = {}
        self.stands: dict[str, tuple[str, str]] = {}  # of which content, and in which state
        self.forgotten: set[str] = set()

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()

    def some(self, place: int) -> list[str]:
        ids = sorted(self.may.keys() - self.forgotten)
        return ids[place % len(ids) :][:1] if ids else []

    @rule(count=st.integers(1, 3))
    def remember(self, count: int) -> None:
        drafts = [{"content": "x"}] * count
        for id_ in self.store.memories.remember_many(drafts, dedup="allow").ids:
            self.may[id_] = {"pending"}

    @rule(place=st.integers(0, 9), content=st.sampled_from(["x", "y"]))
    def update(self, place: int, content: str) -> None:
        for id_ in self.some(place):
            if self.store.memories.get(id_).content != content:
                stood_for, state = self.stands.get(id_, (None, "pending"))
                self.may[id_] = {"pending", state} if stood_for == content else {"pending"}
            self.store.memories.update(id_, {"content": content, "tags": [str(place)]})

    @rule(place=st.integers(0, 9))
    def forget(self, place: int) -> None:
        for id_ in self.some(place):
            self.store.memories.forget(id_)
            self.forgotten.add(id_)
            if "processing" in self.may[id_]:
                self.may[id_] |= {"pending"}

    @rule()
    def restore(self) -> None:
        for id_ in sorted(self.forgotten)[:1]:
            self.store.memories.restore(id_)
            self.forgotten.remove(id_)

    @rule(place=st.integers(0, 9))
    def purge(self, place: int) -> None:
        for id_ in self.some(place):
            self.store.memories.purge([id_])
            del self.may[id_]

    @rule(limit=st.integers(1, 3))
    def claim(self, limit: int) -> None:
        free = {id_ for id_ in self.may if "pending" in self.may[id_]} - self.forgotten
        found = claim(self.store, limit, lease_s=1000)
        assert {*ids_of(found)} <= free
        sure = {id_ for id_ in free if self.may[id_] == {"pending"}}
        assert len(found) == limit or sure <= {*ids_of(found)}
        for each in found:
            self.may[each.memory_id] = {"processing"}
            self.claimed[each.memory_id] = each
            self.stands[each.memory_id] = (each.content, "processing")

    @rule(place=st.integers(0, 9), deed=st.sampled_from(["complete", "fail", "release"]))
    def end(self, place: int, deed: str) -> None:
        for id_ in sorted(self.claimed)[place : place + 1]:
            each = self.claimed.pop(id_)
            if deed == "complete":
                states = {"pending"} if id_ in self.forgotten else self.may.get(id_, {"pending"})
                done = complete(self.store, [each])
                assert done in {int(state == "processing") for state in states}
                if done:
                    self.may[id_] = {"complete"}
                    del self.stands[id_]
            elif deed == "fail":
                self.store.embedding_queue.fail("m", [each], "no", retry_at=None)
                self.move(id_, "processing", "failed")
                self.stands[id_] = (each.content, "failed")
            else:
                self.store.embedding_queue.release("m", [each])
                self.move(id_, "processing", "pending")
                del self.stands[id_]

    @rule()
    def wait(self) -> None:
        self.clock.advance(seconds=1000)
        self.claimed.clear()
        self.end_all("processing")

    @rule()
    def retry(self) -> None:
        lives = [states for id_, states in self.may.items() if id_ not in self.forgotten]
        again = self.store.embedding_queue.retry_failed("m")
        assert lives.count({"failed"}) <= again <= sum("failed" in each for each in lives)
        self.end_all("failed")

    def end_all(self, state: str) -> None:
        for id_ in self.may:
            self.move(id_, state, "pending")
        self.stands = {id_: each for id_, each in self.stands.items() if each[1] != state}

    def move(self, id_: str, before: str, after: str) -> None:
        if id_ in self.may:
            self.may[id_] = {after if each == before else each for each in self.may[id_]}

    @invariant()
    def counts_agree(self) -> None:
        if not hasattr(self, "store"):
            return
        lives = [states for id_, states in self.may.items() if id_ not in self.forgotten]
        found = counts(self.store)
        assert sum(found) == len(lives)
        for state, count in found._asdict().items():
            assert lives.count({state}) <= count <= sum(state in each for each in lives)


TestQueued = Queued.TestCase
TestQueued.settings = settings(stateful_step_count=25)
