from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from time import perf_counter
from typing import TYPE_CHECKING, Any, Never

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engram_lab.config.serving import AuthSettings
from engram_lab.core.clock import ManualClock
from engram_lab.core.errors import ConfigError
from engram_lab.serve.auth import Authenticator, new_key
from engram_lab.serve.call import Needs
from engram_lab.serve.errors import (
    InvalidRequestError,
    RateLimitedError,
    ServeError,
    UnauthorizedError,
    UnavailableError,
)
from tests.serve.auth.conftest import START, Keys

if TYPE_CHECKING:
    from engram_lab.serve.call import Call
    from tests.serve.auth.conftest import Door

    Doors = Callable[..., Door]
    Asks = Callable[..., Call]

ADMIN = "an-admin-token-of-32-bytes-or-more"
OPERATORS = Needs(route="GET /v1/admin/tenants", scope=None, tenant=False)
pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("header", ["bearer", "key"])
async def test_a_key_is_recognised_in_either_header(header: str, door: Doors, asks: Asks) -> None:
    at = door()
    secret = at.add(scopes=("search", "memories:read"))
    call = asks(**{header: secret})
    actor = await at.authenticator.authenticate(call)
    assert (actor.kind, actor.id, actor.tenant_id) == ("key", "k1", "t1")
    assert actor.scopes == {"search", "memories:read"}
    assert at.used == [("k1", START)]
    assert call.extra["credential"] == secret[:12]


async def test_a_key_is_compared_once_and_then_known(door: Doors, asks: Asks) -> None:
    at = door()
    secret = at.add()
    for _ in range(5):
        await at.authenticator.authenticate(asks(bearer=secret))
    assert at.threads.ran == 1
    assert len(at.used) == 5, "each use is told"


async def test_what_is_known_is_forgotten_after_a_while(door: Doors, asks: Asks) -> None:
    at = door()
    secret = at.add()
    await at.authenticator.authenticate(asks(bearer=secret))
    at.timer.now += 3_599
    await at.authenticator.authenticate(asks(bearer=secret))
    assert at.threads.ran == 1
    at.timer.now += 2
    await at.authenticator.authenticate(asks(bearer=secret))
    assert at.threads.ran == 2


async def test_a_revoked_key_is_refused_at_the_very_next_request(door: Doors, asks: Asks) -> None:
    at = door()
    secret = at.add()
    await at.authenticator.authenticate(asks(bearer=secret))
    at.keys.change("k1", revoked_at=START)
    with pytest.raises(UnauthorizedError):
        await at.authenticator.authenticate(asks(bearer=secret))
    assert len(at.used) == 1


async def test_a_key_ends_and_its_scopes_change_at_the_very_next_request(
    door: Doors, asks: Asks
) -> None:
    at = door()
    secret = at.add(expires_at=START + timedelta(hours=1))
    await at.authenticator.authenticate(asks(bearer=secret))
    at.keys.change("k1", scopes=("memories:read",))
    assert (await at.authenticator.authenticate(asks(bearer=secret))).scopes == {"memories:read"}
    at.clock.advance(hours=1)
    with pytest.raises(UnauthorizedError):
        await at.authenticator.authenticate(asks(bearer=secret))


async def test_a_key_that_was_removed_is_refused_though_it_is_known(
    door: Doors, asks: Asks
) -> None:
    at = door()
    secret = at.add()
    await at.authenticator.authenticate(asks(bearer=secret))
    at.keys.all.clear()
    with pytest.raises(UnauthorizedError):
        await at.authenticator.authenticate(asks(bearer=secret))


async def test_a_hash_that_was_replaced_counts_for_the_old_secret_no_more(
    door: Doors, asks: Asks
) -> None:
    at = door()
    secret = at.add()
    await at.authenticator.authenticate(asks(bearer=secret))
    at.keys.change("k1", hash=new_key("live").hash)
    with pytest.raises(UnauthorizedError):
        await at.authenticator.authenticate(asks(bearer=secret))


async def test_a_key_that_is_revoked_while_it_is_compared_is_refused(
    door: Doors, asks: Asks
) -> None:
    at = door()
    secret = at.add()
    asking = asyncio.create_task(at.authenticator.authenticate(asks(bearer=secret)))
    await at.threads.began.wait()
    at.keys.change("k1", revoked_at=START)
    with pytest.raises(UnauthorizedError):
        await asking


