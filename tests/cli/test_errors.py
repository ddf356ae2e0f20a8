from __future__ import annotations

import os
import re
import shlex
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from engram_lab import Engine

if TYPE_CHECKING:
    from tests.cli.conftest import Engram

PROGRAM = [sys.executable, "-m", "engram_lab.cli"]
FOR_ANY = {  # what stands for what in the commands below
    "NOBODY": "01890a5d-ac96-774b-bcce-b302099a8057",
    "LONG": "x" * 20_000,
    "SURROGATE": os.fsdecode(b"caf\xe9"),
    "ESCAPE": "a\x1b[31mb",
}


@pytest.fixture
def memory(engram: Engram) -> str:
    return engram.remember("text")


# A mistake is one sentence, and nothing is changed


MISTAKES = [
    ("get NOBODY", "that you may see: `engram list` shows those that there are"),
    ("get nonsense", "there is no memory 'nonsense'"),
    ("undo nonsense", "there is no dream 'nonsense': `engram dreams` lists those that there are"),
    ("backup restore nofile", "nofile does not exist: give the path of a backup"),
    ("purge MEMORY NOBODY", "there is no memory"),
    ("history NOBODY", "there is no memory"),
    ("update NOBODY --type fact", "there is no memory"),
    ("forget NOBODY", "there is no memory"),
    ("restore NOBODY", "there is no memory"),
    ("purge NOBODY --yes", "there is no memory"),
    ("update MEMORY", "nothing to change was given"),
    ("update MEMORY --clear content", "content cannot be cleared"),
    ("update MEMORY --clear colour", "'colour' is no field"),
    ("update MEMORY --lifecycle gone", "allowed are active, stale, archived"),
    ("restore MEMORY --version 9", "version"),
    ("remember ''", "content is empty"),
    ("remember x --importance nan", "give a number from 0 to 1"),
    ("remember x --importance inf", "give a number from 0 to 1"),
    ("remember x --importance 2", "give a number from 0 to 1"),
    ("remember x --metadata '{bad'", "--metadata is no JSON"),
    ("""remember x --metadata '{"a": NaN}'""", "--metadata is no JSON"),
    ("remember x --metadata [1]", "give an object"),
    ("remember x --event-at soon", "no ISO 8601 time"),
    ("remember x --expires-at 2001-01-01", "not after the present"),
    ("remember x --dedup maybe", "allowed are allow, reject, skip, merge"),
    ("remember x --workspace Harbour!", "give 1 to 64 of"),
    ("remember x --scope nowhere", "scope"),
    ("remember x --tag ESCAPE", "control characters"),
    ("remember x --reason ESCAPE", "control characters"),
    ("remember LONG", "at most 10000 are allowed"),
    ("remember SURROGATE", "lone surrogate"),
    ("recall LONG", "at most 10000"),
    ("recall x -k 0", "give a whole number from 1"),
    ("recall x -k -1", "give a whole number from 1"),
    ("recall x --filter '{bad'", "--filter is no JSON"),
    ("recall x --filter [1]", "a filter is an object"),
    ("""recall x --filter '{"colour": 1}'""", "allowed are id, content"),
    ("""recall x --filter '{"importance": {"contains": 1}}'""", "allowed are eq"),
    ("recall x --scope nowhere", "scope"),
    ("list --limit 0", "allowed are 1 to 10000"),
    ("list --limit 99999999999999999999", "allowed are 1 to 10000"),
    ("list --order colour", "allowed are id, created_at"),
    ("list --as-of yesterday", "--as-of is 'yesterday', which is no ISO 8601 time"),
    ("get MEMORY --as-of yesterday", "--as-of is 'yesterday', which is no ISO 8601 time"),
    ("list --cursor nonsense", "the cursor is of another listing"),
    ("list --db .", "is a folder"),
    ("list --db /dev/null", "is no regular file"),
    ("remember x --db no/notes.db", "the folder no does not exist"),
    ("list --db foreign.txt", "the file is no SQLite database"),
    ("remember x --db foreign.txt", "the file is no SQLite database"),
    ("doctor --db foreign.txt", "the file is no SQLite database"),
    ("list --db foreign.db", "is a database of another program"),
    ("remember x --db foreign.db", "is a database of another program"),
    ("list --db empty.db", "empty.db is an empty file and no database"),
    ("recall x --db empty.db", "empty.db is an empty file and no database"),
    ("forget x --db empty.db", "`engram remember` or `engram import`"),
    ("list --set store.kind=cloud", "known are sqlite"),
    ("import missing.jsonl", "missing.jsonl does not exist"),
    ("export no/out", "the folder no does not exist"),
    ("export foreign.txt", "foreign.txt exists"),
    ("import ~nobody-here/x.jsonl", "~nobody-here/x.jsonl does not exist"),
    ("export ~nobody-here/out", "~nobody-here does not exist"),
    ("list --db ~nobody-here/x.db", "there is no database"),
    ("backup verify ~nobody-here/x.db", "~nobody-here/x.db does not exist"),
    ("backup create ~nobody-here/x.db", "~nobody-here does not exist"),
]


