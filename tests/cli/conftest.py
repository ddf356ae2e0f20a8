"""The command line, run in this process just as `engram` runs it, in a folder of its own."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from engram_lab.cli import main

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Ran:
    """What a run left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Engram:
    """Runs commands on `notes.db`, unless they name another database."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def run(self, *args: str, stdin: bytes = b"") -> Ran:
        """Run a command, whatever comes of it."""
        self._monkeypatch.setattr(sys, "argv", ["engram", *args])
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main()
        code = stopped.value.code
        said = self._capsys.readouterr()
        return Ran(code if isinstance(code, int) else 0, said.out, said.err)

    def __call__(self, *args: str, stdin: bytes = b"") -> str:
        """Return what a command prints that does what it is told to."""
        ran = self.run(*args, stdin=stdin)
        assert (ran.code, ran.err) == (0, "")
        return ran.out

    def json(self, *args: str, stdin: bytes = b"") -> Any:
        """Return the record that a command prints with `--json`."""
        return json.loads(self(*args, "--json", stdin=stdin))

    def remember(self, *args: str) -> str:
        """Return the id of a new memory."""
        return self("remember", *args).strip()

    def refused(self, *args: str, stdin: bytes = b"") -> str:
        """Return why a command is refused: one sentence, and nothing else anywhere."""
        ran = self.run(*args, stdin=stdin)
        assert (ran.code, ran.out) == (2, "")
        assert ran.err.startswith("engram: ")
        assert ran.err.count("\n") == 1
        return ran.err.removeprefix("engram: ").strip()


@pytest.fixture
def engram(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Engram:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("ENGRAM_STORE_PATH", "notes.db")
    return Engram(monkeypatch, capsys)
