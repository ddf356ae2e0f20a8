from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import DatasetMissingError, InvalidInputError
from engram_lab.evaluation.datasets.dataset import MEMORIES, QRELS, QUERIES, Dataset
from engram_lab.evaluation.datasets.reading import (
    check_options,
    data_file,
    digest,
    frame_of,
    json_file,
    json_lines,
    ordinal_where_needed,
    text_lines,
)


def test_a_digest_is_that_of_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "big"
    data = b"engram" * 500_000
    path.write_bytes(data)

    assert digest(path) == hashlib.sha256(data).hexdigest()
    assert digest(path, "md5") == hashlib.md5(data, usedforsecurity=False).hexdigest()
    assert data_file(tmp_path, "big").size == len(data)


def test_a_file_that_is_not_there_is_missing(tmp_path: Path) -> None:
    with pytest.raises(DatasetMissingError, match=r"there is no file a\.txt in"):
        data_file(tmp_path, "a.txt")


def test_lines_are_numbered_and_blank_ones_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"\xef\xbb\xbfone\r\n\n  \nfour")

    assert list(text_lines(path)) == [(1, "one"), (4, "four")]


def test_a_line_that_is_no_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"fine\n\xff\n")

    with pytest.raises(InvalidInputError, match="a, line 2: is no UTF-8"):
        list(text_lines(path))


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"{", "is no JSON"),
        (b'{"a": "\xff"}', "is no JSON"),
        (b"[1]", "is list, not a JSON object"),
    ],
)
def test_a_line_that_is_no_object_is_named(tmp_path: Path, line: bytes, problem: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}\r\n \n' + line)

    with pytest.raises(InvalidInputError, match=f"a.jsonl, line 3: {problem}"):
        list(json_lines(path))


def test_a_file_that_is_no_json_is_named_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{\n"a": 1,\n}', encoding="utf-8")

    with pytest.raises(InvalidInputError, match=r"a\.json, line 2: is no JSON"):
        json_file(path)


def test_options_are_filled_and_held_against_what_is_allowed() -> None:
    allowed = {"unit": ("turn", "session"), "split": ("test",)}

    assert check_options({}, allowed, reader="r") == {"split": "test", "unit": "turn"}
    assert check_options({"split": "any text"}, allowed, reader="r")["split"] == "any text"
    with pytest.raises(
        InvalidInputError, match="'word' is no unit of the reader 'r': choose turn or"
    ):
        check_options({"unit": "word"}, allowed, reader="r")
    with pytest.raises(InvalidInputError, match="has no option 'key': it has split, unit"):
        check_options({"key": "x"}, allowed, reader="r")


def test_what_rows_leave_out_is_null_and_the_corpus_is_main() -> None:
    frame = frame_of([{"id": "a", "content": "b"}], MEMORIES)

    assert frame.schema == MEMORIES
    assert frame.row(0, named=True)["corpus"] == "main"
    assert frame.row(0, named=True)["speaker"] is None
    assert frame_of([], QRELS).schema == QRELS


@given(st.lists(st.text(min_size=1), unique=True, min_size=1))
def test_ids_that_can_be_written_stay_and_others_become_positions(ids: list[str]) -> None:
    made = list(ordinal_where_needed(ids, letter="d").values())

    assert made in (ids, [f"d{place}" for place in range(len(ids))])
    rows = [{"id": each, "content": "a"} for each in made]
    Dataset(
        id="mine",
        memories=frame_of(rows, MEMORIES),
        queries=frame_of([], QUERIES),
        qrels=frame_of([], QRELS),
    )


def test_one_title_for_an_id_makes_all_of_them_positions() -> None:
    assert ordinal_where_needed(["a", "b"], letter="d") == {"a": "a", "b": "b"}
    assert ordinal_where_needed(["a", "b c"], letter="d") == {"a": "d0", "b c": "d1"}
