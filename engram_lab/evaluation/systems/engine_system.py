"""An engine as a system: any configuration, over stores that equal ones share."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import orjson

from engram_lab.config import EngineConfig
from engram_lab.core.clock import ManualClock
from engram_lab.core.errors import InvalidInputError, shown
from engram_lab.engine import Engine
from engram_lab.evaluation.measures.costs import bytes_per_memory, readable_after
from engram_lab.evaluation.runs.masking import without_secrets
from engram_lab.evaluation.systems.filling import STORED_AS, fill
from engram_lab.evaluation.systems.unseen import choose_unseen, read_folds
from engram_lab.evaluation.systems.weights import described, records_of, with_record
from engram_lab.retrieval.grouping import DEFAULT_SCORE, by_session, group_score

if TYPE_CHECKING:
    from engram_lab.evaluation.systems.corpora import Corpus
    from engram_lab.evaluation.systems.filling import StoreAs
    from engram_lab.evaluation.systems.registry import SystemSpec
    from engram_lab.evaluation.systems.unseen import Record
    from engram_lab.evaluation.systems.workshop import Workshop
    from engram_lab.retrieval.embedders import Embedder
    from engram_lab.retrieval.grouping import GroupScore

__all__ = ["EngineSystem", "config_of"]

_NO_MODEL: Final = "none"
_PROBES: Final = 5
_PATIENCE: Final = 1000
"""Recalls after which a write counts as never readable."""

_MOST: Final = 1000
"""Hits that a recall gives at most."""

_READER: Final = ("reader", "global")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asked:
    """An engine over one corpus.

    Attributes:
        engine: As whoever asks may reach it.
        ids: Those of the data set by those of the store.
        files: The store.
        score: How turns make the session that is answered with; None to answer with hits.
    """

    engine: Engine
    ids: Mapping[str, str]
    files: Path
    score: GroupScore | None = None

    def search(self, text: str, k: int) -> list[tuple[str, float]]:
        if self.score is not None:
            return self._sessions(text, k, self.score)
        hits = self.engine.recall(text, k, workspace="default")
        # What `costs` wrote for another system over the same store is no part of the data.
        return [(self.ids[hit.id], hit.score) for hit in hits if hit.id in self.ids]

    def _sessions(self, text: str, k: int, score: GroupScore) -> list[tuple[str, float]]:
        """Return the sessions of the best turns, of which as many are looked at as an arm gives."""
        depth = min(_MOST, max(k, self.engine.config.retrieval.depth))
        hits = self.engine.recall(text, depth, workspace="default")
        ranked = [(hit.id, hit.score) for hit in hits]
        found = by_session(ranked, self.ids.get, score=score)
        return [(each.session, each.score) for each in found[:k]]

    def costs(self) -> Mapping[str, float]:
        self.engine.reindex()  # which writes the files that a recall may not have written yet
        size = sum(
            file.stat().st_size
            for place in self.files.parent.glob(f"{self.files.name}*")
            for file in (place.rglob("*") if place.is_dir() else (place,))
        )
        lags = [self._lag(number) for number in range(_PROBES)]
        return {
            "bytes_per_memory": bytes_per_memory(size, len(set(self.ids.values()))),
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
        store_as: See `filling.fill`; stored as turns, sessions are ranked by their turns.
        session_score: How, by the name of a rule; see `retrieval.grouping.group_score`.
        dreams: How often it dreams before it is asked.
        records: Learned weights, the best first; see `unseen`. Each corpus is asked with the first
            that never saw it. Else those that `weights.records_of` knows of.

    Raises:
        InvalidInputError: A name is unknown, or a configuration has no place for weights.
    """

    def __init__(
        self,
        config: EngineConfig,
        declared: Mapping[str, Any] | None = None,
        *,
        store_as: StoreAs = "memories",
        session_score: str = DEFAULT_SCORE,
        dreams: int = 0,
        records: Sequence[Record] = (),
    ) -> None:
        if store_as not in STORED_AS:
            raise InvalidInputError(
                f"store_as of an engine is {shown(store_as)}: choose {' or '.join(STORED_AS)}"
            )
        # Weights learned on everything are what users have: a corpus that they saw gets others.
        self.config = with_record(config, records[0]) if records else config
        self._records = tuple(records) or records_of(config)
        self._chosen: tuple[Corpus, Record] | None = None
        self._vectors: str | None = None  # whose they are; not known before it is described
        self._declared = declared or {}
        self._store_as = store_as
        self._session_score = session_score
        self._dreams = dreams
        self._score = group_score(session_score)

    def describe(self, workshop: Workshop) -> Mapping[str, Any]:
        """Return its settings, and the fingerprint of what makes its vectors.

        Raises:
            EmbedderError: The model cannot be loaded.
            MissingDependencyError: It needs an optional package.
        """
        embedder = self._embedder(workshop)
        self._vectors = "" if embedder is None else embedder.fingerprint
        with Engine.open(":memory:", config=self.config, embedder=embedder) as engine:
            engine.recall("anything", 1)  # so that a model which a reranker lacks is missed now
        said: dict[str, Any] = {}
        if self._store_as != "memories":
            said |= {"store_as": self._store_as, "session_score": self._session_score}
        if self._dreams:
            said["dreams"] = self._dreams
        if self._records:
            said["folds"] = [_digest(each) for each in self._records]
        return {
            "kind": "engine",
            **said,
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
        """Return it over a corpus.

        Raises:
            SeenError: All weights that it has were learned on this corpus.
        """
        config, embedder = self.config_for(corpus), self._embedder(workshop)
        path = workshop.folder(corpus) / f"{_key(config, self._store_as, self._dreams)}.db"
        clock = ManualClock(corpus.moment)
        known = path.with_suffix(".ids")
        if not known.exists():
            with Engine.open(path, config=config, clock=clock, embedder=embedder) as engine:
                ids = fill(engine, corpus, self._store_as)
                for _ in range(self._dreams):
                    engine.dream(yes=True)
            known.write_bytes(orjson.dumps(ids))
        ids = orjson.loads(known.read_bytes())
        with Engine.open(path, config=config, clock=clock, embedder=embedder) as engine:
            hidden = any("scope" in row["fields"] for row in corpus.memories)
            asked = engine.as_agent(*_READER) if hidden else engine
            grouped = self._store_as == "turns" and bool(corpus.parts)
            score = self._score if grouped else None
            yield _Asked(engine=asked, ids=ids, files=path, score=score)

    def config_for(self, corpus: Corpus) -> EngineConfig:
        """Return the configuration that a corpus is asked with: its weights never saw it.

        Raises:
            SeenError: All of them did.
        """
        if not self._records:
            return self.config
        return with_record(self.config, self._record_for(corpus))

    def judged_with(self, corpus: Corpus) -> str | None:
        """Return what the weights that a corpus is asked with were learned on; None without any.

        Weights for the vectors of another model give way to those that were set by hand.

        Raises:
            SeenError: All of them saw it.
        """
        if not self._records:
            return None
        record = self._record_for(corpus)
        fit = self._vectors is None or self._vectors.startswith(record.get("embedder") or "")
        return described(record if fit else {})

    def _record_for(self, corpus: Corpus) -> Record:
        # To know a corpus again takes all of its words, so the last one is remembered.
        if self._chosen is None or self._chosen[0] is not corpus:
            self._chosen = (corpus, choose_unseen(self._records, corpus))
        return self._chosen[1]


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


def _key(config: EngineConfig, store_as: StoreAs, dreams: int) -> str:
    """Return a name for all that decides what a store holds."""
    parts = config.to_dict()
    dreamt = [parts["dream"], parts["index"], dreams] if dreams else []
    return _digest([parts["store"], parts["embedding"], store_as, dreamt])[:16]


def _digest(value: object) -> str:
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()


def from_spec(spec: SystemSpec, *, seed: int, store: Mapping[str, Any]) -> EngineSystem:
    """Return an engine with the settings of a specification."""
    return EngineSystem(
        config_of(spec.settings, seed=seed, store=store),
        spec.settings,
        store_as=cast("StoreAs", spec.store_as),
        session_score=spec.session_score,
        dreams=spec.dreams,
        records=() if spec.folds is None else read_folds(Path(spec.folds)),
    )