async def test_all_keys_with_the_same_beginning_are_tried(door: Doors, asks: Asks) -> None:
    at = door()
    secrets = [at.add(id=f"k{number}") for number in range(4)]
    for number in range(4):
        at.keys.change(f"k{number}", prefix=secrets[0][:12])
    # All four are filed under the beginning of the first, as if chance had drawn it four times.
    assert (await at.authenticator.authenticate(asks(bearer=secrets[0]))).id == "k0"
    stranger = secrets[0][:12] + new_key("live").secret[12:]
    with pytest.raises(UnauthorizedError):
        await at.authenticator.authenticate(asks(bearer=stranger))


async def test_of_two_keys_with_the_same_beginning_each_is_itself(door: Doors, asks: Asks) -> None:
    from argon2 import PasswordHasher

    at = door()
    first = at.add(id="k1", tenant_id="t1")
    at.add(id="k2", tenant_id="t2")
    second = first[:12] + new_key("live").secret[12:]
    hashed = PasswordHasher(time_cost=1, memory_cost=4096, parallelism=1).hash(second)
    at.keys.change("k2", prefix=first[:12], hash=hashed)
    for _ in range(2):
        assert (await at.authenticator.authenticate(asks(bearer=first))).tenant_id == "t1"
        assert (await at.authenticator.authenticate(asks(bearer=second))).tenant_id == "t2"


async def test_a_wrong_key_is_told_nothing(door: Doors, asks: Asks) -> None:
    at = door()
    secret = at.add()
    answers = set()
    for wrong in (new_key("live").secret, secret[:-1] + ("a" if secret[-1] != "a" else "b")):
        with pytest.raises(UnauthorizedError) as refused:
            await at.authenticator.authenticate(asks(bearer=wrong))
        answers.add((str(refused.value), *sorted(refused.value.headers.items())))
        assert wrong[12:] not in str(refused.value)
    assert len(answers) == 1
    assert at.threads.ran == 2, "both were compared: with the key, and with what no key has"
    assert not at.used


async def test_an_unknown_beginning_takes_as_long_as_a_wrong_secret(
    door: Doors, asks: Asks
) -> None:
    at = door()
    secret = at.add()

    async def took(wrong: str) -> float:
        began = perf_counter()
        with pytest.raises(UnauthorizedError):
            await at.authenticator.authenticate(asks(bearer=wrong))
        return perf_counter() - began

    unknown, known = [], []
    for _ in range(15):
        at.timer.now += 60
        fresh = new_key("live").secret
        unknown.append(await took(fresh))
        known.append(await took(secret[:12] + fresh[12:]))
    # The least is what each takes by itself, however busy the machine is beside.
    assert 0.4 < min(unknown) / min(known) < 2.5


async def test_a_key_of_the_wrong_form_is_refused_without_work(door: Doors, asks: Asks) -> None:
    at = door()
    for wrong in (
        "ek_live_",
        "ek_live_" + "a" * 39,
        "ek_prod_" + "a" * 40,
        "a" * 48,
        "..",
        "a.b.c",
    ):
        for header in ("bearer", "key"):
            with pytest.raises(UnauthorizedError):
                await at.authenticator.authenticate(asks(**{header: wrong}))
    assert (at.threads.ran, at.keys.asked) == (0, [])


async def test_a_key_made_under_a_former_word_goes_on_to_work(door: Doors, asks: Asks) -> None:
    at = door(key_prefix="eng")
    assert (await at.authenticator.authenticate(asks(bearer=at.add()))).id == "k1"


async def test_no_credential_two_and_a_malformed_one_are_told_apart(
    door: Doors, asks: Asks
) -> None:
    at = door()
    secret = at.add()
    with pytest.raises(UnauthorizedError) as none:
        await at.authenticator.authenticate(asks())
    assert none.value.headers == {"WWW-Authenticate": "Bearer"}
    with pytest.raises(InvalidRequestError):
        await at.authenticator.authenticate(asks(bearer=secret, key=secret))
    with pytest.raises(UnauthorizedError):
        await at.authenticator.authenticate(asks(headers={"authorization": ["Basic eDp5"]}))


