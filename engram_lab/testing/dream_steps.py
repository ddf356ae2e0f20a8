"""Whether a step of a dream is one: the laws of its protocol, each tried in stores of all sorts.

What is tried is the same at every run: memories that repeat each other, contradict each other,
follow each other or have nothing in common, in two workspaces and two scopes, with protected and
archived ones among them, links of each kind, and recalls; once with vectors and once without.
"""

from __future__ import annotations

import json
from dataclasses import astuple, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from engram_lab.config import EmbeddingSettings, EngineConfig, StoreSettings
from engram_lab.consolidation.limits import check_step as check_limits
from engram_lab.core.clock import ManualClock
from engram_lab.core.types import RecalledMemory, RecallEvent
from engram_lab.engine import Engine
from engram_lab.testing.trial import Seen, holding

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from engram_lab.consolidation import DreamReport, Scene, Step, View
    from engram_lab.core.dreams import Change

__all__ = ["check_step"]

_BEGIN: Final = datetime(2026, 5, 1, 8, tzinfo=UTC)
_ROUNDS: Final = 3
_NAMES: Final = ("Ada", "Bruno", "Kate", "Marek", "Oda", "Selma")
_SAID: Final = (
    "{name} pays {number} euros a month for the boat",
    "The boat costs {name} {number} euros a month",
    "{name} pays {number} euros a month for the boat",
    "{name} pays {other} euros a month for the boat since March",
    "{name} does not pay for the boat any more",
    "{name} said so <private>and asked not to tell that it was {number}</private>",
)
_LEAST_QUOTED: Final = 12
_MOST_SHOWN: Final = 200


def check_step(step: Step) -> None:
    """Check that a step keeps the contract of `engram_lab.consolidation.Step`.

    It dreams of small stores of made-up memories some times over, by itself.

    Args:
        step: It is asked some dozen times. One that plans nothing of these memories passes.

    Raises:
        ConformanceError: A law is broken; says which, and what was seen instead.
    """
    with holding("a step has a name, and parameters that are plain JSON"):
        if not step.name.strip():
            raise Seen(f"the name is {step.name!r}")
        json.dumps(dict(step.parameters), allow_nan=False)
    for model in ("hashing", "none"):
        for empty in (True, False):
            _check_in_a_store(step, model=model, empty=empty)


def _check_in_a_store(step: Step, *, model: str, empty: bool) -> None:
    clock = ManualClock(_BEGIN)
    config = EngineConfig(
        store=StoreSettings(seed=1), embedding=EmbeddingSettings(model=model, dim=64)
    )
    with Engine.open(":memory:", config=config, clock=clock) as engine:
        if not empty:
            _fill(engine, clock)
            clock.advance(days=400)
            _ask(engine, clock)
        watched = _Watched(step)
        with holding("a step plans whatever the memories are"):
            said = _told(engine)
            planned = engine.dream(steps=[watched], dry_run=True, yes=True)
        with holding("planning changes nothing"):
            _equal(_told(engine), said, "the store")
        with holding("what was planned can be carried out"):
            done = engine.dream(steps=[watched], yes=True)
            if skipped := done.run.steps[0].skipped:
                raise Seen(f"{skipped} of {len(done)} changes were not of what was seen")
        with holding("the same view and scene give the same changes in the same order"):
            _equal(_list(done), _list(planned), "the dream after its dry run")
        with holding("what was planned, once carried out, leaves nothing more to plan"):
            if again := engine.dream(steps=[watched], full=True, dry_run=True, yes=True):
                raise Seen(f"of {len(done)} changes were left {len(again)}, as {_short(again[0])}")
        with holding("what a step did can be undone"):
            engine.undo(done.run_id)
            _equal(_told(engine), said, "the store after the undo")


