"""PostgreSQL keeps tenants apart by itself: raw SQL, with the password of the server's role."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import errors, sql

from engram_lab.config.serving import ControlSettings
from engram_lab.core.errors import ConfigError
from engram_lab.serve.control import open_control_plane
from engram_lab.serve.control.setting_up import set_up
from engram_lab.serve.errors import UnavailableError
from tests.serve.conftest import PASSWORD
from tests.serve.control.conftest import Making
from tests.serve.control.made import NOON, entry, furnished

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.serve.conftest import PostgresServer

OWN = {
    "tenants": "id",
    "members": "tenant_id",
    "invites": "tenant_id",
    "workspaces": "tenant_id",
    "api_keys": "tenant_id",
    "usage_events": "tenant_id",
    "usage_daily": "tenant_id",
    "audit": "tenant_id",
    "audit_heads": "tenant_id",
}
"""Every table with rows of tenants, and the column that says whose."""

ACME = '{"tenant_id": "id-of-acme"}'
NOBODY = [
    "",
    "{}",
    "null",
    "[]",
    '"id-of-acme"',
    '{"tenant_id": null}',
    '{"tenant_id": ""}',
    '{"tenant_id": ["id-of-acme"]}',
    '{"tenant_id": "%"}',
    '{"tenant_id": "id-of-nobody"}',
    '{"tenant_id": "id-of-acme", "sub": "owner-of-beta"}',
    '{"tenant_id": "id-of-acme", "sub": ""}',
    '{"tenant_id": "id-of-acme", "sub": 0}',
    '{"sub": "owner-of-acme"}',
]
GARBAGE = ["garbage", "{", '{"tenant_id": "id-of-acme"', "{'tenant_id': 'id-of-acme'}", "\\"]


@pytest.fixture(scope="module")
def making(
    postgres: PostgresServer, postgres_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Making]:
    name = postgres.new_database(postgres_template)
    settings = ControlSettings(
        dsn=postgres.dsn("server", name), admin_dsn=postgres.dsn("owner", name)
    )
    made = Making(settings=settings, folder=tmp_path_factory.mktemp("control"))
    furnished(made(), "acme", "beta")
    made.opened[0].record_audit([entry(1, None)])
    yield made
    for plane in made.opened:
        plane.close()
    postgres.drop(name)


@pytest.fixture
def raw(making: Making) -> Iterator[psycopg.Connection]:
    """A connection as the server's role."""
    assert making.settings.dsn is not None
    with psycopg.connect(making.settings.dsn) as connection:
        yield connection
        connection.rollback()


@pytest.fixture
def owner(making: Making) -> Iterator[psycopg.Connection]:
    assert making.settings.admin_dsn is not None
    with psycopg.connect(making.settings.admin_dsn, autocommit=True) as connection:
        yield connection


def ask(connection: psycopg.Connection, text: str, *values: object) -> list[tuple[Any, ...]]:
    """Run one statement whole, as a role that may lose a transaction over it."""
    cursor = connection.execute(text.encode(), values)
    return cursor.fetchall() if cursor.description else []


def claim(connection: psycopg.Connection, claims: str) -> None:
    connection.rollback()
    ask(connection, "SELECT set_config('request.jwt.claims', %s, true)", claims)


def contents(connection: psycopg.Connection) -> dict[str, list[tuple[Any, ...]]]:
    return {
        table: sorted(ask(connection, f"SELECT * FROM engram.{table}"), key=str) for table in OWN
    }


def test_every_table_has_forced_row_security(owner: psycopg.Connection) -> None:
    found = ask(
        owner,
        "SELECT relname, relrowsecurity AND relforcerowsecurity FROM pg_class"
        " WHERE relnamespace = 'engram'::regnamespace AND relkind = 'r'",
    )
    assert dict(found) == dict.fromkeys(OWN, True) | {"usage_bounds": True, "versions": False}


def test_what_is_seen_is_of_the_claimed_tenant_alone(raw: psycopg.Connection) -> None:
    claim(raw, ACME)
    for table, column in OWN.items():
        seen = {row[0] for row in ask(raw, f"SELECT {column} FROM engram.{table}")}
        assert seen - {""} == {"id-of-acme"}, table
        assert ask(raw, f"SELECT FROM engram.{table} WHERE {column} = 'id-of-beta'") == []
    assert ask(raw, "SELECT FROM engram.audit WHERE tenant_id = ''") == []
    assert ask(raw, "SELECT count(*) FROM engram.api_keys") == [(1,)]


