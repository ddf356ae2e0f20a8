from __future__ import annotations

import pytest

from engram_lab.config.serving import AuthSettings, ServeSettings, TenancySettings
from engram_lab.serve.errors import ForbiddenError
from engram_lab.serve.hosts import HostRules


def rules(**told: object) -> HostRules:
    serve = {name: told[name] for name in ("host", "cors_origins") if name in told}
    return HostRules.of(
        ServeSettings(**serve),  # type: ignore[arg-type]
        TenancySettings(domain=told.get("domain")),  # type: ignore[arg-type]
        AuthSettings(enabled=bool(told.get("auth"))),
    )


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost", "[::1]:8765", "LOCALHOST:1"])
def test_a_local_server_answers_to_local_names(host: str) -> None:
    rules().check(host, None)
    rules().check(host, f"http://{host}")


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example:80", "127.0.0.1.evil.example", "", None,
             "localhost,evil.example", "evil.example#localhost", "evil@localhost.evil", "[::1"],
)  # fmt: skip
def test_a_local_server_answers_to_no_rebound_name(host: str | None) -> None:
    with pytest.raises(ForbiddenError):
        rules().check(host, None)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "", "http://localhost.evil.x"])
def test_pages_from_elsewhere_may_not_ask(origin: str) -> None:
    with pytest.raises(ForbiddenError):
        rules().check("localhost", origin)


def test_a_domain_and_what_lies_below_it_are_answered() -> None:
    served = rules(host="0.0.0.0", domain="engram.example.")  # noqa: S104 - not bound here
    for host in ("engram.example", "acme.engram.example:443", "a.b.engram.example"):
        served.check(host, f"https://{host}")
    for host in ("notengram.example", "engram.example.evil", "acme.example"):
        with pytest.raises(ForbiddenError):
            served.check(host, None)


def test_who_cannot_know_its_names_answers_to_all_but_minds_pages() -> None:
    for served in (rules(host="0.0.0.0"), rules(auth=True)):  # noqa: S104
        served.check("any.example", None)
        served.check("any.example", "https://any.example")
        with pytest.raises(ForbiddenError):
            served.check("any.example", "https://other.example")


def test_allowed_origins_may_ask() -> None:
    served = rules(cors_origins="https://App.example/, http://x.example")
    served.check("localhost", "https://app.example")
    with pytest.raises(ForbiddenError):
        served.check("localhost", "https://app.example:8443")
    rules(cors_origins="*").check("localhost", "https://whoever.example")
