"""The documents tell the truth: what exists is in them, and what they show runs."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer.main

from engram_lab.cli import app
from engram_lab.config import EngineConfig
from engram_lab.core.filters import OPERATORS
from engram_lab.core.registry import STORES
from engram_lab.core.schemas import SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
DOCUMENTS = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "evals/bench/README.md"]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def commands(group: Any, name: str) -> Iterator[str]:
    for each in group.commands.values():
        if hasattr(each, "commands"):
            yield from commands(each, f"{name} {each.name}")
        else:
            yield f"{name} {each.name}"


def test_every_command_is_in_the_readme() -> None:
    found = list(commands(typer.main.get_command(app), "engram"))

    assert [each for each in found if f"`{each}`" not in README] == []
    assert "engram remember" in found


def test_every_setting_is_in_the_readme() -> None:
    assert [each for each in EngineConfig().flat() if f"`{each}`" not in README] == []


def test_every_registered_name_operator_and_table_is_in_the_readme() -> None:
    named = [*STORES.names(), *SCHEMAS]

    assert [each for each in named if f"`{each}`" not in README] == []
    assert " ".join(OPERATORS) in README


def test_the_generated_tables_are_up_to_date() -> None:
    script = [sys.executable, str(ROOT / "evals" / "readme.py"), "--check"]

    assert subprocess.run(script, check=False, cwd=ROOT).returncode == 0, "run evals/readme.py"


def test_the_python_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = blocks("python")

    for number, block in enumerate(found, 1):
        exec(compile(block, f"README.md, Python block {number}", "exec"), {})  # noqa: S102

    assert (tmp_path / "notes.db").exists()
    assert len(found) >= 3


def test_the_commands_of_the_readme_run(tmp_path: Path) -> None:
    (tmp_path / "datasets").symlink_to(ROOT / "datasets")
    lines = [line for block in blocks("console") for line in block.splitlines()]
    shown = [shlex.split(line) for line in lines if line.startswith("engram ")]

    for _, *arguments in shown:
        ran = subprocess.run(
            [sys.executable, "-m", "engram_lab.cli", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.stderr == ""
        assert ran.returncode == 0

    assert len(shown) >= 5


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = "".join((ROOT / each).read_text() for each in DOCUMENTS)
    named = set(re.findall(r"`?make ([a-z]+)`?(?=[\s`;,.)])", text))

    assert {"demo", "test", "bench"} <= named & targets
    assert sorted(named - targets - {"sure"}) == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_that_is_named_exists(document: str) -> None:
    text = (ROOT / document).read_text()
    named = re.findall(r"`((?:tests|evals|datasets|engram_lab)/[\w./-]+)`", text)

    assert [each for each in named if not (ROOT / each).exists() and "NNNN" not in each] == []
