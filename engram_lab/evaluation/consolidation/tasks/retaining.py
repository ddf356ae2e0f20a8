"""Task 3: what still holds is found while the store shrinks; against what forgets blindly."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from engram_lab.consolidation import STEPS
from engram_lab.core.text import CHARS_PER_TOKEN
from engram_lab.evaluation.consolidation.asking import recall, standing
from engram_lab.evaluation.consolidation.filling import staged
from engram_lab.evaluation.consolidation.outcome import Curve, Observed, Outcome
from engram_lab.evaluation.consolidation.placebos import PLACEBOS, placebo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from engram_lab.config import DreamSettings
    from engram_lab.consolidation import Step
    from engram_lab.evaluation.consolidation.filling import Play, Stage
    from engram_lab.evaluation.consolidation.outcome import Setting
    from engram_lab.evaluation.consolidation.world.told import Question

    Steps = Callable[[int], Sequence[str | Step]]

__all__ = ["BUDGETS", "Retaining", "areas", "areas_between"]

BUDGETS: Final = (1.0, 0.9, 0.75, 0.5, 0.35, 0.2, 0.1)
"""Shares of the memories that may be found, one dream after the other."""

_HALF: Final = 0.5
_K: Final = 10
_MOST: Final = 300
"""So many questions are asked after each dream."""


class _Point(NamedTuple):
    """What was found after one dream: of each question 1 or 0, and how large the store was."""

    share: float
    memories: int
    tokens: int
    found: tuple[float, ...]


def prune_to(settings: DreamSettings, keep: int) -> Step:
    """Return the step that prunes to so many memories."""
    return STEPS.get("prune")(replace(settings, prune_most_memories=keep))


@dataclass(frozen=True, kw_only=True, slots=True)
class Retaining:
    """Dreams a store down to smaller and smaller budgets, and asks for what still holds.

    An answer is found where one of ten hits carries the fact: a memory that tells it, what that was
    merged into, or a gist that is derived from it and holds the value. Systems: `dream` takes the
    steps merge, supersede and prune to the budget; the placebos hide as many memories without
    looking at what they say. Measures: `retention_auc`, the area under a question's curve over the
    share that is kept, from the smallest budget to the whole, divided by that span;
    `retention@50`, at half of the memories.

    A gist is one memory and may hold many facts: what it costs is seen over tokens, in the second
    plot and in `retention_auc.tokens`, the area over the share of the tokens, from the smallest to
    which all arms came to the whole. `fade` and `abstract` are those steps, as they are set, and
    pruning to the budget, without merge and supersede; what `fade` adds to pruning is seen beside
    `dream` in `retention_auc.prune`. Each step also stands alone beside its placebos, as `dream` in
    `retention_auc.prune`, `retention.merge` (at the size to which merging alone comes) and
    `retention.supersede`.

    Attributes:
        merge: What merges, by name, or one of one's own.
        supersede: What closes what is outdated, likewise.
        prune: Returns what prunes to a number of memories, by the settings of dreams.
        alone: Steps that are tried with pruning behind them, without merging or superseding.
        budgets: Shares of the memories that are kept, falling, a half among them.
    """

    name: str = field(default="retaining", init=False)
    merge: str | Step = "merge"
    supersede: str | Step = "supersede"
    prune: Callable[[DreamSettings, int], Step] = prune_to
    alone: tuple[str, ...] = ("fade", "abstract")
    budgets: tuple[float, ...] = BUDGETS

    def run(self, setting: Setting) -> Outcome:
        """Dream down each arm on a copy of the world, and ask after each dream."""
        told = setting.say
        with staged(setting) as stage:
            asked = stage.first.world.wanted[:_MOST]
            count = len(stage.first.world.told)
            told("asking without a dream")
            whole = _point(stage.first, asked, share=1.0)
            told("merging alone, superseding alone")
            merged = next(_arm(stage, asked, "merge", lambda _: [self.merge], [1.0]))
            closed = next(_arm(stage, asked, "supersede", lambda _: [self.supersede], [1.0]))
            curves: dict[str, list[_Point]] = {}
            for name, steps in self._arms(setting.config.dream).items():
                told(f"dreaming down: {name}")
                curves[name] = list(_arm(stage, asked, name, steps, self.budgets))
            sizes: dict[str, _Point] = {}
            for name in PLACEBOS:
                told(f"dreaming down: {name}")
                shares = sorted({*self.budgets[1:], merged.memories / count}, reverse=True)
                points = list(_arm(stage, asked, name, _to(name), shares))
                sizes[name] = points[shares.index(merged.memories / count)]
                curves[name] = [whole, *(each for each in points if each.share in self.budgets)]
        observed = [*_observed(asked, curves), *_by_tokens(asked, curves, whole)]
        observed += _values(asked, "dream", "retention.merge", merged.found)
        for name, point in sizes.items():
            observed += _values(asked, name, "retention.merge", point.found)
        observed += _values(asked, "dream", "retention.supersede", closed.found)
        observed += _values(asked, "no_dream", "retention.supersede", whole.found)
        sides = {name: each for name, each in curves.items() if name != "prune"}
        return Outcome(
            task=self.name,
            observed=tuple(observed),
            curves=tuple(_curves({**sides, "prune_alone": curves["prune"]})),
            facts=tuple(_facts({**curves, "merge": [merged]}, whole)),
        )

    def _arms(self, settings: DreamSettings) -> Mapping[str, Steps]:
        """Return what is dreamt at a budget: by the whole dream, and by single steps."""
        return {
            "dream": lambda keep: [self.merge, self.supersede, self.prune(settings, keep)],
            "prune": lambda keep: [self.prune(settings, keep)],
            **{name: self._and_prune(name, settings) for name in self.alone},
        }

    def _and_prune(self, name: str, settings: DreamSettings) -> Steps:
        return lambda keep: [name, self.prune(settings, keep)]


def _to(name: str) -> Steps:
    return lambda keep: [placebo(name, keep=keep)]


def _arm(
    stage: Stage, asked: Sequence[Question], name: str, steps: Steps, shares: Sequence[float]
) -> Iterator[_Point]:
    """Yield what is found after each of some dreams, one an hour after the other, on one copy."""
    count = len(stage.first.world.told)
    with stage.copy(name) as play:
        for share in shares:
            play.engine.dream(steps=list(steps(max(1, round(share * count)))), yes=True)
            yield _point(play, asked, share=share)
            play.clock.advance(hours=1)


def _point(play: Play, asked: Sequence[Question], *, share: float) -> _Point:
    stands = standing(play)
    columns = play.engine.store.dreams.columns("default")
    chars = columns.chars[~columns.archived]
    found = tuple(
        float(any(each.answer in hit.facts for hit in recall(play, each.text, _K, stands)))
        for each in asked
    )
    return _Point(share, len(chars), int((-(-chars // CHARS_PER_TOKEN)).sum()), found)


def _values(
    asked: Sequence[Question], system: str, measure: str, values: Sequence[float]
) -> Iterator[Observed]:
    for each, value in zip(asked, values, strict=True):
        yield Observed(system, measure, each.key, each.entity, value)


def areas(shares: Sequence[float], found: Sequence[Sequence[float]]) -> list[float]:
    """Return for each question the mean height of its curve, by the trapezoidal rule.

    Args:
        shares: Of the memories that are kept, falling.
        found: After each dream what was found of each question.
    """
    x, y = np.array(shares)[::-1], np.array(found)[::-1]
    heights = (y[1:] + y[:-1]) / 2 * np.diff(x)[:, None]
    area: list[float] = (heights.sum(axis=0) / (x[-1] - x[0])).tolist()
    return area


def areas_between(
    sizes: Sequence[float], found: Sequence[Sequence[float]], *, low: float, high: float
) -> list[float]:
    """Return for each question the mean height of its curve over one span for all systems.

    Between the sizes to which a store came the curve is straight; beyond the largest and below the
    smallest it goes on level.

    Args:
        sizes: Of the store after each dream, in any order.
        found: After each dream what was found of each question.
        low: Where the span begins.
        high: Where it ends.
    """
    order = np.argsort(sizes, kind="stable")
    x, y = np.array(sizes, np.float64)[order], np.array(found, np.float64)[order]
    grid = np.unique([low, *x[(x > low) & (x < high)], high])
    heights = np.array([np.interp(grid, x, each) for each in y.T])
    area: list[float] = (np.trapezoid(heights, grid, axis=1) / (high - low)).tolist()
    return area


def _observed(
    asked: Sequence[Question], curves: Mapping[str, Sequence[_Point]]
) -> Iterator[Observed]:
    for name, points in curves.items():
        area = areas([each.share for each in points], [each.found for each in points])
        half = next(each.found for each in points if each.share == _HALF)
        if name != "prune":
            yield from _values(asked, name, "retention_auc", area)
            yield from _values(asked, name, "retention@50", half)
        if name in {"prune", "fade", *PLACEBOS}:
            system = "dream" if name == "prune" else name
            yield from _values(asked, system, "retention_auc.prune", area)
            yield from _values(asked, system, "retention@50.prune", half)


def _by_tokens(
    asked: Sequence[Question], curves: Mapping[str, Sequence[_Point]], whole: _Point
) -> Iterator[Observed]:
    low = max(min(point.tokens for point in points) for points in curves.values())
    if low >= whole.tokens:
        return
    for name, points in curves.items():
        if name != "prune":
            tokens, found = [each.tokens for each in points], [each.found for each in points]
            area = areas_between(tokens, found, low=low, high=whole.tokens)
            yield from _values(asked, name, "retention_auc.tokens", area)


def _curves(curves: Mapping[str, Sequence[_Point]]) -> Iterator[Curve]:
    for name, points in curves.items():
        y = tuple(float(np.mean(each.found)) for each in points)
        yield Curve("retention by memories", name, tuple(float(p.memories) for p in points), y)
        yield Curve("retention by tokens", name, tuple(float(p.tokens) for p in points), y)


def _facts(curves: Mapping[str, Sequence[_Point]], whole: _Point) -> Iterator[tuple[str, float]]:
    yield "retaining.questions", float(len(whole.found))
    yield "retaining.memories", float(whole.memories)
    yield "retaining.tokens", float(whole.tokens)
    for name, points in curves.items():
        for each in points:
            at = f"{name}@{round(100 * each.share)}"
            yield f"retaining.memories.{at}", float(each.memories)
            yield f"retaining.tokens.{at}", float(each.tokens)
            yield f"retaining.found.{at}", float(np.mean(each.found))
