"""The shapes of bodies and answers that several resources share; OpenAPI is made of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from engram_lab.core.types import Lifecycle, Tier

__all__ = [
    "REFUSALS",
    "Body",
    "ChosenBody",
    "Envelope",
    "Label",
    "LinkOut",
    "MemoryFieldsBody",
    "MemoryOut",
    "Meta",
    "PageMeta",
    "Refusal",
    "Text",
    "Unit",
]

T = TypeVar("T")
Text = Annotated[str, Field(min_length=1, max_length=1_000_000)]
Label = Annotated[str, Field(min_length=1, max_length=512)]
Unit = Annotated[float, Field(ge=0, le=1)]


class Body(BaseModel):
    """What a client sends: a name that is not known here is an error, never passed over."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class Meta(BaseModel):
    """What goes with every answer."""

    request_id: str


class PageMeta(Meta):
    """What goes with a page."""

    next_cursor: str | None = None


class Envelope(BaseModel, Generic[T]):
    """A success."""

    data: T
    meta: Meta


class _Told(BaseModel):
    code: str = Field(examples=["INVALID_REQUEST"])
    message: str
    details: dict[str, JsonValue] | None = None


class Refusal(BaseModel):
    """Anything else."""

    data: None = None
    meta: Meta
    error: _Told


_SAID: Final = {
    400: "something in the request is wrong",
    401: "no credential, or none that is believed",
    402: "the plan allows no more",
    403: "not allowed",
    404: "there is nothing here that you may see",
    406: "nothing is sent in a form that Accept allows",
    409: "what is stored contradicts the request",
    412: "somebody changed it since",
    413: "the body is too large",
    415: "of a kind that is not read here",
    422: "the idempotency key came with another request before",
    429: "too fast: Retry-After says when again",
    500: "something went wrong here",
    503: "not now: try again",
    504: "it took longer than is allowed",
    507: "there is no room left to write",
}
REFUSALS: Final[dict[int | str, dict[str, Any]]] = {
    status: {"model": Refusal, "description": said} for status, said in _SAID.items()
}


class MemoryFieldsBody(Body):
    """What may be said of a memory beside its content."""

    type: Label | None = None
    tags: list[Label] | None = Field(None, max_length=256, examples=[["taste"]])
    metadata: dict[str, JsonValue] | None = None
    importance: Unit | None = None
    scope: Label | None = Field(None, examples=["global/project:atlas"])
    tier: Tier | None = None
    event_at: datetime | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    expires_at: datetime | None = None
    lifecycle: Lifecycle | None = None
    pinned: bool | None = None
    media_url: Label | None = None
    session_id: Label | None = None
    agent_id: Label | None = None
    source: Label | None = None

    def given(self) -> dict[str, Any]:
        """Return the fields that the client sent."""
        return self.model_dump(exclude_unset=True)


class ChosenBody(Body):
    """Which memories something is about."""

    workspace: Label | None = None
    scope: Label | None = None
    filter: dict[str, JsonValue] | None = Field(
        None, examples=[{"tags": {"contains": "taste"}}, {"importance": {"gte": 0.5}}]
    )
    as_of: datetime | None = None
    """What the store held then."""
    valid_at: datetime | None = None
    """What held in the world then."""
    archived: bool = False
    """Also those that were archived."""

    def chosen(self) -> dict[str, Any]:
        """Return these as the keyword arguments of an engine."""
        names = ("workspace", "scope", "filter", "as_of", "valid_at", "archived")
        return {name: value for name in names if (value := getattr(self, name)) is not None}


class MemoryOut(BaseModel):
    """A memory."""

    model_config = ConfigDict(title="Memory")

    id: str
    content: str
    type: str
    tags: list[str]
    metadata: dict[str, JsonValue]
    importance: float
    workspace: str
    scope: str
    tier: Tier
    event_at: datetime | None
    valid_from: datetime | None
    valid_to: datetime | None
    created_at: datetime
    updated_at: datetime
    last_accessed_at: datetime | None
    access_count: int
    expires_at: datetime | None
    lifecycle: Lifecycle
    pinned: bool
    version: int
    content_hash: str
    media_url: str | None
    session_id: str | None
    agent_id: str | None
    source: str | None
    snapshot_origin: str | None
    snapshot_loaded_at: datetime | None
    forgotten_at: datetime | None


class LinkOut(BaseModel):
    """A link from one memory to another."""

    model_config = ConfigDict(title="Link")

    id: str
    from_id: str
    to_id: str
    type: str
    weight: float
    confidence: float
    source: str
    context: str | None
    valid_from: datetime | None
    valid_to: datetime | None
    pinned: bool
    created_at: datetime
    updated_at: datetime
