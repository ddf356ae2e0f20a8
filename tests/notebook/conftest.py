"""One IPython for each test, in a folder of its own, with the extension loaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True)
class Notebook:
    """What a person does in one: run cells, look at what comes out, press Tab."""

    shell: Any
    capture: pytest.CaptureFixture[str]

    def run(self, cell: str) -> Any:
        """Run a cell that succeeds, and return what it shows."""
        done = self.shell.run_cell(cell, store_history=True)
        done.raise_error()
        return done.result

    def refused(self, cell: str) -> str:
        """Run a cell that is refused, and return what is said."""
        self.capture.readouterr()
        done = self.shell.run_cell(cell)
        assert not done.success
        out, err = self.capture.readouterr()
        return str(out + err)

    def said(self, cell: str) -> str:
        """Run a cell, and return what it prints."""
        self.capture.readouterr()
        self.run(cell)
        return str(self.capture.readouterr().out)

    def offered(self, text: str) -> list[str]:
        """Return what Tab offers at the end of a text, as the whole text would be after it."""
        with provisionalcompleter():
            found = list(self.shell.Completer.completions(text, len(text)))
        return [text[: each.start] + each.text + text[each.end :] for each in found]


@pytest.fixture
def notebook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Notebook]:
    """Lend an IPython with `%load_ext engram_lab` done, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / ".ipython"))
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    kind: Any = InteractiveShell
    shell = kind(config=config)
    shell.extension_manager.load_extension("engram_lab")
    yield Notebook(shell, capsys)
    shell.extension_manager.unload_extension("engram_lab")
