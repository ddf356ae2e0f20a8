"""`/v1/memories:batch`: many memories in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from engram_lab.core.types import Dedup
from engram_lab.serve.answers import answer
from engram_lab.serve.idempotency import made_id, once
from engram_lab.serve.observing.kinds import MEMORY_CREATE_BATCH
from engram_lab.serve.routes.guarded import GuardedRoute, needs, of
from engram_lab.serve.routes.memories import NewMemory
from engram_lab.serve.routes.shapes import REFUSALS, Body, Envelope

if TYPE_CHECKING:
    from engram_lab.engine import Engine

__all__ = ["router"]

router = APIRouter(tags=["memories"], route_class=GuardedRoute, responses=REFUSALS)


class Batch(Body):
    """Memories to keep: all of them, or none."""

    memories: list[NewMemory] = Field(min_length=1, max_length=1_000)
    dedup: Dedup | None = None
    keep_going: bool = False
    """Keep the others where some are refused, and say which were."""


class RefusedOut(BaseModel):
    """One that was refused: its place in the batch, from 0, and why."""

    row: int
    reason: str


class Kept(BaseModel):
    """What became of them; each is in exactly one of these.

    `ids` are new, `known` were there already: known to `dedup`, or made by the same key before.
    """

    ids: list[str]
    known: list[str]
    refused: list[RefusedOut]


@router.post("/v1/memories:batch", status_code=201, response_model=Envelope[Kept])
@needs("memories:write", adds_memories=True, audited=MEMORY_CREATE_BATCH)
async def create_batch(request: Request, body: Batch) -> Response:
    """Keep many memories at once."""
    call, services = of(request)
    await services.quotas.room_for(call, len(body.memories))
    author = services.author(call)
    rows = [_row(each, made_id(call, place)) for place, each in enumerate(body.memories)]

    named = frozenset(each.workspace for each in body.memories)

    def work(engine: Engine) -> Kept:
        found = engine.get_many([row["id"] for row in rows if "id" in row])
        there = {each.id for each in found if each is not None}
        new = [(place, row) for place, row in enumerate(rows) if row.get("id") not in there]
        report = engine.remember_many(
            [row for _, row in new], dedup=body.dedup, keep_going=body.keep_going, author=author
        )
        return Kept(
            ids=list(report.ids),
            known=[*sorted(there), *report.skipped, *report.merged],
            refused=[
                RefusedOut(row=new[each.row][0], reason=each.reason) for each in report.refused
            ],
        )

    async def remember(_: str | None) -> Response:
        kept = await services.use(call, work, makes=named)
        call.used["memories_created"] = len(kept.ids)
        return answer(call, kept.model_dump(), status=201)

    return await once(services.answered, call, body, remember)


def _row(memory: NewMemory, id_: str | None) -> dict[str, Any]:
    given = memory.given()
    given.pop("dedup", None)
    given.pop("reason", None)
    given.setdefault("workspace", "default")
    return given if id_ is None else {**given, "id": id_}
