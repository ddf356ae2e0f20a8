"""`/v1/memories`: remember, list, look at, change, forget, restore."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from pydantic import Field, JsonValue, TypeAdapter, ValidationError

from engram_lab.core.errors import ConflictError
from engram_lab.core.selection import Order
from engram_lab.core.types import Dedup
from engram_lab.serve.answers import answer
from engram_lab.serve.errors import InvalidRequestError, UnprocessedError
from engram_lab.serve.idempotency import once
from engram_lab.serve.observing.kinds import (
    MEMORY_CREATE,
    MEMORY_DELETE,
    MEMORY_RESTORE,
    MEMORY_UPDATE,
)
from engram_lab.serve.routes.guarded import GuardedRoute, needs, of
from engram_lab.serve.routes.shapes import (
    REFUSALS,
    Body,
    Envelope,
    Label,
    MemoryFieldsBody,
    MemoryOut,
    PageMeta,
    Text,
)
from engram_lab.serve.routes.tags import etag_of, expected_version, is_known

if TYPE_CHECKING:
    from engram_lab.core.types import Memory
    from engram_lab.engine import Engine

__all__ = ["NewMemory", "remembered", "router"]

router = APIRouter(tags=["memories"], route_class=GuardedRoute, responses=REFUSALS)
Id = Annotated[str, Path(min_length=1, max_length=64)]
Purge = Annotated[bool, Query(description="remove it for good, from every version and index")]
_FILTER: TypeAdapter[dict[str, JsonValue]] = TypeAdapter(dict[str, JsonValue])


class NewMemory(MemoryFieldsBody):
    """A memory to keep."""

    content: Text = Field(examples=["Ada takes her coffee without sugar"])
    workspace: Label = "default"
    dedup: Dedup | None = None
    """What to do where the same is known already; else as the server is set."""
    reason: str | None = Field(None, max_length=1_000)


class MemoryChange(MemoryFieldsBody):
    """What to change of a memory; `null` clears a field."""

    content: Text | None = None
    version: int | None = Field(None, ge=1)
    """Refused where the memory has another one; the header `If-Match` says the same."""
    reason: str | None = Field(None, max_length=1_000)


class Forgotten(Body):
    """What became of it."""

    id: str
    purged: bool


class MemoryPage(Envelope[list[MemoryOut]]):
    """Some memories in order."""

    meta: PageMeta


@router.post("/v1/memories", status_code=201, response_model=Envelope[MemoryOut])
@needs("memories:write", adds_memories=True, audited=MEMORY_CREATE)
async def create(request: Request, body: NewMemory) -> Response:
    """Keep a memory. With an `Idempotency-Key`, asking again gives the same answer."""
    call, services = of(request)
    call.workspace = body.workspace
    fields = body.given()
    author = services.author(call)

    async def remember(made_id: str | None) -> Response:
        memory = await services.use(
            call,
            lambda engine: remembered(engine, fields, author=author, made_id=made_id),
            makes=(body.workspace,),
        )
        call.target, call.used["memories_created"] = memory.id, 1
        return _one(request, memory, status=201)

    return await once(services.answered, call, body, remember)


@router.get("/v1/memories", response_model=MemoryPage)
@needs("memories:read")
async def list_(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    cursor: Annotated[str | None, Query(max_length=1024)] = None,
    workspace: Annotated[str | None, Query(max_length=512)] = None,
    scope: Annotated[str | None, Query(max_length=512)] = None,
    filter: Annotated[str | None, Query(description="a filter as JSON")] = None,  # noqa: A002
    order: Order = "id",
    descending: Annotated[bool, Query()] = False,  # noqa: FBT002 - FastAPI reads it from the query
    archived: Annotated[bool, Query()] = False,  # noqa: FBT002 - FastAPI reads it from the query
) -> Response:
    """Return one page of memories; `meta.next_cursor` leads to the next."""
    call, services = of(request)
    chosen: dict[str, Any] = {"workspace": workspace, "scope": scope, "archived": archived}
    chosen["filter"] = None if filter is None else _parsed(filter)
    page = await services.use(
        call,
        lambda engine: engine.select(
            order=order, descending=descending, limit=limit, cursor=cursor, **chosen
        ),
    )
    return answer(call, page.memories, next_cursor=page.next_cursor)


@router.get("/v1/memories/{id}", response_model=Envelope[MemoryOut])
@needs("memories:read")
async def get(request: Request, id: Id) -> Response:  # noqa: A002
    """Return a memory; with `If-None-Match`, 304 where it is still the same."""
    call, services = of(request)
    memory = await services.use(call, lambda engine: engine.get(id))
    if is_known(request, memory):
        return Response(status_code=304, headers={"ETag": etag_of(memory)})
    return _one(request, memory)


@router.patch("/v1/memories/{id}", response_model=Envelope[MemoryOut])
@needs("memories:write", grows=True, audited=MEMORY_UPDATE)
async def update(request: Request, id: Id, body: MemoryChange) -> Response:  # noqa: A002
    """Change a memory, and keep what it was as an earlier version."""
    call, services = of(request)
    call.target = id
    changes = body.given()
    version = expected_version(request, changes.pop("version", None))
    author = services.author(call)
    memory = await services.use(
        call, lambda engine: engine.update(id, version=version, author=author, **changes)
    )
    return _one(request, memory)


@router.delete("/v1/memories/{id}", response_model=Envelope[Forgotten])
@needs("memories:write", audited=MEMORY_DELETE)
async def delete(
    request: Request,
    id: Id,  # noqa: A002
    purge: Purge = False,  # noqa: FBT002 - FastAPI reads it from the query
) -> Response:
    """Forget a memory, so that `restore` can bring it back; or purge it, so that nothing can."""
    call, services = of(request)
    call.target = id
    author = services.author(call)

    def work(engine: Engine) -> None:
        if purge:
            engine.purge([id], author=author)
        else:
            engine.forget(id, author=author)

    await services.use(call, work)
    if purge:
        services.answered.forget(call.within.id, id)
    return answer(call, {"id": id, "purged": purge})


@router.post("/v1/memories/{id}/restore", response_model=Envelope[MemoryOut])
@needs("memories:write", grows=True, audited=MEMORY_RESTORE)
async def restore(
    request: Request,
    id: Id,  # noqa: A002
    version: Annotated[int | None, Query(ge=1)] = None,
) -> Response:
    """Bring back a forgotten memory, or the state of an earlier version, as a new one."""
    call, services = of(request)
    call.target = id
    author = services.author(call)
    memory = await services.use(
        call, lambda engine: engine.restore(id, version=version, author=author)
    )
    return _one(request, memory)


def remembered(
    engine: Engine, fields: dict[str, Any], *, author: str, made_id: str | None
) -> Memory:
    """Return a new memory, or the one that the same key made before."""
    if made_id is None:
        return engine.remember(author=author, **fields)
    try:
        return engine.remember(author=author, **fields, id=made_id)
    except ConflictError:
        (made,) = engine.get_many([made_id])
        if made is None:
            raise
        if made.version == 1 and made.content != fields["content"]:
            raise UnprocessedError(
                "this Idempotency-Key came with another memory before: give each its own"
            ) from None
        return made


def _one(request: Request, memory: Memory, *, status: int = 200) -> Response:
    call, _ = of(request)
    headers = {"ETag": etag_of(memory)}
    if status == 201:  # noqa: PLR2004 - created
        headers["Location"] = f"/v1/memories/{memory.id}"
    return answer(call, memory, status=status, headers=headers)


def _parsed(text: str) -> dict[str, JsonValue]:
    try:
        return _FILTER.validate_json(text)
    except ValidationError:
        raise InvalidRequestError(
            'the filter is no JSON object: give one such as {"importance": {"gte": 0.5}}'
        ) from None
