"""From arms to hits: fused, looked up, reranked, cut, and each place explained."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.protocols import LinkRows
from engram_lab.core.types import Memory
from engram_lab.retrieval.fusion import ReciprocalRankFusion, WeightedFusion
from engram_lab.retrieval.learned import LearnedRecord, LinearModel
from engram_lab.retrieval.ordering import Ordering
from engram_lab.retrieval.ranking import Ranking
from engram_lab.retrieval.rerank import Importance, Priors, Recency
from engram_lab.retrieval.surroundings import Surroundings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from engram_lab.retrieval import Hit

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def memory(key: int) -> Memory:
    """Make the memory of a key; their ids rise the other way round."""
    return Memory(
        id=f"{1000 - key:04}",
        content=f"memory {key}",
        importance=(key % 5) / 4,
        created_at=NOON,
        updated_at=NOON,
        content_hash="0" * 64,
    )


@dataclass
class Shelf:
    """Has a memory of every key but some, and counts what is looked up."""

    missing: frozenset[int] = frozenset()
    more: Mapping[str, Ranking] = field(default_factory=dict)
    asked: list[int] = field(default_factory=list)
    superseded: Sequence[tuple[int, int]] = ()

    def fetch(self, keys: NDArray[np.int64]) -> list[Memory | None]:
        self.asked.append(len(keys))
        return [None if key in self.missing else memory(key) for key in keys.tolist()]

    def around(
        self, surroundings: Surroundings, question: str, found: Ranking
    ) -> Mapping[str, Ranking]:
        del surroundings, question, found
        return self.more

    def newer(self, keys: NDArray[np.int64]) -> LinkRows:
        links = [(new, old) for new, old in self.superseded if old in keys]
        ends = np.array(links, np.int64).reshape(-1, 2)
        return LinkRows(ends[:, 0], ends[:, 1], np.ones(len(links)))

    def vectors(self, memories: Sequence[Memory]) -> list[NDArray[np.float32] | None]:
        return [None] * len(memories)


def ordered(
    arms: Mapping[str, Ranking], k: int, shelf: Shelf | None = None, **options: Any
) -> list[Hit]:
    chosen: dict[str, Any] = {"fusion": WeightedFusion(), "rerankers": {}, "depth": 50}
    ordering = Ordering(**chosen | options)
    return ordering.order("tea", arms, k, lookup=shelf or Shelf(), now=NOON)


def keys(hits: Sequence[Hit]) -> list[int]:
    return [1000 - int(hit.id) for hit in hits]


def test_one_arm_is_left_as_it_is() -> None:
    hits = ordered({"keyword": Ranking.of([1, 2, 3], [0.5, 7.0, 3.0])}, 10)
    assert keys(hits) == [2, 3, 1]
    assert [hit.score for hit in hits] == [7.0, 3.0, 0.5]
    (arm,) = hits[0].explanation.arms
    assert (arm.name, arm.rank, arm.score, arm.contribution) == ("keyword", 1, 7.0, 7.0)


def test_nothing_found_is_no_hit() -> None:
    assert ordered({}, 5) == []
    assert ordered({"keyword": Ranking.empty()}, 5) == []
    assert ordered({"keyword": Ranking.empty(), "semantic": Ranking.empty()}, 5) == []


def test_each_arm_is_told_with_what_it_adds() -> None:
    arms = {"keyword": Ranking.of([1, 2], [4.0, 2.0]), "semantic": Ranking.of([2, 3], [0.9, 0.1])}
    hits = ordered(arms, 10, fusion=ReciprocalRankFusion(k=1))
    assert keys(hits) == [2, 1, 3]
    assert hits[0].score == 1 / 3 + 1 / 2
    said = [(arm.name, arm.rank, arm.contribution) for arm in hits[0].explanation.arms]
    assert said == [("keyword", 2, 1 / 3), ("semantic", 1, 1 / 2)]
    assert [arm.name for arm in hits[1].explanation.arms] == ["keyword"]


def test_ties_are_in_the_order_of_ids_also_at_the_cut() -> None:
    arm = {"keyword": Ranking.of([1, 2, 3, 4, 5], [2.0, 1.0, 1.0, 1.0, 0.5])}
    assert keys(ordered(arm, 5)) == [1, 4, 3, 2, 5]
    assert keys(ordered(arm, 3)) == [1, 4, 3]
    assert keys(ordered(arm, 2)) == [1, 4]
    priors = {"priors": Priors(priors=(Recency(weight=0.1),))}
    assert keys(ordered(arm, 2, rerankers=priors)) == [1, 4]


@given(
    scores=st.dictionaries(st.integers(1, 30), st.sampled_from([0.0, 0.5, 1.0, -1.0]), min_size=1),
    missing=st.frozensets(st.integers(1, 30)),
    k=st.integers(1, 12),
    reranked=st.booleans(),
)
def test_what_is_gone_meanwhile_is_made_up_for(
    scores: dict[int, float], missing: frozenset[int], k: int, *, reranked: bool
) -> None:
    rerankers = {"priors": Priors(priors=(Importance(weight=0.0),))} if reranked else {}
    arm = Ranking.of_pairs(scores.items())
    hits = ordered({"keyword": arm}, k, Shelf(missing), rerankers=rerankers)
    there = {key: score for key, score in scores.items() if key not in missing}
    assert len(hits) == min(k, len(there))
    if not reranked:  # else scores are counted from the lowest
        order = sorted(there, key=lambda key: (-there[key], 1000 - key))
        assert keys(hits) == order[:k]
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    assert all(hit.explanation.score == hit.score for hit in hits)


def test_no_more_is_looked_up_than_is_wanted() -> None:
    arm = {"keyword": Ranking.of(range(1, 201), np.arange(200, 0, -1))}
    shelf = Shelf()
    assert len(ordered(arm, 7, shelf)) == 7
    assert shelf.asked == [7]
    shelf = Shelf()
    priors = {"priors": Priors(priors=(Recency(weight=0.1),))}
    assert len(ordered(arm, 7, shelf, rerankers=priors, depth=20)) == 7
    assert shelf.asked == [20]
    assert len(ordered(arm, 70, Shelf(), rerankers=priors, depth=20)) == 70


def test_each_reranker_is_a_step() -> None:
    rerankers = {
        "new": Priors(priors=(Recency(weight=0.2),)),
        "weighty": Priors(priors=(Importance(weight=0.5),)),
    }
    arm = {"keyword": Ranking.of([4, 5], [1.0, 1.1])}
    hits = ordered(arm, 2, rerankers=rerankers)
    assert keys(hits) == [4, 5]  # of importance 1 and 0
    first, second = hits[0].explanation.steps
    assert (first.name, second.name) == ("new", "weighty")
    assert first.score == 1.0 * 1.2
    assert second.score == first.score * 1.5 == hits[0].score
    assert [part.name for part in second.parts] == ["relevance", "importance"]


def test_what_lies_around_is_one_more_arm() -> None:
    from engram_lab.retrieval.spreading import Spreading

    shelf = Shelf(more={"links": Ranking.of([9], [0.5])})
    around = Surroundings(spreading=Spreading())
    arm = {"keyword": Ranking.of([1, 2], [2.0, 1.0])}
    weights = {"keyword": 0.5, "links": 0.5}
    hits = ordered(arm, 5, shelf, surroundings=around, fusion=WeightedFusion(weights=weights))
    assert set(keys(hits)) == {1, 2, 9}
    (said,) = next(hit for hit in hits if keys([hit]) == [9]).explanation.arms
    assert (said.name, said.rank, said.score) == ("links", 1, 0.5)


@pytest.mark.parametrize("k", [1, 3])
def test_a_reranker_sees_what_it_may_lift(k: int) -> None:
    arm = {"keyword": Ranking.of([1, 2, 4], [1.0, 0.9, 0.8])}
    rerankers = {"weighty": Priors(priors=(Importance(weight=0.9),))}
    assert keys(ordered(arm, k, rerankers=rerankers))[0] == 4
    assert keys(ordered(arm, k, rerankers=rerankers, depth=1))[0] == (1 if k == 1 else 4)


def test_a_single_arm_is_fused_where_that_is_told() -> None:
    arms = {"words": Ranking.of([1, 2], [4.0, 2.0])}
    fusion = LinearModel(record=LearnedRecord(weights={"words": -3.0}))
    found = {}
    for fuses_one in (False, True):
        ordering = Ordering(fusion=fusion, rerankers={}, depth=10, fuses_one=fuses_one)
        hits = ordering.order("q", arms, 2, lookup=Shelf(), now=NOON)
        found[fuses_one] = [(hit.memory.content, hit.score) for hit in hits]
        for hit in hits:
            (arm,) = hit.explanation.arms
            assert arm.contribution == hit.score
            assert arm.score == {"memory 1": 4.0, "memory 2": 2.0}[hit.memory.content]
    assert found == {
        False: [("memory 1", 4.0), ("memory 2", 2.0)],
        True: [("memory 2", 3.0), ("memory 1", -3.0)],
    }
    nothing = Ordering(fusion=fusion, rerankers={}, depth=10, fuses_one=True)
    assert nothing.order("q", {}, 2, lookup=Shelf(), now=NOON) == []


def test_what_superseded_a_hit_stands_before_it_with_its_reason() -> None:
    arms = {"keyword": Ranking.of([1, 2], [2.0, 1.0])}
    hits = ordered(arms, 3, Shelf(superseded=[(7, 1)]))
    assert keys(hits) == [7, 1, 2]
    assert hits[0].explanation.arms == ()
    assert all(hit.explanation.score == hit.score for hit in hits)


def test_also_among_several_arms_what_none_found_has_no_part_of_them() -> None:
    arms = {"keyword": Ranking.of([1, 2], [2.0, 1.0]), "semantic": Ranking.of([2], [1.0])}
    hits = ordered(arms, 3, Shelf(superseded=[(7, 2)]))
    assert keys(hits)[0] == 7
    assert hits[0].explanation.arms == ()
    assert all(hit.explanation.score == hit.score for hit in hits)
