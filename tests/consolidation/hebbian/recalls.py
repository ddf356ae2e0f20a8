"""Recalls told in short, for the tests of what learns from them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from engram_lab.core.types import RecalledMemory, RecallEvent
from tests.consolidation.worlds import NOW, Held, World

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from engram_lab.consolidation.hebbian import Hebbian

__all__ = ["asleep", "pairs_of", "recall", "world_of"]


def recall(
    number: int,
    found: Sequence[int],
    *,
    at: datetime = NOW,
    query: str | None = None,
    scores: Sequence[float] | None = None,
    workspace: str | None = "default",
) -> RecallEvent:
    """Return a recall that found memories by key, best first; all scores are 1 unless told."""
    told = [1.0] * len(found) if scores is None else scores
    return RecallEvent(
        id=f"event-{number:04d}",
        at=at,
        query=f"question {number}" if query is None else query,
        hits=tuple(
            RecalledMemory(memory_id=f"m{key}", rank=rank, score=score)
            for rank, (key, score) in enumerate(zip(found, told, strict=True), start=1)
        ),
        workspace=workspace,
    )


def world_of(size: int) -> World:
    """Return a world of so many memories."""
    return World(Held(content=f"memory {number}") for number in range(1, size + 1))


def asleep(
    world: World, step: Hebbian, events: Iterable[RecallEvent], *, now: datetime = NOW
) -> World:
    """Return the world after a dream of one step, a day after the last one."""
    cursor = (now - timedelta(days=1)).timestamp()
    changes = list(step.plan(world.view(), world.scene(now=now, events=events, cursor=cursor)))
    return world.carried_out(changes, now=now)


def pairs_of(world: World) -> Mapping[tuple[int, int], float]:
    """Return the weight of each link by the keys of its ends, as it runs."""
    return {
        (world.key_of(tie.from_id), world.key_of(tie.to_id)): tie.weight
        for tie in world.ties.values()
    }
