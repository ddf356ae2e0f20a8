from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import DatasetMissingError, InvalidInputError, InvalidRunError
from engram_lab.evaluation.datasets.dataset import FORBIDDEN, MEMORIES, QRELS, QUERIES, Dataset
from engram_lab.evaluation.datasets.frames import read_frames, read_paths

MEMORY_ROWS: list[dict[str, Any]] = [
    {"id": "m1", "content": "Bees dance."},
    {"id": "m2", "content": "Wasps sting."},
]
QUERY_ROWS: list[dict[str, Any]] = [{"id": "q1", "text": "Who dances?"}]
QREL_ROWS: list[dict[str, Any]] = [
    {"query_id": "q1", "memory_id": "m1", "relevance": 1},
    {"query_id": "q1", "memory_id": "m2", "relevance": FORBIDDEN},
]


def mine(**changes: Any) -> Dataset:
    given_ = {"memories": MEMORY_ROWS, "queries": QUERY_ROWS, "qrels": QREL_ROWS}
    return Dataset.from_frames(id="mine", **{**given_, **changes})


def write(folder: Path, *, name: str = "memories", lines: list[Any] | None = None) -> Path:
    for each, rows in (("memories", MEMORY_ROWS), ("queries", QUERY_ROWS), ("qrels", QREL_ROWS)):
        chosen = lines if lines is not None and each == name else rows
        text = "".join(json.dumps(row) + "\n" for row in chosen)
        (folder / f"{each}.jsonl").write_text(text, encoding="utf-8")
    return folder


def read(folder: Path, **options: str) -> Dataset:
    return read_frames(folder, id="mine", options=options)


def test_the_essential_columns_are_enough() -> None:
    found = mine()

    assert (found.memories.schema, found.queries.schema, found.qrels.schema) == (
        MEMORIES,
        QUERIES,
        QRELS,
    )
    assert found.memories.row(0, named=True) == {
        **dict.fromkeys(MEMORIES),
        "id": "m1",
        "corpus": "main",
        "content": "Bees dance.",
    }
    assert found.qrels["relevance"].to_list() == [1, FORBIDDEN]


@pytest.mark.parametrize(
    "shape",
    [
        pl.DataFrame,
        lambda rows: pl.DataFrame(rows).lazy(),
        pa.Table.from_pylist,
        tuple,
        lambda rows: {name: [row[name] for row in rows] for name in rows[0]},
    ],
    ids=["polars", "lazy", "arrow", "tuple", "columns"],
)
def test_every_kind_of_frame_gives_the_same(shape: Any) -> None:
    found = mine(memories=shape(MEMORY_ROWS), queries=shape(QUERY_ROWS), qrels=shape(QREL_ROWS))

    assert found.hash == mine().hash


def test_a_query_without_judgement_stays() -> None:
    assert mine(qrels=[]).queries.height == 1


def test_all_columns_are_taken_as_what_they_are() -> None:
    row = {
        "id": 7,
        "content": "a",
        "corpus": "c",
        "session": "s1",
        "position": 3.0,
        "speaker": "Ann",
        "event_at": "2026-05-01T14:00:00+02:00",
        "fields": {"b": [1], "a": "x"},
        "source_id": "D1:3",
    }

    found = mine(memories=[row], queries=[], qrels=[]).memories.row(0, named=True)

    assert found == {
        **row,
        "id": "7",
        "position": 3,
        "event_at": datetime(2026, 5, 1, 12, tzinfo=UTC),
        "fields": '{"a":"x","b":[1]}',
    }


def test_a_time_without_an_offset_is_utc() -> None:
    naive = pl.DataFrame({"id": ["m1"], "content": ["a"], "event_at": [datetime(2026, 5, 1)]})  # noqa: DTZ001

    assert mine(memories=naive, qrels=[]).memories["event_at"][0] == datetime(
        2026, 5, 1, tzinfo=UTC
    )


