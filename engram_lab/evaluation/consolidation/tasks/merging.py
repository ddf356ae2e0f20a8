"""Task 1: what says the same becomes one, and what only looks alike does not."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Final

import numpy as np

from engram_lab.core.text import content_hash
from engram_lab.evaluation.consolidation.asking import standing
from engram_lab.evaluation.consolidation.filling import staged
from engram_lab.evaluation.consolidation.groups import Sets, b_cubed, drawn_pairs, pair_precision
from engram_lab.evaluation.consolidation.outcome import Observed, Outcome
from engram_lab.evaluation.consolidation.rewording import in_free_words, reworded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from engram_lab.consolidation import Step
    from engram_lab.evaluation.consolidation.filling import Play, Stage
    from engram_lab.evaluation.consolidation.outcome import Setting
    from engram_lab.evaluation.consolidation.world.phrases import Wording
    from engram_lab.evaluation.consolidation.world.told import World
    from engram_lab.retrieval.embedders import Embedder

__all__ = ["Merging"]

_COSINE: Final = 0.9
_PAIRS: Final = 20_000
"""So many pairs of a system are judged one by one; of more, as many are drawn."""
_ROWS: Final = 256
"""Memories compared with all at once."""
_NEVER: Final = 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Merging:
    """Merges a world that holds exact repeats, paraphrases and near-misses.

    Systems: `dream` takes the step `merge`; `cosine_90` joins what is nearer than 0.9,
    `cosine_same_recall` what is nearer than lets it find as many of the true pairs as the dream;
    `exact_hash` joins equal normalised texts; `random_pairs` joins as many as the dream, by lot.

    The world is one in plain words, in which two tellings of a fact have its own word in common.
    Measures that end in `.reworded` are of the same facts in free words (see the package `world`).

    Attributes:
        step: What merges, by name, or one of one's own.
    """

    name: str = field(default="merging", init=False)
    step: str | Step = "merge"

    def run(self, setting: Setting) -> Outcome:
        """Let it dream, and judge the groups that come of it, and those of the nulls."""
        world, systems = self._groups(setting, "plain")
        facts: list[tuple[str, float]] = _counts(world)
        for system, groups in systems.items():
            merged, right = pair_precision(groups, truth_of(world))
            facts += [(f"merging.pairs.{system}", merged), (f"merging.right_pairs.{system}", right)]
        observed = _judged(world, systems, seed=setting.seed)
        world, systems = self._groups(in_free_words(setting), "free")
        facts += [(f"{name}.reworded", count) for name, count in _counts(world)]
        observed += reworded(_judged(world, systems, seed=setting.seed))
        return Outcome(task=self.name, observed=tuple(observed), facts=tuple(facts))

    def _groups(
        self, setting: Setting, wording: Wording
    ) -> tuple[World, dict[str, dict[str, str]]]:
        """Return the world in a wording, and the groups that each system makes of it."""
        told = setting.say
        with staged(setting, wording=wording) as stage:
            told("dreaming")
            with stage.copy("merging") as play:
                play.engine.dream(steps=[self.step], yes=True)
                dreamt = groups_of(play)
            told("joining by cosine")
            systems = {"dream": dreamt, **dict(_nulls(stage, dreamt, seed=setting.seed))}
        return stage.first.world, systems


def _judged(world: World, systems: Mapping[str, Mapping[str, str]], *, seed: int) -> list[Observed]:
    return [
        each
        for system, groups in systems.items()
        for each in judged(world, groups, system=system, seed=seed)
    ]


def truth_of(world: World) -> dict[str, str]:
    """Return the fact of each memory, by key."""
    return {each.key: each.fact for each in world.told}


def groups_of(play: Play) -> dict[str, str]:
    """Return what each memory was merged into, by keys of the world; itself where it was not."""
    stands = standing(play)
    return {key: stands.survivor(id_) for key, id_ in play.ids.items()}


def judged(
    world: World, groups: Mapping[str, str], *, system: str, seed: int
) -> Iterator[Observed]:
    """Yield what is to be said of a grouping: by pairs, by kind of pair, and by B³.

    Args:
        world: Whose truth it is held against.
        groups: What stands for the group of each memory, by key.
        system: Who made it.
        seed: For drawing pairs where there are too many.
    """
    truth = truth_of(world)
    entity = {each.key: each.entity for each in world.told}
    for left, right in drawn_pairs(groups, most=_PAIRS, seed=seed):
        value = float(truth[left] == truth[right])
        yield Observed(system, "merge_precision", f"{left}+{right}", entity[left], value)
    for left, right, kind in true_pairs(world):
        value = float(groups[left] == groups[right])
        unit = f"{left}+{right}"
        yield Observed(system, "merge_recall", unit, entity[left], value)
        yield Observed(system, f"merge_recall.{kind}", unit, entity[left], value)
    for left, right, kind in world.near_misses:
        value = float(groups[left] == groups[right])
        unit = f"{left}+{right}"
        yield Observed(system, "near_miss_overmerge", unit, entity[left], value)
        yield Observed(system, f"near_miss_overmerge.{kind}", unit, entity[left], value)
    for key, each in b_cubed(groups, truth).items():
        yield Observed(system, "b3_precision", key, entity[key], each.precision)
        yield Observed(system, "b3_recall", key, entity[key], each.recall)
        yield Observed(system, "b3_f1", key, entity[key], each.f1)


def true_pairs(world: World) -> Iterator[tuple[str, str, str]]:
    """Yield the pairs that tell one fact, each with its kind: `exact` or `paraphrase`."""
    for tellings in world.tellings().values():
        for left, right in combinations(tellings, 2):
            same = content_hash(left.text) == content_hash(right.text)
            yield left.key, right.key, "exact" if same else "paraphrase"


def _counts(world: World) -> list[tuple[str, float]]:
    kinds = [kind for _, _, kind in true_pairs(world)]
    return [
        ("merging.memories", len(world.told)),
        ("merging.exact_pairs", kinds.count("exact")),
        ("merging.paraphrase_pairs", kinds.count("paraphrase")),
        ("merging.near_misses", len(world.near_misses)),
    ]


def _nulls(
    stage: Stage, dreamt: Mapping[str, str], *, seed: int
) -> Iterator[tuple[str, dict[str, str]]]:
    world = stage.first.world
    keys = [each.key for each in world.told]
    exact = Sets(keys)
    first: dict[str, str] = {}
    for each in world.told:
        exact.join(first.setdefault(content_hash(each.text), each.key), each.key)
    yield "exact_hash", exact.groups()
    drawn, rng = Sets(keys), np.random.default_rng(seed)
    joined = len(keys) - len(set(dreamt.values()))
    for one, other in rng.integers(len(keys), size=(joined, 2)).tolist():
        drawn.join(keys[one], keys[other])
    yield "random_pairs", drawn.groups()
    if stage.embedder is None:
        return
    vectors = _vectors(stage.embedder, [each.text for each in world.told])
    yield "cosine_90", _joined(keys, vectors, _COSINE)
    yield "cosine_same_recall", _joined(keys, vectors, _threshold(world, vectors, dreamt))


def _vectors(embedder: Embedder, texts: Sequence[str]) -> NDArray[np.float32]:
    found = embedder.embed(texts, kind="document")
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    return np.asarray(found / np.maximum(lengths, np.finfo(np.float32).tiny), np.float32)


def _threshold(world: World, vectors: NDArray[np.float32], dreamt: Mapping[str, str]) -> float:
    """Return the highest cosine at which as many true pairs are joined as the dream joined."""
    places = {each.key: place for place, each in enumerate(world.told)}
    pairs = [(places[left], places[right]) for left, right, _ in true_pairs(world)]
    found = sum(dreamt[left] == dreamt[right] for left, right, _ in true_pairs(world))
    if not found:
        return _NEVER
    left, right = np.array(pairs).T
    cosines = np.sort((vectors[left] * vectors[right]).sum(axis=1))[::-1]
    return float(cosines[found - 1])


def _joined(keys: Sequence[str], vectors: NDArray[np.float32], threshold: float) -> dict[str, str]:
    """Return the groups in which each is joined with all that are as near as a threshold.

    Whole labels are joined at once: a low threshold makes one group of nearly all pairs.
    """
    labels = np.arange(len(keys))
    for start in range(0, len(keys), _ROWS):
        near = vectors[start : start + _ROWS] @ vectors[start:].T >= threshold
        near[np.arange(len(near)), np.arange(len(near))] = True  # each is as near to itself
        for row in near:
            joined = np.unique(labels[start:][row])
            if len(joined) > 1:
                chosen = np.zeros(len(keys), np.bool_)
                chosen[joined] = True
                labels[chosen[labels]] = joined[0]
    return {key: keys[label] for key, label in zip(keys, labels.tolist(), strict=True)}
