"""`engram remember`, `recall`, `get`, `list`, `update`, `forget`, `restore`, `history`, `purge`."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from engram_lab.cli.common import (
    AsJson,
    ConfigFile,
    Database,
    Filter,
    Settings,
    console,
    open_engine,
    parse_json,
    print_json,
    print_memories,
    print_memory,
    say,
)
from engram_lab.core.clock import parse_time
from engram_lab.core.errors import InvalidInputError

__all__ = ["add_to"]

Id = Annotated[str, typer.Argument(help="The id of a memory.")]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="A tag; may be given again.")]
Type = Annotated[str | None, typer.Option("--type", help="note, fact, decision, preference, …")]
Importance = Annotated[float | None, typer.Option("--importance", help="From 0 to 1.")]
Metadata = Annotated[str | None, typer.Option("--metadata", metavar="JSON", help="An object.")]
Workspace = Annotated[str | None, typer.Option("--workspace", help="The workspace.")]
Scope = Annotated[str | None, typer.Option("--scope", help="A path such as global/org:acme.")]
Reason = Annotated[str | None, typer.Option("--reason", help="Why, for the history.")]
Version = Annotated[int | None, typer.Option("--version", help="A version number.")]
AsOf = Annotated[str | None, typer.Option("--as-of", metavar="TIME", help="As it was then.")]
EventAt = Annotated[str | None, typer.Option("--event-at", metavar="TIME", help="When it was.")]
Expires = Annotated[str | None, typer.Option("--expires-at", metavar="TIME", help="Gone then.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (remember, recall, get, list_, update, forget, restore, history, purge):
        app.command(command.__name__.removesuffix("_"))(command)


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def remember(
    content: Annotated[str, typer.Argument(help="The text; - reads it from standard input.")],
    tag: Tags = None,
    type: Type = None,  # noqa: A002 - the word users know
    importance: Importance = None,
    metadata: Metadata = None,
    workspace: Workspace = None,
    scope: Scope = None,
    event_at: EventAt = None,
    expires_at: Expires = None,
    pinned: Annotated[bool, typer.Option("--pin", help="Protect it from clean-ups.")] = False,
    dedup: Annotated[str | None, typer.Option(help="allow, reject, skip or merge.")] = None,
    reason: Reason = None,
    db: Database = None,
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Store a memory."""
    fields = _given(
        tags=tag,
        type=type,
        importance=importance,
        metadata=parse_json(metadata, flag="--metadata"),
        workspace=workspace,
        scope=scope,
        event_at=event_at,
        expires_at=expires_at,
        pinned=pinned or None,
        dedup=dedup,
        reason=reason,
    )
    text = sys.stdin.read().rstrip("\n") if content == "-" else content
    with open_engine(db, config, settings) as engine:
        memory = engine.remember(text, **fields)
    print_json(memory) if as_json else say(memory.id)


