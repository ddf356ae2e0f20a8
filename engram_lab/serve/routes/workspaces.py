"""`/v1/workspaces`: the parts of a tenant's memories, each with its policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from engram_lab.serve.answers import answer
from engram_lab.serve.observing.kinds import WORKSPACE_PUT
from engram_lab.serve.routes.guarded import GuardedRoute, needs, of
from engram_lab.serve.routes.shapes import REFUSALS, Body, Envelope

if TYPE_CHECKING:
    from engram_lab.core.types import Workspace
    from engram_lab.engine import Engine

__all__ = ["router"]

router = APIRouter(tags=["workspaces"], route_class=GuardedRoute, responses=REFUSALS)
Name = Annotated[str, Path(min_length=1, max_length=255)]


class WorkspaceBody(Body):
    """The policy of a workspace."""

    scope: str = Field("global", min_length=1, max_length=512)
    description: str | None = Field(None, max_length=10_000)
    max_age_days: float | None = Field(None, gt=0)
    """Memories that are older go, but what is pinned stays."""
    max_memories: int | None = Field(None, ge=1)
    """Where there are more, the oldest go."""


class WorkspaceOut(BaseModel):
    """A workspace."""

    name: str
    scope: str
    description: str | None
    max_age_days: float | None
    max_memories: int | None


@router.get("/v1/workspaces", response_model=Envelope[list[WorkspaceOut]])
@needs("memories:read")
async def list_workspaces(request: Request) -> Response:
    """Return all workspaces by name; remembering something in a new one makes it."""
    call, services = of(request)
    found = await services.use(call, lambda engine: engine.store.workspaces.all())
    return answer(call, [_row(each) for each in found])


@router.put("/v1/workspaces/{name}", response_model=Envelope[WorkspaceOut])
@needs("admin", audited=WORKSPACE_PUT)
async def put_workspace(request: Request, name: Name, body: WorkspaceBody) -> Response:
    """Make a workspace, or replace the policy of one."""
    call, services = of(request)
    call.target = name

    def work(engine: Engine) -> Workspace:
        return engine.store.workspaces.put(name, **body.model_dump())

    made = await services.use(call, work, makes=(name,))
    await services.control(services.record_workspace, call, made)
    return answer(call, _row(made))


def _row(workspace: Workspace) -> dict[str, Any]:
    return {name: getattr(workspace, name) for name in WorkspaceOut.model_fields}
