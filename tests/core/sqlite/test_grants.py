"""Grants themselves; what they open and close in each room is in `test_reach`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.access import Access
from engram_lab.core.errors import AccessDeniedError, InvalidInputError, NotFoundError
from engram_lab.core.scopes import PERMISSIONS, Permission, is_within
from engram_lab.core.selection import EVERYTHING, Selection
from engram_lab.core.sqlite import SqliteStore
from engram_lab.core.types import Grant, Principal

if TYPE_CHECKING:
    from engram_lab.core.clock import ManualClock

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)

segments = st.sampled_from(["org:a", "org:ab", "org:A", "team:t", "agent:c", "x:0", "x:a.b"])
scopes = st.lists(segments, max_size=3).map(lambda parts: "/".join(["global", *parts]))


def test_a_grant_is_kept(store: SqliteStore) -> None:
    grant = store.grants.allow("coder", "global/org:a", "read")
    assert grant == Grant(
        agent_id="coder",
        scope="global/org:a",
        permission="read",
        granted_by="owner",
        granted_at=NOON,
    )
    assert [grant] == store.grants.all()


def test_on_one_scope_an_agent_has_one_grant(store: SqliteStore, clock: ManualClock) -> None:
    store.grants.allow("coder", "global/org:a", "admin")
    clock.advance(hours=1)
    lesser = store.grants.allow("coder", "global/org:a", "read")
    assert [lesser] == store.grants.all()
    assert not store.as_agent("coder", "global/org:c").grants.may("global/org:a", "write")


def test_grants_are_listed_for_one_agent_or_all(store: SqliteStore) -> None:
    one = store.grants.allow("a", "global/org:x", "read")
    two = store.grants.allow("b", "global/org:x", "write")
    three = store.grants.allow("a", "global/org:b", "admin")
    assert [three, one, two] == store.grants.all()
    assert [three, one] == store.grants.all("a")
    assert store.grants.all("c") == []


def test_an_agent_sees_its_own_grants_alone(store: SqliteStore) -> None:
    mine = store.grants.allow("coder", "global/org:b", "read")
    store.grants.allow("other", "global/org:b", "read")
    coder = store.as_agent("coder", "global/org:a")
    assert [mine] == coder.grants.all()
    assert [mine] == coder.grants.all("other")


@pytest.mark.parametrize(
    ("agent", "scope", "permission"),
    [
        ("", "global", "read"),
        ("coder", "org:a", "read"),
        ("coder", "global", "owner"),
        ("coder", "global", "READ"),
        ("coder", "global", None),
        ("coder", "global", ["read"]),
        ("a\x00b", "global", "read"),
        (None, "global", "read"),
    ],
)
def test_a_malformed_grant_is_refused(
    store: SqliteStore, agent: Any, scope: str, permission: Any
) -> None:
    with pytest.raises(InvalidInputError):
        store.grants.allow(agent, scope, permission)
    assert store.grants.all() == []


def test_what_was_never_granted_cannot_be_revoked(store: SqliteStore) -> None:
    store.grants.allow("coder", "global/org:a", "read")
    with pytest.raises(NotFoundError, match="agent 'coder' has no grant on 'global'"):
        store.grants.revoke("coder", "global")
    with pytest.raises(InvalidInputError):
        store.grants.revoke("coder", "org:a")


def test_a_grant_counts_at_once_and_until_it_is_revoked(store: SqliteStore) -> None:
    memory = store.memories.remember({"content": "x", "scope": "global/org:b/team:t"})
    coder = store.as_agent("coder", "global/org:a")
    with pytest.raises(NotFoundError):
        coder.memories.get(memory.id)

    store.grants.allow("coder", "global/org:b", "read")
    assert memory == coder.memories.get(memory.id)
    with pytest.raises(AccessDeniedError):
        coder.memories.update(memory.id, {"content": "y"})

    store.grants.allow("coder", "global/org:b", "write")
    assert coder.memories.update(memory.id, {"content": "y"}).content == "y"
    with pytest.raises(AccessDeniedError):
        coder.memories.purge([memory.id])

    store.grants.allow("coder", "global/org:b", "admin")
    assert (memory.id,) == coder.memories.purge([memory.id]).ids

    store.grants.revoke("coder", "global/org:b")
    with pytest.raises(AccessDeniedError):
        coder.memories.remember({"content": "z", "scope": "global/org:b"})


def test_a_grant_revoked_in_another_connection_is_gone_here(file_store: SqliteStore) -> None:
    memory = file_store.memories.remember({"content": "x", "scope": "global/org:b"})
    file_store.grants.allow("coder", "global/org:b", "read")
    path = file_store._context.database.path  # behind the door: to open it once more
    coder = file_store.as_agent("coder", "global/org:a")
    assert memory == coder.memories.get(memory.id)
    elsewhere = SqliteStore.open(path)
    elsewhere.grants.revoke("coder", "global/org:b")
    elsewhere.close()
    with pytest.raises(NotFoundError):
        coder.memories.get(memory.id)


def test_a_grant_to_one_agent_is_none_to_another_in_the_same_scope(store: SqliteStore) -> None:
    memory = store.memories.remember({"content": "x", "scope": "global/org:b"})
    store.grants.allow("coder", "global/org:b", "read")
    for name in ("code", "coder2", "Coder", "coder "):
        with pytest.raises(NotFoundError):
            store.as_agent(name, "global/org:a").memories.get(memory.id)


def test_an_agent_grants_only_what_it_administers(store: SqliteStore) -> None:
    lead = store.as_agent("lead", "global/org:a")
    for scope in ("global", "global/org:a", "global/org:a/team:t", "global/org:b", "global/org:ab"):
        with pytest.raises(AccessDeniedError):
            lead.grants.allow("lead", scope, "read")
        with pytest.raises(AccessDeniedError):
            lead.grants.revoke("coder", scope)
    store.grants.allow("lead", "global/org:b", "admin")
    given_on = lead.grants.allow("coder", "global/org:b/team:x", "read")
    assert (given_on.scope, given_on.granted_by) == ("global/org:b/team:x", "lead")
    lead.grants.revoke("coder", "global/org:b/team:x")


def test_write_access_does_not_grant(store: SqliteStore) -> None:
    store.grants.allow("coder", "global/org:b", "write")
    coder = store.as_agent("coder", "global/org:a")
    with pytest.raises(AccessDeniedError):
        coder.grants.allow("coder", "global/org:b", "admin")


def test_an_agent_cannot_act_as_another(store: SqliteStore) -> None:
    coder = store.as_agent("coder", "global/org:a")
    with pytest.raises(AccessDeniedError, match="may not act as another agent"):
        coder.as_agent("boss", "global")
    memory = coder.memories.remember({"content": "x"}, author="boss", reason="his wish")
    coder.memories.update(memory.id, {"content": "y"}, author="owner")
    coder.memories.forget(memory.id, author="boss")
    coder.memories.restore(memory.id, author="boss")
    coder.memories.purge([memory.id], author="boss")
    assert {"coder"} == {entry.author for entry in store.changes.since(0)}


@pytest.mark.parametrize(("agent", "scope"), [("", "global"), ("a", "org:a"), (None, "global")])
def test_a_malformed_agent_is_refused(store: SqliteStore, agent: Any, scope: str) -> None:
    with pytest.raises(InvalidInputError):
        store.as_agent(agent, scope)


@pytest.mark.parametrize("permission", PERMISSIONS)
def test_may_tells_what_a_grant_allows(store: SqliteStore, permission: Permission) -> None:
    store.grants.allow("coder", "global/org:b", permission)
    coder = store.as_agent("coder", "global/org:a")
    rank = PERMISSIONS.index(permission)
    assert [each for each in PERMISSIONS if coder.grants.may("global/org:b", each)] == list(
        PERMISSIONS[: rank + 1]
    )
    assert store.grants.may("global/org:z", "admin")
    with pytest.raises(InvalidInputError):
        coder.grants.may("nowhere", "read")


@pytest.mark.parametrize("permission", ["own", "", None, 7])
def test_may_refuses_an_unknown_permission(store: SqliteStore, permission: Any) -> None:
    with pytest.raises(InvalidInputError, match="allowed are read, write, admin"):
        store.as_agent("coder", "global/org:a").grants.may("global/org:b", permission)


SIBLINGS = ["ab", "a0", "aZ", "a_b", "a-b", "a.b", "a@b", "A", "b", "a/team:t"]


@pytest.mark.parametrize("name", SIBLINGS)
def test_a_sibling_of_a_similar_name_is_not_reached(store: SqliteStore, name: str) -> None:
    scope = f"global/org:{name}"
    memory = store.memories.remember({"content": "x", "scope": scope})
    store.grants.allow("coder", "global/org:a", "read")
    coder = store.as_agent("coder", "global/org:a")
    expected = [memory] if name == "a/team:t" else []
    assert expected == list(coder.memories.select(Selection()))
    assert expected == [each for each in coder.memories.get_many([memory.id]) if each]
    assert expected == list(store.memories.select(Selection.of(scope="global/org:a")))
    assert bool(expected) is coder.grants.may(scope, "read")


@given(
    st.lists(scopes, min_size=1, max_size=6, unique=True),
    scopes,
    st.lists(st.tuples(scopes, st.sampled_from(PERMISSIONS)), max_size=3),
)
def test_sql_reaches_exactly_what_the_rule_allows(
    places: list[str], own: str, granted: list[tuple[str, Permission]]
) -> None:
    # The systems before us matched scopes by a common prefix, and so leaked to siblings.
    store = SqliteStore.open(":memory:")
    for place in places:
        store.memories.remember({"content": place, "scope": place})
    held = [
        store.grants.allow("coder", scope, permission)
        for scope, permission in dict(granted).items()
    ]
    coder = store.as_agent("coder", own)
    rule = Access(Principal(agent_id="coder", scope=own))

    readable = {place for place in places if rule.allows(place, "read", held)}
    shown = EVERYTHING.also(private=False)
    assert readable == {memory.content for memory in coder.memories.select(shown)}
    for root in places:
        inside = {place for place in places if is_within(place, root)}
        selection = Selection.of(scope=root)
        assert inside == {memory.content for memory in store.memories.select(selection)}
        assert inside & readable == {memory.content for memory in coder.memories.select(selection)}
    store.close()
