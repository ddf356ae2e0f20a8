"""The options and arguments that several commands have, each declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "AsJson",
    "AsOf",
    "ConfigFile",
    "Database",
    "EventAt",
    "Expires",
    "Filter",
    "Id",
    "Importance",
    "InScope",
    "InWorkspace",
    "Metadata",
    "Reason",
    "Scope",
    "Settings",
    "Tags",
    "Type",
    "Workspace",
]

Database = Annotated[
    str | None,  # a Path would join the slashes of a URL
    typer.Option("--db", metavar="FILE", help="The database; else ENGRAM_STORE_PATH."),
]
ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="YAML, instead of ~/.engram/config.yaml."),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Override one setting: store.dedup=skip."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]
Filter = Annotated[
    str | None,
    typer.Option("--filter", metavar="JSON", help='Such as \'{"tags": {"contains": "taste"}}\'.'),
]

Id = Annotated[str, typer.Argument(metavar="ID", help="The id of a memory.")]
Tags = Annotated[
    list[str] | None, typer.Option("--tag", metavar="TEXT", help="A tag; may be given again.")
]
Type = Annotated[
    str | None, typer.Option("--type", metavar="TEXT", help="note, fact, decision, preference, …")
]
Importance = Annotated[
    float | None, typer.Option("--importance", metavar="NUMBER", help="From 0 to 1.")
]
Metadata = Annotated[str | None, typer.Option("--metadata", metavar="JSON", help="An object.")]
Workspace = Annotated[
    str | None, typer.Option("--workspace", metavar="NAME", help="The workspace to keep it in.")
]
Scope = Annotated[
    str | None, typer.Option("--scope", metavar="PATH", help="Such as global/org:acme.")
]
InWorkspace = Annotated[
    str | None, typer.Option("--workspace", metavar="NAME", help="This workspace alone.")
]
InScope = Annotated[
    str | None, typer.Option("--scope", metavar="PATH", help="This scope and all below it.")
]
Reason = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="For the history.")]
AsOf = Annotated[str | None, typer.Option("--as-of", metavar="TIME", help="As it was then.")]
EventAt = Annotated[str | None, typer.Option("--event-at", metavar="TIME", help="When it was.")]
Expires = Annotated[str | None, typer.Option("--expires-at", metavar="TIME", help="Gone then.")]
