"""`engram link`, `neighbours`, `path` and `graph`: join memories, and follow what joins them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engram_lab.cli.common import at_home, open_engine
from engram_lab.cli.options import (
    AsJson,
    ConfigFile,
    Database,
    Id,
    InScope,
    InWorkspace,
    Settings,
)
from engram_lab.cli.printing import counted, print_json, print_rows, say
from engram_lab.core.checks import check_choice
from engram_lab.core.errors import InvalidInputError

if TYPE_CHECKING:
    from engram_lab.core.types import Link, Memory

__all__ = ["add_to"]

From = Annotated[str, typer.Argument(metavar="FROM", help="The id of a memory.")]
To = Annotated[str, typer.Argument(metavar="TO", help="The id of another.")]
Types = Annotated[
    str | None, typer.Option("--types", metavar="NAMES", help="Only such links, by commas.")
]
Direction = Annotated[
    str, typer.Option("--direction", metavar="WAY", help="out along the links, in, or both.")
]
MinWeight = Annotated[
    float, typer.Option("--min-weight", metavar="NUMBER", help="Only links from this weight on.")
]
At = Annotated[
    str | None, typer.Option("--at", metavar="TIME", help="Links that held then; else now.")
]

_FORMATS = ("json", "dot")
_SHORT = 60


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (link, neighbours, path, graph):
        app.command(command.__name__)(command)


def link(
    from_id: From,
    to_id: To,
    type: Annotated[  # noqa: A002 - the word users know
        str, typer.Option("--type", metavar="TEXT", help="related_to, supersedes, extends, …")
    ] = "related_to",
    weight: Annotated[float, typer.Option("--weight", metavar="NUMBER", help="From 0 to 1.")] = 1.0,
    context: Annotated[
        str | None, typer.Option("--context", metavar="TEXT", help="Why they are linked.")
    ] = None,
    valid_from: Annotated[
        str | None, typer.Option("--valid-from", metavar="TIME", help="It holds from then on.")
    ] = None,
    valid_to: Annotated[
        str | None, typer.Option("--valid-to", metavar="TIME", help="It holds until then.")
    ] = None,
    exclusive: Annotated[
        bool, typer.Option("--exclusive", help="Others of its type from FROM end as it begins.")
    ] = False,
    db: Database = None,
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Link two memories; an open link of that type is changed."""
    with open_engine(db, config, settings, use="write") as engine:
        made = engine.link(
            from_id,
            to_id,
            exclusive=exclusive,
            type=type,
            weight=weight,
            context=context,
            valid_from=valid_from,
            valid_to=valid_to,
        )
    print_json(made) if as_json else say(made.id)


def neighbours(
    memory_id: Id,
    depth: Annotated[int, typer.Option("--depth", metavar="N", help="Over so many links.")] = 1,
    limit: Annotated[int, typer.Option("--limit", metavar="N", help="At most so many.")] = 50,
    types: Types = None,
    direction: Direction = "both",
    min_weight: MinWeight = 0.0,
    at: At = None,
    db: Database = None,
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Show what links lead to: nearest first, then heaviest."""
    with open_engine(db, config, settings, use="read") as engine:
        found = engine.neighbours(
            memory_id,
            depth=depth,
            limit=limit,
            types=_names(types),
            direction=direction,  # type: ignore[arg-type]  # the engine refuses what it does not know
            min_weight=min_weight,
            valid_at=at,
        )
    if as_json:
        print_json([each._asdict() for each in found])
    elif not found:
        say("nothing is linked with it")
    else:
        print_rows(
            [
                (f"{each.weight:.2f}", str(each.depth), _arrow(each.link, each.memory),
                 each.memory.id, _short(each.memory))
                for each in found
            ],
            head=("weight", "links", "by", "id", "memory"),
        )  # fmt: skip


def path(
    from_id: From,
    to_id: To,
    max_depth: Annotated[
        int, typer.Option("--max-depth", metavar="N", help="Over at most so many links, to 10.")
    ] = 4,
    limit: Annotated[int, typer.Option("--limit", metavar="N", help="At most so many.")] = 3,
    types: Types = None,
    direction: Direction = "both",
    min_weight: MinWeight = 0.0,
    at: At = None,
    db: Database = None,
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Show how links lead from one memory to another."""
    with open_engine(db, config, settings, use="read") as engine:
        found = engine.paths(
            from_id,
            to_id,
            max_depth=max_depth,
            limit=limit,
            types=_names(types),
            direction=direction,  # type: ignore[arg-type]  # as above
            min_weight=min_weight,
            valid_at=at,
        )
    if as_json:
        print_json(found)
    elif not found:
        say(f"no path of at most {counted({'links': max_depth})} leads from one to the other")
    else:
        rows: list[tuple[str, ...]] = []
        for number, each in enumerate(found):
            rows += [("", "", "")] * (number > 0)
            ways = ["", *map(_arrow, each.links, each.memories[1:])]
            for place, (memory, way) in enumerate(zip(each.memories, ways, strict=True)):
                lead = "" if place else f"{each.weight:.2f}"
                rows.append((lead, way, memory.id, _short(memory)))
        print_rows(rows)


def graph(
    focus: Annotated[
        list[str] | None,
        typer.Option("--focus", metavar="ID", help="What lies around it; may be given again."),
    ] = None,
    depth: Annotated[
        int, typer.Option("--depth", metavar="N", help="So many links around --focus.")
    ] = 2,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", help="Most memories around --focus.")
    ] = 500,
    types: Types = None,
    min_weight: MinWeight = 0.0,
    at: At = None,
    workspace: InWorkspace = None,
    scope: InScope = None,
    format: Annotated[  # noqa: A002
        str, typer.Option("--format", metavar="NAME", help="json, or dot for Graphviz.")
    ] = "json",
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write it to a new file.")
    ] = None,
    db: Database = None,
    config: ConfigFile = None,
    settings: Settings = None,
) -> None:
    """Print memories and their links for another program."""
    check_choice(format, field="--format", choices=_FORMATS)
    target = None if out is None else at_home(out)
    if target is not None and target.exists():
        raise InvalidInputError(f"{target} exists: give --out a new file")
    if focus and (workspace is not None or scope is not None):
        raise InvalidInputError("--focus goes by links alone: leave out --workspace and --scope")
    names = _names(types)
    with open_engine(db, config, settings, use="read") as engine:
        if focus:
            found = engine.subgraph(
                focus, depth=depth, limit=limit, types=names, min_weight=min_weight, valid_at=at
            )
        else:
            found = engine.graph_at(
                at, types=names, min_weight=min_weight, workspace=workspace, scope=scope
            )
    text = found.to_dot() if format == "dot" else found.to_json()
    if target is None:
        sys.stdout.write(text)
        return
    target.write_text(text, encoding="utf-8")
    counts = counted({"memories": found.nodes.height, "links": found.edges.height})
    say(f"wrote {counts or 'an empty graph'} to {target}")


def _names(types: str | None) -> list[str] | None:
    if types is None:
        return None
    return [name for each in types.split(",") if (name := each.strip())]


def _arrow(link: Link, to: Memory) -> str:
    return f"{link.type} →" if link.to_id == to.id else f"← {link.type}"


def _short(memory: Memory) -> str:
    line = " ".join(memory.content.split())
    return line if len(line) <= _SHORT else f"{line[:_SHORT].rstrip()} …"
