"""The store against a plain dict: whatever is done to both, both hold the same."""

from __future__ import annotations

from contextlib import AbstractContextManager, closing, nullcontext
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from engram_lab.core import errors
from engram_lab.core.clock import ManualClock
from engram_lab.core.protocols import Chunk
from engram_lab.core.schemas import SCHEMAS
from engram_lab.core.selection import EVERYTHING, Selection
from engram_lab.core.settings import StoreSettings
from engram_lab.core.sqlite import SqliteStore

if TYPE_CHECKING:
    from engram_lab.core.types import Dedup, Memory

DAY = timedelta(days=1)
UNKNOWN = "01890a5d-ac96-774b-bcce-b302099a8057"
MODELLED = (
    "content", "tags", "importance", "workspace", "scope", "created_at", "updated_at", "pinned",
    "lifecycle", "expires_at",
)  # fmt: skip
State = dict[str, Any]  # the fields above, and whether it is forgotten

numbers = st.integers(0, 30)
tags = st.lists(st.sampled_from(["x", "y", "z"]), max_size=2, unique=True).map(tuple)
spaces = st.sampled_from(["default", "kitchen"])
scopes = st.sampled_from(["global", "global/org:a", "global/org:ab", "global/org:a/team:t"])
grades = st.sampled_from([0.0, 0.5, 1.0])
revisions = st.fixed_dictionaries(
    {},
    optional={
        "content": st.sampled_from(["tea", "milk"]),
        "tags": tags,
        "importance": grades,
        "tier": st.sampled_from(["permanent", "daily"]),
        "lifecycle": st.sampled_from(["active", "archived"]),
        "scope": scopes,
    },
)


def state_of(memory: Memory) -> State:
    fields = {name: getattr(memory, name) for name in MODELLED}
    return {**fields, "forgotten": memory.forgotten_at is not None}


def key_of(state: State) -> list[str]:
    return [state[name].strip().lower() for name in ("content", "workspace", "scope")]


def refusing(kind: type[errors.EngramError] | None) -> AbstractContextManager[Any]:
    return nullcontext() if kind is None else pytest.raises(kind)


def rows_of(store: SqliteStore, name: str) -> list[State]:
    rows: list[State] = store.tables.scan(name, EVERYTHING).read_all().to_pylist()
    return rows


def within(scope: str, root: str) -> bool:
    return f"{scope}/".startswith(f"{root}/")


