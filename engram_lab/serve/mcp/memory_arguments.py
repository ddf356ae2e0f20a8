"""What the tools for single memories take, as models that also are their JSON schemas."""

from typing import Any, Literal

from pydantic import Field

from engram_lab.core.types import Dedup, Lifecycle, Tier
from engram_lab.serve.mcp.fields import (
    AN_ID,
    Arguments,
    Id,
    Importance,
    InScope,
    InWorkspace,
    Moment,
    Reason,
    Tags,
    Type,
    Where,
)

__all__ = [
    "CreateArguments",
    "CreateBatchArguments",
    "DeleteArguments",
    "Draft",
    "GetArguments",
    "HistoryArguments",
    "ListArguments",
    "RestoreArguments",
    "UpdateArguments",
]


class Draft(Arguments):
    """What is said of a memory that is made."""

    content: str = Field(
        min_length=1,
        description="The text. What stands in <private>…</private> is kept and never shown.",
        examples=["Ada prefers tea to coffee."],
    )
    type: Type = "note"
    tags: Tags = Field(default_factory=list)
    metadata: dict[str, Any] = Field(default_factory=dict, description="Anything else, as JSON.")
    importance: Importance = 0.5
    workspace: str = Field(default="default", description="Where it belongs.")
    scope: str | None = Field(
        default=None,
        description="Whose it is: `global` or a path below; else that of the workspace.",
        examples=["global/org:acme/project:apollo"],
    )
    tier: Tier | None = Field(
        default=None, description="`permanent`, or `daily` for what goes after a day."
    )
    event_at: Moment | None = Field(default=None, description="When what it tells of happened.")
    valid_from: Moment | None = Field(default=None, description="From when on it holds.")
    valid_to: Moment | None = Field(default=None, description="Until when it holds.")
    expires_at: Moment | None = Field(default=None, description="When it goes for good.")
    pinned: bool = Field(default=False, description="Protect it from clean-ups and dreams.")
    media_url: str | None = Field(default=None, description="Where its image or sound lies.")
    session_id: str | None = Field(default=None, description="The session that it came from.")
    agent_id: str | None = Field(default=None, description="The agent that it came from.")
    source: str | None = Field(default=None, description="Where it was learned.")

    def fields(self) -> dict[str, Any]:
        """Return what was told of the memory."""
        return self.told(*Draft.model_fields)


class CreateArguments(Draft):
    """Of `memory_create`."""

    dedup: Dedup | None = Field(
        default=None,
        description=(
            "Where the same content is known: allow another, reject this one, skip it, or merge "
            "both; else as the server is set."
        ),
    )
    reason: Reason = None


class CreateBatchArguments(Arguments):
    """Of `memory_create_batch`."""

    memories: list[Draft] = Field(
        min_length=1,
        max_length=500,
        description="The memories, at most 500.",
        examples=[[{"content": "The build takes 4 minutes."}, {"content": "CI runs at night."}]],
    )
    dedup: Dedup | None = Field(default=None, description="See memory_create.")
    keep_going: bool = Field(
        default=False,
        description="Store the others where some are refused; else it is all of them or none.",
    )
    reason: Reason = None


class GetArguments(Arguments):
    """Of `memory_get`."""

    id: Id = Field(examples=[AN_ID])
    as_of: Moment | None = Field(default=None, description="As it was stored at that moment.")


class UpdateArguments(Arguments):
    """Of `memory_update`."""

    clears = True

    id: Id = Field(examples=[AN_ID])
    content: str | None = Field(default=None, min_length=1, description="The new text.")
    type: Type | None = None
    tags: Tags | None = Field(default=None, description="All its tags anew.")
    metadata: dict[str, Any] | None = Field(default=None, description="All its metadata anew.")
    importance: Importance | None = None
    workspace: str | None = Field(default=None, description="Where it belongs from now on.")
    scope: str | None = Field(default=None, description="Whose it is from now on.")
    tier: Tier | None = None
    lifecycle: Lifecycle | None = Field(default=None, description="active, stale or archived.")
    pinned: bool | None = Field(default=None, description="Protect it.")
    event_at: Moment | None = Field(default=None, description="When it happened; null clears it.")
    valid_from: Moment | None = Field(default=None, description="Null clears it.")
    valid_to: Moment | None = Field(default=None, description="Null clears it.")
    expires_at: Moment | None = Field(default=None, description="Null clears it.")
    media_url: str | None = Field(default=None, description="Null clears it.")
    source: str | None = Field(default=None, description="Null clears it.")
    version: int | None = Field(
        default=None, ge=1, description="Refuse if it is no longer at this version."
    )
    reason: Reason = None

    def changes(self) -> dict[str, Any]:
        """Return what is to be changed; None clears a field."""
        own = {"id", "version", "reason"}
        return self.told(*(name for name in type(self).model_fields if name not in own))


class DeleteArguments(Arguments):
    """Of `memory_delete`."""

    id: Id = Field(examples=[AN_ID])
    reason: Reason = None


class RestoreArguments(Arguments):
    """Of `memory_restore`."""

    id: Id = Field(examples=[AN_ID])
    version: int | None = Field(default=None, ge=1, description="Back to this version's state.")
    reason: Reason = None


class HistoryArguments(Arguments):
    """Of `memory_history`."""

    id: Id = Field(examples=[AN_ID])
    limit: int = Field(default=50, ge=1, le=1_000, description="The latest so many versions.")


class ListArguments(Arguments):
    """Of `memory_list`."""

    filter: Where = None
    workspace: InWorkspace = None
    scope: InScope = None
    order: Literal["id", "created_at", "updated_at", "event_at", "importance"] = "created_at"
    descending: bool = Field(default=True, description="The last first.")
    limit: int = Field(default=20, ge=1, le=200, description="How many a page.")
    cursor: str | None = Field(
        default=None, max_length=4_096, description="`next_cursor` of the page before this one."
    )
    as_of: Moment | None = Field(default=None, description="As they were stored at that moment.")
    archived: bool = Field(default=False, description="Also archived ones.")
    forgotten: bool = Field(default=False, description="Also deleted ones.")
