"""Task 4: thirty nights without news lose nothing that must be kept, and make no recall hole."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from engram_lab.evaluation.consolidation.asking import recall, standing
from engram_lab.evaluation.consolidation.filling import staged
from engram_lab.evaluation.consolidation.outcome import Curve, Observed, Outcome
from engram_lab.evaluation.consolidation.placebos import placebo

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from engram_lab.consolidation import Step
    from engram_lab.core.types import Memory
    from engram_lab.evaluation.consolidation.asking import Standing
    from engram_lab.evaluation.consolidation.filling import Play, Stage
    from engram_lab.evaluation.consolidation.outcome import Setting
    from engram_lab.evaluation.consolidation.world.told import Told

__all__ = ["NIGHTS", "Lasting"]

NIGHTS: Final = 30
"""How often it dreams."""

_K: Final = 10
_MOST: Final = 300
"""So many memories are looked for by their own text."""
_SOME: Final = 20
"""So many of them, others each night, where the dream of the night changed nothing, and of the
other systems."""
_LOST_A_NIGHT: Final = 0.01
"""What the placebo loses: a system in use lost a quarter of its memories in days."""


_OF_LINKS: Final = frozenset({"link", "unlink"})


class _Night(NamedTuple):
    """What a night changed, by step and action, and what was found after it."""

    changes: Mapping[tuple[str, str], int]
    looked: int
    holes: int

    @property
    def total(self) -> int:
        """How many changes there were."""
        return sum(self.changes.values())

    @property
    def touched(self) -> bool:
        """Whether a memory was changed, and not links alone."""
        return any(action not in _OF_LINKS for _, action in self.changes)


@dataclass(frozen=True, kw_only=True, slots=True)
class Lasting:
    """Dreams every night by the steps that are set, and looks for what must be kept.

    What must be kept: memories that are pinned or of high importance, to the last field; and facts
    that hold, each by the text of its first telling. Measures: `survival@30` of both, also apart as
    `.protected` and `.valid`; `drift`, how many memories a night after the first changes, which
    should be none; `drift.links`, how many links, which should be what their fading explains: the
    facts tell it by step. Systems: `dream`; `no_dream`; `random_drop`, which loses a hundredth each
    night.

    Attributes:
        steps: Of the dream; None for those that are set.
        nights: How many pass; the measures bear the number.
    """

    name: str = field(default="lasting", init=False)
    steps: tuple[str | Step, ...] | None = None
    nights: int = NIGHTS

    def run(self, setting: Setting) -> Outcome:
        """Let the nights pass."""
        told = setting.say
        observed: list[Observed] = []
        curves: list[Curve] = []
        facts: list[tuple[str, float]] = []
        with staged(setting) as stage:
            for system in ("no_dream", "dream", "random_drop"):
                told(f"{self.nights} nights: {system}")
                found, nights = self._nights(stage, system)
                observed += found
                curves.append(_curve(system, nights))
                observed += _drift(system, nights)
                facts += _facts(system, nights)
        return Outcome(
            task=self.name, observed=tuple(observed), curves=tuple(curves), facts=tuple(facts)
        )

    def _nights(self, stage: Stage, system: str) -> tuple[list[Observed], list[_Night]]:
        """Let the nights pass on a copy; return what survived, and what each night did."""
        passed: list[_Night] = []
        with stage.copy(f"lasting-{system}") as play:
            kept, protected = wanted(play), _protected(play)
            before = _rows(play, protected)
            for night in range(self.nights):
                done = _Night(_dream(play, system, self.steps), 0, 0)
                stands = standing(play)
                whole = night == self.nights - 1 or (done.touched and system == "dream")
                looked = kept if whole else _others(kept, night)
                holes = sum(not _found(play, stands, told) for told in looked)
                passed.append(done._replace(looked=len(looked), holes=holes))
                play.clock.advance(days=1)
            measure = f"survival@{self.nights}"
            observed = list(_survived(play, system, measure, kept, protected, before))
        return observed, passed


def _dream(
    play: Play, system: str, steps: Sequence[str | Step] | None
) -> dict[tuple[str, str], int]:
    """Dream once; return how many changes there were by step and action."""
    if system == "no_dream":
        return {}
    if system == "random_drop":
        columns = play.engine.store.dreams.columns("default")
        left = int((~columns.archived).sum())
        steps = [placebo("random_drop", keep=left - max(1, round(left * _LOST_A_NIGHT)))]
    report = play.engine.dream(steps=steps, yes=True)
    return dict(Counter((change.step, str(change.action)) for change in report))


def wanted(play: Play) -> tuple[Told, ...]:
    """Return the first tellings of facts that hold, small talk left out; evenly drawn if many."""
    world = play.world
    told = [
        tellings[0]
        for key, tellings in world.tellings().items()
        if world.facts[key].holds and world.facts[key].sort != "chatter"
    ]
    step = max(1, -(-len(told) // _MOST))
    return tuple(told[::step])


def _protected(play: Play) -> tuple[Told, ...]:
    least = play.engine.config.dream.protect_importance
    return tuple(each for each in play.world.told if each.pinned or each.importance >= least)


def _rows(play: Play, told: Sequence[Told]) -> list[Memory | None]:
    return play.engine.get_many([play.ids[each.key] for each in told])


def _others(kept: Sequence[Told], night: int) -> Sequence[Told]:
    """Return some, others in each night, so that in the end all were looked for."""
    stride = max(1, len(kept) // _SOME)
    return kept[night % stride :: stride]


def _found(play: Play, stands: Standing, told: Told) -> bool:
    hits = recall(play, told.text.strip(), _K, stands)
    return any(told.fact in hit.facts for hit in hits)


def _survived(
    play: Play,
    system: str,
    measure: str,
    kept: Sequence[Told],
    protected: Sequence[Told],
    before: Sequence[Memory | None],
) -> Iterator[Observed]:
    stands = standing(play)
    after = _rows(play, protected)
    for told, was, is_ in zip(protected, before, after, strict=True):
        value = float(was is not None and was == is_)
        unit = f"row:{told.key}"
        yield Observed(system, measure, unit, told.entity, value)
        yield Observed(system, f"{measure}.protected", unit, told.entity, value)
    for told in kept:
        value = float(_found(play, stands, told))
        unit = f"text:{told.key}"
        yield Observed(system, measure, unit, told.entity, value)
        yield Observed(system, f"{measure}.valid", unit, told.entity, value)


def _drift(system: str, nights: Sequence[_Night]) -> Iterator[Observed]:
    for night, each in enumerate(nights[1:], 2):
        unit = f"night-{night}"
        links = sum(count for (_, action), count in each.changes.items() if action in _OF_LINKS)
        yield Observed(system, "drift", unit, unit, float(each.total - links))
        yield Observed(system, "drift.links", unit, unit, float(links))


def _facts(system: str, nights: Sequence[_Night]) -> Iterator[tuple[str, float]]:
    yield f"lasting.first.{system}", float(nights[0].total)
    yield f"lasting.later.{system}", float(sum(each.total for each in nights[1:]))
    later: Counter[tuple[str, str]] = Counter()
    for each in nights[1:]:
        later.update(each.changes)
    for (step, action), count in sorted(later.items()):
        yield f"lasting.later.{system}.{step}.{action}", float(count)
    yield f"lasting.looked.{system}", float(sum(each.looked for each in nights))
    yield f"lasting.holes.{system}", float(sum(each.holes for each in nights))


def _curve(system: str, nights: Sequence[_Night]) -> Curve:
    x = tuple(float(night) for night in range(1, len(nights) + 1))
    y = tuple(1.0 - each.holes / max(1, each.looked) for each in nights)
    return Curve("survival by night", system, x, y)
