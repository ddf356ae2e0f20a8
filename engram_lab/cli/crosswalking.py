"""`engram eval crosswalk`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engram_lab.cli.evaluating import AllowChanged, Data, skip
from engram_lab.cli.options import AsJson
from engram_lab.cli.printing import print_json, show
from engram_lab.core.errors import DatasetMissingError

__all__ = ["add_to"]

_CUTS = (5, 10)


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command("crosswalk")(crosswalk)


def crosswalk(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="A folder that `engram eval run` wrote.")
    ],
    systems: Annotated[
        list[str] | None,
        typer.Option("--system", metavar="NAME", help="Else all; may be given again."),
    ] = None,
    cuts: Annotated[
        list[int] | None,
        typer.Option("-k", metavar="N", help="How many hits count; else 5 and 10."),
    ] = None,
    data: Data = None,
    allow_changed: AllowChanged = False,
    as_json: AsJson = False,
) -> None:
    """Show what one run scores under each convention and key that figures are published under."""
    from engram_lab.evaluation.running.crosswalking import crosswalk_run
    from engram_lab.evaluation.runs.results import read_results

    folder = read_results(run)
    try:
        found = crosswalk_run(
            folder,
            systems=systems or (),
            cuts=cuts or _CUTS,
            data=data,
            allow_changed=allow_changed,
        )
    except DatasetMissingError as error:
        skip(folder.suite, error, as_json=as_json)
    if as_json:
        print_json(found.plain())
        return
    from engram_lab.evaluation.reports.conventions import crosswalk_tables

    show(crosswalk_tables(found.rows, cuts=found.cuts, notes=found.notes))
