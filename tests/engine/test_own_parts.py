"""Parts of a user's own: passed as objects, refused by name before anything is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from engram_lab import Engine, EngineConfig
from engram_lab.core.errors import InvalidInputError
from engram_lab.retrieval.dense import VECTOR_INDEXES
from engram_lab.retrieval.fusion import WeightedFusion
from engram_lab.retrieval.rerank import RERANKERS
from engram_lab.retrieval.rerank.building import made_of, scores_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engram_lab.retrieval.dense import VectorIndex, VectorIndexOptions
    from engram_lab.retrieval.rerank import Candidate, Reranked, RerankQuery


class ShortestFirst:
    """A reranker that likes short texts."""

    def rerank(self, query: RerankQuery, candidates: Sequence[Candidate]) -> Reranked:
        scores = scores_of(candidates)
        scores[:] = [1 / len(each.memory.content) for each in candidates]
        return made_of(candidates, {"shortness": scores}, how="sum")


def filled(**own: Any) -> Engine:
    engine = Engine.open(":memory:", **own)
    engine.remember_many([{"content": "tea for two and two for tea"}, {"content": "tea, again"}])
    return engine


def test_a_reranker_of_ones_own_has_the_last_word() -> None:
    with filled() as engine:
        assert engine.recall("tea for two")[0].memory.content == "tea for two and two for tea"
    with filled(rerankers={"shortest": ShortestFirst()}) as engine:
        best = engine.recall("tea for two")[0]
    assert best.memory.content == "tea, again"
    assert [step.name for step in best.explanation.steps] == ["shortest"]
    assert best.score == best.explanation.score == 0.1


def test_a_reranker_of_ones_own_is_set_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RERANKERS, "_known", dict(RERANKERS._known))
    RERANKERS.add("shortest", ShortestFirst)
    config = EngineConfig.from_dict({"retrieval": {"rerank": "shortest", "mmr_lambda": 1.0}})

    with filled(config=config) as engine:
        best = engine.recall("tea for two")[0]

    assert best.memory.content == "tea, again"
    assert [step.name for step in best.explanation.steps] == ["shortest", "mmr"]


def test_a_fusion_of_ones_own_takes_the_place_of_what_is_set() -> None:
    only_words = WeightedFusion(weights={"keyword": 2.0, "semantic": 0.0})
    with filled(fusion=only_words) as engine:
        hits = engine.recall("tea for two", strategy="hybrid")
    shares = {arm.name: arm.contribution for arm in hits[0].explanation.arms}
    assert shares["keyword"] > 0
    assert shares["semantic"] == 0


@pytest.mark.parametrize(
    ("setting", "value", "known"),
    [
        ("fusion", "rff", "did you mean 'rrf'"),
        ("normaliser", "minmax", "did you mean 'min-max'"),
        ("analyser", "french", "english, simple"),
        ("rerank", "late-interactoin", "did you mean 'late-interaction'"),
        ("rerank", "mmr", "set retrieval.mmr_lambda instead"),
        ("rerank", "priors", "set retrieval.recency_weight or importance_weight instead"),
    ],
)
def test_a_misspelt_name_is_refused_when_the_engine_opens(
    setting: str, value: str, known: str
) -> None:
    config = EngineConfig.from_dict({"retrieval": {setting: value}})
    with pytest.raises(InvalidInputError, match=known):
        Engine.open(":memory:", config=config)


def test_a_misspelt_kind_of_index_is_refused_when_the_engine_opens() -> None:
    config = EngineConfig.from_dict({"index": {"kind": "hsnw"}})
    with pytest.raises(InvalidInputError, match="allowed are auto, exact, flat, hnsw, ivf"):
        Engine.open(":memory:", config=config)


def test_an_index_of_ones_own_is_set_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def own(options: VectorIndexOptions) -> VectorIndex:
        made.append(options.dim)
        return VECTOR_INDEXES.get("flat")(options)

    monkeypatch.setitem(VECTOR_INDEXES._known, "own", own)
    config = EngineConfig.from_dict({"index": {"kind": "own"}})
    with filled(config=config) as engine:
        engine.remember_many([{"content": f"tea number {n}"} for n in range(300)])  # else exact
        assert len(engine.recall("tea", strategy="semantic")) == 10
        assert set(made) == {engine.embedder.dim}
