"""A tool asks for what the route does that does the same."""

from __future__ import annotations

import pytest
from fastapi.routing import APIRoute

from engram_lab.serve.mcp.tools import TOOLS
from engram_lab.serve.routes.dreams import router as dreams
from engram_lab.serve.routes.guarded import needs_of
from engram_lab.serve.routes.memories import router as memories
from engram_lab.serve.routes.search import router as search

ASKED = {
    each.endpoint.__name__: needs_of(each)
    for router in (dreams, memories, search)
    for each in router.routes
    if isinstance(each, APIRoute)
}


@pytest.mark.parametrize(
    ("tool", "handler"),
    [
        ("memory_create", "create"),
        ("memory_get", "get"),
        ("memory_list", "list_"),
        ("memory_update", "update"),
        ("memory_delete", "delete"),
        ("memory_restore", "restore"),
        ("memory_search", "search"),
        ("memory_dream", "dream"),
        ("memory_undo", "undo"),
    ],
)
def test_a_tool_asks_for_no_less_than_its_route(tool: str, handler: str) -> None:
    assert TOOLS[tool].needs.scope == ASKED[handler]
