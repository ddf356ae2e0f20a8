"""What a database that fails is told as; each failure is a real one."""

from __future__ import annotations

import sqlite3
import traceback
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from engram_lab.core.errors import (
    ConflictError,
    InvalidInputError,
    StoreBusyError,
    StoreCorruptError,
    StoreError,
    StoreFullError,
    StoreReadOnlyError,
)
from engram_lab.serve.control.faults import told
from engram_lab.serve.control.sqlite import FILE
from engram_lab.serve.errors import refusal_of
from tests.serve.control.made import NOON, api_key, entry, furnished, tenant, usage

if TYPE_CHECKING:
    from engram_lab.serve.control import ControlPlane
    from tests.serve.control.conftest import Making

IN_A_FILE = pytest.mark.parametrize("making", ["sqlite"], indirect=True)
ON_A_SERVER = pytest.mark.parametrize("making", ["postgres"], indirect=True)


def tell(plane: ControlPlane, statement: str) -> Any:
    """Say something to the one connection that the plane has in its pool."""
    engine = plane._database._engine  # type: ignore[attr-defined]
    with told(), engine.connect() as connection:
        cursor = connection.exec_driver_sql(statement)
        answer = cursor.scalar() if cursor.returns_rows else None
        connection.commit()
        return answer


@IN_A_FILE
def test_a_full_disk_is_told_and_leaves_no_part(plane: ControlPlane) -> None:
    plane.as_operator().add_tenant(tenant("acme"))
    pages = tell(plane, "PRAGMA page_count")
    tell(plane, f"PRAGMA max_page_count = {pages + 2}")
    before = plane.revision()
    with pytest.raises(StoreFullError, match="nothing was changed") as refused:
        plane.record_usage([usage(number) for number in range(2_000)])
    assert refusal_of(refused.value).status == 507
    tell(plane, "PRAGMA max_page_count = 1000000")
    assert plane.within("id-of-acme").usage(NOON.date(), NOON.date()) == []
    assert plane.revision() == before
    assert plane.record_usage([usage(number) for number in range(2_000)]) == 2_000


@IN_A_FILE
def test_a_writer_that_never_ends_is_told_as_busy(making: Making, plane: ControlPlane) -> None:
    plane.as_operator().add_tenant(tenant("acme"))
    with closing(sqlite3.connect(making.folder / FILE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        tell(plane, "PRAGMA busy_timeout = 20")
        assert plane.tenant_by_slug("acme") is not None  # readers do not wait
        with pytest.raises(StoreBusyError) as refused:
            plane.record_audit([entry(1)])
        assert refusal_of(refused.value).status == 503
        other.execute("ROLLBACK")
    assert plane.record_audit([entry(1)]) == 1


@IN_A_FILE
def test_a_database_that_can_only_be_read_is_told_so(plane: ControlPlane) -> None:
    tell(plane, "PRAGMA query_only = ON")
    with pytest.raises(StoreReadOnlyError):
        plane.as_operator().add_tenant(tenant("acme"))


@IN_A_FILE
def test_a_damaged_file_is_told_as_damaged(making: Making) -> None:
    furnished(making(), *(f"t{number}" for number in range(30)))
    making.opened[0].close()
    path = making.folder / FILE
    content = bytearray(path.read_bytes())
    content[8192:] = b"\xff" * (len(content) - 8192)
    path.write_bytes(content)
    with pytest.raises(StoreCorruptError) as refused:
        making().as_operator().tenants()
    assert str(making.folder) not in str(refused.value)


@ON_A_SERVER
def test_a_lock_that_is_never_let_go_is_told_as_busy(making: Making, plane: ControlPlane) -> None:
    plane.as_operator().add_tenant(tenant("acme"))
    assert making.settings.admin_dsn is not None
    with psycopg.connect(making.settings.admin_dsn) as other:
        other.execute("LOCK TABLE engram.audit IN ACCESS EXCLUSIVE MODE")
        tell(plane, "SET lock_timeout = '50ms'")
        with pytest.raises(StoreBusyError):
            plane.record_audit([entry(1)])
    assert plane.record_audit([entry(1)]) == 1


@ON_A_SERVER
def test_a_statement_that_takes_too_long_is_told_as_busy(plane: ControlPlane) -> None:
    tell(plane, "SET statement_timeout = '20ms'")
    with pytest.raises(StoreBusyError):
        tell(plane, "SELECT pg_sleep(5)")


@ON_A_SERVER
def test_a_server_that_goes_away_in_between_is_told(plane: ControlPlane) -> None:
    with pytest.raises(StoreError, match="cannot be reached"):
        tell(plane, "SELECT pg_terminate_backend(pg_backend_pid())")
    assert plane.tenant_by_slug("acme") is None


def test_a_refused_row_is_in_no_traceback(plane: ControlPlane) -> None:
    plane.as_operator().add_tenant(tenant("acme"))
    view = plane.within("id-of-acme")
    view.add_key(api_key("one"))
    secret = f"hash-{NOON.year}"  # which no line of the source has
    for about, kind in (({}, ConflictError), ({"environment": "moon"}, InvalidInputError)):
        with pytest.raises(kind) as refused:
            view.add_key(api_key("one", hash=secret, **about))
        told_all = "".join(traceback.format_exception(refused.value))
        assert secret not in told_all
        assert "Failing row" not in told_all
