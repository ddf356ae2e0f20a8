"""Bars of the command line: on a terminal, on nothing else, and over when the command is."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from engram_lab import Engine

if TYPE_CHECKING:
    from pathlib import Path

pty = pytest.importorskip("pty")

ROWS = 640

SLOW = """
import sys, time
from engram_lab.cli import main
from engram_lab.retrieval.embedders.hashing import HashingEmbedder

at_once = HashingEmbedder.embed
def embed(self, texts, *, kind):
    time.sleep(0.1)  # for 32 of them
    return at_once(self, texts, kind=kind)
HashingEmbedder.embed = embed
main()
"""
"""The command line, with a model that takes its time on any machine."""

HIDDEN, BACK = "\x1b[?25l", "\x1b[?25h"
"""What hides the cursor, and what brings it back."""


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    file = tmp_path / "rows.jsonl"
    lines = (json.dumps({"content": f"tea number {n} at the harbour"}) for n in range(ROWS))
    file.write_text("\n".join(lines) + "\n")
    return file


def command(rows: Path) -> list[str]:
    settings = ["--db", str(rows.with_name("notes.db")), "--set", "embedding.model=hashing"]
    return [sys.executable, "-c", SLOW, "import", str(rows), *settings]


def on_a_terminal(rows: Path, *, interrupt_at: str | None = None) -> tuple[int, str]:
    """Run the command with a terminal for its errors, and return its code and what was seen."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    process = subprocess.Popen(
        command(rows), stdout=subprocess.DEVNULL, stderr=theirs, env=environment
    )
    os.close(theirs)
    seen = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:  # so Linux says that nobody has the other end any more
            break
        if not piece:
            break
        seen += piece
        if interrupt_at is not None and interrupt_at in seen.decode(errors="replace"):
            interrupt_at = None
            process.send_signal(signal.SIGINT)
    os.close(ours)
    return process.wait(), seen.decode()


def test_a_terminal_shows_a_bar_that_is_gone_at_the_end(rows: Path) -> None:
    code, seen = on_a_terminal(rows)
    assert code == 0
    assert "embedding" in seen
    assert f"of {ROWS:,} memories" in seen
    assert "/s · " in seen
    assert seen.count(HIDDEN) == seen.count(BACK) > 0
    assert seen.rindex("\x1b[2K") > seen.rindex("embedding")  # the lines are wiped


def test_an_interrupt_ends_the_bar_and_leaves_a_sound_database(rows: Path) -> None:
    code, seen = on_a_terminal(rows, interrupt_at="embedding")
    assert code != 0
    assert seen.count(HIDDEN) == seen.count(BACK) > 0
    with Engine.open(rows.with_name("notes.db")) as engine:
        assert all(check.ok for check in engine.store.doctor.examine())
        assert engine.count() == ROWS  # they were stored before a model was asked


def test_a_pipe_shows_none(rows: Path) -> None:
    ran = subprocess.run(command(rows), capture_output=True, text=True, check=True)
    assert ran.stdout == f"imported {ROWS:,} memories\n"
    assert ran.stderr == ""
