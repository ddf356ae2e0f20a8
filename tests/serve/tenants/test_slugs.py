from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import InvalidInputError
from engram_lab.serve.tenants.slugs import RESERVED, check_slug, is_slug


@pytest.mark.parametrize("slug", ["a", "7", "acme", "acme-2", "a-b-c", "x" * 63, "0-0"])
def test_a_label_of_a_host_is_a_name(slug: str) -> None:
    assert check_slug(slug) == slug


@pytest.mark.parametrize(
    "slug",
    [
        *("", "-", "-acme", "acme-", "Acme", "acme_2", "acme.eu", "acmé", "x" * 64, "acme\n"),
        *("xn--80ak6aa92e", "ab--c", " acme", "acme ", "acme/..", "..", "a\0", "\uff41cme"),
    ],
)
def test_nothing_else_is(slug: str) -> None:
    with pytest.raises(InvalidInputError):
        check_slug(slug)


@pytest.mark.parametrize("slug", ["www", "api", "admin", "mcp", "metrics", "v1"])
def test_names_of_other_things_are_kept(slug: str) -> None:
    with pytest.raises(InvalidInputError, match="kept for the server"):
        check_slug(slug)


def test_all_names_that_are_kept_would_be_names() -> None:
    assert all(is_slug(each) for each in RESERVED)


@given(text=st.text(max_size=70))
def test_a_name_is_its_own_lower_case_and_survives_a_host(text: str) -> None:
    if is_slug(text):
        assert text.encode("idna").decode() == text.lower() == text
        assert 1 <= len(text) <= 63
