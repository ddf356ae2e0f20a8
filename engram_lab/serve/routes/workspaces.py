"""`/v1/workspaces`: the parts of a tenant's memories, each with its policy."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from engram_lab.core.errors import NotFoundError
from engram_lab.serve.answers import answer
from engram_lab.serve.observing.kinds import WORKSPACE_PUT, WORKSPACE_REMOVE
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
    description: str | None = Field(None, max_length=10_000, examples=["what is cooked"])
    max_age_days: float | None = Field(None, gt=0)
    """Memories that are older go, but what is pinned stays."""
    max_memories: int | None = Field(None, ge=1, examples=[10_000])
    """Where there are more, the oldest go."""


class WorkspaceOut(BaseModel):
    """A workspace."""

    name: str
    scope: str
    description: str | None
    max_age_days: float | None
    max_memories: int | None


class RemovedWorkspace(BaseModel):
    """A workspace that is no more."""

    name: str


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


@router.delete("/v1/workspaces/{name}", response_model=Envelope[RemovedWorkspace])
@needs("admin", audited=WORKSPACE_REMOVE)
async def remove_workspace(request: Request, name: Name) -> Response:
    """Remove a workspace that holds nothing; 409 tells what one holds. `default` stays."""
    call, services = of(request)
    call.target = name

    def work(engine: Engine) -> None:
        with services.rooms.removing(engine, name):
            engine.store.workspaces.remove(name)

    await services.use(call, work)
    with suppress(NotFoundError):  # one that remembering made was never put on the list
        await services.control(services.within(call).remove_workspace, name)
    return answer(call, {"name": name})


def _row(workspace: Workspace) -> dict[str, Any]:
    return {name: getattr(workspace, name) for name in WorkspaceOut.model_fields}
