from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engram_lab.retrieval.features import features_of
from engram_lab.retrieval.ranking import Ranking

if TYPE_CHECKING:
    from collections.abc import Callable

    from engram_lab.retrieval.conversation import Turns
    from engram_lab.retrieval.features import Scene

    MakeScene = Callable[..., Scene]


def links(scene: Scene) -> list[float]:
    found: list[float] = features_of(scene, ["links"])["links"].tolist()
    return found


def test_what_activation_reaches_among_the_candidates_has_it(
    turns: Turns, make_scene: MakeScene
) -> None:
    asked: list[Ranking] = []

    def spread(seeds: Ranking) -> Ranking:
        asked.append(seeds)
        return Ranking.of([1, 3, 900, 2000], [0.5, 0.25, 9.0, 9.0])

    scene = make_scene(turns, [0, 1, 2, -1], spread=spread)
    assert scene.keys.tolist() == [1, 2, 3, 1003]
    assert links(scene) == [0.5, 0, 0.25, 0]
    assert len(asked) == 1


def test_seeds_are_the_best_by_what_is_known(turns: Turns, make_scene: MakeScene) -> None:
    seeds: list[list[int]] = []

    def spread(given: Ranking) -> Ranking:
        seeds.append(given.keys.tolist())
        return Ranking.empty()

    words = np.array([[0.1], [0.2], [0.0]])
    known: dict[str, Any] = {"spread": spread, "words": words, "names": np.array([False])}
    assert links(make_scene(turns, [0, 1], **known)) == [0, 0]
    known["cosines"] = {"first_person": np.array([0.2, 0.1, 0.0])}
    links(make_scene(turns, [0, 1], **known))
    known |= {"near": np.array([[0.1], [0.2], [0.0]]), "weights": np.ones(1)}
    links(make_scene(turns, [0, 1], **known))
    assert seeds == [[2, 1], [1, 2], [2, 1]]


def test_without_links_it_is_0(turns: Turns, make_scene: MakeScene) -> None:
    assert links(make_scene(turns, [0, -1])) == [0, 0]
