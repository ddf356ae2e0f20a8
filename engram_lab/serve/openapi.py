"""What `/openapi.json` says beside what the framework knows by itself.

That is what the pipeline asks before a handler is reached (credentials, the tenant), headers that
are read past the framework, and an example of each body and of each answer. Examples are made of
the shapes, so that a field that is added is in them too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fastapi.routing import APIRoute

from engram_lab.serve.routes.guarded import needs_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from starlette.routing import BaseRoute

    Schema = dict[str, Any]

__all__ = ["completed", "example_of"]

_JSON: Final = "application/json"
_SCHEMES: Final[Mapping[str, Mapping[str, str]]] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "A key of the tenant, or a token of the issuer that the server trusts.",
    },
    "api_key": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "A key of the tenant, where `Authorization` is taken. Never both at once.",
    },
    "admin": {
        "type": "http",
        "scheme": "bearer",
        "description": "`auth.admin_token`, which whoever runs the server has.",
    },
}
_TENANT: Final = "X-Engram-Tenant"
_HEADERS: Final[Mapping[str, Mapping[str, Any]]] = {
    _TENANT: {
        "description": "The name of the tenant, where the host does not say it.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 63},
        "example": "acme",
    },
    "Idempotency-Key": {
        "description": "Whoever asks again with it is answered as before; nothing is made twice.",
        "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
        "example": "01976f0e-5c1a-7bd3-9a4e-0c8f2d1b7e55",
    },
    "If-Match": {
        "description": "The ETag of the state that it must be in: 412 where it is another.",
        "schema": {"type": "string"},
        "example": '"3-1f2e3d4c5b6a7980"',
    },
    "If-None-Match": {
        "description": "The ETag that is known: 304 where it is still that one.",
        "schema": {"type": "string"},
        "example": '"3-1f2e3d4c5b6a7980"',
    },
}
_READ: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("post", "/v1/memories"): ("Idempotency-Key",),
    ("post", "/v1/memories:batch"): ("Idempotency-Key",),
    ("post", "/v1/import"): ("Idempotency-Key",),
    ("get", "/v1/memories/{id}"): ("If-None-Match",),
    ("patch", "/v1/memories/{id}"): ("If-Match",),
    ("delete", "/v1/memories/{id}"): ("If-Match",),
    ("post", "/v1/memories/{id}/restore"): ("If-Match",),
}
"""Headers that a handler reads from the request itself, where the framework does not see it."""

_ID: Final = "01976f0e-4a52-7c1e-b0d8-2f6a9e3c5d17"
_FORMATS: Final = {"date-time": "2026-05-01T09:30:00Z", "date": "2026-05-01"}
_TEXTS: Final = {
    **dict.fromkeys(("id", "request_id", "run_id", "to_id"), _ID),
    "from_id": "01976f0e-4b10-7a95-8c37-61d2f0a4be38",
    "content": "Ada prefers tea",
    "type": "note",
    "user_id": "auth0|ada",
    "email": "ada@example.com",
    "slug": "acme",
    "name": "acme",
    "prefix": "ek_live_8Fq2",
    "secret": "ek_live_8Fq2…",
    "token": "inv_…",
    "workspace": "default",
    "scope": "global",
    "query": "what does Ada drink",
    "actor": "user:auth0|ada",
    "kind": "memory.create",
    "outcome": "ok",
    "content_hash": "5b3e…",
    "hash": "9c1f…",
    "previous": "0000…",
    "created_by": "operator",
    "status": "ok",
    "plan": "free",
    "author": "schedule",
    "config_hash": "b7d0…",
    "step": "merge",
    "action": "update",
    "reason": "it says the same as another",
    "source": "api",
    "tag": "taste",
    "description": "what a look found",
}
_OF_SHAPES: Final[Mapping[str, Mapping[str, Any]]] = {
    "BackupOut": {"name": "20260501T093000000000Z_v3.sqlite"},
    "KeyOut": {"name": "the agent in production"},
    "Link": {"type": "supersedes"},
    "NewKeyOut": {"name": "the agent in production"},
    "RunOut": {"status": "applied"},
    "VerifiedOut": {"name": "20260501T093000000000Z_v3.sqlite"},
    "WorkspaceOut": {"name": "kitchen"},
    "RemovedWorkspace": {"name": "kitchen"},
}
_EMPTY: Final = frozenset({"known", "refused"})
"""Lists that have nothing in them where all went well."""

_DEEPEST: Final = 12


def completed(schema: Schema, routes: Iterable[BaseRoute], *, asks: bool) -> Schema:
    """Return a schema with what the framework left out; the schema itself is changed.

    Args:
        schema: As the framework made it.
        routes: Those that it was made of.
        asks: Whether anybody is asked who they are.
    """
    components = schema.setdefault("components", {})
    components["securitySchemes"] = {name: dict(each) for name, each in _SCHEMES.items()}
    shapes = components.get("schemas", {})
    for route in routes:
        if isinstance(route, APIRoute) and route.include_in_schema:
            for method in route.methods or ():
                operation = schema["paths"][route.path_format][method.lower()]
                _credentials(operation, needs_of(route), asks=asks)
                _headers(operation, (method.lower(), route.path_format))
                _examples(operation, shapes)
    return schema


def _credentials(operation: Schema, needed: str, *, asks: bool) -> None:
    """Say who may ask, and for the tenant's own routes that they have to name it."""
    if needed == "anybody":
        operation["security"] = []
        return
    if needed == "the admin token":
        operation["security"] = [{"admin": []}]
        return
    known: list[dict[str, list[str]]] = [{"bearer": []}]
    if needed != "a token":
        known += [{"api_key": []}]
    operation["security"] = known if asks else [{}, *known]
    _header(operation, _TENANT)


