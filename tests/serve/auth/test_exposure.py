from __future__ import annotations

import pytest

from engram_lab.config.serving import AuthSettings, ServeSettings, TenancySettings
from engram_lab.core.errors import ConfigError
from engram_lab.serve.auth.exposure import check_auth, check_exposure, check_tenancy

OUTSIDE = ["0.0.0.0", "::", "192.0.2.1", "engram.example", "::ffff:192.0.2.1"]  # noqa: S104
INSIDE = ["127.0.0.1", "localhost", "::1", "127.1.2.3"]


@pytest.mark.parametrize("host", OUTSIDE)
def test_a_server_that_asks_nobody_is_not_for_others(host: str) -> None:
    serve = ServeSettings(host=host)
    with pytest.raises(ConfigError, match=r"auth\.enabled"):
        check_exposure(serve, AuthSettings())
    check_exposure(serve, AuthSettings(enabled=True))
    check_exposure(serve, AuthSettings(allow_insecure=True))


@pytest.mark.parametrize("host", INSIDE)
def test_this_machine_itself_may_ask_without(host: str) -> None:
    check_exposure(ServeSettings(host=host), AuthSettings())


@pytest.mark.parametrize("domain", ["engram.example.com", "Engram.Example.", "localhost", None])
def test_a_name_of_a_host_is_a_domain(domain: str | None) -> None:
    check_tenancy(TenancySettings(domain=domain, default="home"))


@pytest.mark.parametrize(
    "domain",
    [
        *("http://x", "x:8080", "x/y", "a..b", "", ".", "a_b.example", "-a.example", "é.example"),
        ".".join(["a" * 40] * 5),
    ],
)
def test_what_no_host_can_end_in_is_no_domain(domain: str) -> None:
    with pytest.raises(ConfigError, match=r"tenancy\.domain"):
        check_tenancy(TenancySettings(domain=domain))


def test_a_default_that_no_tenant_can_be_called_is_refused() -> None:
    with pytest.raises(ConfigError) as refused:
        check_tenancy(TenancySettings(domain="http://x", default="No Such"))
    assert len(refused.value.problems) == 2


def test_settings_as_they_are_unless_set_are_fine() -> None:
    check_auth(AuthSettings())


def test_secrets_of_32_bytes_are_long_enough_in_bytes_not_letters() -> None:
    check_auth(AuthSettings(jwt_secret="é" * 16, admin_token="a" * 32))
    with pytest.raises(ConfigError, match="31 bytes"):
        check_auth(AuthSettings(jwt_secret="é" * 15 + "a"))


def test_all_that_is_wrong_is_told_at_once_and_no_secret() -> None:
    with pytest.raises(ConfigError) as refused:
        check_auth(
            AuthSettings(
                key_prefix="too long",
                jwt_secret="hunter2",  # noqa: S106
                admin_token="hunter3!",  # noqa: S106
                jwks_url="http://issuer.example/keys",
            )
        )
    assert len(refused.value.problems) == 7
    assert "hunter" not in str(refused.value)
