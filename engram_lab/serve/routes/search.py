"""`/v1/search`: the memories that answer a question."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from engram_lab.config.retrieval import Strategy
from engram_lab.serve.answers import answer
from engram_lab.serve.routes.direct import DirectRoute
from engram_lab.serve.routes.guarded import needs, of
from engram_lab.serve.routes.shapes import (
    REFUSALS,
    ChosenBody,
    Envelope,
    Label,
    MemoryOut,
    Meta,
)

if TYPE_CHECKING:
    from engram_lab.engine import Engine
    from engram_lab.retrieval import Hits

__all__ = ["Question", "hit_rows", "router"]

router = APIRouter(tags=["search"], route_class=DirectRoute, responses=REFUSALS)

_AS_SHORT: Final = frozenset({"query", "k", "workspace"})
_SHORT_QUERY: Final = 500
_SHORT_K: Final = 50


class Question(ChosenBody):
    """What is asked, and of which memories."""

    query: str = Field(max_length=100_000, examples=["how does Ada like her coffee?"])
    k: int | None = Field(None, ge=1, le=1_000)
    """How many at most; else as the server is set."""
    strategy: Strategy | None = None
    token_budget: int | None = Field(None, ge=0)
    """Leave out what goes beyond so many tokens, at four characters each."""
    agent: Label | None = None
    """Ask as this agent, who stands in `scope`."""
    explain: bool = False
    """Also say of each hit what put it there."""


class HitOut(BaseModel):
    """One memory of an answer; a higher score is nearer."""

    rank: int
    score: float
    memory: MemoryOut
    explanation: str | None = None


class SearchMeta(Meta):
    """How it was searched."""

    strategy: str
    reason: str
    left_out: int
    """How many hits a token budget had no room for."""


class Found(Envelope[list[HitOut]]):
    """What was found, best first."""

    meta: SearchMeta


@router.post("/v1/search", response_model=Found)
@needs("search", meter="searches")
async def search(request: Request, body: Question) -> Response:
    """Return the memories that answer a question, best first."""
    call, services = of(request)
    if body.workspace is not None:
        call.workspace = body.workspace
    call.used["searches"] = 1
    asked = services.ask if _is_short(body) else services.use
    hits = await asked(call, lambda engine: _recalled(engine, body))
    return answer(
        call,
        hit_rows(hits, explain=body.explain),
        strategy=hits.strategy,
        reason=hits.reason,
        left_out=hits.left_out,
    )


def _is_short(body: Question) -> bool:
    """Tell whether all such questions take about as long."""
    given = body.model_fields_set - _AS_SHORT
    return not given and len(body.query) <= _SHORT_QUERY and (body.k or 0) <= _SHORT_K


def _recalled(engine: Engine, body: Question) -> Hits:
    return engine.recall(
        body.query,
        body.k,
        agent=body.agent,
        token_budget=body.token_budget,
        strategy=body.strategy,
        explain=body.explain,
        **body.chosen(),
    )


def hit_rows(hits: Hits, *, explain: bool) -> list[dict[str, Any]]:
    """Return hits as they are sent."""
    if not explain:
        return [{"rank": e.rank, "score": e.score, "memory": e.memory} for e in hits]
    return [
        {"rank": e.rank, "score": e.score, "memory": e.memory, "explanation": str(e.explanation)}
        for e in hits
    ]
