"""The chain of the audit against somebody who writes the database past the server."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from itertools import count
from typing import TYPE_CHECKING, Protocol

import psycopg
import pytest

from engram_lab.config.serving import ControlSettings
from engram_lab.serve.control.sqlite import FILE
from tests.serve.control.conftest import Making
from tests.serve.control.made import TODAY, entry, tenant, usage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engram_lab.serve.control import ControlPlane
    from tests.serve.conftest import PostgresServer

OF_AUDIT = "tbl_name IN ('audit', 'audit_heads') AND type = 'trigger'"


class Intruder(Protocol):
    """Writes the database; `past_guards` as its owner, who takes the triggers away meanwhile."""

    def __call__(self, *statements: str, past_guards: bool = True) -> None: ...


def in_file(making: Making) -> Intruder:
    def write(*statements: str, past_guards: bool = True) -> None:
        with closing(sqlite3.connect(making.folder / FILE)) as connection, connection:
            asked = f"SELECT name, sql FROM sqlite_schema WHERE {OF_AUDIT}"
            guards = dict(connection.execute(asked)) if past_guards else {}
            assert len(guards) == (6 if past_guards else 0)
            for name in guards:
                connection.execute(f"DROP TRIGGER {name}")
            for each in statements:
                connection.execute(each.replace("engram.", ""))
            for made in guards.values():
                connection.execute(made)

    return write


def on_server(making: Making) -> Intruder:
    assert making.settings.admin_dsn is not None
    dsn = making.settings.admin_dsn

    def write(*statements: str, past_guards: bool = True) -> None:
        with psycopg.connect(dsn) as connection:
            guarded = ("audit", "audit_heads") if past_guards else ()
            for word, does in (("DISABLE", statements), ("ENABLE", ())):
                for table in guarded:
                    connection.execute(f"ALTER TABLE engram.{table} {word} TRIGGER USER".encode())
                for each in does:
                    connection.execute(each.encode())

    return write


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def making(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Making]:
    with request_settings(request) as settings:
        made = Making(settings=settings, folder=tmp_path_factory.mktemp("control"))
        made().as_operator().add_tenant(tenant("acme"))
        yield made
        made.opened[0].close()


@contextmanager
def request_settings(request: pytest.FixtureRequest) -> Iterator[ControlSettings]:
    if request.param == "sqlite":
        yield ControlSettings()
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    name = server.new_database(request.getfixturevalue("postgres_template"))
    yield ControlSettings(dsn=server.dsn("server", name), admin_dsn=server.dsn("owner", name))
    server.drop(name)


@pytest.fixture
def plane(making: Making) -> ControlPlane:
    return making.opened[0]


@pytest.fixture(scope="module")
def numbers() -> Iterator[int]:
    return count()


@pytest.fixture
def of(plane: ControlPlane, numbers: Iterator[int]) -> str:
    """A tenant with a chain of five entries, new for each test."""
    name = f"t{next(numbers)}"
    plane.as_operator().add_tenant(tenant(name))
    plane.record_audit([entry(n, name, details={"n": n}) for n in range(1, 6)])
    return f"id-of-{name}"


@pytest.fixture
def intruder(making: Making, of: str) -> Intruder:
    write = (in_file if making.settings.dsn is None else on_server)(making)

    def written(*statements: str, past_guards: bool = True) -> None:
        write(*(each.replace("{of}", of) for each in statements), past_guards=past_guards)

    return written


def where(number: int | str) -> str:
    return f"WHERE tenant_id = '{{of}}' AND number = {number}"


COPIED = (
    "INSERT INTO engram.audit SELECT tenant_id, NUMBER, id || 'x', at, kind, actor, target,"
    " outcome, request_id, details, previous, hash FROM engram.audit " + where(2)
)


@pytest.mark.parametrize(
    ("statement", "number"),
    [
        ("UPDATE engram.audit SET actor = 'user:eve' " + where(3), 3),
        ("UPDATE engram.audit SET at = at + 1 " + where(1), 1),
        ("UPDATE engram.audit SET at = 9223372036854775807 " + where(4), 4),
        ("UPDATE engram.audit SET outcome = 'FORBIDDEN' " + where(5), 5),
        ("UPDATE engram.audit SET details = '{}' " + where(2), 2),
        ("UPDATE engram.audit SET details = 'no JSON' " + where(2), 2),
        ("UPDATE engram.audit SET details = '[]' " + where(2), 2),
        ("UPDATE engram.audit SET hash = previous " + where(2), 2),
        ("UPDATE engram.audit SET target = '' " + where(2), 2),
        ("UPDATE engram.audit SET number = 9 " + where(5), 5),
        ("UPDATE engram.audit SET tenant_id = 'id-of-beta' " + where(4), 4),
        ("DELETE FROM engram.audit " + where(1), 1),
        ("DELETE FROM engram.audit " + where(3), 3),
        ("DELETE FROM engram.audit " + where(5), 5),
        ("DELETE FROM engram.audit WHERE tenant_id = '{of}'", 1),
        ("DELETE FROM engram.audit_heads WHERE tenant_id = '{of}'", 1),
        ("UPDATE engram.audit_heads SET hash = 'x' WHERE tenant_id = '{of}'", 5),
        ("UPDATE engram.audit_heads SET number = 3 WHERE tenant_id = '{of}'", 4),
        (COPIED.replace("NUMBER", "6"), 6),
        (COPIED.replace("NUMBER", "0"), 0),
    ],
)
def test_tampering_is_found_where_it_is(
    plane: ControlPlane, of: str, intruder: Intruder, statement: str, number: int
) -> None:
    operator = plane.as_operator()
    assert operator.broken_chain(of) is None
    intruder(statement)
    assert operator.broken_chain(of) == number
    assert operator.broken_chain(None) is None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE engram.audit SET actor = 'user:eve' " + where(3),
        "DELETE FROM engram.audit " + where(5),
        "DELETE FROM engram.audit_heads WHERE tenant_id = '{of}'",
        "UPDATE engram.audit_heads SET number = 3 WHERE tenant_id = '{of}'",
        COPIED.replace("NUMBER", "6"),
    ],
)
def test_whoever_opens_the_database_by_hand_is_stopped_by_its_triggers(
    plane: ControlPlane, of: str, intruder: Intruder, statement: str
) -> None:
    with pytest.raises((sqlite3.IntegrityError, psycopg.errors.RaiseException)):
        intruder(statement, past_guards=False)
    assert plane.as_operator().broken_chain(of) is None
    assert plane.record_audit([entry("after", of.removeprefix("id-of-"))]) == 1


def test_what_cannot_be_seen_is_an_end_that_was_cut_with_its_head(
    plane: ControlPlane, of: str, intruder: Intruder
) -> None:
    """As the module says: against this, note down a chain's last hash elsewhere."""
    known = plane.within(of).audit(limit=1)[0]
    intruder(
        "DELETE FROM engram.audit " + where(5),
        "UPDATE engram.audit_heads SET number = 4, hash = (SELECT hash FROM engram.audit "
        + where(4)
        + ") WHERE tenant_id = '{of}'",
    )
    operator = plane.as_operator()
    assert operator.broken_chain(of) is None
    assert known not in operator.audit(of)


def test_a_sum_that_was_edited_is_mended_by_a_roll_up(
    plane: ControlPlane, intruder: Intruder
) -> None:
    plane.record_usage([usage(number) for number in range(5)])
    before = plane.within("id-of-acme").usage(TODAY, TODAY)
    intruder(
        "UPDATE engram.usage_daily SET searches = 99, api_calls = 0",
        "INSERT INTO engram.usage_daily (tenant_id, workspace, day, searches)"
        " VALUES ('id-of-acme', 'never', '2026-05-01', 7)",
        past_guards=False,
    )
    assert plane.as_operator().roll_up(TODAY) == 1
    mended = plane.within("id-of-acme").usage(TODAY, TODAY)
    assert [each for each in mended if each.api_calls] == before
    assert [(each.workspace, each.searches) for each in mended if not each.api_calls] == [
        ("never", 0)
    ]
