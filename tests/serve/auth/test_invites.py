"""On the real control plane, in SQLite."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from engram_lab.config.serving import ControlSettings
from engram_lab.core.clock import ManualClock
from engram_lab.core.errors import ConflictError, EngramError, InvalidInputError
from engram_lab.serve.auth.invites import NewInvite, accept_invite, hash_of_invite, new_invite
from engram_lab.serve.call import Actor
from engram_lab.serve.control import open_control_plane
from engram_lab.serve.control.records import Member, Role, Tenant
from engram_lab.serve.errors import AbsentError, ForbiddenError, RefusedConflictError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engram_lab.serve.control import ControlPlane

NOW = datetime(2026, 6, 1, tzinfo=UTC)
TENANT = "01890a5d-ac96-774b-bcce-b302099a8057"
OWNER = Actor(kind="user", id="olga", role="owner")
ANN = Actor(kind="user", id="ann", email="Ann@Example.com")


@pytest.fixture
def plane(tmp_path: Path) -> Iterator[ControlPlane]:
    plane = open_control_plane(ControlSettings(), tmp_path, clock=ManualClock(NOW))
    plane.as_operator().add_tenant(Tenant(id=TENANT, slug="acme", name="Acme", created_at=NOW))
    yield plane
    plane.close()


def invited(plane: ControlPlane, *, role: Role = "member", number: int = 1) -> NewInvite:
    made = new_invite(
        OWNER,
        invite_id=f"01890a5d-ac96-774b-bcce-b3020990000{number}",
        tenant_id=TENANT,
        email=" ann@example.com ",
        role=role,
        at=NOW,
    )
    plane.within(TENANT).add_invite(made.invite)
    return made


def test_an_invitation_is_shown_once_and_kept_as_a_hash(plane: ControlPlane) -> None:
    made = invited(plane)
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", made.token)
    kept = plane.invite_by_hash(hash_of_invite(made.token))
    assert kept == made.invite
    assert made.token not in repr(made) + repr(kept)
    assert (kept.email, kept.created_by) == ("ann@example.com", "user:olga")
    assert kept.expires_at == NOW + timedelta(days=7)


def test_whoever_has_the_address_becomes_a_member_once(plane: ControlPlane) -> None:
    made = invited(plane, role="admin")
    member = accept_invite(plane, made.token, ANN, at=NOW)
    assert (member.user_id, member.role) == ("ann", "admin")
    assert plane.member(TENANT, "ann") == member
    again = Actor(kind="user", id="another ann", email="ann@example.com")
    with pytest.raises(AbsentError):
        accept_invite(plane, made.token, again, at=NOW)


def test_an_invitation_counts_in_its_own_tenant(plane: ControlPlane) -> None:
    made = invited(plane)
    with pytest.raises(AbsentError):
        accept_invite(plane, made.token, ANN, at=NOW, tenant_id="another")
    assert accept_invite(plane, made.token, ANN, at=NOW, tenant_id=TENANT).tenant_id == TENANT


def test_of_many_at_once_one_is_let_in(plane: ControlPlane) -> None:
    made = invited(plane)

    def accept(number: int) -> Member | EngramError:
        actor = Actor(kind="user", id=f"ann{number}", email="ann@example.com")
        try:
            return accept_invite(plane, made.token, actor, at=NOW)
        except (AbsentError, ConflictError) as error:
            return error

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(accept, range(8)))
    assert sum(isinstance(each, Member) for each in answers) == 1
    assert len(plane.within(TENANT).members()) == 1


@pytest.mark.parametrize("email", [None, "", "eve@example.com", "ann@example.com.evil.example"])
def test_another_address_is_refused_and_the_right_one_not_told(
    email: str | None, plane: ControlPlane
) -> None:
    made = invited(plane)
    with pytest.raises(ForbiddenError) as refused:
        accept_invite(plane, made.token, Actor(kind="user", id="eve", email=email), at=NOW)
    assert "ann@" not in str(refused.value)
    assert plane.member(TENANT, "eve") is None


@pytest.mark.parametrize("kind", ["key", "operator", "local"])
def test_an_invitation_is_for_people(kind: Any, plane: ControlPlane) -> None:
    made = invited(plane)
    with pytest.raises(ForbiddenError, match="person"):
        accept_invite(plane, made.token, Actor(kind=kind, id="x", email=ANN.email), at=NOW)


def test_what_is_no_invitation_any_more_looks_like_none(plane: ControlPlane) -> None:
    made = invited(plane)
    told = set()
    for token, at in (
        ("a" * 43, NOW),
        ("", NOW),
        ("../" * 99, NOW),
        (made.invite.token_hash, NOW),
        (made.token + "=", NOW),
        (made.token, NOW + timedelta(days=7)),
    ):
        with pytest.raises(AbsentError) as refused:
            accept_invite(plane, token, ANN, at=at)
        told.add(str(refused.value))
    assert len(told) == 1


@pytest.mark.parametrize("state", ["suspended", "deleted"])
def test_nobody_enters_a_tenant_that_is_not_active(state: Any, plane: ControlPlane) -> None:
    made = invited(plane)
    plane.as_operator().update_tenant(TENANT, state=state)
    with pytest.raises(AbsentError):
        accept_invite(plane, made.token, ANN, at=NOW)


def test_who_is_a_member_stays_what_they_are(plane: ControlPlane) -> None:
    plane.within(TENANT).put_member("ann", "owner", at=NOW)
    made = invited(plane, role="viewer")
    with pytest.raises(RefusedConflictError):
        accept_invite(plane, made.token, ANN, at=NOW)
    member = plane.member(TENANT, "ann")
    assert member is not None
    assert member.role == "owner"


def test_nobody_invites_above_their_own_role() -> None:
    admin = Actor(kind="user", id="bob", role="admin")
    told: dict[str, Any] = {"invite_id": "i", "tenant_id": TENANT, "email": "a@b.c", "at": NOW}
    assert new_invite(admin, role="admin", **told).invite.role == "admin"
    with pytest.raises(ForbiddenError, match="owner"):
        new_invite(admin, role="owner", **told)


@pytest.mark.parametrize(
    "wrong",
    [
        {"email": ""},
        {"email": "ann"},
        {"email": "ann@"},
        {"email": "@example.com"},
        {"email": "a@b@c"},
        {"email": "ann@example.com\nbcc: eve@example.com"},
        {"email": "a" * 65 + "@example.com"},
        {"role": "king"},
        {"lasts": timedelta(0)},
        {"lasts": timedelta(days=31)},
    ],
)
def test_what_cannot_be_meant_is_refused(wrong: dict[str, Any]) -> None:
    told: dict[str, Any] = {"email": "ann@example.com", "role": "member", **wrong}
    with pytest.raises(InvalidInputError):
        new_invite(OWNER, invite_id="i", tenant_id=TENANT, at=NOW, **told)