@pytest.mark.parametrize(("command", "why"), MISTAKES)
def test_a_mistake_is_one_sentence(engram: Engram, memory: str, command: str, why: str) -> None:
    Path("foreign.txt").write_text("another program's\n" * 99, encoding="utf-8")
    Path("empty.db").touch()
    with closing(sqlite3.connect("foreign.db")) as connection:
        connection.execute("CREATE TABLE t (x)")
    before = {file.name: file.read_bytes() for file in Path().glob("foreign.*")}
    known = FOR_ANY | {"MEMORY": memory}

    args = [known.get(each, each) for each in shlex.split(command)]

    assert why in engram.refused(*args)
    assert {file.name: file.read_bytes() for file in Path().glob("foreign.*")} == before
    assert [(each.name, each.stat().st_size) for each in Path().glob("empty*")] == [("empty.db", 0)]


@pytest.mark.parametrize(
    "command",
    [
        *("nonsense", "recall", "remember", "get", "get a b", "purge", "import", "export"),
        *("recall x --colour", "list --limit many", "remember x --importance much"),
        *("update x --version one", "backup nonsense", "backup verify", "config nonsense"),
        *("recall x -k", "list extra", "--colour"),
    ],
)
def test_a_wrong_command_line_is_told_how_it_is_used(engram: Engram, command: str) -> None:
    ran = engram.run(*command.split())
    assert (ran.code, ran.out) == (2, "")
    assert re.fullmatch(r"engram: .+: see `engram( \w+)* --help`\n", ran.err)
    assert not list(Path().iterdir())


@pytest.mark.parametrize(
    "command",
    [
        *("recall x", "get x", "list", "update x --type fact", "forget x", "restore x"),
        *("history x", "purge x --yes", "export out", "backup create copy.db", "doctor", "cleanup"),
    ],
)
@pytest.mark.parametrize("place", ["typo.db", "no/typo.db"])
def test_only_what_brings_memories_makes_a_database(
    engram: Engram, command: str, place: str
) -> None:
    why = engram.refused(*command.split(), "--db", place)
    assert why.startswith(f"there is no database {place}: ")
    assert not list(Path().iterdir())


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("recall x -k abc", "'abc' for '-k': give a whole number: see"),
        ("update x --version 1.5", "'1.5' for '--version': give a whole number: see"),
        ("remember x --importance much", "'much' for '--importance': give a number: see"),
        ("tenant audit acme --limit 0", "'0' for '--limit': give 1 or more: see"),
        ("tenant audit acme --limit 999999", "'999999' for '--limit': give 100000 or less: see"),
    ],
)
def test_a_wrong_number_is_told_in_plain_words(engram: Engram, command: str, why: str) -> None:
    said = engram.refused(*command.split())
    assert f"Invalid value {why} `engram " in said


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="a folder in which nobody may write")
@pytest.mark.parametrize("name", ["out", "out.jsonl"])
def test_an_export_that_cannot_be_written_names_what_was_given(
    engram: Engram, memory: str, name: str
) -> None:
    said = engram.refused("export", f"/proc/{name}")
    assert said.startswith(f"/proc/{name} cannot be read or written (")
    assert "incoming" not in said


