"""`engram import` and `engram export`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engram_lab.cli.common import (
    AsJson,
    ConfigFile,
    Database,
    Settings,
    open_engine,
    print_json,
    progress_bar,
    say,
)

if TYPE_CHECKING:
    from engram_lab.core.reports import ImportReport

__all__ = ["add_to"]

_SHOWN = 10


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("import")(import_)
    app.command("export")(export)


def import_(
    path: Annotated[Path, typer.Argument(help="An export, or memories as .jsonl .json .parquet.")],
    workspace: Annotated[
        str | None, typer.Option(help="For memories that name no workspace.")
    ] = None,
    dedup: Annotated[str | None, typer.Option(help="allow, reject, skip or merge.")] = None,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Take the good rows though others are refused.")
    ] = False,
    db: Database = None,
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Take in an export, or a file of memories: all of it, or nothing."""
    with open_engine(db, config, settings) as engine, progress_bar("importing") as show:
        report = engine.import_(
            path,
            workspace=workspace,
            dedup=dedup,  # type: ignore[arg-type]  # the engine refuses what it does not know
            keep_going=keep_going,
            progress=lambda done: show(done, None),
        )
    print_json(report) if as_json else _tell(report)
    if report.refused:
        raise typer.Exit(1)


def _tell(report: ImportReport) -> None:
    taken = ", ".join(f"{count} {name}" for name, count in report.imported.items() if count)
    say(f"imported {taken or 'nothing'}; {report.unchanged} were there already")
    for each in report.refused[:_SHOWN]:
        say(f"refused: row {each.row} of {each.table}: {each.reason}")
    if len(report.refused) > _SHOWN:
        say(f"and {len(report.refused) - _SHOWN} more: --json lists every one")


def export(
    path: Annotated[Path, typer.Argument(help="A folder for Parquet, or a .jsonl or .json file.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")] = False,
    db: Database = None,
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Write everything to files; `engram import` brings it back exactly."""
    with (
        open_engine(db, config, settings, read_only=True) as engine,
        progress_bar("exporting") as show,
    ):
        counts = engine.export(
            path, overwrite=overwrite, progress=lambda _, done, total: show(done, total)
        )
    if as_json:
        print_json({"path": path, "rows": counts})
    else:
        written = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
        say(f"wrote {written or 'an empty store'} to {path}")
