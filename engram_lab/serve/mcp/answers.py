"""What the tools answer, each with its schema."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NotRequired

from typing_extensions import TypedDict

from engram_lab.serve.mcp.records import DreamRecord, LinkRecord, MemoryRecord, VersionRecord

__all__ = [
    "BatchAnswer",
    "ContextAnswer",
    "CreateAnswer",
    "DeleteAnswer",
    "DreamAnswer",
    "DreamChange",
    "FeedbackAnswer",
    "HistoryAnswer",
    "HitRecord",
    "HookAnswer",
    "LinkAnswer",
    "ListAnswer",
    "MemoryAnswer",
    "NeighbourRecord",
    "Outcome",
    "PathAnswer",
    "PathRecord",
    "RelatedAnswer",
    "SearchAnswer",
    "StatsAnswer",
    "UndoAnswer",
    "VotesRecord",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What a tool did.

    Attributes:
        record: Its answer, plain JSON as its schema says.
        text: The answer as text for a model, where that is more than the record as JSON.
        used: Usage beside the call itself, such as `searches`.
        target: What it was done to, for the audit.
        workspace: Where, for the account; None for all or the default one.
    """

    record: Any
    text: str | None = None
    used: Mapping[str, int] = field(default_factory=dict)
    target: str | None = None
    workspace: str | None = None


class CreateAnswer(TypedDict):
    """`created` is false where the same content was known, and that memory is told of."""

    memory: MemoryRecord
    created: bool


class RefusedDraft(TypedDict):
    """A memory of a batch that was not taken; `row` counts from 0."""

    row: int
    reason: str


class BatchAnswer(TypedDict):
    """Ids of what was made, in order, and of known memories that were met instead."""

    ids: list[str]
    skipped: list[str]
    merged: list[str]
    refused: list[RefusedDraft]


class MemoryAnswer(TypedDict):
    """One memory."""

    memory: MemoryRecord


class DeleteAnswer(TypedDict):
    """A memory that is deleted, and can be brought back."""

    id: str
    deleted: bool


class HistoryAnswer(TypedDict):
    """The versions of a memory, oldest first; `total` counts also those left out."""

    versions: list[VersionRecord]
    total: int


class ListAnswer(TypedDict):
    """One page; without `next_cursor` it is the last."""

    memories: list[MemoryRecord]
    next_cursor: NotRequired[str]


class HitRecord(TypedDict):
    """One hit: the memory or, where it was asked for in short, its id and first line."""

    rank: int
    score: float
    id: str
    memory: NotRequired[MemoryRecord]
    title: NotRequired[str]
    tags: NotRequired[list[str]]
    created_at: NotRequired[str]
    why: NotRequired[str]


class SearchAnswer(TypedDict):
    """The hits, best first, and how they were found."""

    query: str
    strategy: str
    reason: str
    hits: list[HitRecord]
    left_out: int
    suggestions: list[str]


class ContextAnswer(TypedDict):
    """A block of text for a prompt, and of what it is made."""

    text: str
    tokens: int
    ids: list[str]
    left_out: int


class LinkAnswer(TypedDict):
    """One link."""

    link: LinkRecord


class NeighbourRecord(TypedDict):
    """A memory that links lead to: over how many, the last of them, and how heavy the way is."""

    memory: MemoryRecord
    link: LinkRecord
    depth: int
    weight: float


class RelatedAnswer(TypedDict):
    """The nearest first, then the heaviest."""

    related: list[NeighbourRecord]


class PathRecord(TypedDict):
    """One way: its memories in order, and the links between them."""

    memories: list[MemoryRecord]
    links: list[LinkRecord]
    weight: float


class PathAnswer(TypedDict):
    """The heaviest first."""

    paths: list[PathRecord]


class StatsAnswer(TypedDict):
    """How many there are, by what, and the latest dreams."""

    memories: int
    archived: int
    by_type: dict[str, int]
    by_tier: dict[str, int]
    by_workspace: dict[str, int]
    by_tag: dict[str, int]
    dreams: list[DreamRecord]


class DreamChange(TypedDict):
    """One change of a dream, and why."""

    step: str
    action: str
    id: str
    reason: str


class DreamAnswer(TypedDict):
    """What a dream did, or would do."""

    run_id: str
    workspace: str
    status: str
    dry_run: bool
    started_at: str
    ended_at: str
    changes: int
    steps: list[dict[str, Any]]
    memories: dict[str, int]
    tokens: dict[str, int]
    stopped: str | None
    first_changes: list[DreamChange]


class UndoAnswer(TypedDict):
    """What an undo put back; `kept` was changed again since, and left as it is."""

    run_id: str
    memories: int
    links: int
    kept: list[str]


class VotesRecord(TypedDict):
    """The votes of a memory, with those of now."""

    id: str
    useful: int
    irrelevant: int


class FeedbackAnswer(TypedDict):
    """Each memory that was voted on."""

    votes: list[VotesRecord]


class HookAnswer(TypedDict):
    """What is put before the agent, and what came of it."""

    event: str
    workspace: str
    text: str
    shown: list[str]
    remembered: list[str]
    session_id: NotRequired[str]
