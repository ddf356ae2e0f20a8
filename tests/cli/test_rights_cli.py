"""What the commands do with a database that somebody may read and not write, or not even read."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from engram_lab import Engine

if TYPE_CHECKING:
    from collections.abc import Iterator

AS_NOBODY = """
import io, os, sys
from engram_lab.cli import main

def run(*words):
    sys.argv = ["engram", *words]
    try:
        main()
    except SystemExit as stopped:
        return stopped.code

warm, *words = sys.argv[1:]
out, err = sys.stdout, sys.stderr
sys.stdout, sys.stderr = (io.TextIOWrapper(io.BytesIO()) for _ in range(2))
for warming in (["recall", "tea"], ["get", "x"], ["remember", "x"]):
    run(*warming, "--db", warm)  # all is imported while it may still be read
sys.stdout, sys.stderr = out, err
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
sys.exit(run(*words))
"""

pytestmark = pytest.mark.skipif(os.name == "nt", reason="rights are other ones there")


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that others may enter: those that pytest makes are the user's alone."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        for place in (folder / "warm", folder / "kept"):
            place.mkdir()
            with Engine.open(place / "notes.db") as engine:
                engine.remember("Ada likes tea")
        folder.chmod(0o755)
        yield folder / "kept"
        (folder / "kept").chmod(0o755)


def as_nobody(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command on a database as somebody without rights."""
    warm = str(folder.parent / "warm" / "notes.db")
    return subprocess.run(
        [sys.executable, "-c", AS_NOBODY, warm, *words, "--db", str(folder / "notes.db")],
        env=os.environ | {"ENGRAM_EMBEDDING_MODEL": "none", "HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )


@pytest.mark.parametrize("words", [("recall", "tea"), ("list",)])
def test_what_may_not_be_written_is_read(public_folder: Path, words: tuple[str, ...]) -> None:
    (public_folder / "notes.db").chmod(0o444)
    public_folder.chmod(0o555)
    there = sorted(public_folder.rglob("*"))
    done = as_nobody(public_folder, *words)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Ada likes tea" in done.stdout
    assert sorted(public_folder.rglob("*")) == there


def test_what_is_written_to_meanwhile_is_not_read_half(public_folder: Path) -> None:
    file = public_folder / "notes.db"
    with Engine.open(file) as engine:
        engine.remember("Ada likes coffee")
        for each in public_folder.glob("notes.db*"):
            if each.is_file():
                each.chmod(0o444)
        (public_folder / "notes.db-shm").rename(public_folder / "away")
        public_folder.chmod(0o555)
        done = as_nobody(public_folder, "list")
        public_folder.chmod(0o755)
        (public_folder / "away").rename(public_folder / "notes.db-shm")
    assert (done.returncode, done.stdout) == (2, "")
    assert "is in use, in a folder in which you may not write: read it once" in done.stderr


def test_what_is_in_use_is_read_as_it_stands(public_folder: Path) -> None:
    with Engine.open(public_folder / "notes.db") as engine:
        engine.remember("Ada likes coffee")
        for each in public_folder.glob("notes.db*"):
            if each.is_file():
                each.chmod(0o444)
        public_folder.chmod(0o555)
        done = as_nobody(public_folder, "list")
        public_folder.chmod(0o755)
    assert (done.returncode, done.stderr) == (0, "")
    assert "coffee" in done.stdout


def test_a_write_names_no_argument_of_python_alone(public_folder: Path) -> None:
    (public_folder / "notes.db").chmod(0o444)
    public_folder.chmod(0o555)
    done = as_nobody(public_folder, "remember", "more")
    assert (done.returncode, done.stdout) == (2, "")
    assert "the file cannot be written: check its permissions" in done.stderr
    assert "or open it with" not in done.stderr


@pytest.mark.parametrize("words", [("recall", "tea"), ("list",), ("remember", "more")])
def test_what_may_not_be_read_is_told_so(public_folder: Path, words: tuple[str, ...]) -> None:
    (public_folder / "notes.db").chmod(0o000)
    done = as_nobody(public_folder, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"engram: {public_folder / 'notes.db'} may not be read by you: ask its owner for the right "
        "to read it\n"
    )
