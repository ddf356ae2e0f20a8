"""What every test stands on: hypothesis profiles, and a machine without a configuration."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from engram_lab.engine import loading
from engram_lab.retrieval.embedders import resolve
from engram_lab.retrieval.embedders.registry import AUTO

if TYPE_CHECKING:
    from engram_lab.retrieval.embedders import Embedder, EmbedderOptions

PROFILE = "ENGRAM_HYPOTHESIS_PROFILE"
KEPT = {"ENGRAM_DATA", PROFILE}  # where downloaded datasets lie, and how hard to try

# `derandomize` is always said, as hypothesis turns it on by itself where it finds CI=true.
for name, examples, derandomize in (
    ("fast", 20, False),
    ("ci", 100, True),
    ("nightly", 2000, False),
):
    settings.register_profile(
        name, max_examples=examples, derandomize=derandomize, deadline=None, print_blob=True
    )
settings.load_profile(
    os.environ.get(PROFILE) or ("ci" if os.environ.get("CI") == "true" else "fast")
)


# A shell has what it starts in the background ignore Ctrl-C, and so would all that tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def clean_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Hide the developer's own configuration: no ENGRAM_* variable, an empty home."""
    for name in list(os.environ):
        if name.startswith("ENGRAM_") and name not in KEPT:
            monkeypatch.delenv(name)
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    home = str(tmp_path_factory.mktemp("home"))
    monkeypatch.setenv("HOME", home)
    monkeypatch.setenv("USERPROFILE", home)


@pytest.fixture(autouse=True)
def quick_embedder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `auto` be hashing, whatever is installed: it loads at once and is the same anywhere."""
    monkeypatch.setattr(loading, "resolve", _resolve)


def _resolve(model: str, options: EmbedderOptions) -> Embedder:
    return resolve("hashing" if model == AUTO else model, options)
