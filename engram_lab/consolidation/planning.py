"""Planning a dream: each step on what those before it leave, within the budgets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from engram_lab.consolidation.limits import check_step, checked
from engram_lab.consolidation.progress import Place, Progress, hash_of
from engram_lab.consolidation.together import Groups, touched_since, without
from engram_lab.core.dreams import Change, DreamRun, StepRun
from engram_lab.core.progress import task
from engram_lab.core.text import CHARS_PER_TOKEN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from engram_lab.config import DreamSettings
    from engram_lab.consolidation.progress import Span
    from engram_lab.consolidation.step import Scene, Step
    from engram_lab.consolidation.view import View
    from engram_lab.core.clock import Clock
    from engram_lab.core.progress import Task
    from engram_lab.core.protocols import Store
    from engram_lab.core.types import RecallEvent

__all__ = ["Plan", "Planned", "Planning"]

_EVENTS_AT_ONCE: Final = 1000
_LOOKED_AT_ONCE: Final = 256
"""So many changes are planned before the clock is looked at again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Planned:
    """What one step planned, and how far it has looked once that is carried out.

    `learns` tells of one that learns from recalls.
    """

    run: StepRun
    changes: tuple[Change, ...]
    place: Place | None
    learns: bool


@dataclass(kw_only=True)
class Planning:
    """Plans the steps of one dream, within its budgets.

    Attributes:
        store: Whose memories.
        settings: With the budgets.
        clock: For the budget of time, and for what each step took.
        number: The newest change when the dream began: what came after it, the next one looks at.
        progress: How far each step had looked.
        scene: What all steps may go by.
    """

    store: Store
    settings: DreamSettings
    clock: Clock
    number: int
    progress: Progress
    scene: Scene

    def plan(
        self, view: View, step: Step, order: int, done: Sequence[Planned], *, full: bool
    ) -> Planned:
        """Plan one step on the view that those before it leave."""
        began = self.clock.now()
        spent = sum(len(each.changes) for each in done)
        stopped = self._over(spent)
        changes: list[Change] = []
        place = None
        if stopped is None:
            start = self.progress.of(step, full=full)
            events = self._events(view, self.progress.spans(step, start)) if _learns(step) else ()
            scene = replace(
                self.scene, focus=self._focus(view, start), events=events, cursor=start.at
            )
            with task("planning", unit="changes") as counting:
                counting.say(step.name)
                changes, stopped, done_with = self._planned(view, step, scene, spent, counting)
            made = {
                each.id: str(each.fields.get("scope", "global"))
                for each in (*(c for p in done for c in p.changes), *changes)
                if each.action == "remember"
            }
            check_step(view, changes, made=made)
            if stopped is None or done_with:
                whole = len(done_with) == len(events)
                place = replace(
                    self.progress.reached(step, start, done_with, whole=whole),
                    number=self.number,
                    at=self.scene.now_s,
                    parameters=hash_of(step),
                )
        run = StepRun(
            step=step.name,
            order=order,
            parameters=dict(step.parameters),
            seconds=(self.clock.now() - began).total_seconds(),
            stopped=stopped,
        )
        return Planned(run=run, changes=tuple(changes), place=place, learns=_learns(step))

    def _planned(
        self, view: View, step: Step, scene: Scene, spent: int, counting: Task
    ) -> tuple[list[Change], str | None, tuple[RecallEvent, ...]]:
        """Return what a step plans, why it stopped, and the events that are done with.

        What learns from events is taken whole or not at all, as it cannot tell of an event half of
        which it has learned: where there is no room for all, it learns from the first half of them,
        or the half of that.
        """
        if not _learns(step):
            return *self._within(counting.over(_told(step, view, scene)), spent), ()
        events, first = scene.events, None
        while True:
            scene = replace(scene, events=events)
            counting.done = 0
            changes, stopped = self._within(counting.over(_told(step, view, scene)), spent)
            first = first or stopped
            if stopped is None:
                return changes, first, events
            if len(events) <= 1 or self._over_time():
                return [], first, ()
            events = events[: len(events) // 2]

    def _over(self, spent: int) -> str | None:
        """Return which budget is used up, as a clause."""
        most, seconds = self.settings.max_changes, self.settings.max_seconds
        if most is not None and spent >= most:
            return _full(most)
        if seconds is not None and (self.clock.now() - self.scene.now).total_seconds() >= seconds:
            return f"dream.max_seconds ({seconds:g}) is reached"
        return None

    def _within(self, planned: Iterator[Change], spent: int) -> tuple[list[Change], str | None]:
        """Take what a step plans while there is room, and say why there was none.

        What belongs together is taken whole: where the first of it is more than all the room that
        a dream has, it is taken all the same, as no later dream had more.
        """
        changes: list[Change] = []
        groups, whole, looked = Groups(), 0, 0
        most = self.settings.max_changes
        for change in planned:
            if groups.begins(change):
                whole = len(changes)
                if most is not None and whole and spent + whole >= most:
                    return changes, _full(most)
                if whole - looked >= _LOOKED_AT_ONCE:
                    looked = whole
                    if over := self._over_time():
                        return changes, over
            changes.append(change)
            if most is not None and spent + len(changes) > most and spent + whole:
                return changes[:whole], _full(most)
        return changes, None

    def _over_time(self) -> str | None:
        return self._over(-1)

    def _focus(self, view: View, start: Place) -> NDArray[np.int64]:
        """Return the keys that changed since a step last looked, of those that the view holds."""
        keys = view.columns.keys
        if not start.number:
            return keys
        parts, after = [np.empty(0, np.int64)], start.number
        while after < self.number:
            changed = self.store.dreams.changed(view.workspace, after)
            parts.append(changed.keys)
            after = changed.number
        found = np.unique(np.concatenate(parts))
        return found[view.rows(found) >= 0]

    def _events(self, view: View, spans: Sequence[Span]) -> tuple[RecallEvent, ...]:
        """Return the recalls of some spans that were of this workspace, or of all."""
        found: list[RecallEvent] = []
        for first, upto in spans:
            after = first
            while part := self.store.events.since(after, limit=_EVENTS_AT_ONCE):
                after = part[-1].id
                mine = (each for each in part if each.workspace in {None, view.workspace})
                found += (each for each in mine if each.id <= upto)
                if after > upto:
                    break
        return tuple(found)


@dataclass(frozen=True, kw_only=True, eq=False)
class Plan:
    """What one dream would do.

    Attributes:
        planning: How it was planned.
        before: The memories before it.
        done: What each step planned.
        author: Who let it dream.
        config_hash: Of the configuration.
        since: The id of the dream before it, so that no two of one moment have the same.
    """

    planning: Planning
    before: View
    done: tuple[Planned, ...]
    author: str
    config_hash: str
    since: str

    @property
    def changes(self) -> tuple[Change, ...]:
        """All of them, in order."""
        return tuple(change for each in self.done for change in each.changes)

    @cached_property
    def after(self) -> View:
        """The memories once it is carried out."""
        return self.before.after(self.changes)

    def run(self) -> DreamRun:
        """Return what is recorded of it."""
        planning, before, after, done = self.planning, self.before, self.after, self.done
        places = {each.run.step: each.place for each in done if each.place is not None}
        made = [change for change in self.changes if change.action == "remember"]
        return DreamRun(
            id=planning.scene.new_id("run", before.workspace, str(planning.number), self.since),
            workspace=before.workspace,
            author=self.author,
            config_hash=self.config_hash,
            started_at=planning.scene.now,
            ended_at=planning.clock.now(),
            steps=tuple(each.run for each in done),
            memories_before=int(before.findable.sum()),
            memories_after=int(after.findable.sum()) + len(made),
            tokens_before=_tokens(before),
            tokens_after=_tokens(after) + sum(map(_tokens_of, made)),
            state=planning.progress.moved(places),
            stopped=next((each.run.stopped for each in done if each.run.stopped), None),
        )

    def still(self) -> Plan:
        """Return what of it may be carried out now: nothing that rests on what was written since.

        A step of which something is left out looks again next time from where it looked now, unless
        it learns from recalls, which it is shown once.
        """
        touched = touched_since(self.planning.store, self.planning.number)
        learned = {each.run.step for each in self.done if each.learns}
        kept = without(self.changes, touched, learned=learned)
        if len(kept) == len(self.changes):
            return self
        places = {id(each) for each in kept}
        done: list[Planned] = []
        for each in self.done:
            changes = tuple(change for change in each.changes if id(change) in places)
            lost = len(each.changes) - len(changes)
            place = each.place if not lost or each.learns else None
            run = replace(each.run, skipped=lost)
            done.append(replace(each, changes=changes, place=place, run=run))
        return replace(self, done=tuple(done))


def _told(step: Step, view: View, scene: Scene) -> Iterator[Change]:
    return checked(step.plan(view, scene), step=step.name, workspace=view.workspace)


def _learns(step: Step) -> bool:
    """Tell whether a step learns from recalls, and so may look at each once."""
    return bool(getattr(step, "learns_from_events", False))


def _full(most: int) -> str:
    return f"dream.max_changes ({most}) is reached"


def _tokens(view: View) -> int:
    chars = view.columns.chars[view.findable]
    return int((-(-chars // CHARS_PER_TOKEN)).sum())


def _tokens_of(change: Change) -> int:
    content: Any = change.fields.get("content", "")
    return -(-len(content) // CHARS_PER_TOKEN)