class StoreMachine(RuleBasedStateMachine):
    """Each rule does one thing to the store and to the model, and expects the same of both."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock(datetime(2026, 1, 1, 12, tzinfo=UTC))
        options = StoreSettings(seed=1, daily_ttl_hours=24.0)
        self.store = SqliteStore.open(":memory:", settings=options, clock=self.clock)
        self.memories: dict[str, list[State]] = {}  # every version of each, the present one last
        self.policies: dict[str, tuple[float | None, int | None]] = {"default": (None, None)}
        self.links: dict[str, tuple[str, str, bool]] = {}
        self.granted: set[str] = set()
        self.moments: list[tuple[datetime, dict[str, State]]] = []
        self.known = [UNKNOWN]
        self.changes_seen = 0

    # What the model says.

    def lives(self, id_: str) -> bool:
        """Tell whether there is such a memory, forgotten or not, that has not expired."""
        expires = self.memories[id_][-1]["expires_at"] if id_ in self.memories else self.clock.now()
        return expires is None or expires > self.clock.now()

    def present(self) -> dict[str, State]:
        heads = {id_: states[-1] for id_, states in self.memories.items() if self.lives(id_)}
        return {id_: head for id_, head in heads.items() if not head["forgotten"]}

    def add(self, id_: str, state: State) -> None:
        self.memories.setdefault(id_, []).append({**state, "updated_at": self.clock.now()})

    def remove(self, id_: str) -> None:
        del self.memories[id_]
        self.links = {link: ends for link, ends in self.links.items() if id_ not in ends[:2]}

    def forget_all(self, ids: list[str]) -> int:
        for id_ in ids:
            self.add(id_, {**self.memories[id_][-1], "forgotten": True})
        return len(ids)

    def refusal(self, id_: str, version: int | None) -> type[errors.EngramError] | None:
        if id_ not in self.present():
            return errors.NotFoundError
        is_stale = version is not None and version != len(self.memories[id_])
        return errors.VersionConflictError if is_stale else None

    # What is done.

    @rule(
        fields=st.fixed_dictionaries(
            {
                "content": st.sampled_from(["tea", "TEA ", "milk"]),
                "tags": tags,
                "importance": grades,
                "workspace": spaces,
                "scope": scopes,
                "pinned": st.booleans(),
                "tier": st.sampled_from(["permanent", "daily"]),
            }
        ),
        dedup=st.sampled_from(["allow", "allow", "reject", "skip", "merge"]),
    )
    def remember(self, fields: State, dedup: Dedup) -> None:
        now = self.clock.now()
        new = {**fields, "created_at": now, "lifecycle": "active", "forgotten": False}
        new["expires_at"] = now + DAY if new.pop("tier") == "daily" else None
        same = sorted(id_ for id_, head in self.present().items() if key_of(head) == key_of(new))
        with refusing(errors.DuplicateError if same and dedup == "reject" else None):
            memory = self.store.memories.remember(fields, dedup=dedup)
        if same and dedup == "reject":
            return
        self.policies.setdefault(new["workspace"], (None, None))
        if not same or dedup == "allow":
            assert memory.id not in self.memories
            self.known.append(memory.id)
            self.add(memory.id, new)
        else:
            assert same[0] == memory.id
            old = self.memories[memory.id][-1]
            merged_tags = tuple(dict.fromkeys(old["tags"] + new["tags"]))
            importance = max(old["importance"], new["importance"])
            merged = {**old, "tags": merged_tags, "importance": importance}
            if dedup == "merge" and merged != old:
                self.add(memory.id, merged)
        assert self.memories[memory.id][-1] == state_of(memory)

    @rule(number=numbers, revision=revisions, version=st.none() | st.integers(1, 3))
    def update(self, number: int, revision: State, version: int | None) -> None:
        id_ = self.known[number % len(self.known)]
        with refusing(refused := self.refusal(id_, version)):
            memory = self.store.memories.update(id_, revision, version=version)
        if refused:
            return
        old = self.memories[id_][-1]
        new = {**old, **revision}
        match new.pop("tier", None), old["expires_at"]:
            case "permanent", _:
                new["expires_at"] = None
            case "daily", None:
                new["expires_at"] = self.clock.now() + DAY
        if new != old:
            self.add(id_, new)
        assert self.memories[id_][-1] == state_of(memory)
        assert len(self.memories[id_]) == memory.version

    @rule(number=numbers, version=st.none() | st.integers(1, 3))
    def forget(self, number: int, version: int | None) -> None:
        id_ = self.known[number % len(self.known)]
        with refusing(self.refusal(id_, version)):
            self.store.memories.forget(id_, version=version)
            self.forget_all([id_])

    @rule(number=numbers, version=st.none() | st.integers(1, 4))
    def restore(self, number: int, version: int | None) -> None:
        id_ = self.known[number % len(self.known)]
        states = self.memories.get(id_, [])
        refused: type[errors.EngramError] | None = None
        if not self.lives(id_) or (version or 1) > len(states):
            refused = errors.NotFoundError
        elif version is None and not states[-1]["forgotten"]:
            refused = errors.ConflictError
        else:
            back = states[-1 if version is None else version - 1]
            if back["expires_at"] is not None and back["expires_at"] <= self.clock.now():
                refused = errors.InvalidInputError
        with refusing(refused):
            memory = self.store.memories.restore(id_, version=version)
            self.add(id_, {**back, "forgotten": False})
            assert self.memories[id_][-1] == state_of(memory)

    @rule(number=numbers)
    def purge(self, number: int) -> None:
        id_ = self.known[number % len(self.known)]
        with refusing(None if self.lives(id_) else errors.NotFoundError):
            self.store.memories.purge([id_])
            self.remove(id_)

    @rule(hours=st.sampled_from([1, 7, 24]))
    def wait(self, hours: int) -> None:
        self.clock.advance(hours=hours)

    @rule(name=spaces, days=st.none() | st.just(1.0), most=st.none() | st.integers(1, 3))
    def put_workspace(self, name: str, days: float | None, most: int | None) -> None:
        self.store.workspaces.put(name, max_age_days=days, max_memories=most)
        self.policies[name] = (days, most)

    @rule()
    def clean_up(self) -> None:
        oldest = self.clock.now() - DAY
        expired = [id_ for id_ in self.memories if not self.lives(id_)]
        for id_ in expired:
            self.remove(id_)
        aged = over = 0
        for name, (days, most) in sorted(self.policies.items()):
            if days is not None:
                loose = self.loose(name)
                aged += self.forget_all([i for i, h in loose.items() if h["created_at"] < oldest])
            if most is not None:
                here = [h for h in self.present().values() if h["workspace"] == name]
                over += self.forget_all(list(self.loose(name))[: max(0, len(here) - most)])
        report = self.store.memories.clean_up()
        assert (len(expired), aged, over) == (report.expired, report.aged_out, report.over_limit)

    def loose(self, workspace: str) -> dict[str, State]:
        """Return what may be forgotten in a workspace, in the order in which it would be."""
        heads = sorted(
            self.present().items(), key=lambda h: (h[1]["importance"], h[1]["updated_at"], h[0])
        )
        return {i: h for i, h in heads if h["workspace"] == workspace and not h["pinned"]}

    @rule(one=numbers, two=numbers)
    def link(self, one: int, two: int) -> None:
        ends = self.known[one % len(self.known)], self.known[two % len(self.known)]
        wrong = errors.InvalidInputError if ends[0] == ends[1] else None
        with refusing(wrong if set(ends) <= self.present().keys() else errors.NotFoundError):
            link = self.store.links.put(*ends)
            known = [id_ for id_, each in self.links.items() if each == (*ends, True)]
            assert known in ([], [link.id])
            self.links[link.id] = (*ends, True)

    @precondition(lambda self: self.links)
    @rule(number=numbers)
    def close_link(self, number: int) -> None:
        id_ = sorted(self.links)[number % len(self.links)]
        one, two, _ = self.links[id_]
        with refusing(None if {one, two} <= self.present().keys() else errors.NotFoundError):
            self.store.links.close(id_)
            self.links[id_] = (one, two, False)

    @rule(scope=scopes, permission=st.sampled_from(["read", "write", "admin", None]))
    def grant_or_revoke(self, scope: str, permission: Any) -> None:
        if permission is not None:
            self.store.grants.allow("coder", scope, permission)
            self.granted.add(scope)
        elif scope in self.granted:
            self.store.grants.revoke("coder", scope)
            self.granted.remove(scope)

    @rule()
    def note_the_moment(self) -> None:
        heads = {id_: states[-1] for id_, states in self.memories.items()}
        self.moments.append((self.clock.now(), heads))
        self.clock.advance(microseconds=1)

    # What is asked.

    @precondition(lambda self: self.moments)
    @rule(number=numbers)
    def ask_the_past(self, number: int) -> None:
        moment, heads = self.moments[number % len(self.moments)]
        expected = {
            id_: head
            for id_, head in heads.items()
            if self.lives(id_) and (head["expires_at"] is None or head["expires_at"] > moment)
        }
        found = self.store.memories.select(EVERYTHING.also(as_of=moment), limit=1000)
        assert expected == {memory.id: state_of(memory) for memory in found}
        shown = sum(not head["forgotten"] for head in expected.values())
        assert shown == self.store.memories.count(Selection(as_of=moment, archived=True))

    @rule(tag=st.sampled_from(["x", "y"]), least=grades, workspace=spaces)
    def ask_with_a_filter(self, tag: str, least: float, workspace: str) -> None:
        source = {"or": [{"tags": {"contains": tag}}, {"importance": {"gt": least}}]}
        chosen = Selection.of(source, workspace=workspace)
        expected = {
            id_
            for id_, head in self.present().items()
            if (head["workspace"], head["lifecycle"]) == (workspace, "active")
            and (tag in head["tags"] or head["importance"] > least)
        }
        assert expected == {memory.id for memory in self.store.memories.select(chosen, limit=1000)}
        assert len(expected) == self.store.memories.count(chosen)

    @rule(own=scopes)
    def ask_as_an_agent(self, own: str) -> None:
        expected = {
            id_
            for id_, head in self.present().items()
            if within(own, head["scope"]) or any(within(head["scope"], s) for s in self.granted)
        }
        coder = self.store.as_agent("coder", own)
        found = coder.memories.select(Selection(archived=True), limit=1000)
        assert expected == {memory.id for memory in found}

    @rule(number=numbers)
    def ask_for_links(self, number: int) -> None:
        id_, present = self.known[number % len(self.known)], self.present().keys()
        if id_ in present:
            open_ones = {link: {*ends[:2]} for link, ends in self.links.items() if ends[2]}
            expected = {link for link, ends in open_ones.items() if id_ in ends and ends <= present}
            assert expected == {link.id for link in self.store.links.of(id_)}

    # What always holds.

    @invariant()
    def as_many_as_the_model(self) -> None:
        assert len(self.present()) == self.store.memories.count(Selection(archived=True))
        assert sum(map(self.lives, self.memories)) == self.store.memories.count(EVERYTHING)

    @invariant()
    def the_log_has_no_gap(self) -> None:
        found = [entry.number for entry in self.store.changes.since(self.changes_seen)]
        assert found == [self.changes_seen + 1 + place for place in range(len(found))]
        self.changes_seen += len(found)

    def teardown(self) -> None:
        with closing(self.store), closing(SqliteStore.open(":memory:", clock=self.clock)) as copy:
            for id_ in filter(self.lives, self.memories):
                versions = self.store.memories.history(id_)
                assert self.memories[id_] == [state_of(version.memory) for version in versions]
            assert [each for each in self.store.doctor.examine() if not each.ok] == []
            tables = {name: rows_of(self.store, name) for name in SCHEMAS}
            copy.loader.load(Chunk(name, list(enumerate(rows))) for name, rows in tables.items())
            assert tables == {name: rows_of(copy, name) for name in SCHEMAS}


TestStore = StoreMachine.TestCase
TestStore.settings = settings(stateful_step_count=40)
