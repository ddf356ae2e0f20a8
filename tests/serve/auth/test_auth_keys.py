from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta

import pytest
from argon2 import extract_parameters
from argon2.exceptions import VerificationError
from argon2.low_level import error_to_str
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import ConfigError, ConflictError, InvalidInputError
from engram_lab.serve.auth import keys
from engram_lab.serve.auth.keys import (
    NO_KEY,
    is_key,
    new_key,
    prefix_of,
    rotate_key,
    still_holds,
    verify,
)
from engram_lab.serve.control.records import ApiKey

NOW = datetime(2026, 6, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def stored(**more: object) -> ApiKey:
    fields: dict[str, object] = {
        "id": "k1",
        "tenant_id": "t1",
        "name": "robot",
        "prefix": "ek_live_abcd",
        "hash": "x",
        "environment": "live",
        "scopes": ("search",),
        "created_at": NOW - HOUR,
        "created_by": "user:ann",
        **more,
    }
    return ApiKey(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("environment", ["live", "test"])
@pytest.mark.parametrize("word", ["ek", "eng", "mem2"])
def test_a_key_says_what_it_is_and_where_it_holds(environment: str, word: str) -> None:
    made = new_key(environment, word=word)  # type: ignore[arg-type]
    assert re.fullmatch(rf"{word}_{environment}_[0-9A-Za-z]{{40}}", made.secret)
    assert made.prefix == made.secret[:12] == prefix_of(made.secret)
    assert is_key(made.secret)
    assert verify(made.secret, made.hash)
    assert made.secret not in repr(made)
    assert made.hash not in repr(made)


def test_what_a_prefix_does_not_tell_of_a_key_has_192_random_bits_or_more() -> None:
    made = new_key("live", word="ek")
    assert (len(made.secret) - len(made.prefix)) * math.log2(62) >= 192
    longest = new_key("test", word="abcd")
    assert len(longest.prefix) - len("abcd_test_") >= 2, "some of what it is found by is random"


def test_keys_and_salts_are_drawn_anew_each_time() -> None:
    made = [new_key("live") for _ in range(20)]
    assert len({each.secret for each in made}) == 20
    assert len({each.hash.split("$")[4] for each in made}) == 20


def test_every_letter_of_the_alphabet_is_drawn() -> None:
    drawn = "".join(new_key("live").secret[8:] for _ in range(60))
    assert len(set(drawn)) == 62


def test_a_hash_is_argon2id_and_what_no_key_has_costs_the_same() -> None:
    told = extract_parameters(new_key("live").hash)
    assert told.type.name == "ID"
    assert (told.time_cost, told.memory_cost, told.parallelism) == (1, 4096, 1)
    nobody = extract_parameters(NO_KEY)
    assert (nobody.type, nobody.time_cost, nobody.memory_cost, nobody.hash_len) == (
        told.type,
        told.time_cost,
        told.memory_cost,
        told.hash_len,
    )


def test_another_secret_and_a_damaged_hash_do_not_verify() -> None:
    made = new_key("live")
    assert not verify(new_key("live").secret, made.hash)
    assert not verify(made.secret[:-1], made.hash)
    assert not verify(made.secret, NO_KEY)
    assert not verify(made.secret, "")
    assert not verify(made.secret, "$argon2id$v=19$m=4096,t=1,p=1$broken")


@given(st.text(max_size=60))
def test_nothing_but_a_key_has_the_form_of_one(text: str) -> None:
    shape = re.compile(r"[a-z][a-z0-9]{1,3}_(live|test)_[0-9A-Za-z]{40}\Z")
    assert is_key(text) is (shape.match(text) is not None)


@pytest.mark.parametrize("ending", ["\n", " ", "=", ".", "\u0660"])
def test_a_key_with_something_after_it_is_none(ending: str) -> None:
    secret = new_key("live").secret
    assert not is_key(secret + ending)
    assert not is_key(secret[:-1] + ending)


@pytest.mark.parametrize("word", ["", "e", "engram", "EK", "2k", "e-k", "ek_", "é9"])
def test_a_word_that_leaves_too_little_random_is_refused(word: str) -> None:
    with pytest.raises(ConfigError, match=r"auth\.key_prefix is .* allowed is 2 to 4"):
        new_key("live", word=word)


def test_an_unknown_environment_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="live, test"):
        new_key("prod")  # type: ignore[arg-type]


def test_a_key_holds_until_it_ends_or_is_revoked() -> None:
    assert still_holds(stored(), NOW)
    assert still_holds(stored(expires_at=NOW + HOUR), NOW)
    assert not still_holds(stored(expires_at=NOW), NOW)
    assert not still_holds(stored(revoked_at=NOW - HOUR), NOW)


def test_a_clock_that_is_set_back_brings_no_revoked_key_back() -> None:
    assert not still_holds(stored(revoked_at=NOW), NOW - HOUR)


def test_a_rotated_key_is_another_one_for_the_same_use() -> None:
    old = stored(last_used_at=NOW)
    rotated = rotate_key(old, new_id="k2", at=NOW, overlap=HOUR, by="user:bob")
    assert verify(rotated.secret, rotated.key.hash)
    assert rotated.key.prefix == rotated.secret[:12]
    assert (rotated.key.id, rotated.key.created_by, rotated.key.created_at) == (
        "k2",
        "user:bob",
        NOW,
    )
    assert (rotated.key.name, rotated.key.scopes, rotated.key.tenant_id) == (
        old.name,
        old.scopes,
        old.tenant_id,
    )
    assert rotated.key.last_used_at is None
    assert rotated.old_ends_at == NOW + HOUR
    assert rotated.secret not in repr(rotated)


def test_rotating_lengthens_no_life_unless_told_so() -> None:
    ends = NOW + timedelta(minutes=5)
    rotated = rotate_key(stored(expires_at=ends), new_id="k2", at=NOW, overlap=HOUR, by="x")
    assert rotated.key.expires_at == ends
    assert rotated.old_ends_at == ends, "the overlap lengthens the old one neither"
    told = rotate_key(
        stored(expires_at=ends), new_id="k2", at=NOW, overlap=HOUR, by="x", expires_at=NOW + HOUR
    )
    assert told.key.expires_at == NOW + HOUR


def test_what_does_not_hold_cannot_be_rotated() -> None:
    for dead in (stored(revoked_at=NOW), stored(expires_at=NOW)):
        with pytest.raises(ConflictError, match="make a new one"):
            rotate_key(dead, new_id="k2", at=NOW, overlap=HOUR, by="x")


def test_a_rotation_looks_forward() -> None:
    with pytest.raises(InvalidInputError, match="overlap"):
        rotate_key(stored(), new_id="k2", at=NOW, overlap=-HOUR, by="x")
    with pytest.raises(InvalidInputError, match="expires_at"):
        rotate_key(stored(), new_id="k2", at=NOW, overlap=HOUR, by="x", expires_at=NOW)


def test_the_cost_of_a_hash_is_documented_where_it_is_chosen() -> None:
    assert keys.__doc__ is not None
    assert "SP 800-63B" in keys.__doc__


def test_no_memory_is_not_taken_for_a_wrong_key(monkeypatch: pytest.MonkeyPatch) -> None:
    made = new_key("live")

    class Full:
        def verify(self, key_hash: str, secret: str) -> bool:
            raise VerificationError(error_to_str(-22))

    monkeypatch.setattr(keys, "_HASHER", Full())
    with pytest.raises(MemoryError):
        verify(made.secret, made.hash)
