"""All tools, by name."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from engram_lab.serve.mcp.memory_tools import MEMORY_TOOLS
from engram_lab.serve.mcp.search_tools import SEARCH_TOOLS
from engram_lab.serve.mcp.upkeep_tools import UPKEEP_TOOLS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engram_lab.serve.mcp.tool import MemoryTool

__all__ = ["TOOLS"]

TOOLS: Final[Mapping[str, MemoryTool]] = MappingProxyType(
    {each.name: each for each in (*MEMORY_TOOLS, *SEARCH_TOOLS, *UPKEEP_TOOLS)}
)
"""Every tool by its name, in the order in which they are listed."""