def _headers(operation: Schema, route: tuple[str, str]) -> None:
    for name in _READ.get(route, ()):
        _header(operation, name)
        if name == "If-None-Match":
            operation["responses"].setdefault("304", {"description": "it is still the same"})


def _header(operation: Schema, name: str) -> None:
    """Describe a header; one that the framework knows keeps what it says of it."""
    given = operation.setdefault("parameters", [])
    for each in given:
        if each["in"] == "header" and each["name"].lower() == name.lower():
            each["name"] = name
            return
    given.append({"name": name, "in": "header", "required": False, **_HEADERS[name]})


def _examples(operation: Schema, shapes: Schema) -> None:
    body = operation.get("requestBody", {}).get("content", {}).get(_JSON)
    if body is not None:
        _exemplify(body, shapes, brief=True)
    for status, told in operation["responses"].items():
        answer = told.get("content", {}).get(_JSON)
        if status.startswith("2") and answer is not None and answer.get("schema"):
            _exemplify(answer, shapes, brief=False)


def _exemplify(told: Schema, shapes: Schema, *, brief: bool) -> None:
    if "example" not in told and "examples" not in told:
        told["example"] = example_of(told["schema"], shapes, brief=brief)


def example_of(
    schema: Schema, shapes: Schema, *, name: str = "", brief: bool = False, depth: int = 0
) -> Any:
    """Return something of a shape.

    Args:
        schema: The shape.
        shapes: Those that it refers to, by name.
        name: Of the field, which says what its text may be.
        brief: Leave out what need not be there and has no example of its own.
        depth: How far within.
    """
    if "$ref" in schema:
        found = shapes[schema["$ref"].rpartition("/")[2]]
        return example_of(found, shapes, name=name, brief=brief, depth=depth + 1)
    if schema.get("examples"):
        return schema["examples"][0]
    for key in ("const", "default"):
        if schema.get(key) is not None:
            return schema[key]
    if schema.get("enum"):
        return schema["enum"][0]
    options = schema.get("anyOf") or schema.get("oneOf") or ()
    if options and (name in _TEXTS or {"type": "null"} not in options) and depth < _DEEPEST:
        first = next(each for each in options if each.get("type") != "null")
        return example_of(first, shapes, name=name, brief=brief, depth=depth + 1)
    return _plain(schema, shapes, name=name, brief=brief, depth=depth)


def _plain(schema: Schema, shapes: Schema, *, name: str, brief: bool, depth: int) -> Any:
    """Return something of a shape that refers to no other and has no example."""
    kind = schema.get("type")
    if kind == "object":
        required, told = schema.get("required", ()), _OF_SHAPES.get(schema.get("title", ""), {})
        return {
            key: told[key]
            if key in told
            else example_of(each, shapes, name=key, brief=brief, depth=depth + 1)
            for key, each in schema.get("properties", {}).items()
            if not brief or key in required or each.get("examples")
        }
    if kind == "array":
        inner = schema.get("items", {})
        if name in _EMPTY:
            return []
        each = name.removesuffix("s")
        return [example_of(inner, shapes, name=each, brief=brief, depth=depth + 1)]
    if kind in {"integer", "number"}:
        least = schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1)
        return max(least, min(1, schema.get("maximum", 1)))
    text = _FORMATS.get(schema.get("format", ""), _TEXTS.get(name, name or "text"))
    return {"boolean": True, "string": text}.get(kind or "")
