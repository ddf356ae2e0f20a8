"""Who asks: found out from what a request shows."""

from __future__ import annotations

import hmac
from time import perf_counter
from typing import TYPE_CHECKING, Final, Protocol

from engram_lab.serve.auth.credentials import credential_of, not_believed
from engram_lab.serve.auth.exposure import check_auth
from engram_lab.serve.auth.jwks import JwksKeys, fetch_jwks
from engram_lab.serve.auth.keys import is_key, prefix_of, still_holds
from engram_lab.serve.auth.tokens import Tokens, shared_secret
from engram_lab.serve.auth.verifying import KeyVerifier
from engram_lab.serve.call import Actor
from engram_lab.serve.control.records import SCOPES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from engram_lab.config.serving import AuthSettings
    from engram_lab.core.clock import Clock
    from engram_lab.serve.auth.verifying import Run
    from engram_lab.serve.call import Call
    from engram_lab.serve.control.records import ApiKey

__all__ = ["Authenticator", "FindKeys"]

_LOCAL: Final = Actor(kind="local", id="local", role="owner", scopes=frozenset(SCOPES))
_OPERATOR: Final = Actor(kind="operator", id="operator")


class FindKeys(Protocol):
    """Looks keys up, in memory where it may."""

    async def keys_by_prefix(self, prefix: str, /) -> Sequence[ApiKey]:
        """Return the keys that begin so, as they are now, revoked and expired ones too."""
        ...


class Authenticator:
    """Finds out who asks. For one event loop; its state has no lock.

    Args:
        settings: Whom to believe.
        lookups: The keys that there are.
        clock: Tells what has expired.
        run: Carries out blocking work in a thread.
        used: Told of each use of a key: its id, and when.
        timer: Seconds, from wherever.

    Raises:
        ConfigError: The settings cannot be used.
    """

    def __init__(
        self,
        settings: AuthSettings,
        lookups: FindKeys,
        clock: Clock,
        run: Run,
        used: Callable[[str, datetime], None],
        *,
        timer: Callable[[], float] = perf_counter,
    ) -> None:
        check_auth(settings)
        self._enabled = settings.enabled
        self._lookups = lookups
        self._clock = clock
        self._used = used
        self._verifier = KeyVerifier(run, timer=timer)
        self._admin = settings.admin_token and self._verifier.digest(settings.admin_token)
        self._tokens: Tokens | None = None
        self._issuer: JwksKeys | None = None
        if settings.jwt_secret is not None:
            self._tokens = Tokens(settings, shared_secret(settings.jwt_secret), clock)
        elif (url := settings.jwks_url) is not None:
            self._issuer = JwksKeys(
                lambda: fetch_jwks(url, timer=timer),
                run,
                max_age_s=settings.jwks_cache_s,
                timer=timer,
            )
            self._tokens = Tokens(settings, self._issuer.find, clock)

    @property
    def problem(self) -> str | None:
        """Why the keys of the issuer could not be fetched last; None: they could, or need not."""
        return None if self._issuer is None else self._issuer.problem

    async def authenticate(self, call: Call) -> Actor:
        """Return who asks; what they may do in the tenant, `check_entry` says.

        Leaves the beginning of a key that was shown in `call.extra["credential"]`, for the record
        of who tried.

        Raises:
            UnauthorizedError: No credential, or none that is believed; which part was wrong is not
                said, and takes no other time.
            InvalidRequestError: Two credentials at once.
            RateLimitedError: Too many from this client were wrong.
            UnavailableError: It cannot be found out now.
        """
        if not self._enabled and not self._guards(call):
            return _LOCAL
        credential = credential_of(call.headers)
        if is_key(credential.text):
            call.extra["credential"] = prefix_of(credential.text)
            return await self._by_key(credential.text, call.client)
        if credential.bearer and self._is_admin(credential.text):
            return _OPERATOR
        if not credential.bearer or self._tokens is None:
            raise not_believed()
        person = await self._tokens.verify(credential.text)
        return Actor(kind="user", id=person.id, email=person.email)

    def _guards(self, call: Call) -> bool:
        """Tell whether a server that asks nobody still asks here: for the admin token, if set."""
        return bool(self._admin) and call.needs is not None and not call.needs.tenant

    def _is_admin(self, text: str) -> bool:
        return isinstance(self._admin, bytes) and hmac.compare_digest(
            self._verifier.digest(text), self._admin
        )

    async def _by_key(self, secret: str, client: str) -> Actor:
        digest = self._verifier.digest(secret)
        self._verifier.admit(digest, client)
        keys = await self._lookups.keys_by_prefix(prefix_of(secret))
        key = self._verifier.known(digest, keys)
        if key is None:
            fits = await self._verifier.find(digest, secret, keys, client=client)
            # Looked up again: it may have been revoked while it was compared.
            keys = await self._lookups.keys_by_prefix(prefix_of(secret))
            key = next((each for each in keys if each.hash == fits), None)
        now = self._clock.now()
        if key is None or not still_holds(key, now):
            raise not_believed()
        self._used(key.id, now)
        scopes = frozenset(key.scopes).intersection(SCOPES)
        return Actor(kind="key", id=key.id, scopes=scopes, tenant_id=key.tenant_id)
