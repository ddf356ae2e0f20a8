"""The nouns of memory, as frozen records."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from engram_lab.core.brief import brief, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from engram_lab.core.scopes import Permission

__all__ = [
    "DEDUP_MODES",
    "LIFECYCLES",
    "LINK_TYPES",
    "MEMORY_TYPES",
    "TIERS",
    "Dedup",
    "Direction",
    "Entity",
    "Grant",
    "Identity",
    "Lifecycle",
    "Link",
    "LogEntry",
    "Memory",
    "Mention",
    "Principal",
    "RecallEvent",
    "RecalledMemory",
    "Session",
    "Tier",
    "Turn",
    "Vector",
    "Version",
    "Workspace",
]

Tier = Literal["permanent", "daily"]
Lifecycle = Literal["active", "stale", "archived"]
Dedup = Literal["allow", "reject", "skip", "merge"]
Direction = Literal["out", "in", "both"]

TIERS: Final[tuple[Tier, ...]] = get_args(Tier)
LIFECYCLES: Final[tuple[Lifecycle, ...]] = get_args(Lifecycle)
DEDUP_MODES: Final[tuple[Dedup, ...]] = get_args(Dedup)

MEMORY_TYPES: Final = (
    "note", "fact", "decision", "preference", "todo", "issue", "context", "lesson", "learning",
    "episodic", "semantic", "procedural", "summary", "checkpoint", "transcript_chunk", "custom",
    "image", "audio", "video",
)  # fmt: skip
"""The documented types. `type` is open text: others are welcome."""

LINK_TYPES: Final = (
    "related_to", "supersedes", "contradicts", "implements", "extends", "references", "depends_on",
    "blocks", "follows_up", "derived_from",
)  # fmt: skip
"""The documented link types. Open text, as with memories."""


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Memory:
    """One memory, as it stood at one version.

    Times are aware and in UTC. `event_at` is when what it tells of happened, `valid_from` and
    `valid_to` bound when it holds in the world; `created_at`, `updated_at` and `forgotten_at` are
    record time: when this store learned of it.
    """

    id: str
    content: str
    type: str = "note"
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict, hash=False)
    importance: float = 0.5
    workspace: str = "default"
    scope: str = "global"
    tier: Tier = "permanent"
    event_at: datetime | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    created_at: datetime
    updated_at: datetime
    last_accessed_at: datetime | None = None
    access_count: int = 0
    expires_at: datetime | None = None
    lifecycle: Lifecycle = "active"
    pinned: bool = False
    version: int = 1
    content_hash: str
    media_url: str | None = None
    session_id: str | None = None
    agent_id: str | None = None
    source: str | None = None
    snapshot_origin: str | None = None
    snapshot_loaded_at: datetime | None = None
    forgotten_at: datetime | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the fields by name; tags as a list, metadata as a dict."""
        record: dict[str, Any] = {name: getattr(self, name) for name in _MEMORY_FIELDS}
        record["tags"] = list(self.tags)
        record["metadata"] = dict(self.metadata)
        return record

    def __repr__(self) -> str:
        return brief(
            self, repr(self.id), quoted(self.content, most=35), f"type={quoted(self.type, most=20)}"
        )

    def _repr_html_(self) -> str:
        from engram_lab.core.showing import page_of

        return page_of(self)


_MEMORY_FIELDS: Final = tuple(each.name for each in fields(Memory))


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """One change of a memory: its state from then on, who made it and why.

    `superseded_at` is when the next version took its place; `None` marks the present one.
    """

    memory: Memory
    action: str
    author: str
    reason: str | None
    recorded_at: datetime
    superseded_at: datetime | None

    @property
    def number(self) -> int:
        """The version number, from 1."""
        return self.memory.version


@dataclass(frozen=True, kw_only=True, slots=True)
class LogEntry:
    """One line of the change log: what changed, under a number without gaps.

    `target` is `memory`, `vector` or `link`; `id` names it (for a vector, its memory).
    """

    number: int
    at: datetime
    action: str
    target: str
    id: str
    version: int | None
    author: str
    reason: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """A typed, weighted edge from one memory to another, with provenance and validity time."""

    id: str
    from_id: str
    to_id: str
    type: str = "related_to"
    weight: float = 1.0
    confidence: float = 1.0
    source: str = "manual"
    context: str | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    pinned: bool = False
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class RecalledMemory:
    """One answer within a recall event."""

    memory_id: str
    rank: int
    score: float


@dataclass(frozen=True, kw_only=True, slots=True)
class RecallEvent:
    """What was asked and what came back, together."""

    id: str
    at: datetime
    query: str
    hits: tuple[RecalledMemory, ...]
    workspace: str | None = None
    agent_id: str | None = None
    session_id: str | None = None
    strategy: str | None = None
    config_hash: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Vector:
    """The embedding of one memory by one embedder: `values` is float32 [dim]."""

    memory_id: str
    embedder: str
    values: Any
    created_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Entity:
    """A thing that memories mention: a person, a project, a place."""

    id: str
    name: str
    kind: str = "other"
    workspace: str = "default"
    identity_id: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict, hash=False)
    created_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Mention:
    """A memory mentions an entity."""

    memory_id: str
    entity_id: str
    confidence: float = 1.0
    source: str = "manual"


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """Who is meant: one canonical name and the aliases under which texts speak of it."""

    id: str
    name: str
    kind: str = "person"
    description: str | None = None
    aliases: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict, hash=False)
    created_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """A conversation or a working session, whose turns are memories."""

    id: str
    workspace: str = "default"
    scope: str = "global"
    agent_id: str | None = None
    title: str | None = None
    started_at: datetime
    ended_at: datetime | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """One turn of a session: who spoke, where in the order, and the memory that holds the words."""

    session_id: str
    position: int
    speaker: str
    memory_id: str
    spoken_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Grant:
    """Leave for an agent to reach a scope and all below it."""

    agent_id: str
    scope: str
    permission: Permission
    granted_by: str
    granted_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Workspace:
    """A named part of the store, with the scope its memories inherit and its policies.

    `max_age_days` and `max_memories` are carried out by a clean-up, which forgets (softly) what is
    beyond them, never pinned memories.
    """

    name: str
    scope: str = "global"
    description: str | None = None
    max_age_days: float | None = None
    max_memories: int | None = None
    created_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Principal:
    """Who reads and writes: an agent and its own scope."""

    agent_id: str
    scope: str
