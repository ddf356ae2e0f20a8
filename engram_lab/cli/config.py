"""`engram config show`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from engram_lab.cli.common import (
    AsJson,
    ConfigFile,
    Database,
    Settings,
    console,
    load,
    print_json,
    say,
)
from engram_lab.config import show as rows_of

__all__ = ["add_to"]

config_app = typer.Typer(help="The settings in force.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(config_app, name="config")


@config_app.command()
def show(
    with_help: Annotated[bool, typer.Option("--explain", help="Say what each is for.")] = False,
    db: Database = None,
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Print each value and where it comes from; secrets are masked."""
    loaded = load(db, config, settings)
    rows = rows_of(loaded)
    if as_json:
        print_json({"content_hash": loaded.config.content_hash, "settings": rows})
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("setting", "value", "source", *(("meaning",) if with_help else ())):
        table.add_column(name)
    for each in rows:
        cells = [each.name, str(each.value), each.source, *((each.help,) if with_help else ())]
        table.add_row(*(cell.replace("[", r"\[") for cell in cells))
    console.print(table)
    say(f"content hash {loaded.config.content_hash}")
