"""The magics, in a real IPython."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

from engram_lab import Engine, Hits
from engram_lab.core.errors import StoreClosedError
from engram_lab.notebook.arguments import FORMS

if TYPE_CHECKING:
    from tests.notebook.conftest import Notebook

TWO = "engine.remember('Ada drinks tea'); engine.remember('Ben drinks coffee');"


@pytest.fixture
def opened(notebook: Notebook) -> Notebook:
    notebook.run("%engram open notes.db")
    notebook.run(TWO)
    return notebook


def test_open_makes_a_database_and_binds_the_engine(notebook: Notebook) -> None:
    assert notebook.said("%engram open notes.db").startswith("made notes.db as `engine`\n")
    engine = notebook.shell.user_ns["engine"]
    assert isinstance(engine, Engine)
    assert notebook.run("engine.remember('Ada drinks tea').content") == "Ada drinks tea"
    assert notebook.said("%engram open notes.db").startswith("opened notes.db as `engine`\n")
    assert notebook.run("engine.count()") == 1
    with pytest.raises(StoreClosedError):  # what the first had opened
        engine.count()


def test_a_path_is_a_variable_or_in_quotes(notebook: Notebook) -> None:
    notebook.run('%engram open "my notes.db"')
    assert Path("my notes.db").is_file()
    notebook.run("place = 'other.db'")
    notebook.run("%engram open {place}")
    assert notebook.run("engine.path") == "other.db"


def test_the_configuration_is_the_one_that_is_named(notebook: Notebook) -> None:
    Path("mine.yaml").write_text("retrieval:\n  k: 3\n", encoding="utf-8")
    notebook.run("%engram open notes.db --config mine.yaml")
    assert notebook.run("engine.config.retrieval.k") == 3


def test_what_cannot_be_opened_leaves_open_what_was(opened: Notebook) -> None:
    assert "no such file" in opened.refused("%engram open other.db --config none.yaml")
    assert "is a folder" in opened.refused("%engram open /")
    assert opened.run("engine.count()") == 2
    assert not Path("other.db").exists()


def test_read_only_writes_nothing(opened: Notebook) -> None:
    opened.run("%engram open notes.db --read-only")
    assert opened.run("engine.count()") == 2
    assert "read_only=True" in opened.refused("engine.remember('more')")


def test_alone_it_says_what_is_open_and_what_can_be_done(notebook: Notebook) -> None:
    assert notebook.said("%engram") == "no engine is open: %engram open PATH opens one\n"
    notebook.run("%engram open notes.db")
    said = notebook.said("%engram")
    assert said.startswith("notes.db is open as `engine`\n")
    assert all(form in said for form in FORMS.values())


def test_close_closes_and_takes_the_name_away(opened: Notebook) -> None:
    engine = opened.shell.user_ns["engine"]
    assert opened.said("%engram close") == "closed notes.db\n"
    assert "engine" not in opened.shell.user_ns
    with pytest.raises(StoreClosedError):
        engine.count()
    assert "no engine is open" in opened.refused("%engram close")


def test_the_end_of_the_extension_closes_what_it_opened(opened: Notebook) -> None:
    engine = opened.shell.user_ns["engine"]
    opened.run("%unload_ext engram_lab")
    with pytest.raises(StoreClosedError):
        engine.count()
    assert "not found" in opened.refused("%engram")
    assert "%engram open" not in opened.offered("%engram o")
    opened.run("%load_ext engram_lab")
    assert "no engine" in opened.said("del engine\n%engram")


def test_to_reload_it_is_to_start_again(opened: Notebook) -> None:
    opened.run("%reload_ext engram_lab")
    opened.run("%engram open notes.db")
    assert opened.run("engine.count()") == 2


def test_recall_shows_the_hits_and_binds_them(opened: Notebook) -> None:
    hits = opened.run("%%recall -k 1\nwho drinks tea?")
    assert isinstance(hits, Hits)
    assert [hit.memory.content for hit in hits] == ["Ada drinks tea"]
    assert opened.run("hits is _") is True
    assert hits.query == "who drinks tea?"
    assert hits[0].explanation.words is None
    opened.run("%%recall --explain found=\ntea")
    assert opened.run("found[0].explanation.words") == "Ada drinks **tea**"
    assert opened.run("hits[0].explanation.words") is None


def test_recall_asks_an_engine_that_the_notebook_opened_itself(notebook: Notebook) -> None:
    notebook.run("from engram_lab import Engine\nengine = Engine.open(':memory:')")
    notebook.run(TWO)
    assert len(notebook.run("%%recall\ncoffee")) >= 1
    assert notebook.run("%%sql\nSELECT count(*) AS n FROM memories")["n"].item() == 2
    notebook.run("%engram close")


def test_sql_returns_a_frame_of_what_is_there_now(opened: Notebook) -> None:
    query = "%%sql counted=\nSELECT count(*) AS n\nFROM memories"
    assert isinstance(opened.run(query), pl.DataFrame)
    assert opened.run("counted['n'].item()") == 2
    opened.run("engine.remember('Cy drinks water')")
    assert opened.run(query)["n"].item() == 3


def test_sql_joins_frames_of_the_notebook(opened: Notebook) -> None:
    opened.run("import polars as pl")
    opened.run("judged = pl.DataFrame({'content': ['Ada drinks tea'], 'grade': [3]})")
    query = "%%sql\nSELECT grade FROM judged JOIN memories USING (content)"
    assert opened.run(query)["grade"].to_list() == [3]
    opened.run("judged = judged.with_columns(grade=7)")
    assert opened.run(query)["grade"].to_list() == [7]
    opened.run("del judged")
    assert "judged does not exist" in opened.refused(query)


def test_a_variable_that_is_called_like_a_table_hides_nothing(opened: Notebook) -> None:
    opened.run("import polars as pl\nmemories = pl.DataFrame({'n': [7]})")
    assert "content" in opened.run("%%sql\nFROM memories").columns


def test_a_statement_that_finds_nothing_shows_nothing(opened: Notebook) -> None:
    assert opened.run("%%sql\nCREATE VIEW short AS SELECT content FROM memories") is None
    assert opened.run("%%sql\nSET VARIABLE most = 1; FROM short").height == 2
    assert opened.run("%%sql\n-- nothing at all") is None


def test_sql_follows_the_engine_that_is_open(opened: Notebook) -> None:
    opened.run("%%sql\nFROM memories")
    opened.run("%engram open other.db")
    assert opened.run("%%sql\nFROM memories").height == 0


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("%engram opne", "invalid choice: 'opne' (choose from"),
        ("%engram open", "%engram open names no PATH"),
        ("%engram open a.db b.db", "unrecognized arguments: b.db"),
        ("%engram close notes.db", "%engram close takes nothing more"),
        ("%engram --read-only", "%engram without open takes nothing more"),
        ("%%recall -k many\nwho?", "argument -k: invalid int value: 'many'"),
        ("%%recall --expl\nwho?", "unrecognized arguments: --expl"),
        ("%%recall 'found\nwho?", "No closing quotation"),
        ("%%recall found\nwho?", "'found' is no NAME= of a variable"),
        ("%%recall class=\nwho?", "'class=' is no NAME= of a variable"),
        ("%%recall\n \n", "there is no question"),
        ("%%recall", "there is no question"),
        ("%%recall -k 1\n", "there is no question"),
        ("%%sql 2x=\nFROM memories", "'2x=' is no NAME= of a variable"),
        ("%%sql\n \n", "there is no query"),
        ("%%sql", "there is no query"),
    ],
)
def test_a_wrong_magic_says_what_is_allowed(opened: Notebook, cell: str, said: str) -> None:
    magic = cell.strip("%").split()[0]
    told = opened.refused(cell)
    assert told.startswith("UsageError: ")
    assert said in told
    assert told.rstrip().endswith(f": write {FORMS[magic]}")
    assert len(told.splitlines()) == 1


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("%%recall -k 0\nwho?", "k"),
        ("%%sql\nFROM memory", "Table with name memory does not exist"),
        ("%%sql\nSELEC 1", "syntax error"),
    ],
)
def test_what_goes_wrong_has_no_traceback(opened: Notebook, cell: str, said: str) -> None:
    told = opened.refused(cell)
    assert told.startswith("UsageError: ")
    assert said in told
    assert "Traceback" not in told


@pytest.mark.parametrize("cell", ["%%recall\nwho?", "%%sql\nFROM memories", "%engram close"])
def test_without_an_engine_each_says_how_to_open_one(notebook: Notebook, cell: str) -> None:
    assert notebook.refused(cell) == "UsageError: no engine is open: %engram open PATH opens one\n"


def test_a_closed_engine_is_told_in_one_sentence(opened: Notebook) -> None:
    opened.run("engine.close()")
    for cell in ("%%recall\nwho?", "%%sql\nFROM memories"):
        assert opened.refused(cell) == "UsageError: notes.db is closed: open it again\n"


def test_the_package_itself_needs_no_ipython() -> None:
    program = (
        "import sys; sys.modules['IPython'] = None\n"
        "import engram_lab, engram_lab.cli\n"
        "engine = engram_lab.Engine.open(':memory:')\n"
        "print(len(engine._repr_html_()) > 0)\n"
        "import engram_lab.notebook"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "True\n"
