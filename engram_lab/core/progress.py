"""Telling whoever waits how far something long is.

A verb opens a `task` and counts in it. Who hears of that is whoever was handed in as `progress`,
else whoever `telling` named for all that runs within, as a notebook does; else nobody.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Progress", "Standing", "Task", "Told", "silent", "task", "tell_from_now", "telling"]

Standing = Literal["running", "done", "stopped"]

T = TypeVar("T")

_EVERY_S: Final = 0.1
"""How often a count is told: nobody reads faster, and to tell of each row would slow it down."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """How far a task is.

    Attributes:
        task: What is done, such as `embedding`.
        done: How much of it.
        total: Of how much; None where nobody knows.
        unit: What is counted, in the plural, such as `memories`.
        note: What is done just now; may be empty.
        level: How many other tasks it is a part of.
        standing: `stopped` by an error or an interrupt; what is not `running` is told of no more.
    """

    task: str
    done: int = 0
    total: int | None = None
    unit: str = ""
    note: str = ""
    level: int = 0
    standing: Standing = "running"


class Progress(Protocol):
    """Somebody who is told how far things are: a function of one argument is enough.

    The beginning, each new note and the end are told at once, counts ten times a second at most.
    What it raises ends the task as any error does, so that it can stop one.
    """

    def __call__(self, told: Told, /) -> None:
        """Hear how far a task is."""
        ...


class _Hearing(NamedTuple):
    """Who hears of a task that begins now, and how many it is a part of."""

    progress: Progress
    level: int


_HEARING: ContextVar[_Hearing | None] = ContextVar("engram_lab_progress", default=None)


def silent(told: Told, /) -> None:
    """Hear it and say nothing: what to hand in where a notebook should show no bar."""


class Task:
    """Something long that is under way, and counts what is done of it.

    Attributes:
        done: How much is done.
        total: Of how much; None where nobody knows.
    """

    __slots__ = ("_hearing", "_name", "_next", "_note", "_unit", "done", "total")

    def __init__(
        self, name: str, *, total: int | None, unit: str, done: int, hearing: _Hearing | None
    ) -> None:
        self._name = name
        self._unit = unit
        self._hearing = hearing
        self._note = ""
        self._next = 0.0
        self.done = done
        self.total = total

    @property
    def is_heard(self) -> bool:
        """Whether anybody listens: else there is no need to find out what is told."""
        return self._hearing is not None

    def advance(self, by: int = 1) -> None:
        """Count so many more."""
        self.done += by
        if self._hearing is not None and perf_counter() >= self._next:
            self._tell("running")

    def reach(self, done: int, total: int | None = None) -> None:
        """Count up to a number; a total that is given is the new one."""
        if total is not None:
            self.total = total
        self.advance(done - self.done)

    def say(self, note: str) -> None:
        """Tell what is done now, as a short clause."""
        self._note = note
        self._tell("running")

    def over(self, items: Iterable[T]) -> Iterator[T]:
        """Yield items, and count each once the next one is asked for."""
        if self._hearing is None:
            yield from items
            return
        for each in items:
            yield each
            self.done += 1
            if perf_counter() >= self._next:
                self._tell("running")
        self._tell("running")

    def _tell(self, standing: Standing) -> None:
        if self._hearing is None:
            return
        self._next = perf_counter() + _EVERY_S
        self._hearing.progress(
            Told(
                task=self._name,
                done=self.done,
                total=self.total,
                unit=self._unit,
                note=self._note,
                level=self._hearing.level,
                standing=standing,
            )
        )


@contextmanager
def task(
    name: str,
    *,
    total: int | None = None,
    unit: str = "",
    done: int = 0,
    progress: Progress | None = None,
) -> Iterator[Task]:
    """Do something long in a block, telling how far it is; other tasks in the block are its parts.

    Args:
        name: What is done, such as `embedding`.
        total: How much there is, where that is known.
        unit: What is counted, in the plural.
        done: How much was done before.
        progress: Who hears of it and of its parts; else whoever `telling` named.
    """
    hearing = _heard_by(progress)
    made = Task(name, total=total, unit=unit, done=done, hearing=hearing)
    if hearing is None:
        yield made
        return
    token = _HEARING.set(hearing._replace(level=hearing.level + 1))
    try:
        made._tell("running")  # noqa: SLF001 - the two are one
        yield made
    except BaseException:
        with suppress(Exception):  # which would hide what went wrong
            made._tell("stopped")  # noqa: SLF001
        raise
    else:
        made._tell("done")  # noqa: SLF001
    finally:
        _HEARING.reset(token)


@contextmanager
def telling(progress: Progress | None) -> Iterator[None]:
    """Have somebody told of every task in the block; None changes nothing.

    What other threads do is not told.
    """
    if progress is None:
        yield
        return
    token = _HEARING.set(_heard_by(progress))
    try:
        yield
    finally:
        _HEARING.reset(token)


def tell_from_now(progress: Progress | None) -> None:
    """Have somebody told of every task until told otherwise, or nobody.

    For a shell that is told when a cell begins and when it ends, and for nothing that has a block.
    """
    _HEARING.set(None if progress is None else _Hearing(progress, 0))


def _heard_by(progress: Progress | None) -> _Hearing | None:
    now = _HEARING.get()
    if progress is None or (now is not None and now.progress == progress):
        return now
    return _Hearing(progress, 0)
