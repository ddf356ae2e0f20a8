from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from engram_lab.core.errors import InvalidInputError, SchemaMismatchError
from engram_lab.core.schemas import (
    GRANTS,
    MEMORIES,
    SCHEMAS,
    TIME,
    VECTORS,
    VERSIONS,
    batch_of,
    check_batch,
    check_table_name,
)
from engram_lab.core.types import Entity, Link, Memory, RecallEvent, Session, Turn, Workspace

NOW = datetime(2026, 1, 1, tzinfo=UTC)
GRANT = {
    "agent_id": "a",
    "scope": "global",
    "permission": "read",
    "granted_by": "owner",
    "granted_at": NOW,
}
TURN = {"session_id": "s", "position": 0, "speaker": "Ada", "memory_id": "m"}


def grant_batch(**columns: Any) -> pa.RecordBatch:
    given = {name: [value] for name, value in GRANT.items()} | columns
    return pa.RecordBatch.from_pydict(given)


def mismatch(name: str, batch: pa.RecordBatch, *, first_row: int = 0) -> SchemaMismatchError:
    with pytest.raises(SchemaMismatchError) as raised:
        check_batch(name, batch, first_row=first_row)
    return raised.value


def test_the_columns_of_a_memory_are_the_fields_of_the_record() -> None:
    names = [each.name for each in fields(Memory)]
    assert names == MEMORIES.names
    assert [*names, "action", "author", "reason", "recorded_at", "superseded_at"] == VERSIONS.names


@pytest.mark.parametrize(
    ("table", "record"),
    [
        ("links", Link),
        ("entities", Entity),
        ("sessions", Session),
        ("turns", Turn),
        ("workspaces", Workspace),
        ("events", RecallEvent),
    ],
)
def test_every_table_has_the_fields_of_its_record(table: str, record: type[Any]) -> None:
    assert {each.name for each in fields(record)} == set(SCHEMAS[table].names)


@pytest.mark.parametrize("record", [Memory])
def test_what_a_record_may_lack_may_be_null(record: type[Any]) -> None:
    optional = {each.name for each in fields(record) if "None" in str(each.type)}
    assert optional == {each.name for each in MEMORIES if each.nullable}


@pytest.mark.parametrize("name", SCHEMAS)
def test_times_are_utc_to_the_microsecond(name: str) -> None:
    for field in SCHEMAS[name]:
        if field.name == "at" or field.name.endswith("_at"):
            assert field.type == TIME == pa.timestamp("us", tz="UTC")


def test_a_known_table_has_a_name() -> None:
    assert check_table_name("memories") == "memories"
    with pytest.raises(InvalidInputError, match="table is 'memory': allowed are workspaces, mem"):
        check_table_name("memory")


@pytest.mark.parametrize("name", [None, 7, "memories; DROP TABLE memories", "changes", "\ud800"])
def test_another_table_is_refused(name: object) -> None:
    with pytest.raises(InvalidInputError, match="allowed are"):
        check_table_name(name)


def test_a_batch_of_rows_has_the_schema_of_its_table() -> None:
    batch = batch_of("grants", [GRANT, GRANT])
    assert batch.schema.equals(GRANTS)
    assert batch.to_pylist() == [GRANT, GRANT]


def test_what_rows_leave_out_is_null() -> None:
    assert batch_of("turns", [TURN]).to_pylist() == [{**TURN, "spoken_at": None}]


def test_no_rows_are_a_batch_too() -> None:
    batch = batch_of("memories", [])
    assert batch.num_rows == 0
    assert batch.schema.equals(MEMORIES)


