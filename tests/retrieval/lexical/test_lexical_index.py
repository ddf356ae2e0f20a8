from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import InvalidInputError
from engram_lab.retrieval.lexical import Analyser, LexicalIndex, holdings, maxscore, tail
from engram_lab.retrieval.ranking import Ranking

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.retrieval.lexical.conftest import FakeCorpus

    Oracle = Callable[..., list[tuple[int, float]]]

SIMPLE = Analyser(name="simple")
WORDS = ["a", "b", "c", "d", "e"]
TEXTS = st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join)
TAGS = st.lists(st.sampled_from(["a", "b c", "x"]), max_size=2)
KEYS = st.integers(1, 25)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.lists(st.tuples(KEYS, TEXTS, TAGS), min_size=1, max_size=8)),
        st.tuples(st.sampled_from(["forget", "purge", "touch", "save", "reopen"]), KEYS),
    ),
    max_size=12,
)


def pairs(ranking: Ranking) -> list[tuple[int, float]]:
    return list(zip(ranking.keys.tolist(), ranking.scores.tolist(), strict=True))


def act(corpus: FakeCorpus, verb: str, what: Any) -> None:
    if verb == "put":
        for key, text, tags in what:
            corpus.put(key, text, tags)
    elif verb == "touch" and what in corpus.known:
        corpus.touch(what)
    elif verb == "forget" and what in corpus.live:
        corpus.forget(what)
    elif verb == "purge" and what in corpus.known:
        corpus.purge(what)


@given(
    first=st.dictionaries(KEYS, TEXTS, max_size=25),
    steps=STEPS,
    full=st.sampled_from([1, 3, 100]),
    skipping=st.booleans(),
)
def test_after_every_step_it_ranks_as_brute_force_does_to_the_bit(
    first: dict[int, str],
    steps: list[tuple[str, Any]],
    full: int,
    new_corpus: Callable[[], FakeCorpus],
    oracle: Oracle,
    tmp_path_factory: pytest.TempPathFactory,
    *,
    skipping: bool,
) -> None:
    folder = tmp_path_factory.mktemp("index")
    corpus = new_corpus()
    for key, text in first.items():
        corpus.put(key, text)
    index = LexicalIndex(corpus.as_corpus(), analyser=SIMPLE, k1=0.9, b=0.4, folder=folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tail, "_MAX_TEXTS", full)
        patch.setattr(holdings, "_MAX_AT_ONCE", full)
        if skipping:
            patch.setattr(maxscore, "_WORTH_SKIPPING_NS", -1.0)
            patch.setattr(maxscore, "_SWEEP_NS", 0.0)
            patch.setattr(maxscore, "_LOOKUP_NS", 0.0)
        for verb, what in [("put", []), *steps]:
            act(corpus, verb, what)
            if verb == "save":
                index.save(always=True)
            elif verb == "reopen":
                index.close()
            index.catch_up()
            assert index.number == corpus.last()
            assert index.size == len(corpus.live)
            for terms in (["a"], ["b", "e", "b"], WORDS, ["x", "nowhere"], []):
                expected = oracle(corpus, terms, analyser=SIMPLE, k1=0.9, b=0.4)
                for k in (1, 3, 100):
                    assert pairs(index.search(terms, k)) == expected[:k]
                allowed = np.arange(3, 26, 4)
                within = [pair for pair in expected if pair[0] in allowed]
                assert pairs(index.search(terms, 4, allowed=allowed)) == within[:4]


@pytest.fixture
def small(corpus: FakeCorpus) -> FakeCorpus:
    corpus.put(1, "the cat sat on the mat")
    corpus.put(2, "dogs chase cats", ["pets"])
    corpus.put(3, "nothing of the kind")
    return corpus


def test_words_and_tags_are_found(small: FakeCorpus) -> None:
    index = LexicalIndex(small.as_corpus())
    index.catch_up()

    assert index.search(index.analyser.query_terms("cat?"), 10).keys.tolist() == [1, 2]
    assert index.search(index.analyser.query_terms("pet"), 10).keys.tolist() == [2]
    assert index.search(index.analyser.query_terms('C++ "AND" (x'), 10) == Ranking.empty()
    assert index.df("cat") == 2
    assert index.df("pet") == 1
    assert index.df("nowhere") == 0


def test_the_vocabulary_is_that_of_the_present(small: FakeCorpus) -> None:
    index = LexicalIndex(small.as_corpus(), analyser=SIMPLE)
    index.catch_up()
    small.put(3, "the cat")
    small.purge(2)
    index.catch_up()

    assert index.vocabulary() == {"the": 2, "cat": 2, "sat": 1, "on": 1, "mat": 1}


def test_equal_scores_stand_by_rising_key(corpus: FakeCorpus) -> None:
    for key in [9, 3, 7, *range(1000, 400, -1)]:
        corpus.put(key, "tea")
    index = LexicalIndex(corpus.as_corpus())
    index.catch_up()

    assert index.search(["tea"], 5).keys.tolist() == [3, 7, 9, 401, 402]
    assert index.search(["tea"], 2, allowed=np.array([5, 7, 500, 900])).keys.tolist() == [7, 500]


def test_the_answer_may_not_be_written_to(small: FakeCorpus) -> None:
    index = LexicalIndex(small.as_corpus())
    index.catch_up()
    found = index.search(["cat"], 1)

    assert not found.keys.flags.writeable
    assert not found.scores.flags.writeable


