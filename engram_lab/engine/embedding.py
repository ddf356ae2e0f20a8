"""Vectors follow the memories: embedded after the write, at once or in the background.

A write is durable before any model is asked, so that none is lost to a slow or failing provider:
what could not be embedded waits in the store's queue.
"""

from __future__ import annotations

import logging
from contextlib import nullcontext, suppress
from datetime import timedelta
from threading import Event, Lock, Thread
from time import sleep
from typing import TYPE_CHECKING, Final

import numpy as np

from engram_lab.core.errors import (
    EmbedderError,
    EngramError,
    InvalidInputError,
    StoreBusyError,
    StoreError,
    StoreFullError,
)
from engram_lab.core.progress import task
from engram_lab.retrieval.embedders.checked import embed_checked

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from numpy.typing import NDArray

    from engram_lab.core.clock import Clock
    from engram_lab.core.progress import Progress, Task
    from engram_lab.core.protocols import EmbeddingQueue, QueueCounts, Waiting
    from engram_lab.retrieval.embedders import Embedder

__all__ = ["EmbeddingWorker"]

_log = logging.getLogger(__name__)

_AT_ONCE: Final = 1024
_GIVING_WAY_S: Final = 0.0005
"""So long others get their turn between two calls of a model.

A thread that lets go of the interpreter for a moment and takes it back, as each call of a library
does, can keep it from the others for a tenth of a second.
"""
_LONGEST_WAIT_S: Final = 3600.0
_LOOK_AGAIN_S: Final = 2.0
"""How soon the background thread looks whether what failed is due again."""
_PAUSE_S: Final = 30.0
"""The same where the embedder itself could not be had, for a reason that may pass."""
_PATIENCE_S: Final = 10.0
"""How long closing waits for a batch that is being embedded."""