def test_columns_come_in_any_order() -> None:
    columns = dict(reversed(batch_of("grants", [GRANT]).to_pydict().items()))
    shuffled = pa.RecordBatch.from_pydict(columns)
    assert check_batch("grants", shuffled).schema.equals(GRANTS)


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["a"], pa.large_string()),
        pa.array(["a"], pa.string_view()),
        pa.array(["a"]).dictionary_encode(),
    ],
    ids=lambda column: str(column.type),
)
def test_another_form_of_the_same_values_is_taken(column: pa.Array) -> None:
    assert check_batch("grants", grant_batch(agent_id=column)).to_pylist() == [GRANT]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", None])
def test_times_of_another_unit_or_zone_are_the_same_moment(unit: str, zone: str | None) -> None:
    moments = pa.array([NOW], pa.timestamp("us", tz="UTC")).cast(pa.timestamp(unit, tz=zone))
    assert check_batch("grants", grant_batch(granted_at=moments)).to_pylist() == [GRANT]


def test_a_fixed_size_list_of_floats_is_a_vector() -> None:
    values = pa.array([[1.0, 2.0]], pa.list_(pa.float32(), 2))
    columns = {"memory_id": ["m"], "embedder": ["e"], "values": values, "created_at": [NOW]}
    batch = check_batch("vectors", pa.RecordBatch.from_pydict(columns))
    assert batch.schema.equals(VECTORS)
    assert batch.column("values").to_pylist() == [[1.0, 2.0]]


def test_an_unknown_column_is_refused_with_the_known_ones() -> None:
    error = mismatch("grants", grant_batch(colour=["red"]))
    assert (error.table, error.column) == ("grants", "colour")
    assert "unknown: expected are agent_id, scope, permission" in str(error)


def test_a_missing_column_is_refused_with_its_type() -> None:
    error = mismatch("grants", grant_batch().drop_columns(["scope"]))
    assert (error.column, error.reason.split(": ", 1)[1]) == ("scope", "missing: expected string")


def test_a_column_given_twice_is_refused() -> None:
    batch = grant_batch()
    twice = pa.RecordBatch.from_arrays(
        [*batch.columns, batch.column("scope")], names=[*batch.schema.names, "scope"]
    )
    error = mismatch("grants", twice)
    assert (error.column, "given twice" in str(error)) == ("scope", True)


def test_a_null_where_none_may_be_is_refused_with_its_row() -> None:
    columns = {name: [value] * 3 for name, value in GRANT.items()} | {"scope": ["global", None, ""]}
    error = mismatch("grants", pa.RecordBatch.from_pydict(columns), first_row=100)
    assert (error.column, error.row) == ("scope", 101)
    assert "null: expected string" in str(error)


@pytest.mark.parametrize(
    ("table", "column", "values"),
    [
        ("grants", "granted_at", ["soon"]),
        ("grants", "scope", [b"\xff"]),
        ("turns", "position", [1.5]),
        ("turns", "position", ["first"]),
    ],
)
def test_a_column_of_another_type_is_refused(table: str, column: str, values: list[Any]) -> None:
    rows = {"grants": GRANT, "turns": {**TURN, "spoken_at": NOW}}[table]
    batch = pa.RecordBatch.from_pydict({name: [value] for name, value in rows.items()})
    batch = batch.set_column(batch.schema.get_field_index(column), column, pa.array(values))
    error = mismatch(table, batch)
    assert (error.table, error.column) == (table, column)
    assert f"expected {SCHEMAS[table].field(column).type}" in str(error)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("granted_at", "soon"),
        ("scope", 7),
        ("scope", "\ud800"),
        pytest.param("granted_at", 10**5000, id="huge"),
        ("permission", {"read": True}),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_its_row(column: str, value: object) -> None:
    with pytest.raises(SchemaMismatchError) as raised:
        batch_of("grants", [GRANT, {**GRANT, column: value}], first_row=10)
    assert (raised.value.column, raised.value.row) == (column, 11)


def test_a_row_with_an_unknown_column_is_refused() -> None:
    with pytest.raises(SchemaMismatchError, match="row 3: table 'grants', column 'colour'"):
        batch_of("grants", [{**GRANT, "colour": "red"}], first_row=3)
