from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

import pytest

from engram_lab import Engine
from engram_lab.cli.serving import plan_at_start
from engram_lab.config import AuthSettings, ServerConfig, ServeSettings
from tests.serve.conftest import PASSWORD, postgres
from tests.serve.live import HASHING, live, settings

__all__ = ["postgres"]  # a fixture

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.conftest import Engram
    from tests.serve.conftest import PostgresServer
    from tests.serve.live import Live


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ENGRAM_TENANCY_DATA", str(tmp_path / "hosted"))
    monkeypatch.setenv("ENGRAM_EMBEDDING_MODEL", "hashing")
    monkeypatch.setenv("ENGRAM_EMBEDDING_DIM", "64")
    return tmp_path


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Live]:
    with live(settings(tmp_path / "served")) as found:
        yield found


def test_a_tenant_comes_rests_and_goes(engram: Engram) -> None:
    assert "no tenants" in engram("tenant", "list")
    assert "engram key create acme" in engram("tenant", "create", "acme", "--plan", "pro")
    (listed,) = engram.json("tenant", "list")
    assert (listed["slug"], listed["plan"], listed["state"]) == ("acme", "pro", "active")
    engram("tenant", "suspend", "acme")
    assert engram.json("tenant", "show", "acme")["state"] == "suspended"
    engram("tenant", "resume", "acme")
    engram("tenant", "change", "acme", "--plan", "team", "--name", "Acme & Co")
    assert engram.json("tenant", "show", "acme")["name"] == "Acme & Co"
    assert "delete it first" in engram.refused("tenant", "purge", "acme")
    engram("tenant", "delete", "acme")
    assert "30 days" in engram.refused("tenant", "purge", "acme")
    engram("tenant", "purge", "acme", "--now")
    assert engram.json("tenant", "list") == []


def test_a_tenant_shows_how_many_memories_it_has(engram: Engram) -> None:
    engram("tenant", "create", "acme")
    assert engram.json("tenant", "show", "acme")["memories"] == 0
    rows = "".join(f'{{"content": "note {number}"}}\n' for number in range(3))
    Path("rows.jsonl").write_text(rows, encoding="utf-8")
    engram("tenant", "import", "acme", "rows.jsonl")
    assert engram.json("tenant", "show", "acme")["memories"] == 3
    copied = engram("tenant", "export", "acme", "copy.db")
    assert "3 memories, 3 vectors" in copied
    engram("tenant", "suspend", "acme")
    assert engram.json("tenant", "show", "acme")["memories"] == 3


def test_everything_that_was_done_is_in_the_audit(engram: Engram) -> None:
    engram("tenant", "create", "acme")
    secret = engram("key", "create", "acme").strip()
    told = engram.json("tenant", "audit", "acme")
    assert [each["kind"] for each in told["entries"]] == ["key.create", "tenant.create"]
    assert told["broken_at"] is None
    assert secret not in json.dumps(told)


def test_the_audit_tells_one_change_from_another(engram: Engram) -> None:
    engram("tenant", "create", "acme")
    engram("tenant", "suspend", "acme")
    engram("tenant", "change", "acme", "--name", "Acme & Co")
    renamed, suspended, made = engram.json("tenant", "audit", "acme")["entries"]
    assert made["details"] == {"plan": "free", "owner": None}
    assert suspended["details"] == {"state": {"from": "active", "to": "suspended"}}
    assert renamed["details"] == {"name": {"from": "acme", "to": "Acme & Co"}}
    assert "active → suspended" in " ".join(engram("tenant", "audit", "acme").split())


def test_the_servers_own_audit_is_shown_and_leads_to_that_of_a_purged_tenant(
    engram: Engram,
) -> None:
    assert engram.json("tenant", "audit") == {"broken_at": None, "entries": []}
    engram("tenant", "create", "acme")
    engram("tenant", "delete", "acme")
    said = engram("tenant", "purge", "acme", "--now")
    (own,) = engram.json("tenant", "audit")["entries"]
    assert (own["kind"], own["details"]) == ("tenant.purge", {"slug": "acme"})
    assert own["target"] in said
    kept = engram.json("tenant", "audit", own["target"])
    assert [each["kind"] for each in kept["entries"]] == [
        *("tenant.purge", "tenant.delete", "tenant.create")
    ]
    assert kept["broken_at"] is None
    assert "which were purged" in engram.refused("tenant", "audit", "acme")


def test_a_record_that_was_changed_is_told_of(engram: Engram, place: Path) -> None:
    engram("tenant", "create", "acme")
    engram("tenant", "delete", "acme")
    engram("tenant", "purge", "acme", "--now")
    with closing(sqlite3.connect(place / "hosted" / "control.db")) as database:
        triggers = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in triggers.fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.execute("UPDATE audit SET details = '{}' WHERE tenant_id = ''")
        database.commit()
    ran = engram.run("tenant", "audit")
    assert (ran.code, "broken at entry 1" in ran.out) == (1, True)


