"""Opening: files, steps of the schema, addresses, and what is refused."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pytest
from sqlalchemy import create_engine, inspect

from engram_lab.config.serving import ControlSettings
from engram_lab.core.clock import ManualClock
from engram_lab.core.errors import (
    ConfigError,
    EngramError,
    NotAnEngramFileError,
    SchemaTooNewError,
    StoreError,
)
from engram_lab.serve.control import migrations, open_control_plane
from engram_lab.serve.control.migrations import Step, newest, steps
from engram_lab.serve.control.setting_up import set_up
from engram_lab.serve.control.sqlite import FILE
from engram_lab.serve.control.tables import metadata
from engram_lab.serve.errors import ServeError
from tests.serve.conftest import PASSWORD
from tests.serve.control.made import NOON, api_key, furnished, tenant

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engram_lab.serve.control import ControlPlane
    from engram_lab.serve.control.migrations import Dialect
    from tests.serve.conftest import PostgresServer
    from tests.serve.control.conftest import Making

IN_A_FILE = pytest.mark.parametrize("making", ["sqlite"], indirect=True)
ON_A_SERVER = pytest.mark.parametrize("making", ["postgres"], indirect=True)


def file(making: Making) -> sqlite3.Connection:
    return sqlite3.connect(making.folder / FILE, isolation_level=None)


def test_what_was_written_is_there_when_it_is_opened_again(making: Making) -> None:
    furnished(making(), "acme")
    making.opened[0].close()
    again = making()
    assert again.tenant_by_slug("acme") == tenant("acme")
    assert len(again.within("id-of-acme").audit()) == 3


def test_the_tables_are_those_that_statements_know(making: Making, plane: ControlPlane) -> None:
    del plane
    dsn = making.settings.admin_dsn
    address = f"sqlite:///{making.folder / FILE}" if dsn is None else dsn
    engine = create_engine(address.replace("postgresql:", "postgresql+psycopg:"))
    schema = None if dsn is None else "engram"
    found = inspect(engine)
    try:
        made = {
            name: {each["name"]: each["nullable"] for each in found.get_columns(name, schema)}
            for name in found.get_table_names(schema)
        }
        known = {
            table.name: {each.name: each.nullable for each in table.columns}
            for table in metadata.tables.values()
        }
        assert {name: made[name] for name in known} == known
        assert set(made) - set(known) <= {"revisions"}
    finally:
        engine.dispose()


def test_steps_are_numbered_without_gaps() -> None:
    for dialect in ("sqlite", "postgres"):
        known = steps(dialect)
        assert [each.number for each in known] == list(range(1, len(known) + 1))
        assert newest(dialect) == len(known)
        assert all(each.statements for each in known)
    assert newest("sqlite") == newest("postgres")


def test_a_later_step_is_applied_to_what_is_there_once(
    making: Making, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialect: Dialect = "sqlite" if making.settings.dsn is None else "postgres"
    furnished(making(), "acme")
    making.opened[0].close()
    schema = "" if dialect == "sqlite" else "engram."
    later = Step(
        number=newest(dialect) + 1,
        name="later",
        statements=(
            f"ALTER TABLE {schema}workspaces ADD COLUMN colour text",
            f"UPDATE {schema}workspaces SET colour = '100% red'",
        ),
    )
    known = {dialect: (*steps(dialect), later)}
    monkeypatch.setattr(migrations, "steps", known.__getitem__)
    for _ in range(2):
        again = making()
        assert [each.name for each in again.within("id-of-acme").workspaces()] == ["w-acme"]
        again.close()
    if dialect == "sqlite":
        with closing(file(making)) as connection:
            colours = list(connection.execute("SELECT colour FROM workspaces"))
    else:
        assert making.settings.admin_dsn is not None
        with psycopg.connect(making.settings.admin_dsn) as on_server:
            colours = list(on_server.execute("SELECT colour FROM engram.workspaces"))
    assert colours == [("100% red",)]
    monkeypatch.undo()
    with pytest.raises(SchemaTooNewError, match=f"has schema {later.number} and this version"):
        making()


def test_a_step_that_fails_leaves_all_as_it_was(
    making: Making, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialect: Dialect = "sqlite" if making.settings.dsn is None else "postgres"
    making().close()
    bad = Step(
        number=newest(dialect) + 1, name="bad", statements=("CREATE TABLE x (a int)", "nonsense")
    )
    known = {dialect: (*steps(dialect), bad)}
    monkeypatch.setattr(migrations, "steps", known.__getitem__)
    with pytest.raises(StoreError):
        making()
    monkeypatch.undo()
    furnished(making(), "acme")


@IN_A_FILE
def test_a_file_of_a_newer_version_is_refused(making: Making) -> None:
    making().close()
    with closing(file(making)) as connection:
        connection.execute("INSERT INTO versions VALUES (999, 'later', 1)")
    with pytest.raises(SchemaTooNewError, match="has schema 999 and this version knows up to"):
        making()


@ON_A_SERVER
@pytest.mark.parametrize("with_owner", [True, False])
def test_a_server_of_a_newer_version_is_refused(making: Making, *, with_owner: bool) -> None:
    assert making.settings.admin_dsn is not None
    with psycopg.connect(making.settings.admin_dsn) as connection:
        connection.execute("INSERT INTO engram.versions VALUES (999, 'later', 1)")
    if not with_owner:
        making.settings = ControlSettings(dsn=making.settings.dsn)
    with pytest.raises(SchemaTooNewError, match="has schema 999"):
        making()


@pytest.mark.parametrize("content", [b"no database at all" * 100, None])
def test_a_file_of_another_program_is_left_alone(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / FILE
    if content is None:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE tenants (mine TEXT)")
    else:
        path.write_bytes(content)
    before = path.read_bytes()
    with pytest.raises(NotAnEngramFileError, match=r"another program|no database of this program"):
        open_control_plane(ControlSettings(), tmp_path, clock=ManualClock())
    if content is not None:
        assert path.read_bytes() == before


@IN_A_FILE
def test_the_file_is_its_owners_alone_and_synced_at_each_commit(
    making: Making, plane: ControlPlane
) -> None:
    furnished(plane, "acme")
    for path in making.folder.glob(f"{FILE}*"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name
    with plane._database._engine.connect() as connection:  # type: ignore[attr-defined]
        asked = ("journal_mode", "synchronous", "foreign_keys", "trusted_schema", "busy_timeout")
        told = [connection.exec_driver_sql(f"PRAGMA {each}").scalar() for each in asked]
    assert told == ["wal", 2, 1, 0, 5000]


@pytest.mark.parametrize(
    "dsn", ["nonsense", "mysql://a@b/c", "sqlite:///x", "engram://", "host=/tmp"]
)
def test_an_address_that_is_none_of_postgresql_is_refused(tmp_path: Path, dsn: str) -> None:
    with pytest.raises(ConfigError, match=r"control\.dsn is no address") as refused:
        open_control_plane(ControlSettings(dsn=dsn), tmp_path, clock=ManualClock())
    assert dsn not in str(refused.value)


def test_the_owner_without_the_role_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="set both"):
        open_control_plane(
            ControlSettings(admin_dsn="postgresql://a@b/c"), tmp_path, clock=ManualClock()
        )


@pytest.mark.parametrize("admin", [True, False])
def test_a_server_that_is_away_is_told_without_its_address(tmp_path: Path, *, admin: bool) -> None:
    dsn = f"postgresql://server:of-nobody@/control?host={tmp_path}"
    settings = ControlSettings(dsn=dsn, admin_dsn=dsn if admin else None)
    with pytest.raises(StoreError, match="cannot be reached") as refused:
        open_control_plane(settings, tmp_path, clock=ManualClock())
    assert "of-nobody" not in str(refused.value)
    assert str(tmp_path) not in str(refused.value)


def test_a_database_that_was_not_set_up_says_how(
    postgres: PostgresServer, postgres_template: str, tmp_path: Path
) -> None:
    del postgres_template  # which makes the role
    name = postgres.new_database()
    try:
        settings = ControlSettings(dsn=postgres.dsn("server", name))
        with pytest.raises(ConfigError, match=r"not set up.*set control\.admin_dsn"):
            open_control_plane(settings, tmp_path, clock=ManualClock())
        both = ControlSettings(dsn=settings.dsn, admin_dsn=postgres.dsn("owner", name))
        open_control_plane(both, tmp_path, clock=ManualClock()).close()
        open_control_plane(settings, tmp_path, clock=ManualClock()).close()
    finally:
        postgres.drop(name)


def test_setting_up_twice_changes_nothing_but_the_password(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    name = postgres.new_database()
    role = 'Odd "role"; --'
    try:
        for secret in ("first", None, PASSWORD):
            number = set_up(postgres.dsn("owner", name), role=role, password=secret)
            assert number == newest("postgres")
        with postgres.connected("superuser") as connection:
            ((kept, *may),) = connection.execute(
                "SELECT rolpassword, rolsuper, rolcreaterole, rolcreatedb, rolbypassrls,"
                " rolreplication, rolinherit FROM pg_authid WHERE rolname = %s",
                [role],
            )
        assert kept.startswith("SCRAM-SHA-256$")
        assert may == [False] * 6
        dsn = postgres.dsn("Odd%20%22role%22%3B%20--", name)
        plane = open_control_plane(ControlSettings(dsn=dsn), tmp_path, clock=ManualClock())
        assert plane.tenant_by_slug("acme") is None
        plane.close()
    finally:
        postgres.drop(name)
        with postgres.connected("owner") as connection:
            connection.execute('DROP ROLE "Odd ""role""; --"')


@ON_A_SERVER
def test_a_server_that_was_started_anew_is_not_noticed(
    making: Making, plane: ControlPlane, postgres: PostgresServer
) -> None:
    furnished(plane, "acme")
    with postgres.connected("superuser") as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'engram'"
        )
    assert plane.tenant_by_slug("acme") is not None
    assert len(plane.as_operator().tenants()) == 1
    assert len(making.opened) == 1


@pytest.mark.parametrize("text", ["\0", "\ud800", 2**70])
def test_no_error_tells_of_a_statement_or_its_values(plane: ControlPlane, text: object) -> None:
    plane.as_operator().add_tenant(tenant("acme"))
    with pytest.raises(EngramError) as refused:
        plane.within("id-of-acme").add_key(api_key("one", hash=f"secret{text}", scopes=(text,)))
    told = str(refused.value)
    assert "secret" not in told
    assert "INSERT" not in told
    assert not isinstance(refused.value, ServeError)


@IN_A_FILE
def test_the_revision_moves_with_what_matters_and_with_nothing_else(
    making: Making, plane: ControlPlane
) -> None:
    other = making()
    furnished(other, "acme")
    view, operator = other.within("id-of-acme"), other.as_operator()
    still: list[Callable[[], object]] = [
        lambda: other.used_keys({"key-k-acme": NOON}),
        lambda: other.record_usage([]),
        view.members,
        lambda: operator.roll_up(NOON.date()),
        lambda: operator.measured("id-of-acme", NOON.date(), memories_stored=1, storage_bytes=1),
        lambda: view.revoke_key("key-k-acme", at=NOON),
    ]
    moves: list[Callable[[], object]] = [
        lambda: operator.add_tenant(tenant("beta")),
        lambda: operator.update_tenant("id-of-acme", plan="pro"),
        lambda: view.put_member("bob", "viewer", at=NOON),
        lambda: view.put_member("bob", "admin", at=NOON),
        lambda: view.remove_member("bob"),
        lambda: view.add_key(api_key("two")),
        lambda: view.expire_key("key-two", at=NOON),
        lambda: view.remove_workspace("w-acme"),
        lambda: view.remove_invite("invite-i-acme"),
    ]
    view.revoke_key("key-k-acme", at=NOON)
    for expected, works in ((False, still), (True, moves)):
        for work in works:
            before = plane.revision(), other.revision()
            work()
            after = plane.revision(), other.revision()
            assert after[0] == after[1]
            assert [a != b for a, b in zip(after, before, strict=True)] == [expected] * 2
    with closing(file(making)) as connection:  # by hand, past the server
        before = plane.revision(), other.revision()
        connection.execute("UPDATE api_keys SET revoked_at = 1")
        assert plane.revision() != before[0]
