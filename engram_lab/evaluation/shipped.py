"""The files that come with the package: manifests, the bundled corpus, suites, notebooks."""

from __future__ import annotations

from pathlib import Path
from typing import Final

__all__ = ["shipped"]

_PACKAGE: Final = Path(__file__).resolve().parents[1]
_INSTALLED: Final = _PACKAGE / "_shipped"
"""Where the wheel has them; a checkout has them in its own folders."""

_FOLDERS: Final = {
    "datasets": "datasets",
    "notebooks": "notebooks",
    "schemas": "evals/schemas",
    "spaces": "evals/spaces",
    "suites": "evals/suites",
    "systems": "evals/systems",
}


def shipped(kind: str) -> Path:
    """Return a folder: `datasets`, `notebooks`, `suites`, `systems`, `spaces` or `schemas`."""
    root = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent
    return root / _FOLDERS[kind]
