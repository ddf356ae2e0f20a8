"""The Model Context Protocol, over HTTP and stdio.

`build_mcp` makes the server over an engine, `McpEndpoint` carries it over HTTP for many tenants,
`serve_stdio` over standard input and output for one engine.
"""

from engram_lab.serve.mcp.hosts import HostRules
from engram_lab.serve.mcp.http import MOST_IN_A_BATCH, Gate, McpEndpoint
from engram_lab.serve.mcp.server import Use, build_mcp
from engram_lab.serve.mcp.stdio import serve_stdio

__all__ = [
    "MOST_IN_A_BATCH",
    "Gate",
    "HostRules",
    "McpEndpoint",
    "Use",
    "build_mcp",
    "serve_stdio",
]
