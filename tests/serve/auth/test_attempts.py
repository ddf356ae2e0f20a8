from __future__ import annotations

import pytest

from engram_lab.serve.auth.attempts import Attempts, network_of
from tests.serve.auth.conftest import Timer


def test_attempts_run_out_and_come_back() -> None:
    timer = Timer()
    attempts = Attempts(burst=3, per_second=0.5, timer=timer)
    assert [attempts.take("a") for _ in range(4)] == [0, 0, 0, 2]
    timer.now += 1
    assert attempts.take("a") == 1
    timer.now += 1
    assert attempts.take("a") == 0
    timer.now += 1_000
    assert [attempts.take("a") for _ in range(4)] == [0, 0, 0, 2]


def test_clients_have_their_own() -> None:
    attempts = Attempts(burst=1, timer=Timer())
    assert attempts.take("a") == 0
    assert attempts.take("b") == 0
    assert attempts.take("a") > 0


def test_what_is_given_back_can_be_taken_again_and_is_no_gain() -> None:
    attempts = Attempts(burst=2, timer=Timer())
    attempts.give_back("a")
    assert [attempts.take("a") > 0 for _ in range(3)] == [False, False, True]
    attempts.give_back("a")
    assert attempts.take("a") == 0


def test_a_timer_that_runs_back_gives_and_takes_nothing() -> None:
    timer = Timer()
    attempts = Attempts(burst=2, timer=timer)
    assert attempts.take("a") == 0
    timer.now -= 500
    assert attempts.take("a") == 0
    assert attempts.take("a") > 0


def test_only_so_many_clients_are_remembered_the_last_ones() -> None:
    attempts = Attempts(burst=1, clients=2, timer=Timer())
    for client in ("a", "b", "c"):
        attempts.take(client)
    assert attempts.take("c") > 0
    assert attempts.take("b") > 0
    assert attempts.take("a") == 0


def test_who_was_seen_lately_is_not_the_one_forgotten() -> None:
    attempts = Attempts(burst=2, clients=2, timer=Timer())
    for client in ("a", "b", "a", "c"):
        attempts.take(client)
    assert attempts.take("a") > 0


@pytest.mark.parametrize(
    ("client", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("testclient", "testclient"),
        ("x" * 500, "x" * 64),
    ],
)
def test_who_has_one_address_of_a_network_has_all(client: str, network: str) -> None:
    assert network_of(client) == network
