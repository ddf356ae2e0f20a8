"""Work in processes of their own: in a thread it would hold up whoever waits for an answer.

Python computes in one thread at a time, and some of what a dream, an export or an import does holds
on to that for longer than a request should wait.

    apart.run(dream_one, path, config.to_dict(), {"workspace": "default"}, 100)
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from threading import BoundedSemaphore, Lock
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

from engram_lab.core.errors import EngramError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

__all__ = ["Apart"]

P = ParamSpec("P")
T = TypeVar("T")

_NICENESS: Final = 10


class Apart:
    """Processes that work when there is something to do. Threads share it.

    Args:
        most: So many at a time; more wait for their turn.
    """

    def __init__(self, *, most: int = 1) -> None:
        self._turns = BoundedSemaphore(most)
        self._lock = Lock()
        self._resting: list[_Process] = []
        self._at_work: set[_Process] = set()
        self._closed = False

    def run(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what `work` returns in a process of its own. Blocks: for threads.

        Args:
            work: A function of a module, so that it is found there.
            *args: Its arguments, and its answer, are sent from process to process.
            **kwargs: The same.

        Raises:
            EngramError: What the work raises, if it is one.
            StoreError: It raised something else; the process was ended, or is to end.
        """
        with self._turns:
            process = self._begun()
            try:
                found = process.ask(work, args, kwargs)
            except BaseException:
                self._leave(process, keep=False)
                raise
            self._leave(process, keep=True)
        if isinstance(found, _Fault):
            raise found.again()
        answer: T = found
        return answer

    def rest(self) -> int:
        """End the processes that have nothing to do, as each holds memory; return how many."""
        with self._lock:
            resting, self._resting = self._resting, []
        for process in resting:
            process.end()
        return len(resting)

    def close(self) -> None:
        """End all processes, those at work too: SQLite takes back what they had not finished."""
        with self._lock:
            self._closed = True
            at_work = list(self._at_work)
        for process in at_work:
            process.end()
        self.rest()

    def _begun(self) -> _Process:
        with self._lock:
            if self._closed:
                raise StoreError("nothing more is begun: the server is going down")
            process = self._resting.pop() if self._resting else _Process()
            self._at_work.add(process)
        return process

    def _leave(self, process: _Process, *, keep: bool) -> None:
        with self._lock:
            self._at_work.discard(process)
            keep = keep and not self._closed
            if keep:
                self._resting.append(process)
        if not keep:
            process.end()


class _Process:
    """One process. It ends by itself once this one is gone, as nobody is left to ask."""

    def __init__(self) -> None:
        # Not forked, as that would take along locks that threads hold.
        context = multiprocessing.get_context("spawn")
        self._ours, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(theirs,), name="engram-apart", daemon=True
        )
        self._process.start()
        theirs.close()
        self._ending = Lock()

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid or 0

    def ask(self, *work: Any) -> Any:
        """Return what came of it, or the error that did."""
        try:
            self._ours.send(work)
            return self._ours.recv()
        except (OSError, EOFError) as error:
            raise StoreError("the process that was to do it was ended: try again later") from error

    def end(self) -> None:
        """End the process, whatever it is at; a second call does nothing."""
        with self._ending:
            self._process.terminate()
            self._process.join()


def _serve(asked: Connection[Any, Any]) -> None:
    """Work whenever asked, and give way to those who answer requests."""
    with suppress(OSError):
        os.nice(_NICENESS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of the whole group: the server sees to it
    while True:
        try:
            work, args, kwargs = asked.recv()
        except EOFError:
            return
        try:
            found = work(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - whatever it is, who asked is told
            found = _Fault.of(error)
        try:
            asked.send(found)
        except OSError:
            return
        except Exception as error:  # noqa: BLE001 - something in it cannot be sent
            asked.send(_Fault.of(StoreError(f"what came of it cannot be told: {error}")))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Fault:
    """An error on its way from process to process: many cannot be made of their message alone."""

    kind: type[EngramError]
    args: tuple[Any, ...]
    state: dict[str, Any]

    @classmethod
    def of(cls, error: Exception) -> _Fault:
        if isinstance(error, EngramError):
            return cls(kind=type(error), args=error.args, state=dict(vars(error)))
        return cls(kind=StoreError, args=(f"{type(error).__name__}: {error}",), state={})

    def again(self) -> EngramError:
        error = self.kind.__new__(self.kind, *self.args)
        vars(error).update(self.state)
        return error
