from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pytest

from engram_lab.core.errors import EmbedderError, InvalidInputError
from engram_lab.retrieval.embedders.onnx_folder import OnnxFolderEmbedder, from_options
from engram_lab.retrieval.embedders.registry import EmbedderOptions, resolve
from engram_lab.testing import check_embedder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

onnx: Any = pytest.importorskip("onnx", reason="onnx belongs to the extra onnx")
pytest.importorskip("onnxruntime", reason="onnxruntime belongs to the extra onnx")

DIM = 6
TABLE = np.random.default_rng(11).normal(size=(12, DIM)).astype(np.float32)


def make_model(
    file: Path,
    *,
    output: str = "last_hidden_state",
    inputs: tuple[str, ...] = ("input_ids", "attention_mask"),
) -> None:
    """Write a model whose tokens each have a fixed vector.

    `sentence_embedding` is the vector of the first token, doubled; a third input is added to the
    numbers of the tokens, so that one that is not zero would show.
    """
    helper, kinds = onnx.helper, onnx.TensorProto
    file.parent.mkdir(parents=True, exist_ok=True)
    nodes = [helper.make_node("Cast", ["attention_mask"], ["unused"], to=kinds.FLOAT)]
    ids = "input_ids"
    for extra in inputs[2:]:
        nodes.append(helper.make_node("Add", [ids, extra], ["sum"]))
        ids = "sum"
    shape: list[Any] = ["texts", "tokens", DIM]
    if output == "sentence_embedding":
        nodes += [
            helper.make_node("Gather", [ids, "zero"], ["first"], axis=1),
            helper.make_node("Gather", ["table", "first"], ["once"]),
            helper.make_node("Add", ["once", "once"], [output]),
        ]
        shape = ["texts", DIM]
    else:
        nodes.append(helper.make_node("Gather", ["table", ids], [output]))
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(each, kinds.INT64, ["texts", "tokens"]) for each in inputs],
        [helper.make_tensor_value_info(output, kinds.FLOAT, shape)],
        [
            onnx.numpy_helper.from_array(TABLE, "table"),
            helper.make_tensor("zero", kinds.INT64, [], [0]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    file.write_bytes(model.SerializeToString())


def say(folder: Path, name: str, content: object) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(orjson.dumps(content))


def unit(row: Any) -> Any:
    return pytest.approx((row / np.linalg.norm(row)).tolist(), abs=1e-6)


@pytest.fixture
def folder(make_tokenizer: Callable[[Path], None], tmp_path: Path) -> Path:
    make_tokenizer(tmp_path)
    make_model(tmp_path / "model.onnx")
    return tmp_path


# Of the words in conftest.py: [CLS] 2, [SEP] 3, the 4, door 5, blue 7, q 11, : 10.
THE_DOOR = TABLE[[2, 4, 5, 3]]


def test_it_is_an_embedder(make_tokenizer: Callable[[Path], None], tmp_path: Path) -> None:
    make_tokenizer(tmp_path)
    make_model(tmp_path / "model.onnx")
    # Each letter a word of its own, so that texts of words that it does not know are told apart.
    tokenizer = orjson.loads((tmp_path / "tokenizer.json").read_bytes())
    tokenizer["model"]["vocab"] = {
        "[PAD]": 0,
        "[UNK]": 1,
        "[CLS]": 2,
        "[SEP]": 3,
        **{letter: 4 + place for place, letter in enumerate("etaoinsr")},
    }
    tokenizer["pre_tokenizer"] = {
        "type": "Split",
        "pattern": {"Regex": "."},
        "behavior": "Isolated",
        "invert": False,
    }
    say(tmp_path, "tokenizer.json", tokenizer)
    check_embedder(OnnxFolderEmbedder(tmp_path, batch=3))


def test_the_last_layer_is_pooled_by_the_mean_unless_told(folder: Path) -> None:
    embedder = OnnxFolderEmbedder(folder)
    short, long = embedder.embed(["the door", "the door the door"], kind="query")
    assert embedder.dim == DIM
    assert short.tolist() == unit(THE_DOOR.mean(axis=0))
    assert long.tolist() == unit(TABLE[[2, 4, 5, 4, 5, 3]].mean(axis=0))


def test_the_first_token_is_taken_where_the_pooling_says_so(folder: Path) -> None:
    mean = OnnxFolderEmbedder(folder)
    say(folder, "1_Pooling/config.json", {"pooling_mode_cls_token": True, "word_embedding_dim": 6})
    first = OnnxFolderEmbedder(folder)
    assert first.embed(["the door"], kind="query")[0].tolist() == unit(TABLE[2])
    assert first.fingerprint != mean.fingerprint


def test_what_the_model_pools_itself_is_taken_as_it_is(folder: Path) -> None:
    make_model(folder / "model.onnx", output="sentence_embedding")
    say(folder, "modules.json", [{"type": "sentence_transformers.models.Dense"}])
    row = OnnxFolderEmbedder(folder).embed(["the door"], kind="query")[0]
    assert row.tolist() == unit(TABLE[2])


def test_segments_are_given_as_zeros_where_they_are_wanted(folder: Path) -> None:
    make_model(folder / "model.onnx", inputs=("input_ids", "attention_mask", "token_type_ids"))
    row = OnnxFolderEmbedder(folder).embed(["the door"], kind="query")[0]
    assert row.tolist() == unit(THE_DOOR.mean(axis=0))


def test_prompts_stand_before_questions_and_documents(folder: Path) -> None:
    plain = OnnxFolderEmbedder(folder)
    say(
        folder, "config_sentence_transformers.json", {"prompts": {"query": "q: ", "passage": "is "}}
    )
    embedder = OnnxFolderEmbedder(folder)

    question = embedder.embed(["the door"], kind="query")[0]
    document = embedder.embed(["the door"], kind="document")[0]

    assert question.tolist() == unit(TABLE[[2, 11, 10, 4, 5, 3]].mean(axis=0))
    assert document.tolist() == unit(TABLE[[2, 6, 4, 5, 3]].mean(axis=0))
    assert embedder.fingerprint != plain.fingerprint


def test_the_default_prompt_stands_where_there_is_no_other(folder: Path) -> None:
    say(
        folder,
        "config_sentence_transformers.json",
        {"prompts": {"any": "blue "}, "default_prompt_name": "any"},
    )
    row = OnnxFolderEmbedder(folder).embed(["the door"], kind="document")[0]
    assert row.tolist() == unit(TABLE[[2, 7, 4, 5, 3]].mean(axis=0))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("sentence_bert_config.json", {"max_seq_length": 4}),
        ("tokenizer_config.json", {"model_max_length": 4}),
        ("config.json", {"max_position_embeddings": 4}),
    ],
)
def test_texts_are_cut_where_the_files_say(name: str, content: object, folder: Path) -> None:
    say(folder, name, content)
    rows = OnnxFolderEmbedder(folder).embed(["the door", "the door is blue"], kind="query")
    assert rows[0].tolist() == rows[1].tolist()


