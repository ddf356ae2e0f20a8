"""Requests made up from what a server says of itself: every route of OpenAPI, every tool of MCP.

A route or a tool that is added later is asked without being named here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import httpx2

Schema = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One request.

    Attributes:
        name: The method and the route, or the tool of MCP.
        pathed: Whether a value of ours stands in its path.
        value: The value that this request was made for.
    """

    name: str
    method: str
    path: str
    value: str = ""
    pathed: bool = False
    params: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    file: bytes | None = None

    def send(self, client: httpx2.Client, headers: Mapping[str, str] | None = None) -> Any:
        """Return the answer."""
        told: dict[str, Any] = {
            "params": self.params,
            "headers": {**self.headers, **(headers or {})},
        }
        if self.file is not None:
            told["files"] = {"file": ("rows.jsonl", self.file)}
        elif self.body is not None:
            told["json"] = self.body
        return client.request(self.method, self.path, **told)


@dataclass(frozen=True, kw_only=True)
class Values:
    """What requests are filled with.

    Attributes:
        ids: Two memories, for what has to be named.
        pathed: In paths.
        asked: In queries.
        within: In bodies.
    """

    ids: Sequence[str]
    pathed: Sequence[str]
    asked: Sequence[str]
    within: Sequence[str]


def asks_of_routes(openapi: Mapping[str, Any], values: Values) -> Iterator[Ask]:
    """Yield requests to every route: with each value in each place where a text may stand."""
    shapes = openapi["components"]["schemas"]
    for path, methods in openapi["paths"].items():
        for method, told in methods.items():
            yield from _asks_of(shapes, method.upper(), path, told, values)


def asks_of_tools(tools: Iterable[Mapping[str, Any]], values: Values) -> Iterator[Ask]:
    """Yield calls of every tool, as `tools/list` describes them."""
    for tool in tools:
        schema = tool["inputSchema"]
        for value, given in _bodies(schema, schema.get("$defs", {}), values):
            params = {"name": tool["name"], "arguments": given}
            yield message("tools/call", params, name=tool["name"], value=value)


def message(method: str, params: Any, *, name: str | None = None, value: str = "") -> Ask:
    """Return a request of JSON-RPC."""
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return Ask(name=f"MCP {name or method}", method="POST", path="/v1/mcp", value=value, body=body)


def _asks_of(shapes: Schema, method: str, path: str, told: Schema, values: Values) -> Iterator[Ask]:
    name, places = f"{method} {path}", told.get("parameters", [])
    needed = [each for each in places if each["in"] == "query" and each.get("required")]
    required = {each["name"]: values.ids[0] for each in needed}
    bodies = _given(shapes, told.get("requestBody", {}).get("content", {}), values)
    in_path = [each["name"] for each in places if each["in"] == "path"]

    def ask(value: str, given: Mapping[str, Any] = bodies[0][1], **more: Any) -> Ask:
        filled = path
        for each in in_path:
            filled = filled.replace(f"{{{each}}}", value if "pathed" in more else values.ids[0])
        params = {**required, **more.pop("params", {})}
        return Ask(
            name=name, method=method, path=filled, value=value, params=params, **given, **more
        )

    if in_path:
        yield from (ask(value, pathed=True) for value in values.pathed)
    if len(bodies) > 1 or not in_path:
        yield from (ask(value, given) for value, given in bodies)
    for each in places:
        if each["in"] == "query" and "string" in _kinds(each["schema"]):
            yield from (ask(value, params={each["name"]: value}) for value in values.asked)
    for kind in told["responses"].get("200", {}).get("content", {}):
        yield ask("", headers={"Accept": kind})


def _given(
    shapes: Schema, content: Mapping[str, Any], values: Values
) -> list[tuple[str, dict[str, Any]]]:
    """Return the bodies to be sent, each with the value that it is made for."""
    if "application/json" in content:
        schema = _resolved(shapes, content["application/json"]["schema"])
        return [(value, {"body": each}) for value, each in _bodies(schema, shapes, values)]
    if "multipart/form-data" in content:
        return [(value, {"file": _rows(value)}) for value in values.within]
    return [("", {})]


def _rows(value: str) -> bytes:
    rows = [{"content": "a row", "source": value}, {"content": "another", "id": value}]
    return b"\n".join(json.dumps(each).encode() for each in rows)


def _bodies(schema: Schema, shapes: Schema, values: Values) -> Iterator[tuple[str, Any]]:
    """Yield the least that an object may be, then with each value in each of its fields."""
    least = _least(schema, shapes, values)
    yield "", least
    for name, told in schema.get("properties", {}).items():
        for option in _options(_resolved(shapes, told)):
            yield "", {**least, name: option}
        kinds = _kinds(told)
        for value in values.within:
            if "string" in kinds:
                yield value, {**least, name: value}
            if "object" in kinds and "$ref" not in str(told):
                yield value, {**least, name: {"metadata.by": value}}
                yield value, {**least, name: {"tags": {"contains": value}}}
            if "array" in kinds:
                yield value, {**least, name: [value]}
        inner = _items(told, shapes)
        if inner is not None:
            for value, each in _bodies(inner, shapes, values):
                yield value, {**least, name: [each]}


def _least(schema: Schema, shapes: Schema, values: Values) -> dict[str, Any]:
    properties, filled = schema.get("properties", {}), {}
    ids = iter([*values.ids, *values.ids])
    for name in schema.get("required", []):
        told = _resolved(shapes, properties[name])
        kinds = _kinds(told)
        if options := _options(told):
            filled[name] = options[0]
        elif name.endswith("id"):
            filled[name] = next(ids)
        elif "array" in kinds:
            inner = _items(told, shapes)
            least = values.ids[0] if inner is None else _least(inner, shapes, values)
            options = _options(_resolved(shapes, told.get("items", {})))
            filled[name] = [options[-1] if options else least]
        elif examples := told.get("examples"):
            filled[name] = examples[0]
        else:
            filled[name] = {} if "object" in kinds else values.within[0]
    return filled


def _options(schema: Schema) -> list[Any]:
    return list(schema.get("enum", ()))


def _items(schema: Schema, shapes: Schema) -> Schema | None:
    """Return what the objects of a list are."""
    for each in (schema, *schema.get("anyOf", ())):
        inner = _resolved(shapes, each.get("items", {}))
        if "properties" in inner:
            return inner
    return None


def _kinds(schema: Schema) -> set[str]:
    found = [schema, *schema.get("anyOf", ())]
    return {each["type"] for each in found if isinstance(each.get("type"), str)}


def _resolved(shapes: Schema, schema: Schema) -> Schema:
    reference = schema.get("$ref")
    return schema if reference is None else shapes[reference.rpartition("/")[2]]
