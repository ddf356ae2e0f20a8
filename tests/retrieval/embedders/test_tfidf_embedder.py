from __future__ import annotations

from math import log, sqrt

import numpy as np
import pytest

from engram_lab.core.errors import InvalidInputError
from engram_lab.retrieval.embedders.tfidf import TfidfEmbedder
from engram_lab.testing import check_embedder
from engram_lab.testing.embedders import EMBEDDER_TEXTS

TEXTS = ["the blue door", "the door, the harbour", "the violin"]


def test_it_is_an_embedder() -> None:
    check_embedder(TfidfEmbedder.fit(EMBEDDER_TEXTS))


def test_a_vector_is_what_is_computed_by_hand() -> None:
    """Words: blue, door, harbour, the, violin; n = 3, df = 1, 2, 1, 3, 1."""
    rare, two, every = log(4 / 2) + 1, log(4 / 3) + 1, 1.0
    second = [0, two, rare, (1 + log(2)) * every, 0]
    length = sqrt(two**2 + rare**2 + ((1 + log(2)) * every) ** 2)

    row = TfidfEmbedder.fit(TEXTS).embed(["The door. THE harbour!"], kind="document")[0]

    assert row.tolist() == pytest.approx([each / length for each in second])


def test_unknown_words_count_nothing() -> None:
    embedder = TfidfEmbedder.fit(TEXTS)
    known, more, none = embedder.embed(["door", "door piano", "piano"], kind="query")
    assert known.tolist() == more.tolist()
    assert not none.any()


def test_the_most_frequent_words_are_kept_ties_by_the_alphabet() -> None:
    embedder = TfidfEmbedder.fit(TEXTS, most_terms=3)
    assert embedder.dim == 3
    found = embedder.embed(["the", "door", "blue", "harbour", "violin"], kind="query")
    assert np.argmax(found, axis=1)[:3].tolist() == [2, 1, 0]
    assert not found[3:].any()


def test_the_fingerprint_follows_what_was_fitted_and_not_its_order() -> None:
    mark = TfidfEmbedder.fit(TEXTS).fingerprint
    assert TfidfEmbedder.fit(TEXTS[::-1]).fingerprint == mark
    assert TfidfEmbedder.fit([*TEXTS, "the end"]).fingerprint != mark


@pytest.mark.parametrize("texts", [[], [""], [" "]])
def test_texts_without_a_word_are_refused(texts: list[str]) -> None:
    with pytest.raises(InvalidInputError, match="fit on texts with at least one word"):
        TfidfEmbedder.fit(texts)
