from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from engram_lab.core.errors import DatasetMissingError, InvalidInputError
from engram_lab.evaluation.datasets.multi_hop import read_multi_hop

if TYPE_CHECKING:
    from engram_lab.evaluation.datasets.dataset import Dataset

BEES = {"title": "Bees", "text": "They dance. They make honey."}
WASPS = {"title": "Wasps", "text": "They sting."}
OTHERS = {"title": "Wasps", "text": "A rugby club."}
CORPUS = (BEES, WASPS, OTHERS)

MUSIQUE: dict[str, Any] = {
    "id": "2hop__1_2",
    "question": "What do those that dance make?",
    "answer": "the very secret honey",
    "answer_aliases": ["a secret alias"],
    "paragraphs": [
        {"idx": 0, "title": "Bees", "paragraph_text": BEES["text"], "is_supporting": True},
        {"idx": 1, "title": "Wasps", "paragraph_text": WASPS["text"], "is_supporting": False},
        {"idx": 2, "title": "Wasps", "paragraph_text": OTHERS["text"], "is_supporting": True},
    ],
}
HOTPOT: dict[str, Any] = {
    "_id": "5a7",
    "question": "Do bees and wasps sting?",
    "answer": "no",
    "type": "comparison",
    "supporting_facts": [["Bees", 0], ["Wasps", 0], ["Bees", 1]],
    "context": [
        ["Bees", ["They dance.", " They make honey."]],
        ["Wasps", ["They sting."]],
    ],
}


def write(folder: Path, questions: Any, corpus: Any = CORPUS, name: str = "some") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}_corpus.json").write_text(json.dumps(corpus), encoding="utf-8")
    (folder / f"{name}.json").write_text(json.dumps(questions), encoding="utf-8")
    return folder


def read(folder: Path, **options: str) -> Dataset:
    return read_multi_hop(folder, id="mine", options=options)


def test_paragraphs_that_support_a_question_answer_it(tmp_path: Path) -> None:
    found = read(write(tmp_path, [MUSIQUE]))

    assert found.memories.select("id", "content", "source_id").rows() == [
        ("p0", "Bees\nThey dance. They make honey.", "Bees"),
        ("p1", "Wasps\nThey sting.", "Wasps"),
        ("p2", "Wasps\nA rugby club.", "Wasps"),
    ]
    assert found.queries.select("id", "text", "category", "source_id").rows() == [
        ("q0", "What do those that dance make?", "2hop", "2hop__1_2")
    ]
    assert found.qrels.rows() == [("q0", "p0", 1), ("q0", "p2", 1)]


def test_titles_and_sentences_that_support_a_question_answer_it(tmp_path: Path) -> None:
    found = read(write(tmp_path, [HOTPOT]))

    assert found.queries["category"].to_list() == ["comparison"]
    assert found.qrels.rows() == [("q0", "p0", 1), ("q0", "p1", 1)]


def test_sentences_without_their_spaces_are_found_as_well(tmp_path: Path) -> None:
    context = [["Bees", ["They dance.", "They make honey."]], ["Wasps", ["They sting."]]]

    found = read(write(tmp_path, [{**HOTPOT, "context": context}]))

    assert found.qrels.rows() == [("q0", "p0", 1), ("q0", "p1", 1)]


def test_a_corpus_of_sentences_by_title(tmp_path: Path) -> None:
    corpus = {"Bees": ["They dance.", " They make honey."], "Wasps": ["They sting."]}

    found = read(write(tmp_path, [HOTPOT], corpus))

    assert found.memories["content"].to_list() == [
        "Bees\nThey dance. They make honey.",
        "Wasps\nThey sting.",
    ]
    assert found.qrels.height == 2


def test_paragraphs_that_say_nothing_of_support_all_support(tmp_path: Path) -> None:
    contexts = [{"title": "Bees", "text": BEES["text"]}]
    question = {"question": "?", "contexts": contexts}

    found = read(write(tmp_path, [question]))

    assert found.qrels.rows() == [("q0", "p0", 1)]
    assert found.queries.row(0, named=True)["source_id"] is None


def test_no_answer_is_in_what_is_remembered_or_asked(tmp_path: Path) -> None:
    found = read(write(tmp_path, [MUSIQUE]))

    told = found.memories.write_json() + found.queries.write_json()

    assert "secret" not in told


def test_a_passage_that_is_there_twice_is_one(tmp_path: Path) -> None:
    found = read(write(tmp_path, [MUSIQUE], [*CORPUS, BEES]))

    assert found.memories.height == 3
    assert found.left_out == {"repeated passages": 1}
    assert found.qrels.height == 2


def test_the_unit_may_be_the_text_alone(tmp_path: Path) -> None:
    assert read(write(tmp_path, [MUSIQUE]), unit="text").memories["content"][1] == "They sting."


