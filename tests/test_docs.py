"""The documents tell the truth: what exists is in them, and what they show runs."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer.main

from engram_lab.cli import app
from engram_lab.config import EngineConfig
from engram_lab.core.filters import OPERATORS
from engram_lab.core.registry import STORES
from engram_lab.core.schemas import SCHEMAS
from engram_lab.retrieval.dense import VECTOR_INDEXES
from engram_lab.retrieval.embedders import EMBEDDERS
from engram_lab.retrieval.fusion import FUSIONS, NORMALISERS
from engram_lab.retrieval.rerank import RERANKERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engram_lab.core.registry import Registry

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
DOCUMENTS = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "evals/bench/README.md"]


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


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


@pytest.mark.parametrize(
    ("setting", "registry"),
    [
        ("embedding.model", EMBEDDERS),
        ("index.kind", VECTOR_INDEXES),
        ("retrieval.fusion", FUSIONS),
        ("retrieval.normaliser", NORMALISERS),
        ("retrieval.rerank", RERANKERS),
    ],
)
def test_every_part_of_recall_is_in_the_row_of_its_setting(
    setting: str, registry: Registry[Any]
) -> None:
    (row,) = re.findall(rf"^\| {registry.kind} \| `{setting}`.*$", README, re.MULTILINE)

    assert [each for each in registry.names() if f"`{each}`" not in row] == []


def test_every_extra_is_in_the_readme() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (told,) = re.findall(r"^Extras: (.*?)\n\n", README, re.MULTILINE | re.DOTALL)
    extras = list(project["optional-dependencies"])

    assert [each for each in extras if f"`{each}`" not in told] == []
    assert "onnx" in extras


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


def test_the_parts_that_contributing_shows_keep_their_contracts() -> None:
    found = blocks("python", CONTRIBUTING)

    for block in found:  # each in a process of its own, as it registers a name
        ran = subprocess.run([sys.executable, "-c", block], check=False, capture_output=True)
        assert ran.stderr == b""
        assert ran.returncode == 0

    checks = "check_embedder", "check_vector_index", "check_fusion", "check_reranker"
    assert [each for each in checks if f"\n{each}(" not in "".join(found)] == []


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
