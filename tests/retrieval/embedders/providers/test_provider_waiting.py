"""How long is waited, on a clock that only moves when somebody sleeps."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest

from engram_lab.core.clock import ManualClock
from engram_lab.core.errors import EmbedderError
from engram_lab.retrieval.embedders.patience import MAX_WAIT_S, Backoff, asked_wait_s

if TYPE_CHECKING:
    from tests.retrieval.embedders.providers.conftest import Asking, Provider, Waits


def test_a_wait_is_uniform_below_a_bound_that_doubles() -> None:
    backoff = Backoff(7)

    for retry, bound_s in enumerate([0.5, 1, 2, 4, 8, 16, 30, 30]):
        drawn = np.array([backoff.wait_s(retry) for _ in range(4000)])
        assert drawn.min() >= 0
        assert drawn.max() < bound_s
        # Mean and spread of a uniform distribution: 4000 draws come within 3 % almost surely.
        assert drawn.mean() == pytest.approx(bound_s / 2, rel=0.05)
        assert drawn.std() == pytest.approx(bound_s / 12**0.5, rel=0.05)


def test_the_same_seed_gives_the_same_waits() -> None:
    assert [Backoff(3).wait_s(5)] * 3 == [Backoff(3).wait_s(5) for _ in range(3)]
    assert Backoff(3).wait_s(5) != Backoff(4).wait_s(5)


def test_a_thousandth_retry_waits_no_longer_than_the_bound() -> None:
    assert 0 <= Backoff(1).wait_s(5000) <= 30


def test_each_retry_waits_as_the_seed_says(
    asking: Asking, provider: Provider, waits: Waits
) -> None:
    provider.always(provider.status(503))
    expected = Backoff(1)

    with pytest.raises(EmbedderError):
        asking(retries=4).embed(["x"], kind="query")

    assert waits.slept == [expected.wait_s(retry) for retry in range(4)]


def test_no_retries_means_one_attempt(asking: Asking, provider: Provider, waits: Waits) -> None:
    provider.always(provider.status(503))

    with pytest.raises(EmbedderError, match="OpenAI answered 503 Service Unavailable: try again"):
        asking(retries=0).embed(["x"], kind="query")

    assert len(provider.requests) == 1
    assert waits.slept == []


@pytest.mark.parametrize(
    ("header", "value", "wait_s"),
    [
        ("retry-after", "7", 7.0),
        ("retry-after", "60", 60.0),
        ("retry-after", "2.5", 2.5),
        ("retry-after", "Thu, 01 Jan 2026 00:00:42 GMT", 42.0),
        ("retry-after", "Thursday, 01-Jan-26 00:00:42 GMT", 42.0),
        ("retry-after-ms", "1500", 1.5),
    ],
)
def test_what_the_provider_asks_for_is_waited(
    asking: Asking, provider: Provider, waits: Waits, header: str, value: str, wait_s: float
) -> None:
    provider.will(provider.status(429, **{header: value}))

    rows = asking().embed(["x"], kind="query")

    assert waits.slept == [wait_s]
    np.testing.assert_allclose(rows, asking.right(["x"]), atol=1e-6)


@pytest.mark.parametrize(
    "value",
    ["", "soon", "-5", "nan", "inf", "0", "Thu, 01 Jan 2015 00:00:42 GMT", "Thu, 99 Jan 2026"],
)
def test_what_asks_for_nothing_leaves_the_back_off(
    asking: Asking, provider: Provider, waits: Waits, value: str
) -> None:
    provider.will(provider.status(429, retry_after=value))

    asking().embed(["x"], kind="query")

    assert waits.slept == [Backoff(1).wait_s(0)]


def test_the_back_off_is_not_cut_by_a_shorter_wish(
    asking: Asking, provider: Provider, waits: Waits
) -> None:
    provider.will(provider.status(429, retry_after="0.001"))

    asking().embed(["x"], kind="query")

    assert waits.slept == [Backoff(1).wait_s(0)]
    assert waits.slept[0] > 0.001


@pytest.mark.parametrize("value", ["61", "86400", "Thu, 01 Jan 2026 00:01:01 GMT"])
def test_a_longer_wait_than_the_cap_is_left_to_the_caller(
    asking: Asking, provider: Provider, waits: Waits, value: str
) -> None:
    provider.always(provider.status(429, retry_after=value))

    with pytest.raises(EmbedderError) as refused:
        asking().embed(["x"], kind="query")

    assert refused.value.retryable
    assert refused.value.retry_after_s is not None
    assert refused.value.retry_after_s > MAX_WAIT_S
    assert len(provider.requests) == 1
    assert waits.slept == []


def test_the_last_error_says_how_long_to_wait(asking: Asking, provider: Provider) -> None:
    provider.always(provider.status(429, retry_after="20"))

    with pytest.raises(EmbedderError, match="lower requests_per_minute") as refused:
        asking(retries=2).embed(["x"], kind="query")

    assert refused.value.retry_after_s == 20


def test_a_date_is_read_with_its_zone_and_the_past_is_now() -> None:
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))

    assert asked_wait_s({"retry-after": "Thu, 01 Jan 2026 00:00:05 -0000"}, clock) == 5
    assert asked_wait_s({"retry-after": "Thu, 01 Jan 2026 01:00:05 +0100"}, clock) == 5
    assert asked_wait_s({"retry-after": "Thu, 01 Jan 2015 00:00:05 GMT"}, clock) == 0
    assert asked_wait_s({"retry-after": "-5"}, clock) == 0
    assert asked_wait_s({}, clock) is None


def test_requests_are_spaced_and_none_is_refused(
    asking: Asking, provider: Provider, waits: Waits
) -> None:
    began = waits.now

    asking(batch=1, requests_per_minute=30.0).embed([str(i) for i in range(5)], kind="document")

    assert len(provider.requests) == 5
    assert waits.slept == pytest.approx([2.0] * 4)
    assert waits.now - began == pytest.approx(8.0)


def test_what_has_waited_long_enough_waits_no_more(
    asking: Asking, provider: Provider, waits: Waits
) -> None:
    embedder = asking(requests_per_minute=6.0)

    embedder.embed(["one"], kind="query")
    waits.now += 4
    embedder.embed(["two"], kind="query")  # its turn comes 10 s after the first
    waits.now += 3600
    embedder.embed(["three"], kind="query")  # an idle hour saves up a single request
    embedder.embed(["four"], kind="query")

    assert waits.slept == pytest.approx([6.0, 10.0])


def test_a_retry_takes_its_turn_as_well(asking: Asking, provider: Provider, waits: Waits) -> None:
    provider.will(provider.status(503, retry_after="4"))

    asking(requests_per_minute=6.0).embed(["x"], kind="query")

    assert waits.slept == pytest.approx([4.0, 6.0])


def test_no_bound_means_no_wait(asking: Asking, provider: Provider, waits: Waits) -> None:
    asking(batch=1).embed([str(i) for i in range(5)], kind="document")

    assert len(provider.requests) == 5
    assert waits.slept == []
