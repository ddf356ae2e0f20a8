"""Memories, links, versions and dreams as records of JSON, and the schemas of these."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NotRequired, cast

from pydantic import ConfigDict
from typing_extensions import TypedDict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engram_lab.core.dreams import DreamRun
    from engram_lab.core.types import Link, Memory, Version

__all__ = [
    "DreamRecord",
    "LinkRecord",
    "MemoryRecord",
    "VersionRecord",
    "dream_record",
    "link_record",
    "memory_record",
    "said",
    "version_record",
]

_STRICT = ConfigDict(extra="forbid")


class MemoryRecord(TypedDict):
    """A memory; fields of which nothing is known are left out."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]  # as pydantic wants it

    id: str
    content: str
    type: str
    tags: list[str]
    metadata: dict[str, Any]
    importance: float
    workspace: str
    scope: str
    tier: str
    lifecycle: str
    pinned: bool
    version: int
    content_hash: str
    access_count: int
    created_at: str
    updated_at: str
    event_at: NotRequired[str]
    valid_from: NotRequired[str]
    valid_to: NotRequired[str]
    last_accessed_at: NotRequired[str]
    expires_at: NotRequired[str]
    forgotten_at: NotRequired[str]
    media_url: NotRequired[str]
    session_id: NotRequired[str]
    agent_id: NotRequired[str]
    source: NotRequired[str]
    snapshot_origin: NotRequired[str]
    snapshot_loaded_at: NotRequired[str]


class LinkRecord(TypedDict):
    """A link."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]

    id: str
    from_id: str
    to_id: str
    type: str
    weight: float
    confidence: float
    source: str
    pinned: bool
    created_at: str
    updated_at: str
    context: NotRequired[str]
    valid_from: NotRequired[str]
    valid_to: NotRequired[str]


class VersionRecord(TypedDict):
    """One change of a memory: its state from then on, who made it and why."""

    version: int
    action: str
    author: str
    recorded_at: str
    memory: MemoryRecord
    reason: NotRequired[str]
    superseded_at: NotRequired[str]


class DreamRecord(TypedDict):
    """A dream that was carried out."""

    run_id: str
    workspace: str
    status: str
    author: str
    started_at: str
    ended_at: str
    memories_before: int
    memories_after: int


def said(moment: datetime) -> str:
    """Return a moment in ISO 8601, in UTC."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _plain(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is known of a record, moments as text."""
    return {
        name: said(value) if isinstance(value, datetime) else value
        for name, value in record.items()
        if value is not None
    }


def memory_record(memory: Memory) -> MemoryRecord:
    """Return a memory as the tools answer it."""
    return cast("MemoryRecord", _plain(memory.to_dict()))


def link_record(link: Link) -> LinkRecord:
    """Return a link as the tools answer it."""
    fields = {name: getattr(link, name) for name in link.__dataclass_fields__}
    return cast("LinkRecord", _plain(fields))


def version_record(version: Version) -> VersionRecord:
    """Return one version of a memory."""
    fields = {
        "version": version.number,
        "action": version.action,
        "author": version.author,
        "recorded_at": version.recorded_at,
        "memory": memory_record(version.memory),
        "reason": version.reason,
        "superseded_at": version.superseded_at,
    }
    return cast("VersionRecord", _plain(fields))


def dream_record(run: DreamRun) -> DreamRecord:
    """Return a dream in short."""
    return {
        "run_id": run.id,
        "workspace": run.workspace,
        "status": run.status,
        "author": run.author,
        "started_at": said(run.started_at),
        "ended_at": said(run.ended_at),
        "memories_before": run.memories_before,
        "memories_after": run.memories_after,
    }