@pytest.mark.parametrize(
    ("name", "rows", "message"),
    [
        (
            "memories",
            [{"id": "m1"}],
            "memories: the column 'content' is missing: required are id, ",
        ),
        (
            "memories",
            [{"id": "m1", "content": "a", "colour": "red"}],
            "there is no column 'colour'",
        ),
        (
            "memories",
            [{"id": "m1", "content": "a", "colour": 1}],
            "else a memory has goes into fields",
        ),
        (
            "memories",
            [*MEMORY_ROWS, {"id": "m3"}],
            "memories, row 2, column 'content': must not be",
        ),
        ("memories", [{"id": "m1", "content": " "}], "row 0, column 'content': must not be empty"),
        (
            "memories",
            [{"id": "m1", "content": 1.5}],
            "row 0, column 'content': '1.5' must be a text",
        ),
        ("memories", [{"id": True, "content": "a"}], "row 0, column 'id': 'True' must be a text"),
        ("memories", [{"id": "m1", "content": "a", "event_at": "then"}], "no ISO 8601 time"),
        (
            "memories",
            [{"id": "m1", "content": "a", "position": 1.5}],
            "'1.5' must be a whole number",
        ),
        ("memories", [{"id": "m1", "content": "a", "position": 2**40}], "from -2147483648 to"),
        ("memories", [{"id": "m1", "content": "a", "fields": "[1]"}], "must be a JSON object"),
        ("memories", [{"id": "m1", "content": "a", "fields": "{"}], "must be a JSON object"),
        ("memories", [{"id": "m1", "content": "a", "fields": {"x": {1}}}], "must be a JSON object"),
        ("memories", ["m1"], "memories, row 0 is str: it must be a mapping of columns"),
        ("memories", 3, "memories are int: give a frame of Polars, Arrow or pandas"),
        (
            "queries",
            [{"id": "q1", "text": None}],
            "queries, row 0, column 'text': must not be empty",
        ),
        (
            "qrels",
            [{**QREL_ROWS[0], "relevance": "1"}],
            "qrels, row 0, column 'relevance': '1' must",
        ),
        ("qrels", [{**QREL_ROWS[0], "query_id": "q9"}], "unknown query_id 'q9'"),
    ],
)
def test_what_is_wrong_is_named_with_row_and_column(name: str, rows: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        mine(**{name: rows})


def test_a_folder_of_json_lines(tmp_path: Path) -> None:
    found = read(write(tmp_path))

    assert found.hash == mine().hash
    assert [each.name for each in found.files] == ["memories.jsonl", "queries.jsonl", "qrels.jsonl"]


def test_a_folder_of_parquet(tmp_path: Path) -> None:
    whole = mine()
    whole.memories.write_parquet(tmp_path / "memories.parquet")
    whole.queries.write_parquet(tmp_path / "queries.parquet")
    whole.qrels.write_parquet(tmp_path / "qrels.parquet")

    assert read(tmp_path).hash == whole.hash


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("qrels.trec", "q1 0 m1 1\nq1 0 m2 -2\n"),
        ("qrels.txt", "q1\t0\tm1\t1\nq1\t0\tm2\t-2\n"),
        ("qrels.tsv", "query-id\tcorpus-id\tscore\nq1\tm1\t1\nq1\tm2\t-2\n"),
    ],
)
def test_judgements_may_be_lines_of_trec_or_beir(tmp_path: Path, name: str, text: str) -> None:
    (write(tmp_path) / "qrels.jsonl").unlink()
    (tmp_path / name).write_text(text)

    assert read(tmp_path).hash == mine().hash


def test_files_may_lie_anywhere(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    moved = (tmp_path / "memories.jsonl").rename(tmp_path / "elsewhere" / "notes.jsonl")

    found = read_paths(
        memories=moved, queries=tmp_path / "queries.jsonl", qrels=tmp_path / "qrels.jsonl", id="x"
    )

    assert found.memories.height == 2


@pytest.mark.parametrize(
    ("name", "lines", "message"),
    [
        (
            "memories",
            [*MEMORY_ROWS, {"id": 1.5, "content": "a"}],
            "memories.jsonl, line 3, column 'id'",
        ),
        (
            "memories",
            [{"contents": "a", "id": "m"}],
            "memories.jsonl: there is no column 'contents'",
        ),
        ("queries", [{"id": "q1"}], "queries.jsonl: the column 'text' is missing"),
    ],
)
def test_what_is_wrong_in_a_file_is_named_with_its_line(
    tmp_path: Path, name: str, lines: list[Any], message: str
) -> None:
    with pytest.raises(InvalidInputError, match=message):
        read(write(tmp_path, name=name, lines=lines))


def test_lines_are_counted_as_an_editor_counts_them(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "memories.jsonl").write_text('\n\n{"id": "m1", "content": 1.5}\n')

    with pytest.raises(InvalidInputError, match=r"memories\.jsonl, line 3, column 'content'"):
        read(tmp_path)


def test_parquet_that_is_none_is_refused(tmp_path: Path) -> None:
    (write(tmp_path) / "memories.jsonl").unlink()
    (tmp_path / "memories.parquet").write_bytes(b"PAR1 not quite")

    with pytest.raises(InvalidRunError, match=r"memories\.parquet: is no Parquet"):
        read(tmp_path)


def test_a_folder_holds_one_file_of_each_kind(tmp_path: Path) -> None:
    write(tmp_path)
    mine().memories.write_parquet(tmp_path / "memories.parquet")

    with pytest.raises(InvalidInputError, match=r"memories\.parquet and memories\.jsonl"):
        read(tmp_path)


@pytest.mark.parametrize("name", ["memories", "queries", "qrels"])
def test_an_absent_file_is_missing(tmp_path: Path, name: str) -> None:
    (write(tmp_path) / f"{name}.jsonl").unlink()

    with pytest.raises(DatasetMissingError, match=f"there is no {name} in"):
        read(tmp_path)


def test_an_ending_that_nothing_reads_is_refused(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "memories.csv").write_text("id,content\n")
    rest = {"queries": tmp_path / "queries.jsonl", "qrels": tmp_path / "qrels.jsonl"}

    with pytest.raises(InvalidInputError, match=r"must end in \.parquet or \.jsonl"):
        read_paths(memories=tmp_path / "memories.csv", id="x", **rest)
    with pytest.raises(DatasetMissingError, match=r"there is no file .*notes\.jsonl"):
        read_paths(memories=tmp_path / "notes.jsonl", id="x", **rest)


def test_there_are_no_options(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="the reader 'frames' has no option 'unit'"):
        read(write(tmp_path), unit="turn")


@given(
    st.lists(
        st.fixed_dictionaries(
            {"content": st.text(min_size=1).filter(lambda text: bool(text.strip()))},
            optional={
                "speaker": st.none() | st.text(),
                "position": st.none() | st.integers(-(2**31), 2**31 - 1),
                "event_at": st.none() | st.datetimes(timezones=st.just(UTC)),
            },
        ),
        max_size=5,
    )
)
def test_what_goes_in_comes_out(rows: list[dict[str, Any]]) -> None:
    numbered = [{"id": f"m{place}", **row} for place, row in enumerate(rows)]

    found = mine(memories=numbered, qrels=[]).memories

    assert [
        {name: value for name, value in each.items() if name in row}
        for each, row in zip(found.to_dicts(), numbered, strict=True)
    ] == numbered
