from __future__ import annotations

import ast
from pathlib import Path

import pytest

from engram_lab.evaluation import shipped as module
from engram_lab.evaluation.shipped import shipped

ROOT = Path(__file__).resolve().parents[2]


def _put_into_wheels() -> set[str]:
    """Return the folders that `hatch_build.py` names, which only a builder can import."""
    tree = ast.parse((ROOT / "hatch_build.py").read_text(encoding="utf-8"))
    for each in tree.body:
        if isinstance(each, ast.Assign) and ast.unparse(each.targets[0]) == "SHIPPED":
            return set(ast.literal_eval(each.value))
    return set()


def test_a_wheel_has_every_folder_that_is_looked_for_and_no_other() -> None:
    assert _put_into_wheels() == set(module._FOLDERS.values())


@pytest.mark.parametrize("kind", sorted(module._FOLDERS))
def test_a_checkout_has_what_is_looked_for(kind: str) -> None:
    assert any(shipped(kind).iterdir())
