"""Making and rotating the keys of a tenant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engram_lab.core.errors import InvalidInputError, NotFoundError
from engram_lab.serve.auth import new_key, rotate_key
from engram_lab.serve.control.records import ApiKey

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

    from engram_lab.core.clock import Clock
    from engram_lab.serve.control import TenantView
    from engram_lab.serve.control.records import Environment, Scope

__all__ = ["MadeKey", "Minting", "make_key", "replace_key"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Minting:
    """What it takes to make a key.

    Attributes:
        clock: Tells the time.
        new_id: Gives the next id.
        word: What secrets begin with.
    """

    clock: Clock
    new_id: Callable[[], str]
    word: str = "ek"


@dataclass(frozen=True, kw_only=True, slots=True)
class MadeKey:
    """A key as it is kept, and its secret, which is not."""

    key: ApiKey
    secret: str


def make_key(
    view: TenantView,
    minting: Minting,
    *,
    tenant_id: str,
    name: str,
    environment: Environment,
    scopes: tuple[Scope, ...],
    created_by: str,
    expires_at: datetime | None = None,
) -> MadeKey:
    """Make a key and write it.

    Raises:
        InvalidInputError: It would have expired already.
    """
    now = minting.clock.now()
    if expires_at is not None and expires_at <= now:
        raise InvalidInputError(f"expires_at is {expires_at.isoformat()}: give a time to come")
    made = new_key(environment, word=minting.word)
    key = ApiKey(
        id=minting.new_id(),
        tenant_id=tenant_id,
        name=name,
        prefix=made.prefix,
        hash=made.hash,
        environment=environment,
        scopes=tuple(dict.fromkeys(scopes)),
        created_at=now,
        created_by=created_by,
        expires_at=expires_at,
    )
    view.add_key(key)
    return MadeKey(key=key, secret=made.secret)


def replace_key(
    view: TenantView,
    minting: Minting,
    *,
    key_id: str,
    created_by: str,
    overlap: timedelta,
    check: Callable[[ApiKey], object] = lambda _old: None,
) -> MadeKey:
    """Make a key that may do what another may, which ends after an overlap.

    Args:
        view: Of its tenant.
        minting: Makes it.
        key_id: Of the other.
        created_by: Who does it.
        overlap: For how long both hold.
        check: Told the other first; raises where who does it may not.

    Raises:
        NotFoundError: There is no such key.
        ConflictError: It was revoked, or has expired.
    """
    old = {each.id: each for each in view.keys()}.get(key_id)  # noqa: SIM118 - no dict
    if old is None:
        raise NotFoundError(f"there is no key {key_id!r} here: list them to see which there are")
    check(old)
    made = rotate_key(
        old,
        new_id=minting.new_id(),
        at=minting.clock.now(),
        overlap=overlap,
        by=created_by,
        word=minting.word,
    )
    view.add_key(made.key)
    view.expire_key(old.id, at=made.old_ends_at)
    return MadeKey(key=made.key, secret=made.secret)
