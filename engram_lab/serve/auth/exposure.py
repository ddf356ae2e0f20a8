"""What must hold of the settings before a server listens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engram_lab.core.errors import ConfigError, shown
from engram_lab.serve.auth.credentials import fits_bearer
from engram_lab.serve.auth.jwks import jwks_url_fault
from engram_lab.serve.auth.keys import is_key, word_fault
from engram_lab.serve.hosts import is_loopback
from engram_lab.serve.tenants.slugs import is_label

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engram_lab.config.serving import AuthSettings, ServeSettings, TenancySettings

__all__ = ["check_auth", "check_exposure", "check_tenancy"]

_SECRET_BYTES: Final = 32
_LONGEST_DOMAIN: Final = 253 - 63
"""Of a host's 253 characters, what the name of a tenant leaves."""


def check_exposure(serve: ServeSettings, auth: AuthSettings) -> None:
    """Refuse to listen beyond this machine without asking who calls.

    Raises:
        ConfigError: `serve.host` is reached from elsewhere, and nobody would be asked.
    """
    if not auth.enabled and not auth.allow_insecure and not is_loopback(serve.host):
        problem = (
            f"serve.host is {serve.host!r}, which others can reach, and nobody is asked for a key: "
            "set auth.enabled, listen on 127.0.0.1, or set auth.allow_insecure"
        )
        raise ConfigError([problem])


def check_tenancy(tenancy: TenancySettings) -> None:
    """Refuse names that no request can ever have.

    Raises:
        ConfigError: Lists which.
    """
    problems = []
    domain, default = tenancy.domain, tenancy.default
    if domain is not None and not _is_domain(domain):
        problems.append(
            f"tenancy.domain is {shown(domain)}, which is no name of a host: give one such as "
            "engram.example.com, without a scheme, a port or a path"
        )
    if default is not None and not is_label(default):
        problems.append(
            f"tenancy.default is {shown(default)}, which is no name of a tenant: allowed are 1 to "
            "63 of a-z, 0-9 and -, not at either end"
        )
    if problems:
        raise ConfigError(problems)


def _is_domain(text: str) -> bool:
    """Tell whether tenants' names can stand before it. Source: RFC 1123, section 2.1."""
    labels = text.lower().strip(".").split(".")
    return all(map(is_label, labels)) and sum(map(len, labels)) + len(labels) <= _LONGEST_DOMAIN


def check_auth(auth: AuthSettings) -> None:
    """Check what the settings of a section cannot say each by itself.

    Raises:
        ConfigError: Lists all that is wrong; shows no secret.
    """
    if problems := list(_problems(auth)):
        raise ConfigError(problems)


def _problems(auth: AuthSettings) -> Iterator[str]:
    if fault := word_fault(auth.key_prefix):
        yield f"auth.key_prefix is {auth.key_prefix[:20]!r}: {fault}"
    for name in ("jwt_secret", "admin_token"):
        secret: str | None = getattr(auth, name)
        if secret is not None and (given := len(secret.encode())) < _SECRET_BYTES:
            yield f"auth.{name} has {given} bytes: draw {_SECRET_BYTES} or more at random"
    if auth.admin_token is not None:
        yield from _admin_problems(auth.admin_token, auth.jwt_secret)
    if auth.jwks_url is not None:
        yield from _issuer_problems(auth.jwks_url, auth)


def _admin_problems(token: str, jwt_secret: str | None) -> Iterator[str]:
    if not fits_bearer(token):
        yield "auth.admin_token cannot stand in a header: draw it from A-Z, a-z, 0-9, - and _"
    if is_key(token):
        yield "auth.admin_token has the form of a tenant's key: draw one without"
    if token == jwt_secret:
        yield "auth.admin_token is the same as auth.jwt_secret: draw another one"


def _issuer_problems(url: str, auth: AuthSettings) -> Iterator[str]:
    if fault := jwks_url_fault(url):
        yield f"auth.jwks_url {fault}"
    if auth.jwt_secret is not None:
        yield "auth.jwks_url and auth.jwt_secret are both set: tokens are signed in one way"
    if auth.jwt_issuer is None:
        yield "auth.jwt_issuer is missing: say whose tokens auth.jwks_url has the keys of"
