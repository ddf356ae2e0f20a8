"""Carrying out what a dream planned: in order, many changes at once, each into the journal."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import orjson

from engram_lab.core.checks import check_label
from engram_lab.core.clock import to_us
from engram_lab.core.dreams import StepRun
from engram_lab.core.ids import check_id
from engram_lab.core.sqlite.changes import next_number
from engram_lab.core.sqlite.dream_links import DreamtLinks, digest_of
from engram_lab.core.sqlite.dream_memories import DreamtMemories
from engram_lab.core.sqlite.dream_records import journal_row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    import apsw

    from engram_lab.core.dreams import Change, DreamRun
    from engram_lab.core.sqlite.context import Context

__all__ = ["Carrying"]

_AT_ONCE: Final = 10_000
_LOG: Final = "INSERT INTO changes VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_JOURNAL: Final = f"INSERT INTO dream_journal VALUES ({', '.join('?' * 15)})"
_OF_LINKS: Final = frozenset({"link", "unlink"})

_Done = tuple[Any, ...]
"""Of a journal row: the keys, then the version and change of a memory, or image and digest."""


class Carrying:
    """One dream that is carried out, within its transaction.

    Args:
        context: Of the store.
        connection: Of the transaction.
        run: What is carried out.
        number: Of its row.
        at: The moment of all that it writes.
    """

    def __init__(
        self,
        context: Context,
        connection: apsw.Connection,
        run: DreamRun,
        *,
        number: int,
        at: datetime,
    ) -> None:
        self._connection = connection
        self._run = run
        self._number = number
        self._at = to_us(at)
        self._memories = DreamtMemories(context, connection, run.workspace, at=at)
        self._links = DreamtLinks(connection, self._memories, run.workspace, at=at)
        self._next = next_number(connection)
        self._log: list[tuple[Any, ...]] = []
        self._journal: list[tuple[Any, ...]] = []
        self._journaled = 0
        self._reasons: set[str] = set()
        self._counts: dict[str, Counter[str]] = {}
        self._skipped: Counter[str] = Counter()

    def carry_out(
        self, changes: Sequence[Change], progress: Callable[[int], None] | None
    ) -> tuple[StepRun, ...]:
        """Carry out all changes and return what became of each step.

        Raises:
            InvalidInputError: A change breaks a law of memory, or leaves the workspace.
        """
        done = 0
        for batch in _batches(changes):
            self._load(batch)
            for change in batch:
                self._take(change)
            self._flush()
            done += len(batch)
            if progress is not None:
                progress(done)
        return self._steps()

    def _load(self, batch: Sequence[Change]) -> None:
        of_links = [each for each in batch if each.action in _OF_LINKS]
        keys = self._links.load(_ids(each.id for each in of_links))
        made = [each.fields for each in of_links if each.seen is None and each.action == "link"]
        starts = _ids(each.get("from_id") for each in made)
        ends = (*starts, *_ids(each.get("to_id") for each in made))
        changed = _ids(each.id for each in batch if each.action not in _OF_LINKS)
        self._memories.load(changed, ends, keys)
        begun = (self._memories.end(each) for each in starts)
        self._links.load_open({*keys, *(end.pk for end in begun if end is not None)})

    def _take(self, change: Change) -> None:
        if change.reason not in self._reasons:
            check_label(change.reason, field="reason", limit=4096)
            self._reasons.add(change.reason)
        done = self._DEEDS[change.action](self, change)
        if done is None:
            self._skipped[change.step] += 1
        elif done:
            self._counts.setdefault(change.step, Counter())[change.action] += 1
            self._record(change, done)

    def _record(self, change: Change, done: _Done) -> None:
        target = "link" if change.action in _OF_LINKS else "memory"
        pk, to_pk, version, image, digest = done
        told, sources, seen = journal_row(change)
        number = self._next
        self._next += 1
        self._log.append(
            (number, self._at, change.action, target, change.id,
             (version or 0) + 1 if target == "memory" else None, self._run.author, change.reason)
        )  # fmt: skip
        self._journaled += 1
        self._journal.append(
            (self._number, self._journaled, change.step, change.action, change.id, pk, to_pk, told,
             change.reason, sources, seen, version, number if target == "memory" else None, image,
             digest)
        )  # fmt: skip

    def _remember(self, change: Change) -> _Done | None:
        check_id(change.id)
        pk = self._memories.remember(change, self._next)
        return None if pk is None else (pk, None, None, None, None)

    def _update(self, change: Change) -> _Done | None:
        held = self._memories.find(change)
        if held is None:
            return None
        version = held.memory.version
        if not self._memories.update(held, change.fields, self._next):
            return ()
        return held.pk, None, version, None, None

    def _forget(self, change: Change) -> _Done | None:
        held = self._memories.find(change)
        if held is None:
            return None
        version = held.memory.version
        self._memories.forget(held, self._next)
        return held.pk, None, version, None, None

    def _link(self, change: Change) -> _Done | None:
        rows = self._links.link(change)
        if rows is None:
            return None
        before, after = rows
        if before is after:
            return ()
        image = None if before is None else orjson.dumps(before).decode()
        return after[1], after[2], None, image, digest_of(after)

    def _unlink(self, change: Change) -> _Done | None:
        before = self._links.unlink(change)
        if before is None:
            return None
        return before[1], before[2], None, orjson.dumps(before).decode(), None

    _DEEDS: Final = {
        "remember": _remember,
        "update": _update,
        "forget": _forget,
        "link": _link,
        "unlink": _unlink,
    }

    def _flush(self) -> None:
        """Write what waits: memories first, which links are tied to."""
        self._connection.executemany(_LOG, self._log)
        self._memories.flush()
        self._links.flush()
        self._connection.executemany(_JOURNAL, self._journal)
        self._log, self._journal = [], []

    def _steps(self) -> tuple[StepRun, ...]:
        known = list(self._run.steps)
        names = {step.step for step in known}
        for name in dict.fromkeys((*self._counts, *self._skipped)):
            if name not in names:
                order = max((step.order for step in known), default=-1) + 1
                known.append(StepRun(step=name, order=order))
        told: set[str] = set()
        steps = []
        for step in known:
            first = step.step not in told
            told.add(step.step)
            steps.append(
                replace(
                    step,
                    counts=dict(self._counts.get(step.step, {})) if first else {},
                    skipped=step.skipped + (self._skipped[step.step] if first else 0),
                )
            )
        return tuple(steps)


def _ids(given: Iterable[object]) -> tuple[str, ...]:
    """Return those of the values that may be ids, each once: no database holds others."""
    return tuple(dict.fromkeys(each for each in given if isinstance(each, str) and each.isascii()))


def _batches(changes: Iterable[Change]) -> Iterator[list[Change]]:
    """Yield changes in order; what was made in one batch is changed in the next at the earliest."""
    batch: list[Change] = []
    made: set[str] = set()
    for change in changes:
        if len(batch) >= _AT_ONCE or (change.action in {"update", "forget"} and change.id in made):
            yield batch
            batch, made = [], set()
        if change.action == "remember":
            made.add(change.id)
        batch.append(change)
    if batch:
        yield batch
