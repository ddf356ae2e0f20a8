"""Invitations: a token in a link, for one address, once, for a while."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from engram_lab.core.errors import InvalidInputError, shown
from engram_lab.serve.auth.roles import check_role_granted
from engram_lab.serve.control.records import ROLES, Invite
from engram_lab.serve.errors import AbsentError, ForbiddenError, RefusedConflictError

if TYPE_CHECKING:
    from datetime import datetime

    from engram_lab.serve.call import Actor
    from engram_lab.serve.control.protocol import ControlPlane
    from engram_lab.serve.control.records import Member, Role

__all__ = ["NewInvite", "accept_invite", "hash_of_invite", "new_invite"]

LASTS: Final = timedelta(days=7)
_LONGEST: Final = timedelta(days=30)
_RANDOM_BYTES: Final = 32
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_EMAIL: Final = re.compile(r"[^@\s\x00-\x1f\x7f]{1,64}@[^@\s\x00-\x1f\x7f]{1,189}")


@dataclass(frozen=True, kw_only=True, slots=True)
class NewInvite:
    """An invitation that was just made; `token` is to be shown once and kept nowhere."""

    token: str
    invite: Invite

    def __repr__(self) -> str:
        return f"NewInvite(invite={self.invite.id!r})"


def hash_of_invite(token: str) -> str:
    """Return what is kept of a token: it has 256 random bits, so a plain hash tells nothing."""
    return hashlib.sha256(token.encode()).hexdigest()


def new_invite(
    actor: Actor,
    *,
    invite_id: str,
    tenant_id: str,
    email: str,
    role: Role,
    at: datetime,
    lasts: timedelta = LASTS,
) -> NewInvite:
    """Make an invitation, to be written.

    Raises:
        InvalidInputError: The address, the role or the duration is none that is allowed.
        ForbiddenError: The role is above that of whoever invites.
    """
    email = email.strip()
    if _EMAIL.fullmatch(email) is None:
        raise InvalidInputError(f"email is {shown(email)}: give an address such as ann@example.com")
    if role not in ROLES:
        raise InvalidInputError(f"role is {shown(role)}: give one of {', '.join(ROLES)}")
    if not timedelta(0) < lasts <= _LONGEST:
        raise InvalidInputError(f"an invitation lasts more than 0 and at most {_LONGEST.days} days")
    check_role_granted(actor, role)
    token = secrets.token_urlsafe(_RANDOM_BYTES)
    invite = Invite(
        id=invite_id,
        tenant_id=tenant_id,
        email=email,
        role=role,
        token_hash=hash_of_invite(token),
        created_at=at,
        created_by=actor.name,
        expires_at=at + lasts,
    )
    return NewInvite(token=token, invite=invite)


def accept_invite(
    plane: ControlPlane, token: str, actor: Actor, *, at: datetime, tenant_id: str | None = None
) -> Member:
    """Make somebody the member that an invitation says. Blocks: not for the event loop.

    Args:
        plane: Where it is written.
        token: As it was sent.
        actor: Who accepts.
        at: Now.
        tenant_id: Where given, only an invitation into this tenant counts.

    Raises:
        AbsentError: There is no such invitation, or it was accepted or has expired: all one to
            whoever asks. So is one into a tenant that is not active.
        ForbiddenError: Who accepts is no user, or has another address than it was made out to.
        RefusedConflictError: Who accepts is a member already.
    """
    if actor.kind != "user":
        raise ForbiddenError("an invitation is accepted by a person: sign in and give that token")
    invite = plane.invite_by_hash(hash_of_invite(token)) if _TOKEN.fullmatch(token) else None
    elsewhere = invite is not None and tenant_id not in {None, invite.tenant_id}
    if invite is None or elsewhere or not _still_open(plane, invite, at):
        raise AbsentError("there is no such invitation, or it has expired: ask for a new one")
    if actor.email is None or actor.email.strip().casefold() != invite.email.casefold():
        raise ForbiddenError(
            "this invitation was made out to another address: sign in with the one it was sent to"
        )
    if plane.member(invite.tenant_id, actor.id) is not None:
        raise RefusedConflictError("you are a member of this tenant already")
    view = plane.within(invite.tenant_id, user_id=actor.id)
    return view.accept_invite(invite.id, actor.id, at=at)


def _still_open(plane: ControlPlane, invite: Invite, at: datetime) -> bool:
    tenant = plane.tenant(invite.tenant_id)
    active = tenant is not None and tenant.state == "active"
    return active and invite.accepted_at is None and at < invite.expires_at
