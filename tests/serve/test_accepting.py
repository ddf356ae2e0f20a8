from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.serve.errors import InvalidRequestError, NotAcceptableError
from engram_lab.serve.routes.accepting import accepted

LINES, JSON, PARQUET = "application/x-ndjson", "application/json", "application/vnd.apache.parquet"
OFFERED = (LINES, JSON, PARQUET)


@pytest.mark.parametrize(
    ("accept", "sent"),
    [
        ("", LINES),
        ("*/*", LINES),
        ("application/*", LINES),
        (JSON, JSON),
        (f"{JSON}; charset=utf-8", JSON),
        (PARQUET.upper(), PARQUET),
        (f"{PARQUET};q=0, */*", LINES),
        (f"{LINES};q=0, */*", JSON),
        (f"{LINES};q=0.5, {PARQUET};q=0.501", PARQUET),
        (f"{PARQUET}; Q=1.000", PARQUET),
        (f"*/*;q=0.9, {PARQUET};q=0.1", LINES),
        (f"{JSON}, text/plain, */*", JSON),
        (f"text/html, application/xhtml+xml, application/xml;q=0.9, {JSON};q=0.2, */*;q=0.1", JSON),
        (f"application/*;q=0.1, {PARQUET}", PARQUET),
        (", ,", LINES),
    ],
)
def test_what_is_wanted_most_is_sent(accept: str, sent: str) -> None:
    assert accepted(accept, OFFERED) == sent


@pytest.mark.parametrize(
    "accept",
    ["image/png", "*/*;q=0", f"{PARQUET};q=0", "application/*;q=0, */*", "text/*", "nonsense"],
)
def test_what_is_not_there_is_refused_and_what_is_there_is_named(accept: str) -> None:
    with pytest.raises(NotAcceptableError, match=r"vnd\.apache\.parquet") as told:
        accepted(accept, OFFERED)
    assert (told.value.status, told.value.code) == (406, "NOT_ACCEPTABLE")


@pytest.mark.parametrize("quality", ["", "2", "-1", "0,5", "1.1", "0.1234", "nan", "high"])
def test_a_quality_is_a_number_from_0_to_1(quality: str) -> None:
    with pytest.raises((InvalidRequestError, NotAcceptableError)):
        accepted(f"{JSON};q={quality}", OFFERED)


@given(st.text())
def test_any_header_is_answered_or_refused(accept: str) -> None:
    with suppress(InvalidRequestError, NotAcceptableError):
        assert accepted(accept, OFFERED) in OFFERED
