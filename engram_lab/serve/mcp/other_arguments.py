"""What the other tools take: to search, to follow links, to dream."""

from typing import Any, Literal

from pydantic import Field

from engram_lab.core.types import Direction
from engram_lab.serve.mcp.fields import (
    AN_ID,
    ANOTHER,
    Arguments,
    Id,
    InScope,
    InWorkspace,
    LeastWeight,
    LinkTypes,
    Moment,
    Where,
)

__all__ = [
    "ContextArguments",
    "DreamArguments",
    "FeedbackArguments",
    "HookArguments",
    "LinkArguments",
    "PathArguments",
    "RelatedArguments",
    "SearchArguments",
    "StatsArguments",
    "UndoArguments",
]


class SearchArguments(Arguments):
    """Of `memory_search`."""

    query: str = Field(
        min_length=1,
        description='What is looked for, in plain words; "in quotes" as a phrase.',
        examples=["rust async"],
    )
    k: int | None = Field(default=None, ge=1, le=100, description="How many at most.")
    filter: Where = None
    workspace: InWorkspace = None
    scope: InScope = None
    strategy: Literal["auto", "keyword", "semantic", "hybrid"] | None = Field(
        default=None, description="Which arms search; else as the server is set."
    )
    as_of: Moment | None = Field(default=None, description="In what was stored at that moment.")
    archived: bool = Field(default=False, description="Also archived ones.")
    token_budget: int | None = Field(
        default=None, ge=1, description="Leave out what goes beyond so many tokens."
    )
    compact: bool = Field(
        default=False, description="First lines alone; memory_get gives the whole."
    )
    explain: bool = Field(default=False, description="Say why each is there.")


class ContextArguments(Arguments):
    """Of `memory_context`."""

    query: str = Field(
        min_length=1,
        description="What the prompt is about, such as the user's question.",
        examples=["What does Ada like to drink?"],
    )
    token_budget: int = Field(
        default=1_000,
        ge=1,
        le=100_000,
        description="The whole block takes at most so many tokens, at four characters each.",
    )
    k: int | None = Field(default=None, ge=1, le=100, description="How many memories at most.")
    filter: Where = None
    workspace: InWorkspace = None
    scope: InScope = None


class LinkArguments(Arguments):
    """Of `memory_link`."""

    from_id: Id = Field(description="Where it starts.", examples=[AN_ID])
    to_id: Id = Field(description="Where it leads.", examples=[ANOTHER])
    type: str = Field(
        default="related_to",
        max_length=64,
        description="related_to, supersedes, contradicts, extends, depends_on, or your own.",
    )
    weight: float = Field(default=1.0, ge=0, le=1, description="How strong, from 0 to 1.")
    context: str | None = Field(default=None, description="Why they are linked.")
    valid_from: Moment | None = Field(default=None, description="It holds from then on.")
    valid_to: Moment | None = Field(default=None, description="It holds until then.")
    exclusive: bool = Field(
        default=False,
        description="Of its type only one link of from_id holds at a time: others end here.",
    )


class _Following(Arguments):
    min_weight: LeastWeight = 0.0
    direction: Direction = Field(
        default="both", description="out along the links, in against them, or both."
    )
    types: LinkTypes = None
    valid_at: Moment | None = Field(default=None, description="Links that held then; else now.")


class RelatedArguments(_Following):
    """Of `memory_related`."""

    id: Id = Field(examples=[AN_ID])
    depth: int = Field(default=1, ge=1, le=10, description="Over at most so many links.")
    limit: int = Field(default=20, ge=1, le=200, description="At most so many.")


class PathArguments(_Following):
    """Of `memory_path`."""

    from_id: Id = Field(description="Where it begins.", examples=[AN_ID])
    to_id: Id = Field(description="Where it ends.", examples=[ANOTHER])
    max_depth: int = Field(default=4, ge=1, le=10, description="Over at most so many links.")
    limit: int = Field(default=3, ge=1, le=20, description="At most so many paths.")


class StatsArguments(Arguments):
    """Of `memory_stats`."""

    workspace: InWorkspace = None


class DreamArguments(Arguments):
    """Of `memory_dream`."""

    workspace: str = Field(default="default", description="Nothing outside of it is touched.")
    dry_run: bool = Field(default=False, description="Tell what it would do, and do nothing.")
    full: bool = Field(default=False, description="Look at all, not at what changed alone.")
    steps: list[str] | None = Field(
        default=None, description="Names of steps, in order; else as the server is set."
    )
    yes: bool = Field(
        default=False, description="Carry it out also where it hides more than is allowed."
    )
    max_changes: int | None = Field(default=None, ge=1, description="At most so many.")
    max_seconds: float | None = Field(
        default=None, gt=0, description="Begin nothing more after so long."
    )


class UndoArguments(Arguments):
    """Of `memory_undo`."""

    run_id: str = Field(
        min_length=1,
        max_length=256,
        description="Of the dream: see memory_dream, and `dreams` of memory_stats.",
        examples=[AN_ID],
    )
    keep_later: bool = Field(
        default=False, description="Leave what was changed since as it is, and undo the rest."
    )


class FeedbackArguments(Arguments):
    """Of `memory_feedback`."""

    useful: list[Id] = Field(
        default_factory=list,
        max_length=100,
        description="Ids of memories that were of use.",
        examples=[[AN_ID]],
    )
    irrelevant: list[Id] = Field(
        default_factory=list, max_length=100, description="Ids of memories that were of none."
    )
    query: str | None = Field(
        default=None, max_length=10_000, description="The question that they answered, or not."
    )


class HookArguments(Arguments):
    """Of `memory_hook`."""

    event: Literal["SessionStart", "SessionEnd", "PostToolUse", "Stop"]
    payload: dict[str, Any] = Field(
        default_factory=dict,
        description="What a coding agent sends: session_id, cwd, source, tool_name and so on.",
        examples=[{"session_id": "2026-05-04-a", "cwd": "/home/ada/apollo"}],
    )
    workspace: str | None = Field(
        default=None, description="Where; else that of the session, else default."
    )
