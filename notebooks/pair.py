"""Writes the `.ipynb` twin of each notebook, without outputs; `--check` only says which are stale.

The `.py` files in jupytext's percent format are what is edited and reviewed. A twin is made of its
file alone, so that equal text makes equal bytes: the ids of cells are digests, not chance.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path
from typing import Any, Final

import jupytext

__all__ = ["FOLDER", "main", "notebooks", "twin_of"]

FOLDER: Final = Path(__file__).resolve().parent
_KERNEL: Final = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def notebooks() -> list[Path]:
    """Return the notebooks as they are edited, in order."""
    return sorted(FOLDER.glob("[0-9][0-9]_*.py"))


def twin_of(source: Path) -> str:
    """Return what the twin of a notebook must hold.

    Args:
        source: A file in the percent format.
    """
    notebook: Any = jupytext.reads(source.read_text(encoding="utf-8"), fmt="py:percent")
    notebook.metadata = {
        "jupytext": {"formats": "ipynb,py:percent"},
        "kernelspec": _KERNEL,
        "language_info": {"name": "python"},
    }
    for place, cell in enumerate(notebook.cells):
        told = f"{place}:{cell.cell_type}:{cell.source}"
        cell["id"] = hashlib.sha256(told.encode()).hexdigest()[:16]
        cell.metadata = {}
    return str(jupytext.writes(notebook, fmt="ipynb")).rstrip("\n") + "\n"


def main(argv: list[str] | None = None) -> int:
    """Write the twins, or say which are not what they should be; 1 if any is stale."""
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n", 1)[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args(argv).check
    stale = []
    for source in notebooks():
        twin, text = source.with_suffix(".ipynb"), twin_of(source)
        if twin.is_file() and twin.read_text(encoding="utf-8") == text:
            continue
        stale.append(twin.name)
        if not check:
            twin.write_text(text, encoding="utf-8")
    alone = sorted(
        {each.stem for each in FOLDER.glob("[0-9][0-9]_*.ipynb")}
        - {each.stem for each in notebooks()}
    )
    for name in stale:
        print(f"{name} {'is stale: make notebooks' if check else 'written'}")
    for name in alone:
        print(f"{name}.ipynb has no .py beside it: write that, or remove it")
    return int(bool(alone or (check and stale)))


if __name__ == "__main__":
    sys.exit(main())