@pytest.mark.parametrize("claims", [None, *NOBODY])
def test_who_claims_nothing_true_sees_nothing(raw: psycopg.Connection, claims: str | None) -> None:
    if claims is not None:
        claim(raw, claims)
    for table, column in OWN.items():
        seen = ask(raw, f"SELECT {column} FROM engram.{table}")
        assert seen in ([], [("",)]), table  # the head of the operator's chain is a number


@pytest.mark.parametrize("claims", GARBAGE)
def test_claims_that_are_no_json_are_an_error(raw: psycopg.Connection, claims: str) -> None:
    for table in OWN:
        claim(raw, claims)
        with pytest.raises(errors.InvalidTextRepresentation):
            ask(raw, f"SELECT * FROM engram.{table}")


@pytest.mark.parametrize("claims", ["", ACME, '{"tenant_id": ""}'])
def test_nothing_of_another_tenant_is_changed(
    raw: psycopg.Connection, owner: psycopg.Connection, claims: str
) -> None:
    before = contents(owner)
    for table, column in OWN.items():
        columns = [
            row[0]
            for row in ask(
                owner,
                "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass"
                " AND attnum > 0 AND NOT attisdropped",
                f"engram.{table}",
            )
        ]
        sets = [f"{each} = {each}" for each in columns] + [f"{column} = 'id-of-acme'"]
        tried = [
            *(f"UPDATE engram.{table} SET {each} WHERE {column} = 'id-of-beta'" for each in sets),
            *(f"UPDATE engram.{table} SET {each}" for each in sets),
            f"DELETE FROM engram.{table} WHERE {column} = 'id-of-beta'",
            f"TRUNCATE engram.{table} CASCADE",
            f"SELECT * FROM engram.{table} WHERE {column} = 'id-of-beta' FOR UPDATE",
            f"LOCK TABLE engram.{table} IN ACCESS EXCLUSIVE MODE",
        ]
        for statement in tried:
            claim(raw, claims)
            try:
                assert ask(raw, statement) == []
            except errors.InsufficientPrivilege:
                continue
            if "WHERE" in statement:
                raw.commit()
    raw.rollback()
    assert contents(owner) == before


@pytest.mark.parametrize("of", ["id-of-beta", ""])
def test_nothing_is_written_into_another_tenant(
    raw: psycopg.Connection, owner: psycopg.Connection, of: str
) -> None:
    before = contents(owner)
    statements = {
        "members": "(tenant_id, user_id, role, joined_at) VALUES (%s, 'eve', 'owner', 1)",
        "invites": "(id, tenant_id, email, role, token_hash, created_at, created_by, expires_at)"
        " VALUES ('x', %s, 'e', 'owner', 'x', 1, 'eve', 2)",
        "workspaces": "(tenant_id, name, db_path, created_at) VALUES (%s, 'w', '../x', 1)",
        "api_keys": "(id, tenant_id, name, prefix, hash, environment, scopes, created_at,"
        " created_by) VALUES ('x', %s, 'x', 'x', 'x', 'live', 'admin', 1, 'eve')",
        "usage_events": "(tenant_id, request_id, workspace, at, day, route, status, api_calls,"
        " searches, memories_created) VALUES (%s, 'x', 'w', 1, '2026-05-01', 'r', 200, 1, 1, 1)",
        "usage_daily": "(tenant_id, workspace, day) VALUES (%s, 'w', '2026-05-01')",
        "tenants": "(id, slug, name, state, plan, created_at)"
        " VALUES (%s || 'x', 'x', 'x', 'active', 'free', 1)",
        "audit_heads": "(tenant_id, number, hash) VALUES (%s || 'x', 9, 'x')",
    }
    for table, rest in statements.items():
        claim(raw, ACME)
        with pytest.raises(errors.InsufficientPrivilege):
            ask(raw, f"INSERT INTO engram.{table} {rest}", of)
    raw.rollback()
    assert contents(owner) == before


def test_an_entry_of_the_audit_is_the_next_of_its_own_chain_or_refused(
    raw: psycopg.Connection, making: Making
) -> None:
    entry = (
        "INSERT INTO engram.audit (tenant_id, number, id, at, kind, actor, outcome, details,"
        " previous, hash) VALUES (%s, %s, 'x', 1, 'k', 'eve', 'ok', '{}', %s, 'x')"
    )
    claim(raw, ACME)
    with pytest.raises((errors.InsufficientPrivilege, errors.RaiseException)):
        ask(raw, entry, "id-of-beta", 4, "0" * 64)
    for number in (0, 1, 3, 5, -1):
        claim(raw, ACME)
        with pytest.raises(errors.RaiseException, match="not the next entry"):
            ask(raw, entry, "id-of-acme", number, "0" * 64)
    claim(raw, ACME)
    head = ask(raw, "SELECT hash FROM engram.audit_heads WHERE tenant_id = 'id-of-acme'")[0][0]
    ask(raw, entry, "id-of-acme", 4, head)  # forged: it fits, and its hash does not
    raw.commit()
    operator = making.opened[0].as_operator()
    assert operator.broken_chain("id-of-acme") == 4
    assert operator.broken_chain("id-of-beta") is None


