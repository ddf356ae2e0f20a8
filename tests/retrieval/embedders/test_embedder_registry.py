from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from engram_lab.core.errors import EmbedderError, InvalidInputError
from engram_lab.retrieval.embedders import EMBEDDERS, EmbedderOptions, minilm, resolve
from engram_lab.retrieval.embedders.hashing import HashingEmbedder

if TYPE_CHECKING:
    from pathlib import Path

    from engram_lab.retrieval.embedders import Embedder


def test_the_embedders_of_this_package_are_known() -> None:
    assert {
        "clip",
        "cohere",
        "hashing",
        "minilm",
        "ollama",
        "onnx",
        "openai",
        "sentence-transformers",
        "voyage",
    } <= set(EMBEDDERS.names())


def test_knowing_them_imports_no_runtime() -> None:
    program = (
        "import sys; from engram_lab.retrieval.embedders import EMBEDDERS, resolve\n"
        "EMBEDDERS.names(); resolve('hashing')\n"
        "heavy = {'onnx', 'onnxruntime', 'tokenizers', 'torch', 'httpx2', 'open_clip'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_name_gives_its_embedder_with_the_options() -> None:
    assert resolve("hashing", EmbedderOptions(dim=48)).dim == 48


def test_what_follows_the_colon_is_the_model() -> None:
    with pytest.raises(InvalidInputError, match="hashing has no model 'a:b'"):
        resolve("hashing:a:b")


def test_the_options_say_the_model_where_there_is_no_colon() -> None:
    with pytest.raises(InvalidInputError, match="hashing has no model 'large'"):
        resolve("hashing", EmbedderOptions(model="large"))


def test_an_unknown_name_is_refused_with_those_known() -> None:
    with pytest.raises(
        InvalidInputError,
        match=r"no embedder 'minilmm' \(did you mean 'minilm'\?\): known are clip",
    ):
        resolve("minilmm:large")


def test_auto_is_minilm_where_it_is_there(minilm: Embedder) -> None:
    assert resolve("auto").fingerprint == minilm.fingerprint


def test_auto_is_hashing_where_the_weights_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm, "find_minilm", lambda _path: None)
    assert isinstance(resolve("auto", EmbedderOptions(dim=32)), HashingEmbedder)


def test_auto_is_hashing_where_a_package_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm, "find_spec", lambda name: None if name == "onnxruntime" else name)
    monkeypatch.setattr(minilm, "find_minilm", lambda _path: "somewhere")
    assert isinstance(resolve("auto"), HashingEmbedder)


def test_auto_is_hashing_where_the_variable_says_that_there_is_no_minilm(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ENGRAM_MINILM_DIR", str(tmp_path))
    assert isinstance(resolve("auto"), HashingEmbedder)
    with pytest.raises(EmbedderError, match=r"holds no model\.safetensors"):
        resolve("minilm")


def test_auto_does_not_hide_a_folder_that_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(EmbedderError, match=r"holds no model\.safetensors"):
        resolve("auto", EmbedderOptions(path=str(tmp_path)))


def test_a_key_is_not_shown() -> None:
    assert "secret" not in repr(EmbedderOptions(api_key="secret"))
