"""Every module says what it offers, in order, and offers what it says."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "engram_lab"


def is_public(path: Path) -> bool:
    """Tell whether others may import it: no `_name`, no command, more than a docstring."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    if any(part.startswith("_") and part != "__init__" for part in parts):
        return False
    if parts[0] == "cli" and parts != ("cli", "__init__"):
        return False  # a command's public face is the command line
    return any(not is_text(each) for each in ast.parse(path.read_text(encoding="utf-8")).body)


def is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


MODULES = sorted(module_name(path) for path in PACKAGE.rglob("*.py") if is_public(path))


def order(name: str) -> tuple[int, list[str | int]]:
    """Return the key by which ruff sorts `__all__`: CONSTANTS, Classes, the rest; 9 before 10."""
    rank = 0 if len(name) > 1 and name.isupper() else 1 if name[0].isupper() else 2
    parts = re.split(r"(\d+)", name)
    return rank, [int(part) if part.isdigit() else part for part in parts]


def test_the_package_is_the_one_of_this_repository() -> None:
    spec = importlib.util.find_spec("engram_lab")
    assert spec is not None
    assert spec.origin == str(PACKAGE / "__init__.py")


@pytest.mark.parametrize("name", MODULES)
def test_all_is_there_sorted_and_true(name: str) -> None:
    module = importlib.import_module(name)
    names = getattr(module, "__all__", None)

    assert names is not None, f"{name} has no __all__"
    assert list(names) == sorted(set(names), key=order)
    assert [each for each in names if not hasattr(module, each)] == []


@pytest.mark.parametrize("name", ["engram_lab", "engram_lab.evaluation", "engram_lab.testing"])
def test_a_package_that_imports_at_first_use_lists_what_it_offers_and_no_more(name: str) -> None:
    module = importlib.import_module(name)
    for each in module.__all__:
        getattr(module, each)  # which leaves it, and what it needs, in the module
    assert dir(module) == sorted(module.__all__)


def test_the_public_nouns_import_by_name_in_a_fresh_interpreter() -> None:
    package = importlib.import_module("engram_lab")

    assert set(package.__all__) >= {"Engine", "EngineConfig", "Memory"}
    assert set(package.__all__) <= set(dir(package))
    wish = f"from engram_lab import {', '.join(package.__all__)}"
    subprocess.run([sys.executable, "-c", wish], check=True)


def test_the_order_is_the_one_that_ruff_accepts() -> None:
    names = ["step10", "Memory", "_hidden", "step9", "LINK_TYPES", "Engine", "A", "open_store"]
    assert sorted(names, key=order) == [
        "LINK_TYPES",
        "A",
        "Engine",
        "Memory",
        "_hidden",
        "open_store",
        "step9",
        "step10",
    ]