def test_a_cursor_is_good_for_its_own_listing_alone(engram: Engram, memory: str) -> None:
    engram.remember("more")
    cursor = engram.json("list", "--limit", "1")["next_cursor"]
    assert "another listing" in engram.refused("list", "--cursor", cursor, "--desc")
    assert "another listing" in engram.refused("list", "--cursor", cursor, "--order", "importance")
    engram("list", "--cursor", cursor)


def test_what_the_machine_refuses_is_one_sentence_too(
    engram: Engram, memory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied", "out")

    monkeypatch.setattr(Engine, "export", refuse)
    assert engram.refused("export", "out") == (
        "out cannot be read or written (Permission denied): give another path, or see to it that "
        "you may use this one"
    )

    def fail(*_: Any, **__: Any) -> None:
        raise OSError("something is wrong")

    monkeypatch.setattr(Engine, "export", fail)
    assert engram.refused("export", "out") == "something is wrong"


def test_a_database_in_memory_needs_no_file(engram: Engram) -> None:
    engram("remember", "x", "--db", ":memory:")
    for command in (["list"], ["recall", "x"]):
        assert engram(*command, "--db", ":memory:") == "nothing found\n"
    assert not list(Path().iterdir())


def test_without_a_home_the_default_is_refused(
    engram: Engram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ENGRAM_STORE_PATH")
    monkeypatch.setenv("HOME", "/nonexistent")
    assert "there is no database /nonexistent/.engram" in engram.refused("list")
    assert "/nonexistent/.engram" in engram.refused("remember", "x")


# The process


@pytest.mark.parametrize("where", ["engram_lab.engine.Engine.remember", "engram_lab.cli.app"])
def test_ctrl_c_gives_130(engram: Engram, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(where, interrupt)
    ran = engram.run("remember", "x")
    assert (ran.code, ran.out) == (130, "")
    assert ran.err == "engram: stopped; what was not finished was not kept\n"


@pytest.mark.skipif(os.name == "nt", reason="there are no such signals")
def test_ctrl_c_while_waiting_for_standard_input(engram: Engram) -> None:
    with subprocess.Popen(
        [*PROGRAM, "remember", "-"], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        time.sleep(3)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()
    assert process.returncode == 130
    assert err == "engram: stopped; what was not finished was not kept\n"
    assert not Path("notes.db").exists()


@pytest.mark.parametrize("command", ["list --limit 200", "list --json --limit 200", "--help"])
def test_a_closed_pipe_is_no_accident(engram: Engram, command: str) -> None:
    rows = "".join(f'{{"content": "{number} {"word " * 99}"}}\n' for number in range(200))
    Path("rows.jsonl").write_text(rows, encoding="utf-8")
    engram("import", "rows.jsonl")
    with subprocess.Popen(
        [*PROGRAM, *command.split()], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode in {0, 1}


@pytest.mark.skipif(os.name == "nt", reason="a shell's business")
@pytest.mark.parametrize(
    ("redirection", "code", "said"),
    [
        (">&-", 0, ""),
        ("<&-", 0, ""),
        (">/dev/full", 2, "engram: No space left on device\n"),
    ],
)
def test_closed_and_full_streams(
    engram: Engram, memory: str, redirection: str, code: int, said: str
) -> None:
    if redirection.endswith("full") and not Path("/dev/full").exists():
        pytest.skip("no such device here")
    command = f"{shlex.join([*PROGRAM, 'list'])} {redirection}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (code, said)


def test_standard_input_that_is_closed_holds_nothing(engram: Engram) -> None:
    command = f"{shlex.join([*PROGRAM, 'remember', '-'])} <&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "engram: content is empty: a memory needs a text\n"


def test_a_terminal_may_lack_characters(engram: Engram) -> None:
    memory = engram.remember("日本語 …")
    for command in (["list"], ["get", memory], ["history", memory], ["recall", "日本語"]):
        done = subprocess.run(
            [*PROGRAM, *command],
            env=os.environ | {"PYTHONIOENCODING": "ascii"},
            capture_output=True,
            check=True,
        )
        assert rb"\u65e5\u672c\u8a9e \u2026" in done.stdout