class EmbeddingWorker:
    """Embeds what waits in a queue.

    Args:
        queue: Of the store, as its owner.
        embedder: Returns the embedder, which may be loaded then.
        clock: Tells when a failed one is tried again.
        retries: How many failures a memory may have before it is left alone.
        deferred: Whether a write leaves the embedding to the background unless told.
        batch: How many texts a model gets in one call.
        passed_over: Called with a batch where some that it holds may be gone since it was claimed.
        around: Entered with a batch while a model makes its vectors.
    """

    def __init__(
        self,
        queue: EmbeddingQueue,
        embedder: Callable[[], Embedder],
        *,
        clock: Clock,
        retries: int,
        deferred: bool,
        batch: int,
        passed_over: Callable[[Sequence[Waiting]], None] | None = None,
        around: Callable[[Sequence[Waiting]], AbstractContextManager[None]] | None = None,
    ) -> None:
        self._queue = queue
        self._embedder = embedder
        self._clock = clock
        self._retries = retries
        self._deferred = deferred
        self._batch = batch
        self._passed_over = passed_over
        self._around = around
        self._lock = Lock()
        self._due = Event()
        self._stopping = Event()
        self._thread: Thread | None = None

    def follow(self, *, defer: bool | None = None) -> None:
        """Embed what a write left to embed: now, or in the background.

        Never raises for the sake of a vector: the write is done, and what failed waits.
        """
        if self._deferred if defer is None else defer:
            self._wake()
            return
        try:
            self.run()
        except EngramError as error:
            _log.warning("the memories are kept; their vectors wait: %s", error)

    def run(self, *, progress: Progress | None = None) -> QueueCounts:
        """Embed all that is due and return how many memories are in which state.

        Args:
            progress: Told how many memories were embedded.

        Raises:
            EmbedderError: The embedder cannot be loaded. What it says of a memory is in the queue.
        """
        embedder = self._embedder()
        with task("embedding", unit="memories", progress=progress) as counting:
            self._run(embedder, counting)
        return self._queue.counts(embedder.fingerprint)

    def _run(self, embedder: Embedder, counting: Task) -> None:
        fingerprint = embedder.fingerprint
        done = 0
        while not self._stopping.is_set():
            if embedder.fingerprint != fingerprint:  # each name has all memories before it
                raise EmbedderError(
                    f"the embedder calls itself {fingerprint!r}, then {embedder.fingerprint!r}: "
                    "a fingerprint must stay as it is"
                )
            claimed = self._queue.claim(fingerprint, limit=_AT_ONCE)
            if not claimed:
                break
            if counting.is_heard and not done:
                counting.total = self._waiting(fingerprint, claimed)
            try:
                self._embed(embedder, claimed, counting)
            except BaseException:  # what is done already is no longer held, and is passed over
                with suppress(StoreError):
                    self._queue.release(fingerprint, claimed)
                raise
            done += len(claimed)
            counting.reach(done)

    def _waiting(self, fingerprint: str, claimed: Sequence[Waiting]) -> int:
        """Return how many there are to embed, of which some were claimed first."""
        full = len(claimed) == _AT_ONCE
        return len(claimed) + (self._queue.counts(fingerprint).pending if full else 0)

    def _embed(
        self,
        embedder: Embedder,
        claimed: Sequence[Waiting],
        counting: Task,
        *,
        answers: bool = False,
    ) -> None:
        """Embed a batch. Where a model refuses it for good, parts tell which text is at fault.

        Args:
            embedder: The model.
            claimed: The batch.
            counting: Counts what was embedded.
            answers: Whether it is known that the model embeds anything at all.
        """
        error = self._try(embedder, claimed, counting)
        if error is None:
            return
        retryable = isinstance(error, EmbedderError) and error.retryable
        if retryable or len(claimed) == 1 or not (answers or _answers(embedder)):
            self._fail(embedder.fingerprint, claimed, error, retryable=retryable)
            return
        half = len(claimed) // 2
        self._embed(embedder, claimed[:half], counting, answers=True)
        self._embed(embedder, claimed[half:], counting, answers=True)

    def _try(
        self, embedder: Embedder, claimed: Sequence[Waiting], counting: Task
    ) -> EngramError | None:
        """Embed a batch and store the vectors, or return why a model made none."""
        fingerprint = embedder.fingerprint
        try:
            with nullcontext() if self._around is None else self._around(claimed):
                values = self._vectors(embedder, [each.content for each in claimed], counting)
        except (EmbedderError, InvalidInputError) as error:
            return error
        try:
            stored = self._queue.complete(fingerprint, claimed, values)
            if stored < len(claimed) and self._passed_over is not None:
                self._passed_over(claimed)
        except InvalidInputError as error:  # of another dimension than those that are stored
            self._fail(fingerprint, claimed, error, retryable=False)
        return None

    def _vectors(
        self, embedder: Embedder, texts: Sequence[str], counting: Task
    ) -> NDArray[np.float32]:
        parts = []
        for start in range(0, len(texts), self._batch):
            if start:
                sleep(_GIVING_WAY_S)
            part = texts[start : start + self._batch]
            parts.append(embed_checked(embedder, part, kind="document"))
            counting.advance(len(part))
        return np.concatenate(parts)

    def _fail(
        self,
        fingerprint: str,
        claimed: Sequence[Waiting],
        error: EngramError,
        *,
        retryable: bool,
    ) -> None:
        """Put a batch off, each time twice as long, or give it up."""
        asked = getattr(error, "retry_after_s", None) or 0.0
        for attempts in sorted({each.attempts for each in claimed}):
            alike = [each for each in claimed if each.attempts == attempts]
            pause = min(max(2.0**attempts, asked), _LONGEST_WAIT_S)
            again = retryable and attempts < self._retries
            self._queue.fail(
                fingerprint,
                alike,
                str(error),
                retry_at=self._clock.now() + timedelta(seconds=pause) if again else None,
            )

    def _wake(self) -> None:
        with self._lock:
            alive = self._thread is not None and self._thread.is_alive()
            if not alive and not self._stopping.is_set():
                self._thread = Thread(target=self._work, name="engram-embedding", daemon=True)
                self._thread.start()
        self._due.set()

    def _work(self) -> None:
        """Embed whenever something is due, until closed."""
        wait: float | None = None
        while not self._stopping.is_set():
            self._due.wait(wait)
            self._due.clear()
            try:
                counts = self.run()
            except (StoreBusyError, StoreFullError) as error:
                _log.warning("what waits to be embedded goes on waiting: %s", error)
                wait = _LOOK_AGAIN_S
            except StoreError as error:
                if not self._stopping.is_set():
                    _log.warning("embedding in the background stopped: %s", error)
                return
            except EngramError as error:
                _log.warning("what waits to be embedded goes on waiting: %s", error)
                wait = _PAUSE_S if getattr(error, "retryable", False) else _LONGEST_WAIT_S
            else:
                wait = _LOOK_AGAIN_S if counts.pending else None

    def close(self) -> None:
        """Stop the background thread, after the batch it is at; a second call does nothing."""
        self._stopping.set()
        self._due.set()
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(_PATIENCE_S)


def _answers(embedder: Embedder) -> bool:
    """Tell whether it embeds anything, so that it is a text which it refuses, not all of them."""
    try:
        embed_checked(embedder, ["a"], kind="document")
    except EngramError:
        return False
    return True