def test_no_bound_in_the_tokenizer_is_none(folder: Path) -> None:
    say(folder, "tokenizer_config.json", {"model_max_length": 10**18})
    embedder = OnnxFolderEmbedder(folder)
    assert "/512/" in embedder.fingerprint


def test_the_model_may_lie_in_a_folder_of_its_own(folder: Path) -> None:
    here = OnnxFolderEmbedder(folder)
    (folder / "onnx").mkdir()
    (folder / "model.onnx").rename(folder / "onnx" / "model.onnx")
    assert OnnxFolderEmbedder(folder).fingerprint == here.fingerprint


def test_the_fingerprint_follows_the_model_and_the_words(
    folder: Path, make_tokenizer: Callable[[Path], None], tmp_path_factory: pytest.TempPathFactory
) -> None:
    mark = OnnxFolderEmbedder(folder).fingerprint
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    make_tokenizer(elsewhere)
    make_model(elsewhere / "model.onnx")
    assert OnnxFolderEmbedder(elsewhere).fingerprint == mark

    make_model(elsewhere / "model.onnx", output="token_embeddings")
    assert OnnxFolderEmbedder(elsewhere).fingerprint != mark
    words = (folder / "tokenizer.json").read_text(encoding="utf-8")
    (folder / "tokenizer.json").write_text(words.replace("blue", "grey"), encoding="utf-8")
    assert OnnxFolderEmbedder(folder).fingerprint != mark