@pytest.mark.parametrize("table", ["usage_events", "audit"])
@pytest.mark.parametrize("role", ["raw", "owner"])
def test_usage_and_audit_are_only_added_to(
    request: pytest.FixtureRequest, table: str, role: str
) -> None:
    connection = request.getfixturevalue(role)
    column = "route" if table == "usage_events" else "actor"
    for statement in (
        f"UPDATE engram.{table} SET {column} = 'x' WHERE tenant_id = 'id-of-acme'",
        f"DELETE FROM engram.{table} WHERE tenant_id = 'id-of-acme'",
        f"TRUNCATE engram.{table}",
    ):
        if role == "raw":
            claim(connection, ACME)
        with pytest.raises((errors.InsufficientPrivilege, errors.RaiseException)):
            ask(connection, statement)


@pytest.mark.parametrize(
    "statement",
    [
        "SET ROLE owner",
        "SET ROLE superuser",
        "SET SESSION AUTHORIZATION owner",
        "ALTER ROLE server SUPERUSER",
        "ALTER ROLE server BYPASSRLS",
        "GRANT owner TO server",
        "CREATE ROLE eve",
        "CREATE TABLE engram.mine (a int)",
        "CREATE TABLE public.mine (a int)",
        "CREATE EXTENSION dblink",
        "ALTER TABLE engram.members DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE engram.members NO FORCE ROW LEVEL SECURITY",
        "DROP POLICY of_its_tenant ON engram.members",
        "CREATE POLICY mine ON engram.members USING (true)",
        "ALTER TABLE engram.audit DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
        "CREATE OR REPLACE FUNCTION engram.entered() RETURNS text LANGUAGE sql AS 'SELECT 1::text'",
        "SELECT * FROM pg_authid",
        "SELECT * FROM pg_shadow",
        "SELECT * FROM pg_statistic",
        "SELECT * FROM pg_hba_file_rules",
        "SELECT * FROM pg_user_mapping",
        "SELECT pg_read_file('postgresql.conf')",
        "SELECT pg_ls_dir('.')",
        "SELECT lo_import('/etc/passwd')",
        "COPY engram.versions TO PROGRAM 'cat'",
        "COPY engram.versions FROM '/etc/passwd'",
        "INSERT INTO engram.versions VALUES (9, 'x', 1)",
        "INSERT INTO engram.usage_bounds VALUES (1, '2100-01-01')",
        "UPDATE engram.usage_bounds SET since = '2100-01-01'",
        "DELETE FROM engram.usage_bounds",
        "DELETE FROM engram.usage_events",
        "DROP SCHEMA engram CASCADE",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'superuser'",
    ],
)
def test_the_role_of_the_server_may_not(raw: psycopg.Connection, statement: str) -> None:
    with pytest.raises((errors.InsufficientPrivilege, errors.DuplicateObject)) as refused:
        ask(raw, statement)
    assert isinstance(refused.value, errors.InsufficientPrivilege)


def test_row_security_cannot_be_turned_off(raw: psycopg.Connection) -> None:
    ask(raw, "SET row_security = off")
    with pytest.raises(errors.InsufficientPrivilege):
        ask(raw, "SELECT * FROM engram.members")


def test_a_predicate_that_tells_sees_no_row_of_others(raw: psycopg.Connection) -> None:
    """The policy comes before any function of the asker's own, however cheap it says it is."""
    ask(
        raw,
        "CREATE FUNCTION pg_temp.tell(text) RETURNS bool LANGUAGE plpgsql COST 0.0000001"
        " AS 'BEGIN RAISE NOTICE ''%'', $1; RETURN true; END'".replace("%", "%%"),
    )
    told: list[str] = []
    raw.add_notice_handler(lambda notice: told.append(notice.message_primary or ""))
    ask(raw, "SELECT set_config('request.jwt.claims', %s, true)", ACME)
    ask(raw, "SELECT * FROM engram.api_keys WHERE pg_temp.tell(hash)")
    assert told == ["$argon2id$of-k-acme"]
    assert ask(raw, "SELECT * FROM pg_stats WHERE schemaname = 'engram'") == []