def recall(
    query: Annotated[str, typer.Argument(help="What you look for, in plain words.")],
    k: Annotated[int | None, typer.Option("-k", help="How many at most.")] = None,
    filter: Filter = None,  # noqa: A002
    workspace: Workspace = None,
    scope: Scope = None,
    archived: Annotated[bool, typer.Option("--archived", help="Also archived ones.")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Say why each is there.")] = False,
    db: Database = None,
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Find memories by their words, best first."""
    with open_engine(db, config, settings) as engine:
        hits = engine.recall(
            query,
            k,
            filter=parse_json(filter, flag="--filter"),
            workspace=workspace,
            scope=scope,
            archived=archived,
        )
    if as_json:
        print_json({"query": hits.query, "strategy": hits.strategy, "hits": list(hits)})
    elif hits:
        print_memories([hit.memory for hit in hits], score=lambda place: hits[place].score)
        for hit in hits if explain else ():
            say(f"{hit.rank}. {hit.explanation}")
    else:
        say("nothing found")


def get(
    memory_id: Id,
    as_of: AsOf = None,
    private: Annotated[bool, typer.Option("--private", help="With private sections.")] = False,
    db: Database = None,
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Show a memory."""
    moment = None if as_of is None else parse_time(as_of, field="--as-of")
    with open_engine(db, config, settings, read_only=True) as engine:
        memory = engine.get(memory_id, as_of=moment, private=private)
    print_json(memory) if as_json else print_memory(memory)


def list_(
    filter: Filter = None,  # noqa: A002
    workspace: Workspace = None,
    scope: Scope = None,
    order: Annotated[
        str, typer.Option(help="id, created_at, updated_at, event_at or importance.")
    ] = "id",
    descending: Annotated[bool, typer.Option("--desc", help="The last first.")] = False,
    limit: Annotated[int, typer.Option(help="How many a page.")] = 20,
    cursor: Annotated[str | None, typer.Option(help="Where the page before ended.")] = None,
    as_of: AsOf = None,
    archived: Annotated[bool, typer.Option("--archived", help="Also archived ones.")] = False,
    forgotten: Annotated[bool, typer.Option("--forgotten", help="Also forgotten ones.")] = False,
    db: Database = None,
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """List memories, a page at a time."""
    with open_engine(db, config, settings, read_only=True) as engine:
        page = engine.select(
            order=order,  # type: ignore[arg-type]  # the engine refuses what it does not know
            descending=descending,
            limit=limit,
            cursor=cursor,
            filter=parse_json(filter, flag="--filter"),
            workspace=workspace,
            scope=scope,
            as_of=as_of,
            archived=archived,
            forgotten=forgotten,
        )
    if as_json:
        print_json(page)
        return
    print_memories(page.memories)
    if page.next_cursor is not None:
        say(f"more: --cursor {page.next_cursor}")


def update(
    memory_id: Id,
    content: Annotated[str | None, typer.Option(help="The new text.")] = None,
    tag: Tags = None,
    type: Type = None,  # noqa: A002
    importance: Importance = None,
    metadata: Metadata = None,
    workspace: Workspace = None,
    scope: Scope = None,
    lifecycle: Annotated[str | None, typer.Option(help="active, stale or archived.")] = None,
    pinned: Annotated[bool | None, typer.Option("--pin/--no-pin", help="Protect it.")] = None,
    clear: Annotated[
        list[str] | None, typer.Option("--clear", help="A field to empty; may be given again.")
    ] = None,
    version: Annotated[
        int | None, typer.Option("--version", help="Refuse if it is no longer at this version.")
    ] = None,
    reason: Reason = None,
    db: Database = None,
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Change fields of a memory; tags and metadata are replaced whole."""
    changes = _given(
        content=content,
        tags=tag,
        type=type,
        importance=importance,
        metadata=parse_json(metadata, flag="--metadata"),
        workspace=workspace,
        scope=scope,
        lifecycle=lifecycle,
        pinned=pinned,
    )
    changes |= dict.fromkeys(clear or ())
    if not changes:
        raise InvalidInputError("nothing to change was given: see `engram update --help`")
    with open_engine(db, config, settings) as engine:
        memory = engine.update(memory_id, version=version, reason=reason, **changes)
    print_json(memory) if as_json else say(f"{memory.id} is now at version {memory.version}")


def forget(
    memory_id: Id,
    reason: Reason = None,
    db: Database = None,
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Hide a memory; `engram restore` brings it back."""
    with open_engine(db, config, settings) as engine:
        engine.forget(memory_id, reason=reason)
    done = {"id": memory_id, "forgotten": True}
    print_json(done) if as_json else say(f"{memory_id} is forgotten; `engram restore` undoes that")


def restore(
    memory_id: Id,
    version: Version = None,
    reason: Reason = None,
    db: Database = None,
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Bring back a forgotten memory, or go back to an earlier version."""
    with open_engine(db, config, settings) as engine:
        memory = engine.restore(memory_id, version=version, reason=reason)
    print_json(memory) if as_json else say(f"{memory.id} is back, at version {memory.version}")


def history(
    memory_id: Id,
    db: Database = None,
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Show every version of a memory: when, who, why."""
    with open_engine(db, config, settings, read_only=True) as engine:
        versions = engine.history(memory_id)
    if as_json:
        print_json(versions)
        return
    for each in versions:
        moment = f"{each.recorded_at:%Y-%m-%d %H:%M:%S}"
        why = f": {each.reason}" if each.reason else ""
        say(f"{each.number}  {moment}  {each.action} by {each.author}{why}")
        say(f"   {each.memory.content}")


def purge(
    memory_ids: Annotated[list[str], typer.Argument(help="The ids of memories.")],
    reason: Reason = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    db: Database = None,
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Remove memories for good, from every table and from the file."""
    if not yes:
        typer.confirm(f"Purge {len(memory_ids)} for good?", abort=True, err=True)
    with open_engine(db, config, settings) as engine:
        report = engine.purge(memory_ids, reason=reason)
    print_json(report) if as_json else say(f"{len(report.ids)} purged")
    if not report.erased and not as_json:
        console.print("another program still reads the file: its bytes go with the next purge")
