"""A real kernel: cells that are interrupted leave a sound database, and a notebook runs whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from nbclient import NotebookClient

from engram_lab import Engine
from tests.notebook.kernel import kernel_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.notebook.kernel import Kernel

BEGIN = """
import os
os.environ["ENGRAM_EMBEDDING_MODEL"] = "hashing"
%load_ext engram_lab
%engram open notes.db

def rows(count):
    print("begun", flush=True)
    for number in range(count):
        yield {"content": f"tea number {number} at the harbour with Ada, Ben and Cy"}

report = engine.remember_many(rows(400))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("notebook")


@pytest.fixture(scope="module")
def kernel(folder: Path) -> Iterator[Kernel]:
    with kernel_in(folder) as kernel:
        assert kernel.run(BEGIN).error is None
        yield kernel


def count(kernel: Kernel) -> int:
    return int(kernel.run("engine.count(archived=True)").text)


def works_on(kernel: Kernel) -> None:
    assert (
        kernel.run("[each for each in engine.store.doctor.examine() if not each.ok]").text == "[]"
    )
    assert kernel.run("engine.remember('Di drinks cocoa').content").text == "'Di drinks cocoa'"
    found = kernel.run("%%recall -k 1 found=\ncocoa")
    assert found.error is None
    assert "Di drinks cocoa" in found.text
    assert kernel.run("%%sql\nSELECT count(*) AS n FROM memories").error is None


@pytest.mark.parametrize("after_s", [0.0, 0.3, 0.6])
def test_an_interrupted_bulk_write_is_whole_or_not_there(kernel: Kernel, after_s: float) -> None:
    before = count(kernel)
    ran = kernel.run("engine.remember_many(rows(1_000_000))", interrupt_at="begun", after_s=after_s)
    assert ran.error == "KeyboardInterrupt"
    assert count(kernel) == before
    works_on(kernel)


def test_an_interrupted_loop_of_writes_keeps_what_was_acknowledged(kernel: Kernel) -> None:
    before = count(kernel)
    cell = (
        "told = 0\nfor each in rows(1_000_000):\n"
        "    engine.remember(each['content'])\n    told += 1"
    )
    assert kernel.run(cell, interrupt_at="begun", after_s=0.5).error == "KeyboardInterrupt"
    told = int(kernel.run("told").text)
    assert told > 0
    assert before + told <= count(kernel) <= before + told + 1
    works_on(kernel)


@pytest.mark.parametrize("after_s", [0.0, 0.2])
def test_an_interrupted_dream_changes_nothing_and_another_can_begin(
    kernel: Kernel, after_s: float
) -> None:
    dream = "engine.dream(full=True, yes=True, progress=lambda told: print(told, flush=True))"
    slow = (
        "from engram_lab import ManualClock\nimport time\n"
        "def watch(told):\n    print('step', flush=True)\n    time.sleep(2)\n"
        "engine.dream(full=True, yes=True, progress=watch)"
    )
    before = kernel.run("len(engine.dreams()), engine.count(archived=True)").text
    assert kernel.run(slow, interrupt_at="step", after_s=after_s).error == "KeyboardInterrupt"
    assert kernel.run("len(engine.dreams()), engine.count(archived=True)").text == before
    assert kernel.run(dream.replace("yes=True", "dry_run=True")).error is None
    works_on(kernel)


LONG = (
    "SELECT count(*) FROM range(3000000) a, range(3000000) b WHERE (a.range * b.range) % 7 = 3",
    (
        "SELECT a.range, b.range FROM range(3000000) a, range(3000000) b "
        "WHERE (a.range * b.range) % 1000003 = 3"
    ),
    "SELECT a.range, count(*) FROM range(3000000) a, range(3000000) b GROUP BY 1 ORDER BY 2",
    "CREATE TABLE long AS SELECT a.range, random() FROM range(3000000) a, range(3000000) b",
    (
        "SELECT count(*) FROM memories a, memories b, memories c, memories d "
        "WHERE a.content < b.content AND c.content > d.content"
    ),
)
"""Each would take hours."""


@pytest.mark.parametrize("number", range(10))
def test_an_interrupted_query_ends_at_once_and_the_next_one_works(
    kernel: Kernel, number: int
) -> None:
    kernel.run(f"%%sql\nCREATE OR REPLACE VIEW kept AS SELECT {number} AS n")
    cell = (
        f"print('begun', flush=True)\nget_ipython().run_cell_magic('sql', '', {LONG[number % 5]!r})"
    )
    ran = kernel.run(cell, interrupt_at="begun", after_s=0.1 * number)
    assert ran.error == "KeyboardInterrupt"
    assert ran.after_interrupt_s < 5  # two on a machine that does nothing else
    found = kernel.run("%%sql\nSELECT (SELECT n FROM kept) AS n, count(*) > 0 FROM memories")
    assert found.error is None
    assert f"│ {number}" in found.text
    if number == 9:
        works_on(kernel)


def test_an_interrupted_query_in_a_transaction_is_rolled_back(kernel: Kernel) -> None:
    kernel.run("%%sql\nCREATE TABLE mine (n INTEGER)")
    assert kernel.run("%%sql\nBEGIN; INSERT INTO mine VALUES (1)").error is None
    cell = f"print('begun', flush=True)\nget_ipython().run_cell_magic('sql', '', {LONG[0]!r})"
    assert kernel.run(cell, interrupt_at="begun", after_s=0.5).error == "KeyboardInterrupt"
    found = kernel.run("%%sql\nSELECT count(*) AS n FROM mine")
    assert found.error is None
    assert "│ 0" in found.text


def test_when_the_kernel_ends_what_it_opened_is_closed(folder: Path, kernel: Kernel) -> None:
    with Engine.open(folder / "notes.db") as engine:
        assert all(check.ok for check in engine.store.doctor.examine())
        events = len(list(engine.to_polars("events").iter_rows()))
    kernel.run("hits = [engine.recall('cocoa') for _ in range(3)]")
    kernel.client.shutdown()
    kernel.manager.finish_shutdown()
    with Engine.open(folder / "notes.db") as engine:
        assert engine.to_polars("events").height >= events + 3


def test_a_notebook_with_the_magics_runs_to_its_end(tmp_path: Path) -> None:
    cells = [
        "%load_ext engram_lab",
        "%engram open :memory:",
        "engine.remember('<script>alert(1)</script> Ada drinks tea')",
        "%%recall -k 1\nwho drinks tea?",
        "%%sql\nSELECT count(*) AS n FROM memories",
    ]
    forms: Any = nbformat.v4
    book = forms.new_notebook(cells=[forms.new_code_cell(each) for each in cells])
    NotebookClient(
        book, kernel_name="python3", timeout=60, resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    shown = {
        number: output["data"]
        for number, cell in enumerate(book.cells)
        for output in cell["outputs"]
        if output["output_type"] == "execute_result"
    }
    assert sorted(shown) == [1, 2, 3, 4]
    assert "Engine :memory:" in shown[1]["text/html"]
    for place in (2, 3):
        assert "<script>" not in shown[place]["text/html"]
        assert "&lt;script&gt;" in shown[place]["text/html"]
    assert "Ada drinks tea" in shown[3]["text/plain"]
