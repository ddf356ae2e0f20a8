"""`/v1/links`, and what links lead to."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from engram_lab.core.types import Direction
from engram_lab.serve.answers import answer
from engram_lab.serve.observing.kinds import LINK_CLOSE, LINK_CREATE
from engram_lab.serve.routes.guarded import GuardedRoute, needs, of
from engram_lab.serve.routes.shapes import (
    REFUSALS,
    Body,
    Envelope,
    Label,
    LinkOut,
    MemoryOut,
    Unit,
)

if TYPE_CHECKING:
    from engram_lab.core.types import Link

__all__ = ["router"]

router = APIRouter(tags=["links"], route_class=GuardedRoute, responses=REFUSALS)
Id = Annotated[str, Path(min_length=1, max_length=64)]


class NewLink(Body):
    """A link to make, or to change where one of its type is open."""

    from_id: Label
    to_id: Label
    type: Label = Field("related_to", examples=["supersedes"])
    weight: Unit = 1.0
    confidence: Unit = 1.0
    context: str | None = Field(None, max_length=10_000)
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    pinned: bool = False
    exclusive: bool = False
    """End other links of the type that start there, as of a place of work."""


class NeighbourOut(BaseModel):
    """A memory that links lead to, with the last link of the way."""

    memory: MemoryOut
    link: LinkOut
    depth: int
    weight: float


@router.post("/v1/links", status_code=201, response_model=Envelope[LinkOut])
@needs("memories:write", grows=True, audited=LINK_CREATE)
async def create_link(request: Request, body: NewLink) -> Response:
    """Link two memories. Asking again changes the same link."""
    call, services = of(request)
    fields = body.model_dump(exclude_unset=True)
    link = await services.use(call, lambda engine: engine.link(**fields))
    call.target = link.id
    return answer(call, link, status=201)


@router.get("/v1/links", response_model=Envelope[list[LinkOut]])
@needs("memories:read")
async def list_links(
    request: Request,
    memory_id: Annotated[str, Query(min_length=1, max_length=64)],
    direction: Direction = "both",
    type: Annotated[list[str] | None, Query(max_length=32)] = None,  # noqa: A002
    closed: Annotated[bool, Query(description="also those that ended")] = False,  # noqa: FBT002 - FastAPI reads it from the query
) -> Response:
    """Return the links of a memory."""
    call, services = of(request)

    links: list[Link] = await services.use(
        call,
        lambda engine: engine.store.links.of(
            memory_id, direction=direction, types=type, closed=closed
        ),
    )
    return answer(call, links)


@router.delete("/v1/links/{id}", response_model=Envelope[LinkOut])
@needs("memories:write", audited=LINK_CLOSE)
async def close_link(request: Request, id: Id) -> Response:  # noqa: A002
    """End a link; it stays as history."""
    call, services = of(request)
    call.target = id
    link = await services.use(call, lambda engine: engine.store.links.close(id))
    return answer(call, link)


@router.get("/v1/memories/{id}/related", response_model=Envelope[list[NeighbourOut]])
@needs("memories:read")
async def related(
    request: Request,
    id: Id,  # noqa: A002
    depth: Annotated[int, Query(ge=1, le=10)] = 1,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    min_weight: Annotated[float, Query(ge=0, le=1)] = 0.0,
    direction: Direction = "both",
    type: Annotated[list[str] | None, Query(max_length=32)] = None,  # noqa: A002
) -> Response:
    """Return the memories that links lead to, the nearest first, then the heaviest."""
    call, services = of(request)
    found = await services.use(
        call,
        lambda engine: engine.neighbours(
            id, depth=depth, limit=limit, min_weight=min_weight, direction=direction, types=type
        ),
    )
    return answer(call, [each._asdict() for each in found])
