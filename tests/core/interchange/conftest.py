"""Empty stores on one clock, and one that has something in every table."""

from __future__ import annotations

from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from engram_lab.core.clock import ManualClock
from engram_lab.core.settings import StoreSettings
from engram_lab.core.sqlite import SqliteStore
from engram_lab.core.types import RecalledMemory, RecallEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
def open_store(clock: ManualClock) -> Iterator[Callable[..., SqliteStore]]:
    with ExitStack() as stores:

        def open_one(path: object = ":memory:", *, read_only: bool = False) -> SqliteStore:
            settings = StoreSettings(seed=1)
            store = SqliteStore.open(str(path), settings=settings, clock=clock, read_only=read_only)
            return stores.enter_context(closing(store))

        yield open_one


@pytest.fixture
def store(open_store: Callable[..., SqliteStore]) -> SqliteStore:
    return open_store()


@pytest.fixture
def full(open_store: Callable[..., SqliteStore], clock: ManualClock) -> SqliteStore:
    """Return a store with a row in every table, and a past."""
    store = open_store()
    store.workspaces.put("kitchen", scope="global/org:a", max_age_days=30.5, max_memories=100)
    tea = store.memories.remember(
        {
            "content": "Ada drinks tea <private>with absinthe</private>",
            "tags": ["taste"],
            "metadata": {"cups": 2, "hot": True, "when": ["morning", None]},
            "event_at": NOON,
        }
    )
    cup = store.memories.remember({"content": "The cup is blue", "workspace": "kitchen"})
    gone = store.memories.remember({"content": "The kettle <private>leaks</private>"})
    clock.advance(hours=1)
    store.memories.update(tea.id, {"importance": 0.9}, author="ada", reason="she said so")
    store.memories.forget(gone.id, reason="mended")
    store.links.put(tea.id, cup.id, weight=0.25, context="poured into", pinned=True)
    store.links.close(store.links.put(cup.id, tea.id, type="extends").id)
    store.vectors.put("small", [tea.id], np.array([[0.1, -0.0]], dtype=np.float32))
    store.vectors.put("large", [tea.id, cup.id], np.full((2, 3), 1 / 3, dtype=np.float32))
    hits = (RecalledMemory(memory_id=tea.id, rank=1, score=1 / 3),)
    store.events.record([RecallEvent(id=store.new_id(), at=NOON, query="tea?", hits=hits)])
    ada = store.identities.add("Ada", aliases=["Countess"], description="of Lovelace")
    store.entities.mention(tea.id, "Ada", kind="person", confidence=0.7, identity_id=ada.id)
    store.sessions.start("talk", title="At tea", started_at=NOON, metadata={"room": 1})
    store.sessions.add_turns("talk", [{"speaker": "ada", "content": "More tea?"}])
    store.sessions.end("talk", at=NOON + timedelta(hours=1))
    store.grants.allow("butler", "global/org:a", "write")
    return store
