"""`/v1/memories`: remember, list, look at, change, forget, restore."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

from fastapi import APIRouter, Header, Path, Query, Request
from fastapi.responses import Response
from pydantic import Field, JsonValue, TypeAdapter, ValidationError

from engram_lab.core.errors import ConflictError
from engram_lab.core.selection import Order
from engram_lab.core.text import clean_text
from engram_lab.core.types import Dedup, Memory
from engram_lab.serve.answers import answer
from engram_lab.serve.errors import InvalidRequestError, UnprocessedError
from engram_lab.serve.idempotency import REPLAYED, once
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
from engram_lab.serve.routes.tags import Expected, etag_of, is_known

if TYPE_CHECKING:
    from engram_lab.engine import Engine

__all__ = ["NewMemory", "router"]

router = APIRouter(tags=["memories"], route_class=GuardedRoute, responses=REFUSALS)
Id = Annotated[str, Path(min_length=1, max_length=64)]
Purge = Annotated[bool, Query(description="remove it for good, from every version and index")]
IfMatch = Annotated[
    str | None, Header(description="the ETag of the state that it is to be in; else 412")
]
_MEETS_KNOWN: Final = frozenset({"skip", "merge"})
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


@router.post(
    "/v1/memories",
    status_code=201,
    response_model=Envelope[MemoryOut],
    responses={
        200: {"model": Envelope[MemoryOut], "description": "Known already: this is the one"}
    },
)
@needs("memories:write", adds_memories=True, audited=MEMORY_CREATE)
async def create(request: Request, body: NewMemory) -> Response:
    """Keep a memory. With an `Idempotency-Key`, asking again gives the same answer.

    Where `dedup` meets one that is known, the answer is that one, with 200 in place of 201.
    """
    call, services = of(request)
    call.workspace = body.workspace
    fields = {**body.given(), "author": services.author(call)}

    async def remember(made_id: str | None) -> Response:
        kept = await services.use(
            call, lambda engine: _kept(engine, fields, made_id), makes=(body.workspace,)
        )
        call.target = kept.memory.id
        if kept.is_new:
            call.used["memories_created"] = 1
        answered = _one(request, kept.memory, status=201 if kept.is_new or kept.replayed else 200)
        if kept.replayed:
            answered.headers.update(REPLAYED)
        return answered

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
async def update(
    request: Request,
    id: Id,  # noqa: A002
    body: MemoryChange,
    if_match: IfMatch = None,  # noqa: ARG001 - for OpenAPI: `Expected` reads all of them
) -> Response:
    """Change a memory, and keep what it was as an earlier version."""
    call, services = of(request)
    call.target = id
    changes = body.given()
    expected = Expected.of(request, changes.pop("version", None))
    signed = {"author": services.author(call), "reason": changes.pop("reason", None)}

    def work(engine: Engine) -> Memory:
        memories = engine.store.memories
        with engine.store.transaction():
            expected.check(memories.get(id))
            changed = memories.update(id, changes, version=expected.version, **signed)
        if "content" in changes:
            engine.took_in()
        return changed

    return _one(request, await services.use(call, work))


@router.delete("/v1/memories/{id}", response_model=Envelope[Forgotten])
@needs("memories:write", audited=MEMORY_DELETE)
async def delete(
    request: Request,
    id: Id,  # noqa: A002
    purge: Purge = False,  # noqa: FBT002 - FastAPI reads it from the query
    if_match: IfMatch = None,  # noqa: ARG001 - for OpenAPI: `Expected` reads all of them
) -> Response:
    """Forget a memory, so that `restore` can bring it back; or purge it, so that nothing can.

    The ETag of what was forgotten comes with the answer, for the `If-Match` of `restore`.
    """
    call, services = of(request)
    call.target = id
    expected, author = Expected.of(request), services.author(call)

    def work(engine: Engine) -> dict[str, str]:
        memories = engine.store.memories

        def same() -> None:
            expected.check(memories.get(id, forgotten=True))

        if purge:
            engine.purge([id], author=author, check=same if expected.tags else None)
            return {}
        with engine.store.transaction():
            expected.check(memories.get(id))
            memories.forget(id, author=author)
            return {"ETag": etag_of(memories.get(id, forgotten=True))}

    headers = await services.use(call, work)
    if purge:
        services.answered.forget(call.within.id, id)
    return answer(call, {"id": id, "purged": purge}, headers=headers)


@router.post("/v1/memories/{id}/restore", response_model=Envelope[MemoryOut])
@needs("memories:write", grows=True, audited=MEMORY_RESTORE)
async def restore(
    request: Request,
    id: Id,  # noqa: A002
    version: Annotated[int | None, Query(ge=1)] = None,
    if_match: IfMatch = None,  # noqa: ARG001 - for OpenAPI: `Expected` reads all of them
) -> Response:
    """Bring back a forgotten memory, or the state of an earlier version, as a new one."""
    call, services = of(request)
    call.target = id
    expected, author = Expected.of(request), services.author(call)

    def work(engine: Engine) -> Memory:
        memories = engine.store.memories
        with engine.store.transaction():
            expected.check(memories.get(id, forgotten=True))
            back = memories.restore(id, version=version, author=author)
        engine.took_in()
        return back

    return _one(request, await services.use(call, work))


class _Kept(NamedTuple):
    """A memory that was asked to be kept.

    Attributes:
        is_new: It was made now.
        replayed: The same key made it before.
    """

    memory: Memory
    is_new: bool = False
    replayed: bool = False


def _kept(engine: Engine, fields: dict[str, Any], made_id: str | None) -> _Kept:
    """Keep a memory, or find the one that is known, or that the same key made before."""
    if made_id is None:
        return _remembered(engine, fields)
    made = _made(engine, made_id, fields["content"])
    if made is None:
        try:
            return _remembered(engine, {**fields, "id": made_id})
        except ConflictError:  # another server was asked at the same time, or it was forgotten
            made = _made(engine, made_id, fields["content"])
            if made is None:
                raise
    return _Kept(made, replayed=True)


def _remembered(engine: Engine, fields: dict[str, Any]) -> _Kept:
    dedup = fields.get("dedup") or engine.config.store.dedup
    if dedup not in _MEETS_KNOWN:  # else a report tells what was new
        return _Kept(engine.remember(**fields), is_new=True)
    draft = dict(fields)
    author, reason, _ = (draft.pop(name, None) for name in ("author", "reason", "dedup"))
    report = engine.remember_many([draft], dedup=dedup, author=author, reason=reason)
    (id_,) = (*report.ids, *report.skipped, *report.merged)
    return _Kept(engine.get(id_), is_new=bool(report.ids))


def _made(engine: Engine, made_id: str, content: str) -> Memory | None:
    """Return what a key made before, None where there is nothing to be seen."""
    (made,) = engine.get_many([made_id])
    if made is not None and made.version == 1:
        whole = engine.store.memories.get(made_id, private=True)
        if whole.content != clean_text(content, field="content"):
            raise UnprocessedError(
                "this Idempotency-Key came with another memory before: give each its own"
            )
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
