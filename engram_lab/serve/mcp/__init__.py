"""The Model Context Protocol, over HTTP and stdio.

`server.build_mcp` makes the server over an engine; `http.McpEndpoint` carries it over HTTP for many
tenants, `stdio.serve_stdio` over standard input and output for one engine.
"""
