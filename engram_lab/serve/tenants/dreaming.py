"""Dreams in a process of their own: one in a thread would hold up whoever waits for an answer.

Python computes in one thread at a time, and some of what a dream does holds on to that for longer
than a request should wait. The engine that the server has open follows the change log, so that it
sees what was dreamt with its next question.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import BoundedSemaphore, Lock
from typing import TYPE_CHECKING, Any, Final

from engram_lab.config import EngineConfig
from engram_lab.core.errors import DreamLockedError, EngramError, StoreError
from engram_lab.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from multiprocessing.connection import Connection

    from engram_lab.consolidation import DreamReport

__all__ = ["Dreamers", "Dreamt", "dream_all", "dream_one"]

_NICENESS: Final = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Dreamt:
    """What came of the dream of one workspace.

    Attributes:
        changes: How many there were.
        fault: Why there was no dream, None where there was one.
    """

    workspace: str
    changes: int = 0
    fault: str | None = None


def dream_one(path: str, config: Mapping[str, Any], options: Mapping[str, Any]) -> DreamReport:
    """Let one workspace of a database dream; see `Engine.dream` for options and errors."""
    with _opened(path, config) as engine:
        return engine.dream(**options)


def dream_all(path: str, config: Mapping[str, Any], options: Mapping[str, Any]) -> list[Dreamt]:
    """Let every workspace of a database dream, one after the other.

    A workspace whose dream would hide too much, or of which somebody else dreams, is left as it
    is; the others dream all the same.

    Args:
        path: Of the database, which must exist.
        config: Of the engine, by section and by name.
        options: Of `Engine.dream`.

    Raises:
        StoreError: The database cannot be used, or does not exist.
    """
    found = []
    with _opened(path, config) as engine:
        for workspace in [each.name for each in engine.store.workspaces.all()]:
            try:
                report = engine.dream(workspace, **options)
            except DreamLockedError:
                found.append(Dreamt(workspace=workspace, fault="somebody else dreams of it"))
            except StoreError:
                raise
            except EngramError as error:
                found.append(Dreamt(workspace=workspace, fault=str(error)))
            else:
                found.append(Dreamt(workspace=workspace, changes=len(report)))
    return found


def _opened(path: str, config: Mapping[str, Any]) -> Engine:
    if not Path(path).is_file():  # which opening would make
        raise StoreError("the database is not there")
    return Engine.open(path, config=EngineConfig.from_dict(config))


class Dreamers:
    """Processes that dream, begun when there is something to dream of. Threads share it.

    Args:
        most: So many at a time; more wait for their turn.
    """

    def __init__(self, *, most: int = 1) -> None:
        self._turns = BoundedSemaphore(most)
        self._lock = Lock()
        self._resting: list[_Dreamer] = []
        self._at_work: set[_Dreamer] = set()
        self._closed = False

    def dream(self, path: str, config: EngineConfig, **options: Any) -> DreamReport:
        """Let one workspace of a database dream, and wait for it.

        Args:
            path: Of the database, which must exist.
            config: Of the engine.
            **options: Of `Engine.dream`, but `progress`.

        Raises:
            EngramError: See `Engine.dream`.
            StoreError: The database cannot be used; the process was ended, or is to end.
        """
        report: DreamReport = self._asked(dream_one, path, config, options)
        return report

    def dream_all(self, path: str, config: EngineConfig, **options: Any) -> list[Dreamt]:
        """Let every workspace of a database dream, and wait for it; see `dream_all`.

        Raises:
            StoreError: The database cannot be used; the process was ended, or is to end.
        """
        found: list[Dreamt] = self._asked(dream_all, path, config, options)
        return found

    def _asked(
        self,
        work: Callable[..., Any],
        path: str,
        config: EngineConfig,
        options: Mapping[str, Any],
    ) -> Any:
        with self._turns:
            dreamer = self._begun()
            try:
                found = dreamer.ask(work, path, config.to_dict(), dict(options))
            except BaseException:
                with self._lock:
                    self._at_work.discard(dreamer)
                dreamer.end()
                raise
            with self._lock:
                self._at_work.discard(dreamer)
                keep = not self._closed
                if keep:
                    self._resting.append(dreamer)
            if not keep:
                dreamer.end()
        if isinstance(found, _Fault):
            raise found.again()
        return found

    def rest(self) -> int:
        """End the processes that have nothing to do, as each holds memory; return how many."""
        with self._lock:
            resting, self._resting = self._resting, []
        for dreamer in resting:
            dreamer.end()
        return len(resting)

    def close(self) -> None:
        """End all processes, those at work too: SQLite takes back what they had not finished."""
        with self._lock:
            self._closed = True
            at_work = list(self._at_work)
        for dreamer in at_work:
            dreamer.end()
        self.rest()

    def _begun(self) -> _Dreamer:
        with self._lock:
            if self._closed:
                raise StoreError("there are no more dreams: the server is going down")
            dreamer = self._resting.pop() if self._resting else _Dreamer()
            self._at_work.add(dreamer)
        return dreamer


class _Dreamer:
    """One process. It ends by itself once this one is gone, as nobody is left to ask."""

    def __init__(self) -> None:
        # Not forked, as that would take along locks that threads hold.
        context = multiprocessing.get_context("spawn")
        self._ours, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(theirs,), name="engram-dreaming", daemon=True
        )
        self._process.start()
        theirs.close()

    def ask(self, *work: Any) -> Any:
        """Return what came of it, or the error that did."""
        try:
            self._ours.send(work)
            return self._ours.recv()
        except (OSError, EOFError) as error:
            raise StoreError("the process that dreamt was ended: it dreams again later") from error

    def end(self) -> None:
        """End the process, whatever it is at."""
        self._process.terminate()
        self._process.join()
        self._ours.close()


def _serve(asked: Connection[Any, Any]) -> None:
    """Dream whenever asked, and give way to those who answer requests."""
    with suppress(OSError):
        os.nice(_NICENESS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of the whole group: the server sees to it
    while True:
        try:
            work, *given = asked.recv()
        except EOFError:
            return
        try:
            found = work(*given)
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
