"""The notebooks: each has its twin, its prose states no figure, and it runs from top to bottom."""

from __future__ import annotations

import importlib.util
import os
import re
import tomllib
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import jupytext
import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

if TYPE_CHECKING:
    from types import ModuleType

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = ROOT / "notebooks"
SOURCES: Final = sorted(FOLDER.glob("[0-9][0-9]_*.py"))
NAMES: Final = [each.stem for each in SOURCES]
CELL_TIMEOUT_S: Final = 120
"""After so long a cell hangs, even on a busy machine; how long a notebook takes is not asked."""
NEEDS: Final = {"10_images": ("open_clip", "torch is for `make images`")}
"""What a notebook stands on that not every environment has, and where it is run then."""
NOT_OURS: Final = (".ses", "torchinductor_")
"""How that begins which onnxruntime and torch leave among temporary files once imported."""

NO_PROSE: Final = re.compile(r"```.*?```|`[^`]*`|\]\([^)]*\)|https?://\S+", re.DOTALL)
FIGURE: Final = re.compile(r"(?<![\w-])[-+]?\d[\d.,:/]*\s*%?")
"""A number that stands by itself; the 25 of BM25 is part of a name."""
FETCHES: Final = re.compile(
    r"""<(?:script|link|img|iframe)[^>]*\s(?:src|href)=["']?(?:https?:)?//"""
)


