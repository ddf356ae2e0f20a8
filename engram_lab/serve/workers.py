"""Blocking work in a small pool of threads, with a bound on how much of it may wait."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from engram_lab.serve.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Workers"]

P = ParamSpec("P")
T = TypeVar("T")


class Workers:
    """A pool of threads for one kind of work.

    Work that is cancelled while it waits is never begun; work that was begun goes on to its end,
    so that what it writes is whole.

    Args:
        threads: How many at a time.
        waiting: How many may wait beside; more are refused at once, as waiting longer than anybody
            listens only makes it worse.
        name: Of the threads, as a debugger shows them.
    """

    def __init__(self, threads: int, *, waiting: int, name: str) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._most = threads + waiting
        self._within = 0
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
                raise UnavailableError(
                    "too many requests wait for an answer: try again in a second",
                    headers={"Retry-After": "1"},
                )
            self._within += 1
        try:
            future = self._pool.submit(work, *args, **kwargs)
        except RuntimeError:
            self._left()
            raise UnavailableError("the server is about to stop: ask another one") from None
        future.add_done_callback(self._left)
        return await asyncio.wrap_future(future)

    def _left(self, _: object = None) -> None:
        with self._counting:
            self._within -= 1

    def close(self) -> None:
        """Let what was begun end, and drop what waits."""
        self._pool.shutdown(wait=True, cancel_futures=True)
