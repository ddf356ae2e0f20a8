from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING

import psycopg
import pytest

from engram_lab.config.serving import ControlSettings
from engram_lab.serve.control.setting_up import set_up

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD = "of-the-tests"  # noqa: S105 - of a server that lives for as long as the tests


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def postgres_binaries() -> Path | None:
    """Return the folder of the newest PostgreSQL here."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return versions[-1].parent if versions else None


@dataclass(frozen=True, kw_only=True)
class PostgresServer:
    """A server of our own, on a socket in a folder that goes with it.

    `owner` may make roles and databases and is bound by row-level security, as on a server that
    somebody rents; `superuser` is for what only a test does.
    """

    folder: Path
    numbers: Iterator[int] = field(default_factory=count)

    def dsn(self, user: str, database: str = "postgres") -> str:
        return f"postgresql://{user}:{PASSWORD}@/{database}?host={self.folder}"

    @contextmanager
    def connected(self, user: str, database: str = "postgres") -> Iterator[psycopg.Connection]:
        with psycopg.connect(self.dsn(user, database), autocommit=True) as connection:
            yield connection

    def new_database(self, template: str = "template1") -> str:
        name = f"test_{next(self.numbers)}"
        with self.connected("owner") as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
        return name

    def drop(self, database: str) -> None:
        # As the superuser: the server's own vacuum may be at work there, and it is nobody else's.
        with self.connected("superuser") as connection:
            connection.execute(f"DROP DATABASE {database} WITH (FORCE)".encode())


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """Start a PostgreSQL server as somebody without privileges, which it insists on."""
    binaries = postgres_binaries()
    if binaries is None:
        pytest.skip("PostgreSQL is not installed: apt install postgresql")
    account = None
    if os.geteuid() == 0:
        names = {each.pw_name for each in pwd.getpwall()}
        account = "postgres" if "postgres" in names else "nobody"
    with tempfile.TemporaryDirectory(prefix="engram-pg-", ignore_cleanup_errors=True) as place:
        folder = Path(place)
        secret = folder / "password"
        secret.write_text(PASSWORD, encoding="utf-8")
        if account is not None:
            shutil.chown(folder, account)
            shutil.chown(secret, account)
        data = folder / "data"
        making = f"{binaries / 'initdb'} -D {data} -U superuser --pwfile {secret} -A scram-sha-256"
        subprocess.run(
            [*making.split(), "-E", "UTF8", "--locale=C", "--no-sync"],
            check=True,
            capture_output=True,
            user=account,
            cwd=folder,
            timeout=120,
        )
        with (folder / "log").open("wb") as log:
            running = f"{binaries / 'postgres'} -D {data} -k {folder} -c max_connections=60"
            server = subprocess.Popen(
                [*running.split(), "-c", "listen_addresses=", "-c", "fsync=off"],
                stdout=log,
                stderr=log,
                user=account,
                cwd=folder,
            )
        try:
            ready = f"{binaries / 'pg_isready'} -h {folder} -q".split()
            for _ in range(600):
                if subprocess.run(ready, check=False).returncode == 0:
                    break
                assert server.poll() is None, (folder / "log").read_text()
                sleep(0.02)
            made = PostgresServer(folder=folder)
            with made.connected("superuser") as connection:
                connection.execute(
                    f"CREATE ROLE owner LOGIN CREATEROLE CREATEDB PASSWORD '{PASSWORD}'".encode()
                )
            yield made
        finally:
            server.terminate()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


@pytest.fixture(scope="session")
def postgres_template(postgres: PostgresServer) -> str:
    """A database that is set up for the control plane, to be copied."""
    name = postgres.new_database()
    set_up(postgres.dsn("owner", name), role="server", password=PASSWORD)
    return name


@pytest.fixture
def postgres_control(postgres: PostgresServer, postgres_template: str) -> Iterator[ControlSettings]:
    """Settings of a control plane in a new database: the server's role, and the owner's."""
    name = postgres.new_database(postgres_template)
    yield ControlSettings(dsn=postgres.dsn("server", name), admin_dsn=postgres.dsn("owner", name))
    postgres.drop(name)
