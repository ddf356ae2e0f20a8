from __future__ import annotations

import logging
from threading import Event
from time import sleep
from typing import TYPE_CHECKING

from engram_lab.serve.tenants.writing import Writing

if TYPE_CHECKING:
    import pytest


def test_work_that_is_asked_for_again_before_it_is_done_is_done_once() -> None:
    done: list[str] = []
    both = Event()

    def one() -> None:
        done.append("one")

    def two() -> None:
        done.append("two")
        both.set()

    writing = Writing(every_s=0.05)
    for work in (one, two, one, one):
        writing.later(work)
    assert both.wait(5)
    writing.close()
    assert done == ["one", "two"]


def test_it_is_done_again_when_it_is_asked_for_again() -> None:
    done: list[int] = []
    ended = Event()

    def work() -> None:
        done.append(len(done))
        ended.set()

    writing = Writing(every_s=0.01)
    for _ in range(3):
        ended.clear()
        writing.later(work)
        assert ended.wait(5)
    writing.close()
    assert done == [0, 1, 2]


def test_what_fails_keeps_nobody_else_from_being_written(
    caplog: pytest.LogCaptureFixture,
) -> None:
    done = Event()

    def fails() -> None:
        raise ValueError

    writing = Writing(every_s=0.01)
    with caplog.at_level(logging.ERROR):
        writing.later(fails)
        writing.later(done.set)
        assert done.wait(5)
    writing.close()
    assert "was not" in caplog.text


def test_after_it_is_closed_nothing_is_begun() -> None:
    done: list[str] = []
    writing = Writing(every_s=30)
    writing.later(lambda: done.append("late"))
    writing.close()
    writing.later(lambda: done.append("later"))
    writing.close()
    sleep(0.02)
    assert done == []
