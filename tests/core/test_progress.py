"""Who is told how far something long is, of what, and in which order."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.progress import Told, silent, task, tell_from_now, telling

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _nobody_is_left_listening() -> Iterator[None]:
    yield
    tell_from_now(None)


def test_beginning_notes_and_end_are_told_at_once() -> None:
    heard: list[Told] = []
    with task("brewing", total=2, unit="cups", progress=heard.append) as brewing:
        brewing.say("green")
        brewing.advance()
        brewing.say("black")
        brewing.advance()
    first = Told(task="brewing", total=2, unit="cups")
    assert heard[0] == first
    assert [(each.done, each.note) for each in heard] == [
        (0, ""), (0, "green"), (1, "black"), (2, "black"),
    ]  # fmt: skip
    assert [each.standing for each in heard] == ["running"] * 3 + ["done"]


@given(st.lists(st.integers(0, 5), max_size=30), st.integers(0, 10))
def test_what_is_told_never_goes_back_and_the_end_has_it_all(steps: list[int], done: int) -> None:
    heard: list[Told] = []
    with task("brewing", done=done, progress=heard.append) as brewing:
        for each in steps:
            brewing.advance(each)
    counts = [each.done for each in heard]
    assert all(one <= other for one, other in pairwise(counts))
    assert (counts[0], counts[-1]) == (done, done + sum(steps))


def test_counts_are_not_told_one_by_one() -> None:
    heard: list[Told] = []
    with task("brewing", progress=heard.append) as brewing:
        assert list(brewing.over(range(100_000))) == list(range(100_000))
    assert heard[-1].done == 100_000
    assert len(heard) < 100


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_what_ends_badly_is_told_to_have_stopped(error: type[BaseException]) -> None:
    heard: list[Told] = []

    def brew() -> None:
        with task("brewing", progress=heard.append) as brewing:
            brewing.advance(3)
            raise error

    with pytest.raises(error):
        brew()
    assert (heard[-1].done, heard[-1].standing) == (3, "stopped")


def test_who_is_told_can_stop_it() -> None:
    class _EnoughError(Exception):
        pass

    def enough(told: Told) -> None:
        if told.note:
            raise _EnoughError(told.note)

    def brew() -> None:
        with task("brewing", progress=enough) as brewing:
            brewing.say("too much")

    with pytest.raises(_EnoughError, match="too much"):
        brew()


def test_nobody_is_told_where_nobody_listens() -> None:
    with task("brewing", total=3) as brewing:
        assert not brewing.is_heard
        assert list(brewing.over("abc")) == ["a", "b", "c"]
        brewing.reach(2, 4)
        brewing.say("unheard")
    assert (brewing.done, brewing.total) == (2, 4)


def test_parts_are_told_to_who_hears_of_the_whole() -> None:
    heard: list[Told] = []
    with task("whole", progress=heard.append), task("part"), task("part of it"):
        pass
    with task("after"):
        pass
    assert [(each.task, each.level) for each in heard] == [
        ("whole", 0), ("part", 1), ("part of it", 2), ("part of it", 2), ("part", 1), ("whole", 0),
    ]  # fmt: skip


def test_who_is_handed_in_hears_instead_of_who_was_named() -> None:
    named: list[Told] = []
    handed: list[Told] = []
    with telling(named.append):
        with task("one", progress=handed.append), task("its part"):
            pass
        with task("two", progress=silent):
            pass
        with telling(None), task("three"):
            pass
    with task("four"):
        pass
    assert {each.task for each in handed} == {"one", "its part"}
    assert {each.task for each in named} == {"three"}


def test_who_was_named_is_told_no_more_after_the_block_however_it_ends() -> None:
    heard: list[Told] = []
    with suppress(ValueError), telling(heard.append):
        raise ValueError
    with task("brewing"):
        pass
    assert heard == []


def test_from_now_on_lasts_until_told_otherwise() -> None:
    heard: list[Told] = []
    tell_from_now(heard.append)
    with task("one"):
        pass
    tell_from_now(None)
    with task("two"):
        pass
    assert {each.task for each in heard} == {"one"}


def test_other_threads_are_not_told_of() -> None:
    heard: list[Told] = []

    def brew() -> None:
        with task("elsewhere"):
            pass

    with telling(heard.append):
        thread = Thread(target=brew)
        thread.start()
        thread.join()
    assert heard == []
