"""`/v1/memories:batch`: many memories in one transaction."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from engram_lab.core.errors import InvalidInputError
from engram_lab.core.types import Dedup
from engram_lab.serve.answers import answer
from engram_lab.serve.idempotency import made_id, once
from engram_lab.serve.observing.kinds import MEMORY_CREATE_BATCH
from engram_lab.serve.routes.guarded import GuardedRoute, needs, of
from engram_lab.serve.routes.memories import NewMemory
from engram_lab.serve.routes.shapes import REFUSALS, Body, Envelope

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engram_lab.engine import Engine

__all__ = ["router"]

router = APIRouter(tags=["memories"], route_class=GuardedRoute, responses=REFUSALS)


class Batch(Body):
    """Memories to keep: all of them, or none."""

    memories: list[NewMemory] = Field(min_length=1, max_length=1_000)
    dedup: Dedup | None = None
    """For those that say nothing of it themselves."""
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
    rows = [
        _Row.of(place, each, body, made_id(call, place)) for place, each in enumerate(body.memories)
    ]
    author = services.author(call)
    named = frozenset(each.workspace for each in body.memories)

    async def remember(_: str | None) -> Response:
        kept = await services.use(
            call,
            lambda engine: _kept(engine, rows, author, keep_going=body.keep_going),
            makes=named,
        )
        call.used["memories_created"] = len(kept.ids)
        return answer(call, kept.model_dump(), status=201)

    return await once(services.answered, call, body, remember)


class _Row(NamedTuple):
    """One memory of a batch, and what is said of it beside."""

    place: int
    fields: dict[str, Any]
    dedup: Dedup | None
    reason: str | None

    @classmethod
    def of(cls, place: int, memory: NewMemory, batch: Batch, id_: str | None) -> _Row:
        fields = {"workspace": memory.workspace, **memory.given()}
        dedup, reason = fields.pop("dedup", None), fields.pop("reason", None)
        return cls(
            place, fields if id_ is None else {**fields, "id": id_}, dedup or batch.dedup, reason
        )

    @property
    def alike(self) -> tuple[Dedup | None, str | None]:
        """What those have in common that are kept at once."""
        return self.dedup, self.reason


def _kept(engine: Engine, rows: Sequence[_Row], author: str, *, keep_going: bool) -> Kept:
    """Keep the rows that the same key did not make before, in their order, in one transaction."""
    with engine.store.transaction():
        found = engine.get_many([row.fields["id"] for row in rows if "id" in row.fields])
        there = {each.id for each in found if each is not None}
        kept = Kept(ids=[], known=sorted(there), refused=[])
        new = [row for row in rows if row.fields.get("id") not in there]
        for _, some in groupby(new, key=lambda row: row.alike):
            _keep(engine, list(some), kept, author, keep_going=keep_going)
    engine.took_in()
    return kept


def _keep(
    engine: Engine, rows: Sequence[_Row], kept: Kept, author: str, *, keep_going: bool
) -> None:
    """Keep rows that are alike, and note what became of each."""
    try:
        report = engine.store.memories.remember_many(
            [row.fields for row in rows],
            dedup=rows[0].dedup,
            author=author,
            reason=rows[0].reason,
            keep_going=keep_going,
        )
    except InvalidInputError as error:
        raise error if error.row is None else error.at_row(rows[error.row].place) from None
    kept.ids += report.ids
    kept.known += [*report.skipped, *report.merged]
    kept.refused += [
        RefusedOut(row=rows[each.row].place, reason=each.reason) for each in report.refused
    ]
