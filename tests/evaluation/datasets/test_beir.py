from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import DatasetMissingError, InvalidInputError
from engram_lab.evaluation.datasets.beir import read_beir
from engram_lab.evaluation.datasets.reading import digest

if TYPE_CHECKING:
    from engram_lab.evaluation.datasets.dataset import Dataset

CORPUS: tuple[dict[str, Any], ...] = (
    {"_id": "d1", "title": "Bees", "text": "They dance.", "metadata": {}},
    {"_id": "d2", "title": "", "text": "Wasps do not."},
    {"_id": "d3", "text": "Ants neither."},
)
QUERIES = ({"_id": "q1", "text": "Who dances?"}, {"_id": "q2", "text": "Who asks?"})
QRELS = (("q1", "d1", "2"), ("q1", "d2", "0"))


def write(
    folder: Path,
    *,
    corpus: Sequence[dict[str, Any]] = CORPUS,
    queries: Sequence[dict[str, Any]] = QUERIES,
    qrels: Sequence[tuple[str, ...]] = QRELS,
    split: str = "test",
    end: str = "\n",
) -> Path:
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    for name, rows in (("corpus", corpus), ("queries", queries)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    lines = [("query-id", "corpus-id", "score"), *qrels]
    text = "".join("\t".join(line) + end for line in lines)
    (folder / "qrels" / f"{split}.tsv").write_bytes(text.encode())
    return folder


def read(folder: Path, **options: str) -> Dataset:
    return read_beir(folder, id="mine", options=options)


def test_a_folder_becomes_a_data_set(tmp_path: Path) -> None:
    found = read(write(tmp_path))

    assert found.memories.select("id", "content", "source_id", "corpus").rows() == [
        ("d1", "Bees They dance.", "d1", "main"),
        ("d2", "Wasps do not.", "d2", "main"),
        ("d3", "Ants neither.", "d3", "main"),
    ]
    assert found.queries.select("id", "text").rows() == [("q1", "Who dances?")]
    assert found.qrels.rows() == [("q1", "d1", 2), ("q1", "d2", 0)]
    assert found.left_out == {"queries without judgement": 1}
    assert found.variant == {"split": "test", "unit": "document", "dangling": "refuse"}


def test_the_files_that_were_read_are_named_with_their_hash(tmp_path: Path) -> None:
    found = read(write(tmp_path))

    assert [each.name for each in found.files] == [
        "corpus.jsonl",
        "queries.jsonl",
        "qrels/test.tsv",
    ]
    assert all(each.sha256 == digest(tmp_path / each.name) for each in found.files)


@pytest.mark.parametrize(
    ("unit", "content"),
    [("document", "Bees They dance."), ("lines", "Bees\nThey dance."), ("text", "They dance.")],
)
def test_the_unit_says_what_of_a_document_is_remembered(
    tmp_path: Path, unit: str, content: str
) -> None:
    assert read(write(tmp_path), unit=unit).memories["content"][0] == content


def test_a_split_is_chosen_and_an_unknown_one_is_missing(tmp_path: Path) -> None:
    write(tmp_path)
    write(tmp_path, split="train", qrels=[("q2", "d3", "1")])

    assert read(tmp_path, split="train").queries["id"].to_list() == ["q2"]
    with pytest.raises(DatasetMissingError, match="the splits there are test, train"):
        read(tmp_path, split="dev")


def test_carriage_returns_change_nothing(tmp_path: Path) -> None:
    plain = read(write(tmp_path / "a"))

    assert read(write(tmp_path / "b", end="\r\n")).hash == plain.hash


def test_numbers_serve_as_ids(tmp_path: Path) -> None:
    corpus: list[dict[str, Any]] = [{"_id": 7, "text": "a"}]

    found = read(write(tmp_path, corpus=corpus, qrels=[("q1", "7", "1")]))

    assert found.memories["id"].to_list() == ["7"]


def test_a_negative_score_is_judged_and_not_relevant(tmp_path: Path) -> None:
    found = read(write(tmp_path, qrels=[("q1", "d1", "-2"), ("q1", "d2", "1")]))

    assert found.qrels["relevance"].to_list() == [0, 1]


def test_a_whole_score_may_be_written_with_a_point(tmp_path: Path) -> None:
    pointed = [(*pair, f"{score}.0") for *pair, score in QRELS]
    found = read(write(tmp_path / "a", qrels=pointed)).qrels
    assert found.equals(read(write(tmp_path / "b")).qrels)


def test_what_is_null_is_no_text(tmp_path: Path) -> None:
    corpus = (
        {"_id": "d1", "title": "Bees", "text": None},
        {"_id": "d2", "title": None, "text": "b"},
    )
    found = read(write(tmp_path, corpus=corpus))
    assert found.memories["content"].to_list() == ["Bees", "b"]


def test_a_document_without_text_is_left_out_with_its_judgements(tmp_path: Path) -> None:
    corpus = [*CORPUS, {"_id": "d4", "title": " ", "text": ""}]

    found = read(write(tmp_path, corpus=corpus, qrels=[*QRELS, ("q1", "d4", "1")]))

    assert found.memories["id"].to_list() == ["d1", "d2", "d3"]
    assert found.left_out["documents without text"] == 1
    assert found.left_out["judgements of documents without text"] == 1


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("q1", "d9", "1"), r"test\.tsv, line 4: judges 'd9', which is not in corpus\.jsonl"),
        (("q9", "d1", "1"), r"test\.tsv, line 4: judges 'q9', which is not in queries\.jsonl"),
    ],
)
def test_a_judgement_of_what_is_not_there_is_refused_or_dropped(
    tmp_path: Path, row: tuple[str, ...], message: str
) -> None:
    write(tmp_path, qrels=[*QRELS, row])

    with pytest.raises(InvalidInputError, match=message):
        read(tmp_path)
    assert read(tmp_path, dangling="drop").left_out["judgements of what is not there"] == 1


