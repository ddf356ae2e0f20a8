"""Texts as token numbers, in batches of like length."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from engram_lab.core.errors import EmbedderError
from engram_lab.retrieval.embedders.onnx_session import onnx_package

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["TokenBatch", "batches_of_like_length", "encode", "load_tokenizer"]

_MOST_TOKENS: Final = 2048
"""With MiniLM, 8 texts of 256 tokens at a time are a tenth faster than 32, in 150 MB less."""


class TokenBatch(NamedTuple):
    """Some of the texts: which ones, and their tokens.

    `rows` int64 [n] are their places among all; `ids` and `mask` int64 [n, longest], the mask 1
    where there is a token and 0 where a shorter text is filled up.
    """

    rows: NDArray[np.int64]
    ids: NDArray[np.int64]
    mask: NDArray[np.int64]


def load_tokenizer(file: Path, *, max_length: int | None) -> Any:
    """Return the `tokenizers.Tokenizer` of a `tokenizer.json`.

    What the file says about filling up and cutting off is not heeded: all-MiniLM-L6-v2 ships a
    file that cuts at 128 and fills every text up to 128 tokens, where the model takes 256.

    Args:
        file: The file.
        max_length: Texts are cut there, in tokens with the markers around them; None for no bound.

    Raises:
        EmbedderError: The file is absent, or none that can be read.
        MissingDependencyError: The package `tokenizers` is absent.
    """
    package = onnx_package("tokenizers", package="tokenizers")
    try:
        tokenizer = package.Tokenizer.from_str(file.read_text(encoding="utf-8"))
    except Exception as error:  # the package raises plain ones
        raise EmbedderError(
            f"the tokenizer {str(file)!r} cannot be read ({error}): give a complete tokenizer.json"
        ) from error
    tokenizer.no_padding()
    if max_length is None:
        tokenizer.no_truncation()
    else:
        tokenizer.enable_truncation(max_length)
    return tokenizer


def encode(tokenizer: Any, texts: Sequence[str]) -> list[Any]:
    """Return the `tokenizers.Encoding` of each text.

    One by one: the package's own way for many takes all cores, and warns after a fork.
    """
    return [tokenizer.encode(text) for text in texts]


def batches_of_like_length(
    encodings: Sequence[Any], *, batch: int, most_tokens: int = _MOST_TOKENS, pad_id: int = 0
) -> Iterator[TokenBatch]:
    """Yield batches, the shortest texts first, each filled up to its own longest.

    Args:
        encodings: As `encode` returns them.
        batch: How many texts a batch has at most.
        most_tokens: How many tokens it has at most, what fills texts up included; a text that is
            longer by itself is a batch of its own.
        pad_id: The number that fills shorter texts up.
    """
    lengths = np.array([len(each) for each in encodings], np.int64)
    order = np.argsort(lengths, kind="stable")
    end = 0
    while end < len(order):
        start, end = end, end + 1
        while (
            end < len(order)
            and end - start < batch
            and (end - start + 1) * lengths[order[end]] <= most_tokens
        ):
            end += 1
        rows = order[start:end]
        longest = int(lengths[rows[-1]])
        mask = (np.arange(longest) < lengths[rows, None]).astype(np.int64)
        ids = np.full((len(rows), longest), pad_id, np.int64)
        ids[mask == 1] = np.concatenate([encodings[row].ids for row in rows])
        yield TokenBatch(rows, ids, mask)
