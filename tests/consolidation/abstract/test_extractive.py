"""The extractive gist: whole sentences of the texts, chosen near as well as can be."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engram_lab.config import DreamSettings
from engram_lab.consolidation.abstract import SUMMARISERS, Extractive, Summariser
from engram_lab.consolidation.abstract.extractive import Objective, centrality, chosen_within
from engram_lab.consolidation.abstract.sentences import concepts, cosines, sentences_of, split
from engram_lab.core.errors import InvalidInputError

TEXTS = [
    "Vela Orn moved to Karsk in May. She likes it there.",
    "In Karsk Vela Orn found a job at the harbour. The pay is good!",
    "Vela Orn's job at the harbour of Karsk begins at six. She sleeps early.",
    "Did it rain? The harbour of Karsk was closed on Monday.",
]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two!  Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("It costs 3.50 euros. So what?", ["It costs 3.50 euros.", "So what?"]),
        ("Dr. Orn met J. Vask. They spoke.", ["Dr. Orn met J. Vask.", "They spoke."]),
        ("She said “Go.” Then he went.", ["She said “Go.”", "Then he went."]),
        ("a list\n- of things\n\n- and more", ["a list", "- of things", "- and more"]),
        ("我来了。他走了。", ["我来了。", "他走了。"]),
        ("He arrived, e.g. by train. Late.", ["He arrived, e.g. by train.", "Late."]),
        ("So did I. They left.", ["So did I.", "They left."]),
        ("", []),
        (" \n ", []),
    ],
)
def test_texts_are_cut_where_sentences_end(text: str, sentences: list[str]) -> None:
    assert split(text) == sentences


@given(st.text("aB. !?\n1é。", max_size=60))
def test_no_word_is_lost_by_cutting(text: str) -> None:
    assert "".join("".join(split(text)).split()) == "".join(text.split())


def test_what_was_said_before_is_one_sentence() -> None:
    found = sentences_of(["It rains. It snows.", "it  RAINS.", "...", "It hails."])
    assert [(each.text, each.source) for each in found] == [
        ("It rains.", 0),
        ("It snows.", 0),
        ("It hails.", 3),
    ]


def test_cosines_by_hand() -> None:
    """With "a" in two of three sentences and the others in one."""
    found = cosines(["A b.", "a c!", "d"])
    idf = math.log(1 + 3 / 2), math.log(1 + 3 / 1)
    cosine = idf[0] ** 2 / (idf[0] ** 2 + idf[1] ** 2)
    assert found[0] == pytest.approx([1, cosine, 0])
    assert found == pytest.approx(found.T)


def test_concepts_tell_something_and_count_by_the_texts_that_hold_them() -> None:
    held, weights = concepts(sentences_of(["Vela Orn is 7. And so it was.", "The Orn, of 12 m."]))
    assert held.tolist() == [
        [1, 1, 1, 0],
        [0, 0, 0, 0],
        [0, 1, 0, 1],
    ]
    assert weights.tolist() == [1, 2, 1, 1]


def test_centrality_is_the_stationary_chance_of_the_walk() -> None:
    alike = cosines([each.text for each in sentences_of(TEXTS)])
    n = len(alike)
    walk = 0.85 * alike / alike.sum(axis=1, keepdims=True) + 0.15 / n
    values, vectors = np.linalg.eig(walk.T)
    oracle = np.real(vectors[:, np.argmax(np.real(values))])
    assert centrality(alike) == pytest.approx(oracle / oracle.sum() * n, abs=1e-9)


def an_objective(draws: np.random.Generator, n: int) -> Objective:
    return Objective(
        held=(draws.random((n, 9)) < 0.3).astype(np.float64),
        weights=draws.uniform(0, 4, 9),
        rewards=draws.uniform(0, 9, n),
        sources=draws.integers(0, 3, n),
        diversity=float(draws.uniform(0, 3)),
    )


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.integers(1, 7))
def test_the_measure_rises_and_rises_ever_less(seed: int, n: int) -> None:
    draws = np.random.default_rng(seed)
    objective = an_objective(draws, n)
    few = [row for row in range(n) if draws.random() < 0.4]
    more = few + [row for row in range(n) if row not in few and draws.random() < 0.5]
    low, high = objective.gains(few), objective.gains(more)
    assert (high >= -1e-9).all()
    for row in range(n):
        if row not in more:
            assert high[row] <= low[row] + 1e-9
            grown = objective.value([*few, row]) - objective.value(few)
            assert low[row] == pytest.approx(grown, abs=1e-9)


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.integers(1, 8), st.integers(1, 40))
def test_the_greedy_is_within_its_bound_of_the_best_choice(seed: int, n: int, budget: int) -> None:
    draws = np.random.default_rng(seed)
    objective, costs = an_objective(draws, n), draws.integers(1, 15, n)
    chosen = chosen_within(objective, costs, budget)
    assert costs[chosen].sum() <= budget
    best = max(
        objective.value(rows)
        for size in range(n + 1)
        for rows in itertools.combinations(range(n), size)
        if costs[list(rows)].sum() <= budget
    )
    assert objective.value(chosen) >= (1 - math.exp(-0.5)) * best - 1e-9


@given(st.lists(st.sampled_from(TEXTS), max_size=6), st.integers(1, 300))
def test_a_gist_is_whole_sentences_in_their_order_and_short_enough(
    texts: list[str], most: int
) -> None:
    gist = Extractive().summarise(texts, most_chars=most)
    assert len(gist) <= most
    told = [each.text for each in sentences_of(texts)]
    lines = gist.split("\n") if gist else []
    places = [told.index(line) for line in lines]
    assert places == sorted(set(places))
    assert lines or not told or min(map(len, told)) > most


def test_a_gist_says_what_most_texts_say_and_of_more_than_one() -> None:
    gist = Extractive().summarise(TEXTS, most_chars=120)
    assert "harbour" in gist
    assert "Vela Orn" in gist
    assert "Did it rain?" not in gist
    sources = {each.source for each in sentences_of(TEXTS) if each.text in gist}
    assert len(sources) > 1


def test_very_many_sentences_are_thinned_and_none_is_no_trouble() -> None:
    texts = [f"Number {row} is {row * 7}. And so is {row * 3}." for row in range(400)]
    assert 100 < len(Extractive().summarise(texts, most_chars=300)) <= 300
    assert Extractive().summarise([], most_chars=100) == ""
    assert Extractive().summarise(["...", "!"], most_chars=100) == ""
    assert Extractive().summarise(["far too long a sentence"], most_chars=5) == ""


def test_it_is_registered_and_refuses_nonsense() -> None:
    made = SUMMARISERS.get("extractive")(DreamSettings())
    assert isinstance(made, Summariser)
    assert made == Extractive()
    assert dict(made.parameters) == {"diversity": 1.0, "telling": 3}
    with pytest.raises(InvalidInputError, match="give a number from 0"):
        Extractive(diversity=-1.0)
    with pytest.raises(InvalidInputError, match=r"telling is '?-1"):
        Extractive(telling=-1)
    with pytest.raises(InvalidInputError, match="summariser 'magic'"):
        SUMMARISERS.get("magic")