async def test_a_flood_of_wrong_keys_soon_costs_nothing(door: Doors, asks: Asks) -> None:
    at = door()
    refusals = {"UNAUTHORIZED": 0, "RATE_LIMITED": 0}
    for _ in range(100):
        with pytest.raises(ServeError) as refused:
            await at.authenticator.authenticate(asks(bearer=new_key("live").secret))
        refusals[refused.value.code] += 1
    assert refusals == {"UNAUTHORIZED": 10, "RATE_LIMITED": 90}
    assert at.threads.ran == 10
    assert len(at.keys.asked) == 20, "looked up before and after, and for the rest not at all"
    assert refused.value.headers == {"Retry-After": "1"}


async def test_a_flood_from_one_client_keeps_no_other_out_nor_a_known_key(
    door: Doors, asks: Asks
) -> None:
    at = door()
    known, new = at.add(id="k1"), at.add(id="k2")
    await at.authenticator.authenticate(asks(bearer=known))
    flood = [at.authenticator.authenticate(asks(bearer=new_key("live").secret)) for _ in range(200)]
    flooding = asyncio.gather(*flood, return_exceptions=True)
    await asyncio.sleep(0)
    assert (await at.authenticator.authenticate(asks(bearer=known))).id == "k1"
    other = asks(bearer=new, client="198.51.100.9")
    assert (await at.authenticator.authenticate(other)).id == "k2"
    assert all(isinstance(each, ServeError) for each in await flooding)
    with pytest.raises(RateLimitedError):
        await at.authenticator.authenticate(asks(bearer=at.add(id="k3")))
    at.timer.now += 1
    assert (await at.authenticator.authenticate(asks(bearer=at.add(id="k4")))).id == "k4"


async def test_good_keys_that_nobody_saw_yet_use_up_no_attempts(door: Doors, asks: Asks) -> None:
    at = door()
    for number in range(30):
        secret = at.add(id=f"k{number}")
        assert (await at.authenticator.authenticate(asks(bearer=secret))).id == f"k{number}"


async def test_a_client_that_opens_with_many_requests_at_once_is_let_in(
    door: Doors, asks: Asks
) -> None:
    at = door()
    secret = at.add()
    actors = await asyncio.gather(
        *(at.authenticator.authenticate(asks(bearer=secret)) for _ in range(100))
    )
    assert {actor.id for actor in actors} == {"k1"}
    assert at.threads.ran == 1


async def test_one_who_goes_away_ends_the_comparison_for_nobody_else(
    door: Doors, asks: Asks
) -> None:
    at = door()
    secret = at.add()
    first = asyncio.create_task(at.authenticator.authenticate(asks(bearer=secret)))
    second = asyncio.create_task(at.authenticator.authenticate(asks(bearer=secret)))
    await at.threads.began.wait()
    first.cancel()
    assert (await second).id == "k1"
    assert at.threads.ran == 1


async def test_what_could_not_be_compared_uses_up_no_attempts(asks: Asks) -> None:
    async def busy(_: object, /) -> Never:
        raise UnavailableError("too busy")

    settings = AuthSettings(enabled=True)
    at = Authenticator(settings, Keys(), ManualClock(START), busy, lambda *_: None)
    for _ in range(50):
        with pytest.raises(UnavailableError):
            await at.authenticate(asks(bearer=new_key("live").secret))


async def test_a_scope_that_nobody_knows_any_more_is_none(door: Doors, asks: Asks) -> None:
    at = door()
    secret = at.add()
    at.keys.change("k1", scopes=("search", "root"))
    assert (await at.authenticator.authenticate(asks(bearer=secret))).scopes == {"search"}


async def test_the_same_wrong_key_again_costs_nothing_until_keys_change(
    door: Doors, asks: Asks
) -> None:
    at = door()
    wrong = new_key("live")
    for _ in range(50):
        with pytest.raises(UnauthorizedError):
            await at.authenticator.authenticate(asks(bearer=wrong.secret))
    assert at.threads.ran == 1
    at.add()
    at.keys.change("k1", prefix=wrong.prefix, hash=wrong.hash)
    assert (await at.authenticator.authenticate(asks(bearer=wrong.secret))).id == "k1"


