"""Task 5: whether links that were learned from use find what no word and no meaning leads to."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple, Self

import numpy as np

from engram_lab.consolidation.shuffled import shuffled
from engram_lab.core.clock import ManualClock
from engram_lab.core.ids import IdSource
from engram_lab.engine import Engine
from engram_lab.evaluation.consolidation.outcome import Curve, Observed, Outcome
from engram_lab.evaluation.consolidation.streams import make_stream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from engram_lab.config import EngineConfig
    from engram_lab.evaluation.consolidation.outcome import Setting
    from engram_lab.evaluation.consolidation.streams import Asked, Probe, Stream

__all__ = ["EDGE_SYSTEMS", "Linking"]

EDGE_SYSTEMS: Final = (
    *("no_edges", "content_edges", "hebbian", "shuffled_hebbian", "counting_hebbian", "oracle"),
)
"""None; by cosine, as many as were learned; learned; those rewired; learned by the rule of simple
systems, that every recall of two binds them; what was planted."""

_K: Final = 10
_BEGIN: Final = datetime(2031, 3, 3, 8, 0, tzinfo=UTC)
_MOST_MEMORIES: Final = 5_000
"""More only make the haystack larger, and the links that are learned stay the same."""
_ALONG_THE_WAY: Final = 150
"""Probes that are asked after each night."""
_ROWS: Final = 512


class _Edge(NamedTuple):
    """A link between two memories of the stream, by their ids there."""

    one: str
    other: str
    weight: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Linking:
    """Asks for hidden pairs, dreams, and asks for the one by the other.

    Attributes:
        share: Weight of activation that spreads over links, when probes are asked.
        steps: How far it spreads.
    """

    share: float = 0.2
    steps: int = 2
    name: str = field(default="linking", init=False)

    def run(self, setting: Setting) -> Outcome:
        """Return the lift of each edge system, how often the popular win, and counts."""
        stream = make_stream(min(setting.size, _MOST_MEMORIES), setting.seed)
        with (
            _Room(stream, setting, _learning(setting.config)) as training,
            _Room(stream, setting, _counting(setting.config)) as counting,
            _Room(stream, setting, self._probing(setting.config)) as probing,
        ):
            curve, learned = _taught(training, probing, stream, setting)
            _tell(setting, "asking the same of one that counts")
            for asked in stream.nights:
                counting.night(asked)
            edges = {
                "no_edges": (),
                "content_edges": tuple(_by_content(training, stream, count=len(learned))),
                "hebbian": learned,
                "shuffled_hebbian": _rewired(learned, seed=setting.seed),
                "counting_hebbian": counting.learned(),
                "oracle": tuple(_Edge(one, other, 1.0) for one, other in stream.pairs),
            }
            observed: list[Observed] = []
            without: dict[str, float] = {}
            for system in EDGE_SYSTEMS:
                _tell(setting, f"asking {len(stream.probes)} probes over {system}")
                probing.link(edges[system])
                found = {each.id: probing.partner_found(each) for each in stream.probes}
                without = without or found
                observed += _lifts(system, stream.probes, found, without)
                observed += _traps(system, stream, probing)
        facts = {
            "linking.memories": len(stream.memories),
            "linking.questions": sum(map(len, stream.nights)),
            "linking.planted_pairs": len(stream.pairs),
            **{f"linking.edges.{name}": len(some) for name, some in edges.items()},
            "linking.spread_share": self.share,
        }
        return Outcome(
            task=self.name,
            observed=tuple(observed),
            curves=(curve,),
            facts=tuple((name, float(value)) for name, value in facts.items()),
        )

    def _probing(self, config: EngineConfig) -> EngineConfig:
        retrieval = replace(
            config.retrieval, profile="neutral", spread_share=self.share, spread_steps=self.steps
        )
        learning = replace(config.learning, record_recalls=False)
        return replace(config, retrieval=retrieval, learning=learning)


def _learning(config: EngineConfig) -> EngineConfig:
    """Return the configuration under which the stream is asked: no link takes part in an answer.

    What links find would else be recorded as asked for together, and confirm them.
    """
    retrieval = replace(config.retrieval, profile="neutral", spread_share=0.0)
    return replace(
        config, retrieval=retrieval, learning=replace(config.learning, record_recalls=True)
    )


def _counting(config: EngineConfig) -> EngineConfig:
    """Return the configuration of one that learns by counting alone."""
    return _learning(replace(config, dream=replace(config.dream, hebbian_rule="counting")))


class _Room:
    """An engine that holds the memories of a stream.

    Args:
        stream: What is stored.
        setting: Its seed, and its embedder.
        config: Of the engine.
    """

    def __init__(self, stream: Stream, setting: Setting, config: EngineConfig) -> None:
        self.clock = ManualClock(_BEGIN)
        self.engine = Engine.open(
            ":memory:", config=config, clock=self.clock, embedder=setting.embedder
        )
        ids = IdSource(f"linking/{setting.seed}")
        self.ids = {each.id: ids.new(_BEGIN) for each in stream.memories}
        self._names = {id_: name for name, id_ in self.ids.items()}
        self._linked: list[str] = []
        self.engine.remember_many(
            [{"id": self.ids[each.id], "content": each.content} for each in stream.memories]
        )
        self.engine.embed()

    def ask(self, text: str) -> list[str]:
        """Return what is found, as ids of the stream, best first."""
        return [self._names[hit.id] for hit in self.engine.recall(text, _K)]

    def partner_found(self, probe: Probe) -> float:
        """Return 1 where what a probe wants is among the first hits, else 0."""
        return float(probe.wanted in self.ask(probe.text))

    def night(self, asked: Sequence[Asked]) -> None:
        """Ask questions over a day, and dream of them."""
        for each in asked:
            self.clock.advance(minutes=5)
            self.ask(each.text)
        self.clock.advance(hours=6)
        self.engine.dream(steps=["hebbian"], yes=True)
        self.clock.advance(hours=6)

    def learned(self) -> tuple[_Edge, ...]:
        """Return the links that dreams made, in the order of their ends."""
        dreams = self.engine.store.dreams
        columns, links = dreams.columns("default"), dreams.links("default")
        names = dict(zip(columns.keys.tolist(), columns.ids, strict=True))
        rows = zip(
            links.from_keys.tolist(),
            links.to_keys.tolist(),
            links.weights.tolist(),
            links.sources,
            strict=True,
        )
        edges = [
            _edge(self._names[names[one]], self._names[names[other]], weight)
            for one, other, weight, source in rows
            if source.startswith("dream:")
        ]
        return tuple(sorted(edges))

    def link(self, edges: Sequence[_Edge]) -> None:
        """Close all links that were made here, and make these."""
        self.clock.advance(seconds=1)
        store = self.engine.store
        with store.transaction():
            for id_ in self._linked:
                store.links.close(id_)
            self._linked = [
                store.links.put(
                    self.ids[each.one],
                    self.ids[each.other],
                    type="coactivation",
                    weight=each.weight,
                ).id
                for each in edges
            ]
        self.clock.advance(seconds=1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.engine.close()


def _taught(
    training: _Room, probing: _Room, stream: Stream, setting: Setting
) -> tuple[Curve, tuple[_Edge, ...]]:
    """Ask and dream night by night; return how many partners each finds, and the last links."""
    some = stream.probes[:: max(1, len(stream.probes) // _ALONG_THE_WAY)]
    shares = [_mean([probing.partner_found(each) for each in some])]
    learned: tuple[_Edge, ...] = ()
    for number, asked in enumerate(stream.nights, 1):
        _tell(setting, f"asking {len(asked)} questions before dream {number}")
        training.night(asked)
        learned = training.learned()
        probing.link(learned)
        shares.append(_mean([probing.partner_found(each) for each in some]))
    nights = tuple(float(night) for night in range(len(shares)))
    return Curve("partners found by nights", "hebbian", nights, tuple(shares)), learned


def _lifts(
    system: str,
    probes: Sequence[Probe],
    found: Mapping[str, float],
    without: Mapping[str, float],
) -> Iterator[Observed]:
    for each in probes:
        unit = f"{each.hops} hop{'s' if each.hops > 1 else ''}::{each.id}"
        lift = found[each.id] - without[each.id]
        yield Observed(system, "hebbian_lift", unit, each.chain, lift)
        yield Observed(system, "partner_recall@10", unit, each.chain, found[each.id])


def _traps(system: str, stream: Stream, room: _Room) -> Iterator[Observed]:
    """Yield whether a popular memory, which answers nothing, comes before the one that is named."""
    popular = set(stream.popular)
    for number, each in enumerate(stream.traps):
        first = room.ask(each.text)[:1]
        unit = f"popular words::{number:04}"
        wins, right = float(bool(popular & set(first))), float(first == list(each.wants))
        yield Observed(system, "popular_wrong@1", unit, each.wants[0], wins)
        yield Observed(system, "named@1", unit, each.wants[0], right)


def _rewired(edges: Sequence[_Edge], *, seed: int) -> tuple[_Edge, ...]:
    """Return as many links with the same weights, in which every memory keeps how many it has."""
    names = sorted({name for each in edges for name in (each.one, each.other)})
    places = {name: place for place, name in enumerate(names)}
    starts = np.array([places[each.one] for each in edges], np.int64)
    ends = np.array([places[each.other] for each in edges], np.int64)
    one, other = shuffled(starts, ends, seed=seed)
    return tuple(
        _edge(names[first], names[second], each.weight)
        for first, second, each in zip(one.tolist(), other.tolist(), edges, strict=True)
    )


def _edge(one: str, other: str, weight: float) -> _Edge:
    return _Edge(min(one, other), max(one, other), weight)


def _by_content(room: _Room, stream: Stream, *, count: int) -> Iterator[_Edge]:
    """Yield the pairs that are nearest by meaning, as many as asked for."""
    names = [each.id for each in stream.memories]
    vectors = room.engine.embedder.embed(
        [each.content for each in stream.memories], kind="document"
    )
    best = np.empty((0, 3))
    for start in range(0, len(names) if count else 0, _ROWS):
        cosines = vectors[start : start + _ROWS] @ vectors.T
        rows = np.arange(start, start + len(cosines))
        ours, others = np.nonzero(np.arange(len(names)) > rows[:, None])
        some = np.column_stack([ours + start, others, cosines[ours, others]])
        best = np.concatenate([best, some])
        best = best[np.lexsort((best[:, 1], best[:, 0], -best[:, 2]))[:count]]
    for one, other, cosine in best.tolist():
        yield _edge(names[int(one)], names[int(other)], min(1.0, max(0.0, cosine)))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _tell(setting: Setting, text: str) -> None:
    setting.say(text)
