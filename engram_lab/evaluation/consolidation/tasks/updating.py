"""Task 2: what holds now comes before what held, and what held then is found for then."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final

from engram_lab.evaluation.consolidation.asking import Carried, Standing, recall, standing
from engram_lab.evaluation.consolidation.closing import closed, replaced
from engram_lab.evaluation.consolidation.filling import staged
from engram_lab.evaluation.consolidation.outcome import Observed, Outcome
from engram_lab.evaluation.consolidation.rewording import in_free_words, reworded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from engram_lab.consolidation import Step
    from engram_lab.evaluation.consolidation.filling import Play, Stage
    from engram_lab.evaluation.consolidation.outcome import Setting
    from engram_lab.evaluation.consolidation.world.told import Question, Told, World
    from engram_lab.retrieval.embedders import Embedder

    Answering = Callable[[Question], Sequence[Carried]]

__all__ = ["Updating"]

_K: Final = 10
_STALE: Final = 5
_ALIKE: Final = 0.7
"""From which cosine with the first hit on `cosine_latest` takes another to be of the same thing."""
_MOST: Final = 500
"""So many questions are asked of each sort."""
_KNOWN: Final = 25_000
_FEWEST_KNOWN: Final = 5
"""Of what the store knew at a moment few questions are asked, the fewer the larger the world, but
this many: each looks at all memories."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Updating:
    """Asks of what changed: about now, about a moment, and about what was known at a moment.

    Systems: `dream` takes the steps `merge` and `supersede`, `supersede_alone` the latter;
    `no_dream` is the store as it was filled, `recency_rerank` its ten hits as a mean of their order
    and of the order of their times, `cosine_latest` the latest of those hits that are like the
    first one.

    The world is one in plain words, in which all that is told of an attribute has its own word in
    it. Measures that end in `.reworded` are of the same facts in free words (see the package
    `world`), of the same questions.

    Attributes:
        merge: What merges, by name, or one of one's own.
        supersede: What closes what is outdated, likewise.
    """

    name: str = field(default="updating", init=False)
    merge: str | Step = "merge"
    supersede: str | Step = "supersede"

    def run(self, setting: Setting) -> Outcome:
        """Ask without a dream, then dream, and ask again."""
        observed: list[Observed] = []
        with staged(setting) as stage:
            asked = list(_questions(stage.first.world))
            observed += _undreamt(stage, asked, setting)
            known = _known(stage.first)
            for system, play, stands in self._dreamt(stage, setting):
                observed += _answered(play, asked, stands, system=system)
                observed += closed(play, stands, system=system)
                observed += replaced(play, system=system)
                if system == "dream":
                    observed += _as_before(known, _known(play), play.world)
        observed += reworded(self._in_free_words(in_free_words(setting)))
        world = stage.first.world
        facts = (
            ("updating.changed", float(len(world.present))),
            ("updating.late", float(sum(fact.manner == "late" for fact in world.facts.values()))),
        )
        return Outcome(task=self.name, observed=tuple(observed), facts=facts)

    def _in_free_words(self, setting: Setting) -> Iterator[Observed]:
        with staged(setting, wording="free") as stage:
            asked = list(_questions(stage.first.world))
            yield from _undreamt(stage, asked, setting)
            for system, play, stands in self._dreamt(stage, setting):
                yield from _answered(play, asked, stands, system=system)

    def _dreamt(self, stage: Stage, setting: Setting) -> Iterator[tuple[str, Play, Standing]]:
        """Yield each arm after its dream, on a copy of its own."""
        told = setting.say
        arms = {"dream": [self.merge, self.supersede], "supersede_alone": [self.supersede]}
        for system, steps in arms.items():
            told(f"dreaming: {system}")
            with stage.copy(system) as play:
                play.engine.dream(steps=steps, yes=True)
                yield system, play, standing(play)


def _undreamt(stage: Stage, asked: Sequence[Question], setting: Setting) -> Iterator[Observed]:
    """Yield what is to be said of the store as it was filled, and of rerankings of its answers."""
    setting.say("asking without a dream")
    stands = standing(stage.first)
    answers = {each.key: _hits(stage.first, each, stands) for each in asked}
    nulls = _Nulls(stage, answers)
    yield from judged(asked, lambda each: answers[each.key], system="no_dream")
    yield from judged(asked, nulls.by_recency, system="recency_rerank")
    yield from judged(asked, nulls.latest_alike, system="cosine_latest")


def _answered(
    play: Play, asked: Sequence[Question], stands: Standing, *, system: str
) -> Iterator[Observed]:
    yield from judged(asked, lambda each: _hits(play, each, stands), system=system)


