from __future__ import annotations

import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from engram_lab.config import EngineConfig, ServerConfig

if TYPE_CHECKING:
    from tests.cli.conftest import Engram

ALL_SETTINGS = [*EngineConfig.settings(), *ServerConfig.settings()]

DEFAULT = "~/.engram/engram.db"


def setting(shown: Any, name: str) -> tuple[Any, str]:
    (found,) = (each for each in shown["settings"] if each["name"] == name)
    return found["value"], found["source"]


def yaml(text: str) -> tuple[str, str]:
    Path("given.yaml").write_text(text, encoding="utf-8")
    return "--config", "given.yaml"


# Where a value comes from


def test_a_flag_beats_a_variable_beats_a_file_beats_the_default(
    engram: Engram, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = yaml("store: {path: file.db}")

    def path(*options: str) -> tuple[Any, str]:
        return setting(engram.json("config", "show", *options), "store.path")

    assert path(*file, "--db", "flag.db") == ("flag.db", "--db")
    assert path(*file) == ("notes.db", "ENGRAM_STORE_PATH")
    monkeypatch.delenv("ENGRAM_STORE_PATH")
    assert path(*file) == ("file.db", "given.yaml")
    assert path("--set", "store.path=set.db") == ("set.db", "--set store.path")
    assert path() == (DEFAULT, "default")


def test_commands_use_the_database_that_config_shows(
    engram: Engram, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = yaml("store: {path: file.db}")
    engram("remember", "by flag", *file, "--db", "flag.db")
    engram("remember", "by variable", *file)
    monkeypatch.delenv("ENGRAM_STORE_PATH")
    engram("remember", "by file", *file)
    assert {each.name for each in Path().glob("*.db")} == {"flag.db", "notes.db", "file.db"}


def test_the_file_at_home_is_read_unless_another_is_named(engram: Engram) -> None:
    folder = Path.home() / ".engram"
    folder.mkdir()
    (folder / "config.yaml").write_text("retrieval: {k: 3}", encoding="utf-8")
    shown = setting(engram.json("config", "show"), "retrieval.k")
    assert shown == (3, str(folder / "config.yaml"))
    other = yaml("retrieval: {k: 4}")
    assert setting(engram.json("config", "show", *other), "retrieval.k")[0] == 4


# What is shown


def test_config_shows_every_setting(engram: Engram) -> None:
    lines = engram("config", "show", "--set", "retrieval.k=7").splitlines()
    assert re.split("  +", lines[0]) == ["setting", "value", "source"]
    assert [line.split()[0] for line in lines[1:-1]] == ALL_SETTINGS
    (row,) = (line for line in lines if line.startswith("retrieval.k "))
    assert re.split("  +", row) == ["retrieval.k", "7", "--set retrieval.k"]
    config = EngineConfig.from_dict({"retrieval": {"k": 7}})
    assert lines[-1] == f"content hash {config.content_hash}"


def test_config_spells_values_as_files_do(engram: Engram) -> None:
    printed = engram("config", "show")
    assert re.search(r"store.seed +none ", printed)
    assert re.search(r"learning.record_recalls +true ", printed)


def test_config_explains_when_asked(engram: Engram, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert "how many hits recall returns unless told" in engram("config", "show", "--explain")
    assert "how many hits" not in engram("config", "show")


def test_config_as_json(engram: Engram) -> None:
    shown = engram.json("config", "show")
    assert shown.keys() == {"content_hash", "settings"}
    assert [each["name"] for each in shown["settings"]] == ALL_SETTINGS
    assert shown["settings"][0].keys() == {"name", "value", "source", "help"}
    assert shown["content_hash"] == EngineConfig().content_hash


@pytest.mark.parametrize("options", [[], ["--json"], ["--explain"]])
def test_secrets_are_masked(
    engram: Engram, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    path = "postgresql://ada:hunter2@host/db?api_key=4711&x=1"
    shown = engram("config", "show", "--db", path, *options)
    assert "hunter2" not in shown
    assert "4711" not in shown
    assert "ada:***@host/db?api_key=***&x=1" in shown


# What is wrong


def test_all_problems_are_told_at_once(engram: Engram, monkeypatch: pytest.MonkeyPatch) -> None:
    file = yaml("retrieval: {k: 0}\nlearnign: {}\nstore: {path: a, path: b}")
    monkeypatch.setenv("ENGRAM_RETRIEVAL_K", "many")
    monkeypatch.setenv("ENGRAM_STORE_PTAH", "x")

    ran = engram.run("config", "show", *file, "--set", "store.dedup=maybe", "--set", "x.y=1")

    assert (ran.code, ran.out) == (2, "")
    first, *problems = ran.err.splitlines()
    assert first == "engram: the configuration has 7 problems:"
    for beginning, part in (
        ("given.yaml: line 3", "stands already"),
        ("given.yaml: learnign", "did you mean learning?"),
        ("given.yaml: retrieval.k", "is 0"),
        ("ENGRAM_RETRIEVAL_K: ", "'many'"),
        ("ENGRAM_STORE_PTAH ", "did you mean ENGRAM_STORE_PATH?"),
        ("--set store.dedup: ", "'maybe'"),
        ("--set x.y: ", "is unknown"),
    ):
        (found,) = (each for each in problems if each.startswith(f"  - {beginning}"))
        assert part in found


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--config", "missing.yaml"], "missing.yaml: no such file"),
        (["--config", "."], ".: cannot be read"),
        (["--set", "retrieval.k"], "write NAME=VALUE"),
        (["--set", "=1"], "is unknown"),
        (["--set", "retrieval.k=nan"], "allowed is a whole number"),
        (["--set", "store.daily_ttl_hours=nan"], "allowed is a finite number"),
    ],
)
def test_one_problem(engram: Engram, options: list[str], why: str) -> None:
    ran = engram.run("list", *options)
    assert (ran.code, ran.out) == (2, "")
    assert why in ran.err


# The program itself


def test_version(engram: Engram, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "version", lambda name: f"of {name}")
    assert engram("--version") == "engram-lab of engram-lab\n"

    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    assert engram("--version") == "engram-lab, not installed but run from its source\n"


@pytest.mark.parametrize("command", ["", "config", "backup"])
def test_help(engram: Engram, command: str) -> None:
    given = [command] if command else []
    printed = engram(*given, "--help")
    assert engram(*given, "-h") == printed
    assert "..." not in printed.partition("Commands:")[2], "a summary is cut short"
    alone = engram.run(*given)
    assert (alone.code, alone.out) == (2, "")
    assert alone.err.strip() == printed.strip()


def test_help_starts_quickly() -> None:
    heavy = ("apsw", "duckdb", "numpy", "polars", "pyarrow", "rich", "yaml")
    program = (
        "import sys\n"
        "from engram_lab.cli import main\n"
        "sys.argv = ['engram', '--help']\n"
        "try:\n    main()\n"
        f"except SystemExit:\n    print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.splitlines()[-1] == b"[]"
