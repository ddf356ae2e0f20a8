from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engram_lab.core.errors import EmbedderError, InvalidInputError, MissingDependencyError
from engram_lab.retrieval.embedders.cross_encoder import CrossEncoderScorer
from engram_lab.retrieval.embedders.torch_models import import_on_torch

if TYPE_CHECKING:
    from pathlib import Path

    from engram_lab.retrieval.rerank import PairScorer

WORDS = (
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    "who",
    "painted",
    "the",
    "door",
    "blue",
    "tea",
)
TEXTS = ["the door", "tea", "who painted the door blue"]


@pytest.fixture(scope="module")
def transformers() -> Any:
    for package in ("torch", "transformers", "sentence_transformers"):
        if find_spec(package) is None:
            pytest.skip(f"{package} belongs to the extra sentence-transformers")
    # Not `importorskip`, which imports it before torchvision is prepared.
    import_on_torch("sentence_transformers", package="x", feature="x", extra="x")
    return import_module("transformers")


def make(transformers: Any, folder: Path, *, labels: int) -> Path:
    """Write a small, untrained cross-encoder into a folder."""
    import_on_torch("torch", package="torch", feature="x", extra="x").manual_seed(7)
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    transformers.BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    config = transformers.BertConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=32,
        num_labels=labels,
    )
    transformers.BertForSequenceClassification(config).save_pretrained(folder)
    return folder


def test_each_text_has_the_score_of_its_pair(transformers: Any, tmp_path: Path) -> None:
    folder = make(transformers, tmp_path, labels=1)
    scorer: PairScorer = CrossEncoderScorer(folder, batch_size=2, local_files_only=True)
    scores = scorer.score("who painted", TEXTS)
    assert (scores.shape, str(scores.dtype)) == ((3,), "float64")
    assert len(set(scores.tolist())) == 3
    alone = [float(scorer.score("who painted", [text])[0]) for text in TEXTS]
    assert scores.tolist() == pytest.approx(alone, abs=1e-6)
    assert scorer.score("tea", TEXTS).tolist() != pytest.approx(scores.tolist(), abs=1e-6)
    assert scores.tolist() == pytest.approx(by_the_model(transformers, folder), abs=1e-5)


def by_the_model(transformers: Any, folder: Path) -> list[float]:
    """Return the scores by transformers alone: the sigmoid of the one logit of each pair."""
    tokenizer = transformers.BertTokenizer.from_pretrained(folder)
    model = transformers.BertForSequenceClassification.from_pretrained(folder).eval()
    logits = [
        model(**tokenizer("who painted", text, return_tensors="pt")).logits.item() for text in TEXTS
    ]
    values: list[float] = (1 / (1 + np.exp(-np.array(logits)))).tolist()
    return values


def test_long_texts_are_cut(transformers: Any, tmp_path: Path) -> None:
    scorer = CrossEncoderScorer(make(transformers, tmp_path, labels=1), max_length=12)
    assert np.isfinite(scorer.score("who", ["the door " * 100])).all()


def test_a_model_of_several_labels_is_refused(transformers: Any, tmp_path: Path) -> None:
    scorer = CrossEncoderScorer(make(transformers, tmp_path, labels=3))
    with pytest.raises(EmbedderError, match=r"gives \[3, 3\] for 3 texts"):
        scorer.score("who painted", TEXTS)


def test_a_folder_without_a_model_is_told(transformers: Any, tmp_path: Path) -> None:
    scorer = CrossEncoderScorer(tmp_path, local_files_only=True)
    with pytest.raises(EmbedderError, match="cannot be loaded"):
        scorer.score("who painted", TEXTS)


def test_nothing_is_loaded_for_no_texts() -> None:
    assert CrossEncoderScorer("no/such-model").score("who painted", []).tolist() == []


def test_an_absent_package_is_told_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    monkeypatch.setattr("engram_lab.retrieval.embedders.torch_models.find_spec", lambda _: None)
    with pytest.raises(MissingDependencyError, match=r"pip install .\.\[sentence-transformers\]"):
        CrossEncoderScorer("no/such-model").score("who painted", TEXTS)


@pytest.mark.parametrize("options", [{"batch_size": 0}, {"max_length": 0}, {"threads": 0}])
def test_what_is_out_of_bounds_is_refused(options: Any) -> None:
    with pytest.raises(InvalidInputError, match=next(iter(options))):
        CrossEncoderScorer("no/such-model", **options)