def test_catching_up_says_what_it_took_in(small: FakeCorpus) -> None:
    index = LexicalIndex(small.as_corpus())
    assert (index.number, index.size) == (0, 0)
    assert index.catch_up() == 3
    assert index.catch_up() == 0
    small.touch(1)
    assert index.catch_up() == 0  # its text is what it was
    small.put(1, "a dog")
    small.put(4, "a bird")
    small.forget(2)
    small.purge(3)
    assert index.catch_up() == 4
    assert index.size == 2


def test_an_empty_store_finds_nothing(corpus: FakeCorpus) -> None:
    index = LexicalIndex(corpus.as_corpus())

    assert index.search(["cat"], 3) == Ranking.empty()
    assert index.catch_up() == 0
    assert index.search(["cat"], 3) == Ranking.empty()
    corpus.put(1, "!?")
    corpus.put(2, "")
    index.catch_up()
    assert index.search(["cat"], 3) == Ranking.empty()
    assert index.size == 2


def test_a_store_with_another_past_is_indexed_anew(
    small: FakeCorpus, new_corpus: Callable[[], FakeCorpus]
) -> None:
    index = LexicalIndex(small.as_corpus())
    index.catch_up()
    small.log.pop()  # as after a backup was restored
    del small.live[3]
    index.catch_up()
    assert index.size == 2

    small.name = "another store"
    small.put(9, "cat")
    index.catch_up()
    assert index.search(["cat"], 9).keys.tolist() == [9, 1, 2]


def test_many_changes_are_followed_in_parts(
    corpus: FakeCorpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = LexicalIndex(corpus.as_corpus(), analyser=SIMPLE)
    index.catch_up()
    for key in range(1, 100):
        corpus.put(key % 40 + 1, f"w{key} all")
    changes = corpus.text_changes
    monkeypatch.setattr(corpus, "text_changes", lambda after: changes(after, limit=7))

    index.catch_up()

    assert index.size == 40
    assert index.df("all") == 40
    assert index.number == 99


@pytest.mark.parametrize("k", [0, -1])
def test_nothing_wanted_is_refused(small: FakeCorpus, k: int) -> None:
    with pytest.raises(InvalidInputError, match="give a whole number from 1"):
        LexicalIndex(small.as_corpus()).search(["cat"], k)


def test_bad_parameters_are_refused(small: FakeCorpus) -> None:
    with pytest.raises(InvalidInputError, match="b is 2"):
        LexicalIndex(small.as_corpus(), b=2)


def test_closed_twice_it_may_be_used_again(small: FakeCorpus) -> None:
    index = LexicalIndex(small.as_corpus())
    index.catch_up()
    index.close()
    index.close()
    assert (index.number, index.size) == (0, 0)

    index.catch_up()

    assert len(index.search(["cat"], 9)) == 2


def test_scores_agree_with_bm25s_on_many_texts(corpus: FakeCorpus, oracle: Oracle) -> None:
    bm25s: Any = pytest.importorskip("bm25s")
    chance = np.random.default_rng(5)
    words = np.array([f"w{rank}" for rank in range(3000)])
    odds = 1 / np.arange(1, 3001)
    texts = [
        " ".join(chance.choice(words, int(chance.integers(1, 25)), p=odds / odds.sum()))
        for _ in range(2000)
    ]
    for key, text in enumerate(texts, 1):
        corpus.put(key, text)
    index = LexicalIndex(corpus.as_corpus(), analyser=SIMPLE)
    index.catch_up()
    other = bm25s.BM25(method="lucene", k1=1.2, b=0.75, dtype="float64")
    other.index([text.split() for text in texts], show_progress=False)

    for _ in range(30):
        terms = [str(word) for word in chance.choice(words[:300], 4, replace=False)]
        found = index.search(terms, 2000)
        scores = other.get_scores(terms)
        assert scores[found.keys - 1] == pytest.approx(found.scores, rel=1e-12)
        assert np.count_nonzero(scores) == len(found)
    assert pairs(found) == oracle(corpus, terms, analyser=SIMPLE)


def test_threads_share_one_index(corpus: FakeCorpus) -> None:
    for key in range(1, 500):
        corpus.put(key, f"even odd {key}")
    index = LexicalIndex(corpus.as_corpus())
    index.catch_up()
    faults: list[str] = []
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            index.catch_up()
            found = index.search(["even", "odd"], 10_000)
            if len(found) < 499 or len(set(found.keys.tolist())) != len(found):
                faults.append(f"{len(found)} were found")

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    for key in range(500, 1500):
        corpus.put(key, f"even {key}")
    done.set()
    for thread in threads:
        thread.join()

    index.catch_up()
    assert faults == []
    assert len(index.search(["even"], 10_000)) == 1499


def layouts(corpus: FakeCorpus, texts: Sequence[str]) -> list[LexicalIndex]:
    """Return an index that followed every write, and one that was made at once."""
    follower = LexicalIndex(corpus.as_corpus())
    follower.catch_up()
    for key, text in enumerate(texts, 1):
        corpus.put(key, "something else")
        follower.catch_up()
        corpus.put(key, text)
        follower.catch_up()
    fresh = LexicalIndex(corpus.as_corpus())
    fresh.catch_up()
    return [follower, fresh]


def test_how_it_came_about_makes_no_difference_to_the_bit(
    corpus: FakeCorpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holdings, "_MAX_MERGED", 3000)
    chance = np.random.default_rng(3)
    texts = [
        " ".join(f"t{int(rank)}" for rank in chance.zipf(1.3, int(chance.integers(1, 30))))
        for _ in range(700)
    ]
    follower, fresh = layouts(corpus, texts)

    assert len(follower._holdings._segments) > 1
    for _ in range(50):
        terms = [f"t{int(rank)}" for rank in chance.zipf(1.3, 4)]
        assert follower.search(terms, 50) == fresh.search(terms, 50)
