"""What a tool is: its schemas, what it may do, and a function over an engine."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from mcp import types

from engram_lab.serve.call import Needs
from engram_lab.serve.mcp.schemas import answer_schema, arguments_schema

if TYPE_CHECKING:
    from collections.abc import Callable

    from engram_lab.engine import Engine
    from engram_lab.serve.control.records import Scope
    from engram_lab.serve.mcp.answers import Outcome
    from engram_lab.serve.mcp.fields import Arguments

__all__ = ["Effect", "MemoryTool"]

Effect = Literal["reads", "adds", "changes", "removes"]
"""What it does to what is stored: nothing, add to it, change it, or take something out of sight."""


@dataclass(frozen=True, kw_only=True)
class MemoryTool:
    """A tool over an engine, the same over HTTP and stdio.

    Attributes:
        name: By which it is called.
        title: For people.
        description: For models: what it does, when to use it, what it answers.
        arguments: What it takes.
        answer: What it answers, as a typed dict.
        work: Does it, in a worker thread: given the engine, the arguments and who asks.
        effect: What it does to what is stored.
        again: Whether a second call like the first changes nothing more.
        scope: What a caller must be allowed to.
        meter: Which sum of a plan it adds to.
        adds_memories: Whether it asks for room for more.
        audited: The kind of its entry in the audit, one of `observing.kinds`.
        long: Whether it may take longer than requests are allowed to.
    """

    name: str
    title: str
    description: str
    arguments: type[Arguments]
    answer: Any
    work: Callable[[Engine, Any, str], Outcome]
    effect: Effect = "reads"
    again: bool = False
    scope: Scope = "memories:read"
    meter: Literal["searches"] | None = None
    adds_memories: bool = False
    audited: str | None = None
    long: bool = False

    @cached_property
    def needs(self) -> Needs:
        """What it asks of whoever calls it over HTTP."""
        return Needs(
            route=f"MCP {self.name}",
            scope=self.scope,
            meter=self.meter,
            adds_memories=self.adds_memories,
            grows=self.effect in {"adds", "changes"},
            audited=self.audited,
        )

    @cached_property
    def input_schema(self) -> dict[str, Any]:
        """The JSON schema of what it takes."""
        return arguments_schema(self.arguments)

    @cached_property
    def output_schema(self) -> dict[str, Any]:
        """The JSON schema of what it answers."""
        return answer_schema(self.answer)

    @cached_property
    def listed(self) -> types.Tool:
        """The tool as `tools/list` shows it."""
        return types.Tool(
            name=self.name,
            title=self.title,
            description=self.description,
            input_schema=self.input_schema,
            output_schema=self.output_schema,
            annotations=types.ToolAnnotations(
                title=self.title,
                read_only_hint=self.effect == "reads",
                destructive_hint=self.effect == "removes",
                idempotent_hint=self.again or self.effect == "reads",
                open_world_hint=False,
            ),
        )
