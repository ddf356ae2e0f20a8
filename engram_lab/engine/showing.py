"""How an engine is shown to people in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engram_lab.core.errors import StoreError
from engram_lab.core.markup import note, table

if TYPE_CHECKING:
    from engram_lab.engine.engine import Engine

__all__ = ["page_of"]


def page_of(engine: Engine) -> str:
    """Return an engine as HTML: where it is, what it holds, and what it recalls by."""
    name = f"Engine {engine.path}" if engine.path else "Engine"
    try:
        held = engine.store.tables.counts()
    except StoreError as error:  # closed, or its file is gone: whoever looks at it wants to know
        return note(f"Engine: {error}")
    config = engine.config
    rows = [(table_name, f"{count:,}") for table_name, count in held.items() if count]
    rows.append(("embedding.model", config.embedding.model))
    rows.append(("retrieval", f"{config.retrieval.strategy}, {config.retrieval.fusion}"))
    rows.append(("configuration", config.content_hash[:12]))
    return table(f"{name}{', read only' if engine.read_only else ''}", rows)
