"""An engine as a system: any configuration, over stores that equal ones share."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import orjson

from engram_lab.config import EngineConfig
from engram_lab.core.clock import ManualClock
from engram_lab.engine import Engine
from engram_lab.evaluation.measures.costs import bytes_per_memory, readable_after
from engram_lab.evaluation.runs.masking import without_secrets

if TYPE_CHECKING:
    from pathlib import Path

    from engram_lab.evaluation.systems.corpora import Corpus
    from engram_lab.evaluation.systems.registry import SystemSpec
    from engram_lab.evaluation.systems.workshop import Workshop
    from engram_lab.retrieval.embedders import Embedder

__all__ = ["EngineSystem", "config_of", "fill"]

_NO_MODEL: Final = "none"
_PROBES: Final = 5
_PATIENCE: Final = 1000
"""Recalls after which a write counts as never readable."""

_PLACES: Final = frozenset({"scope", "workspace"})
_READER: Final = ("reader", "global")


@dataclass(frozen=True, slots=True)
class _Asked:
    """An engine over one corpus."""

    engine: Engine
    ids: Mapping[str, str]
    files: Path

    def search(self, text: str, k: int) -> list[tuple[str, float]]:
        hits = self.engine.recall(text, k, workspace="default")
        # What `costs` wrote for another system over the same store is no part of the data.
        return [(self.ids[hit.id], hit.score) for hit in hits if hit.id in self.ids]

    def costs(self) -> Mapping[str, float]:
        self.engine.reindex()  # which writes the files that a recall may not have written yet
        size = sum(
            file.stat().st_size
            for place in self.files.parent.glob(f"{self.files.name}*")
            for file in (place.rglob("*") if place.is_dir() else (place,))
        )
        lags = [self._lag(number) for number in range(_PROBES)]
        return {
            "bytes_per_memory": bytes_per_memory(size, len(self.ids)),
            "write_to_readable_ms": 1000 * readable_after(lags),
        }

    def _lag(self, number: int) -> float:
        """Return the seconds from the beginning of a write until a recall shows it."""
        text = f"zyxquor{number} is what probe number {number} is called"
        start = time.perf_counter()
        id_ = self.engine.remember(text).id
        for _ in range(_PATIENCE):
            if any(hit.id == id_ for hit in self.engine.recall(text, 10, workspace="default")):
                return time.perf_counter() - start
        return math.nan


class EngineSystem:
    """An engine with a configuration.

    Args:
        config: The whole configuration; where its store lies is ours to say.
        declared: The settings it was made of, before what evaluation needs.
    """

    def __init__(self, config: EngineConfig, declared: Mapping[str, Any] | None = None) -> None:
        self.config = config
        self._declared = declared or {}

    def describe(self, workshop: Workshop) -> Mapping[str, Any]:
        """Return its settings, and the fingerprint of what makes its vectors.

        Raises:
            EmbedderError: The model cannot be loaded.
            MissingDependencyError: It needs an optional package.
        """
        embedder = self._embedder(workshop)
        with Engine.open(":memory:", config=self.config, embedder=embedder) as engine:
            engine.recall("anything", 1)  # so that a model which a reranker lacks is missed now
        return {
            "kind": "engine",
            "declared": without_secrets(self._declared),
            "settings": without_secrets(self.config.to_dict()),
            "config_hash": self.config.content_hash,
            "embedder": None if embedder is None else embedder.fingerprint,
        }

    def _embedder(self, workshop: Workshop) -> Embedder | None:
        if self.config.embedding.model == _NO_MODEL:
            return None
        return workshop.embedder(self.config)

    @contextmanager
    def open(self, corpus: Corpus, workshop: Workshop) -> Iterator[_Asked]:
        """Return it over a corpus."""
        config, embedder = self.config, self._embedder(workshop)
        path = workshop.folder(corpus) / f"{_key(config)}.db"
        clock = ManualClock(corpus.moment)
        known = path.with_suffix(".ids")
        if not known.exists():
            with Engine.open(path, config=config, clock=clock, embedder=embedder) as engine:
                ids = fill(engine, corpus)
            known.write_bytes(orjson.dumps(ids))
        ids = orjson.loads(known.read_bytes())
        with Engine.open(path, config=config, clock=clock, embedder=embedder) as engine:
            hidden = any("scope" in row["fields"] for row in corpus.memories)
            asked = engine.as_agent(*_READER) if hidden else engine
            yield _Asked(asked, ids, path)


def fill(engine: Engine, corpus: Corpus) -> dict[str, str]:
    """Store a corpus; return the ids of the data set by those of the store.

    Turns of a conversation go in as turns, in their order; the rest as plain memories.
    """
    ids: dict[str, str] = {}
    alone: list[dict[str, Any]] = []
    spoken: dict[str, list[dict[str, Any]]] = {}
    for row in corpus.memories:
        apart = _PLACES & set(row["fields"])  # a turn lies where its session does
        is_turn = row["session"] is not None and row["speaker"] is not None and not apart
        (spoken.setdefault(row["session"], []) if is_turn else alone).append(row)
    for session, turns in spoken.items():
        engine.store.sessions.start(session, started_at=turns[0]["event_at"])
        given = [
            {
                "speaker": row["speaker"],
                "content": row["content"],
                "spoken_at": row["event_at"],
                **row["fields"],
            }
            for row in turns
        ]
        added = engine.store.sessions.add_turns(session, given)
        ids |= {turn.memory_id: row["id"] for turn, row in zip(added, turns, strict=True)}
    drafts = [
        {"content": row["content"], "event_at": row["event_at"], **row["fields"]} for row in alone
    ]
    report = engine.remember_many(drafts)
    ids |= {id_: row["id"] for id_, row in zip(report.ids, alone, strict=True)}
    if engine.config.embedding.model != _NO_MODEL:
        engine.embed()
    return ids


def config_of(settings: Mapping[str, Any], *, seed: int, store: Mapping[str, Any]) -> EngineConfig:
    """Return the configuration of a system: its settings over what evaluation needs.

    Raises:
        ConfigError: A setting is unknown or out of bounds.
    """
    config = EngineConfig.from_dict(settings)
    needed = EngineConfig.from_dict({"store": store}).store
    return replace(
        config,
        # A crash costs nothing here: the store is made anew.
        store=replace(
            config.store,
            **{name: getattr(needed, name) for name in store}
            | {"path": ":memory:", "synchronous": "normal", "seed": seed},
        ),
        embedding=replace(config.embedding, defer="never", cache=None),
        learning=replace(config.learning, record_recalls=False),
    )


def _key(config: EngineConfig) -> str:
    """Return a name for all that decides what a store holds."""
    parts = config.to_dict()
    said = orjson.dumps([parts["store"], parts["embedding"]], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(said).hexdigest()[:16]


def from_spec(spec: SystemSpec, *, seed: int, store: Mapping[str, Any]) -> EngineSystem:
    """Return an engine with the settings of a specification."""
    return EngineSystem(config_of(spec.settings, seed=seed, store=store), spec.settings)
