"""Blocking work in a small pool of threads, with a bound on how much of it may wait."""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec, TypeVar

from engram_lab.serve.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Workers"]

P = ParamSpec("P")
T = TypeVar("T")


class Workers:
    """A pool of threads for one kind of work.

    Work that is cancelled while it waits is never begun; work that was begun goes on to its end,
    so that what it writes is whole. Nobody gets all of the threads, or all of the places to wait:
    where there are others, their work begins while one's own still waits.

    Args:
        threads: How many at a time.
        waiting: How many may wait beside; more are refused at once, as waiting longer than anybody
            listens only makes it worse.
        name: Of the threads, as a debugger shows them.
    """

    def __init__(self, threads: int, *, waiting: int, name: str) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._most = threads + waiting
        self._share = max(1, threads - 1)
        self._most_of_one = self._share + waiting - waiting // 4
        self._within = 0
        self._of: dict[str, _Share] = {}
        self._counting = Lock()

    @property
    def within(self) -> int:
        """How many are at work or wait."""
        return self._within

    async def run(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what `work` returns, carried out in a thread.

        Raises:
            UnavailableError: Too many wait already, or the pool is closed.
        """
        with self._counting:
            if self._within >= self._most:
                raise _too_many()
            self._within += 1
        try:
            future = self._pool.submit(work, *args, **kwargs)
        except RuntimeError:
            self._left()
            raise _about_to_stop() from None
        future.add_done_callback(self._left)
        return await asyncio.wrap_future(future)

    async def run_for(
        self, whom: str, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Return what `work` returns, carried out in a thread that is not the last one for others.

        Args:
            whom: Such as a tenant: what is done for one takes all threads but one at most, unless
                there is but one.
            work: Does it.
            *args: Its arguments.
            **kwargs: The same.

        Raises:
            UnavailableError: Too many wait already, or the pool is closed.
        """
        future: Future[T] = Future()
        job = _Job(whom, future, lambda: work(*args, **kwargs))
        with self._counting:
            share = self._of.get(whom) or _Share()
            if self._within >= self._most or share.within >= self._most_of_one:
                raise _too_many()
            self._of[whom] = share
            self._within += 1
            share.within += 1
            waits = share.at_work >= self._share
            if waits:
                share.waiting.append(job)
            else:
                share.at_work += 1
        future.add_done_callback(lambda _: self._left(share=share))
        if not waits:
            self._begin(job)
        return await asyncio.wrap_future(future)

    def _begin(self, job: _Job) -> None:
        try:
            begun = self._pool.submit(self._carry_out, job)
        except RuntimeError:
            self._drop(job)
        else:
            begun.add_done_callback(lambda it: self._drop(job) if it.cancelled() else None)

    def _carry_out(self, job: _Job) -> None:
        try:
            if job.future.set_running_or_notify_cancel():
                try:
                    found = job.work()
                except BaseException as error:  # noqa: BLE001 - told to whoever waits for it
                    job.future.set_exception(error)
                else:
                    job.future.set_result(found)
        finally:
            self._go_on(job.whom)

    def _go_on(self, whom: str) -> None:
        """Begin what waits longest of one whose work ended."""
        with self._counting:
            share = self._of[whom]
            while share.waiting and share.waiting[0].future.cancelled():
                share.waiting.popleft()
            job = share.waiting.popleft() if share.waiting else None
            if job is None:
                share.at_work -= 1
                if not share.at_work:
                    del self._of[whom]
        if job is not None:
            self._begin(job)

    def _drop(self, job: _Job) -> None:
        """Tell whoever waits for work of one that nothing more is begun."""
        with self._counting:
            share = self._of.get(job.whom)
            dropped = [job, *(share.waiting if share is not None else ())]
            if share is not None:
                share.waiting.clear()
        for each in dropped:
            if each.future.set_running_or_notify_cancel():
                each.future.set_exception(_about_to_stop())

    def _left(self, _: object = None, *, share: _Share | None = None) -> None:
        with self._counting:
            self._within -= 1
            if share is not None:
                share.within -= 1

    def close(self) -> None:
        """Let what was begun end, and drop what waits."""
        self._pool.shutdown(wait=True, cancel_futures=True)


class _Job(NamedTuple):
    whom: str
    future: Future[Any]
    work: Callable[[], Any]


class _Share:
    """What is done for one of those who share the threads."""

    def __init__(self) -> None:
        self.at_work = 0
        self.within = 0
        self.waiting: deque[_Job] = deque()


def _too_many() -> UnavailableError:
    return UnavailableError(
        "too many requests wait for an answer: try again in a second",
        headers={"Retry-After": "1"},
    )


def _about_to_stop() -> UnavailableError:
    return UnavailableError("the server is about to stop: ask another one")
