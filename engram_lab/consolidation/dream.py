"""The dream: its steps in order, planned first, then carried out in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engram_lab.consolidation.limits import check_share
from engram_lab.consolidation.lock import locked
from engram_lab.consolidation.planning import Plan, Planned, Planning
from engram_lab.consolidation.progress import Progress
from engram_lab.consolidation.report import DreamReport
from engram_lab.consolidation.step import Scene
from engram_lab.consolidation.view import View
from engram_lab.core.errors import InvalidInputError
from engram_lab.core.progress import task

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engram_lab.config import DreamSettings
    from engram_lab.consolidation.step import Nearest, Step
    from engram_lab.core.clock import Clock
    from engram_lab.core.dreams import DreamRun
    from engram_lab.core.progress import Task
    from engram_lab.core.protocols import Store

__all__ = ["Dreamer"]

_RUNS: Final = 1000
"""So many dreams back, undone ones among them, is looked for one to go on from."""


class Dreamer:
    """Dreams of one store.

    Args:
        store: As its owner.
        settings: See `DreamSettings`.
        clock: Tells the time; a dream is planned for one moment of it.
        nearest: Returns what finds the nearest by meaning; None where there are no vectors.
        config_hash: Of the configuration, for the record.
    """

    def __init__(
        self,
        store: Store,
        settings: DreamSettings,
        *,
        clock: Clock,
        nearest: Callable[[], Nearest | None],
        config_hash: str,
    ) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._nearest = nearest
        self._config_hash = config_hash

    def dream(
        self,
        workspace: str,
        steps: Sequence[Step],
        *,
        dry_run: bool,
        full: bool = False,
        yes: bool = False,
        author: str = "dream",
    ) -> DreamReport:
        """Plan, look whether it may be, and carry it out unless it is a dry run.

        Args:
            workspace: Which.
            steps: In order, each once.
            dry_run: Plan alone.
            full: Look at all memories, not at what changed alone.
            yes: Also where it hides more than `dream.most_removed`.
            author: Who is recorded.

        Raises:
            DreamLockedError: Somebody else dreams of this workspace.
            DreamRefusedError: It would hide more than `dream.most_removed` allows, without `yes`.
            InvalidInputError: A step breaks the laws of steps, or the clock ran back behind the
                last dream.
        """
        with task("dreaming", total=len(steps) + (not dry_run), unit="steps") as counting:
            if dry_run:
                plan = self._planned(workspace, steps, counting, full=full, yes=True, author=author)
                return DreamReport(run=plan.run(), changes=plan.changes, dry_run=True)
            with locked(self._store.dreams, workspace, ttl_s=self._settings.lock_s) as (who, keep):
                plan = self._planned(
                    workspace, steps, counting, full=full, yes=yes, author=author, keep=keep
                )
                keep()
                counting.say("carrying out")
                run = self._carried_out(plan, owner=who)
                counting.advance()
        return DreamReport(run=run, changes=plan.changes, dry_run=False)

    def _carried_out(self, plan: Plan, *, owner: str) -> DreamRun:
        with self._store.transaction():  # nobody writes between this look and the deed
            still = plan.still()
            with task("changing", total=len(still.changes), unit="changes") as counting:
                return self._store.dreams.apply(
                    still.run(), still.changes, owner=owner, progress=counting.reach
                )

    def _planned(
        self,
        workspace: str,
        steps: Sequence[Step],
        counting: Task,
        *,
        full: bool,
        yes: bool,
        author: str,
        keep: Callable[[], None] | None = None,
    ) -> Plan:
        names = [step.name for step in steps]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise InvalidInputError(f"steps names {', '.join(twice)} twice: name each step once")
        runs = self._store.dreams.all(workspace=workspace, limit=_RUNS)
        planning, view = self._begun(workspace, runs)
        before, done = view, list[Planned]()
        for order, step in enumerate(steps):
            if keep is not None:
                keep()
            counting.say(step.name)
            planned = planning.plan(view, step, order, done, full=full)
            counting.advance()
            view = view.after(planned.changes)
            done.append(planned)
        plan = Plan(
            planning=planning,
            before=before,
            done=tuple(done),
            author=author,
            config_hash=self._config_hash,
            since=runs[0].id if runs else "",
        )
        if not yes:
            check_share(before, view, plan.changes, most=self._settings.most_removed)
        return plan

    def _begun(self, workspace: str, runs: Sequence[DreamRun]) -> tuple[Planning, View]:
        """Return what plans a dream that begins now, and the memories as they are."""
        now = self._clock.now()
        standing = [run for run in runs if run.status == "applied"]
        last = standing[0] if standing else None
        if last is not None and last.started_at > now:
            raise InvalidInputError(
                f"the clock shows {now:%Y-%m-%d %H:%M:%S} UTC, and the last dream was at "
                f"{last.started_at:%Y-%m-%d %H:%M:%S}: set the clock right, or undo that dream"
            )
        number = self._store.corpus.last()  # read first: what is written meanwhile is later than it
        settings = self._settings
        view = View(self._store.dreams, workspace, protect_importance=settings.protect_importance)
        scene = Scene(now=now, focus=view.columns.keys, nearest=self._nearest(), seed=settings.seed)
        planning = Planning(
            store=self._store,
            settings=settings,
            clock=self._clock,
            number=number,
            progress=Progress.after(standing, all_of_them=len(runs) < _RUNS),
            scene=scene,
        )
        return planning, view