def test_functions_that_know_more_are_pinned_and_for_the_role_alone(
    owner: psycopg.Connection,
) -> None:
    found = ask(
        owner,
        "SELECT proname, prosecdef, proconfig, has_function_privilege('public', oid, 'EXECUTE')"
        " FROM pg_proc WHERE pronamespace = 'engram'::regnamespace",
    )
    assert {name for name, definer, _, _ in found if definer} == {
        *("tenant_by_slug", "tenant_by_id", "keys_by_prefix", "membership", "invite_by_hash"),
        *("entered", "audit_known", "note_use"),
        *("add_to_day", "chain_audit", "refuse_unless_over"),
    }
    for name, _, config, public in found:
        assert config == ["search_path=pg_catalog, pg_temp"], name
        assert not public, name


def test_questions_are_answered_whoever_shadows_their_tables(raw: psycopg.Connection) -> None:
    ask(raw, "CREATE TEMP TABLE tenants (id text, slug text)")
    ask(raw, "CREATE TEMP TABLE members (tenant_id text, user_id text)")
    ask(raw, "INSERT INTO members VALUES ('id-of-acme', 'eve')")
    ask(raw, "SET search_path = pg_temp, engram")
    assert ask(raw, "SELECT user_id FROM engram.membership('id-of-acme', 'eve')") == []
    claims = json.dumps({"tenant_id": "id-of-acme", "sub": "eve"})
    ask(raw, "SELECT set_config('request.jwt.claims', %s, true)", claims)
    assert ask(raw, "SELECT * FROM engram.members") == []


def test_claims_end_with_their_transaction(making: Making) -> None:
    plane = making()
    assert len(plane.within("id-of-acme", user_id="owner-of-acme").keys()) == 1
    pool: Any = plane._database._engine  # type: ignore[attr-defined]
    with pool.connect() as connection:  # the very connection that was used
        claims = connection.exec_driver_sql(
            "SELECT current_setting('request.jwt.claims', true)"
        ).scalar()
        assert not claims
        assert connection.exec_driver_sql("SELECT count(*) FROM engram.api_keys").scalar() == 0


def test_without_the_owners_address_nobody_is_the_operator(making: Making) -> None:
    settings = ControlSettings(dsn=making.settings.dsn)
    plane = open_control_plane(settings, making.folder, clock=making.clock)
    try:
        with pytest.raises(UnavailableError, match=r"set control\.admin_dsn"):
            plane.as_operator()
        assert plane.tenant_by_slug("acme") is not None
        assert plane.revision() is None
    finally:
        plane.close()


@pytest.mark.parametrize("kind", ["owner", "superuser", "bypass", "member"])
def test_a_role_that_row_security_does_not_bind_is_refused(
    postgres: PostgresServer, making: Making, kind: str
) -> None:
    assert making.settings.dsn is not None
    database = making.settings.dsn.split("?")[0].rsplit("/", 1)[1]
    made = {
        "bypass": f"CREATE ROLE bypass LOGIN BYPASSRLS PASSWORD '{PASSWORD}'",
        "member": f"CREATE ROLE member LOGIN NOINHERIT IN ROLE owner PASSWORD '{PASSWORD}'",
    }
    with postgres.connected("superuser", database) as connection:
        if kind in made:
            connection.execute(made[kind].encode())
        try:
            for admin_dsn in (None, making.settings.admin_dsn):
                settings = ControlSettings(dsn=postgres.dsn(kind, database), admin_dsn=admin_dsn)
                with pytest.raises(ConfigError, match="does not bind"):
                    open_control_plane(settings, making.folder, clock=making.clock)
            with pytest.raises(ConfigError, match="does not bind"):
                set_up(postgres.dsn("owner", database), role=kind)
        finally:
            if kind in made:
                connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(kind)))


def test_a_superuser_may_set_up_and_be_the_operator(
    postgres: PostgresServer, tmp_path: Path, making: Making
) -> None:
    name = postgres.new_database()
    try:
        set_up(postgres.dsn("superuser", name), role="server", password=PASSWORD)
        settings = ControlSettings(
            dsn=postgres.dsn("server", name), admin_dsn=postgres.dsn("superuser", name)
        )
        plane = open_control_plane(settings, tmp_path, clock=making.clock)
        furnished(plane, "acme")
        assert len(plane.within("id-of-acme", user_id="owner-of-acme").keys()) == 1
        assert plane.within("id-of-acme").revoke_key("key-k-acme", at=NOON).revoked_at == NOON
        plane.close()
    finally:
        postgres.drop(name)
