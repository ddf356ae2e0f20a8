from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.access import OWNER, Access
from engram_lab.core.errors import AccessDeniedError
from engram_lab.core.scopes import PERMISSIONS, Permission, ancestors, is_within, permits
from engram_lab.core.types import Grant, Principal

ORG = "global/org:a"
TEAM = "global/org:a/team:t"
SIBLING = "global/org:ab"
CODER = Access(Principal(agent_id="coder", scope=TEAM))

segments = st.sampled_from(["org:a", "org:ab", "team:t", "agent:c"])
scopes = st.lists(segments, max_size=3).map(lambda parts: "/".join(["global", *parts]))
permissions = st.sampled_from(PERMISSIONS)


def grant(scope: str, permission: Permission) -> Grant:
    return Grant(
        agent_id="coder",
        scope=scope,
        permission=permission,
        granted_by="owner",
        granted_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


grants = st.lists(st.builds(grant, scopes, permissions), max_size=3)


@pytest.mark.parametrize("needed", PERMISSIONS)
def test_the_owner_reaches_everything(needed: Permission) -> None:
    assert OWNER.allows("global/any:thing", needed, [])
    OWNER.check("global/any:thing", needed, [])
    OWNER.check_owner("do anything")


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [
        ("global", {"read"}),
        (ORG, {"read"}),
        (TEAM, {"read", "write", "admin"}),
        (TEAM + "/agent:x", set()),
        (TEAM + "x", set()),
        (SIBLING, set()),
        ("global/org:b", set()),
    ],
)
def test_an_agent_reads_up_and_writes_its_own_scope(scope: str, allowed: set[Permission]) -> None:
    assert allowed == {each for each in PERMISSIONS if CODER.allows(scope, each, [])}


@pytest.mark.parametrize("granted", PERMISSIONS)
@pytest.mark.parametrize("needed", PERMISSIONS)
def test_a_grant_covers_its_scope_and_all_below(granted: Permission, needed: Permission) -> None:
    held = [grant("global/org:b", granted)]
    covered = permits(granted, needed)

    assert covered is CODER.allows("global/org:b", needed, held)
    assert covered is CODER.allows("global/org:b/team:x/agent:y", needed, held)
    assert CODER.allows("global", needed, held) is (needed == "read")  # its own reach, no more
    assert not CODER.allows("global/org:bb", needed, held)


@given(scopes, scopes, permissions, grants)
def test_what_is_allowed_is_own_or_granted(
    own: str, scope: str, needed: Permission, held: list[Grant]
) -> None:
    access = Access(Principal(agent_id="coder", scope=own))
    by_place = scope in ancestors(own) if needed == "read" else scope == own
    by_grant = [g for g in held if is_within(scope, g.scope) and permits(g.permission, needed)]
    assert (by_place or bool(by_grant)) is access.allows(scope, needed, held)


def test_a_refusal_tells_who_what_and_how_it_may_be_granted() -> None:
    with pytest.raises(AccessDeniedError) as raised:
        CODER.check(SIBLING, "write", [])
    assert str(raised.value) == (
        "agent 'coder' has no write access to 'global/org:ab': "
        "its owner may grant it with `grants.allow('coder', 'global/org:ab', 'write')`"
    )


def test_what_is_the_owners_alone_is_refused_to_agents() -> None:
    with pytest.raises(AccessDeniedError, match="agent 'coder' may not examine the store"):
        CODER.check_owner("examine the store")


def test_the_name_is_the_one_changes_are_signed_with() -> None:
    assert OWNER.name == "owner"
    assert CODER.name == "coder"


def test_only_the_owner_and_granted_admins_administer() -> None:
    assert OWNER.administers("global", [])
    assert not CODER.administers("global/org:a/team:t", [])
    assert not CODER.administers("global/org:b", [grant("global/org:b", "write")])
    assert CODER.administers("global/org:b/team:x", [grant("global/org:b", "admin")])
