"""Recall against brute force: whatever is asked for, the best that may be seen come back."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.config import RetrievalSettings
from engram_lab.engine.ordering import fusion_of
from engram_lab.retrieval.dense import DenseIndex
from engram_lab.retrieval.lexical.analyser import Analyser
from engram_lab.retrieval.lexical.digest import searched_text
from engram_lab.retrieval.lexical.index import LexicalIndex
from engram_lab.retrieval.ranking import Ranking
from engram_lab.testing import filters, memory_drafts

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from engram_lab import Engine, Hits, ManualClock

    Opened = Callable[..., Engine]

ENGLISH = Analyser()
WORDS = ("tea", "cups", "sun", "gnu", "milk", "true", "Ab")
CONTENTS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join)
K1, B = 1.2, 0.75


def distinct(draft: dict[str, Any]) -> Any:
    return draft.get("id") or id(draft)


SOME_DRAFTS = st.lists(
    st.tuples(memory_drafts(), CONTENTS).map(lambda pair: pair[0] | {"content": pair[1]}),
    min_size=1,
    max_size=14,
    unique_by=distinct,
)
AGENTS = st.sampled_from(
    [None, None, ("x", "global"), ("x", "global/org:a/agent:x"), ("y", "global/org:b/agent:x")]
)
CHOSEN = st.fixed_dictionaries(
    {},
    optional={
        "filter": filters(),
        "workspace": st.sampled_from(["default", "notes", "notes-2"]),
        "scope": st.sampled_from(["global", "global/org:a", "global/org:a/agent:x"]),
        "archived": st.booleans(),
        "valid_at": st.sampled_from(["2024-02-29T12:00:00", "1969-01-01"]),
    },
)


class Oracle:
    """What may be seen, and what it scores, by plain arithmetic over all there is.

    To the last bit, as a normaliser spreads two scores that differ by one bit over its whole range.
    """

    def __init__(self, owner: Engine, asker: Engine, chosen: dict[str, Any]) -> None:
        self.store = owner.store
        qualifying = asker.select(limit=1000, **chosen).memories
        keys = owner.store.corpus.find([memory.id for memory in qualifying])
        self.ids = dict(zip(keys.tolist(), (memory.id for memory in qualifying), strict=True))
        self.embedder = owner.embedder

    def by_words(self, query: str) -> Ranking:
        (texts,) = self.store.corpus.all_texts()
        bags = [
            ENGLISH.terms(searched_text(content, tags))
            for content, tags in zip(texts.contents, texts.tags, strict=True)
        ]
        mean = sum(map(len, bags)) / max(len(bags), 1)
        df = {term: sum(term in bag for bag in bags) for term in ENGLISH.query_terms(query)}
        scores: dict[int, float] = {}
        for holding, term in sorted((holding, term) for term, holding in df.items()):
            idf = math.log1p((len(bags) - holding + 0.5) / (holding + 0.5))
            for key, bag in zip(texts.keys.tolist(), bags, strict=True):
                if key in self.ids and (tf := bag.count(term)):
                    share = tf / (tf + K1 * ((1 - B) + B * (len(bag) / mean)))
                    scores[key] = scores.get(key, 0.0) + idf * share
        return Ranking.of_pairs(scores.items())

    def by_meaning(self, query: str) -> Ranking:
        question = self.embedder.embed([query], kind="query")[0]
        (held,) = self.store.corpus.all_vectors(self.embedder.fingerprint)
        cosines = np.vecdot(held.values, question).tolist() if len(held.keys) else []
        pairs = zip(held.keys.tolist(), cosines, strict=True)
        found = {key: cosine for key, cosine in pairs if key in self.ids}
        return Ranking.of_pairs(found.items())

    def answer(self, query: str, strategy: str) -> Ranking:
        if strategy == "keyword":
            return self.by_words(query)
        if strategy == "semantic":
            return self.by_meaning(query)
        arms = {"keyword": self.by_words(query), "semantic": self.by_meaning(query)}
        return fusion_of(RetrievalSettings()).fuse(arms).ranking


def agree(hits: Hits, oracle: Ranking, ids: dict[int, str], k: int) -> None:
    """Check that hits are the best k of a ranking, whatever the last bits of sums say."""
    assert len(hits) == min(k, len(oracle))
    assert [hit.score for hit in hits] == pytest.approx(
        oracle.scores[: len(hits)].tolist(), rel=1e-6, abs=1e-6
    )
    known = {
        ids[key]: score for key, score in zip(oracle.keys.tolist(), oracle.scores, strict=True)
    }
    assert {hit.id: hit.score for hit in hits} == {
        hit.id: pytest.approx(known[hit.id], rel=1e-6, abs=1e-6) for hit in hits
    }
    order = [(-hit.score, hit.id) for hit in hits]
    assert order == sorted(order)
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    assert all(hit.explanation.score == hit.score for hit in hits)


@pytest.mark.parametrize("strategy", ["auto", "keyword", "semantic", "hybrid"])
@given(
    drafts=SOME_DRAFTS,
    chosen=CHOSEN,
    agent=AGENTS,
    query=st.lists(st.sampled_from((*WORDS, "heron")), min_size=1, max_size=3).map(" ".join),
    k=st.integers(1, 8),
    hours=st.sampled_from([0, 25]),
    gone=st.integers(0, 3),
)
def test_k_come_back_whenever_k_exist_and_they_are_the_best(
    drafts: list[dict[str, Any]],
    chosen: dict[str, Any],
    agent: tuple[str, str] | None,
    query: str,
    k: int,
    hours: int,
    gone: int,
    strategy: Any,
    opened: Opened,
    words: Any,
    make_clock: Callable[[], ManualClock],
) -> None:
    clock = make_clock()
    with opened(clock=clock, embedder=words()) as engine:
        ids = engine.remember_many(drafts).ids
        engine.recall("tea")  # so that what follows is taken in as changes
        for id_ in ids[:gone]:
            engine.forget(id_)
        clock.advance(hours=hours)
        asker = engine if agent is None else engine.as_agent(*agent)

        hits = asker.recall(query, k, strategy=strategy, **chosen)

        oracle = Oracle(engine, asker, chosen)
        agree(hits, oracle.answer(query, hits.strategy), oracle.ids, k)
        if strategy == "auto":
            found, near = len(oracle.by_words(query)), len(oracle.by_meaning(query))
            assert hits.strategy == ("keyword" if not near else "hybrid" if found else "semantic")
        else:
            assert hits.strategy == strategy


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, int | None]]:
    """Record what each index is asked for: which, how many, among how many."""
    asked: list[tuple[str, int, int | None]] = []

    def watch(name: str, kind: Any) -> None:
        inner = kind.search

        def search(
            self: Any, query: Any, k: int, *, allowed: NDArray[np.int64] | None = None
        ) -> Ranking:
            asked.append((name, k, None if allowed is None else len(allowed)))
            found: Ranking = inner(self, query, k, allowed=allowed)
            return found

        monkeypatch.setattr(kind, "search", search)

    watch("keyword", LexicalIndex)
    watch("semantic", DenseIndex)
    return asked


@pytest.mark.parametrize(
    ("tag", "paths"),
    [
        ("all", {"first"}),
        ("half", {"first", "wider"}),
        ("few", {"first", "allowed"}),
    ],
)
@pytest.mark.parametrize("strategy", ["keyword", "semantic", "hybrid"])
@pytest.mark.parametrize("index", ["exact", "hnsw"])
def test_of_hundreds_the_few_that_pass_come_back_by_the_shortest_way(
    recorded: list[tuple[str, int, int | None]],
    opened: Opened,
    words: Any,
    tag: str,
    paths: set[str],
    strategy: Any,
    index: str,
) -> None:
    if index != "exact":
        pytest.importorskip("faiss")
    chance = np.random.default_rng(7)
    with opened(
        embedder=words(), retrieval={"depth": 10}, index={"kind": index, "hnsw_search": 1000}
    ) as engine:
        engine.remember_many(
            {
                "content": " ".join(["tea", *chance.choice(WORDS, size=chance.integers(1, 9))]),
                "tags": ["all", *(["half"] * (number % 2)), *(["few"] * (number % 50 == 0))],
            }
            for number in range(600)
        )
        engine.recall("tea", strategy="semantic")
        recorded.clear()
        chosen: dict[str, Any] = {"filter": {"tags": {"contains": tag}}}
        hits = engine.recall("tea milk", 10, strategy=strategy, **chosen)

        oracle = Oracle(engine, engine, chosen)
        arms = ("keyword", "semantic") if strategy == "hybrid" else (strategy,)
        for arm in arms:
            taken = {
                "allowed" if among is not None else "first" if k == 10 else "wider"
                for name, k, among in recorded
                if name == arm
            }
            assert taken == paths
        assert len(hits) == 10
        assert {hit.id for hit in hits} <= set(oracle.ids.values())
        if strategy != "hybrid" and index in {"exact", "flat"}:
            agree(hits, oracle.answer("tea milk", strategy), oracle.ids, 10)


@pytest.mark.parametrize("strategy", ["keyword", "semantic", "hybrid"])
@pytest.mark.parametrize("share", [1, 3, 20, 150])
def test_expiry_scope_and_agent_hold_within_both_arms(
    opened: Opened, words: Any, clock: ManualClock, strategy: Any, share: int
) -> None:
    with opened(clock=clock, embedder=words(), retrieval={"depth": 10}) as engine:
        engine.remember_many(
            {
                "content": f"tea {WORDS[number % 5]} {WORDS[number % 3]}",
                "scope": "global/org:a" if number % share == 0 else "global/org:b",
                "expires_at": clock.now() + timedelta(hours=1 + number % 2),
            }
            for number in range(600)
        )
        engine.recall("tea")
        clock.advance(minutes=90)  # half of them are gone
        asker = engine.as_agent("ada", "global/org:a")
        narrower: tuple[dict[str, Any], ...] = ({}, {"scope": "global/org:a"})
        for chosen in narrower:
            whole = len(asker.select(limit=1000, **chosen).memories)
            hits = asker.recall("tea milk", 12, strategy=strategy, **chosen)
            assert len(hits) == min(12, whole)
            oracle = Oracle(engine, asker, chosen)
            assert {hit.id for hit in hits} <= set(oracle.ids.values())
            if strategy != "hybrid":
                agree(hits, oracle.answer("tea milk", strategy), oracle.ids, 12)
