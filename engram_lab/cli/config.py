"""`engram config show`."""

from __future__ import annotations

from typing import Annotated

import typer

from engram_lab.cli.common import load
from engram_lab.cli.options import AsJson, ConfigFile, Database, Settings
from engram_lab.cli.printing import print_json, print_rows, say, spelled

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
    from engram_lab.config import show as rows_of

    loaded = load(db, config, settings)
    rows = rows_of(loaded)
    if as_json:
        print_json({"content_hash": loaded.config.content_hash, "settings": rows})
        return
    head = ("setting", "value", "source", "meaning")
    cells = [(each.name, spelled(each.value), each.source, each.help) for each in rows]
    shown = 4 if with_help else 3
    print_rows([row[:shown] for row in cells], head=head[:shown])
    say(f"content hash {loaded.config.content_hash}")
