"""What can be read by an address: a memory, the latest, statistics, what serves them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from mcp import types

from engram_lab.core.errors import shown
from engram_lab.serve.errors import AbsentError
from engram_lab.serve.mcp.records import memory_record
from engram_lab.serve.mcp.upkeep_tools import stats_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from engram_lab.engine import Engine

__all__ = ["RESOURCES", "TEMPLATES", "KnownResource", "read"]

_JSON: Final = "application/json"
_MEMORY: Final = "memory://"
_RECENT: Final = 20


@dataclass(frozen=True, kw_only=True)
class KnownResource:
    """Something with a fixed address."""

    uri: str
    name: str
    title: str
    description: str
    read: Callable[[Engine], Any]

    @cached_property
    def listed(self) -> types.Resource:
        """As `resources/list` shows it."""
        return types.Resource(
            uri=self.uri,
            name=self.name,
            title=self.title,
            description=self.description,
            mime_type=_JSON,
        )


def _recent(engine: Engine) -> Any:
    page = engine.select(order="created_at", descending=True, limit=_RECENT)
    return {"memories": [memory_record(each) for each in page]}


def _configuration(engine: Engine) -> Any:
    config = engine.config
    return {
        "config_hash": config.content_hash,
        "embedder": config.embedding.model,
        "profile": config.retrieval.profile,
        "strategy": config.retrieval.strategy,
        "k": config.retrieval.k,
    }


_CONFIGURATION: Final = "engine://configuration"

RESOURCES: Final[Mapping[str, KnownResource]] = MappingProxyType(
    {
        each.uri: each
        for each in (
            KnownResource(
                uri="memories://recent",
                name="recent-memories",
                title="Recent memories",
                description=f"The latest {_RECENT} memories, the newest first.",
                read=_recent,
            ),
            KnownResource(
                uri="stats://memories",
                name="statistics",
                title="Statistics",
                description="How many memories there are, by what, and the latest dreams.",
                read=stats_of,
            ),
            KnownResource(
                uri=_CONFIGURATION,
                name="engine",
                title="Engine",
                description="Which configuration answers: its hash, profile and bundle.",
                read=_configuration,
            ),
        )
    }
)
"""What has a fixed address."""

TEMPLATES: Final = (
    types.ResourceTemplate(
        uri_template="memory://{id}",
        name="memory",
        title="A memory",
        description="One memory by its id.",
        mime_type=_JSON,
    ),
)
"""Addresses that name one of many."""


def read(engine: Engine, uri: str, about: Mapping[str, Any]) -> Any:
    """Return what lies at an address.

    Raises:
        AbsentError: There is no such address.
        NotFoundError: There is no such memory that may be seen.
    """
    if uri in RESOURCES:
        record = RESOURCES[uri].read(engine)
        return {**record, **about} if uri == _CONFIGURATION else record
    if uri.startswith(_MEMORY) and (id_ := unquote(uri.removeprefix(_MEMORY))):
        return memory_record(engine.get(id_))
    raise AbsentError(
        f"{shown(uri, limit=80)} is no address here: allowed are {', '.join(RESOURCES)} "
        "and memory://{id}"
    )
