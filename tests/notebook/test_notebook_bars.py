"""Bars below the cell of a real kernel, while something long goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engram_lab.core.bars import Bars
from engram_lab.core.progress import task
from engram_lab.notebook.bars import bars_of
from tests.notebook.kernel import kernel_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.notebook.conftest import Notebook
    from tests.notebook.kernel import Kernel

BEGIN = """
import os, time
os.environ["ENGRAM_EMBEDDING_MODEL"] = "none"

def rows(count, pause_s=0.0):
    print("begun", flush=True)
    for number in range(count):
        time.sleep(pause_s)
        yield {"content": f"tea number {number}"}
"""

SLOW = "engine.remember_many(rows(150, 0.01))"


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    with kernel_in(tmp_path_factory.mktemp("bars")) as kernel:
        kernel.run(BEGIN)
        first = kernel.run(f"%load_ext engram_lab\n%engram open bars.db\nreport = {SLOW}")
        assert first.error is None
        assert first.bars  # also in the cell that loads it
        yield kernel


def test_what_takes_long_shows_one_bar_that_ends(kernel: Kernel) -> None:
    ran = kernel.run(SLOW)
    assert ran.error is None
    assert ran.places == 1
    assert "remembering" in ran.bars[0]
    assert "rows ·" in ran.bars[0]
    assert "/s · " in ran.bars[-2]
    assert "150 rows in " in ran.bars[-1]


def test_what_takes_a_moment_shows_none(kernel: Kernel) -> None:
    assert kernel.run("report = engine.remember_many(rows(50))").bars == ()
    assert kernel.run("_ = [engine.remember(f'one {n}') for n in range(50)]").bars == ()


def test_how_much_there_is_tells_how_long_it_takes(kernel: Kernel) -> None:
    cell = (
        "class Slow(list):\n"
        "    def __iter__(self):\n"
        "        return (time.sleep(0.02) or each for each in list.__iter__(self))\n"
        "report = engine.remember_many(Slow({'content': f'slow {n}'} for n in range(100)))"
    )
    ran = kernel.run(cell)
    assert " of 100 rows" in ran.bars[0]
    assert any(" left" in each for each in ran.bars)


def test_what_tells_nothing_for_long_shows_a_bar_all_the_same(kernel: Kernel) -> None:
    cell = (
        "from engram_lab.core.progress import task\n"
        "with task('thinking', unit='thoughts') as thinking:\n    time.sleep(2.5)"
    )
    ran = kernel.run(cell)
    assert len(ran.bars) >= 2
    assert all("thinking" in each for each in ran.bars)


def test_a_long_query_shows_a_bar(kernel: Kernel) -> None:
    query = "SELECT count(*) FROM range(3000000) a, range(3000000) b WHERE a.range < b.range"
    cell = f"print('begun', flush=True)\nget_ipython().run_cell_magic('sql', '', {query!r})"
    ran = kernel.run(cell, interrupt_at="begun", after_s=2.5)
    assert ran.error == "KeyboardInterrupt"
    assert "querying" in ran.bars[0]
    assert "stopped · after " in ran.bars[-1]


def test_parts_are_shown_below_what_they_are_a_part_of(kernel: Kernel) -> None:
    cell = (
        "with task('whole', total=1, unit='steps') as whole:\n"
        "    with task('part', total=200, unit='grains') as part:\n"
        "        for _ in part.over(range(200)):\n            time.sleep(0.01)\n"
        "    whole.advance()"
    )
    ran = kernel.run(cell)
    whole, part = ran.bars[-2].splitlines()
    assert whole.startswith("whole")
    assert part.startswith("  part")
    assert ran.bars[-1].splitlines() == [ran.bars[-1]]


def test_an_interrupt_ends_the_bar_and_leaves_a_sound_database(kernel: Kernel) -> None:
    before = kernel.run("engine.count()").text
    ran = kernel.run("engine.remember_many(rows(100_000, 0.01))", interrupt_at="begun", after_s=1.7)
    assert ran.error == "KeyboardInterrupt"
    assert "stopped at" in ran.bars[-1]
    assert kernel.run("engine.count()").text == before
    sound = "[each for each in engine.store.doctor.examine() if not each.ok]"
    assert kernel.run(sound).text == "[]"
    assert "150 rows in" in kernel.run(SLOW).bars[-1]  # and the next one shows its own


def test_who_is_handed_in_hears_of_it_instead(kernel: Kernel) -> None:
    kernel.run("from engram_lab.core.progress import silent\nheard = []")
    assert kernel.run(SLOW.replace("))", "), progress=silent)")).bars == ()
    assert kernel.run(SLOW.replace("))", "), progress=heard.append)")).bars == ()
    assert kernel.run("heard[-1].done, heard[-1].standing").text == "(150, 'done')"


def test_a_search_does_not_ask_for_widgets(kernel: Kernel) -> None:
    cell = (
        "from engram_lab.evaluation.tuning.search import propose\n"
        "from engram_lab.evaluation.tuning.space import Choice, Space\n"
        "choice = Choice(name='retrieval.fusion', choices=('rrf', 'weighted'))\n"
        "found = propose(Space(id='one', title='one', parameters=(choice,), fixed={}), [], seed=0)"
    )
    ran = kernel.run(cell)
    assert (ran.error, ran.text) == (None, "")


def test_a_shell_without_a_kernel_shows_bars_on_the_terminal(notebook: Notebook) -> None:
    assert isinstance(bars_of(notebook.shell), Bars)


def test_a_cell_is_told_of_and_what_runs_between_cells_is_not(notebook: Notebook) -> None:
    heard = "from engram_lab.core.progress import task\nwith task('it') as it: pass\nit.is_heard"
    assert notebook.run(heard) is True
    with task("between") as between:
        assert not between.is_heard
    notebook.run("%unload_ext engram_lab")
    assert notebook.run(heard) is False
    notebook.run("%load_ext engram_lab")


def test_taken_out_it_shows_no_more(kernel: Kernel) -> None:
    kernel.run("from engram_lab import Engine\nengine.close()\nengine = Engine.open('bars.db')")
    kernel.run("%unload_ext engram_lab")
    assert kernel.run(SLOW).bars == ()
    kernel.run("%load_ext engram_lab")
    assert kernel.run(SLOW).places == 1
