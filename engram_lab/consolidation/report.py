"""What a dream did, or would do, as people look at it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engram_lab.core.markup import note, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

    from engram_lab.core.dreams import Change, DreamRun

__all__ = ["DreamReport"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class DreamReport:
    """A dream: its run, and every change with its reason.

    A sequence of `Change`.

    Attributes:
        run: What is recorded of it.
        changes: What it planned, in order. What of it was skipped, as its memory changed meanwhile,
            the steps of the run count.
        dry_run: Whether it was looked at alone, and nothing was carried out.
    """

    run: DreamRun
    changes: tuple[Change, ...]
    dry_run: bool

    @property
    def run_id(self) -> str:
        """By which it is undone."""
        return self.run.id

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """How many changes of each action each step planned, by step and action."""
        told = Counter((change.step, change.action) for change in self.changes)
        nested: dict[str, dict[str, int]] = {each.step: {} for each in self.run.steps}
        for (step, action), count in sorted(told.items()):
            nested.setdefault(step, {})[action] = count
        return nested

    @property
    def ended(self) -> int:
        """Of how many memories it planned to say that they no longer hold: they get `valid_to`.

        They are not hidden, and so are among those that recall may find after it; what it hides as
        well is not counted here.
        """
        ends: dict[str, bool] = {}
        for each in self.changes:
            if each.action == "forget" or each.fields.get("lifecycle") == "archived":
                ends[each.id] = False
            elif each.action == "update" and each.fields.get("valid_to") is not None:
                ends.setdefault(each.id, True)
        return sum(ends.values())

    def __len__(self) -> int:
        return len(self.changes)

    def __iter__(self) -> Iterator[Change]:
        return iter(self.changes)

    def __getitem__(self, place: int) -> Change:
        return self.changes[place]

    def to_polars(self) -> pl.DataFrame:
        """Return the changes as a frame: step, action, id, fields as JSON, reason, sources."""
        import orjson
        import polars as pl

        rows = [
            {
                "step": each.step,
                "action": each.action,
                "id": each.id,
                "fields": orjson.dumps(dict(each.fields), default=str).decode(),
                "reason": each.reason,
                "sources": list(each.sources),
            }
            for each in self.changes
        ]
        schema: dict[str, Any] = {
            **dict.fromkeys(("step", "action", "id", "fields", "reason"), pl.String),
            "sources": pl.List(pl.String),
        }
        return pl.DataFrame(rows, schema=schema)

    def to_dict(self) -> dict[str, Any]:
        """Return the figures of it as plain JSON, without the changes."""
        run = self.run
        return {
            "run_id": run.id,
            "workspace": run.workspace,
            "status": run.status,
            "dry_run": self.dry_run,
            "started_at": run.started_at.isoformat(),
            "ended_at": run.ended_at.isoformat(),
            "changes": len(self.changes),
            "steps": [
                {
                    "step": each.step,
                    "planned": self.counts.get(each.step, {}),
                    "carried_out": dict(each.counts),
                    "skipped": each.skipped,
                    "stopped": each.stopped,
                }
                for each in run.steps
            ],
            "memories": {
                "before": run.memories_before,
                "after": run.memories_after,
                "ended": self.ended,
            },
            "tokens": {"before": run.tokens_before, "after": run.tokens_after},
            "stopped": run.stopped,
        }

    def lines(self) -> list[str]:
        """Return it as a few lines of text."""
        run = self.run
        done = "would make" if self.dry_run else "made"
        changes = "1 change" if len(self) == 1 else f"{len(self)} changes"
        head = f"dream {run.id} of workspace {run.workspace!r} {done} {changes}"
        lines = [head]
        for each in run.steps:
            told = ", ".join(f"{count} {action}" for action, count in self._told(each.step))
            skipped = f", {each.skipped} skipped" if each.skipped else ""
            stopped = f"; stopped: {each.stopped}" if each.stopped else ""
            lines.append(f"  {each.step}: {told or 'nothing'}{skipped}{stopped}")
        holds = "1 no longer holds" if self.ended == 1 else f"{self.ended} no longer hold"
        ended = f"{holds}, " if self.ended else ""
        lines.append(
            f"  memories {run.memories_before} → {run.memories_after}, {ended}"
            f"tokens {run.tokens_before} → {run.tokens_after}"
        )
        return lines

    def _told(self, step: str) -> list[tuple[str, int]]:
        return sorted(self.counts.get(step, {}).items())

    def __repr__(self) -> str:
        return "\n".join(self.lines())

    def _repr_html_(self) -> str:
        rows = [
            (
                each.step,
                ", ".join(f"{count} {action}" for action, count in self._told(each.step)),
                each.skipped,
                each.stopped or "",
            )
            for each in self.run.steps
        ]
        first, *_, last = self.lines()
        return table(first, rows, head=("step", "changes", "skipped", "stopped")) + note(
            last.strip()
        )
