from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, get_args

import pytest

from engram_lab.serve.auth.entry import check_entry
from engram_lab.serve.auth.roles import scopes_of_role
from engram_lab.serve.call import Actor, Needs
from engram_lab.serve.control.records import ROLES, SCOPES, Member, Role, Scope, Tenant, TenantState
from engram_lab.serve.errors import (
    ForbiddenError,
    ServeError,
    TenantNotFoundError,
    TenantSuspendedError,
    UnauthorizedError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from engram_lab.serve.call import Call

    Asks = Callable[..., Call]

NOW = datetime(2026, 6, 1, tzinfo=UTC)
TENANT = Tenant(id="t1", slug="acme", name="Acme", created_at=NOW)
KEY = Actor(kind="key", id="k1", scopes=frozenset({"search"}), tenant_id="t1")
USER = Actor(kind="user", id="ann")
OPERATOR = Actor(kind="operator", id="operator")
LOCAL = Actor(kind="local", id="local", role="owner", scopes=frozenset(SCOPES))
OPERATORS = Needs(route="GET /v1/admin/tenants", scope=None, tenant=False)


def member(role: Role = "member", **more: Any) -> Member:
    return Member(**{"tenant_id": "t1", "user_id": "ann", "role": role, "joined_at": NOW, **more})


def entering(asks: Asks, actor: Actor | None, tenant: Tenant | None = TENANT, **more: Any) -> Call:
    call = asks(**more)
    call.actor, call.tenant = actor, tenant
    return call


def test_a_key_enters_its_tenant_with_its_scopes(asks: Asks) -> None:
    actor = check_entry(entering(asks, KEY), None)
    assert (actor.id, actor.role) == ("k1", None)
    assert actor.scopes == {"search"}
    admin = replace(KEY, scopes=frozenset(SCOPES))
    assert check_entry(entering(asks, admin), None).role == "admin"


@pytest.mark.parametrize("role", ROLES)
def test_a_user_enters_with_what_their_role_may(role: Role, asks: Asks) -> None:
    actor = check_entry(entering(asks, USER), member(role))
    assert (actor.role, actor.scopes, actor.tenant_id) == (role, scopes_of_role(role), "t1")


STRANGERS: dict[str, tuple[Actor, Member | None]] = {
    "a key of another tenant": (replace(KEY, tenant_id="t2"), None),
    "a key of no tenant": (replace(KEY, tenant_id=None), None),
    "a key of another tenant, and a membership": (replace(KEY, tenant_id="t2"), member("owner")),
    "a user who is no member": (USER, None),
    "a user with the membership of another": (USER, member("owner", user_id="bob")),
    "a user with a membership elsewhere": (USER, member("owner", tenant_id="t2")),
    "a user who brings scopes along": (replace(USER, scopes=frozenset(SCOPES)), None),
}


@pytest.mark.parametrize("state", get_args(TenantState))
@pytest.mark.parametrize("stranger", STRANGERS)
def test_to_a_stranger_a_tenant_looks_as_if_there_were_none(
    stranger: str, state: TenantState, asks: Asks
) -> None:
    actor, membership = STRANGERS[stranger]
    answers = []
    for tenant in (None, replace(TENANT, state=state)):
        with pytest.raises(TenantNotFoundError) as refused:
            check_entry(entering(asks, actor, tenant), membership)
        answers.append((str(refused.value), refused.value.headers, refused.value.details))
    assert answers[0] == answers[1]


def test_a_tenant_that_is_suspended_says_so_to_those_who_belong_to_it(asks: Asks) -> None:
    suspended = replace(TENANT, state="suspended")
    for actor, membership in ((KEY, None), (USER, member("owner")), (LOCAL, None)):
        with pytest.raises(TenantSuspendedError):
            check_entry(entering(asks, actor, suspended), membership)


def test_a_deleted_tenant_is_gone_for_all(asks: Asks) -> None:
    for actor, membership in ((KEY, None), (USER, member("owner")), (LOCAL, None)):
        with pytest.raises(TenantNotFoundError):
            check_entry(entering(asks, actor, replace(TENANT, state="deleted")), membership)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("scope", SCOPES)
def test_a_scope_that_is_missing_is_named(role: Role, scope: Scope, asks: Asks) -> None:
    call = entering(asks, USER, needs=Needs(route="x", scope=scope))
    if scope in scopes_of_role(role):
        assert check_entry(call, member(role)).role == role
        return
    with pytest.raises(ForbiddenError, match=scope) as refused:
        check_entry(call, member(role))
    assert refused.value.code == "FORBIDDEN"
    assert refused.value.details == {"scope": scope}
    assert refused.value.headers == {
        "WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'
    }


def test_a_route_without_a_scope_takes_any_who_belongs(asks: Asks) -> None:
    nothing = replace(KEY, scopes=frozenset())
    call = entering(asks, nothing, needs=Needs(route="x", scope=None))
    assert check_entry(call, None).scopes == frozenset()


def test_a_scope_of_admin_opens_no_other(asks: Asks) -> None:
    only = replace(KEY, scopes=frozenset({"admin"}))
    with pytest.raises(ForbiddenError):
        check_entry(entering(asks, only), None)


def test_the_operator_enters_no_tenant_and_nobody_else_the_operators_routes(asks: Asks) -> None:
    assert check_entry(entering(asks, OPERATOR, None, needs=OPERATORS), None) == OPERATOR
    assert check_entry(entering(asks, LOCAL, None, needs=OPERATORS), None) == LOCAL
    for actor in (KEY, USER, replace(KEY, scopes=frozenset(SCOPES))):
        with pytest.raises(ForbiddenError, match="admin token"):
            check_entry(entering(asks, actor, None, needs=OPERATORS), member("owner"))
    for tenant in (TENANT, None):
        with pytest.raises(ForbiddenError, match="key of the tenant") as refused:
            check_entry(entering(asks, OPERATOR, tenant), None)
        assert refused.value.status == 403


def test_nobody_is_refused_as_nobody(asks: Asks) -> None:
    with pytest.raises(UnauthorizedError):
        check_entry(entering(asks, None), member("owner"))


def test_local_enters_any_active_tenant(asks: Asks) -> None:
    assert check_entry(entering(asks, LOCAL), None) == LOCAL
    with pytest.raises(ServeError) as refused:
        check_entry(entering(asks, LOCAL, None), None)
    assert refused.value.status == 404
