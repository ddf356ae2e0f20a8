"""How much a dream may hide or end at once, and how its report tells it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from engram_lab import Engine, EngineConfig, ManualClock
from engram_lab.core.dreams import Change
from engram_lab.core.errors import DreamRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engram_lab.consolidation import Scene, View

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@dataclass
class Ending:
    """Ends the first memories of a workspace, and archives those behind them."""

    ends: int = 0
    hides: int = 0
    name: str = "ending"
    parameters: dict[str, Any] = field(default_factory=dict)

    def plan(self, view: View, scene: Scene) -> Iterable[Change]:
        fields = [{"valid_to": scene.now}] * self.ends + [{"lifecycle": "archived"}] * self.hides
        for row, each in enumerate(fields):
            yield Change(
                step=self.name,
                action="update",
                id=view.columns.ids[row],
                fields=each,
                reason="it is over",
                seen=int(view.columns.version[row]),
            )


def opened(count: int, **dream: Any) -> Engine:
    told = {"store": {"seed": 1}, "embedding": {"model": "hashing"}, "dream": dream}
    engine = Engine.open(":memory:", config=EngineConfig.from_dict(told), clock=ManualClock(NOW))
    engine.remember_many({"content": f"note {number}"} for number in range(count))
    return engine


def test_a_dream_that_ends_a_large_share_is_refused_unless_told() -> None:
    with opened(40) as engine:
        with pytest.raises(DreamRefusedError, match="11 of 40 memories that they no longer hold"):
            engine.dream(steps=[Ending(ends=11)])
        assert engine.dreams() == []
        assert engine.dream(steps=[Ending(ends=11)], dry_run=True).ended == 11
        assert engine.dream(steps=[Ending(ends=11)], yes=True).ended == 11


def test_what_is_refused_for_its_end_is_told_apart_from_what_is_hidden() -> None:
    with opened(40) as engine:
        with pytest.raises(DreamRefusedError) as ended:
            engine.dream(steps=[Ending(ends=20)])
        with pytest.raises(DreamRefusedError, match="out of recall") as hidden:
            engine.dream(steps=[Ending(hides=20)])
    assert (ended.value.ends, ended.value.removed, ended.value.total) == (True, 20, 40)
    assert (hidden.value.ends, hidden.value.removed) == (False, 20)


@pytest.mark.parametrize(("count", "ends"), [(2, 1), (3, 3), (10, 10), (40, 10), (80, 20)])
def test_a_few_and_a_small_share_may_always_end(count: int, ends: int) -> None:
    with opened(count) as engine:
        assert engine.dream(steps=[Ending(ends=ends)]).ended == ends


def test_a_small_store_may_learn_that_somebody_moved() -> None:
    with opened(0) as engine:
        engine.remember("Tove Hesk lives in Lorn", event_at=datetime(2026, 1, 1, tzinfo=UTC))
        engine.remember("Tove Hesk lives in Oslo", event_at=datetime(2026, 2, 1, tzinfo=UTC))
        assert engine.dream(steps="supersede").ended == 1


def test_the_headline_tells_how_many_no_longer_hold() -> None:
    with opened(8) as engine:
        report = engine.dream(steps=[Ending(ends=2, hides=1)])
        assert "memories 8 → 7, 2 no longer hold, tokens" in report.lines()[-1]
        assert "2 no longer hold" in report._repr_html_()
        assert report.to_dict()["memories"] == {"before": 8, "after": 7, "ended": 2}
    with opened(8) as engine:
        assert "1 no longer holds," in repr(engine.dream(steps=[Ending(ends=1)]))
    with opened(8) as engine:
        assert "hold" not in repr(engine.dream(steps=[Ending()]))


def test_what_ends_and_is_hidden_as_well_counts_as_hidden() -> None:
    class Both(Ending):
        def plan(self, view: View, scene: Scene) -> Iterable[Change]:
            for each in super().plan(view, scene):
                fields = {**each.fields, "lifecycle": "archived"}
                yield Change(
                    step=each.step, action="update", id=each.id, fields=fields, reason="it is over"
                )

    with opened(8) as engine:
        report = engine.dream(steps=[Both(ends=2)], dry_run=True)
        assert report.ended == 0
        assert (report.run.memories_before, report.run.memories_after) == (8, 6)