def test_the_variable_and_the_name_say_where_it_is(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = OnnxFolderEmbedder(folder).fingerprint
    assert resolve(f"onnx:{folder}").fingerprint == mark
    assert resolve("onnx", EmbedderOptions(path=str(folder))).fingerprint == mark
    monkeypatch.setenv("ENGRAM_ONNX_MODEL_DIR", str(folder))
    assert resolve("onnx").fingerprint == mark


def test_another_dimension_is_refused(folder: Path) -> None:
    with pytest.raises(InvalidInputError, match="this model has 6 dimensions, not 8"):
        from_options(EmbedderOptions(path=str(folder), dim=8))


def test_no_folder_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmbedderError, match="give its path, or set ENGRAM_ONNX_MODEL_DIR"):
        OnnxFolderEmbedder()
    with pytest.raises(EmbedderError, match=r"there is no folder '.*missing'"):
        OnnxFolderEmbedder(tmp_path / "missing")


@pytest.mark.parametrize(
    ("gone", "message"),
    [
        ("model.onnx", r"holds no model\.onnx and no onnx/model\.onnx"),
        ("tokenizer.json", r"holds no tokenizer\.json"),
    ],
)
def test_a_file_that_is_missing_is_named(gone: str, message: str, folder: Path) -> None:
    (folder / gone).unlink()
    with pytest.raises(EmbedderError, match=message):
        OnnxFolderEmbedder(folder)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("model.onnx", r"model\.onnx' cannot be opened by ONNX Runtime"),
        ("tokenizer.json", r"tokenizer\.json' cannot be read"),
        ("config.json", r"config\.json' is no JSON"),
        ("1_Pooling/config.json", r"config\.json' is no JSON"),
    ],
)
def test_a_file_that_is_broken_is_named_in_one_line(name: str, message: str, folder: Path) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"{broken")
    with pytest.raises(EmbedderError, match=message) as caught:
        OnnxFolderEmbedder(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("modules.json", [{"type": "sentence_transformers.models.Dense"}], "Dense"),
        ("1_Pooling/config.json", {"pooling_mode_max_tokens": True}, "pooling_mode_max_tokens"),
        (
            "1_Pooling/config.json",
            {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": True},
            "pooling_mode_cls_token with pooling_mode_mean_tokens",
        ),
    ],
)
def test_what_follows_the_model_and_is_not_known_is_refused(
    name: str, content: object, what: str, folder: Path
) -> None:
    say(folder, name, content)
    with pytest.raises(EmbedderError, match=f"is followed by {what}, which is not in its graph"):
        OnnxFolderEmbedder(folder)


def test_a_model_with_other_outputs_is_refused(folder: Path) -> None:
    make_model(folder / "model.onnx", output="logits")
    with pytest.raises(EmbedderError, match="gives logits: it must give 'sentence_embedding' or"):
        OnnxFolderEmbedder(folder)


def test_a_model_with_other_inputs_is_refused(folder: Path) -> None:
    make_model(folder / "model.onnx", inputs=("input_ids", "attention_mask", "pixel_values"))
    with pytest.raises(EmbedderError, match="wants the inputs pixel_values: those that can be"):
        OnnxFolderEmbedder(folder)


def test_a_text_is_filled_up_with_the_number_that_the_files_name(folder: Path) -> None:
    assert OnnxFolderEmbedder(folder)._pad_id == 0
    say(folder, "config.json", {"pad_token_id": 1})
    assert OnnxFolderEmbedder(folder)._pad_id == 1
