"""Which of the keys with the same beginning a secret is, found out once and then known for a while.

What is known is only that a secret fits a hash. Whether that key still holds is asked of the
control plane at each request, so a revocation counts at once.
"""

from __future__ import annotations

import asyncio
import math
import os
import secrets
from hashlib import blake2b
from time import perf_counter
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from cachetools import LRUCache, TTLCache

from engram_lab.serve.auth.attempts import Attempts, network_of
from engram_lab.serve.auth.keys import NO_KEY, verify
from engram_lab.serve.errors import RateLimitedError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from engram_lab.serve.control.records import ApiKey

__all__ = ["KeyVerifier", "Run"]

T = TypeVar("T")

KNOWN_FOR_S: Final = 3_600.0
KNOWN: Final = 10_000
WAITING: Final = 64


class Run(Protocol):
    """Carries out blocking work in a thread."""

    def __call__(self, work: Callable[[], T], /) -> Awaitable[T]:
        """Return what the work returns."""
        ...


class KeyVerifier:
    """Compares secrets with hashes, sparingly. For one event loop; its state has no lock.

    What costs is bounded three times: a secret that is shown many times at once is compared once; a
    client may fail `Attempts.burst` times and then about once a second; and beyond `at_once`
    comparisons others wait, `WAITING` at most. A key that is known passes by all of these.

    No secret is kept: what is known is filed under a keyed hash, with a pepper of this process.

    Source: RFC 7693, section 2.9: BLAKE2 with a key is a message authentication code.

    Args:
        run: Carries out a comparison in a thread.
        timer: Seconds, from wherever.
        at_once: Comparisons at the same time; half the cores unless given.
    """

    def __init__(
        self,
        run: Run,
        *,
        timer: Callable[[], float] = perf_counter,
        at_once: int | None = None,
        attempts: Attempts | None = None,
    ) -> None:
        self._run = run
        self._pepper = secrets.token_bytes(32)
        self._fits: TTLCache[bytes, str] = TTLCache(KNOWN, KNOWN_FOR_S, timer=timer)
        self._fits_none: LRUCache[bytes, frozenset[str]] = LRUCache(KNOWN)
        self._comparing: dict[tuple[bytes, frozenset[str]], asyncio.Task[str | None]] = {}
        self._places = asyncio.Semaphore(at_once or max(1, (os.cpu_count() or 1) // 2))
        self._attempts = attempts or Attempts(timer=timer)

    def digest(self, secret: str) -> bytes:
        """Return what a secret is filed under. Nobody without the pepper can aim at it."""
        return blake2b(secret.encode(), key=self._pepper, digest_size=32).digest()

    def admit(self, digest: bytes, client: str) -> None:
        """Refuse a secret that was not seen before, of a client that failed too often.

        Asked before anything is looked up for it, so that a flood costs not even that.

        Raises:
            RateLimitedError: The client has to wait.
        """
        if digest not in self._fits and digest not in self._fits_none:
            _pass_or_wait(self._attempts.wait(network_of(client)))

    def known(self, digest: bytes, keys: Sequence[ApiKey]) -> ApiKey | None:
        """Return which of the keys a secret is, if that was found out before."""
        fits = self._fits.get(digest)
        if fits is None:
            return None
        return next((key for key in keys if key.hash == fits), None)

    async def find(
        self, digest: bytes, secret: str, keys: Sequence[ApiKey], *, client: str
    ) -> str | None:
        """Return the hash that a secret fits, None where it is none of the keys.

        Raises:
            RateLimitedError: The client failed too often.
            UnavailableError: Too many wait already.
        """
        hashes = frozenset(key.hash for key in keys)
        if self._fits_none.get(digest) == hashes:
            return None
        task = self._comparing.get((digest, hashes))
        if task is None:
            task = self._begin(digest, secret, hashes, network_of(client))
        # One who goes away must not end it for those who wait for the same.
        return await asyncio.shield(task)

    def _begin(
        self, digest: bytes, secret: str, hashes: frozenset[str], client: str
    ) -> asyncio.Task[str | None]:
        if len(self._comparing) >= WAITING:
            raise UnavailableError(
                "too many keys wait to be looked at: try again in a second",
                headers={"Retry-After": "1"},
            )
        _pass_or_wait(self._attempts.take(client))
        task = asyncio.create_task(self._compare(digest, secret, hashes, client))
        self._comparing[digest, hashes] = task

        def end(done: asyncio.Task[str | None]) -> None:
            self._comparing.pop((digest, hashes), None)
            if not done.cancelled():
                done.exception()  # or asyncio complains where nobody waits for it any more

        task.add_done_callback(end)
        return task

    async def _compare(
        self, digest: bytes, secret: str, hashes: frozenset[str], client: str
    ) -> str | None:
        def fitting() -> str | None:
            found = next((each for each in hashes if verify(secret, each)), None)
            if not hashes:
                verify(secret, NO_KEY)  # takes as long as a wrong secret of a key that there is
            return found

        try:
            async with self._places:
                found = await self._run(fitting)
        except BaseException:
            self._attempts.give_back(client)  # nothing was compared
            raise
        if found is None:
            self._fits_none[digest] = hashes
        else:
            self._fits[digest] = found
            self._attempts.give_back(client)
        return found


def _pass_or_wait(seconds: float) -> None:
    if seconds:
        raise RateLimitedError(
            "too many keys from here were not valid: wait before trying another",
            headers={"Retry-After": str(math.ceil(seconds))},
        )
