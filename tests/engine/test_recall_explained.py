"""Each hit says why it is there: the parts that it names come to its score, to the bit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import EmbedderError, InvalidInputError
from engram_lab.retrieval.fusion import FUSIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from engram_lab import Engine, Hits, ManualClock

    Opened = Callable[..., Engine]

WORDS = ("tea", "cup", "sun", "gnu", "milk", "kettle")
SHARES = st.sampled_from([0.0, 0.25, 1.0])
SETTINGS = st.fixed_dictionaries(
    {
        "fusion": st.sampled_from(["weighted", "weighted", "rrf", "adaptive"]),
        "normaliser": st.sampled_from(["min-max", "zmuv", "dbsf", "tmm"]),
        "dense_share": st.sampled_from([0.0, 0.3, 1.0]),
        "rrf_k": st.sampled_from([0, 60]),
        "spread_share": SHARES,
        "spread_steps": st.integers(1, 3),
        "context_share": SHARES,
        "recency_weight": st.sampled_from([0.0, 0.1, 0.9]),
        "importance_weight": st.sampled_from([0.0, 0.3]),
        "mmr_lambda": st.sampled_from([None, 0.0, 0.7, 1.0]),
        "rerank": st.sampled_from(["none", "late-interaction"]),
        "rerank_share": st.sampled_from([0.0, 0.4, 1.0]),
        "rerank_depth": st.sampled_from([1, 3, 50]),
        "depth": st.sampled_from([2, 100]),
        "lexical": st.sampled_from(["bm25", "fts5"]),
    }
).filter(lambda given: given["dense_share"] or given["spread_share"] or given["context_share"])


def is_explained(hits: Hits) -> None:
    """Check that order, ranks and explanations of hits are of one piece."""
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    order = [(-hit.score, hit.id) for hit in hits]
    assert order == sorted(order)
    for hit in hits:
        assert hit.explanation.score == hit.score
        assert hit.explanation.arms
        before = sum((arm.contribution for arm in hit.explanation.arms), 0.0)
        if not hit.explanation.steps:
            assert before == hit.score
        for arm in hit.explanation.arms:
            assert (arm.rank is None) == (arm.score is None)
            assert arm.rank is None or arm.rank >= 1


def lived_in(engine: Engine, clock: ManualClock, chance: Any) -> None:
    """Remember some things, some of them linked, some said in a conversation."""
    ids = []
    for number in range(chance.randint(2, 10)):
        text = " ".join(chance.choices(WORDS, k=chance.randint(1, 5)))
        ids.append(engine.remember(text, importance=chance.choice([0.0, 0.5, 1.0])).id)
        clock.advance(days=number)
    for _ in range(chance.randint(0, 6)):
        one, other = chance.sample(ids, 2)
        engine.link(one, other, weight=chance.choice([0.1, 1.0]))
    session = engine.store.sessions.start()
    engine.store.sessions.add_turns(
        session.id,
        [
            {"speaker": speaker, "content": " ".join(chance.choices(WORDS, k=3))}
            for speaker in ("Ada", "Bob", "Ada")
        ],
    )
    engine.embed()


@given(settings=SETTINGS, chance=st.randoms(use_true_random=False), k=st.integers(1, 6))
def test_whatever_is_set_the_explanation_comes_to_the_score(
    settings: dict[str, Any],
    chance: Any,
    k: int,
    opened: Opened,
    token_words: Any,
    make_clock: Callable[[], ManualClock],
) -> None:
    clock = make_clock()
    with opened(clock=clock, embedder=token_words(), retrieval=settings) as engine:
        lived_in(engine, clock, chance)
        for strategy in ("auto", "keyword", "semantic", "hybrid"):
            hits = engine.recall("what did Ada say of tea and sun", k, strategy=strategy)
            is_explained(hits)
            rerankers = [
                *(["late-interaction"] if settings["rerank"] != "none" else []),
                *(
                    ["priors"]
                    if settings["recency_weight"] or settings["importance_weight"]
                    else []
                ),
                *(["mmr"] if settings["mmr_lambda"] is not None else []),
            ]
            for hit in hits:
                assert [step.name for step in hit.explanation.steps] == rerankers


def test_links_and_context_are_arms_of_their_own(opened: Opened, words: Any) -> None:
    shares = {"fusion": "weighted", "spread_share": 0.5, "context_share": 0.5}
    with opened(embedder=words(), retrieval=shares) as engine:
        tea = engine.remember("tea")
        far = engine.remember("something else entirely")
        engine.link(tea.id, far.id)
        hits = engine.recall("tea", strategy="keyword")
        assert {hit.id for hit in hits} == {tea.id, far.id}
        arms = {hit.id: {arm.name for arm in hit.explanation.arms} for hit in hits}
        assert arms[far.id] == {"links"}
        assert {"keyword", "context"} <= arms[tea.id]
        is_explained(hits)


def test_what_a_link_leads_to_is_within_the_selection(opened: Opened, words: Any) -> None:
    with opened(embedder=words(), retrieval={"spread_share": 0.5}) as engine:
        tea = engine.remember("tea", scope="global/org:a")
        hidden = engine.remember("hidden", scope="global/org:b")
        archived = engine.remember("old", scope="global/org:a", lifecycle="archived")
        gone = engine.remember("gone", scope="global/org:a")
        for other in (hidden, archived, gone):
            engine.link(tea.id, other.id)
        engine.forget(gone.id)
        asked: dict[str, Any] = {"query": "tea", "strategy": "keyword"}
        assert [hit.id for hit in engine.recall(**asked, scope="global/org:a")] == [tea.id]
        agent = engine.as_agent("ada", "global/org:a")
        assert [hit.id for hit in agent.recall(**asked)] == [tea.id]
        found = engine.recall(**asked, archived=True)
        assert {hit.id for hit in found} == {tea.id, hidden.id, archived.id}


def test_recency_and_importance_change_the_order(
    opened: Opened, words: Any, clock: ManualClock
) -> None:
    with opened(clock=clock, embedder=words(), retrieval={"recency_weight": 0.5}) as engine:
        engine.remember("tea")
        clock.advance(days=300)
        newer = engine.remember("tea")
        assert engine.recall("tea")[0].id == newer.id
    with opened(embedder=words(), retrieval={"importance_weight": 0.5}) as engine:
        engine.remember("tea", importance=0.1)
        best = engine.remember("tea", importance=0.9)
        assert engine.recall("tea")[0].id == best.id


def test_diversity_puts_what_says_the_same_last(opened: Opened, words: Any) -> None:
    texts = ("tea cup", "tea cup", "tea sun", "milk")
    found = {}
    for share in (1.0, 0.3):
        with opened(embedder=words(dim=64), retrieval={"mmr_lambda": share}) as engine:
            engine.remember_many({"content": text} for text in texts)
            hits = engine.recall("tea cup", strategy="semantic")
            found[share] = [hit.memory.content for hit in hits]
    assert found[1.0] == list(texts)
    assert found[0.3][0] == found[0.3][-1] == "tea cup"


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"fusion": "nonsense"}, "there is no fusion 'nonsense'.*known are"),
        ({"normaliser": "nonsense"}, "there is no normaliser 'nonsense'.*known are"),
        ({"analyser": "klingon"}, "klingon"),
    ],
)
def test_what_cannot_be_set_is_refused(
    opened: Opened, settings: dict[str, Any], reason: str
) -> None:
    with pytest.raises(InvalidInputError, match=reason), opened(retrieval=settings) as engine:
        engine.recall("tea", strategy="hybrid")


def test_a_fusion_that_takes_more_than_can_be_set_is_refused(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make(*, more: int) -> object:
        return more

    monkeypatch.setattr(FUSIONS, "_known", {**FUSIONS._known, "mine": make})
    reason = "the fusion 'mine' takes more than a configuration says"
    with (
        pytest.raises(InvalidInputError, match=reason),
        opened(retrieval={"fusion": "mine"}) as engine,
    ):
        engine.recall("tea", strategy="hybrid")


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"rerank": "late-interaction"}, "gives no vectors of tokens: set embedding.model"),
        ({"rerank": "cross-encoder"}, "name one, or its folder, as retrieval.rerank_model"),
    ],
)
def test_a_reranker_that_cannot_be_had_is_an_error(
    opened: Opened, settings: dict[str, Any], reason: str, words: Any
) -> None:
    with opened(embedder=words(), retrieval=settings) as engine:
        engine.remember("tea")
        with pytest.raises(EmbedderError, match=reason):
            engine.recall("tea")