def pairing() -> ModuleType:
    spec = importlib.util.spec_from_file_location("notebooks_pair", FOLDER / "pair.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def as_percent(notebook: Any) -> str:
    """Return the text in which two notebooks are compared: cells and nothing else."""
    notebook.metadata = {}
    for cell in notebook.cells:
        cell.metadata = {}  # how many blank lines follow is kept there
    return str(jupytext.writes(notebook, fmt="py:percent"))


def figures_of(prose: str) -> list[str]:
    return [found.group().strip() for found in FIGURE.finditer(NO_PROSE.sub(" ", prose))]


def cells_of(source: Path, kind: str) -> list[str]:
    notebook = jupytext.read(source, fmt="py:percent")
    return [each.source for each in notebook.cells if each.cell_type == kind]


def test_the_extra_has_what_the_notebooks_ask_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = {name: set(each) for name, each in project["optional-dependencies"].items()}
    asked = extras["eval"] | extras["tune"] | extras["plots"]

    # To the bound: where one differs, pip would have to find a version for both.
    assert asked - extras["notebook"] == set()
    assert any(each.startswith("optuna") for each in asked)


def test_there_are_notebooks_and_the_first_is_the_quickstart() -> None:
    assert NAMES[0] == "01_quickstart"
    assert len({name[:2] for name in NAMES}) == len(NAMES)


@pytest.mark.parametrize("source", SOURCES, ids=NAMES)
def test_a_notebook_has_a_twin_that_says_the_same_and_holds_no_outputs(source: Path) -> None:
    twin = jupytext.read(source.with_suffix(".ipynb"))
    nbformat.validate(twin)
    for cell in twin.cells:
        assert cell.metadata == {}
        assert cell.cell_type == "markdown" or (cell.outputs, cell.execution_count) == ([], None)
    assert as_percent(twin) == as_percent(jupytext.read(source, fmt="py:percent"))


@pytest.mark.parametrize("source", SOURCES, ids=NAMES)
def test_a_twin_is_what_make_notebooks_writes_to_the_byte(source: Path) -> None:
    assert source.with_suffix(".ipynb").read_text("utf-8") == pairing().twin_of(source)


def test_no_twin_is_without_its_notebook() -> None:
    assert sorted(each.stem for each in FOLDER.glob("*.ipynb")) == NAMES


def test_pairing_says_which_twin_is_stale_and_writes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pair = pairing()
    monkeypatch.setattr(pair, "FOLDER", tmp_path)
    (tmp_path / "01_one.py").write_text("# %% [markdown]\n# # One\n\n# %%\n1 + 1\n", "utf-8")
    assert pair.main(["--check"]) == 1
    assert "01_one.ipynb is stale" in capsys.readouterr().out
    assert not (tmp_path / "01_one.ipynb").exists()
    assert pair.main([]) == 0
    assert pair.main(["--check"]) == 0
    (tmp_path / "01_one.py").unlink()
    assert pair.main([]) == 1
    assert "01_one.ipynb has no .py beside it" in capsys.readouterr().out


@pytest.mark.parametrize("source", SOURCES, ids=NAMES)
def test_prose_states_no_figure_that_a_cell_did_not_compute(source: Path) -> None:
    found = [figure for prose in cells_of(source, "markdown") for figure in figures_of(prose)]
    assert found == []


@pytest.mark.parametrize(
    ("prose", "figures"),
    [
        ("recall rises by 12.5 % here", ["12.5 %"]),
        ("from 0.61 to 0.7", ["0.61", "0.7"]),
        ("1,024 memories", ["1,024"]),
        ("a loss of -3 points", ["-3"]),
        ("BM25 and `k=10`, see [there](https://example.org/2024)", []),
        ("```\nk = 10\n```\nand SHA-256", []),
    ],
)
def test_a_figure_in_prose_is_told_from_names_and_code(prose: str, figures: list[str]) -> None:
    assert figures_of(prose) == figures


@pytest.mark.parametrize("source", SOURCES, ids=NAMES)
def test_a_notebook_begins_with_a_title_and_its_cells_fit_a_screen(source: Path) -> None:
    notebook = jupytext.read(source, fmt="py:percent")
    assert notebook.cells[0].cell_type == "markdown"
    assert notebook.cells[0].source.startswith("# ")
    longest = max(len(code.splitlines()) for code in cells_of(source, "code"))
    assert longest <= 40


@pytest.mark.parametrize(
    ("page", "fetches"),
    [
        ('<script src="https://example.org/vega.js"></script>', True),
        ("<img alt='' src='//example.org/a.png'>", True),
        ('<iframe srcdoc="&lt;script&gt;"></iframe>', False),
        ("<svg xmlns='http://www.w3.org/2000/svg'></svg>", False),
    ],
)
def test_a_page_that_loads_from_elsewhere_is_told_from_one_that_does_not(
    page: str,
    fetches: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    cell = nbformat.from_dict(
        {
            "cell_type": "code",
            "outputs": [{"output_type": "display_data", "data": {"text/html": page}}],
        }
    )
    assert bool(fetching_outputs([cell])) == fetches


@pytest.mark.slow
@pytest.mark.parametrize("source", SOURCES, ids=NAMES)
def test_a_notebook_runs_offline_from_top_to_bottom_and_leaves_nothing_behind(
    source: Path, tmp_path: Path
) -> None:
    package, reason = NEEDS.get(source.stem, ("engram_lab", ""))
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed: {reason}")
    work, scratch = tmp_path / "work", tmp_path / "scratch"
    work.mkdir()
    scratch.mkdir()
    before = {each.name for each in FOLDER.iterdir()}
    twin = jupytext.read(source.with_suffix(".ipynb"))
    client = NotebookClient(
        twin,
        timeout=CELL_TIMEOUT_S,
        kernel_name="python3",
        resources={"metadata": {"path": str(work)}},
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the client's own packages; the kernel has its own
        try:
            client.execute(env=alone(tmp_path, scratch))
        except CellExecutionError as error:
            pytest.fail(str(error))
    assert list(work.iterdir()) == []
    assert [each.name for each in scratch.iterdir() if not each.name.startswith(NOT_OURS)] == []
    assert {each.name for each in FOLDER.iterdir()} == before
    assert loud_outputs(twin.cells) == []
    assert fetching_outputs(twin.cells) == []


def alone(home: Path, scratch: Path) -> dict[str, str]:
    """Return an environment without a developer's settings, whose proxies lead nowhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ENGRAM_")}
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), "http://127.0.0.1:9")
    return {
        **kept,
        **nowhere,
        **{name.upper(): value for name, value in nowhere.items()},
        "HOME": str(home),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "TMPDIR": str(scratch),
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
        "PYTHONWARNINGS": "default",
    }


def loud_outputs(cells: list[Any]) -> list[str]:
    """Return what went to standard error: no warning is left for a reader to wonder about."""
    outputs = [each for cell in cells if cell.cell_type == "code" for each in cell.outputs]
    return [each.text for each in outputs if each.output_type == "stream" and each.name == "stderr"]


def fetching_outputs(cells: list[Any]) -> list[str]:
    """Return what a cell shows that would load a script or a picture from elsewhere."""
    shown = [each for cell in cells if cell.cell_type == "code" for each in cell.outputs]
    pages = ["".join(each.get("data", {}).get("text/html", "")) for each in shown]
    return [page[:200] for page in pages if FETCHES.search(page)]
