"""A dream plans first, does what it planned, stops where it must, and can be undone."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from engram_lab import Engine, EngineConfig, ManualClock
from engram_lab.config import DreamSettings, EmbeddingSettings, StoreSettings
from engram_lab.core.dreams import Change
from engram_lab.core.errors import (
    AccessDeniedError,
    ConfigError,
    ConflictError,
    DreamLockedError,
    DreamRefusedError,
    InvalidInputError,
    NotFoundError,
    UndoConflictError,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from engram_lab.consolidation import Scene, View


@dataclass
class Archiving:
    """Archives what has a word in it, and remembers what it was shown."""

    word: str = "noise"
    name: str = "archiving"
    seen: list[list[str]] = field(default_factory=list)
    events: list[int] = field(default_factory=list)
    learns_from_events: bool = False

    @property
    def parameters(self) -> dict[str, Any]:
        return {"word": self.word}

    def plan(self, view: View, scene: Scene) -> Iterable[Change]:
        rows = view.rows(scene.focus)
        self.seen.append(view.texts(rows))
        self.events.append(len(scene.events))
        for row, text in zip(rows.tolist(), view.texts(rows), strict=True):
            if self.word in text and not view.protected[row] and not view.columns.archived[row]:
                yield Change(
                    step=self.name,
                    action="update",
                    id=view.columns.ids[row],
                    fields={"lifecycle": "archived"},
                    reason="it is noise",
                    seen=int(view.columns.version[row]),
                )


def config(**dream: Any) -> EngineConfig:
    return replace(
        EngineConfig(),
        store=StoreSettings(seed=1),
        embedding=EmbeddingSettings(model="none"),
        dream=DreamSettings(**{"most_removed": 1.0, **dream}),
    )


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def engine(clock: ManualClock) -> Iterator[Engine]:
    with Engine.open(":memory:", config=config(), clock=clock) as opened:
        yield opened


def told(engine: Engine) -> list[str]:
    return sorted(each.content for each in engine.select())


def test_a_dry_run_is_the_run_without_its_last_step(engine: Engine) -> None:
    engine.remember_many({"content": f"noise {number}"} for number in range(3))
    plan = engine.dream(steps=[Archiving()], dry_run=True)
    assert len(told(engine)) == 3
    done = engine.dream(steps=[Archiving()])
    assert (plan.dry_run, done.dry_run) == (True, False)
    assert plan.changes == done.changes
    assert plan.run_id == done.run_id
    assert told(engine) == []
    assert done.run.memories_before == 3
    assert done.run.memories_after == 0
    assert engine.dreams()[0] == done.run


def test_what_it_did_is_in_the_history_with_author_and_reason(engine: Engine) -> None:
    id_ = engine.remember("noise").id
    engine.dream(steps=[Archiving()], author="dream of a test")
    last = engine.history(id_)[-1]
    assert (last.author, last.reason, last.memory.lifecycle) == (
        "dream of a test",
        "it is noise",
        "archived",
    )


def test_undoing_puts_everything_back(engine: Engine) -> None:
    engine.remember("noise")
    before = engine.history(engine.remember("more noise").id)
    done = engine.dream(steps=[Archiving()])
    report = engine.undo(done.run_id)
    assert report.memories == 2
    assert told(engine) == ["more noise", "noise"]
    assert engine.history(before[0].memory.id) == before
    assert engine.dreams()[0].status == "undone"
    with pytest.raises(ConflictError, match="undone"):
        engine.undo(done.run_id)
    with pytest.raises(NotFoundError):
        engine.undo("01890a5d-ac96-774b-bcce-b302099a8057")


def test_what_was_changed_again_since_is_named_and_kept(engine: Engine) -> None:
    first, second = (engine.remember(f"noise {number}").id for number in range(2))
    done = engine.dream(steps=[Archiving()])
    engine.update(first, importance=0.8)
    with pytest.raises(UndoConflictError, match=first) as refused:
        engine.undo(done.run_id)
    assert refused.value.ids == (first,)
    assert told(engine) == []
    report = engine.undo(done.run_id, keep_later=True)
    assert report.kept == (first,)
    assert told(engine) == ["noise 1"]
    assert engine.get(second).version == 1


def test_the_next_dream_looks_at_what_changed_alone(engine: Engine, clock: ManualClock) -> None:
    step = Archiving()
    engine.remember_many([{"content": "one"}, {"content": "two"}])
    engine.dream(steps=[step])
    clock.advance(hours=1)
    engine.remember("three")
    engine.dream(steps=[step])
    engine.dream(steps=[step])
    engine.dream(steps=[step], full=True)
    everything = ["one", "two", "three"]
    assert step.seen == [["one", "two"], ["three"], [], everything]


def test_a_step_that_is_set_otherwise_looks_at_all_anew(engine: Engine) -> None:
    engine.remember("one")
    engine.dream(steps=[Archiving()])
    other = Archiving(word="other")
    engine.dream(steps=[other])
    assert other.seen == [["one"]]


def test_after_an_undo_the_next_dream_looks_again(engine: Engine) -> None:
    step = Archiving()
    engine.remember("noise")
    engine.undo(engine.dream(steps=[step]).run_id)
    assert len(engine.dream(steps=[step])) == 1


def test_each_recall_is_learned_from_once(engine: Engine, clock: ManualClock) -> None:
    step = Archiving(word="nothing", learns_from_events=True)
    engine.remember("one")
    engine.recall("one")
    engine.dream(steps=[step])
    clock.advance(minutes=1)
    engine.dream(steps=[step])
    engine.recall("one")
    engine.dream(steps=[step], full=True)
    assert step.events == [1, 0, 1]


def test_too_much_at_once_is_refused_unless_told(clock: ManualClock) -> None:
    with Engine.open(":memory:", config=config(most_removed=0.5), clock=clock) as engine:
        engine.remember_many({"content": text} for text in ("noise a", "noise b", "kept"))
        with pytest.raises(DreamRefusedError, match="--yes") as refused:
            engine.dream(steps=[Archiving()])
        assert (refused.value.removed, refused.value.total) == (2, 3)
        assert len(told(engine)) == 3
        assert engine.dreams() == []
        assert len(engine.dream(steps=[Archiving()], dry_run=True)) == 2
        engine.dream(steps=[Archiving()], yes=True)
        assert told(engine) == ["kept"]


def test_what_is_protected_may_not_be_planned_to_change(engine: Engine) -> None:
    id_ = engine.remember("noise", pinned=True).id

    class Careless(Archiving):
        def plan(self, view: View, scene: Scene) -> Iterable[Change]:
            del scene
            fields = {"lifecycle": "archived"}
            yield Change(
                step="x", action="update", id=view.columns.ids[0], fields=fields, reason=""
            )

    with pytest.raises(InvalidInputError, match=f"{id_}, which is pinned or important"):
        engine.dream(steps=[Careless()])
    assert told(engine) == ["noise"]


def test_a_row_budget_is_kept_and_the_next_dream_goes_on(engine: Engine) -> None:
    engine.remember_many({"content": f"noise {number}"} for number in range(5))
    first = engine.dream(steps=[Archiving()], max_changes=2)
    assert len(first) == 2
    assert first.run.stopped == "dream.max_changes (2) is reached"
    assert len(engine.dream(steps=[Archiving()], max_changes=2)) == 2
    last = engine.dream(steps=[Archiving()], max_changes=2)
    assert (len(last), last.run.stopped) == (1, None)


def test_what_learns_from_recalls_is_taken_whole_or_not_at_all(engine: Engine) -> None:
    engine.remember_many({"content": f"noise {number}"} for number in range(5))
    engine.recall("noise")
    step = Archiving(learns_from_events=True)
    assert len(engine.dream(steps=[step], max_changes=2)) == 0
    assert len(engine.dream(steps=[step])) == 5
    assert step.events == [1, 1]


def test_of_many_recalls_so_many_are_learned_from_as_there_is_room_for(engine: Engine) -> None:
    @dataclass
    class Counting(Archiving):
        name: str = "counting"
        learns_from_events: bool = True

        def plan(self, view: View, scene: Scene) -> Iterable[Change]:
            once = list(super().plan(view, scene))
            for _ in scene.events:
                yield from once

    step = Counting()
    engine.remember("noise")
    for number in range(4):
        engine.recall(f"noise {number}")
    first = engine.dream(steps=[step], max_changes=3)
    assert (len(first), first.run.stopped) == (2, "dream.max_changes (3) is reached")
    engine.dream(steps=[step])
    assert step.events == [4, 2, 2]


def test_a_time_budget_begins_no_further_step() -> None:
    from datetime import timedelta

    ticking = ManualClock(tick=timedelta(seconds=1))
    with Engine.open(":memory:", config=config(), clock=ticking) as engine:
        engine.remember("noise")
        report = engine.dream(steps=[Archiving()], max_seconds=1.0)
        assert len(report) == 0
        assert report.run.stopped == "dream.max_seconds (1) is reached"


@pytest.mark.parametrize("budget", [{"max_changes": 0}, {"max_seconds": 0}, {"max_seconds": -1}])
def test_impossible_budgets_are_refused_by_name(engine: Engine, budget: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=f"dream.{next(iter(budget))}"):
        engine.dream(steps=[Archiving()], **budget)


def test_an_unknown_step_is_refused_with_those_that_are_known(engine: Engine) -> None:
    with pytest.raises(InvalidInputError, match=r"mergee.*merge"):
        engine.dream(steps="mergee")
    with pytest.raises(InvalidInputError, match="no step of a dream"):
        engine.dream(steps=[42])  # type: ignore[list-item]
    with pytest.raises(InvalidInputError, match="twice"):
        engine.dream(steps=[Archiving(), Archiving()])


def test_a_clock_that_ran_backwards_is_refused(engine: Engine, clock: ManualClock) -> None:
    engine.dream(steps=[Archiving()])
    clock.advance(hours=-1)
    with pytest.raises(InvalidInputError, match=r"the clock shows .* the last dream was at"):
        engine.dream(steps=[Archiving()])


def test_an_agent_may_not_dream(engine: Engine) -> None:
    with pytest.raises(AccessDeniedError):
        engine.as_agent("ada", "global/agent:ada").dream(steps=[Archiving()])


def test_other_workspaces_are_left_alone(engine: Engine) -> None:
    engine.remember("noise here")
    engine.remember("noise there", workspace="other")
    engine.dream(steps=[Archiving()])
    assert told(engine) == ["noise there"]


def test_no_two_dream_of_a_workspace_at_once(tmp_path: Path, clock: ManualClock) -> None:
    file = tmp_path / "a.db"
    with (
        Engine.open(file, config=config(), clock=clock) as one,
        Engine.open(file, config=config(), clock=clock) as other,
    ):
        one.remember("noise")
        one.store.dreams.take_lock("default", owner="somebody", ttl_s=60)
        with pytest.raises(DreamLockedError, match="somebody dreams"):
            other.dream(steps=[Archiving()])
        assert len(other.dream(steps=[Archiving()], dry_run=True)) == 1
        clock.advance(seconds=61)
        assert len(other.dream(steps=[Archiving()])) == 1
        assert other.store.dreams.locks() == []


def test_a_report_shows_well(engine: Engine) -> None:
    engine.remember("noise")
    report = engine.dream(steps=[Archiving()], dry_run=True)
    assert "would make 1 change" in repr(report)
    assert "archiving: 1 update" in repr(report)
    assert "<table>" in report._repr_html_()
    assert report.to_polars()["reason"].to_list() == ["it is noise"]
    assert report.to_dict()["steps"][0]["planned"] == {"update": 1}
    assert [change.id for change in report] == [report[0].id]
