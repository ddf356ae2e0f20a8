"""The laws of a control plane, in SQLite and in a real PostgreSQL as a role that owns nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from engram_lab.core.errors import (
    AccessDeniedError,
    ConflictError,
    InvalidInputError,
    NotFoundError,
    StoreClosedError,
)
from engram_lab.serve.control.records import Member, Workspace
from tests.serve.control.made import NOON, api_key, entry, furnished, invite, tenant, usage

if TYPE_CHECKING:
    from engram_lab.serve.control import ControlPlane, TenantView
    from tests.serve.control.conftest import Making

LATER = NOON + timedelta(hours=1)


@pytest.fixture
def acme(plane: ControlPlane) -> TenantView:
    plane.as_operator().add_tenant(tenant("acme"))
    return plane.within("id-of-acme")


def test_what_is_not_there_is_told_as_none(plane: ControlPlane) -> None:
    assert plane.tenant_by_slug("nobody") is None
    assert plane.tenant("nobody") is None
    assert plane.keys_by_prefix("ek_live_none") == []
    assert plane.member("nobody", "ann") is None
    assert plane.invite_by_hash("none") is None


@pytest.mark.parametrize("text", ["\0", "a\0b", "\ud800", "'; DROP TABLE tenants; --", "é" * 5000])
def test_a_name_that_no_database_can_hold_is_not_there(plane: ControlPlane, text: str) -> None:
    assert plane.tenant_by_slug(text) is None
    assert plane.member(text, text) is None
    assert plane.keys_by_prefix(text) == []


def test_a_tenant_is_read_as_it_was_written(plane: ControlPlane) -> None:
    written = tenant("acme", plan="pro", state="suspended", bundle="b1", deleted_at=LATER)
    plane.as_operator().add_tenant(written)
    assert plane.tenant_by_slug("acme") == plane.tenant("id-of-acme") == written
    assert plane.as_operator().tenants() == [written]


def test_a_slug_is_taken_once(plane: ControlPlane) -> None:
    operator = plane.as_operator()
    operator.add_tenant(tenant("acme"))
    with pytest.raises(ConflictError, match="'acme' is taken"):
        operator.add_tenant(tenant("acme", id="another"))
    with pytest.raises(ConflictError):
        operator.add_tenant(tenant("other", id="id-of-acme"))


@pytest.mark.parametrize("slug", ["", "-a", "a-", "A", "a_b", "a.b", "ä", "a" * 64, "a\n"])
def test_a_slug_that_no_host_can_have_is_refused(plane: ControlPlane, slug: str) -> None:
    with pytest.raises(InvalidInputError):
        plane.as_operator().add_tenant(tenant(slug))


def test_a_state_or_plan_that_is_none_is_refused(plane: ControlPlane) -> None:
    for about in ({"state": "gone"}, {"plan": "golden"}, {"name": "a\0"}, {"name": "\ud800"}):
        with pytest.raises(InvalidInputError):
            plane.as_operator().add_tenant(tenant("acme", **about))
    assert plane.tenant_by_slug("acme") is None


def test_tenants_come_by_name_as_bytes_order_it(plane: ControlPlane) -> None:
    operator = plane.as_operator()
    for slug, name in [("d", "b"), ("c", "b"), ("b", "B"), ("a", "é"), ("e", "a b"), ("f", "a-b")]:
        operator.add_tenant(tenant(slug, name=name))
    assert [each.slug for each in operator.tenants()] == ["b", "e", "f", "c", "d", "a"]


def test_only_what_is_given_of_a_tenant_changes(plane: ControlPlane, making: Making) -> None:
    operator = plane.as_operator()
    operator.add_tenant(tenant("acme"))
    assert operator.update_tenant("id-of-acme", plan="team") == tenant("acme", plan="team")
    assert operator.assign_bundle("id-of-acme", "b2").bundle == "b2"
    assert operator.assign_bundle("id-of-acme", None).bundle is None
    gone = operator.update_tenant("id-of-acme", state="deleted")
    assert gone.deleted_at == making.clock.now()
    assert [each.slug for each in operator.tenants(state="deleted")] == ["acme"]
    assert operator.update_tenant("id-of-acme", state="active") == tenant("acme", plan="team")
    assert operator.tenants(state="deleted") == []
    with pytest.raises(NotFoundError):
        operator.update_tenant("nobody", plan="team")


def test_a_purge_leaves_nothing_of_a_deleted_tenant_but_its_audit(plane: ControlPlane) -> None:
    furnished(plane, "acme", "beta")
    operator = plane.as_operator()
    with pytest.raises(ConflictError, match="delete it first"):
        operator.purge_tenant("id-of-acme")
    operator.update_tenant("id-of-acme", state="deleted")
    operator.purge_tenant("id-of-acme")
    gone, kept = plane.within("id-of-acme"), plane.within("id-of-beta")
    assert plane.tenant_by_slug("acme") is None
    assert plane.keys_by_prefix(api_key("k-acme").prefix) == []
    for view, found in ((gone, 0), (kept, 1)):
        assert len(view.members()) == len(view.keys()) == len(view.invites()) == found
        assert len(view.workspaces()) == len(view.usage(NOON.date(), NOON.date())) == found
        assert len(view.audit()) == 3
    assert operator.broken_chain("id-of-acme") is None
    assert plane.record_usage([usage(9, "acme"), usage(9, "beta")]) == 1
    assert plane.record_audit([entry(9, "acme")]) == 1
    with pytest.raises(NotFoundError):
        operator.purge_tenant("id-of-acme")


def test_a_member_is_added_and_changed(plane: ControlPlane, acme: TenantView) -> None:
    added = acme.put_member("ann", "owner", email="ann@example.org", at=NOON)
    assert plane.member("id-of-acme", "ann") == added
    assert added == Member(
        tenant_id="id-of-acme", user_id="ann", role="owner", email="ann@example.org", joined_at=NOON
    )
    acme.put_member("bob", "viewer", at=LATER)
    assert acme.put_member("bob", "admin", at=LATER + timedelta(days=1)).joined_at == LATER
    assert acme.put_member("ann", "owner", at=LATER).email == "ann@example.org"
    assert [(each.user_id, each.role) for each in acme.members()] == [
        ("ann", "owner"),
        ("bob", "admin"),
    ]


def test_the_last_owner_stays_one(acme: TenantView) -> None:
    acme.put_member("ann", "owner", at=NOON)
    acme.put_member("bob", "admin", at=NOON)
    with pytest.raises(ConflictError, match="last owner"):
        acme.put_member("ann", "admin", at=NOON)
    with pytest.raises(ConflictError, match="last owner"):
        acme.remove_member("ann")
    acme.put_member("bob", "owner", at=NOON)
    acme.remove_member("ann")
    with pytest.raises(NotFoundError):
        acme.remove_member("ann")
    with pytest.raises(ConflictError):
        acme.remove_member("bob")


def test_a_role_that_is_none_is_refused(acme: TenantView) -> None:
    with pytest.raises(InvalidInputError):
        acme.put_member("ann", "emperor", at=NOON)  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError):
        acme.put_member("an\0n", "owner", at=NOON)
    assert acme.members() == []


def test_an_invitation_makes_a_member_once(plane: ControlPlane, acme: TenantView) -> None:
    acme.add_invite(invite("bob", role="admin"))
    assert plane.invite_by_hash("sha256-of-bob") == acme.invites()[0] == invite("bob", role="admin")
    joined = acme.accept_invite("invite-bob", "user-bob", at=LATER)
    assert joined == plane.member("id-of-acme", "user-bob")
    assert (joined.role, joined.email, joined.joined_at) == ("admin", "bob@example.org", LATER)
    assert acme.invites() == []
    told = plane.invite_by_hash("sha256-of-bob")
    assert told is not None
    assert (told.accepted_at, told.accepted_by) == (LATER, "user-bob")
    with pytest.raises(ConflictError, match="already"):
        acme.accept_invite("invite-bob", "user-eve", at=LATER)
    with pytest.raises(NotFoundError):
        acme.remove_invite("invite-bob")


def test_an_invitation_ends_when_it_expires_or_is_taken_back(acme: TenantView) -> None:
    acme.add_invite(invite("bob"))
    acme.add_invite(invite("cid"))
    with pytest.raises(ConflictError, match="expired"):
        acme.accept_invite("invite-bob", "bob", at=invite("bob").expires_at)
    acme.remove_invite("invite-cid")
    with pytest.raises(NotFoundError):
        acme.accept_invite("invite-cid", "cid", at=LATER)
    assert [each.id for each in acme.invites()] == ["invite-bob"]
    assert acme.members() == []


def test_an_invitation_never_changes_a_role(acme: TenantView) -> None:
    acme.put_member("ann", "owner", at=NOON)
    acme.add_invite(invite("ann", role="viewer"))
    with pytest.raises(ConflictError, match="member already"):
        acme.accept_invite("invite-ann", "ann", at=LATER)
    assert [each.role for each in acme.members()] == ["owner"]


def test_keys_are_found_by_how_they_begin(plane: ControlPlane, acme: TenantView) -> None:
    old = api_key("old", prefix="ek_live_same", expires_at=LATER)
    new = api_key("new", prefix="ek_live_same", created_at=LATER, scopes=())
    acme.add_key(old)
    acme.add_key(new)
    acme.add_key(api_key("other"))
    assert plane.keys_by_prefix("ek_live_same") == [old, new]
    newest_first = acme.keys()
    assert [each.name for each in newest_first] == ["new", "other", "old"]
    with pytest.raises(ConflictError):
        acme.add_key(old)


def test_a_revoked_key_stays_revoked_from_its_first_moment(
    plane: ControlPlane, acme: TenantView
) -> None:
    acme.add_key(api_key("one"))
    revoked = acme.revoke_key("key-one", at=NOON)
    assert revoked == replace(api_key("one"), revoked_at=NOON)
    assert acme.revoke_key("key-one", at=LATER) == revoked
    assert plane.keys_by_prefix(revoked.prefix) == [revoked]
    with pytest.raises(NotFoundError):
        acme.revoke_key("none", at=NOON)


def test_a_key_never_ends_later_than_it_would(acme: TenantView) -> None:
    acme.add_key(api_key("one"))
    assert acme.expire_key("key-one", at=LATER).expires_at == LATER
    assert acme.expire_key("key-one", at=LATER + timedelta(days=1)).expires_at == LATER
    assert acme.expire_key("key-one", at=NOON).expires_at == NOON
    assert acme.keys()[0].expires_at == NOON


def test_the_last_use_of_a_key_never_goes_back(plane: ControlPlane, acme: TenantView) -> None:
    acme.add_key(api_key("one"))
    plane.used_keys({"key-one": LATER, "key-of-nobody": LATER})
    plane.used_keys({"key-one": NOON})
    plane.used_keys({})
    assert acme.keys()[0] == replace(api_key("one"), last_used_at=LATER)


def test_workspaces_are_kept_by_name(acme: TenantView) -> None:
    made = [
        Workspace(tenant_id="id-of-acme", name=name, db_path="engram.db", created_at=NOON)
        for name in ("b", "a-b", "ab")
    ]
    for each in made:
        acme.add_workspace(each)
    with pytest.raises(ConflictError):
        acme.add_workspace(made[0])
    assert [each.name for each in acme.workspaces()] == ["a-b", "ab", "b"]
    acme.remove_workspace("ab")
    with pytest.raises(NotFoundError):
        acme.remove_workspace("ab")
    assert acme.workspaces() == [made[1], made[0]]


def test_a_view_shows_and_changes_its_tenant_alone(plane: ControlPlane) -> None:
    furnished(plane, "acme", "beta")
    acme = plane.within("id-of-acme")
    assert {each.tenant_id for each in acme.members()} == {"id-of-acme"}
    assert api_key("k-acme") in (found := acme.keys())
    assert len(found) == 1
    assert {each.tenant_id for each in acme.audit()} == {"id-of-acme"}
    with pytest.raises(NotFoundError):
        acme.revoke_key("key-k-beta", at=NOON)
    with pytest.raises(NotFoundError):
        acme.remove_invite("invite-i-beta")
    with pytest.raises(NotFoundError):
        acme.accept_invite("invite-i-beta", "eve", at=NOON)
    with pytest.raises(NotFoundError):
        acme.remove_workspace("w-beta")
    with pytest.raises(NotFoundError):
        acme.remove_member("owner-of-beta")
    with pytest.raises(AccessDeniedError):
        acme.add_key(api_key("stray", "beta"))
    assert plane.keys_by_prefix(api_key("stray").prefix) == []


def test_a_person_who_is_no_member_sees_and_changes_nothing(plane: ControlPlane) -> None:
    furnished(plane, "acme", "beta")
    stranger = plane.within("id-of-acme", user_id="owner-of-beta")
    with pytest.raises(AccessDeniedError):
        stranger.members()
    with pytest.raises(AccessDeniedError):
        stranger.revoke_key("key-k-acme", at=NOON)
    with pytest.raises(AccessDeniedError):
        stranger.put_member("owner-of-beta", "owner", at=NOON)
    own = plane.within("id-of-acme", user_id="owner-of-acme")
    assert len(own.members()) == len(own.keys()) == len(own.workspaces()) == 1
    own.put_member("next", "owner", at=NOON)
    own.remove_member("owner-of-acme")
    with pytest.raises(AccessDeniedError):
        own.members()


def test_a_tenant_that_is_not_there_takes_nothing(plane: ControlPlane) -> None:
    view = plane.within("id-of-nobody")
    assert view.members() == []
    assert view.audit() == []
    with pytest.raises(NotFoundError, match="no such tenant"):
        view.put_member("ann", "owner", at=NOON)
    with pytest.raises(NotFoundError):
        view.add_key(api_key("one", "nobody"))


def test_a_closed_plane_says_so(plane: ControlPlane) -> None:
    plane.close()
    plane.close()
    with pytest.raises(StoreClosedError):
        plane.tenant("id-of-acme")
    with pytest.raises(StoreClosedError):
        plane.within("id-of-acme").members()
    with pytest.raises(StoreClosedError):
        plane.record_usage([usage(1)])
