"""Scopes: who a memory belongs to, as a path from `global` down.

A scope is `global` or a path below it, as in `global/org:acme/project:apollo/agent:coder`. What
lies at or below a scope is found by whole segments, never by a common prefix of letters:
`global/org:a` does not hold `global/org:ab`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, Literal, get_args

from engram_lab.core.errors import InvalidInputError, shown

__all__ = [
    "GLOBAL_SCOPE",
    "PERMISSIONS",
    "Permission",
    "ancestors",
    "check_permission",
    "check_scope",
    "is_within",
    "permits",
]

GLOBAL_SCOPE: Final = "global"
MAX_SCOPE_CHARS: Final = 512

Permission = Literal["read", "write", "admin"]
PERMISSIONS: Final[tuple[Permission, ...]] = get_args(Permission)

_SCOPE = re.compile(r"global(/[a-z][a-z0-9_-]*:[A-Za-z0-9][A-Za-z0-9._@-]*)*\Z")


def check_scope(scope: object, *, field: str = "scope") -> str:
    """Return `scope` if it is a well-formed path.

    Raises:
        InvalidInputError: It is not, or is longer than 512 characters.
    """
    if not isinstance(scope, str) or not _is_well_formed(scope):
        raise InvalidInputError(
            f"{field} is {shown(scope, limit=80)}: give 'global' or a path such as "
            "'global/org:acme/project:apollo' (kind:name segments, at most 512 characters)"
        )
    return scope


@lru_cache(maxsize=4096)
def _is_well_formed(scope: str) -> bool:
    return len(scope) <= MAX_SCOPE_CHARS and _SCOPE.match(scope) is not None


@lru_cache(maxsize=4096)
def ancestors(scope: str) -> tuple[str, ...]:
    """Return the scope itself and all above it, from `global` down.

    >>> ancestors("global/org:a/agent:b")
    ('global', 'global/org:a', 'global/org:a/agent:b')
    """
    parts = scope.split("/")
    return tuple("/".join(parts[: depth + 1]) for depth in range(len(parts)))


def is_within(scope: str, root: str) -> bool:
    """Tell whether `scope` is `root` or lies below it."""
    return scope == root or scope.startswith(root + "/")


def check_permission(value: object) -> Permission:
    """Return `value` if it is a permission.

    Raises:
        InvalidInputError: It is none.
    """
    for permission in PERMISSIONS:
        if isinstance(value, str) and value == permission:
            return permission
    raise InvalidInputError(f"permission is {shown(value)}: allowed are {', '.join(PERMISSIONS)}")


def permits(held: Permission, needed: Permission) -> bool:
    """Tell whether a grant of `held` covers `needed`: read < write < admin."""
    return PERMISSIONS.index(held) >= PERMISSIONS.index(needed)
