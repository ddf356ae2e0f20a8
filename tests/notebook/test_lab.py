"""`engram lab`: the notebooks are put in place, and JupyterLab answers and opens them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from engram_lab.cli import main
from engram_lab.cli.lab import put_notebooks
from engram_lab.core.errors import InvalidInputError
from engram_lab.evaluation.shipped import shipped
from tests.notebook.browser import page_of

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "of-a-test"  # noqa: S105 - of a server that lives for seconds
ALL = "document.querySelectorAll"
READY = (
    "window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
    " && !!document.querySelector('.jp-Notebook-cell')"
)
CELLS = f"[...{ALL}('.jp-CodeCell .jp-InputPrompt')]"
RAN = f"{CELLS}.length > 3 && {CELLS}.every(each => /[0-9]/.test(each.textContent))"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
NAMES = [each.name for each in sorted(shipped("notebooks").glob("*.ipynb"))]


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Lend the address of `engram lab`, once it answers."""
    port = free_port()
    home = folder / "home"
    home.mkdir()
    with (folder / "log").open("wb") as log:
        program = subprocess.Popen(
            [
                *(sys.executable, "-m", "engram_lab.cli", "lab", "--dir", str(folder / "books")),
                *("--port", str(port), "--no-browser", "--", "--allow-root"),
                "--expose-app-in-browser",
            ],
            env={**os.environ, "JUPYTER_TOKEN": TOKEN, "HOME": str(home)},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            address = f"http://127.0.0.1:{port}"
            wait_for(address, program)
            yield address
        finally:
            program.send_signal(signal.SIGTERM)
            program.wait(timeout=30)


def wait_for(address: str, program: subprocess.Popen[bytes]) -> None:
    for _ in range(240):
        assert program.poll() is None, "it ended by itself"
        try:
            with urlopen(f"{address}/api/status?token={TOKEN}") as answer:  # noqa: S310
                assert json.load(answer)["kernels"] == 0
                return
        except URLError:
            time.sleep(0.25)
    pytest.fail("no answer within a minute")


def asked(address: str, path: str) -> Any:
    with urlopen(f"{address}{path}?token={TOKEN}") as answer:  # noqa: S310 - our own server
        return json.load(answer)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("lab")) as address:
        yield address


def test_the_notebooks_are_put_where_they_are_missing(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "books"
    assert [each.name for each in put_notebooks(folder)] == NAMES
    assert NAMES[0] == "01_quickstart.ipynb"
    mine = folder / NAMES[0]
    mine.write_text("mine", encoding="utf-8")
    assert put_notebooks(folder) == []
    assert mine.read_text(encoding="utf-8") == "mine"
    mine.unlink()
    assert put_notebooks(folder) == [mine]
    assert mine.read_bytes() == (shipped("notebooks") / NAMES[0]).read_bytes()


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "books"
    place.touch()
    with pytest.raises(InvalidInputError, match="is a file: name another folder with --dir"):
        put_notebooks(place)


def test_without_jupyterlab_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "jupyterlab.labapp", None)
    monkeypatch.setattr(sys, "argv", ["engram", "lab", "--no-browser"])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert said == (
        "engram: `engram lab` needs the package 'jupyterlab': "
        "install engram-lab with its extra 'notebook', "
        'as `pip install ".[notebook]"` does in its checkout\n'
    )
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize(
    ("words", "root", "why"),
    [
        (("--port", "99999"), False, "Invalid value '99999' for '--port': give 65535 or less: see"),
        (("--port", "0"), False, "Invalid value '0' for '--port': give 1 or more: see"),
        (("--dir",), False, "Option '--dir' requires an argument: see `engram lab --help`"),
        ((), True, "JupyterLab does not run as root unless it is told to: start it as another"),
        (("--", "--debug"), True, "or add `-- --allow-root`"),
    ],
)
def test_what_jupyterlab_would_refuse_at_length_is_one_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    root: bool,  # noqa: FBT001
    why: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: 0 if root else 1000)
    monkeypatch.setattr(sys, "argv", ["engram", "lab", *words])
    with pytest.raises(SystemExit) as stopped:
        main()
    said = capsys.readouterr()
    assert (stopped.value.code, said.out, said.err.count("\n")) == (2, "", 1)
    assert why in said.err
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("asked", ["--version", "--help"])
def test_jupyterlab_is_asked_without_a_notebook_put_anywhere(asked: str, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "engram_lab.cli", "lab", "--", asked]
    done = subprocess.run(
        words,
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "HOME": str(tmp_path / "home")},
    )

    assert done.returncode == 0, done.stderr
    assert {"--version": "4.", "--help": "--ServerApp"}[asked] in done.stdout
    assert not list(tmp_path.glob("**/*.ipynb"))


def test_the_server_has_the_notebooks_and_asks_for_a_token(server: str) -> None:
    found = asked(server, "/api/contents")
    assert [each["name"] for each in sorted(found["content"], key=lambda e: e["name"])] == NAMES
    with pytest.raises(URLError, match="403"):
        urlopen(f"{server}/api/contents")  # noqa: S310
    kinds = asked(server, "/api/kernelspecs")["kernelspecs"]
    assert "python3" in kinds


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed on this machine")
def test_a_browser_opens_the_first_notebook_and_runs_it(server: str, tmp_path: Path) -> None:
    address = f"{server}/lab/tree/{NAMES[0]}?token={TOKEN}"
    with page_of(str(CHROMIUM), address, profile=tmp_path) as page:
        page.wait_until(READY)
        page.ask("void jupyterapp.commands.execute('notebook:run-all-cells')")
        page.wait_until(RAN)
        assert page.ask(f"{ALL}('[data-mime-type*=stderr]').length") == 0
        assert page.ask(f"{ALL}('.jp-OutputArea table').length") >= 2
        page.wait_until(f"{ALL}('.jp-OutputArea .vega-embed canvas').length >= 1")
        page.ask("document.querySelector('.vega-embed').scrollIntoView()")
        picture = page.picture()
    (tmp_path / "lab.png").write_bytes(picture)
    assert len(picture) > 50_000
