"""The verbs of an engine that let it learn and forget, and that bring back what it forgot."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from engram_lab.consolidation import Dreamer, steps_of
from engram_lab.consolidation.lock import locked
from engram_lab.core.checks import check_workspace
from engram_lab.core.progress import telling
from engram_lab.engine.nearest import IndexedNearest
from engram_lab.engine.recalls import RecallVerbs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engram_lab.consolidation import DreamReport, Nearest, Step
    from engram_lab.core.dreams import DreamRun, UndoReport
    from engram_lab.core.progress import Progress

__all__ = ["DreamVerbs"]


class DreamVerbs(RecallVerbs):
    """Dream, look at what a dream did, and undo it."""

    def dream(
        self,
        workspace: str = "default",
        *,
        dry_run: bool = False,
        full: bool = False,
        steps: Sequence[str | Step] | str | None = None,
        yes: bool = False,
        max_changes: int | None = None,
        max_seconds: float | None = None,
        author: str = "dream",
        progress: Progress | None = None,
    ) -> DreamReport:
        """Let what is remembered settle: learn from use, merge, supersede, fade, as is set.

        Steps run in order, each on what those before it plan; then all is carried out in one
        transaction, with a journal by which `undo` puts it back. It looks at what changed since
        the last dream.

        Args:
            workspace: Nothing outside of it is touched, and nothing crosses its scopes.
            dry_run: Plan alone: the report says what would be done.
            full: Look at all memories again, not at what changed alone.
            steps: Names of steps, or steps of your own, in order; else `dream.steps`.
            yes: Carry it out also where it hides more than `dream.most_removed` allows.
            max_changes: Else `dream.max_changes`.
            max_seconds: Else `dream.max_seconds`.
            author: Who is recorded as having let it dream.
            progress: Told which step is planned, how many changes it has, and how many are made.

        Raises:
            DreamLockedError: Somebody else dreams of this workspace.
            DreamRefusedError: It would hide too much, and `yes` is not set.
            InvalidInputError: An unknown step, or a clock that ran backwards.
            ConfigError: An impossible budget.
            AccessDeniedError: An agent asks.
        """
        budgets = {"max_changes": max_changes, "max_seconds": max_seconds}
        told: dict[str, Any] = {name: each for name, each in budgets.items() if each is not None}
        settings = replace(self.config.dream, **told)
        chosen = steps_of(settings, steps)
        self.flush()
        dreamer = Dreamer(
            self.store,
            settings,
            clock=self._clock,
            nearest=self._nearest,
            config_hash=self._config_hash,
        )
        with telling(progress):
            report = dreamer.dream(
                check_workspace(workspace),
                chosen,
                dry_run=dry_run,
                full=full,
                yes=yes,
                author=author,
            )
            if not dry_run and any(change.action == "remember" for change in report):
                self._indexes.embed_new()
        return report

    def undo(
        self, run_id: str, *, keep_later: bool = False, author: str | None = None
    ) -> UndoReport:
        """Put everything back as it was before a dream, to the last bit.

        Args:
            run_id: Of the dream; see `dreams`.
            keep_later: Leave what was changed again since as it is, and undo the rest.
            author: Who is recorded.

        Raises:
            NotFoundError: There is no such dream.
            ConflictError: It was undone before.
            DreamLockedError: Somebody else dreams of its workspace.
            UndoConflictError: Something was changed again since; says what.
        """
        dreams = self.store.dreams
        workspace = dreams.get(run_id).workspace
        with locked(dreams, workspace, ttl_s=self.config.dream.lock_s):
            return dreams.undo(run_id, keep_later=keep_later, author=author)

    def dreams(self, *, workspace: str | None = None, limit: int = 100) -> list[DreamRun]:
        """Return what was dreamt, latest first."""
        return self.store.dreams.all(workspace=workspace, limit=limit)

    def flush(self) -> None:
        """Store the recall events that wait; closing does so too."""
        self._recorder.flush()

    def _nearest(self) -> Nearest | None:
        """Return what finds the nearest by meaning; None where there are no vectors by choice."""
        dense = self._indexes.dense()
        return None if dense is None else IndexedNearest(dense.index, dense.embedder)
