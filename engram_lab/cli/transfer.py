"""`engram import` and `engram export`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engram_lab.cli.common import at_home, open_engine
from engram_lab.cli.options import AsJson, ConfigFile, Database, Settings
from engram_lab.cli.printing import bars, counted, print_json, say
from engram_lab.core.errors import ImportRefusedError, InvalidInputError

if TYPE_CHECKING:
    from engram_lab.core.reports import ImportReport

__all__ = ["add_to"]

_SHOWN = 10


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("import")(import_)
    app.command("export")(export)


def import_(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="PATH",
            help="An export, or memories as .jsonl, .json, .parquet, .arrow, .csv or .tsv.",
            callback=at_home,
        ),
    ],
    workspace: Annotated[
        str | None, typer.Option(metavar="NAME", help="For memories that name no workspace.")
    ] = None,
    dedup: Annotated[
        str | None, typer.Option(metavar="MODE", help="allow, reject, skip or merge.")
    ] = None,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Take the good rows though others are refused.")
    ] = False,
    db: Database = None,
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Take in an export or a file of memories: all, or nothing."""
    with open_engine(db, config, settings, use="create") as engine:
        try:
            report = engine.import_(
                path,
                workspace=workspace,
                dedup=dedup,  # type: ignore[arg-type]  # the engine refuses what it does not know
                keep_going=keep_going,
                progress=bars(),
            )
        except ImportRefusedError as error:
            raise InvalidInputError(
                f"{error} (rows count from 0; --keep-going takes the others and tells of every one)"
            ) from None
    print_json(report) if as_json else _tell(report)
    if report.refused:
        raise typer.Exit(1)


def _tell(report: ImportReport) -> None:
    known = f"; {report.unchanged:,} were there already" if report.unchanged else ""
    say(f"imported {counted(report.imported) or 'nothing'}{known}")
    for each in report.refused[:_SHOWN]:
        say(f"refused: row {each.row} (from 0) of {each.table}: {each.reason}")
    if len(report.refused) > _SHOWN:
        say(f"and {len(report.refused) - _SHOWN:,} more: --json lists every one")


def export(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="PATH",
            help="A folder for Parquet, or a .jsonl or .json file.",
            callback=at_home,
        ),
    ],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")] = False,
    db: Database = None,
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Write everything to files, which `engram import` reads back."""
    with open_engine(db, config, settings, use="read") as engine:
        counts = engine.export(path, overwrite=overwrite, progress=bars())
    if as_json:
        print_json({"path": str(path), "rows": counts})
    else:
        say(f"wrote {counted(counts) or 'an empty store'} to {path}")
