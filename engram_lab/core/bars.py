"""Bars for what takes long, by Rich: `progress=Bars()` shows them on a terminal."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Event, Lock, RLock, Thread
from time import perf_counter, sleep
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.progress import Task, TaskID

    from engram_lab.core.progress import Told

__all__ = ["AFTER_S", "Alarm", "Bars", "Rows"]

AFTER_S: Final = 1.0
"""What takes less is shown no bar: it would be gone before it is read."""

_FASTEST_S: Final = 0.05
_IDLE_S: Final = 5.0
"""So long a thread waits for something to do."""

_BAR: Final = 24
"""Columns of a bar."""

_NOTHING: Final[dict[str, Any]] = {"done": 0, "of": None, "standing": "", "note": "", "lasted": 0.0}
_KILO: Final = 1000
_FEW: Final = 10
"""Of fewer, tenths are told."""


class _Figures(ProgressColumn):
    """How much is done of how much, how fast, and for how long still."""

    def render(self, task: Task) -> Text:
        """Return it in words."""
        standing, unit = task.fields["standing"], task.fields["unit"]
        done, total = task.fields["done"], task.fields["of"]
        lasted = float(task.fields["lasted"])
        if standing == "done":
            rate = done / lasted if lasted else 0.0
            parts = [f"{_amount(done, None, unit)} in {_time(lasted)}".strip(), _rate(rate, unit)]
        elif standing == "stopped":
            at = _amount(done, total, unit)
            parts = [f"stopped at {at}" if at else "stopped", f"after {_time(lasted)}"]
        else:
            left = task.time_remaining if done else None
            ending = _time(lasted) if left is None else f"{_whole(left)} left"
            parts = [_amount(done, total, unit), _rate(task.speed or 0.0, unit), ending]
        return Text(" · ".join(filter(None, parts)))


class Rows(Progress):
    """The bars of Rich over tasks that are told of, of which it shows those that take longer.

    Args:
        console: Where they are to be shown.
        after_s: How long a task lasts before it is shown.
    """

    def __init__(self, console: Console, *, after_s: float) -> None:
        super().__init__(
            TextColumn("{task.description}", markup=False),
            BarColumn(
                _BAR,
                style="bright_black",
                complete_style="cyan",
                finished_style="green",
                pulse_style="cyan",
            ),
            _Figures(),
            TextColumn("{task.fields[note]}", markup=False, style="dim"),
            console=console,
            transient=True,
        )
        self._after_s = after_s
        self._heard: dict[int, _Heard] = {}

    def take(self, told: Told) -> None:
        """Take note of how far a task is.

        One that is a part of another goes when it ends; another stays until the next begins.
        """
        level = told.level
        if not self._heard:
            for each in self.task_ids:
                self.remove_task(each)
        for deeper in [each for each in self._heard if each > level]:
            self._forget(deeper)
        heard = self._heard.get(level)
        if heard is None:
            heard = self._heard[level] = _Heard(began=perf_counter(), told=told)
        heard.told = told
        if heard.row is not None:
            self._write(heard)
        elif perf_counter() - heard.began >= self._after_s:
            self.look()  # so that what it is a part of stands above it
        if told.standing != "running":
            self._forget(level, stays=level == 0)

    def look(self) -> bool:
        """Show what has lasted long enough by now, and return whether there is anything to see."""
        now = perf_counter()
        for heard in self._heard.values():
            if now - heard.began >= self._after_s:
                self._write(heard)
        return bool(self.task_ids)

    def _write(self, heard: _Heard) -> None:
        told = heard.told
        if heard.row is None:  # only now, as most that is told of is over in a moment
            name = "  " * told.level + told.task
            heard.row = self.add_task(name, total=None, unit=told.unit, **_NOTHING)
        completed, total = told.done, told.total
        if told.standing == "done":
            completed, total = 1, 1  # a whole bar, whatever there was to do
        elif told.standing == "stopped" and total is None:
            completed, total = 0, 1  # an empty one: nothing moves any more
        self.update(
            heard.row,
            completed=completed,
            total=total,
            done=told.done,
            of=told.total,
            standing=told.standing,
            note=told.note if told.standing == "running" else "",
            lasted=perf_counter() - heard.began,
        )

    def _forget(self, level: int, *, stays: bool = False) -> None:
        row = self._heard.pop(level).row
        if row is not None:
            self.stop_task(row) if stays else self.remove_task(row)


@dataclass(kw_only=True, slots=True)
class _Heard:
    """A task that goes on: since when, what was told last, and its row once it has one."""

    began: float
    told: Told
    row: TaskID | None = None


class Bars:
    """Bars on a terminal while something long goes on; nothing where there is no terminal.

    Args:
        console: Where; else the standard error.
        after_s: How long a task lasts before it is shown.
    """

    def __init__(self, console: Console | None = None, *, after_s: float = AFTER_S) -> None:
        self._rows = Rows(console or Console(stderr=True, highlight=False), after_s=after_s)
        self._alarm = Alarm(self._show, every_s=after_s / 2)
        self._lock = RLock()

    def __call__(self, told: Told, /) -> None:
        """Show how far a task is."""
        if not self._rows.console.is_terminal:
            return
        with self._lock:
            self._rows.take(told)
            if told.level == 0 and told.standing != "running":
                self._alarm.stop()
                self._rows.stop()
            else:
                self._alarm.start()

    def _show(self) -> None:
        with self._lock:
            if self._alarm.is_set and self._rows.look() and not self._rows.live.is_started:
                self._rows.start()  # and from here on it moves by itself


class Alarm:
    """Rings again and again while it is set: long things may tell nothing for long.

    Args:
        ring: What is called, in a thread of its own, which ends when there was no need for it.
        every_s: How often.
    """

    def __init__(self, ring: Callable[[], None], *, every_s: float) -> None:
        self._ring = ring
        self._every_s = max(every_s, _FASTEST_S)
        self._set = Event()
        self._lock = Lock()
        self._thread: Thread | None = None

    @property
    def is_set(self) -> bool:
        """Whether it was started, and not stopped."""
        return self._set.is_set()

    def start(self) -> None:
        """Set it, unless it is set."""
        if self._set.is_set():
            return
        with self._lock:
            self._set.set()
            if self._thread is None:
                self._thread = Thread(target=self._run, name="engram-bars", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Stop it; a ring that is under way is not waited for."""
        self._set.clear()

    def _run(self) -> None:
        while True:
            sleep(self._every_s)
            if self._set.is_set():
                self._ring()
            elif not self._set.wait(_IDLE_S):
                with self._lock:
                    if not self._set.is_set():
                        self._thread = None
                        return


def _amount(done: float, total: float | None, unit: str) -> str:
    if unit == "bytes":
        whole = "" if total is None else f" of {_bytes(total)}"
        return f"{_bytes(done)}{whole}"
    if not unit and total is None:
        return ""  # nothing is counted
    whole = "" if total is None else f" of {total:,.0f}"
    return f"{done:,.0f}{whole} {unit}".rstrip()


def _rate(each_s: float, unit: str) -> str:
    if not each_s:
        return ""
    if unit == "bytes":
        return f"{_bytes(each_s)}/s"
    if each_s < 1:
        return f"{_time(1 / each_s)} each"
    return f"{each_s:,.0f}/s" if each_s >= _FEW else f"{each_s:.1f}/s"


def _bytes(count: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if count < _KILO:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= _KILO
    return f"{count:.1f} GB"


def _time(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < _FEW else _whole(seconds)


def _whole(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02}:{rest:02}"
    return f"{minutes}:{rest:02}" if minutes else f"{rest} s"
