"""`engram lab`: JupyterLab with the notebooks of this project."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from engram_lab.cli.common import at_home
from engram_lab.cli.printing import counted, say
from engram_lab.core.errors import InvalidInputError
from engram_lab.core.packages import optional

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["add_to", "put_notebooks"]

_FOLDER: Final = Path("engram-notebooks")

_FIT_FOR_ROOT: Final = ("--allow-root", "--ServerApp.allow_root", "--help", "--version")

_ASKS: Final = ("-h", "--help", "--version", "--show-config", "--generate-config")
"""What JupyterLab answers and ends, without a notebook."""

_QUIET: Final = "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"
"""JupyterLab asks the network for nothing."""


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command("lab")(lab)


def lab(
    others: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[-- OPTION]...", help="Options of JupyterLab itself, such as --allow-root."
        ),
    ] = None,
    folder: Annotated[
        Path,
        typer.Option("--dir", metavar="DIR", help="Where the notebooks go.", callback=at_home),
    ] = _FOLDER,
    port: Annotated[
        int | None,
        typer.Option(
            metavar="NUMBER", help="Else 8888, or the next that is free.", min=1, max=65_535
        ),
    ] = None,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the address, and open nothing.")
    ] = False,
) -> None:
    """Start JupyterLab with the notebooks of this project.

    Those that DIR has already are left as they are. Where JupyterLab is only asked for its help,
    its version or its configuration, none is put anywhere.
    """
    program = optional(
        "jupyterlab.labapp", package="jupyterlab", feature="`engram lab`", extra="notebook"
    )
    if _is_root() and not any(each.startswith(_FIT_FOR_ROOT) for each in others or ()):
        raise InvalidInputError(
            "JupyterLab does not run as root unless it is told to: start it as another user, or "
            "add `-- --allow-root`"
        )
    if any(each.startswith(_ASKS) for each in others or ()):
        program.main([*(others or ())])
        return
    put = put_notebooks(folder)
    say(f"put {counted({'notebooks': len(put)}) or 'nothing new'} into {folder}")
    words = [str(folder), _QUIET]
    words += [] if port is None else [f"--port={port}", "--ServerApp.port_retries=0"]
    words += ["--no-browser"] * no_browser
    program.main([*words, *(others or ())])


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def put_notebooks(folder: Path) -> Sequence[Path]:
    """Copy the notebooks that come with this package to a folder, where it has not got them.

    Returns:
        Those that are new.

    Raises:
        InvalidInputError: There is a file in the place of the folder.
    """
    from engram_lab.evaluation.shipped import shipped

    if folder.exists() and not folder.is_dir():
        raise InvalidInputError(f"{folder} is a file: name another folder with --dir")
    folder.mkdir(parents=True, exist_ok=True)
    put = []
    for each in sorted(shipped("notebooks").glob("*.ipynb")):
        target = folder / each.name
        if not target.exists():
            shutil.copyfile(each, target)
            put.append(target)
    return put
