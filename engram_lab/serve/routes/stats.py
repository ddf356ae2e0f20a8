"""`/v1/stats`, `/v1/usage` and `/v1/engine`: what is there, what was used, what answers."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, JsonValue

from engram_lab.serve.answers import answer
from engram_lab.serve.errors import InvalidRequestError
from engram_lab.serve.routes.guarded import GuardedRoute, needs, of
from engram_lab.serve.routes.shapes import REFUSALS, Envelope

__all__ = ["router"]

router = APIRouter(tags=["tenant"], route_class=GuardedRoute, responses=REFUSALS)
_MONTH = timedelta(days=30)
_LONGEST = timedelta(days=400)


class Stats(BaseModel):
    """What a tenant holds."""

    memories: int
    by_type: dict[str, int]
    by_workspace: dict[str, int]
    workspaces: list[str]
    storage_bytes: int
    change: int
    """The number of the last change: equal numbers, equal memories."""


class UsageDayOut(BaseModel):
    """What was used on a day, in UTC."""

    workspace: str
    day: date
    api_calls: int
    searches: int
    memories_created: int
    memories_stored: int
    storage_bytes: int


class Usage(BaseModel):
    """What was used, and what the plan allows; null is no limit."""

    plan: str
    limits: dict[str, int | None]
    used: dict[str, int]
    days: list[UsageDayOut]


class EngineOut(BaseModel):
    """What answers this tenant."""

    config_hash: str
    bundle: str | None
    system: str | None
    suite: str | None
    embedder: str | None
    evidence: dict[str, JsonValue] | None
    versions: dict[str, str]


@router.get("/v1/stats", response_model=Envelope[Stats])
@needs("memories:read")
async def stats(request: Request) -> Response:
    """Return how many memories there are, of which kinds, and how much room they take."""
    call, services = of(request)
    tenant = call.within
    size = await services.files.run(services.places.size, tenant.id)
    told = await services.use(call, lambda engine: engine.stats())
    return answer(call, {**told, "storage_bytes": size})


@router.get("/v1/usage", response_model=Envelope[Usage])
@needs("admin")
async def usage(
    request: Request,
    since: Annotated[date | None, Query()] = None,
    until: Annotated[date | None, Query()] = None,
) -> Response:
    """Return what was used by day, of the last 30 days unless told, and what the plan allows."""
    call, services = of(request)
    last = until or call.at.date()
    first = since or last - min(_MONTH, last - date.min)
    if not timedelta(0) <= last - first <= _LONGEST:
        raise InvalidRequestError(
            f"from {first} until {last} is no span of 0 to {_LONGEST.days} days: give another"
        )
    told = await services.control(services.usage, call, first, last)
    return answer(call, told)


@router.get("/v1/engine", response_model=Envelope[EngineOut])
@needs("memories:read")
async def engine(request: Request) -> Response:
    """Return which configuration answers this tenant, and the evidence that it is good."""
    call, services = of(request)
    about = await services.files.run(services.configurations.about, call.within)
    return answer(call, {name: getattr(about, name) for name in EngineOut.model_fields})
