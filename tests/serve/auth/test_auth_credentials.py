from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.serve.auth.credentials import (
    MAX_CREDENTIAL_CHARS,
    Credential,
    credential_of,
    fits_bearer,
)
from engram_lab.serve.errors import InvalidRequestError, UnauthorizedError


@pytest.mark.parametrize(
    "scheme", ["Bearer x.y.z", "bearer x.y.z", "BEARER   x.y.z", "Bearer x.y.z  "]
)
def test_a_bearer_is_read_whatever_the_case_of_its_scheme(scheme: str) -> None:
    assert credential_of({"authorization": [scheme]}) == Credential(text="x.y.z", bearer=True)


def test_a_key_may_come_in_a_header_of_its_own() -> None:
    assert credential_of({"x-api-key": ["ek_live_1"]}) == Credential(text="ek_live_1", bearer=False)


def test_without_a_credential_one_is_asked_for() -> None:
    with pytest.raises(UnauthorizedError) as refused:
        credential_of({"host": ["x"]})
    assert refused.value.headers == {"WWW-Authenticate": "Bearer"}


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": ["Bearer a"], "x-api-key": ["a"]},
        {"authorization": ["Bearer a", "Bearer a"]},
        {"x-api-key": ["a", "b"]},
        {"x-api-key": ["a, b"]},
        {"authorization": ["Bearer a, Bearer b"]},
        {"authorization": ["Basic eDp5"], "x-api-key": ["a"]},
        {"authorization": [""], "x-api-key": [""]},
    ],
)
def test_two_credentials_at_once_are_refused(headers: dict[str, list[str]]) -> None:
    with pytest.raises(InvalidRequestError, match="more than one credential"):
        credential_of(headers)


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": [""]},
        {"authorization": ["Bearer"]},
        {"authorization": ["Bearer "]},
        {"authorization": ["Bearera"]},
        {"authorization": ["Bearer\ta"]},
        {"authorization": ["Bearer a b"]},
        {"authorization": ["Bearer a\n"]},
        {"authorization": ["Bearer é"]},
        {"authorization": ["Bearer a=b"]},
        {"authorization": ["Basic eDp5"]},
        {"authorization": ["ek_live_abc"]},
        {"x-api-key": [""]},
        {"x-api-key": ["a b"]},
        {"x-api-key": ["\u0660"]},
        {"x-api-key": ["a" * (MAX_CREDENTIAL_CHARS + 1)]},
        {"authorization": ["Bearer " + "a" * MAX_CREDENTIAL_CHARS]},
    ],
)
def test_a_malformed_credential_is_not_believed(headers: dict[str, list[str]]) -> None:
    with pytest.raises(UnauthorizedError) as refused:
        credential_of(headers)
    assert refused.value.headers == {"WWW-Authenticate": 'Bearer error="invalid_token"'}


@given(
    st.dictionaries(
        st.sampled_from(["authorization", "x-api-key", "cookie"]), st.lists(st.text(), max_size=3)
    )
)
def test_whatever_the_headers_are_there_is_an_answer(headers: dict[str, list[str]]) -> None:
    try:
        found = credential_of(headers)
    except (InvalidRequestError, UnauthorizedError) as refused:
        assert refused.status in {400, 401}  # noqa: PT017 - which of the two is not the point
    else:
        assert fits_bearer(found.text)


def test_what_is_shown_of_a_credential_tells_nothing() -> None:
    assert "secret" not in repr(Credential(text="secret", bearer=True))


@given(st.text(alphabet="abcAZ09-._~+/=", max_size=30))
def test_what_fits_a_header_is_read_from_it_whole(text: str) -> None:
    if fits_bearer(text):
        assert credential_of({"authorization": [f"Bearer {text}"]}).text == text
        assert credential_of({"x-api-key": [text]}).text == text