async def test_many_clients_share_few_threads(door: Doors, asks: Asks) -> None:
    at = door()
    flood = [
        at.authenticator.authenticate(
            asks(bearer=new_key("live").secret, client=f"2001:db8:0:{number:x}::1")
        )
        for number in range(200)
    ]
    refused = await asyncio.gather(*flood, return_exceptions=True)
    codes = [each.code for each in refused if isinstance(each, ServeError)]
    assert len(codes) == 200
    assert codes.count("UNAVAILABLE") == 200 - 64, "the rest is not left to wait"
    assert at.threads.most <= 2


async def test_the_operator_shows_the_admin_token_in_authorization_alone(
    door: Doors, asks: Asks
) -> None:
    at = door(admin_token=ADMIN)
    actor = await at.authenticator.authenticate(asks(bearer=ADMIN))
    assert (actor.kind, actor.scopes, actor.tenant_id) == ("operator", frozenset(), None)
    for wrong in ({"key": ADMIN}, {"bearer": ADMIN + "x"}, {"bearer": ADMIN[:-1]}):
        with pytest.raises(UnauthorizedError):
            await at.authenticator.authenticate(asks(**wrong))


async def test_without_an_admin_token_nobody_is_the_operator(door: Doors, asks: Asks) -> None:
    for text in ("None", "null", ADMIN):
        with pytest.raises(UnauthorizedError):
            await door().authenticator.authenticate(asks(bearer=text))


async def test_a_server_that_asks_nobody_lets_all_in_as_local(door: Doors, asks: Asks) -> None:
    at = door(enabled=False)
    actor = await at.authenticator.authenticate(asks(headers={"authorization": ["x", "y"]}))
    assert (actor.kind, actor.role) == ("local", "owner")
    assert actor.scopes == {"memories:read", "memories:write", "search", "admin"}


async def test_an_admin_token_guards_the_operators_routes_even_there(
    door: Doors, asks: Asks
) -> None:
    at = door(enabled=False, admin_token=ADMIN)
    assert (await at.authenticator.authenticate(asks())).kind == "local"
    with pytest.raises(UnauthorizedError):
        await at.authenticator.authenticate(asks(needs=OPERATORS))
    actor = await at.authenticator.authenticate(asks(bearer=ADMIN, needs=OPERATORS))
    assert actor.kind == "operator"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"jwt_secret": "a" * 31}, "jwt_secret has 31 bytes"),
        ({"admin_token": "a" * 31}, "admin_token has 31 bytes"),
        ({"admin_token": "a b" * 20}, "cannot stand in a header"),
        ({"admin_token": "a" * 32, "jwt_secret": "a" * 32}, "the same as"),
        ({"admin_token": "ek_live_" + "a" * 40}, "form of a tenant's key"),
        ({"key_prefix": "engram"}, "key_prefix"),
        ({"jwks_url": "http://issuer.example/k", "jwt_issuer": "x"}, "not https"),
        ({"jwks_url": "https://issuer.example/k"}, "jwt_issuer is missing"),
        (
            {"jwks_url": "https://issuer.example/k", "jwt_issuer": "x", "jwt_secret": "a" * 32},
            "both set",
        ),
    ],
)
async def test_settings_that_cannot_be_meant_stop_the_start(
    wrong: dict[str, Any], said: str, door: Doors
) -> None:
    with pytest.raises(ConfigError, match=said) as refused:
        door(**wrong)
    assert "aaaa" not in str(refused.value)


@given(
    headers=st.dictionaries(
        st.sampled_from(["authorization", "x-api-key"]),
        st.lists(
            st.text(max_size=60)
            | st.text(alphabet="eyJ.a0_-=", max_size=60).map(lambda text: f"Bearer {text}")
            | st.binary(max_size=60).map(lambda raw: "Bearer " + raw.decode("latin-1")),
            max_size=2,
        ),
        max_size=2,
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_whatever_is_shown_there_is_an_answer(
    headers: dict[str, list[str]], door: Doors, asks: Asks
) -> None:
    at = door(jwt_secret="x" * 32, admin_token=ADMIN)
    with pytest.raises(ServeError) as refused:
        asyncio.run(at.authenticator.authenticate(asks(headers=headers)))
    assert refused.value.status in {400, 401}
