from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import EmbedderError
from engram_lab.retrieval.embedders.tokenizing import (
    batches_of_like_length,
    encode,
    load_tokenizer,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Encoded(NamedTuple):
    numbers: list[int]

    @property
    def ids(self) -> list[int]:
        return self.numbers

    def __len__(self) -> int:
        return len(self.numbers)


@given(
    st.lists(st.lists(st.integers(1, 99), max_size=8), max_size=12),
    st.integers(1, 5),
    st.integers(1, 20),
    st.sampled_from([0, 1]),
)
def test_batches_hold_every_text_once_from_short_to_long(
    texts: list[list[int]], batch: int, most_tokens: int, pad_id: int
) -> None:
    found: dict[int, list[int]] = {}
    lengths: list[int] = []
    encodings = [Encoded(text) for text in texts]
    sizes: list[tuple[int, int]] = []
    for each in batches_of_like_length(
        encodings, batch=batch, most_tokens=most_tokens, pad_id=pad_id
    ):
        sizes.append(each.ids.shape)
        assert len(each.rows) == 1 or (len(each.rows) <= batch and each.ids.size <= most_tokens)
        assert each.ids.shape == each.mask.shape
        assert (each.ids[each.mask == 0] == pad_id).all()
        assert each.mask.sum(axis=1).max(initial=0) == each.mask.shape[1]
        for row, ids, mask in zip(each.rows.tolist(), each.ids, each.mask, strict=True):
            assert row not in found
            assert (np.diff(mask) <= 0).all()
            found[row] = ids[mask == 1].tolist()
            lengths.append(len(found[row]))
    assert [found[row] for row in range(len(texts))] == texts
    assert lengths == sorted(lengths)
    taken = 0
    for rows, _ in sizes[:-1]:  # none had room for one text more
        taken += rows
        assert rows == batch or (rows + 1) * lengths[taken] > most_tokens


def test_what_a_file_says_about_filling_and_cutting_is_not_heeded(
    make_tokenizer: Callable[[Path], None], tmp_path: Path
) -> None:
    make_tokenizer(tmp_path)
    file = tmp_path / "tokenizer.json"
    texts = ["the blue door", "the " * 30]

    unbound = encode(load_tokenizer(file, max_length=None), texts)
    bound = encode(load_tokenizer(file, max_length=6), texts)

    assert [len(each) for each in unbound] == [5, 32]
    assert unbound[0].tokens == ["[CLS]", "the", "blue", "door", "[SEP]"]
    assert [len(each) for each in bound] == [5, 6]
    assert bound[1].tokens[-1] == "[SEP]"


@pytest.mark.parametrize("content", [None, "", "{", "{}"])
def test_a_file_that_is_no_tokenizer_is_refused(content: str | None, tmp_path: Path) -> None:
    file = tmp_path / "tokenizer.json"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    with pytest.raises(EmbedderError, match=r"cannot be read .*: give a complete tokenizer\.json"):
        load_tokenizer(file, max_length=None)
