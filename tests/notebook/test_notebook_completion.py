"""What Tab offers, asked of IPython's own completer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.notebook.conftest import Notebook


@pytest.fixture(autouse=True)
def files(notebook: Notebook) -> None:
    for name in ("notes.db", "notes.db-wal", "mine.yaml", ".hidden", "folder/inner.db"):
        path = Path(name)
        path.parent.mkdir(exist_ok=True)
        path.touch()


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("%engram ", ["%engram open", "%engram close"]),
        ("%engram o", ["%engram open"]),
        ("%engram open n", ["%engram open notes.db"]),
        (
            "%engram open ",
            ["%engram open folder/", "%engram open mine.yaml", "%engram open notes.db"],
        ),
        ("%engram open folder/", ["%engram open folder/inner.db"]),
        ("%engram open --", ["%engram open --config", "%engram open --read-only"]),
        ("%engram open notes.db --c", ["%engram open notes.db --config"]),
        ("%engram open notes.db --config m", ["%engram open notes.db --config mine.yaml"]),
        ("%engram open --config mine.yaml n", ["%engram open --config mine.yaml notes.db"]),
        ("x = 1\n%engram open n", ["x = 1\n%engram open notes.db"]),
        ("%%recall ", ["%%recall -k", "%%recall --explain"]),
        ("%%recall --e", ["%%recall --explain"]),
        ("%%recall -k 3 --", ["%%recall -k 3 --explain"]),
        ("%%sql\nFROM memo", ["%%sql\nFROM memories", "%%sql\nFROM memory_id"]),
        ("%%sql\nSELECT last_acc", ["%%sql\nSELECT last_accessed_at"]),
        ("%%sql\nsel", ["%%sql\nSELECT"]),
    ],
)
def test_tab_offers_what_may_follow(notebook: Notebook, text: str, offered: list[str]) -> None:
    assert notebook.offered(text) == offered


def test_the_names_of_the_magics_are_offered(notebook: Notebook) -> None:
    assert notebook.offered("%engr") == ["%engram"]
    assert notebook.offered("%%reca") == ["%%recall"]


def test_elsewhere_python_is_offered_as_before(notebook: Notebook) -> None:
    notebook.run("memories_of_mine = 1")
    assert notebook.offered("memories_of") == ["memories_of_mine"]
    assert "%%recall\nmemories_of_mine" in notebook.offered("%%recall\nmemories_of")


def test_a_folder_that_is_not_there_leaves_the_line_to_others(notebook: Notebook) -> None:
    here = set(notebook.offered("%engram open "))
    assert here
    assert not here & set(notebook.offered("%engram open nowhere/"))
