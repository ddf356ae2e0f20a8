"""JSON schemas in few words: a model reads them all before it calls anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

if TYPE_CHECKING:
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import core_schema

    from engram_lab.serve.mcp.fields import Arguments

__all__ = ["answer_schema", "arguments_schema"]


class _Untitled(GenerateJsonSchema):
    """Leaves out titles, which say a name again."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        return False


class _Arguments(_Untitled):
    """Also leaves out that what is left out is null: some clients fill in what is named there."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        if schema.get("default", ...) is None:
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)


class _WithoutNull(_Arguments):
    """Also leaves out that null may be given."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])


def arguments_schema(arguments: type[Arguments]) -> dict[str, Any]:
    """Return the schema of what a tool takes."""
    kind = _Arguments if arguments.clears else _WithoutNull
    return _bare(arguments.model_json_schema(schema_generator=kind))


def answer_schema(answer: Any) -> dict[str, Any]:
    """Return the schema of what a tool answers."""
    adapter: TypeAdapter[Any] = TypeAdapter(answer)
    return _bare(adapter.json_schema(mode="serialization", schema_generator=_Untitled))


def _bare(schema: dict[str, Any]) -> dict[str, Any]:
    """Take off what the tool says in its own words."""
    return {name: part for name, part in schema.items() if name not in {"title", "description"}}
