from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.retrieval.embedders.protocol import TokenVectors
from engram_lab.retrieval.tokens.words import worded


def numbered(tokens: tuple[str, ...]) -> TokenVectors:
    return TokenVectors(tokens, np.arange(len(tokens), dtype=np.float32).reshape(-1, 1))


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("yes , i do !", [0, 2, 3]),
        ("##s 7 café 東 [UNK]", [0, 1, 2, 3, 4]),
        ("' s", [1]),
        ("? !", [0, 1]),  # there is nothing else
        ("...", [0]),
        ("", []),
    ],
)
def test_tokens_without_letter_or_digit_are_left_out(text: str, kept: list[int]) -> None:
    assert worded(numbered(tuple(text.split()))).ravel().tolist() == kept


@given(st.lists(st.text(min_size=1, max_size=3), max_size=8).map(tuple))
def test_a_text_with_tokens_keeps_one_and_their_order(tokens: tuple[str, ...]) -> None:
    kept = worded(numbered(tokens)).ravel().tolist()
    assert bool(kept) == bool(tokens)
    assert kept == sorted(kept)
