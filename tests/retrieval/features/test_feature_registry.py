"""Every feature that is registered, whoever made it, keeps to what a feature promises."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import ConflictError, InvalidInputError
from engram_lab.retrieval.features import FEATURES, FeatureTable, Scene, features_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from engram_lab.retrieval.conversation import Turns

    MakeScene = Callable[..., Scene]

OF_VECTORS = ("cosine", "late")


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Any], None]:
    """Register a feature for one test."""
    monkeypatch.setattr(FEATURES, "_known", dict(FEATURES._known))

    def register(name: str, feature: Any) -> None:
        FEATURES.add(name, feature)

    return register


def permuted(scene: Scene, order: list[int]) -> Scene:
    """Return the same scene with its candidates in another order."""
    n = len(scene)
    every = np.array([*order, *range(n, len(scene.rows))])
    places = np.empty(len(every), np.int64)
    places[every] = np.arange(len(every))
    beside = scene.beside[order]
    of_m = {
        name: getattr(scene, name)[every]
        for name in ("rows", "words", "near")
        if getattr(scene, name) is not None
    }
    return replace(
        scene,
        keys=scene.keys[order],
        speakers=scene.speakers[order],
        beside=np.where(beside >= 0, places[beside], -1),
        cosines={form: values[every] for form, values in scene.cosines.items()},
        **of_m,
    )


@given(seed=st.integers(0, 2**32), chance=st.randoms(use_true_random=False))
def test_no_feature_depends_on_the_order_of_the_candidates(
    seed: int, chance: Any, make_random_scene: Callable[[int], Scene]
) -> None:
    scene = make_random_scene(seed)
    order = list(range(len(scene)))
    chance.shuffle(order)
    plain, other = (features_of(each, FEATURES.names()) for each in (scene, permuted(scene, order)))
    assert set(plain) == set(other) == set(FEATURES.names())
    for name, values in plain.items():
        assert other[name] == pytest.approx(values[order], rel=1e-12, abs=1e-12), name


@given(seed=st.integers(0, 2**32))
def test_a_feature_changes_nothing_and_tells_the_same_again(
    seed: int, make_random_scene: Callable[[int], Scene]
) -> None:
    scene = make_random_scene(seed)
    arrays = [
        scene.keys,
        scene.rows,
        scene.beside,
        scene.speakers,
        scene.words,
        scene.near,
        *scene.cosines.values(),
    ]
    for values in arrays:
        assert values is not None
        values.flags.writeable = False
    first = features_of(scene, FEATURES.names())
    again = features_of(make_random_scene(seed), FEATURES.names()[::-1])
    for name, values in first.items():
        assert values.tobytes() == again[name].tobytes(), name


def test_without_vectors_no_feature_of_vectors_is_told(turns: Turns, make_scene: MakeScene) -> None:
    told = features_of(make_scene(turns, [0, 1, -1]), FEATURES.names())
    left = {name for name in FEATURES.names() if name.startswith(OF_VECTORS)}
    assert {"cosine", "cosine-of-window", "late", "late-answer"} <= left
    assert set(told) == set(FEATURES.names()) - left


def test_of_notes_alone_every_feature_tells_something(
    make_turns: Callable[..., Turns], make_scene: MakeScene
) -> None:
    told = features_of(make_scene(make_turns([]), [-1, -1]), FEATURES.names())
    assert all(len(values) == 2 for values in told.values())


@pytest.mark.parametrize(
    "given",
    [np.zeros(1), np.zeros((2, 1)), np.array([0.0, np.nan]), np.array([np.inf, 0.0]), 3.0],
)
def test_what_a_feature_may_not_give_is_refused_by_name(
    given: Any,
    registered: Callable[[str, Any], None],
    turns: Turns,
    make_scene: MakeScene,
) -> None:
    registered("mine", lambda _: given)
    with pytest.raises(InvalidInputError, match=r"'mine'.* it must give 2 finite numbers"):
        features_of(make_scene(turns, [0, 1]), ["mine"])


def test_a_feature_of_ones_own_is_told_as_float64(
    registered: Callable[[str, Any], None], turns: Turns, make_scene: MakeScene
) -> None:
    registered("mine", lambda scene: [len(scene), 0])
    registered("nothing", lambda _: None)
    told = features_of(make_scene(turns, [0, 1]), ["nothing", "mine"])
    assert list(told) == ["mine"]
    assert told["mine"].tolist() == [2, 0]
    assert told["mine"].dtype == np.float64


def test_a_name_is_known_or_refused_and_has_one_owner(turns: Turns, make_scene: MakeScene) -> None:
    with pytest.raises(InvalidInputError, match=r"there is no feature 'wrods'.*'words'"):
        features_of(make_scene(turns, [0]), ["wrods"])
    with pytest.raises(ConflictError, match="there already is a feature 'words'"):
        FEATURES.register("words")(lambda _: None)


def test_a_table_is_a_frame_of_candidates() -> None:
    table = FeatureTable(("a", "b"), ("words", "late"), np.array([[1.0, 2.0], [3.0, 4.0]]))
    assert table.to_polars().to_dicts() == [
        {"id": "a", "words": 1.0, "late": 2.0},
        {"id": "b", "words": 3.0, "late": 4.0},
    ]
    nothing = FeatureTable((), ("words",), np.zeros((0, 1))).to_polars()
    assert (nothing.shape, nothing.columns) == ((0, 2), ["id", "words"])
