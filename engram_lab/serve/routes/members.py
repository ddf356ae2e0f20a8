"""`/v1/members` and `/v1/invites`: who belongs to a tenant."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from engram_lab.serve.answers import answer
from engram_lab.serve.auth import (
    accept_invite,
    check_role_granted,
    check_scopes_granted,
    new_invite,
    scopes_of_role,
)
from engram_lab.serve.control.records import Role
from engram_lab.serve.errors import AbsentError, TenantNotFoundError
from engram_lab.serve.observing.kinds import (
    INVITE_ACCEPT,
    INVITE_CREATE,
    INVITE_REMOVE,
    MEMBER_PUT,
    MEMBER_REMOVE,
)
from engram_lab.serve.routes.guarded import GuardedRoute, needs, of
from engram_lab.serve.routes.shapes import REFUSALS, Body, Envelope, Label

if TYPE_CHECKING:
    from engram_lab.serve.call import Actor
    from engram_lab.serve.control.records import Invite, Member

__all__ = ["MemberBody", "MemberOut", "Removed", "UserId", "member_row", "router"]

router = APIRouter(tags=["members"], route_class=GuardedRoute, responses=REFUSALS)
UserId = Annotated[str, Path(min_length=1, max_length=255)]
Email = Annotated[str, Field(min_length=3, max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")]


class MemberBody(Body):
    """What a member is."""

    role: Role = Field(examples=["member"])
    email: Email | None = Field(None, examples=["ada@example.com"])


class MemberOut(BaseModel):
    """A member."""

    user_id: str
    role: Role
    email: str | None
    joined_at: datetime


class InviteBody(Body):
    """Whom to invite, and as what."""

    email: Email = Field(examples=["ada@example.com"])
    role: Role = Field("member", examples=["member"])
    expires_s: float = Field(604_800.0, gt=0, le=2_592_000)


class InviteOut(BaseModel):
    """An invitation, without its token."""

    id: str
    email: str
    role: Role
    created_at: datetime
    created_by: str
    expires_at: datetime


class NewInviteOut(InviteOut):
    """A new invitation: `token` is shown this once."""

    token: str


class Acceptance(Body):
    """The token of an invitation."""

    token: Label


class Removed(BaseModel):
    """What is no more."""

    id: str


@router.get("/v1/members", response_model=Envelope[list[MemberOut]])
@needs("admin")
async def list_members(request: Request) -> Response:
    """Return all members by when they joined."""
    call, services = of(request)
    members = await services.control(services.within(call).members)
    return answer(call, [member_row(each) for each in members])


@router.put("/v1/members/{user_id}", response_model=Envelope[MemberOut])
@needs("admin", audited=MEMBER_PUT)
async def put_member(request: Request, user_id: UserId, body: MemberBody) -> Response:
    """Add a member, or change the role of one. A tenant always keeps an owner."""
    call, services = of(request)
    call.target, call.told = user_id, {"role": body.role}
    actor, view = services.actor(call), services.within(call)
    _check_granted(actor, body.role)

    def put() -> Member:
        with services.quotas.joining:
            known = {each.user_id: each for each in view.members()}
            if user_id in known:
                check_role_granted(actor, known[user_id].role)
            else:
                services.quotas.check_members(call.within, len(known) + len(view.invites()))
            return view.put_member(user_id, body.role, email=body.email, at=call.at)

    return answer(call, member_row(await services.control(put)))


@router.delete("/v1/members/{user_id}", response_model=Envelope[Removed])
@needs("admin", audited=MEMBER_REMOVE)
async def remove_member(request: Request, user_id: UserId) -> Response:
    """Remove a member; the last owner stays."""
    call, services = of(request)
    call.target = user_id
    view = services.within(call)
    for each in await services.control(view.members):
        if each.user_id == user_id:
            check_role_granted(services.actor(call), each.role)
    await services.control(view.remove_member, user_id)
    return answer(call, {"id": user_id})


@router.get("/v1/invites", response_model=Envelope[list[InviteOut]])
@needs("admin")
async def list_invites(request: Request) -> Response:
    """Return the invitations that were not accepted yet."""
    call, services = of(request)
    found = await services.control(services.within(call).invites)
    return answer(call, [_invite(each) for each in found])


@router.post("/v1/invites", status_code=201, response_model=Envelope[NewInviteOut])
@needs("admin", audited=INVITE_CREATE)
async def create_invite(request: Request, body: InviteBody) -> Response:
    """Invite somebody. The token is in this answer, and nowhere else."""
    call, services = of(request)
    _check_granted(services.actor(call), body.role)
    made = new_invite(
        services.actor(call),
        invite_id=services.minting.new_id(),
        tenant_id=call.within.id,
        email=body.email,
        role=body.role,
        at=call.at,
        lasts=timedelta(seconds=body.expires_s),
    )
    view = services.within(call)

    def invite() -> None:
        with services.quotas.joining:
            there = len(view.members()) + len(view.invites())
            services.quotas.check_members(call.within, there)
            view.add_invite(made.invite)

    await services.control(invite)
    call.target = made.invite.id
    return answer(call, _invite(made.invite) | {"token": made.token}, status=201)


@router.post("/v1/invites/accept", response_model=Envelope[MemberOut])
@needs(None, newcomers=True, audited=INVITE_ACCEPT)
async def accept(request: Request, body: Acceptance) -> Response:
    """Become a member by an invitation to one's own address, once."""
    call, services = of(request)
    try:
        member = await services.control(
            accept_invite,
            services.plane,
            body.token,
            services.actor(call),
            at=call.at,
            tenant_id=call.within.id,
        )
    except AbsentError:  # as where there is no such tenant, so that nobody finds out which are
        raise TenantNotFoundError(
            "there is no such invitation here, or it has ended: ask for a new one"
        ) from None
    call.target = member.user_id
    return answer(call, member_row(member))


@router.delete("/v1/invites/{id}", response_model=Envelope[Removed])
@needs("admin", audited=INVITE_REMOVE)
async def remove_invite(
    request: Request,
    id: Annotated[str, Path(min_length=1, max_length=64)],  # noqa: A002
) -> Response:
    """Take an invitation back."""
    call, services = of(request)
    call.target = id
    await services.control(services.within(call).remove_invite, id)
    return answer(call, {"id": id})


def _check_granted(actor: Actor, role: Role) -> None:
    """Refuse a role above that of whoever gives it, or one that may do what their key may not."""
    check_role_granted(actor, role)
    check_scopes_granted(actor, scopes_of_role(role))


def member_row(member: Member) -> dict[str, Any]:
    """Return a member as it is sent."""
    return {name: getattr(member, name) for name in MemberOut.model_fields}


def _invite(invite: Invite) -> dict[str, Any]:
    return {name: getattr(invite, name) for name in InviteOut.model_fields}
