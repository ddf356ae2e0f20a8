from __future__ import annotations

from itertools import pairwise

import pytest

from engram_lab.serve.auth.roles import (
    check_role_granted,
    check_scopes_granted,
    role_of_scopes,
    scopes_of_role,
)
from engram_lab.serve.call import Actor
from engram_lab.serve.control.records import ROLES, SCOPES, Role
from engram_lab.serve.errors import ForbiddenError


def test_each_role_may_what_the_role_below_may() -> None:
    for below, above in pairwise(ROLES):
        assert scopes_of_role(below) <= scopes_of_role(above)


def test_roles_may_what_is_written_down() -> None:
    assert scopes_of_role("viewer") == {"memories:read", "search"}
    assert scopes_of_role("member") == {"memories:read", "search", "memories:write"}
    assert scopes_of_role("admin") == scopes_of_role("owner") == set(SCOPES)


@pytest.mark.parametrize(
    ("scopes", "role"),
    [
        (set(SCOPES), "admin"),
        ({"admin"}, "admin"),
        ({"memories:read", "search", "memories:write"}, "member"),
        ({"memories:read", "search"}, "viewer"),
        ({"search"}, None),
        ({"memories:write"}, None),
        (set(), None),
    ],
)
def test_a_key_counts_as_the_role_whose_scopes_it_has(scopes: set[str], role: Role | None) -> None:
    assert role_of_scopes(scopes) == role  # type: ignore[arg-type]


def test_nobody_makes_a_key_that_may_more_than_they() -> None:
    writer = Actor(kind="key", id="k1", scopes=frozenset({"memories:read", "admin"}))
    check_scopes_granted(writer, ["memories:read", "admin"])
    check_scopes_granted(writer, [])
    with pytest.raises(ForbiddenError, match="memories:write, search") as refused:
        check_scopes_granted(writer, ["search", "memories:write", "admin"])
    assert refused.value.details == {"scopes": ["memories:write", "search"]}


@pytest.mark.parametrize("own", [*ROLES, None])
@pytest.mark.parametrize("role", ROLES)
def test_nobody_gives_a_role_above_their_own(own: Role | None, role: Role) -> None:
    actor = Actor(kind="user", id="ann", role=own)
    if own is not None and ROLES.index(role) <= ROLES.index(own):
        check_role_granted(actor, role)
    else:
        with pytest.raises(ForbiddenError, match=role):
            check_role_granted(actor, role)


def test_whoever_runs_the_server_gives_any_role() -> None:
    check_role_granted(Actor(kind="operator", id="operator"), "owner")
    check_role_granted(Actor(kind="local", id="local"), "owner")
