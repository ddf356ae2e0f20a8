from __future__ import annotations

import shutil
import sys
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pytest

from engram_lab.core.errors import EmbedderError, InvalidInputError, MissingDependencyError
from engram_lab.retrieval.embedders.minilm import find_minilm
from engram_lab.retrieval.embedders.registry import EmbedderOptions, resolve
from engram_lab.retrieval.embedders.sentence_transformers import SentenceTransformerEmbedder
from engram_lab.retrieval.embedders.torchvision_shim import prepare_torchvision
from engram_lab.testing import check_embedder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engram_lab.retrieval.embedders.minilm import MiniLmEmbedder

needs_it = pytest.mark.skipif(
    find_spec("sentence_transformers") is None,
    reason="sentence-transformers is an extra of its own",
)
# Those of torch and transformers are not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def model(make_tokenizer: Callable[[Path], None], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny BERT with random weights, its texts prefixed by kind, pooled by the mean."""
    prepare_torchvision()
    library: Any = import_module("sentence_transformers")
    torch: Any = import_module("torch")
    transformers: Any = import_module("transformers")
    torch.manual_seed(5)
    bert = tmp_path_factory.mktemp("bert")
    make_tokenizer(bert)
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_file=str(bert / "tokenizer.json"),
        **{f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep")},
    )
    tokenizer.save_pretrained(bert)
    config = transformers.BertConfig(
        vocab_size=12,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=32,
        max_position_embeddings=300,
    )
    transformers.BertModel(config).eval().save_pretrained(bert)
    modules: Any = import_module("sentence_transformers.models")
    words = modules.Transformer(str(bert))
    made = library.SentenceTransformer(
        modules=[words, modules.Pooling(16)],
        device="cpu",
        prompts={"query": "q : ", "document": "door "},
    )
    folder = tmp_path_factory.mktemp("models") / "tiny"
    made.save(str(folder))
    return folder


@needs_it
def test_it_is_an_embedder_of_texts_that_it_knows_the_words_of(model: Path) -> None:
    """Its twelve words are too few for the conformance check to tell texts apart."""
    embedder = SentenceTransformerEmbedder(str(model), batch=2)
    texts = ["the door", "blue", "the harbour is blue", "the door"]

    rows = embedder.embed(texts, kind="document")

    assert rows.shape == (4, 16)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(rows[0], rows[3], atol=1e-6)
    for row, text in zip(rows, texts, strict=True):
        np.testing.assert_allclose(embedder.embed([text], kind="document")[0], row, atol=1e-5)
    assert embedder.embed([], kind="query").shape == (0, 16)
    with pytest.raises(InvalidInputError):
        embedder.embed("the door", kind="query")
    with pytest.raises(InvalidInputError):
        embedder.embed(["the door"], kind="passage")  # type: ignore[arg-type]


@needs_it
def test_questions_and_documents_get_their_prompts(model: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    shutil.copytree(model, plain)
    file = plain / "config_sentence_transformers.json"
    config = orjson.loads(file.read_bytes())
    file.write_bytes(orjson.dumps({**config, "prompts": {"query": "", "document": ""}}))
    bare, prompted = (SentenceTransformerEmbedder(str(each)) for each in (plain, model))

    np.testing.assert_allclose(
        prompted.embed(["blue"], kind="query"),
        bare.embed(["q : blue"], kind="document"),
        atol=1e-6,
    )
    np.testing.assert_allclose(
        prompted.embed(["blue"], kind="document"),
        bare.embed(["door blue"], kind="query"),
        atol=1e-6,
    )
    assert bare.fingerprint.split("/")[2] != prompted.fingerprint.split("/")[2]


@needs_it
def test_the_fingerprint_follows_what_the_folder_holds_and_not_where_it_lies(
    model: Path, tmp_path: Path
) -> None:
    from safetensors.numpy import load_file, save_file

    mark = SentenceTransformerEmbedder(str(model)).fingerprint
    copy = tmp_path / "tiny"
    shutil.copytree(model, copy)
    assert SentenceTransformerEmbedder(str(copy)).fingerprint == mark
    assert mark.startswith("sentence-transformers/tiny/")

    file = next(copy.rglob("model.safetensors"))
    weights = load_file(file)
    name = "embeddings.word_embeddings.weight"
    weights[name] = weights[name] + np.float32(0.001)
    save_file(weights, file, metadata={"format": "pt"})
    assert SentenceTransformerEmbedder(str(copy)).fingerprint != mark


@needs_it
def test_the_first_dimensions_alone_can_be_kept(model: Path) -> None:
    whole = SentenceTransformerEmbedder(str(model))
    part = SentenceTransformerEmbedder(str(model), dim=6)

    first = whole.embed(["the door"], kind="query")[0, :6]
    row = part.embed(["the door"], kind="query")[0]

    assert row.tolist() == pytest.approx((first / np.linalg.norm(first)).tolist(), abs=1e-6)
    assert part.fingerprint != whole.fingerprint
    with pytest.raises(InvalidInputError, match="has 16 dimensions, not 17: set fewer"):
        SentenceTransformerEmbedder(str(model), dim=17)


@needs_it
def test_torch_computes_with_as_many_threads_as_are_set(model: Path) -> None:
    torch: Any = import_module("torch")
    SentenceTransformerEmbedder(str(model), threads=2)
    assert torch.get_num_threads() == 2
    SentenceTransformerEmbedder(str(model))
    assert torch.get_num_threads() == 1


@needs_it
def test_a_folder_that_holds_no_model_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    (tmp_path / "modules.json").write_text("{", encoding="utf-8")
    with pytest.raises(EmbedderError, match="cannot be loaded by sentence-transformers"):
        SentenceTransformerEmbedder(str(tmp_path))


@needs_it
def test_options_describe_it(model: Path) -> None:
    mark = SentenceTransformerEmbedder(str(model)).fingerprint
    assert resolve(f"sentence-transformers:{model}").fingerprint == mark
    options = EmbedderOptions(path=str(model), dim=4)
    assert resolve("sentence-transformers", options).dim == 4


@needs_it
def test_minilm_gives_what_sentence_transformers_gives(minilm: MiniLmEmbedder) -> None:
    texts = ["The lighthouse keeper painted the door blue.", "Who?", "", "灯台守 🎻", "door " * 300]
    genuine = SentenceTransformerEmbedder(str(find_minilm()))
    check_embedder(genuine)
    np.testing.assert_allclose(
        minilm.embed(texts, kind="query"), genuine.embed(texts, kind="query"), atol=1e-5
    )


def test_without_a_model_it_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="say sentence-transformers:NAME, or set its path"):
        resolve("sentence-transformers")


def test_the_missing_package_comes_with_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(MissingDependencyError, match=r'pip install "\.\[sentence-transformers\]"'):
        resolve("sentence-transformers:any")
