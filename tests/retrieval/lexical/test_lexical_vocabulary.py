from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.retrieval.lexical import vocabulary
from engram_lab.retrieval.lexical.vocabulary import Vocabulary

TERMS = st.lists(st.text(max_size=3), max_size=12)


@given(
    steps=st.lists(st.tuples(TERMS, st.booleans()), max_size=5), bits=st.sampled_from([64, 1, 0])
)
def test_terms_are_numbered_in_the_order_they_come(
    steps: list[tuple[list[str], bool]], bits: int
) -> None:
    true = vocabulary._hash
    with pytest.MonkeyPatch.context() as patch:  # hashes of few bits collide
        patch.setattr(vocabulary, "_hash", lambda data: true(data) & ((1 << bits) - 1))
        known: dict[str, int] = {}
        terms = Vocabulary()
        for words, through_a_file in steps:
            numbers = terms.add(words)
            assert numbers == [known.setdefault(word, len(known)) for word in words]
            if through_a_file:
                terms = Vocabulary(terms.arrays(np.arange(len(known), dtype=np.int32)))
            assert len(terms) == len(known)
            assert terms.terms() == list(known)
            assert {word: terms.find(word) for word in known} == known
            assert terms.find("a word longer than any") == -1


def test_a_file_keeps_the_terms_that_are_asked_for() -> None:
    terms = Vocabulary()
    terms.add(["a", "b", "c", "d"])

    kept = Vocabulary(terms.arrays(np.array([1, 3], np.int32)))

    assert kept.terms() == ["b", "d"]
    assert [kept.find(term) for term in "abcd"] == [-1, 0, -1, 1]
    assert b"c" not in kept._bytes.tobytes()
    assert kept.add(["c", "d"]) == [2, 1]


def test_what_it_remembers_beside_the_file_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocabulary, "_MAX_SEEN", 4)
    words = [str(i) for i in range(50)]
    terms = Vocabulary()
    terms.add(words[:25])
    terms = Vocabulary(terms.arrays(np.arange(25, dtype=np.int32)))

    assert terms.add(words) == list(range(50))
    assert terms.add(words) == list(range(50))
    assert len(terms._seen) <= 4
