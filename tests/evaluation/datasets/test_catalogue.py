from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from engram_lab.core.errors import (
    ConfigError,
    DatasetChangedError,
    DatasetMissingError,
    InvalidInputError,
)
from engram_lab.evaluation.datasets import catalogue
from engram_lab.evaluation.datasets.catalogue import (
    cache_folder,
    data_root,
    load_dataset,
    manifest,
    manifests,
    read_folder,
    status,
)
from engram_lab.evaluation.datasets.reading import digest
from engram_lab.evaluation.shipped import shipped

MANIFEST = """
id = "some-set"
title = "Some"
licence = "CC0"
format = "beir"
folders = ["some100"]
options = {{ unit = "text" }}
archives = [{{ url = "https://example.org/a.zip", kind = "zip" }}]
files = [
    {{ name = "corpus.jsonl", sha256 = "{sha256}" }},
    {{ name = "queries.jsonl" }},
    {{ name = "qrels/test.tsv" }},
    {{ name = "qrels/train.tsv", optional = true }},
]

[[statistics]]
memories = 1
queries = 1
qrels = 1

[[statistics]]
options = {{ split = "train" }}
qrels = 2

[[layouts]]
format = "frames"
files = [{{ name = "memories.jsonl" }}, {{ name = "queries.jsonl" }}, {{ name = "qrels.trec" }}]
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A set of one memory in `data/some-set`, and a catalogue that knows it."""
    folder = tmp_path / "data" / "some-set"
    write(folder)
    known = tmp_path / "shipped" / "manifests" / "some-set.toml"
    known.parent.mkdir(parents=True)
    known.write_text(MANIFEST.format(sha256=digest(folder / "corpus.jsonl")))
    monkeypatch.setattr(catalogue, "shipped", lambda _: tmp_path / "shipped")
    monkeypatch.setenv("ENGRAM_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder


def write(folder: Path) -> Path:
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text('{"_id": "d1", "title": "Bees", "text": "They dance."}\n')
    (folder / "queries.jsonl").write_text('{"_id": "q1", "text": "Who dances?"}\n')
    judged = "query-id\tcorpus-id\tscore\nq1\td1\t1\n"
    for split in ("test", "train"):
        (folder / "qrels" / f"{split}.tsv").write_text(judged)
    return folder


def test_a_set_is_read_with_the_options_of_its_manifest(place: Path) -> None:
    found = load_dataset("some-set")

    assert found.id == "some-set"
    assert found.memories["content"].to_list() == ["They dance."]
    assert found.variant["unit"] == "text"


def test_options_that_are_given_count_more(place: Path) -> None:
    found = load_dataset("some-set", options={"unit": "document"})

    assert found.memories["content"].to_list() == ["Bees They dance."]


def test_a_place_that_is_given_counts_more(place: Path, tmp_path: Path) -> None:
    other = write(tmp_path / "other")

    assert status("some-set", place=other).where == other
    assert load_dataset("some-set", place=other).memories.height == 1
    with pytest.raises(DatasetMissingError):
        load_dataset("some-set", place=tmp_path / "nowhere")


def test_a_place_may_be_a_file_of_the_set_or_the_folder_above(place: Path) -> None:
    assert status("some-set", place=place / "corpus.jsonl").where == place
    assert status("some-set", place=place.parent).where == place


def test_a_set_of_which_no_file_is_needed_by_name_is_any_folder_with_files(
    place: Path, tmp_path: Path
) -> None:
    (tmp_path / "shipped" / "manifests" / "open-set.toml").write_text(
        'id = "open-set"\ntitle = "t"\nlicence = "l"\nformat = "realtalk"\n'
        'files = [{ name = "Chat_1.json", optional = true }]\n'
    )
    above = tmp_path / "above"
    inner = above / "open-set"
    inner.mkdir(parents=True)

    assert status("open-set", place=inner).state == "absent"
    (inner / "Chat_9.json").write_text("{}")
    assert status("open-set", place=inner).where == inner
    (inner / "Chat_1.json").write_text("{}")
    assert status("open-set", place=above).where == inner


def test_other_folders_of_the_manifest_and_the_cache_are_looked_in(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached = tmp_path / "cache" / "engram-lab" / "datasets" / "some100"

    cached.parent.mkdir(parents=True)
    place.rename(place.with_name("some100"))
    assert status("some-set").where == place.with_name("some100")
    place.with_name("some100").rename(cached)
    assert status("some-set").where == cached
    monkeypatch.delenv("ENGRAM_DATA")
    assert status("some-set").looked_in == (cached.with_name("some-set"), cached)


def test_where_data_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGRAM_DATA", "~/data")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert data_root() == tmp_path / "data"
    monkeypatch.delenv("ENGRAM_DATA")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert data_root() == cache_folder() == tmp_path / ".cache" / "engram-lab" / "datasets"


def test_a_set_that_is_not_here_says_where_it_was_looked_for_and_how_to_get_it(
    place: Path,
) -> None:
    (place / "queries.jsonl").unlink()

    assert status("some-set").state == "absent"
    with pytest.raises(DatasetMissingError) as raised:
        load_dataset("some-set")
    message = str(raised.value)
    assert str(place) in message
    assert str(cache_folder() / "some100") in message
    assert message.endswith("engram eval fetch some-set")


def test_a_changed_file_is_refused_unless_it_is_allowed(place: Path) -> None:
    text = (place / "corpus.jsonl").read_text().replace("dance", "sleep")
    (place / "corpus.jsonl").write_text(text)

    assert status("some-set").state == "changed"
    assert status("some-set").changes[0].startswith("corpus.jsonl has the sha256")
    with pytest.raises(DatasetChangedError, match=r"corpus\.jsonl has the sha256 .* instead of"):
        load_dataset("some-set")
    assert load_dataset("some-set", allow_changed=True).memories["content"][0] == "They sleep."


def test_other_counts_than_the_stated_ones_are_refused(place: Path) -> None:
    with (place / "queries.jsonl").open("a") as file:
        file.write('{"_id": "q2", "text": "Who else?"}\n')
    with (place / "qrels" / "test.tsv").open("a") as file:
        file.write("q2\td1\t1\n")

    with pytest.raises(
        DatasetChangedError, match="came out with 2 queries, and its manifest states 1"
    ):
        load_dataset("some-set")
    assert load_dataset("some-set", allow_changed=True).queries.height == 2


def test_counts_are_those_of_the_options(place: Path) -> None:
    with pytest.raises(DatasetChangedError, match="1 qrels, and its manifest states 2"):
        load_dataset("some-set", options={"split": "train"})
    assert (
        load_dataset("some-set", options={"unit": "document", "split": "train"}).qrels.height == 1
    )


def test_another_layout_is_read_where_the_published_one_is_not_there(place: Path) -> None:
    (place / "corpus.jsonl").unlink()
    (place / "memories.jsonl").write_text('{"id": "m1", "content": "They dance."}\n')
    (place / "queries.jsonl").write_text(json.dumps({"id": "q1", "text": "Who?"}))
    (place / "qrels.trec").write_text("q1 0 m1 1\n")

    assert load_dataset("some-set").memories["id"].to_list() == ["m1"]


def test_a_set_that_nobody_knows_is_refused_with_those_there_are(place: Path) -> None:
    for ask in (manifest, status, load_dataset):
        with pytest.raises(
            InvalidInputError, match=r"did you mean 'some-set'\?\): known are some-set"
        ):
            ask("some-sett")


def test_a_manifest_that_is_wrong_is_named(place: Path, tmp_path: Path) -> None:
    (tmp_path / "shipped" / "manifests" / "bad.toml").write_text('id = "bad"')

    with pytest.raises(ConfigError, match=r"bad\.toml: title"):
        manifests()
    assert load_dataset("some-set").id == "some-set"


def test_any_folder_is_read_by_the_name_of_its_format(place: Path, tmp_path: Path) -> None:
    found = read_folder("beir", place, id="mine")

    assert (found.id, found.memories.height) == ("mine", 1)
    with pytest.raises(DatasetMissingError, match="there is no folder"):
        read_folder("beir", tmp_path / "none", id="mine")
    with pytest.raises(InvalidInputError, match="there is no reader 'bier'"):
        read_folder("bier", place, id="mine")


def test_a_folder_that_cannot_be_read_is_missing(place: Path) -> None:
    (place / "corpus.jsonl").unlink()
    (place / "corpus.jsonl").mkdir()

    with pytest.raises(DatasetMissingError):
        read_folder("beir", place, id="mine")


def test_the_catalogue_that_comes_with_the_package() -> None:
    known = manifests()

    assert [each.id for each in known] == sorted(each.id for each in known)
    assert {"scifact", "cranfield", "cisi", "med", "musique", "hotpotqa", "tiny"} <= {
        each.id for each in known
    }
    assert status("tiny").state == "bundled"
    assert status("tiny").where == shipped("datasets") / "tiny"


def test_the_bundled_set_is_read_wherever_data_lie(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ENGRAM_DATA", raising=False)

    assert load_dataset("tiny").queries.height > 0


def longmemeval_file(path: Path) -> Path:
    turn = {"role": "user", "content": "The boat is in Cuxhaven", "has_answer": True}
    question = {
        "question_id": "boat",
        "question_type": "single-session-user",
        "question": "Where is the boat?",
        "question_date": "2023/05/30 (Tue) 23:40",
        "answer": "Cuxhaven",
        "answer_session_ids": ["answer_a"],
        "haystack_session_ids": ["answer_a"],
        "haystack_dates": ["2023/05/20 (Sat) 02:21"],
        "haystack_sessions": [[turn]],
    }
    path.write_text(json.dumps([question]), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["longmemeval_s_cleaned.json", "longmemeval_s.json", "mine.json"])
def test_a_file_of_the_published_shape_is_read_where_a_user_names_it(
    tmp_path: Path, name: str
) -> None:
    file = longmemeval_file(tmp_path / name)

    assert load_dataset("longmemeval-s", place=file).queries["source_id"].to_list() == ["boat"]


def test_what_is_no_file_that_a_user_named_must_be_the_one_that_others_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "longmemeval").mkdir()
    longmemeval_file(tmp_path / "longmemeval" / "longmemeval_s_cleaned.json")
    monkeypatch.setenv("ENGRAM_DATA", str(tmp_path))

    with pytest.raises(DatasetChangedError, match="--allow-changed"):
        load_dataset("longmemeval-s")


def test_a_file_that_was_named_is_the_one_that_is_read(tmp_path: Path) -> None:
    for name in ("longmemeval_s_cleaned.json", "longmemeval_s.json"):
        longmemeval_file(tmp_path / name)
    named = load_dataset("longmemeval-s", place=tmp_path / "longmemeval_s.json")
    assert [each.name for each in named.files] == ["longmemeval_s.json"]
    whole = load_dataset("longmemeval-s", place=tmp_path)
    assert [each.name for each in whole.files] == ["longmemeval_s_cleaned.json"]


def test_a_folder_that_holds_one_such_file_is_enough(tmp_path: Path) -> None:
    longmemeval_file(tmp_path / "my own.json")
    assert load_dataset("longmemeval-m", place=tmp_path).queries.height == 1
    longmemeval_file(tmp_path / "another.json")
    with pytest.raises(DatasetMissingError, match=r"longmemeval_m_cleaned\.json not found"):
        load_dataset("longmemeval-m", place=tmp_path)


def test_what_holds_nothing_to_ask_is_refused_with_the_reasons(tmp_path: Path) -> None:
    file = longmemeval_file(tmp_path / "mine.json")
    file.write_text(file.read_text().replace('"boat"', '"boat_abs"'), encoding="utf-8")
    with pytest.raises(
        InvalidInputError, match=r"no memory .*; left out were 1 questions to abstain"
    ):
        load_dataset("longmemeval-s", place=file)
    (tmp_path / "mine.json").write_text("[]", encoding="utf-8")
    with pytest.raises(InvalidInputError, match="holds no memory to evaluate with"):
        load_dataset("longmemeval-s", place=tmp_path)


@pytest.mark.skipif(
    not (Path(os.environ.get("ENGRAM_DATA", "")) / "locomo" / "locomo10_corrected.json").is_file(),
    reason="ENGRAM_DATA has no locomo/locomo10_corrected.json",
)
def test_the_corrected_key_may_be_named_by_its_file() -> None:
    place = Path(os.environ["ENGRAM_DATA"]) / "locomo" / "locomo10_corrected.json"
    found = load_dataset("locomo", place=place)
    assert found.variant["key"] == "corrected"
    assert found.queries.height == 1981
