"""How a memory is shown to people in a notebook."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any, Final

from engram_lab.core.markup import table
from engram_lab.core.types import Memory

__all__ = ["page_of"]

_ALWAYS: Final = ("id", "type", "created_at")
"""Fields that a page has even where they are as any memory has them."""

_ELSEWHERE: Final = ("content", "content_hash", "updated_at")
"""Fields that it has by themselves, or that tell a person nothing."""

_USUAL: Final[dict[str, Any]] = {each.name: each.default for each in fields(Memory)} | {
    "metadata": {}
}


def page_of(memory: Memory) -> str:
    """Return a memory as HTML: its text, and every field that says something."""
    rows = [("content", memory.content)]
    for name, usual in _USUAL.items():
        value = getattr(memory, name)
        if name in _ALWAYS or (name not in _ELSEWHERE and value != usual):
            rows.append((name, _said(value)))
    if memory.updated_at != memory.created_at:
        rows.append(("updated_at", _said(memory.updated_at)))
    return table("Memory", rows)


def _said(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, tuple):
        return " ".join(f"#{each}" for each in value)
    if isinstance(value, Mapping):
        return json.dumps(dict(value), ensure_ascii=False, default=str)
    return str(value)
