"""The names of tenants: what stands in hosts and headers."""

from __future__ import annotations

import re
from typing import Final

from engram_lab.core.errors import InvalidInputError, shown

__all__ = ["RESERVED", "check_slug", "is_label", "is_slug"]

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z")

RESERVED: Final = frozenset(
    {
        "account",
        "accounts",
        "admin",
        "api",
        "app",
        "assets",
        "auth",
        "billing",
        "blog",
        "cdn",
        "dashboard",
        "docs",
        "ftp",
        "health",
        "help",
        "imap",
        "internal",
        "localhost",
        "login",
        "mail",
        "mcp",
        "metrics",
        "ns",
        "ns1",
        "ns2",
        "oauth",
        "operator",
        "pop",
        "root",
        "signup",
        "smtp",
        "sso",
        "static",
        "status",
        "support",
        "system",
        "v1",
        "webmail",
        "www",
    }
)
"""Names that hosts have for other things, or that could be mistaken for the operator's."""


def is_label(text: str) -> bool:
    """Tell whether a text could stand before a domain at all, whether a tenant may be named so."""
    return _SLUG.match(text) is not None


def is_slug(text: str) -> bool:
    """Tell whether a text could be the name of a tenant: a label of a host, in lower case.

    Source: RFC 1123, section 2.1; RFC 5891, section 4.2.3.1 (no hyphens in places 3 and 4).
    """
    return is_label(text) and text[2:4] != "--"


def check_slug(text: str) -> str:
    """Return a name that a new tenant may have.

    Raises:
        InvalidInputError: It is no label of a host, or a name that is kept for other things.
    """
    if not is_slug(text):
        raise InvalidInputError(
            f"{shown(text)} is no name for a tenant: give 1 to 63 of a-z, 0-9 and '-', not with "
            "'-' at either end or in both of the places 3 and 4"
        )
    if text in RESERVED:
        raise InvalidInputError(f"{text!r} is kept for the server itself: give another name")
    return text
