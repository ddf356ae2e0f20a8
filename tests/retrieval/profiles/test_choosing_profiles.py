from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.config import RetrievalSettings
from engram_lab.config.retrieval import PROFILES
from engram_lab.core.errors import InvalidInputError
from engram_lab.retrieval.profiles import BY_HAND, Profiles, shipped_record

MINILM = f"{shipped_record().embedder}@abc"


def profiles(profile: Any = "auto", learned: str | None = None) -> Profiles:
    return Profiles(RetrievalSettings(profile=profile, learned=learned))


def test_turns_with_speakers_are_ordered_by_what_was_learned_and_it_is_said() -> None:
    chosen = profiles().choose(found=3, turns=3, embedder=MINILM)
    assert (chosen.name, chosen.record) == ("conversation", shipped_record())
    assert chosen.reason == "conversation profile: 3 of 3 found are turns with speakers"


def test_notes_are_ordered_as_ever_without_a_word() -> None:
    chosen = profiles().choose(found=3, turns=0, embedder=MINILM)
    assert (chosen.name, chosen.record, chosen.reason) == ("neutral", None, "")
    assert profiles().choose(found=0, turns=0, embedder=None).record is None


@pytest.mark.parametrize(
    ("found", "turns", "name"), [(2, 1, "conversation"), (3, 1, "neutral"), (5, 3, "conversation")]
)
def test_half_of_what_was_found_decides(found: int, turns: int, name: str) -> None:
    chosen = profiles().choose(found=found, turns=turns, embedder=MINILM)
    assert chosen.name == name
    assert chosen.reason == f"{name} profile: {turns} of {found} found are turns with speakers"


@pytest.mark.parametrize(
    ("embedder", "why"),
    [
        ("words/8", "those learned are for another embedder"),
        (None, "there are no vectors"),
    ],
)
@pytest.mark.parametrize("wanted", ["auto", "conversation"])
def test_where_the_weights_do_not_fit_those_by_hand_are_taken_and_it_is_said(
    wanted: str, embedder: str | None, why: str
) -> None:
    chosen = profiles(wanted).choose(found=2, turns=2, embedder=embedder)
    assert (chosen.name, chosen.record) == ("by-hand", BY_HAND)
    assert chosen.reason.startswith("by-hand profile: ")
    assert chosen.reason.endswith(f"weights set by hand, as {why}")


def test_as_told_whatever_was_found() -> None:
    for name in ("conversation", "by-hand", "neutral"):
        for turns in (0, 2):
            chosen = profiles(name).choose(found=2, turns=turns, embedder=MINILM)
            assert chosen.name == name
            assert chosen.reason == ("" if name == "neutral" else f"{name} profile: as told")


def test_ones_own_weights_come_before_those_that_are_shipped() -> None:
    own = '{"weights": {"words": 1}}'
    for embedder in ("words/8", None):
        chosen = profiles(learned=own).choose(found=2, turns=2, embedder=embedder)
        assert chosen.name == "conversation"
        assert chosen.record is not None
        assert dict(chosen.record.weights) == {"words": 1.0}


def test_only_neutral_never_looks_at_turns() -> None:
    assert {name: profiles(name).looks_at_turns for name in PROFILES} == {
        name: name != "neutral" for name in PROFILES
    }


@pytest.mark.parametrize("learned", ["[1]", "{}", '{"weights": {"words": "much"}}'])
def test_what_is_no_record_is_refused_at_once(learned: str) -> None:
    with pytest.raises(InvalidInputError, match=r"weight|retrieval\.learned"):
        profiles(learned=learned)


@given(
    wanted=st.sampled_from(PROFILES),
    found=st.integers(0, 9),
    share=st.floats(0, 1),
    embedder=st.sampled_from([None, "words/8", MINILM]),
)
def test_there_is_a_record_but_for_neutral_and_it_fits_the_vectors(
    wanted: str, found: int, share: float, embedder: str | None
) -> None:
    chosen = profiles(wanted).choose(found=found, turns=int(found * share), embedder=embedder)
    assert (chosen.record is None) == (chosen.name == "neutral")
    assert chosen.record is None or chosen.record.fits(embedder)
    assert chosen.name in PROFILES
