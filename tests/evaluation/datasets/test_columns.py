from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest

from engram_lab.evaluation.datasets.columns import converted, plain

NAT = type("NaTType", (datetime,), {})(2026, 1, 1)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (np.int64(3), 3),
        (np.str_("a"), "a"),
        (np.float32("nan"), None),
        (float("nan"), None),
        (np.datetime64("2026-05-01T14:00:00"), datetime(2026, 5, 1, 14)),  # noqa: DTZ001
        (NAT, None),
        (type("NAType", (), {})(), None),
        (0, 0),
        ("", ""),
        (None, None),
    ],
)
def test_a_value_loses_its_wrapping_and_what_stands_for_none(given: Any, found: Any) -> None:
    assert plain(given) == found
    assert type(plain(given)) is type(found)


@pytest.mark.parametrize(
    ("column", "given", "found"),
    [
        ("id", 10**30, str(10**30)),
        ("relevance", True, 1),
        ("position", 3.0, 3),
        ("event_at", date(2026, 5, 1), datetime(2026, 5, 1, tzinfo=UTC)),
        ("event_at", "2026-05-01", datetime(2026, 5, 1, tzinfo=UTC)),
        ("fields", {"b": 1, "a": 2}, '{"a":2,"b":1}'),
        ("content", "näïve \u202e\x00", "näïve \u202e\x00"),
        ("speaker", 7, "7"),
    ],
)
def test_a_value_becomes_what_its_column_holds(column: str, given: Any, found: Any) -> None:
    assert converted(column, given) == found


@pytest.mark.parametrize(
    ("column", "given", "message"),
    [
        ("id", "a b", "'a b' may hold no white space"),
        ("corpus", "a\tb", "may hold no white space"),
        ("id", "", "must not be empty"),
        ("id", 1.0, "'1.0' must be a text"),
        ("content", b"a", "must be a text"),
        ("content", "a\ud83d", "holds half of a character"),
        ("relevance", 1.5, "must be a whole number"),
        ("event_at", 1700000000, "give a datetime or an ISO 8601 text"),
    ],
)
def test_another_type_is_refused(column: str, given: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        converted(column, given)
