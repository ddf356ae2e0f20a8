"""Where a probe tries an engine: stores of its own, and every way of asking."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from engram_lab.core.clock import Clock, ManualClock
from engram_lab.evaluation.gating.guards import GuardResult

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engram_lab.config import EngineConfig
    from engram_lab.config.retrieval import Strategy
    from engram_lab.engine import Engine
    from engram_lab.retrieval import Hits
    from engram_lab.retrieval.embedders import Embedder
    from engram_lab.retrieval.fusion import Fusion
    from engram_lab.retrieval.rerank import Reranker

__all__ = ["Opener", "Rig", "guard_result", "opener"]

Opener = Callable[[Path, Clock], "Engine"]
"""Opens the engine that is probed, at a path, by a clock."""

_NOON: Final = datetime(2026, 1, 1, 12, tzinfo=UTC)
_MANY: Final = 200
"""More than a probe ever stores, so that nothing hides behind a low rank."""

_SEED: Final = 7


@dataclass(frozen=True, kw_only=True, slots=True)
class Rig:
    """Stores to try an engine on.

    Attributes:
        open: See `Opener`.
        folder: Empty, and gone after the probe.
        strategies: The ways of asking; None is the engine's own.
    """

    open: Opener
    folder: Path
    strategies: tuple[Strategy | None, ...]

    @property
    def semantic(self) -> bool:
        """Whether memories have vectors."""
        return "semantic" in self.strategies

    def clock(self) -> ManualClock:
        """Return a clock that stands at the beginning."""
        return ManualClock(_NOON)

    def engine(self, name: str, clock: Clock) -> Engine:
        """Return the engine over a store of this name."""
        return self.open(self.folder / f"{name}.db", clock)

    def ask(self, engine: Engine, question: str, **chosen: Any) -> Iterator[Hits]:
        """Yield the answers to a question, asked in every way."""
        for strategy in self.strategies:
            yield engine.recall(question, _MANY, strategy=strategy, **chosen)


def opener(
    config: EngineConfig,
    *,
    embedder: Embedder | None = None,
    fusion: Fusion | None = None,
    rerankers: Mapping[str, Reranker] | None = None,
) -> Opener:
    """Return what opens engines of a configuration, so that they can be probed.

    Ids are seeded, vectors made at once and kept in a cache beside each store, and no recall is
    recorded: none of that changes what a recall may show.

    Args:
        config: The whole configuration.
        embedder: One that is loaded already, or one of your own.
        fusion: One of your own.
        rerankers: Your own, by name.
    """
    from engram_lab.engine import Engine
    from engram_lab.retrieval.embedders.cached import with_cache

    held: dict[Path, Embedder] = {}  # by store, so that none answers for another

    def open_(path: Path, clock: Clock) -> Engine:
        cache = str(path.with_suffix(".cache")) if embedder is None else None
        if embedder is not None:
            held.setdefault(path, with_cache(embedder, _Vectors()))
        probed = replace(
            config,
            store=replace(config.store, seed=_SEED, dedup="allow", synchronous="normal"),
            embedding=replace(config.embedding, cache=cache, defer="never"),
            learning=replace(config.learning, record_recalls=False),
        )
        return Engine.open(
            path,
            config=probed,
            clock=clock,
            embedder=held.get(path),
            fusion=fusion,
            rerankers=rerankers,
        )

    return open_


class _Vectors:
    """A cache that lasts as long as the probe: the same few questions are asked many times."""

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


def guard_result(name: str, count: int, said: str, *, tried: bool = True) -> GuardResult:
    """Return the result of a probe: passed where something was tried and nothing counted."""
    if not tried and not count:
        return GuardResult(name=name, status="skip", count=0, said=said)
    return GuardResult(name=name, status="fail" if count else "pass", count=count, said=said)
