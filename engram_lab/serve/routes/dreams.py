"""`/v1/dream`: let the memories settle, look at what was dreamt, undo it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field, JsonValue

from engram_lab.serve.answers import answer
from engram_lab.serve.observing.kinds import DREAM_RUN, DREAM_UNDO
from engram_lab.serve.routes.guarded import GuardedRoute, needs, of
from engram_lab.serve.routes.shapes import REFUSALS, Body, Envelope, Label
from engram_lab.serve.tenants.dreaming import dream_one, undo_one

if TYPE_CHECKING:
    from engram_lab.core.dreams import Change, DreamRun

__all__ = ["router"]

router = APIRouter(tags=["dreams"], route_class=GuardedRoute, responses=REFUSALS)
_MOST_SHOWN = 1_000


class DreamBody(Body):
    """What to dream of."""

    workspace: Label = "default"
    dry_run: bool = False
    """Say what would be done, and do nothing."""
    full: bool = False
    """Look at all memories again, not at what changed alone."""
    steps: list[Label] | None = Field(None, examples=[["hebbian", "merge"]])
    yes: bool = False
    """Carry it out also where it hides more than is allowed at once."""
    max_changes: int | None = Field(None, ge=1)
    max_seconds: float | None = Field(None, gt=0)


class StepOut(BaseModel):
    """What one step did."""

    step: str
    counts: dict[str, int]
    skipped: int
    seconds: float
    stopped: str | None


class RunOut(BaseModel):
    """One dream."""

    id: str
    workspace: str
    status: str
    author: str
    started_at: datetime
    ended_at: datetime
    undone_at: datetime | None
    steps: list[StepOut]
    memories_before: int
    memories_after: int
    tokens_before: int
    tokens_after: int
    stopped: str | None


class ChangeOut(BaseModel):
    """One alteration, and why."""

    step: str
    action: str
    id: str
    fields: dict[str, JsonValue]
    reason: str
    sources: list[str]


class Dreamt(BaseModel):
    """A dream, and the first thousand of its changes."""

    run: RunOut
    dry_run: bool
    changes: list[ChangeOut]
    more: int


class Undone(BaseModel):
    """What an undo did."""

    run_id: str
    undone: bool


@router.post("/v1/dream", response_model=Envelope[Dreamt])
@needs("admin", audited=DREAM_RUN)
async def dream(request: Request, body: DreamBody) -> Response:
    """Let the memories of a workspace settle; `undo` takes it back to the last bit."""
    call, services = of(request)
    call.workspace = body.workspace
    options = {**body.model_dump(), "author": services.author(call)}
    with services.turns.turn(call.within.id):
        told = await services.elsewhere(call, dream_one, options, _MOST_SHOWN)
    call.target = told.run.id
    answered = {
        "run": run_row(told.run),
        "dry_run": told.dry_run,
        "changes": [_change(each) for each in told.changes],
        "more": told.more,
    }
    return answer(call, answered)


@router.get("/v1/dream", response_model=Envelope[list[RunOut]])
@needs("memories:read")
async def list_dreams(
    request: Request,
    workspace: Annotated[str | None, Query(max_length=512)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
) -> Response:
    """Return what was dreamt, latest first."""
    call, services = of(request)
    runs = await services.use(call, lambda engine: engine.dreams(workspace=workspace, limit=limit))
    return answer(call, [run_row(each) for each in runs])


@router.post("/v1/dream/{run_id}/undo", response_model=Envelope[Undone])
@needs("admin", audited=DREAM_UNDO)
async def undo(
    request: Request,
    run_id: Annotated[str, Path(min_length=1, max_length=64)],
    keep_later: Annotated[bool, Query(description="leave what was changed since")] = False,  # noqa: FBT002 - FastAPI reads it from the query
) -> Response:
    """Put everything back as it was before a dream."""
    call, services = of(request)
    call.target = run_id
    options = {"keep_later": keep_later, "author": services.author(call)}
    with services.turns.turn(call.within.id):
        await services.elsewhere(call, undo_one, run_id, options)
    return answer(call, {"run_id": run_id, "undone": True})


def run_row(run: DreamRun) -> dict[str, Any]:
    """Return a dream as it is sent."""
    steps = [{name: getattr(each, name) for name in StepOut.model_fields} for each in run.steps]
    return {name: getattr(run, name) for name in RunOut.model_fields} | {"steps": steps}


def _change(change: Change) -> dict[str, Any]:
    return {name: getattr(change, name) for name in ChangeOut.model_fields}
