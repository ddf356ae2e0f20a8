from __future__ import annotations

from collections import UserDict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl
import pyarrow as pa
import pytest

from engram_lab.core.errors import InvalidInputError
from engram_lab.core.interchange import iter_rows, rows_in
from engram_lab.core.interchange.rows import in_workspace

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS: list[dict[str, Any]] = [
    {"content": "tea", "tags": ["hot", "green"], "metadata": {"cups": 2}, "event_at": None},
    {
        "content": "café",
        "tags": [],
        "metadata": {"cups": None},
        "event_at": datetime(2026, 1, 1, tzinfo=UTC),
    },
]
TABLE = pa.Table.from_pylist(ROWS)


@pytest.mark.parametrize(
    "make",
    [
        lambda: ROWS,
        lambda: tuple(ROWS),
        lambda: (row | {} for row in ROWS),
        {"first": ROWS[0], "second": ROWS[1]}.values,
        lambda: TABLE,
        lambda: TABLE.to_batches()[0],
        TABLE.to_reader,
        lambda: TABLE.to_reader(max_chunksize=1),
        lambda: pl.DataFrame(TABLE),
    ],
    ids=[
        "list",
        "tuple",
        "generator",
        "view",
        "table",
        "batch",
        "reader",
        "reader of single rows",
        "polars",
    ],
)
def test_whatever_holds_rows_gives_them(make: Callable[[], object]) -> None:
    assert list(iter_rows(make())) == ROWS


def test_a_duckdb_relation_gives_its_rows() -> None:
    with duckdb.connect() as connection:
        relation = connection.sql("SELECT 'tea' AS content, [1.5, 2.5] AS sizes, NULL AS source")
        assert list(iter_rows(relation)) == [
            {"content": "tea", "sizes": [1.5, 2.5], "source": None}
        ]


def test_whoever_knows_how_many_rows_there_are_is_asked_and_nobody_else() -> None:
    for holder in (ROWS, TABLE, TABLE.to_batches()[0], pl.DataFrame(TABLE)):
        assert rows_in(holder) == len(ROWS)
    assert rows_in(row for row in ROWS) is None
    with duckdb.connect() as connection:
        relation = connection.sql("SELECT 'tea' AS content")
        assert rows_in(relation) is None  # counting would run it, and it could not be read then
        assert [row["content"] for row in iter_rows(relation)] == ["tea"]


def test_many_rows_keep_their_order() -> None:
    table = pa.table({"content": [str(number) for number in range(10_000)]})
    assert [row["content"] for row in iter_rows(table)] == table["content"].to_pylist()


@pytest.mark.parametrize("empty", [[], TABLE.slice(0, 0), pl.DataFrame(), TABLE.to_batches()[0:0]])
def test_nothing_gives_no_rows(empty: object) -> None:
    assert list(iter_rows(empty)) == []


def test_rows_are_taken_one_by_one() -> None:
    taken = []

    def rows() -> Any:
        for number in range(3):
            taken.append(number)
            yield {"content": str(number)}

    next(iter_rows(rows()))
    assert taken == [0]


@pytest.mark.parametrize(
    ("source", "advice"),
    [
        ("tea", "a str holds no rows: give an iterable of dicts, an Arrow table"),
        (b"tea", "a bytes holds no rows"),
        (7, "a int holds no rows"),
        (None, "a NoneType holds no rows"),
        ({"content": "tea"}, "this is one row: put it in a list, or call remember"),
        (UserDict(content="tea"), "this is one row"),
        (pl.DataFrame(TABLE).lazy(), r"a LazyFrame holds no rows.*of a LazyFrame, its \.collect"),
        (pl.Series([1, 2]), "a Series holds one column and no rows: give a table or a frame"),
        (pa.chunked_array([[1, 2]]), "a ChunkedArray holds one column and no rows"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_holds_no_rows_is_refused_with_advice(source: object, advice: str) -> None:
    with pytest.raises(InvalidInputError, match=advice):
        iter_rows(source)


def test_a_value_that_python_cannot_hold_is_refused() -> None:
    far = pa.table({"event_at": pa.array([2**62], pa.timestamp("us", tz="UTC"))})
    with pytest.raises(InvalidInputError, match="a value is out of range"):
        list(iter_rows(far))


@pytest.mark.parametrize(
    ("row", "wanted"),
    [
        ({"content": "tea"}, {"content": "tea", "workspace": "notes"}),
        ({"content": "tea", "workspace": None}, {"content": "tea", "workspace": "notes"}),
        ({"content": "tea", "workspace": "own"}, {"content": "tea", "workspace": "own"}),
        (7, 7),
    ],
)
def test_a_row_that_names_no_workspace_is_in_the_one_given(row: object, wanted: object) -> None:
    assert wanted == in_workspace(row, "notes")
    assert row == in_workspace(row, None)
    assert [wanted] == list(iter_rows([row], workspace="notes"))