class _Watched:
    """A step that is looked at while it plans."""

    def __init__(self, step: Step) -> None:
        self._step = step
        self.learns_from_events = bool(getattr(step, "learns_from_events", False))

    @property
    def name(self) -> str:
        """Its name."""
        return self._step.name

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Its parameters."""
        return self._step.parameters

    def plan(self, view: View, scene: Scene) -> Iterable[Change]:
        """Return what it plans, once that is found to keep the laws."""
        before = _copied(view)
        changes = list(self._step.plan(view, scene))
        with holding("planning leaves the view as it is"):
            _equal(_copied(view), before, "the view")
        with holding("the same view and scene give the same changes in the same order"):
            _equal(list(self._step.plan(view, scene)), changes, "the second plan")
        with holding("a change says which step planned it, and why, in words that quote no memory"):
            _check_reasons(view, changes, name=self.name)
        with holding("weights lie from 0 to 1, and nothing is linked with itself"):
            _check_links(changes)
        with holding("nothing protected is changed, and nothing crosses workspaces or scopes"):
            made = {
                each.id: str(each.fields.get("scope", "global"))
                for each in changes
                if each.action == "remember"
            }
            check_limits(view, changes, made=made)
            _check_made(view, changes)
        return changes


def _check_made(view: View, changes: Sequence[Change]) -> None:
    for each in changes:
        if each.action != "remember":
            continue
        if each.fields.get("workspace") != view.workspace:
            raise Seen(f"a memory was made outside of workspace {view.workspace!r}: {_short(each)}")
        scopes = {view.columns.scopes[view.row_of(id_)] for id_ in each.sources}
        if scopes - {each.fields.get("scope", "global")}:
            raise Seen(f"a memory was made of what lies in other scopes: {_short(each)}")


def _check_reasons(view: View, changes: Sequence[Change], *, name: str) -> None:
    texts = view.texts(np.arange(len(view)))
    quotable = [text for text in texts if len(text) >= _LEAST_QUOTED]
    for each in changes:
        if each.step != name or not each.reason:
            raise Seen(f"a change of {name!r} is {_short(each)}")
        if quoted := [text for text in quotable if text in each.reason]:
            raise Seen(f"the reason {_short(each.reason)} quotes {_short(quoted[0])}")


def _check_links(changes: Sequence[Change]) -> None:
    for each in changes:
        if each.action == "link":
            weight = float(each.fields.get("weight", 1.0))
            if not 0 <= weight <= 1 or each.fields["from_id"] == each.fields["to_id"]:
                raise Seen(f"a link is {_short(each)}")


def _fill(engine: Engine, clock: ManualClock) -> None:
    """Put memories of all sorts into a store, and join some."""
    ids: list[str] = []
    scopes = ("global", "global", "global/org:a")
    for turn in range(_ROUNDS):
        for place, name in enumerate(_NAMES):
            for kind, words in enumerate(_SAID):
                clock.advance(minutes=7)
                number = 100 * place + 10 * turn + 7
                made = engine.remember(
                    words.format(name=name, number=number, other=number + 2),
                    workspace="elsewhere" if kind == turn + 1 else "default",
                    scope=scopes[place % len(scopes)],
                    pinned=place == 0 and kind == 0,
                    importance=(0.1, 0.5, 0.95)[(place + kind) % 3],
                    session_id=f"s{turn}" if kind % 2 else None,
                    event_at=clock.now() if kind % 3 else None,
                    dedup="allow",
                )
                ids.append(made.id)
    engine.update(ids[7], lifecycle="archived")
    for one, other in zip(ids[::4], ids[1::4], strict=False):
        if engine.get(one).workspace == engine.get(other).workspace:
            engine.link(one, other, type="related_to", weight=0.4)
    if engine.config.embedding.model != "none":
        engine.embed()


def _ask(engine: Engine, clock: ManualClock) -> None:
    """Record recalls: some memories come back together again and again, others once."""
    ids = engine.store.dreams.columns("default").ids
    for turn in range(_ROUNDS * 2):
        for start in range(0, len(ids) - 7, 7):
            clock.advance(minutes=3)
            found = (ids[start], ids[start + 1], ids[(start + 5 * turn) % len(ids)])
            hits = tuple(
                RecalledMemory(memory_id=each, rank=rank, score=1 / rank)
                for rank, each in enumerate(dict.fromkeys(found), 1)
            )
            engine.store.events.record(
                [RecallEvent(id=engine.store.new_id(), at=clock.now(), query="the boat", hits=hits)]
            )


def _told(engine: Engine) -> list[Any]:
    """Return memories and links as they stand, as something that can be compared."""
    dreams = engine.store.dreams
    told: list[Any] = []
    for workspace in ("default", "elsewhere"):
        columns = dreams.columns(workspace)
        told += [
            _plain(columns),
            dreams.texts(columns.keys),
            dreams.details(columns.keys),
            _plain(dreams.links(workspace)),
        ]
    return told


def _copied(view: View) -> list[Any]:
    return [_plain(view.columns), view.protected.tolist(), view.texts(np.arange(len(view)))]


def _plain(columns: Any) -> list[str]:
    """Return columns as text, so that what is no number equals itself."""
    return [repr(each.tolist() if hasattr(each, "tolist") else each) for each in astuple(columns)]


def _list(report: DreamReport) -> list[Change]:
    return [replace(each) for each in report]


def _equal(seen: Sequence[Any], wanted: Sequence[Any], what: str) -> None:
    if seen == wanted:
        return
    if len(seen) != len(wanted):
        raise Seen(f"{what} has {len(seen)} entries instead of {len(wanted)}")
    at = next(place for place, each in enumerate(seen) if each != wanted[place])
    raise Seen(f"{what} differs: {_short(seen[at])} instead of {_short(wanted[at])}")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"
