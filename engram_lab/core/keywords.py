"""The keyword arguments that several verbs share, named once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from engram_lab.core.filters import Filter
    from engram_lab.core.types import Lifecycle, Tier

__all__ = ["Chosen", "MemoryFields"]


class MemoryFields(TypedDict, total=False):
    """What may be said of a memory beside its content; see `Memory`."""

    id: str
    type: str
    tags: Sequence[str] | None
    metadata: Mapping[str, Any] | None
    importance: float
    workspace: str
    scope: str
    tier: Tier
    event_at: datetime | str | None
    valid_from: datetime | str | None
    valid_to: datetime | str | None
    expires_at: datetime | str | None
    lifecycle: Lifecycle
    pinned: bool
    media_url: str | None
    session_id: str | None
    agent_id: str | None
    source: str | None
    snapshot_origin: str | None
    snapshot_loaded_at: datetime | str | None


class Chosen(TypedDict, total=False):
    """Which memories a read is about; see `Selection`."""

    filter: Mapping[str, Any] | Filter | None
    workspace: str | None
    scope: str | None
    as_of: datetime | str | None
    valid_at: datetime | str | None
    archived: bool
    forgotten: bool
    private: bool