def _questions(world: World) -> Iterator[Question]:
    yield from world.present[:_MOST]
    yield from world.past[:_MOST]


def _hits(play: Play, question: Question, stands: Standing) -> list[Carried]:
    return recall(play, question.text, _K, stands, valid_at=question.at)


def judged(asked: Iterable[Question], answering: Answering, *, system: str) -> Iterator[Observed]:
    """Yield what is to be said of the answers to questions about now and about moments.

    About now: `current@1` is whether the first hit carries what holds, `stale@1` whether it carries
    what does not and nothing that does, `stale@1.silent` and so on the same by how the change was
    told, `stale@5` how many such hits are among the first five (the measure of the retrieval
    suites), `current_above_stale` whether what holds stands above all of them. About a moment:
    `as_of_accuracy` is whether the first of ten hits that tells of this thing at all tells what
    held then, so that what else is found does not blur it; `as_of@1` whether the first hit does;
    `as_of_accuracy.late` is of what was told late, after what followed it.
    """
    for each in asked:
        hits, stale = answering(each), frozenset(each.stale)
        outdated = [bool(hit.facts & stale) and each.answer not in hit.facts for hit in hits]
        right = [each.answer in hit.facts for hit in hits]
        first = float(right[0]) if right else 0.0
        above = float(True in right and True not in outdated[: right.index(True)])
        if each.at is None:
            values = {
                "current@1": first,
                "stale@1": float(outdated[0]) if outdated else 0.0,
                "stale@5": float(sum(outdated[:_STALE])),
                "current_above_stale": above,
            }
            values[f"stale@1.{each.manner}"] = values["stale@1"]
        else:
            values = {"as_of_accuracy": above, "as_of@1": first}
            values |= {"as_of_accuracy.late": above} if each.manner == "late" else {}
        for measure, value in values.items():
            yield Observed(system, measure, each.key, each.entity, value)


def _known(play: Play) -> dict[str, list[str]]:
    """Return the ids of what is answered as of moments: by what the store knew then."""
    return {
        each.key: [hit.id for hit in play.engine.recall(each.text, _K, as_of=each.at)]
        for each in play.world.past[: max(_FEWEST_KNOWN, _KNOWN // len(play.ids))]
    }


def _as_before(
    before: Mapping[str, list[str]], after: Mapping[str, list[str]], world: World
) -> Iterator[Observed]:
    """Yield whether record time is as it was: a dream of today changes no answer as of then."""
    for each in world.past[: len(before)]:
        value = float(before[each.key] == after[each.key])
        yield Observed("dream", "as_known_unchanged", each.key, each.entity, value)


class _Nulls:
    """What a plain reranking of the hits without a dream makes of them."""

    def __init__(self, stage: Stage, answers: dict[str, list[Carried]]) -> None:
        keys = {id_: key for key, id_ in stage.first.ids.items()}
        by_key = {each.key: each for each in stage.first.world.told}
        self._told = {id_: by_key[key] for id_, key in keys.items()}
        self._embedder: Embedder | None = stage.embedder
        self._answers = answers

    def _at(self, told: Told) -> datetime:
        return told.event_at or told.recorded_at

    def _before(self, question: Question) -> list[Carried]:
        """Return the hits that are not of a time after the moment that is asked of."""
        hits = self._answers[question.key]
        if question.at is None:
            return list(hits)
        return [hit for hit in hits if self._at(self._told[hit.id]) <= question.at]

    def by_recency(self, question: Question) -> Sequence[Carried]:
        """Return the hits by the mean of their rank and of the rank of their time."""
        hits = self._before(question)
        latest = sorted(hits, key=lambda hit: self._at(self._told[hit.id]), reverse=True)
        times = {hit.id: rank for rank, hit in enumerate(latest)}
        ranks = {hit.id: rank for rank, hit in enumerate(hits)}
        return sorted(hits, key=lambda hit: (times[hit.id] + ranks[hit.id], ranks[hit.id]))

    def latest_alike(self, question: Question) -> Sequence[Carried]:
        """Return the hits that are like the first one, latest first, then the others."""
        hits = self._before(question)
        if self._embedder is None or not hits:
            return hits
        texts = [self._told[hit.id].text for hit in hits]
        vectors: NDArray[np.float32] = self._embedder.embed(texts, kind="document")
        cosines = (vectors @ vectors[0]).tolist()
        alike = [hit for hit, cosine in zip(hits, cosines, strict=True) if cosine >= _ALIKE]
        alike.sort(key=lambda hit: self._at(self._told[hit.id]), reverse=True)
        return [*alike, *(hit for hit in hits if hit not in alike)]
