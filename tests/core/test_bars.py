"""Bars on a terminal: what takes longer than a moment, and nothing where there is no terminal."""

from __future__ import annotations

import time
from io import StringIO

import pytest
from rich.console import Console
from rich.text import Text

from engram_lab.core.bars import Bars, Rows
from engram_lab.core.progress import Standing, Told, task


def terminal(*, is_one: bool = True) -> Console:
    return Console(file=StringIO(), force_terminal=is_one, width=100, legacy_windows=False)


def said(console: Console) -> str:
    file = console.file
    assert isinstance(file, StringIO)
    return Text.from_ansi(file.getvalue()).plain


def seen(*told: Told, after_s: float = 0.0) -> list[str]:
    """Return the lines that are seen after what was told."""
    console = terminal()
    rows = Rows(console, after_s=after_s)
    for each in told:
        rows.take(each)
    console.print(rows.get_renderable())
    return [line.strip() for line in said(console).splitlines() if line.strip()]


def test_a_bar_is_shown_while_something_goes_on_and_is_gone_at_the_end() -> None:
    console = terminal()
    with task("brewing", total=3, unit="cups", progress=Bars(console, after_s=0.0)) as brewing:
        brewing.advance()
        time.sleep(0.3)
    assert "brewing" in said(console)
    file = console.file
    assert isinstance(file, StringIO)
    assert "of 3 cups" in file.getvalue()
    assert file.getvalue().endswith("\x1b[2K")  # the line is wiped
    assert file.getvalue().count("\x1b[?25l") == file.getvalue().count("\x1b[?25h") == 1


def test_what_takes_a_moment_is_not_shown() -> None:
    console = terminal()
    bars = Bars(console)
    for _ in range(20):
        with task("brewing", progress=bars):
            pass
    assert said(console) == ""


def test_where_there_is_no_terminal_nothing_is_shown() -> None:
    console = terminal(is_one=False)
    with task("brewing", progress=Bars(console, after_s=0.0)) as brewing:
        time.sleep(0.1)
        brewing.say("green")
    assert said(console) == ""


def test_an_error_ends_the_bar() -> None:
    console = terminal()

    def brew() -> None:
        with task("brewing", progress=Bars(console, after_s=0.0)):
            time.sleep(0.2)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        brew()
    file = console.file
    assert isinstance(file, StringIO)
    assert file.getvalue().count("\x1b[?25h") == 1  # the cursor is back


def test_the_same_bars_serve_one_thing_after_the_other() -> None:
    console = terminal()
    bars = Bars(console, after_s=0.0)
    for name in ("brewing", "pouring"):
        with task(name, progress=bars):
            time.sleep(0.2)
    assert "brewing" in said(console)
    assert "pouring" in said(console)


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        (Told(task="t", done=3, unit="rows"), "3 rows"),
        (Told(task="t", done=1234, total=5678, unit="rows"), "1,234 of 5,678 rows"),
        (Told(task="t", done=1_500_000, total=3_000_000, unit="bytes"), "1.5 MB of 3.0 MB"),
        (Told(task="t", done=2, total=4, note="[bold]merge"), "[bold]merge"),
        (Told(task="t", done=7, total=7, unit="rows", standing="done"), "7 rows in 0.0 s"),
        (Told(task="t", done=7, total=9, standing="stopped"), "stopped at 7 of 9 · after 0.0 s"),
        (Told(task="t", standing="stopped"), "stopped · after 0.0 s"),
        (Told(task="t", standing="done"), "━ in 0.0 s"),
    ],
)
def test_a_line_tells_how_much_is_done(told: Told, wanted: str) -> None:
    (line,) = seen(told)
    assert line.startswith("t ")
    assert wanted in line


@pytest.mark.parametrize("standing", ["done", "stopped"])
def test_a_part_goes_when_it_ends_and_the_whole_stays(standing: Standing) -> None:
    whole, part = Told(task="whole"), Told(task="part", level=1)
    assert len(seen(whole, part)) == 2
    ended = Told(task="part", level=1, standing=standing)
    assert len(seen(whole, part, ended)) == 1
    (line,) = seen(whole, part, ended, Told(task="whole", standing=standing))
    assert line.startswith("whole")
    (line,) = seen(whole, Told(task="whole", standing="done"), Told(task="next"))
    assert line.startswith("next")


def test_a_part_that_was_left_open_goes_with_the_whole() -> None:
    told = [Told(task="whole"), Told(task="part", level=1), Told(task="whole", standing="stopped")]
    (line,) = seen(*told)
    assert line.startswith("whole")


def test_what_is_younger_than_it_must_be_is_not_seen() -> None:
    assert seen(Told(task="whole"), after_s=60.0) == []