def test_people_are_let_in_and_taken_out_by_command(engram: Engram) -> None:
    engram("tenant", "create", "acme")
    assert "--role owner" in engram("tenant", "members", "acme")
    assert "ann: viewer of acme" in engram("tenant", "member", "acme", "ann", "--role", "viewer")
    engram("tenant", "member", "acme", "ann", "--role", "owner", "--email", "ann@example.com")
    engram("tenant", "member", "acme", "bob", "--role", "member")
    found = engram.json("tenant", "members", "acme")
    assert [(each["user_id"], each["role"], each["email"]) for each in found] == [
        ("ann", "owner", "ann@example.com"),
        ("bob", "member", None),
    ]
    engram("tenant", "member", "acme", "bob", "--remove")
    assert "last owner" in engram.refused("tenant", "member", "acme", "ann", "--remove")
    assert "bob" not in engram("tenant", "members", "acme")
    kinds = [each["kind"] for each in engram.json("tenant", "audit", "acme")["entries"]]
    assert kinds == ["member.remove", *["member.put"] * 3, "tenant.create"]


def test_a_bundle_that_no_server_may_know_is_warned_of(engram: Engram) -> None:
    engram("tenant", "create", "acme")
    told = " ".join(engram("tenant", "change", "acme", "--bundle", "canary").split())
    assert "--bundle canary=FILE" in told
    assert "503" in told
    assert "503" not in engram("tenant", "change", "acme", "--name", "Acme")
    assert "503" not in engram("tenant", "change", "acme", "--bundle", "-")


def test_a_key_is_printed_once_and_alone(engram: Engram) -> None:
    engram("tenant", "create", "acme")
    secret = engram("key", "create", "acme", "--scope", "search", "--test").strip()
    assert secret.startswith("ek_test_")
    (key,) = engram.json("key", "list", "acme")
    assert (key["prefix"], key["scopes"]) == (secret[:12], ["search"])
    assert "hash" not in key
    other = engram("key", "rotate", "acme", key["id"], "--overlap", "60").strip()
    assert other != secret
    engram("key", "revoke", "acme", key["id"])
    states = {each["id"]: each["revoked_at"] for each in engram.json("key", "list", "acme")}
    assert states[key["id"]] is not None
    assert list(states.values()).count(None) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("tenant", "create", "Acme!"), "a-z"),
        (("tenant", "create", "www"), "server itself"),
        (("tenant", "create", "acme", "--plan", "gold"), "free, pro, team, dedicated"),
        (("tenant", "show", "nobody"), "engram tenant list"),
        (("tenant", "member", "acme", "ann"), "either --role"),
        (("tenant", "member", "acme", "ann", "--role", "king"), "owner, admin, member, viewer"),
        (("tenant", "member", "acme", "", "--role", "owner"), "1 to 255"),
        (("tenant", "members", "nobody"), "engram tenant list"),
        (("key", "create", "nobody"), "engram tenant list"),
        (("tenant", "backup", "nobody"), "engram tenant list"),
        (("serve", "--bundle", "no-such.bundle"), "does not exist"),
        (("pull", "http://127.0.0.1:9"), "ENGRAM_KEY"),
    ],
)
def test_a_mistake_is_one_sentence(engram: Engram, words: tuple[str, ...], said: str) -> None:
    assert said in engram.refused(*words)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("serve", "--host", "::"), "auth"),
        (("serve", "--port", "99999"), "0 to 65535"),
        (("tenant", "backup", "acme"), "backups.place"),
    ],
)
def test_a_configuration_that_cannot_be_says_why(
    engram: Engram, words: tuple[str, ...], said: str
) -> None:
    engram("tenant", "create", "acme")
    ran = engram.run(*words)
    assert ran.code == 2
    assert said in ran.err


