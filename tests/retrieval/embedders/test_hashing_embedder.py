from __future__ import annotations

import subprocess
import sys
from collections import Counter
from hashlib import blake2b
from math import log, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import InvalidInputError
from engram_lab.retrieval.embedders.hashing import HashingEmbedder, from_options, words_of
from engram_lab.retrieval.embedders.registry import EmbedderOptions
from engram_lab.testing import check_embedder

EMBEDDER = HashingEmbedder()


def cosine(first: str, second: str, embedder: HashingEmbedder = EMBEDDER) -> float:
    one, other = embedder.embed([first, second], kind="document")
    return float(one @ other)


@pytest.mark.parametrize("dim", [64, 1024])
def test_it_is_an_embedder(dim: int) -> None:
    check_embedder(HashingEmbedder(dim))


def test_a_vector_is_what_the_formula_says() -> None:
    dim = 97
    wanted = np.zeros(dim)
    for word, count in Counter(["harbours", "of", "harbours"]).items():
        marked = f"<{word}>"
        parts = [
            marked[i : i + n] for n in (2, 3, 4) for i in range(len(marked)) if i + n <= len(marked)
        ]
        weighted = [(f" {word}", sqrt(0.4)), *((part, sqrt(0.6 / len(parts))) for part in parts)]
        common = 0.1 if word == "of" else 1
        for feature, weight in weighted:
            number = int.from_bytes(blake2b(feature.encode(), digest_size=8).digest(), "little")
            sign = 1 if number % 2 else -1
            wanted[(number // 2) % dim] += sign * weight * common * (1 + log(count))

    row = HashingEmbedder(dim).embed(["Harbours of HARBOURS"], kind="query")[0]

    assert row.tolist() == pytest.approx((wanted / np.linalg.norm(wanted)).tolist(), abs=1e-6)


def test_a_misspelt_text_is_nearer_than_an_unrelated_one() -> None:
    text = "Melanie painted the lighthouse"
    unrelated = cosine(text, "Quarterly invoices went missing")
    assert cosine(text, "Melnaie paintd the lighthuose") > abs(unrelated) + 0.25


def test_another_ending_is_near() -> None:
    assert cosine("gardening", "gardener") > abs(cosine("gardening", "piano")) + 0.25


def test_common_words_count_little() -> None:
    assert cosine("where is the violin", "violin") > 0.9
    assert cosine("where is the violin", "where is the printer") < 0.4


def test_order_does_not_count_and_case_neither() -> None:
    assert cosine("blue door", "DOOR Blue") == pytest.approx(1)


@pytest.mark.parametrize("text", ["", " ", "\n\t"])
def test_a_text_of_nothing_gives_zeros(text: str) -> None:
    assert not EMBEDDER.embed([text], kind="query").any()


@pytest.mark.parametrize("text", ["🎉", "?!", "灯台守", "Ωμέγα", "x" * 10_000, "a\u0301"])
def test_a_text_of_anything_gives_a_vector(text: str) -> None:
    assert np.linalg.norm(EMBEDDER.embed([text], kind="query")) == pytest.approx(1)


def test_words_are_folded_and_cut_where_they_never_end() -> None:
    assert words_of("Straße ﬁne_x 12,5") == ["strasse", "fine_x", "12", "5"]
    assert [len(word) for word in words_of("x" * 70)] == [32, 32, 6]
    assert words_of("?! 🎉") == ["?", "!", "🎉"]


def test_unlike_words_are_about_orthogonal() -> None:
    """The inner product of a signed hash is right on average: its error is of 1 / sqrt(dim)."""
    rng = np.random.default_rng(5)
    words = ["".join(map(chr, rng.integers(0x4E00, 0x9FFF, 8))) for _ in range(200)]

    rows = EMBEDDER.embed(words, kind="document")

    others = (rows @ rows.T)[~np.eye(len(words), dtype=bool)]
    assert abs(others.mean()) < 0.005
    assert others.std() == pytest.approx(1 / sqrt(1024), rel=0.1)


@given(st.lists(st.text(), max_size=5))
def test_any_texts_give_unit_rows_or_zeros(texts: list[str]) -> None:
    rows = EMBEDDER.embed(texts, kind="document").astype(np.float64)
    lengths = np.linalg.norm(rows, axis=1)
    assert rows.shape == (len(texts), 1024)
    assert all(length == pytest.approx(1, abs=1e-6) or length == 0 for length in lengths)


def test_another_process_gives_the_same_bits() -> None:
    program = (
        "from engram_lab.retrieval.embedders.hashing import HashingEmbedder\n"
        "print(HashingEmbedder().embed(['a blue door'], kind='query').tobytes().hex())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    mine = EMBEDDER.embed(["a blue door"], kind="query").tobytes().hex()
    assert done.stdout.strip() == mine


def test_the_fingerprint_says_how_many_places_there_are() -> None:
    assert HashingEmbedder(256).fingerprint == "hashing/1/256"
    assert EMBEDDER.fingerprint == "hashing/1/1024"


@pytest.mark.parametrize("dim", [0, -1, 65_537, True, 1.5])
def test_a_dimension_out_of_bounds_is_refused(dim: int) -> None:
    with pytest.raises(InvalidInputError, match=r"dim is .*: allowed are 1 to 65536"):
        HashingEmbedder(dim)


def test_options_set_the_dimension() -> None:
    assert from_options(EmbedderOptions(dim=32)).dim == 32
    assert from_options(EmbedderOptions()).dim == 1024
    with pytest.raises(InvalidInputError, match="hashing has no model 'large'"):
        from_options(EmbedderOptions(model="large"))
