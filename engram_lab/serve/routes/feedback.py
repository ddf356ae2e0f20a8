"""`/v1/feedback`: what was of use, and what was not."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from engram_lab.serve.answers import answer
from engram_lab.serve.feedback import note_feedback
from engram_lab.serve.observing.kinds import MEMORY_FEEDBACK
from engram_lab.serve.routes.guarded import GuardedRoute, needs, of
from engram_lab.serve.routes.shapes import REFUSALS, Body, Envelope, Label

__all__ = ["router"]

router = APIRouter(tags=["search"], route_class=GuardedRoute, responses=REFUSALS)
Ids = Annotated[list[Label], Field(max_length=1_000)]


class Votes(Body):
    """Which memories helped with a question, and which did not."""

    query: str | None = Field(None, max_length=100_000, examples=["what does Ada drink?"])
    useful: Ids = Field(default_factory=list, examples=[["01976f0e-4a52-7c1e-b0d8-2f6a9e3c5d17"]])
    irrelevant: Ids = Field(default_factory=list)


class VotedOut(BaseModel):
    """Where the votes of a memory stand."""

    id: str
    useful: int
    irrelevant: int


@router.post("/v1/feedback", response_model=Envelope[list[VotedOut]])
@needs("memories:write", grows=True, audited=MEMORY_FEEDBACK)
async def feedback(request: Request, body: Votes) -> Response:
    """Vote on memories; the votes stand in their metadata, and the question in their history."""
    call, services = of(request)
    author = services.author(call)
    found = await services.use(
        call, lambda engine: note_feedback(engine, author=author, **body.model_dump())
    )
    return answer(call, [each._asdict() for each in found])
