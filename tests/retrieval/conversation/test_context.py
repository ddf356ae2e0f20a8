from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import InvalidInputError
from engram_lab.core.protocols.corpus import TurnPlace
from engram_lab.retrieval.conversation import (
    CONTEXT_FEATURES,
    ContextFeatures,
    Conversation,
    speakers_named,
)
from engram_lab.retrieval.fusion import MinMax, Normaliser, ZeroMeanUnitVariance
from engram_lab.retrieval.ranking import Ranking
from engram_lab.testing.ranking_strategies import rankings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engram_lab.core.sqlite import SqliteStore

Places = dict[int, TurnPlace]

SPEAKERS = ("Ada", "Ben", "Cy")
QUERY = "What did ada say?"


class Turns:
    """Turns as a corpus gives them."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self.at = {(each.session_id, each.position): key for key, each in places.items()}

    def turns(self, keys: NDArray[np.int64]) -> list[TurnPlace | None]:
        return [self.places.get(key) for key in keys.tolist()]

    def turns_around(self, keys: NDArray[np.int64], distance: int) -> NDArray[np.int64]:
        rows = [[0] * (2 * distance + 1) for _ in keys]
        for row, key in zip(rows, keys.tolist(), strict=True):
            if (place := self.places.get(key)) is not None:
                for step in range(-distance, distance + 1):
                    row[step + distance] = self.at.get((place.session_id, place.position + step), 0)
        return np.array(rows, np.int64).reshape(-1, 2 * distance + 1)


@st.composite
def conversations(draw: Any) -> Places:
    """Draw turns with keys from 1 to 30, some positions of their sessions empty."""
    keys = st.integers(1, 30)
    place = st.tuples(st.sampled_from("st"), st.integers(0, 12))
    drawn = draw(st.dictionaries(place, keys, max_size=20))
    speakers = st.sampled_from(SPEAKERS)
    return {
        key: TurnPlace(session, position, draw(speakers))
        for (session, position), key in drawn.items()
    }


def by_brute_force(
    places: Places, arm: Ranking, key: int, distance: int, normaliser: Normaliser
) -> dict[str, float]:
    values, absent = normaliser.normalise(arm.scores, arm="any")
    score = dict(zip(arm.keys.tolist(), values.tolist(), strict=True))
    at = Turns(places).at
    place = places.get(key)
    if place is None:
        own = score.get(key, absent)
        return {
            "previous": absent,
            "following": absent,
            "window": own,
            "session": (own + 2 * absent) / 3,
        }

    def near(step: int) -> int | None:
        return at.get((place.session_id, place.position + step))

    window = [near(step) for step in range(-distance, distance + 1)]
    heard = [score.get(each, absent) for each in window if each is not None]
    found = [
        score[each]
        for each in score
        if each in places and places[each].session_id == place.session_id
    ]
    best = sorted([*found, absent, absent, absent], reverse=True)[:3]
    return {
        "previous": score.get(near(-1) or 0, absent),
        "following": score.get(near(1) or 0, absent),
        "window": sum(heard) / len(heard),
        "session": sum(best) / 3,
    }


@pytest.mark.parametrize("normaliser", [MinMax(), ZeroMeanUnitVariance()])
@given(
    places=conversations(),
    arm=rankings(),
    keys=st.none() | st.lists(st.integers(1, 30), unique=True),
    distance=st.integers(1, 3),
)
def test_features_are_those_of_brute_force(
    normaliser: Normaliser, places: Places, arm: Ranking, keys: list[int] | None, distance: int
) -> None:
    asked = None if keys is None else np.array(keys, np.int64)
    features = Conversation(distance=distance, normaliser=normaliser).features(
        Turns(places), "", arm, keys=asked
    )
    assert features.keys.tolist() == (arm.keys.tolist() if keys is None else keys)
    for row, key in enumerate(features.keys.tolist()):
        wanted = by_brute_force(places, arm, key, distance, normaliser)
        seen = {name: features.of(name)[row] for name in wanted}
        assert seen == pytest.approx(wanted, rel=1e-9, abs=1e-9)
        assert features.speaker[row] == 0


@given(places=conversations(), arm=rankings())
def test_a_speaker_matches_by_whom_the_question_names(places: Places, arm: Ranking) -> None:
    features = Conversation().features(Turns(places), QUERY, arm)
    around = Turns(places).turns_around(arm.keys, 1)
    seen = {places[key] for key in {*arm.keys.tolist(), *around.ravel().tolist()} & set(places)}
    with_ada = {place.session_id for place in seen if place.speaker == "Ada"}
    for key, match in zip(features.keys.tolist(), features.speaker.tolist(), strict=True):
        place = places.get(key)
        if place is None or place.session_id not in with_ada:
            assert match == 0
        else:
            assert match == (1 if place.speaker == "Ada" else -1)


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("What did Ada say to BEN?", {"Ada", "Ben"}),
        ("Ada's cat", {"Ada"}),
        ("Adam and Canada", set()),
        ("ask José  María, please", {"José María"}),
        ("ask Jose\u0301 mari\u0301a", {"José María"}),
        ("José alone", set()),
        ("what about c++ (the person)?", {"C++"}),
        ("c+", set()),
        ("STRASSE", {"Straße"}),
        ("", set()),
    ],
)
def test_speakers_are_named_by_whole_words_in_any_case(query: str, named: set[str]) -> None:
    speakers = ["Ada", "Ben", "José María", "C++", "Straße", " "]
    assert speakers_named(query, speakers) == named


def test_the_turn_before_the_answer_makes_it_found(store: SqliteStore) -> None:
    session = store.sessions.start()
    said = [
        ("Ada", "Shall we talk about the boat?"),
        ("Ben", "Yes. Ask me anything."),
        ("Ada", "When did you sell it?"),
        ("Ben", "Last Tuesday."),
    ]
    turns = [{"speaker": speaker, "content": text} for speaker, text in said]
    placed = store.sessions.add_turns(session.id, turns)
    note = store.memories.remember({"content": "a note"}).id
    keys = store.corpus.find([*(each.memory_id for each in placed), note])
    arm = Ranking.of(keys[[2, 0, 4]], [4.0, 3.0, 0.0])

    features = Conversation().features(store.corpus, "When did Ben sell?", arm, keys=keys)

    assert features.previous.tolist() == [0.0, 0.75, 0.0, 1.0, 0.0]
    assert features.following.tolist() == [0.0, 1.0, 0.0, 0.0, 0.0]
    assert features.window.tolist() == pytest.approx([0.375, 1.75 / 3, 1 / 3, 0.5, 0.0])
    assert features.session.tolist() == pytest.approx([1.75 / 3] * 4 + [0.0])
    assert features.speaker.tolist() == [-1.0, 1.0, -1.0, 1.0, 0.0]
    first = features.arm({"previous": 1.0, "speaker": 0.5})
    assert first.keys[0] == keys[3]
    assert first.scores.tolist() == [1.5, 1.25, 0.0, -0.5, -0.5]


def some() -> ContextFeatures:
    places = {key: TurnPlace("s", key, SPEAKERS[key % 2]) for key in range(1, 6)}
    return Conversation().features(Turns(places), QUERY, Ranking.of([2, 4], [2.0, 1.0]))


def test_an_arm_is_the_weighted_sum_of_features() -> None:
    features = some()
    arm = features.arm({"window": 2.0, "speaker": -0.5})
    wanted = 2.0 * features.window - 0.5 * features.speaker
    assert arm == Ranking.of(features.keys, wanted)


@pytest.mark.parametrize("weights", [{}, {"window": 0.0, "speaker": 0}])
def test_weights_of_0_leave_a_fusion_as_it_is(weights: dict[str, float]) -> None:
    assert some().arm(weights) == Ranking.empty()


def test_each_feature_is_an_arm_for_those_who_learn() -> None:
    features = some()
    arms = features.arms()
    assert tuple(arms) == CONTEXT_FEATURES
    for name, arm in arms.items():
        assert arm == Ranking.of(features.keys, features.of(name))


def test_an_unknown_feature_or_a_bad_weight_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="no context feature 'windw': known are previous"):
        some().arm({"windw": 1.0})
    with pytest.raises(InvalidInputError, match="no context feature 'keys'"):
        some().of("keys")
    for bad in (math.nan, math.inf, "1", True):
        with pytest.raises(InvalidInputError, match="weight of 'window'"):
            some().arm({"window": bad})  # type: ignore[dict-item]


def test_no_finds_and_no_turns_have_plain_features() -> None:
    nothing = Conversation().features(Turns({}), QUERY, Ranking.empty())
    assert [nothing.of(name).shape for name in CONTEXT_FEATURES] == [(0,)] * 5
    unfound = Conversation().features(
        Turns({}), QUERY, Ranking.empty(), keys=np.array([3, 4], np.int64)
    )
    assert [unfound.of(name).tolist() for name in CONTEXT_FEATURES] == [[0.0, 0.0]] * 5


@pytest.mark.parametrize("distance", [0, 101, -1])
def test_a_distance_out_of_bounds_is_refused(distance: int) -> None:
    with pytest.raises(InvalidInputError, match="distance is"):
        Conversation(distance=distance)
