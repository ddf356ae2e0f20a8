"""Trees against LightGBM itself, and as the model of a record."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engram_lab.core.errors import InvalidInputError, MissingDependencyError
from engram_lab.retrieval.learned import (
    Boosting,
    Forest,
    LearnedRecord,
    LearningQuestion,
    LinearModel,
    TreeModel,
    learn_trees,
    model_of,
    scores_of,
)
from engram_lab.retrieval.learned.trees import forest_of
from engram_lab.retrieval.ranking import Ranking

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

NAMES = ("late", "length", "words")
QUICK = Boosting(trees=20, leaves=6, least=5, rate=0.2)


def questions(count: int = 60, seed: int = 0) -> list[LearningQuestion]:
    """Questions that a high `late` answers, unless the memory is long: no linear model knows."""
    chance = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        features = chance.normal(size=(20, 3)) * [1, 100, 5] + chance.normal(size=3)
        best = np.argmax(features[:, 0] - 10 * (features[:, 1] > features[:, 1].mean()))
        made.append(LearningQuestion(features=features, relevant=np.arange(20) == best))
    return made


def centred(some: Sequence[LearningQuestion]) -> NDArray[np.float64]:
    return np.concatenate([each.features - each.features.mean(axis=0) for each in some])


@pytest.fixture(scope="module")
def learned() -> Forest:
    pytest.importorskip("lightgbm", reason="the extra `trees` is not installed")
    return learn_trees(questions(), NAMES, boosting=QUICK)


def test_scores_are_those_of_lightgbm() -> None:
    lightgbm = pytest.importorskip("lightgbm", reason="the extra `trees` is not installed")
    taught, asked = centred(questions()), centred(questions(30, seed=1))
    labels = np.concatenate([each.relevant for each in questions()]).astype(int)
    data = lightgbm.Dataset(taught, labels, group=[20] * 60, params=QUICK.parameters())
    grown = lightgbm.train(QUICK.parameters(), data, num_boost_round=20)

    forest = forest_of(grown.dump_model(), NAMES)

    for values in (taught, asked):
        assert np.abs(forest.scores(values) - grown.predict(values)).max() < 1e-12
    assert forest == learn_trees(questions(), NAMES, boosting=QUICK)


def test_trees_learn_what_no_sum_of_weights_can(learned: Forest) -> None:
    asked = questions(50, seed=2)

    found = [
        bool(each.relevant[np.argmax(learned.scores(each.features - each.features.mean(axis=0)))])
        for each in asked
    ]

    assert np.mean(found) > 0.7
    assert learned.used[0] == "late"


def test_the_same_questions_grow_the_same_trees(learned: Forest) -> None:
    assert learn_trees(questions(), NAMES, boosting=QUICK) == learned


def test_what_all_candidates_of_a_question_share_changes_nothing(learned: Forest) -> None:
    moved = [
        LearningQuestion(features=each.features + 2.0 ** (at % 5), relevant=each.relevant)
        for at, each in enumerate(questions())
    ]
    forest = learn_trees(moved, NAMES, boosting=QUICK)
    asked = centred(questions(20, seed=3))

    assert forest.scores(asked) == pytest.approx(learned.scores(asked), abs=1e-6)


def rankings(values: NDArray[np.float64], names: Sequence[str] = NAMES) -> dict[str, Ranking]:
    keys = np.arange(len(values)) * 7 + 1
    return {name: Ranking.of(keys, values[:, NAMES.index(name)]) for name in names}


def test_a_hit_is_explained_by_its_features_to_the_last_bit(learned: Forest) -> None:
    (question,) = questions(1, seed=4)
    record = LearnedRecord(trees=learned, embedder="hashing")

    fused = model_of(record).fuse(rankings(question.features))

    values = question.features - question.features.mean(axis=0)
    expected = learned.scores(values) - learned.base
    by_key = dict(zip((np.arange(20) * 7 + 1).tolist(), expected, strict=True))
    assert len(fused) == 20
    for place in range(20):
        told = fused.explain(place)
        total = 0.0
        for each in told:
            total += each.value
        assert total == fused.ranking.scores[place]
        assert total == pytest.approx(by_key[int(fused.ranking.keys[place])], abs=1e-12)
        assert {each.arm for each in told} == set(learned.used)
        assert all(each.rank is not None for each in told)


def test_a_feature_that_cannot_be_told_is_the_same_for_all(learned: Forest) -> None:
    (question,) = questions(1, seed=5)
    without = question.features.copy()
    without[:, NAMES.index("length")] = 3.0
    model = TreeModel(record=LearnedRecord(trees=learned), forest=learned)

    fused = model.fuse(rankings(question.features, ("late", "words")))

    alike = model.fuse(rankings(without))
    assert fused.ranking.keys.tolist() == alike.ranking.keys.tolist()
    assert fused.ranking.scores.tolist() == alike.ranking.scores.tolist()
    assert len(model.fuse({})) == 0


def test_a_record_of_trees_is_json_and_back(learned: Forest) -> None:
    record = LearnedRecord(trees=learned, embedder="minilm/all-MiniLM-L6-v2")

    assert LearnedRecord.from_json(record.to_json()) == record
    assert record.model == "trees"
    assert record.features == learned.used
    assert "weights" not in json.loads(record.to_json())


def test_each_record_is_of_its_model(learned: Forest) -> None:
    assert isinstance(model_of(LearnedRecord(trees=learned)), TreeModel)
    linear = LearnedRecord(weights={"late": 1.0, "words": 0.0})
    assert isinstance(model_of(linear), LinearModel)
    assert (linear.model, linear.features) == ("linear", ("late",))


@pytest.mark.parametrize("names", [NAMES, NAMES[:2]])
def test_a_table_is_scored_as_rankings_are(learned: Forest, names: tuple[str, ...]) -> None:
    (question,) = questions(1, seed=6)
    weights = {"late": 2.0, "words": -1.0}
    some = question.features[:, : len(names)]
    for record in (
        LearnedRecord(trees=learned),
        LearnedRecord(weights=weights),
        LearnedRecord(weights=weights, scale="unit-range"),
    ):
        fused = model_of(record).fuse(rankings(question.features, names))

        scores = scores_of(record, some, names)

        by_key = dict(zip((np.arange(20) * 7 + 1).tolist(), scores, strict=True))
        expected = [by_key[int(key)] for key in fused.ranking.keys]
        assert fused.ranking.scores == pytest.approx(expected, abs=1e-12)


def test_a_record_has_weights_or_trees(learned: Forest) -> None:
    with pytest.raises(InvalidInputError, match="both weights and trees"):
        LearnedRecord(weights={"late": 1.0}, trees=learned)
    with pytest.raises(InvalidInputError, match="has no trees: give an object"):
        LearnedRecord.from_dict({"model": "trees", "weights": {"late": 1.0}})
    with pytest.raises(InvalidInputError, match="'forest': give linear or trees"):
        LearnedRecord.from_dict({"model": "forest"})


def test_too_little_to_part_is_refused() -> None:
    pytest.importorskip("lightgbm", reason="the extra `trees` is not installed")
    with pytest.raises(InvalidInputError, match="no tree could part the candidates: give more"):
        learn_trees(questions(2), NAMES)
    nothing = LearningQuestion(features=np.zeros((3, 3)), relevant=np.zeros(3, np.bool_))
    with pytest.raises(InvalidInputError, match="nothing to learn from"):
        learn_trees([nothing], NAMES)


def test_without_lightgbm_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    with pytest.raises(MissingDependencyError, match=r"pip install .\.\[trees\]"):
        learn_trees(questions(3), NAMES)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"trees": 0}, "`trees` of boosting is 0: give 1 or more"),
        ({"leaves": 1}, "give 2 or more"),
        ({"rate": 0.0}, "give a rate above 0"),
        ({"rate": float("nan")}, "give a rate above 0"),
        ({"l2": -1.0}, "an l2 from 0"),
    ],
)
def test_numbers_out_of_bounds_are_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        Boosting(**given)
