"""What documents say of the server: its routes, refusals, plans and tools, and its load."""

from __future__ import annotations

from typing import Final

from committed import figure, run, table
from fastapi.routing import APIRoute

from engram_lab.serve import errors
from engram_lab.serve.app import ROUTERS
from engram_lab.serve.limits import PLANS
from engram_lab.serve.mcp.tools import TOOLS
from engram_lab.serve.routes.guarded import needs_of

__all__ = ["load_table", "plans_table", "refusals_table", "routes_table", "tools_list"]

PLAN_ROWS: Final = {
    "memories": "memories",
    "searches": "searches a month",
    "api_calls": "calls a month",
    "storage_bytes": "MB of storage",
    "members": "members",
    "workspaces": "workspaces (ours)",
    "per_minute": "calls a minute to a route (ours)",
    "burst": "of these at once (ours)",
}


def routes_table() -> str:
    """Return every route, what it does and what it asks of a caller."""
    lines = ["| route | what | scope |", "|---|---|---|"]
    routes = [each for part in ROUTERS for each in part.router.routes]
    for each in routes:
        if isinstance(each, APIRoute):
            methods = "/".join(sorted(each.methods or ()))
            said = (each.description or "").split("\n")[0].rstrip(".")
            lines.append(f"| `{methods} {each.path_format}` | {said} | {needs_of(each)} |")
    return "\n".join(lines)


def refusals_table() -> str:
    """Return every refusal with its status and codes."""
    lines = ["| status | code | JSON-RPC | when |", "|---|---|---|---|"]
    kinds = [getattr(errors, name) for name in errors.__all__]
    told: list[type[errors.ServeError]] = [
        each for each in kinds if isinstance(each, type) and each is not errors.ServeError
    ]
    for each in sorted(told, key=lambda kind: (kind.status, kind.code)):
        said = (each.__doc__ or "").split("\n")[0].rstrip(".")
        lines.append(f"| {each.status} | `{each.code}` | {each.rpc_code} | {said} |")
    return "\n".join(lines)


def plans_table() -> str:
    """Return what each plan allows."""
    names = list(PLANS)
    lines = [f"| | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    for field, said in PLAN_ROWS.items():
        cells = [_cell(getattr(PLANS[name], field), field) for name in names]
        lines.append(f"| {said} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(value: int | None, field: str) -> str:
    if value is None:
        return "no limit"
    return f"{value // 1_000_000 if field == 'storage_bytes' else value:,}"


def tools_list() -> str:
    """Return the names of all tools."""
    return ", ".join(f"`{each.name}`" for each in TOOLS.values()) + "."


def load_table() -> str:
    """Return what the server adds to an engine, by the last committed run."""
    record = run("bench-serve")
    rows = []
    for each in record["figures"]:
        ours, floor = figure(each["ours"], each["unit"]), ""
        if each["floor"] is not None:
            ours += f" ({each['ratio']:.2f} times)"
            floor = figure(each["floor"], each["unit"])
        met = "met" if each["met"] else "missed"
        rows.append((each["name"], f"{each['rows']:,}", ours, floor, each["bar"], met))
    for each in record["informational"]:
        ours = figure(each["ours"], each["unit"])
        rows.append((each["name"], f"{each['rows']:,}", ours, "", "", ""))
    return table(("", "size", "", "floor", "bar", ""), rows)
