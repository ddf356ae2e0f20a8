from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.config import EngineConfig
from engram_lab.core.errors import InvalidInputError
from engram_lab.engine import Engine
from engram_lab.retrieval.grouping import (
    DEFAULT_SCORE,
    best,
    by_session,
    discounted,
    group_score,
    mean_of_best,
    soft_best,
)

if TYPE_CHECKING:
    from engram_lab.retrieval.grouping import GroupScore

RULES = ["best", "mean@1", "mean@3", "soft@0.1", "soft@2", "discounted@0.3", "discounted@1"]

TURNS = [("b2", 0.6), ("a1", 0.9), ("b1", 0.8), ("c1", 0.1), ("b3", 0.5), ("a2", 0.2)]


def session_of(turn: str) -> str:
    return turn[0]


def scores_of(rule: GroupScore) -> dict[str, float]:
    return {each.session: each.score for each in by_session(TURNS, session_of, score=rule)}


def test_a_session_is_told_by_the_turns_that_made_it() -> None:
    first, second, third = by_session(TURNS, session_of, score=best)

    assert [each.session for each in (first, second, third)] == ["a", "b", "c"]
    assert first.members == (("a1", 0.9), ("a2", 0.2))
    assert second.members == (("b1", 0.8), ("b2", 0.6), ("b3", 0.5))


def test_rules_by_hand() -> None:
    assert scores_of(best) == {"a": 0.9, "b": 0.8, "c": 0.1}
    # What has fewer turns is given the least score of all, 0.1, for the others.
    assert scores_of(mean_of_best(3)) == pytest.approx(
        {"a": (0.9 + 0.2 + 0.1) / 3, "b": (0.8 + 0.6 + 0.5) / 3, "c": 0.1}
    )
    assert scores_of(discounted(0.5)) == pytest.approx(
        {"a": 0.8 + 0.1 / 2, "b": 0.7 + 0.5 / 2 + 0.4 / 4, "c": 0}
    )
    assert scores_of(soft_best(0.5)) == pytest.approx(
        {
            "a": 0.5 * math.log(math.exp(1.8) + math.exp(0.4)),
            "b": 0.5 * math.log(math.exp(1.6) + math.exp(1.2) + math.exp(1)),
            "c": 0.1,
        }
    )


def test_several_good_turns_can_outdo_the_best_one() -> None:
    orders = {
        rule: [each.session for each in by_session(TURNS, session_of, score=group_score(rule))]
        for rule in ("best", "discounted@0.5")
    }

    assert orders == {"best": ["a", "b", "c"], "discounted@0.5": ["b", "a", "c"]}


def test_a_turn_without_a_session_is_left_out() -> None:
    found = by_session([("x", 3.0), ("a", 1.0)], {"a": "first"}.get)

    assert [(each.session, each.members) for each in found] == [("first", (("a", 1.0),))]


def test_hits_of_a_recall_become_sessions() -> None:
    config = EngineConfig.from_dict({"embedding": {"model": "none"}})
    with Engine.open(":memory:", config=config) as engine:
        for session, told in (("first", ["a tide", "a boat"]), ("second", ["the tide, the tide"])):
            engine.store.sessions.start(session)
            turns = [{"speaker": "Ada", "content": text} for text in told]
            engine.store.sessions.add_turns(session, turns)
        hits = engine.recall("tide", 10)

    found = by_session(
        [(hit, hit.score) for hit in hits], lambda hit: hit.memory.session_id, score=best
    )

    assert [each.session for each in found] == [hit.memory.session_id for hit in hits]
    assert {each.session for each in found} == {"first", "second"}
    assert [hit.memory.content for hit, _ in found[0].members] == [hits[0].memory.content]


def test_nothing_found_is_no_session() -> None:
    assert by_session([], session_of) == []


def test_equal_sessions_stand_in_the_order_of_their_best_turns() -> None:
    ranked = [("b1", 0.5), ("a1", 0.5)]

    assert [each.session for each in by_session(ranked, session_of)] == ["b", "a"]


SCORES = st.floats(-50, 50).map(lambda value: round(value, 3))
RANKED = st.lists(st.tuples(st.sampled_from("abcd"), SCORES), min_size=1, max_size=12)


@given(RANKED, st.sampled_from(RULES), st.integers(-200, 200))
def test_a_constant_changes_no_order(
    drawn: list[tuple[str, float]], rule: str, constant: int
) -> None:
    ranked = [((session, number), score) for number, (session, score) in enumerate(drawn)]
    shifted = [(turn, score + constant) for turn, score in ranked]

    def scores(given_: list[tuple[tuple[str, int], float]]) -> dict[str, float]:
        found = by_session(given_, lambda turn: turn[0], score=group_score(rule))
        return {each.session: each.score for each in found}

    before, after = scores(ranked), scores(shifted)
    for one in before:
        for other in before:
            if before[one] > before[other] + 1e-6:
                assert after[one] > after[other]


@given(RANKED, st.sampled_from(RULES), st.randoms(use_true_random=False))
def test_the_order_of_turns_is_nothing_to_the_score(
    drawn: list[tuple[str, float]], rule: str, chance: object
) -> None:
    ranked = [((session, number), score) for number, (session, score) in enumerate(drawn)]
    mixed = list(ranked)
    chance.shuffle(mixed)  # type: ignore[attr-defined]

    def scores(given_: list[tuple[tuple[str, int], float]]) -> dict[str, float]:
        found = by_session(given_, lambda turn: turn[0], score=group_score(rule))
        return {each.session: each.score for each in found}

    assert scores(mixed) == pytest.approx(scores(ranked))


@given(st.lists(SCORES, min_size=1, max_size=8))
def test_rules_meet_the_best_at_their_ends(drawn: list[float]) -> None:
    falling = np.array(sorted(drawn, reverse=True))
    least = falling[-1] - 1

    assert soft_best(1e-3)(falling, least) == pytest.approx(best(falling, least), abs=0.01)
    assert discounted(0)(falling, least) + least == pytest.approx(best(falling, least))
    assert mean_of_best(1)(falling, least) == pytest.approx(best(falling, least))


def test_scores_beyond_what_exp_can_take_are_finite() -> None:
    (found,) = by_session([("a1", 5000.0), ("a2", 4999.0)], session_of, score=soft_best(1))

    assert found.score == pytest.approx(5000 + math.log1p(math.exp(-1)))


@pytest.mark.parametrize("name", [DEFAULT_SCORE, *RULES])
def test_every_rule_has_a_name(name: str) -> None:
    assert group_score(name)(np.array([2.0, 1.0]), 0.0) > 0


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("most", "choose best, or mean, soft or discounted with a number"),
        ("mean", "such as discounted@0.3"),
        ("best@2", "is no way to score a group"),
        ("mean@1.5", "a mean of 1.5 scores is none"),
        ("mean@inf", "a mean of inf scores is none"),
        ("soft@0", "a temperature of 0.0 is no number above 0"),
        ("soft@nan", "a temperature of nan is no number above 0"),
        ("discounted@2", "a share of 2.0 is not between 0 and 1"),
    ],
)
def test_a_rule_that_is_none_is_refused(name: str, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        group_score(name)


def test_a_score_that_is_no_number_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="not finite"):
        by_session([("a1", math.nan)], session_of)
