from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import apsw
import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Engram

CHECKS = [
    *("file", "contents", "text index", "tag index", "metadata index"),
    *("orphans", "change log", "vectors"),
]


@pytest.fixture
def memory(engram: Engram) -> str:
    return engram.remember("text", "--tag", "a")


# backup


def test_a_backup_is_made_verified_and_put_back(engram: Engram, memory: str) -> None:
    made = engram("backup", "create", "copy.db")
    size = Path("copy.db").stat().st_size
    first, second = made.splitlines()
    assert first == f"copy.db is sound: 1 memory, 1 vector ({size:,} bytes)"
    assert second.startswith("sha256 ")
    assert engram("backup", "verify", "copy.db") == made

    engram("update", memory, "--content", "newer")
    later = engram("backup", "create", "later.db")
    assert "later.db is sound: 1 memory, 1 former version, 1 vector" in later
    assert engram.json("export", "all.jsonl")["rows"]["versions"] == 2
    said = engram("backup", "restore", "copy.db").splitlines()
    assert said[0] == "notes.db is now the backup copy.db"
    kept = said[1].removeprefix("the file that was there is kept as ")
    assert engram.json("get", memory)["content"] == "text"
    assert engram.json("get", memory, "--db", kept)["content"] == "newer"


def test_backups_as_json(engram: Engram, memory: str) -> None:
    made = engram.json("backup", "create", "copy.db", "--compact")
    assert made.keys() == {"path", "sha256", "size_bytes", "schema", "last_change", "counts"}
    assert (made["path"], made["counts"]["memories"]) == ("copy.db", 1)
    assert engram.json("backup", "verify", "copy.db") == made
    done = engram.json("backup", "restore", "copy.db", "--db", "other.db")
    assert done == {"backup": made, "path": "other.db", "kept": None}
    assert engram.json("get", memory, "--db", "other.db")["id"] == memory


def test_a_backup_put_where_nothing_was(engram: Engram, memory: str) -> None:
    engram("backup", "create", "copy.db")
    said = engram("backup", "restore", "copy.db", "--db", "other.db")
    assert said == "other.db is now the backup copy.db\n"


def test_a_backup_never_replaces_a_file(engram: Engram, memory: str) -> None:
    assert "notes.db exists" in engram.refused("backup", "create", "notes.db")
    assert "does not exist" in engram.refused("backup", "create", "no/copy.db")


@pytest.mark.parametrize("command", ["verify", "restore"])
def test_what_is_no_backup(engram: Engram, memory: str, command: str) -> None:
    Path("foreign.db").write_text("another program's", encoding="utf-8")
    assert "missing.db does not exist" in engram.refused("backup", command, "missing.db")
    assert "foreign.db does not verify" in engram.refused("backup", command, "foreign.db")
    assert engram.json("get", memory)["id"] == memory


# doctor


def test_the_doctor_finds_a_sound_database_sound(engram: Engram, memory: str) -> None:
    lines = engram("doctor").splitlines()
    assert [line.split("  ")[:2] for line in lines] == [["ok", name] for name in CHECKS]
    found = engram.json("doctor", "--repair")
    assert [each["name"] for each in found] == CHECKS
    assert {key for each in found for key in each} == {"name", "ok", "detail"}


def test_the_doctor_finds_an_index_ill_and_repairs_it(engram: Engram, memory: str) -> None:
    with closing(apsw.Connection("notes.db")) as connection:
        connection.execute("DELETE FROM memory_tags")

    ran = engram.run("doctor")
    assert (ran.code, ran.err) == (1, "")
    assert "ILL  tag index       1 entries are missing\n" in ran.out
    assert "`engram doctor --repair` rebuilds" in ran.out.splitlines()[-1]

    ran = engram.run("doctor", "--json")
    assert ran.code == 1
    assert [each["name"] for each in ran.json if not each["ok"]] == ["tag index"]

    assert "ILL" not in engram("doctor", "--repair")
    assert "ILL" not in engram("doctor")


def test_the_doctor_of_a_file_past_help_points_to_a_backup(engram: Engram, memory: str) -> None:
    Path("cut.db").write_bytes(Path("notes.db").read_bytes()[:500])
    ran = engram.run("doctor", "--db", "cut.db")
    assert (ran.code, ran.err) == (1, "")
    first, second = ran.out.splitlines()
    assert first.startswith("ILL  file  it cannot be opened: ")
    assert "engram backup restore" in second
    assert engram.run("doctor", "--db", "cut.db", "--json").json[0]["ok"] is False


# cleanup


def test_cleanup_says_what_it_did(engram: Engram, memory: str) -> None:
    said = "0 expired and were purged; 0 too old and 0 over the limit were forgotten\n"
    assert engram("cleanup") == said
    assert engram.json("cleanup") == {"expired": 0, "aged_out": 0, "over_limit": 0}
