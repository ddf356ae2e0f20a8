"""`/v1/backups` and `/v1/audit`: what keeps a tenant safe, and who did what."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, JsonValue

from engram_lab.serve.answers import answer
from engram_lab.serve.errors import AbsentError, RefusedConflictError
from engram_lab.serve.observing.kinds import BACKUP_MAKE, BACKUP_VERIFY
from engram_lab.serve.routes.guarded import GuardedRoute, needs, of
from engram_lab.serve.routes.shapes import REFUSALS, Envelope

if TYPE_CHECKING:
    from engram_lab.engine import Engine
    from engram_lab.serve.backups import Backup, Made, TenantBackups
    from engram_lab.serve.control.records import AuditEntry
    from engram_lab.serve.services import Services

__all__ = ["audit_row", "router"]

router = APIRouter(tags=["upkeep"], route_class=GuardedRoute, responses=REFUSALS)
_BY_HAND = 2
"""So many times as many as stay may lie there before the oldest go: each is a whole database."""
Name = Annotated[str, Path(min_length=1, max_length=255)]


class BackupOut(BaseModel):
    """A copy of the tenant's database: sealed, and verified before it was kept."""

    name: str
    made_at: datetime
    schema_version: int
    size_bytes: int
    verified_at: datetime | None


class VerifiedOut(BaseModel):
    """A copy that was read back whole."""

    name: str
    verified: bool


class AuditOut(BaseModel):
    """One line of the record; `hash` seals it and all before it."""

    number: int
    at: datetime
    kind: str
    actor: str
    target: str | None
    outcome: str
    request_id: str | None
    details: dict[str, JsonValue]
    previous: str
    hash: str


@router.get("/v1/backups", response_model=Envelope[list[BackupOut]])
@needs("admin")
async def list_backups(request: Request) -> Response:
    """Return the backups of the tenant, the newest first."""
    call, services = of(request)
    found = await services.files.run(_kept(services).all, call.within.id)
    return answer(call, [_row(each) for each in found])


@router.post("/v1/backups", status_code=201, response_model=Envelope[BackupOut])
@needs("admin", audited=BACKUP_MAKE)
async def make_backup(request: Request) -> Response:
    """Back the tenant up now, while it is in use; however long it takes, no search waits for it."""
    call, services = of(request)
    kept, tenant = _kept(services), call.within
    most = _BY_HAND * services.config.backups.keep

    def work(engine: Engine) -> Made:
        if len(kept.all(tenant.id)) >= most:  # asked when it is this one's turn
            raise RefusedConflictError(
                f"{most} backups are kept already, which is the most: the oldest go by themselves"
            )
        return kept.make(tenant.id, engine)

    with services.turns.turn(tenant.id):
        made = await services.copying(call, work)
    call.target = made.backup.name
    return answer(call, _row(made.backup), status=201)


@router.post("/v1/backups/{name}/verify", response_model=Envelope[VerifiedOut])
@needs("admin", audited=BACKUP_VERIFY)
async def verify_backup(request: Request, name: Name) -> Response:
    """Read a backup back, unseal it and check it."""
    call, services = of(request)
    call.target = name
    verify, tenant = _kept(services).verify, call.within
    with services.turns.turn(tenant.id):
        await services.copies.run_for(tenant.id, verify, tenant.id, name)
    return answer(call, {"name": name, "verified": True})


@router.get("/v1/audit", response_model=Envelope[list[AuditOut]])
@needs("admin")
async def audit(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    before: Annotated[int | None, Query(ge=1)] = None,
) -> Response:
    """Return who did what, the latest first."""
    call, services = of(request)
    await services.files.run(services.audit.flush)
    found = await services.control(services.within(call).audit, limit=limit, before=before)
    return answer(call, [audit_row(each) for each in found])


def audit_row(entry: AuditEntry) -> dict[str, Any]:
    """Return an entry as it is sent."""
    return {name: getattr(entry, name) for name in AuditOut.model_fields}


def _kept(services: Services) -> TenantBackups:
    if services.backups is None:
        raise AbsentError("this server keeps no backups: whoever runs it sets backups.place")
    return services.backups


def _row(backup: Backup) -> dict[str, Any]:
    return {name: getattr(backup, name) for name in BackupOut.model_fields}
