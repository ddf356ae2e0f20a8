"""The laws of reach: which memories a filter, a page, a scope or an agent's view is of."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Final, get_args

from engram_lab.core.errors import AccessDeniedError, InvalidInputError, NotFoundError
from engram_lab.core.filters import matches, parse_filter
from engram_lab.core.scopes import ancestors, is_within
from engram_lab.core.selection import EVERYTHING, Order, Selection
from engram_lab.testing.reads import ALL_READS, WORD, shown_by
from engram_lab.testing.samples import SCOPES, draft, filter_of
from engram_lab.testing.trial import law

if TYPE_CHECKING:
    from collections.abc import Callable

    from engram_lab.core.protocols import Store
    from engram_lab.core.types import Memory
    from engram_lab.testing.trial import Trial

__all__ = ["LAWS"]

_MANY: Final = 10_000
_OWN: Final = "global/org:a/agent:x"
_BELOW: Final = "global/org:a/agent:x/task:1"
_ELSEWHERE: Final = ("global/org:a/agent:xy", "global/org:ab", "global/org:b/agent:x")


@law("a filter holds in the store where `filters.matches` says that it holds")
def filters(trial: Trial) -> None:
    store = trial.open()
    chance = Random(2)  # noqa: S311 - samples need to vary, not to be secret
    store.memories.remember_many(draft(chance) for _ in range(50))
    store.memories.remember({"content": "a <private>b</private>"})
    present = Selection(archived=True)
    memories = list(store.memories.select(present, limit=_MANY))
    last = max(each.updated_at for each in memories)
    for _ in range(200):
        given = filter_of(chance, memories)
        chosen = present.also(filter=parse_filter(given))
        wanted = [each.id for each in memories if matches(chosen.filter, each)]
        found = [each.id for each in store.memories.select(chosen, limit=_MANY)]
        trial.equal(found, wanted, f"the list selected by {given}")
        past = [each.id for each in store.memories.select(chosen.also(as_of=last), limit=_MANY)]
        trial.equal(past, wanted, f"the list selected `as_of` the last change by {given}")
        trial.equal(store.memories.count(chosen), len(wanted), f"the count by {given}")


@law("pages that follow one another hold every memory once, in order")
def pages(trial: Trial) -> None:
    memories = trial.open().memories
    chance = Random(3)  # noqa: S311 - samples need to vary, not to be secret
    memories.remember_many(draft(chance) for _ in range(23))
    everything = list(memories.select(EVERYTHING, limit=_MANY))
    for order in get_args(Order):
        ascending = sorted(everything, key=lambda each: (_key(each, order), each.id))
        for descending in (False, True):
            wanted = ascending[::-1] if descending else ascending
            cursor: str | None = None
            found: list[Memory] = []
            for _ in range(-(-len(wanted) // 5)):
                page = memories.select(
                    EVERYTHING, order=order, descending=descending, limit=5, cursor=cursor
                )
                cursor = page.next_cursor
                found += page
            name = f"{order}, {'descending' if descending else 'ascending'},"
            trial.equal(found, wanted, f"the list by {name}")
            trial.equal(cursor, None, f"the cursor of the last page by {name}")
    of_ids = memories.select(EVERYTHING, limit=5).next_cursor
    with trial.refuses(InvalidInputError, "a cursor of another order"):
        memories.select(EVERYTHING, order="importance", cursor=of_ids)


def _key(memory: Memory, order: str) -> object:
    if order == "event_at":
        return memory.event_at or memory.created_at
    return getattr(memory, order)


def _one_in_each_scope(store: Store) -> dict[str, Memory]:
    drafts = ({"content": f"{WORD} {scope}", "scope": scope} for scope in SCOPES)
    return {draft["scope"]: store.memories.remember(draft) for draft in drafts}


@law("a scope holds itself and what lies below it, by whole segments")
def scopes(trial: Trial) -> None:
    store = trial.open()
    memories = _one_in_each_scope(store)
    for root in SCOPES:
        wanted = {each.id for scope, each in memories.items() if is_within(scope, root)}
        selection = Selection(scope=root)
        found = {each.id for each in store.memories.select(selection)}
        trial.equal(found, wanted, f"the set of memories selected in {root}")
        trial.equal(store.memories.count(selection), len(wanted), f"the count in {root}")
        rows = store.tables.scan("memories", selection).read_all()["id"].to_pylist()
        trial.equal(set(rows), wanted, f"the set of rows scanned in {root}")


@law("an agent is shown its own scope and those above it, and nothing else")
def sight(trial: Trial) -> None:
    store = trial.open()
    memories = _one_in_each_scope(store)
    top = memories["global"].id
    for memory in [*memories.values()][1:]:
        store.links.put(top, memory.id)
    agent = store.as_agent("x", _OWN)
    for scope, memory in memories.items():
        reads = ALL_READS if scope in ancestors(_OWN) else frozenset()
        trial.equal(shown_by(agent, memory), reads, f"the set of reads that show {scope}")
        if not reads:
            with trial.refuses(NotFoundError, f"the history of a memory in {scope}"):
                agent.memories.history(memory.id)
    linked = {each.to_id for each in agent.links.of(top)}
    wanted = {memories[each].id for each in ancestors(_OWN)[1:]}
    trial.equal(linked, wanted, "the set of linked memories")


@law("an agent writes in its own scope, under its own name, and nowhere else")
def hand(trial: Trial) -> None:
    store = trial.open()
    memories = _one_in_each_scope(store)
    agent = store.as_agent("x", _OWN)
    memory = agent.memories.remember({"content": "new"}, author="another")
    trial.equal(memory.scope, _OWN, "the scope of what the agent wrote")
    trial.equal(store.memories.history(memory.id)[0].author, "x", "its author")
    trial.equal(agent.sessions.start().scope, _OWN, "the scope of its session")
    before = store.changes.last()
    for scope in ("global", "global/org:a", _BELOW, *_ELSEWHERE):
        with trial.refuses(AccessDeniedError, f"a new memory of the agent in {scope}"):
            agent.memories.remember({"content": "new", "scope": scope})
    above, below = memories["global/org:a"], memories[_OWN]
    changes: dict[str, Callable[[], object]] = {
        "an update": lambda: agent.memories.update(above.id, {"content": "other"}),
        "a move out of reach": lambda: agent.memories.update(below.id, {"scope": "global"}),
        "forgetting": lambda: agent.memories.forget(above.id),
        "a purge": lambda: agent.memories.purge([below.id, above.id]),
        "a link": lambda: agent.links.put(above.id, below.id),
    }
    for name, change in changes.items():
        with trial.refuses(AccessDeniedError, f"{name}, of the agent, above its scope"):
            change()
    with trial.refuses(NotFoundError, "an update of what the agent may not see"):
        agent.memories.update(memories["global/org:ab"].id, {"content": "other"})
    trial.equal(store.changes.last(), before, "the number of the last change after the refusals")


@law("what is the owner's alone is refused to an agent")
def owner(trial: Trial) -> None:
    store = trial.open()
    memory = store.memories.remember({"content": "a <private>b</private>"})
    agent = store.as_agent("x", "global")
    deeds: dict[str, Callable[[], object]] = {
        "private sections": lambda: agent.memories.get(memory.id, private=True),
        "private sections of many": lambda: agent.memories.get_many([memory.id], private=True),
        "a private selection": lambda: agent.memories.select(Selection(private=True)),
        "a private history": lambda: agent.memories.history(memory.id, private=True),
        "a private table": lambda: agent.tables.scan("memories", EVERYTHING).read_all(),
        "the change log": lambda: agent.changes.since(0),
        "the texts of the corpus": lambda: agent.corpus.text_changes(0),
        "all texts of the corpus": lambda: list(agent.corpus.all_texts()),
        "the vectors of the corpus": lambda: agent.corpus.vector_changes("model", 0),
        "all vectors of the corpus": lambda: list(agent.corpus.all_vectors("model")),
        "private sections by key": lambda: agent.corpus.fetch(
            store.corpus.find([memory.id]), Selection(private=True)
        ),
        "a claim to embed": lambda: agent.embedding_queue.claim("model", limit=1),
        "what waits to be embedded": lambda: agent.embedding_queue.counts("model"),
        "an import": lambda: agent.loader.load([]),
        "a clean-up": agent.memories.clean_up,
        "an examination": agent.doctor.examine,
        "a repair": agent.doctor.repair,
        "another agent's view": lambda: agent.as_agent("y", "global"),
    }
    for name, deed in deeds.items():
        with trial.refuses(AccessDeniedError, name):
            deed()


@law("a grant reaches its scope and all below it, as far as it permits, until it is revoked")
def grants(trial: Trial) -> None:
    store = trial.open()
    memories = _one_in_each_scope(store)
    agent = store.as_agent("x", "global/org:b/agent:x")
    granted = {each for each in SCOPES if is_within(each, "global/org:a")}

    def check(*, reads: bool, writes: bool, when: str) -> None:
        for scope in SCOPES:
            if scope in ancestors("global/org:b/agent:x"):
                continue
            wanted = ALL_READS if reads and scope in granted else frozenset()
            seen = shown_by(agent, memories[scope])
            trial.equal(seen, wanted, f"the set of reads that show {scope} {when}")
            may = writes and scope in granted
            trial.equal(agent.grants.may(scope, "write"), may, f"leave to write {scope} {when}")

    check(reads=False, writes=False, when="before a grant")
    store.grants.allow("x", "global/org:a", "read")
    check(reads=True, writes=False, when="with a grant to read")
    with trial.refuses(AccessDeniedError, "a write with a grant to read"):
        agent.memories.remember({"content": "new", "scope": "global/org:a"})
    store.grants.allow("x", "global/org:a", "write")
    check(reads=True, writes=True, when="with a grant to write")
    agent.memories.update(memories[_BELOW].id, {"tags": ["new"]})
    with trial.refuses(AccessDeniedError, "a purge with a grant to write"):
        agent.memories.purge([memories[_BELOW].id])
    store.grants.allow("x", "global/org:a", "admin")
    agent.memories.purge([agent.memories.remember({"content": "new", "scope": _OWN}).id])
    store.grants.revoke("x", "global/org:a")
    check(reads=False, writes=False, when="after it is revoked")
    with trial.refuses(NotFoundError, "revoking what is not granted"):
        store.grants.revoke("x", "global/org:a")


LAWS: Final = (pages, scopes, sight, hand, owner, grants, filters)
"""The laws of this module, in the order in which they are tried."""
