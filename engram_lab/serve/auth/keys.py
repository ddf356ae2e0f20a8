"""API keys: how they are made, kept, compared and replaced.

A key such as `ek_live_…` is shown once. What is kept is its first 12 characters, to find it by,
and its argon2id hash.

The cost of the hash is chosen for what it hashes. A password needs a slow hash because people
choose guessable ones; a key is drawn from 62^36 beyond what its prefix tells, 214 bits, which
nobody searches at any speed. So the hash need only be one-way and salted, and a cheap one (below
2 ms) leaves a flood of wrong keys little to burn.

Source: NIST SP 800-63B-4, section 3.1.2.2: look-up secrets of 112 bits or more need no more than an
approved one-way function. RFC 9106, section 3.1: allowed parameters of argon2id; its section 4
recommends far more for passwords.
"""

from __future__ import annotations

import re
import secrets
import string
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import error_to_str

from engram_lab.core.errors import ConfigError, ConflictError, InvalidInputError
from engram_lab.serve.control.records import ENVIRONMENTS

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from engram_lab.serve.control.records import ApiKey, Environment

__all__ = [
    "NO_KEY",
    "PREFIX_CHARS",
    "NewKey",
    "RotatedKey",
    "is_key",
    "new_key",
    "prefix_of",
    "rotate_key",
    "still_holds",
    "verify",
    "word_fault",
]

PREFIX_CHARS: Final = 12
"""So much of a key is kept and shown."""

NO_KEY: Final = (
    "$argon2id$v=19$m=4096,t=1,p=1$bm9ib2R5J3Mgb3duIHNhbHQ$"
    "3o6mVZ0uT1yq8rWf5kJxH2cN7aLs9dEbGgPiQvXzKtM"
)
"""A hash that no key has: what is compared where no key begins so, which then takes as long."""

_NO_MEMORY: Final = error_to_str(-22)  # ARGON2_MEMORY_ALLOCATION_ERROR
_ALPHABET: Final = string.ascii_letters + string.digits
_RANDOM_CHARS: Final = 40
_WORD: Final = re.compile(r"[a-z][a-z0-9]{1,3}")
_KEY: Final = re.compile(rf"{_WORD.pattern}_(?:live|test)_[0-9A-Za-z]{{{_RANDOM_CHARS}}}")
_HASHER: Final = PasswordHasher(
    time_cost=1, memory_cost=4096, parallelism=1, hash_len=32, salt_len=16
)


@dataclass(frozen=True, kw_only=True, slots=True)
class NewKey:
    """A key that was just made; `secret` is to be shown once and kept nowhere."""

    secret: str
    prefix: str
    hash: str

    def __repr__(self) -> str:
        return f"NewKey(prefix={self.prefix!r})"


@dataclass(frozen=True, kw_only=True, slots=True)
class RotatedKey:
    """What takes the place of a key.

    Attributes:
        secret: Of the new one, to be shown once.
        key: The new one, to be written.
        old_ends_at: When the old one is to end: `TenantView.expire_key(old.id, at=…)`.
    """

    secret: str
    key: ApiKey
    old_ends_at: datetime

    def __repr__(self) -> str:
        return f"RotatedKey(key={self.key.id!r}, old_ends_at={self.old_ends_at!r})"


def word_fault(word: str) -> str | None:
    """Return what is wrong with the word that keys begin with; None: nothing.

    Longer than 4 characters, it would leave nothing random in the 12 that a key is found by, and
    each request would be compared with every key there is.
    """
    if _WORD.fullmatch(word):
        return None
    return "allowed is 2 to 4 of a-z and 0-9, a letter first, such as ek"


def new_key(environment: Environment, *, word: str = "ek") -> NewKey:
    """Make a key. Takes some milliseconds: not for the event loop.

    Args:
        environment: `live` or `test`, which stands in the key.
        word: What it begins with.

    Raises:
        ConfigError: `word` is none.
        InvalidInputError: There is no such environment.
    """
    if fault := word_fault(word):
        raise ConfigError([f"auth.key_prefix is {word[:20]!r}: {fault}"])
    if environment not in ENVIRONMENTS:
        raise InvalidInputError(f"environment is unknown: give one of {', '.join(ENVIRONMENTS)}")
    drawn = "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_CHARS))
    secret = f"{word}_{environment}_{drawn}"
    return NewKey(secret=secret, prefix=prefix_of(secret), hash=_HASHER.hash(secret))


def is_key(text: str) -> bool:
    """Tell whether a text has the form of a key, whichever word it begins with.

    Keys that were made before the word was changed go on to work. No token has this form: a token
    has dots.
    """
    return _KEY.fullmatch(text) is not None


def prefix_of(secret: str) -> str:
    """Return the part of a key that it is looked up by, which may be shown."""
    return secret[:PREFIX_CHARS]


def verify(secret: str, key_hash: str) -> bool:
    """Tell whether a hash is of this key, in the same time whether it is or not.

    Takes some milliseconds: not for the event loop. A damaged hash is no key's.

    Raises:
        MemoryError: There was no room to find out, which says nothing of the key.
    """
    try:
        return _HASHER.verify(key_hash, secret)
    except InvalidHashError:
        return False
    except VerificationError as error:
        if str(error) == _NO_MEMORY:
            raise MemoryError from error
        return False


def still_holds(key: ApiKey, now: datetime) -> bool:
    """Tell whether a key is neither revoked nor past its end.

    A revoked key stays so wherever the clock is set: only that it was revoked counts, not when.
    """
    return key.revoked_at is None and (key.expires_at is None or now < key.expires_at)


def rotate_key(
    old: ApiKey,
    *,
    new_id: str,
    at: datetime,
    overlap: timedelta,
    by: str,
    word: str = "ek",
    expires_at: datetime | None = None,
) -> RotatedKey:
    """Make a key that takes the place of another, both holding for a while.

    Takes some milliseconds: not for the event loop.

    Args:
        old: The one to be replaced.
        new_id: Of the new one.
        at: Now.
        overlap: For how long the old one holds beside the new; zero ends it at once.
        by: Who does it, as in `Actor.name`.
        word: What the new one begins with.
        expires_at: When the new one is to end; without it when the old one was to, so that nobody
            lengthens a key's life by rotating it.

    Raises:
        ConflictError: The old one does not hold any more.
        InvalidInputError: The overlap is negative, or the end is not after now.
    """
    if not still_holds(old, at):
        raise ConflictError(
            f"key {old.id} was revoked or has ended: make a new one instead of rotating it"
        )
    if overlap.total_seconds() < 0:
        raise InvalidInputError("overlap is negative: give 0 or more")
    if expires_at is not None and expires_at <= at:
        raise InvalidInputError("expires_at is not after now: give a later moment")
    made = new_key(old.environment, word=word)
    key = replace(
        old,
        id=new_id,
        prefix=made.prefix,
        hash=made.hash,
        created_at=at,
        created_by=by,
        expires_at=expires_at or old.expires_at,
        last_used_at=None,
        revoked_at=None,
    )
    ends = at + overlap
    return RotatedKey(
        secret=made.secret,
        key=key,
        old_ends_at=ends if old.expires_at is None else min(ends, old.expires_at),
    )