def test_the_same_judgement_twice_is_one_and_a_contradiction_is_refused(tmp_path: Path) -> None:
    assert read(write(tmp_path, qrels=[*QRELS, QRELS[0]])).left_out["repeated judgements"] == 1
    write(tmp_path, qrels=[*QRELS, ("q1", "d1", "0")])

    with pytest.raises(InvalidInputError, match="line 4: contradicts line 2 on 'q1' and 'd1'"):
        read(tmp_path)


def test_titles_as_ids_become_positions(tmp_path: Path) -> None:
    corpus = [{"_id": "Bees (insect)", "text": "a"}, {"_id": "Wasps", "text": "b"}]

    found = read(write(tmp_path, corpus=corpus, qrels=[("q1", "Wasps", "1")]))

    assert found.memories.select("id", "source_id").rows() == [
        ("d0", "Bees (insect)"),
        ("d1", "Wasps"),
    ]
    assert found.qrels.rows() == [("q1", "d1", 1)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"corpus": [{"text": "a"}]}, r"corpus\.jsonl, line 1: has the _id None"),
        ({"corpus": [{"_id": "", "text": "a"}]}, "has the _id ''"),
        ({"corpus": [{"_id": True, "text": "a"}]}, "has the _id True"),
        ({"corpus": [{"_id": "d1"}]}, "line 1: has the text None: it must be a text"),
        ({"corpus": [{"_id": "d1", "title": 3, "text": "a"}]}, "has the title 3"),
        ({"corpus": [*CORPUS, CORPUS[0]]}, "line 4: has the _id 'd1' of an earlier line"),
        ({"queries": [*QUERIES, QUERIES[0]]}, r"queries\.jsonl, line 3: has the _id 'q1'"),
        ({"queries": [{"_id": "q1", "text": " "}]}, "the query 'q1' has no text"),
        ({"qrels": [("q1", "d1")]}, r"test\.tsv, line 2: has 2 fields"),
        ({"qrels": [("q1", "d1", "high")]}, "line 2: has the score 'high': it must be whole"),
    ],
)
def test_another_shape_is_refused_with_file_and_line(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    write(tmp_path, **changes)

    with pytest.raises(InvalidInputError, match=message):
        read(tmp_path)


@pytest.mark.parametrize("text", ["", "q1\td1\t1\n", "query-id\tcorpus-id\n"])
def test_judgements_begin_with_their_header(tmp_path: Path, text: str) -> None:
    (write(tmp_path) / "qrels" / "test.tsv").write_text(text)

    with pytest.raises(
        InvalidInputError, match=r"test\.tsv, line 1: must be the header query-id<tab>"
    ):
        read(tmp_path)


@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.jsonl"])
def test_an_absent_file_is_missing(tmp_path: Path, name: str) -> None:
    (write(tmp_path) / name).unlink()

    with pytest.raises(DatasetMissingError, match=name):
        read(tmp_path)


@pytest.mark.parametrize("options", [{"unit": "word"}, {"colour": "red"}, {"dangling": "yes"}])
def test_an_unknown_option_is_refused(tmp_path: Path, options: dict[str, str]) -> None:
    write(tmp_path)

    with pytest.raises(InvalidInputError, match="the reader 'beir'"):
        read(tmp_path, **options)


@given(st.data())
def test_every_kept_judgement_was_published_and_every_other_is_counted(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    documents = data.draw(st.lists(st.sampled_from("abcde"), unique=True, min_size=1))
    pairs = data.draw(
        st.dictionaries(
            st.tuples(st.sampled_from("xyz"), st.sampled_from("abcde")), st.integers(-1, 3)
        )
    )
    folder = write(
        tmp_path_factory.mktemp("beir"),
        corpus=[{"_id": each, "text": each} for each in documents],
        queries=[{"_id": each, "text": each} for each in "xyz"],
        qrels=[(query, document, str(score)) for (query, document), score in pairs.items()],
    )

    found = read(folder, dangling="drop")

    kept = {(query, memory): score for query, memory, score in found.qrels.rows()}
    assert kept == {pair: max(score, 0) for pair, score in pairs.items() if pair[1] in documents}
    lost = found.left_out.get("judgements of what is not there", 0)
    assert len(kept) + lost == len(pairs)
    assert set(found.queries["id"]) == {query for query, _ in kept}


def test_the_published_scifact_has_its_published_size() -> None:
    root = os.environ.get("ENGRAM_DATA")
    if not root or not (Path(root) / "scifact").is_dir():
        pytest.skip("SciFact is not under ENGRAM_DATA")

    found = read(Path(root) / "scifact")

    assert (found.memories.height, found.queries.height, found.qrels.height) == (5183, 300, 339)
    assert found.left_out.keys() <= {"queries without judgement"}
