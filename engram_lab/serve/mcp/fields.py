"""What the arguments of several tools share."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "ANOTHER",
    "AN_ID",
    "Arguments",
    "Id",
    "Importance",
    "InScope",
    "InWorkspace",
    "LeastWeight",
    "LinkTypes",
    "Moment",
    "Reason",
    "Tags",
    "Type",
    "Where",
]

AN_ID = "019aa4c2-7f00-7000-8000-000000000001"
ANOTHER = "019aa4c2-7f00-7000-8000-000000000002"

Id = Annotated[str, Field(min_length=1, max_length=256, description="The id of a memory.")]
Moment = Annotated[
    str,
    Field(
        max_length=64,
        description="A moment or a day in ISO 8601; without an offset it is UTC.",
        examples=["2026-05-04", "2026-05-04T09:30:00Z"],
    ),
]
InWorkspace = Annotated[
    str | None, Field(description="Of this workspace alone; else of all of them.")
]
InScope = Annotated[
    str | None,
    Field(
        description="Of this scope and all below it; else of all.",
        examples=["global/org:acme"],
    ),
]
Where = Annotated[
    dict[str, Any] | None,
    Field(
        description=(
            "Conditions on fields: a value, or an object of eq, ne, gt, gte, lt, lte, in, "
            "contains, not_contains or exists; all must hold. Fields of metadata are "
            "`metadata.name`. Conditions are joined by `or`, and turned round by `not`."
        ),
        examples=[{"type": "decision"}, {"tags": {"contains": "taste"}}],
    ),
]
Importance = Annotated[float, Field(ge=0, le=1, description="How much it matters, from 0 to 1.")]
Tags = Annotated[list[str], Field(description="Words that it is found by.", examples=[["taste"]])]
Type = Annotated[
    str,
    Field(
        max_length=64,
        description="What kind: note, fact, decision, preference, todo, lesson, or your own.",
    ),
]
Reason = Annotated[
    str | None, Field(max_length=1_000, description="Why, to be kept in its history.")
]
LinkTypes = Annotated[
    list[str] | None, Field(description="Only over links of these types.", examples=[["extends"]])
]
LeastWeight = Annotated[
    float, Field(ge=0, le=1, description="Only over links of this weight and more.")
]


class Arguments(BaseModel):
    """What a tool is called with: exactly what its schema names.

    Attributes:
        clears: Whether null says something else than to leave a field out.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    clears: ClassVar[bool] = False

    def told(self, *names: str) -> dict[str, Any]:
        """Return those of some fields that were told, by name."""
        return {name: getattr(self, name) for name in names if name in self.model_fields_set}
