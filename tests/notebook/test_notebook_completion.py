"""What Tab offers, asked of IPython's own completer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.notebook.conftest import Notebook


@pytest.fixture(autouse=True)
def files(notebook: Notebook) -> None:
    for name in (
        *("notes.db", "notes.db-wal", "mine.yaml", ".hidden", "folder/inner.db", "our notes.db"),
        *("two words/inner.db", "Ana's.db", """it's "so".db"""),
    ):
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
            [
                """%engram open "Ana's.db\"""",
                *("%engram open folder/", "%engram open mine.yaml", "%engram open notes.db"),
                *('%engram open "our notes.db"', '%engram open "two words/'),
            ],
        ),
        ("%engram open o", ['%engram open "our notes.db"']),
        ('%engram open "o', ['%engram open "our notes.db"']),
        ("%engram open 'our no", ["%engram open 'our notes.db'"]),
        ('%engram open "two words/', ['%engram open "two words/inner.db"']),
        ('%engram open "our notes.db" --r', ['%engram open "our notes.db" --read-only']),
        ("%engram open notes.db --config 'o", ["%engram open notes.db --config 'our notes.db'"]),
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


@pytest.mark.parametrize(
    "text",
    [
        *(
            "%engram close ",
            "%engram close n",
            "%engram open nowhere/",
            "%engram x",
            "%%recall -k ",
        ),
        *("%%recall -k 1", "%%recall answers=", "%%sql ", "%%sql counted=", "%%sql\nqqq"),
        *("x = 1\n%engram close ", "%engram open notes.db --config nowhere/"),
    ],
)
def test_on_a_line_of_ours_no_python_is_offered(notebook: Notebook, text: str) -> None:
    assert notebook.offered(text) == [text]  # which is to change nothing


def test_in_an_empty_folder_nothing_is_offered(
    notebook: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path / "folder")
    Path("inner.db").unlink()

    assert notebook.offered("%engram open ") == ["%engram open "]


def test_what_is_offered_can_be_opened(notebook: Notebook) -> None:
    for begun in ("o", "A", '"two words/'):
        (offered,) = notebook.offered(f"%engram open {begun}")
        notebook.run(offered)
    assert notebook.run("engine.path") == "two words/inner.db"
    notebook.run("%engram close")


def test_sql_offers_the_frames_of_the_notebook_and_their_columns(notebook: Notebook) -> None:
    notebook.run("import polars as pl, pyarrow as pa")
    notebook.run("judged = pl.DataFrame({'grade_of_it': [3], 'grade two': [3], 'gräu': [1]})")
    notebook.run("judged_later = judged.lazy().rename({'grade_of_it': 'grading'})")
    notebook.run("judges = pa.table({'judge': ['Ana']})")
    notebook.run("_judged = memories = judged; judgement = 3")
    notebook.run("judged_wrong = pl.LazyFrame({'a': [1]}).select('b')")

    assert notebook.offered("%%sql\nFROM judg") == [
        *("%%sql\nFROM judged", "%%sql\nFROM judged_later", "%%sql\nFROM judges"),
        *("%%sql\nFROM judged_wrong", "%%sql\nFROM judge"),
    ]
    assert notebook.offered("%%sql\nSELECT grad") == [
        *('%%sql\nSELECT "grade two"', "%%sql\nSELECT grade_of_it", "%%sql\nSELECT grading"),
    ]
    assert notebook.offered("%%sql\nSELECT gr\u00e4") == ["%%sql\nSELECT gr\u00e4u"]
    assert notebook.offered('%%sql\nSELECT "grade t') == ['%%sql\nSELECT "grade two"']
    assert notebook.offered('%%sql\nSELECT "grade two", gradi')[0].endswith('two", grading')
    notebook.run("del judged, judged_later, judges, judged_wrong, _judged")
    assert notebook.offered("%%sql\nFROM judg") == ["%%sql\nFROM judg"]
