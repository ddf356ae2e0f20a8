"""Statements about what has a name are compared by what they say of it, not by the name."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.consolidation.merge.framed import (
    BOUNDS,
    frame_of,
    kept_apart,
    least_nearness,
    names_of,
)
from engram_lab.consolidation.merge.simplified import simplified
from engram_lab.consolidation.merge.statements import read
from engram_lab.core.errors import EmbedderError, MissingDependencyError
from engram_lab.retrieval.embedders import EmbedderOptions, resolve

if TYPE_CHECKING:
    from engram_lab.retrieval.embedders import Embedder

TOLD = (
    "Mara Voss pays 40 euros a month for the gym",
    "The gym costs Mara Voss 40 euros monthly",
    "Ilse Brandt's desk is number 118",
    "The desk of Ilse Brandt has the number 118",
    "Orrin works as a welder",
    "Orrin earns a living as a welder",
    "The Kestrel office opens at 8:15",
    "The Kestrel office does not open at 8:15",
    "Juno Hale is taught by Pim Otter",
    "Pim Otter is taught by Juno Hale",
)


def test_a_frame_has_no_names_figures_or_days() -> None:
    text = "Mara Voss's rent went to 950.50 euros on Tuesday, 3 May 2026."
    assert frame_of(text, {"mara", "voss"}) == "X's rent went to N euros on day, N day N."


def test_a_frame_does_not_depend_on_which_name_it_is() -> None:
    first = frame_of("Orrin works at Kestrel", {"orrin", "kestrel"})
    assert first == frame_of("Ilse Brandt works at Otter", {"ilse", "brandt", "otter"})


def nearness(one: str, other: str) -> float | None:
    a, b = read(one), read(other)
    return least_nearness(a, b, (one, other))


def test_two_that_share_no_name_are_not_compared_by_their_frames() -> None:
    assert nearness("A man plays a guitar", "A man is playing a guitar") is None


def test_the_more_is_shared_the_less_near_frames_must_be() -> None:
    assert nearness(TOLD[2], TOLD[3]) == BOUNDS.figure
    assert nearness("Orla has 12 at home", "At home 12 belong to Orla") == BOUNDS.figure
    assert nearness("Bay 496 is for Pim Otter", "Pim Otter has locker 496") == BOUNDS.figure_alone
    assert nearness("Juno Hale lives in Oslo", "In Oslo lives Juno Hale") == BOUNDS.two
    assert nearness(TOLD[8], "Pim Otter is the coach of Juno Hale") == BOUNDS.peers
    assert nearness(TOLD[8], "Pim Otter is Juno Hale's teacher") == BOUNDS.two
    toils = ("Orrin toils as a welder", "Orrin slaves as a welder")
    assert nearness(*toils) == BOUNDS.replaced_within
    assert nearness("Orrin plays the harp", "Orrin plays the flute") == BOUNDS.replaced
    assert nearness("Pim Otter eats figs", "What Pim Otter eats: figs, always") == BOUNDS.one


def test_two_that_differ_in_where_something_is_tell_two_places() -> None:
    kept = "Kestrel's ladder is kept in the {} of house 40"
    assert nearness(kept.format("shed"), kept.format("attic")) is None
    assert nearness(kept.format("shed"), "Kestrel keeps its ladder in the shed of house 40")


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        (TOLD[2], "Ilse Brandt's desk is number 119", "number"),
        (TOLD[6], TOLD[7], "negation"),
        (TOLD[6], "The Kestrel office opens at 8:45", "time"),
        (TOLD[4], "Orla works as a welder", None),
        ("Ilse Brandt leads Kestrel", "Ilse Brandt leads Otter", "name"),
        (TOLD[8], TOLD[9], "exchange"),
        ("The review of Kestrel is on Monday", "The review of Kestrel is on Friday", "kind"),
        ("Orrin likes to eat figs", "Orrin eats figs for supper", "liking"),
        ("Juno Hale is Pim Hale's teacher", "Pim Hale is Juno Hale's teacher", "exchange"),
    ],
)
def test_guards_speak_first(one: str, other: str, why: str | None) -> None:
    found = kept_apart(read(one), read(other))
    if why is None:
        assert nearness(one, other) is None or found is not None
    else:
        assert found == why


@given(st.sampled_from(list(combinations(TOLD, 2))))
def test_the_order_of_the_two_makes_no_difference(pair: tuple[str, str]) -> None:
    a, b = map(read, pair)
    assert (kept_apart(a, b) is None) == (kept_apart(b, a) is None)
    assert nearness(*pair) == nearness(*reversed(pair))
    assert names_of(a, b) == names_of(b, a)


@pytest.fixture(scope="module")
def minilm() -> Embedder:
    try:
        return resolve("minilm", EmbedderOptions())
    except (EmbedderError, MissingDependencyError) as error:
        pytest.skip(f"MiniLM is not here: {error}")


def near(embedder: Embedder, one: str, other: str) -> bool:
    """Tell whether the frames of two, that no guard keeps apart, are near enough."""
    a, b = read(simplified(one)), read(simplified(other))
    texts = (simplified(one), simplified(other))
    least = None if kept_apart(a, b) else least_nearness(a, b, texts)
    if least is None:
        return False
    frames = [frame_of(simplified(each), names_of(a, b)) for each in (one, other)]
    first, second = embedder.embed(frames, kind="document")
    cosine = first @ second / ((first @ first) ** 0.5 * (second @ second) ** 0.5)
    return bool(cosine >= least)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        TOLD[:2],
        TOLD[2:4],
        TOLD[4:6],
        ("Pim Otter teaches Juno Hale", "As I said, Juno Hale is taught by Pim Otter"),
        ("Ilse Brandt is allergic to nuts", "FYI, nuts give Ilse Brandt an allergy"),
        ("The Kestrel office opens at 8:15", "Doors open at 8:15 am at the Kestrel office"),
    ],
)
def test_other_words_for_the_same_are_near(minilm: Embedder, one: str, other: str) -> None:
    assert near(minilm, one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ilse Brandt plays the cello", "Ilse Brandt plays the banjo"),
        ("Ilse Brandt lives in a boat house", "Ilse Brandt has a soft spot for boats"),
        ("Orrin works as a welder", "Orrin works as a baker"),
        ("The Kestrel office is painted green", "The Kestrel office is painted grey"),
        ("Pim Otter teaches Juno Hale", "Juno Hale teaches Pim Otter"),
    ],
)
def test_another_value_in_the_same_place_is_not(minilm: Embedder, one: str, other: str) -> None:
    assert not near(minilm, one, other)
