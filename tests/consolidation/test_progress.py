"""Every recall is learned from once by the dreams that stand, whichever of them were undone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab import Engine, EngineConfig, ManualClock
from engram_lab.consolidation.nothing import Nothing
from engram_lab.consolidation.progress import Place, Progress
from engram_lab.core.types import RecallEvent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engram_lab.consolidation import Scene, View
    from engram_lab.core.dreams import Change

DEEDS = st.lists(
    st.one_of(
        st.sampled_from(["recall", "dream", "dream of another step"]),
        st.integers(0, 5).map(lambda back: ("undo", back)),
    ),
    max_size=14,
)


@dataclass
class Learner:
    """A step that remembers which recalls it was shown last."""

    learns_from_events: bool = True
    name: str = "learner"
    shown: list[str] = field(default_factory=list)

    @property
    def parameters(self) -> dict[str, Any]:
        return {}

    def plan(self, view: View, scene: Scene) -> Iterator[Change]:
        self.shown = [event.id for event in scene.events]
        return iter(())


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    config = EngineConfig.from_dict({"embedding": {"model": "none"}})
    with Engine.open(":memory:", config=config, clock=ManualClock()) as opened:
        yield opened


@given(deeds=DEEDS, number=st.uuids())
def test_the_dreams_that_stand_learned_from_each_recall_once(
    engine: Engine, deeds: Sequence[str | tuple[str, int]], number: object
) -> None:
    workspace, clock = str(number), engine._clock
    assert isinstance(clock, ManualClock)
    recalled: list[str] = []
    learned: dict[str, list[str]] = {}
    for deed in (*deeds, "dream"):
        clock.advance(minutes=1)
        step = Learner()
        if deed == "recall":
            event = RecallEvent(
                id=engine.store.new_id(), at=clock.now(), query="q", hits=(), workspace=workspace
            )
            engine.store.events.record([event])
            recalled.append(event.id)
        elif deed == "dream":
            done = engine.dream(workspace, steps=[step])
            assert sorted(step.shown) == step.shown
            learned[done.run_id] = step.shown
        elif deed == "dream of another step":
            engine.dream(workspace, steps=[Nothing()])
        elif learned and isinstance(deed, tuple):
            undone = sorted(learned)[-1 - deed[1] % len(learned)]
            engine.undo(undone)
            del learned[undone]

    assert sorted(each for seen in learned.values() for each in seen) == recalled


def events(*ids: str) -> list[RecallEvent]:
    return [RecallEvent(id=each, at=ManualClock().now(), query="q", hits=()) for each in ids]


def test_what_a_budget_cut_short_is_owed_further() -> None:
    progress = Progress({"learner": Place(event="m")}, {"learner": (("b", "f"), ("h", "k"))})
    start = progress.of(Learner(), full=False)

    cut = progress.reached(Learner(), start, events("c", "d"), whole=False)
    assert (cut.event, cut.looked) == ("m", (("b", "d"),))
    further = progress.reached(Learner(), start, events("c", "i"), whole=False)
    assert further.looked == (("b", "f"), ("h", "i"))
    beyond = progress.reached(Learner(), start, events("c", "i", "n"), whole=False)
    assert (beyond.event, beyond.looked) == ("n", (("b", "f"), ("h", "k"), ("m", "n")))
    nothing = progress.reached(Learner(), start, [], whole=True)
    assert (nothing.event, nothing.looked) == ("m", (("b", "f"), ("h", "k")))
