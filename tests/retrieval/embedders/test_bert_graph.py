from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engram_lab.core.errors import EmbedderError
from engram_lab.retrieval.embedders.bert_graph import SENTENCES, TOKENS, BertGraph, bert_graph
from engram_lab.retrieval.embedders.onnx_session import open_session, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

for _package in ("onnx", "onnxruntime"):
    pytest.importorskip(_package, reason=f"{_package} belongs to the extra onnx")

TEXTS = ([2, 4, 5, 6, 7, 3], [2, 3], [2, 8, 9, 3], [2, *range(4, 12), *range(4, 12), 3])


def padded(texts: tuple[list[int], ...]) -> dict[str, NDArray[np.int64]]:
    longest = max(map(len, texts))
    ids = np.zeros((len(texts), longest), np.int64)
    mask = np.zeros_like(ids)
    for row, text in enumerate(texts):
        ids[row, : len(text)] = text
        mask[row, : len(text)] = 1
    return {"input_ids": ids, "attention_mask": mask}


@pytest.fixture(scope="module")
def graph(tiny_bert: dict[str, NDArray[np.float32]]) -> BertGraph:
    return bert_graph(tiny_bert, layers=2, heads=4, epsilon=1e-12)


@pytest.fixture(scope="module")
def session(graph: BertGraph) -> Any:
    return open_session(graph.model, threads=1, weights=graph.weights)


def test_the_last_layer_is_that_of_the_formulas(
    session: Any,
    tiny_bert: dict[str, NDArray[np.float32]],
    numpy_bert: Callable[..., NDArray[np.float64]],
) -> None:
    layer = run(session, TOKENS, padded(TEXTS))
    for row, text in enumerate(TEXTS):
        wanted = numpy_bert(tiny_bert, text, layers=2, heads=4)
        np.testing.assert_allclose(layer[row, : len(text)], wanted, atol=2e-5)


def test_a_sentence_is_the_mean_of_its_tokens_of_length_one(
    session: Any,
    tiny_bert: dict[str, NDArray[np.float32]],
    numpy_bert: Callable[..., NDArray[np.float64]],
) -> None:
    rows = run(session, SENTENCES, padded(TEXTS))
    for row, text in zip(rows, TEXTS, strict=True):
        mean = numpy_bert(tiny_bert, text, layers=2, heads=4).mean(axis=0)
        np.testing.assert_allclose(row, mean / np.linalg.norm(mean), atol=2e-6)


def test_what_fills_a_text_up_changes_nothing(session: Any) -> None:
    inputs = padded(TEXTS)
    filled = {**inputs, "input_ids": np.where(inputs["attention_mask"], inputs["input_ids"], 7)}
    assert (run(session, SENTENCES, filled) == run(session, SENTENCES, inputs)).all()
    for row, text in enumerate(TEXTS):
        alone = run(session, SENTENCES, padded((text,)))
        np.testing.assert_allclose(alone[0], run(session, SENTENCES, inputs)[row], atol=1e-6)


def test_the_graph_names_its_weights_and_holds_none(graph: BertGraph) -> None:
    assert len(graph.model) < 20_000
    assert sum(each.nbytes for each in graph.weights.values()) > len(graph.model)


def test_a_missing_tensor_is_named(tiny_bert: dict[str, NDArray[np.float32]]) -> None:
    name = "encoder.layer.1.output.dense.bias"
    lacking = {key: value for key, value in tiny_bert.items() if key != name}
    with pytest.raises(EmbedderError, match=f"hold no tensor '{name}': give those of a BERT"):
        bert_graph(lacking, layers=2, heads=4, epsilon=1e-12)


def test_more_tokens_than_places_are_an_error(session: Any) -> None:
    with pytest.raises(EmbedderError, match="ONNX Runtime failed to compute 'sentence_embedding'"):
        run(session, SENTENCES, padded(([4] * 21,)))


def test_bytes_that_are_no_model_are_refused() -> None:
    with pytest.raises(EmbedderError, match=r"the model cannot be opened by ONNX Runtime \("):
        open_session(b"no model", threads=1)
