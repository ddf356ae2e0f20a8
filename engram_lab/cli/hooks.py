"""`engram hook`, `inject` and `injections`: what agents are told, and what sessions leave."""

from __future__ import annotations

import sys
from typing import Annotated, Final

import typer

from engram_lab.cli.common import open_engine, parse_json, standard_input
from engram_lab.cli.options import AsJson, ConfigFile, Database, Settings
from engram_lab.cli.printing import print_json, print_rows, say

__all__ = ["add_to"]

_HOUR_S: Final = 3600.0


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (hook, inject, injections):
        app.command(command.__name__)(command)


def hook(
    event: Annotated[
        str,
        typer.Argument(metavar="EVENT", help="SessionStart, SessionEnd, PostToolUse or Stop."),
    ],
    workspace: Annotated[
        str | None, typer.Option("--workspace", metavar="NAME", help="Else that of the session.")
    ] = None,
    db: Database = None,
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Answer a coding agent's hook, sent as JSON on input."""
    payload = parse_json(standard_input(), flag="standard input")
    with open_engine(db, config, settings, use="create") as engine:
        answer = engine.hook(event, payload, workspace=workspace)
    if as_json:
        print_json(answer)
    elif answer.text:
        sys.stdout.write(f"{answer.text}\n")


def inject(
    text: Annotated[
        str, typer.Argument(metavar="TEXT", help="What to tell; - reads standard input.")
    ],
    workspace: Annotated[
        str, typer.Option("--workspace", metavar="NAME", help="Whose next session is told.")
    ] = "default",
    ttl_hours: Annotated[
        float | None, typer.Option("--ttl-hours", metavar="N", help="Then it is too late.")
    ] = None,
    db: Database = None,
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Leave a text for the next session of a workspace."""
    content = standard_input() if text == "-" else text
    seconds = None if ttl_hours is None else ttl_hours * _HOUR_S
    with open_engine(db, config, settings, use="create") as engine:
        left = engine.store.injections.put(
            content, workspace=workspace, source="cli", ttl_s=seconds
        )
    print_json(left) if as_json else say(left.id)


def injections(
    workspace: Annotated[
        str, typer.Option("--workspace", metavar="NAME", help="Whose.")
    ] = "default",
    db: Database = None,
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """List what waits for the next session of a workspace."""
    with open_engine(db, config, settings, use="read") as engine:
        waiting = engine.store.injections.waiting(workspace=workspace)
    if as_json:
        print_json(waiting)
    elif not waiting:
        say("nothing waits")
    else:
        print_rows(
            [
                (
                    f"{each.created_at:%Y-%m-%d %H:%M}",
                    f"until {each.expires_at:%Y-%m-%d %H:%M}" if each.expires_at else "",
                    each.source or "",
                    " ".join(each.content.split()),
                )
                for each in waiting
            ]
        )