def test_support_that_the_corpus_does_not_hold_is_refused_or_dropped(tmp_path: Path) -> None:
    write(tmp_path, [MUSIQUE, HOTPOT], [OTHERS, WASPS])

    with pytest.raises(InvalidInputError, match=r"some\.json, \[0\]: is supported by 'Bees'"):
        read(tmp_path)
    found = read(tmp_path, dangling="drop")
    assert found.left_out == {"supporting paragraphs that are not there": 2}
    assert found.qrels.rows() == [("q0", "p0", 1), ("q1", "p1", 1)]


def test_a_question_that_nothing_supports_is_left_out(tmp_path: Path) -> None:
    unsupported = {**MUSIQUE, "paragraphs": [MUSIQUE["paragraphs"][1]]}

    found = read(write(tmp_path, [unsupported, HOTPOT]))

    assert found.queries["id"].to_list() == ["q1"]
    assert found.left_out == {"questions without supporting paragraph": 1}


def test_a_folder_of_several_sets_asks_which(tmp_path: Path) -> None:
    write(tmp_path, [MUSIQUE], name="one")
    write(tmp_path, [HOTPOT], name="two")

    with pytest.raises(InvalidInputError, match="name=one or name=two"):
        read(tmp_path)
    assert read(tmp_path, name="two").queries["text"].to_list() == [HOTPOT["question"]]


def test_the_layout_of_beir_is_read_too(tmp_path: Path) -> None:
    (tmp_path / "qrels").mkdir()
    rows = [{"_id": "Bees (insect)", "title": "Bees", "text": "They dance."}]
    (tmp_path / "corpus.jsonl").write_text("".join(json.dumps(each) + "\n" for each in rows))
    (tmp_path / "queries.jsonl").write_text('{"_id": "3hop1__1_2_3", "text": "Who?"}\n')
    (tmp_path / "qrels" / "test.tsv").write_text(
        "query-id\tcorpus-id\tscore\n3hop1__1_2_3\tBees (insect)\t1\n"
    )

    found = read(tmp_path)

    assert found.memories["content"].to_list() == ["Bees\nThey dance."]
    assert found.queries["category"].to_list() == ["3hop"]
    assert found.qrels.rows() == [("3hop1__1_2_3", "d0", 1)]


@pytest.mark.parametrize(
    ("questions", "corpus", "message"),
    [
        ({"question": "?"}, CORPUS, r"some\.json, the whole file: must be a list"),
        ([1], CORPUS, r"some\.json, the whole file: must be a list"),
        ([{}], CORPUS, r"some\.json, \[0\]: has the question 'None'"),
        ([{"question": " "}], CORPUS, r"\[0\]: has an empty question"),
        ([{"question": "?"}], CORPUS, "none of supporting_facts, paragraphs and contexts"),
        ([{**HOTPOT, "supporting_facts": [3]}], CORPUS, r"as \[title, sentence\]"),
        ([{**HOTPOT, "context": [["Bees"]]}], CORPUS, r"as \[title, sentence\]"),
        ([{**MUSIQUE, "paragraphs": [{"title": "a"}]}], CORPUS, r"paragraphs\[0\]: has the text"),
        ([{**MUSIQUE, "paragraphs": [{}]}], CORPUS, r"\[0\]\.paragraphs\[0\]: has the title"),
        ([MUSIQUE], [{"title": "a"}], r"some_corpus\.json, \[0\]: has the text 'None'"),
        ([MUSIQUE], [{"text": "a"}], r"some_corpus\.json, \[0\]: has the title 'None'"),
        ([MUSIQUE], {"a": [1]}, r"some_corpus\.json, \['a'\]: has the text"),
        ([MUSIQUE], "text", r"some_corpus\.json, the whole file"),
    ],
)
def test_another_shape_is_refused_with_its_place(
    tmp_path: Path, questions: Any, corpus: Any, message: str
) -> None:
    write(tmp_path, questions, corpus)

    with pytest.raises(InvalidInputError, match=message):
        read(tmp_path)


def test_absent_files_are_missing(tmp_path: Path) -> None:
    with pytest.raises(DatasetMissingError, match=r"there is no file \*_corpus\.json"):
        read(tmp_path)
    (write(tmp_path, []) / "some.json").unlink()
    with pytest.raises(DatasetMissingError, match=r"there is no file some\.json"):
        read(tmp_path)


def test_the_sample_of_musique_has_its_published_size() -> None:
    root = os.environ.get("ENGRAM_DATA")
    if not root or not (Path(root) / "musique100").is_dir():
        pytest.skip("the sample of MuSiQue is not under ENGRAM_DATA")

    found = read(Path(root) / "musique100")

    assert (found.memories.height, found.queries.height, found.qrels.height) == (1890, 100, 237)
    assert set(found.queries["category"]) == {"2hop", "3hop", "4hop"}
