"""Write the database file of a schema about to be released, beside what it must say ever after.

    python tests/data/make.py        writes schema-NNNN.db and schema-NNNN.jsonl of this schema

A released file is never written again: `tests/core/sqlite/test_released_schemas.py` opens every one
of them with the present program.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from engram_lab import Engine, EngineConfig, ManualClock
from engram_lab.config import EmbeddingSettings
from engram_lab.core.dreams import Change
from engram_lab.core.settings import StoreSettings
from engram_lab.core.sqlite.migrations import migrations

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from engram_lab.consolidation import Scene, View

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Tagging:
    """A step of a dream that tags what was said."""

    tag: str
    name: str = "tagging"

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What it was set to."""
        return {"tag": self.tag}

    def plan(self, view: View, scene: Scene) -> Iterator[Change]:
        """Yield a change of each turn that has no such tag."""
        rows = np.flatnonzero(view.columns.turns)
        for row, told in zip(rows.tolist(), view.details(rows), strict=True):
            if self.tag not in told.tags:
                yield Change(
                    step=self.name,
                    action="update",
                    id=view.columns.ids[row],
                    fields={"tags": [*told.tags, self.tag]},
                    reason=f"it was said before {scene.now:%Y}",
                    seen=int(view.columns.version[row]),
                )


def fill(engine: Engine) -> None:
    """Put something of every kind into a store."""
    store = engine.store
    store.workspaces.put("yard", scope="global/org:harbour", max_memories=100)
    ada = engine.remember(
        "Ada takes her coffee without sugar <private>and pays late</private>",
        tags=["taste", "Ada"],
        metadata={"place": {"name": "quay"}, "cups": 2, "hot": True, "with": ["milk", None]},
        importance=0.7,
        event_at="2025-05-01T09:00:00Z",
        source="diary",
    )
    tide = engine.remember("High water at six", workspace="yard", pinned=True, type="fact")
    slip = engine.remember("The slip is free on Friday", workspace="yard", valid_to="2025-06-01")
    engine.update(ada.id, content="Ada takes her coffee with milk", reason="she said so")
    engine.update(ada.id, importance=0.9, author="bruno")
    engine.forget(slip.id, reason="it was sold")
    engine.link(ada.id, tide.id, type="follows_up", weight=0.4, valid_from="2025-05-01")
    closed = engine.link(tide.id, ada.id, type="references")
    store.links.close(closed.id)
    store.vectors.put("toy-2", [ada.id, tide.id], np.array([[0.1, 0.2], [0.3, 0.4]], np.float32))
    kate = store.identities.add("Kate", aliases=["elise", "K."], description="the baker")
    store.entities.mention(ada.id, "Kate", kind="person", identity_id=kate.id, confidence=0.8)
    store.sessions.start("breakfast", title="At the quay")
    store.sessions.add_turns(
        "breakfast",
        [{"speaker": "Ada", "content": "Is there milk?"}, {"speaker": "Kate", "content": "Yes."}],
    )
    store.sessions.end("breakfast")
    store.grants.allow("helper", "global/org:harbour", "write")
    engine.recall("coffee")
    one, other, _ = store.embedding_queue.claim("toy-3", limit=3)
    store.embedding_queue.complete("toy-3", [one], np.array([[0.5, 0.6, 0.7]], np.float32))
    store.embedding_queue.fail("toy-3", [other], "no answer", retry_at=None)
    engine.dream(steps=["link-sessions", Tagging("heard")])
    engine.undo(engine.dream(steps=[Tagging("dreamt")]).run_id)
    store.injections.put("Ask Kate", workspace="yard", source="helper", ttl_s=3600.0)
    store.injections.put("There is milk")


def main() -> None:
    """Write both files, unless they are there."""
    name = f"schema-{len(migrations()):04d}"
    database, said = HERE / f"{name}.db", HERE / f"{name}.jsonl"
    if database.exists():
        sys.exit(f"{database.name} is released: it is never written again")
    clock = ManualClock(tick=timedelta(seconds=1))
    # A model would leave its vectors, and no two machines have the same.
    config = EngineConfig(store=StoreSettings(seed=1), embedding=EmbeddingSettings(model="none"))
    with Engine.open(":memory:", config=config, clock=clock) as engine:
        fill(engine)
        engine.flush()
        engine.backup(database, compact=True)
        engine.export(said)


if __name__ == "__main__":
    main()
