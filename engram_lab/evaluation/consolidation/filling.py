"""A world into an engine, as it would have come over the year, and copies of that to dream on."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from engram_lab.core.clock import ManualClock
from engram_lab.core.ids import IdSource
from engram_lab.core.types import RecalledMemory, RecallEvent
from engram_lab.engine import Engine
from engram_lab.evaluation.consolidation.world.making import make_world
from engram_lab.retrieval.embedders.cached import with_cache

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    import numpy as np
    from numpy.typing import NDArray

    from engram_lab.config import EngineConfig
    from engram_lab.evaluation.consolidation.outcome import Setting
    from engram_lab.evaluation.consolidation.world.phrases import Wording
    from engram_lab.evaluation.consolidation.world.told import Access, Told, World
    from engram_lab.retrieval.embedders import Embedder

__all__ = ["Play", "Stage", "played", "staged"]

_EVENTS_AT_ONCE: Final = 1000
_NO_MODEL: Final = "none"


@dataclass(frozen=True, kw_only=True, slots=True)
class Play:
    """An engine that holds a world, and the clock that it goes by.

    Attributes:
        world: What it holds.
        engine: Recalls are not recorded, so that asking changes nothing.
        clock: Shows the moment after all that was told.
        ids: Of the memories in the store, by their keys in the world.
    """

    world: World
    engine: Engine
    clock: ManualClock
    ids: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """A world that was filled in once, to be played as often as is liked.

    Attributes:
        first: It, as it was filled in: for looking, never for dreaming.
        folder: Where the copies are.
        embedder: Of all copies; None where there are no vectors.
    """

    first: Play
    folder: Path
    embedder: Embedder | None

    @contextmanager
    def copy(self, name: str, *, config: EngineConfig | None = None) -> Iterator[Play]:
        """Yield a copy of its own, gone afterwards.

        Args:
            name: Of the copy.
            config: Of the engine that opens it; else that of the first.
        """
        path = self.folder / f"{name}.db"
        self.first.engine.backup(path)
        clock = ManualClock(self.first.world.now)
        engine = Engine.open(
            path,
            config=self.first.engine.config if config is None else _quiet(config),
            clock=clock,
            embedder=self.embedder,
        )
        with engine:
            yield replace(self.first, engine=engine, clock=clock)
        for each in self.folder.glob(f"{name}.db*"):
            each.unlink()


@contextmanager
def staged(setting: Setting, *, wording: Wording = "plain") -> Iterator[Stage]:
    """Make the world of a setting in a wording, fill it into an engine, and yield it."""
    told = setting.say
    told(f"making a world of {setting.size} memories")
    world = make_world(size=setting.size, seed=setting.seed, wording=wording)
    with tempfile.TemporaryDirectory(prefix="engram-dreams-") as made:
        folder = Path(made)
        config = _quiet(setting.config)
        # An engine of its own keeps the model open for all copies.
        with Engine.open(":memory:", config=config, embedder=setting.embedder) as holder:
            embedder = None
            if setting.embedder is not None or config.embedding.model != _NO_MODEL:
                embedder = with_cache(holder.embedder, _Vectors())
            told("filling it into an engine")
            with played(world, folder / "first.db", config=config, embedder=embedder) as first:
                yield Stage(first=first, folder=folder, embedder=embedder)


@contextmanager
def played(
    world: World, path: Path | str, *, config: EngineConfig, embedder: Embedder | None = None
) -> Iterator[Play]:
    """Fill a world into an engine at a path, each memory at its time, with the recalls of the past.

    Args:
        world: What was told.
        path: Of the store, or `:memory:`.
        config: Of the engine; recalls are not recorded, ids and vectors follow from the world.
        embedder: Else what the configuration names.
    """
    clock = ManualClock(world.told[0].recorded_at)
    quiet = _quiet(config)
    with Engine.open(path, config=quiet, clock=clock, embedder=embedder) as engine:
        ids: dict[str, str] = {}
        for at, some in groupby(world.told, key=lambda told: told.recorded_at):
            day = list(some)
            clock.advance(seconds=(at - clock.now()).total_seconds())
            report = engine.store.memories.remember_many([_draft(told) for told in day])
            ids |= zip((told.key for told in day), report.ids, strict=True)
        clock.advance(seconds=(world.now - clock.now()).total_seconds())
        if embedder is not None or quiet.embedding.model != _NO_MODEL:
            engine.embed()
        _recall(engine, world, ids)
        yield Play(world=world, engine=engine, clock=clock, ids=ids)


def _draft(told: Told) -> dict[str, Any]:
    times: dict[str, datetime | None] = {"event_at": told.event_at, "valid_from": told.valid_from}
    given = {name: moment for name, moment in times.items() if moment is not None}
    return {
        "content": told.text,
        "type": told.type,
        "importance": told.importance,
        "pinned": told.pinned,
        **given,
    }


def _recall(engine: Engine, world: World, ids: Mapping[str, str]) -> None:
    source = IdSource(f"consolidation/{world.seed}/recalls")
    events = [_event(each, source.new(each.at), ids) for each in world.accesses]
    for start in range(0, len(events), _EVENTS_AT_ONCE):
        engine.store.events.record(events[start : start + _EVENTS_AT_ONCE])


def _event(access: Access, id_: str, ids: Mapping[str, str]) -> RecallEvent:
    hits = tuple(
        RecalledMemory(memory_id=ids[key], rank=rank, score=1.0 / rank)
        for rank, key in enumerate(access.hits, 1)
    )
    return RecallEvent(id=id_, at=access.at, query=access.query, hits=hits, workspace="default")


def _quiet(config: EngineConfig) -> EngineConfig:
    """Return a configuration under which a world gives one store, and asking leaves no trace."""
    return replace(
        config,
        store=replace(config.store, seed=0, dedup="allow", synchronous="normal"),
        embedding=replace(config.embedding, defer="never"),
        index=replace(config.index, keep=False),
        learning=replace(config.learning, record_recalls=False),
    )


class _Vectors:
    """A cache that lasts as long as the stage: each text and question is embedded once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, bytes], NDArray[np.float32]] = {}

    def get(self, fingerprint: str, hashes: Sequence[bytes]) -> list[NDArray[np.float32] | None]:
        return [self._known.get((fingerprint, each)) for each in hashes]

    def put(self, fingerprint: str, hashes: Sequence[bytes], values: NDArray[np.float32]) -> None:
        self._known |= {(fingerprint, key): row for key, row in zip(hashes, values, strict=True)}

    def remove(self, hashes: Sequence[bytes]) -> None:
        gone = set(hashes)
        self._known = {key: row for key, row in self._known.items() if key[1] not in gone}

    def close(self) -> None:
        self._known.clear()
