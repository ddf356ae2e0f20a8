from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.evaluation.consolidation.streams import Asked, make_stream

STREAM = make_stream(400, 7)


def test_the_same_arguments_give_the_same_stream_and_another_seed_another() -> None:
    assert make_stream(400, 7) == STREAM
    assert make_stream(400, 8).pairs == STREAM.pairs  # ids are numbers
    assert make_stream(400, 8).memories != STREAM.memories


@given(st.integers(200, 3_000), st.integers(0, 2**40))
def test_there_are_as_many_memories_as_asked_for_each_under_a_name_of_its_own(
    size: int, seed: int
) -> None:
    stream = make_stream(size, seed)
    names = [each.name for each in stream.memories if each.id not in stream.popular]

    assert len(stream.memories) == size
    assert len({each.id for each in stream.memories}) == size
    assert len(set(names)) == len(names)


def test_partners_share_no_word_that_says_anything() -> None:
    contents = {each.id: each.content for each in STREAM.memories}
    said_of_nothing = {"a", "an", "and", "the", "of", "to", "in", "at", "on", "with", "was", "for"}

    for one, other in STREAM.pairs:
        shared = _words(contents[one]) & _words(contents[other])
        assert shared <= said_of_nothing, (contents[one], contents[other])


def test_every_planted_pair_is_asked_for_each_night_and_no_other_pair_of_a_chain_ever() -> None:
    planted = {frozenset(pair) for pair in STREAM.pairs}
    chains = {frozenset((each.named, each.wanted)) for each in STREAM.probes}

    for night in STREAM.nights:
        asked = [frozenset(each.wants) for each in night if len(each.wants) > 1]
        assert planted <= set(asked)
        assert (chains - planted).isdisjoint(asked)


def test_a_probe_names_one_of_a_chain_and_wants_another() -> None:
    planted = {frozenset(pair) for pair in STREAM.pairs}
    names = {each.id: each.name for each in STREAM.memories}

    for probe in STREAM.probes:
        assert names[probe.named] in probe.text
        assert names[probe.wanted] not in probe.text
        assert (probe.hops == 1) == (frozenset((probe.named, probe.wanted)) in planted)


def test_no_probe_is_asked_in_the_words_of_training() -> None:
    trained = {each.text for night in STREAM.nights for each in night}

    assert trained.isdisjoint(each.text for each in STREAM.probes)


@pytest.mark.parametrize("trap", STREAM.traps[:3])
def test_a_trap_names_what_it_wants_in_words_that_popular_memories_hold(trap: Asked) -> None:
    text, (wanted,) = trap
    names = {each.id: each.name for each in STREAM.memories}
    popular = set().union(
        *(_words(each.content) for each in STREAM.memories if each.id in STREAM.popular)
    )

    assert names[wanted] in text
    assert _words(text) & popular


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]+", text.lower()))