def test_a_backup_is_made_and_rehearsed(
    engram: Engram, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENGRAM_BACKUPS_PLACE", str(place / "kept"))
    monkeypatch.setenv("ENGRAM_BACKUPS_KEY_FILE", str(place / "key"))
    engram("tenant", "create", "acme")
    rows = place / "rows.jsonl"
    rows.write_text('{"content": "kept safe"}\n')
    engram("tenant", "import", "acme", str(rows))
    engram("tenant", "backup", "acme")
    engram("tenant", "rekey")
    assert engram.json("tenant", "audit")["entries"][0]["kind"] == "backup.rekey"
    (kept,) = engram.json("tenant", "backups", "acme")
    engram("tenant", "verify", "acme", kept["name"])
    told = engram.json("tenant", "drill", "acme")
    assert (told["problems"], told["counts"]["memories"]) == ([], 1)
    assert "replaced" in engram.refused("tenant", "restore", "acme", kept["name"])
    assert "restored" in engram("tenant", "restore", "acme", kept["name"], "--replace")


def test_postgresql_is_set_up_by_one_command(
    engram: Engram, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = postgres.new_database()
    monkeypatch.setenv("ENGRAM_CONTROL_ADMIN_DSN", postgres.dsn("owner", name))
    monkeypatch.setenv("ENGRAM_ROLE_PASSWORD", PASSWORD)
    for _ in range(2):  # again at any time
        assert "role of_a_test" in engram("setup", "--role", "of_a_test")
    monkeypatch.setenv("ENGRAM_CONTROL_DSN", postgres.dsn("of_a_test", name))
    engram("tenant", "create", "acme")
    engram("key", "create", "acme")
    assert [each["slug"] for each in engram.json("tenant", "list")] == ["acme"]
    assert engram.json("tenant", "audit", "acme")["broken_at"] is None


def exported(path: Path, folder: Path) -> bytes:
    with Engine.open(path, config=HASHING) as engine:
        engine.export(folder / f"{path.stem}.jsonl")
    return (folder / f"{path.stem}.jsonl").read_bytes()


def test_a_database_goes_to_a_server_and_back_without_a_loss(
    engram: Engram, served: Live, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, back = place / "here.db", place / "back.db"
    with Engine.open(here, config=HASHING) as engine:
        a = engine.remember("first", tags=["x"], metadata={"deep": {"y": [1, 2]}})
        b = engine.remember("second <private>hidden</private>")
        engine.update(a.id, content="first, changed", reason="it was")
        engine.link(a.id, b.id, weight=0.3)
        engine.forget(b.id)
    monkeypatch.setenv("ENGRAM_KEY", served.key("acme"))
    told = engram.json("push", served.url, "--tenant", "acme", "--db", str(here))
    assert told["imported"]["memories"] == 2
    again = engram.json("push", served.url, "--tenant", "acme", "--db", str(here))
    assert (again["imported"].get("memories", 0), again["refused"]) == (0, [])
    engram("pull", served.url, "--tenant", "acme", "--db", str(back))
    assert exported(back, place) == exported(here, place)


def test_a_server_that_refuses_or_is_not_there_says_so(
    engram: Engram, served: Live, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    db = place / "here.db"
    Engine.open(db, config=HASHING).close()
    monkeypatch.setenv("ENGRAM_KEY", "ek_live_forged")
    assert "not valid" in engram.refused("push", served.url, "--tenant", "acme", "--db", str(db))
    assert "not valid" in engram.refused("pull", served.url, "--tenant", "acme", "--db", str(db))
    assert "cannot be reached" in engram.refused("push", "http://127.0.0.1:9", "--db", str(db))


def test_serve_serves_until_it_is_told_to_stop(engram: Engram) -> None:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    command = [sys.executable, "-m", "engram_lab.cli", "serve", "--port", str(port)]
    process = subprocess.Popen(
        [*command, "--tenant", "home"], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        url = f"http://127.0.0.1:{port}/v1/memories"
        asked = Request(
            url, data=b'{"content": "served"}', headers={"Content-Type": "application/json"}
        )
        ends = time.monotonic() + 60
        while True:
            try:
                with urlopen(asked) as answer:  # noqa: S310 - our own server
                    told: dict[str, Any] = json.load(answer)
                break
            except OSError:
                assert time.monotonic() < ends
                assert process.poll() is None, process.communicate()
                time.sleep(0.05)
        assert told["data"]["content"] == "served"
    finally:
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=30)
    assert process.returncode in {0, -signal.SIGTERM}
    assert all(line.startswith("{") for line in log.splitlines())
    assert Path(os.environ["ENGRAM_TENANCY_DATA"], "control.db").is_file()
    assert engram.json("tenant", "show", "home")["plan"] == "dedicated"  # nobody was asked


@pytest.mark.parametrize(
    ("section", "plan"),
    [
        ({}, "dedicated"),
        ({"auth": AuthSettings(enabled=True)}, "free"),
        (
            {
                "auth": AuthSettings(allow_insecure=True),
                "serve": ServeSettings(host="0.0.0.0"),  # noqa: S104 - nothing listens
            },
            "free",
        ),
    ],
)
def test_only_who_is_alone_with_a_server_has_no_limits(section: dict[str, Any], plan: str) -> None:
    assert plan_at_start(ServerConfig(**section)) == plan
