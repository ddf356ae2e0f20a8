"""`engram remember`, `get`, `list`, `update`, `forget`, `restore`, `history`, `purge`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engram_lab.cli.common import open_engine, parse_json, standard_input
from engram_lab.cli.options import (
    AsJson,
    AsOf,
    ConfigFile,
    Database,
    EventAt,
    Expires,
    Filter,
    Id,
    Importance,
    InScope,
    InWorkspace,
    Metadata,
    Reason,
    Scope,
    Settings,
    Tags,
    Type,
    Workspace,
)
from engram_lab.cli.printing import (
    counted,
    print_history,
    print_json,
    print_memories,
    print_memory,
    say,
)
from engram_lab.core.clock import parse_time
from engram_lab.core.errors import InvalidInputError

if TYPE_CHECKING:
    from datetime import datetime

    from engram_lab.core.types import Memory

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (remember, get, list_, update, forget, restore, history, purge):
        app.command(command.__name__.removesuffix("_"))(command)


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _moment(text: str | None) -> datetime | None:
    return None if text is None else parse_time(text, field="--as-of")


def remember(
    content: Annotated[
        str, typer.Argument(metavar="TEXT", help="What to remember; - reads standard input.")
    ],
    tag: Tags = None,
    type: Type = None,  # noqa: A002 - the word users know
    importance: Importance = None,
    metadata: Metadata = None,
    workspace: Workspace = None,
    scope: Scope = None,
    event_at: EventAt = None,
    expires_at: Expires = None,
    pinned: Annotated[bool, typer.Option("--pin", help="Protect it from clean-ups.")] = False,
    dedup: Annotated[
        str | None, typer.Option(metavar="MODE", help="allow, reject, skip or merge.")
    ] = None,
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
    text = standard_input() if content == "-" else content
    with open_engine(db, config, settings, use="create") as engine:
        memory = engine.remember(text, **fields)
    print_json(memory) if as_json else say(memory.id)


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
    with open_engine(db, config, settings, use="read") as engine:
        memory = engine.get(memory_id, as_of=_moment(as_of), private=private)
    print_json(memory) if as_json else print_memory(memory)


def list_(
    filter: Filter = None,  # noqa: A002
    workspace: InWorkspace = None,
    scope: InScope = None,
    order: Annotated[
        str,
        typer.Option(metavar="FIELD", help="id, created_at, updated_at, event_at or importance."),
    ] = "id",
    descending: Annotated[bool, typer.Option("--desc", help="The last first.")] = False,
    limit: Annotated[int, typer.Option(metavar="N", help="How many a page.")] = 20,
    cursor: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What the page before gave for this one.")
    ] = None,
    as_of: AsOf = None,
    archived: Annotated[bool, typer.Option("--archived", help="Also archived ones.")] = False,
    forgotten: Annotated[bool, typer.Option("--forgotten", help="Also forgotten ones.")] = False,
    db: Database = None,
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """List memories, a page at a time."""
    with open_engine(db, config, settings, use="read") as engine:
        page = engine.select(
            order=order,  # type: ignore[arg-type]  # the engine refuses what it does not know
            descending=descending,
            limit=limit,
            cursor=cursor,
            filter=parse_json(filter, flag="--filter"),
            workspace=workspace,
            scope=scope,
            as_of=_moment(as_of),
            archived=archived,
            forgotten=forgotten,
        )
    if as_json:
        print_json(page)
        return
    if not page.memories:
        say("nothing found")
    print_memories(page.memories, leads=[_lead(each, order) for each in page])
    if page.next_cursor is not None:
        say(f"there are more: add --cursor {page.next_cursor}")


def _lead(memory: Memory, order: str) -> str:
    if order == "importance":
        return f"{memory.importance:.2f}"
    moment = None if order == "id" else getattr(memory, order)
    return f"{moment or memory.created_at:%Y-%m-%d}"


def update(
    memory_id: Id,
    content: Annotated[
        str | None, typer.Option(metavar="TEXT", help="The new text; - reads standard input.")
    ] = None,
    tag: Tags = None,
    type: Type = None,  # noqa: A002
    importance: Importance = None,
    metadata: Metadata = None,
    workspace: Workspace = None,
    scope: Scope = None,
    event_at: EventAt = None,
    expires_at: Expires = None,
    lifecycle: Annotated[
        str | None, typer.Option(metavar="STATE", help="active, stale or archived.")
    ] = None,
    pinned: Annotated[bool | None, typer.Option("--pin/--no-pin", help="Protect it.")] = None,
    clear: Annotated[
        list[str] | None,
        typer.Option("--clear", metavar="FIELD", help="A field to empty; may be given again."),
    ] = None,
    version: Annotated[
        int | None,
        typer.Option(metavar="N", help="Refuse if it is no longer at this version."),
    ] = None,
    reason: Reason = None,
    db: Database = None,
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Change fields of a memory; tags and metadata as a whole."""
    changes = _given(
        content=standard_input() if content == "-" else content,
        tags=tag,
        type=type,
        importance=importance,
        metadata=parse_json(metadata, flag="--metadata"),
        workspace=workspace,
        scope=scope,
        event_at=event_at,
        expires_at=expires_at,
        lifecycle=lifecycle,
        pinned=pinned,
    )
    changes |= dict.fromkeys(clear or ())
    if not changes:
        raise InvalidInputError("nothing to change was given: see `engram update --help`")
    with open_engine(db, config, settings, use="write") as engine:
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
    with open_engine(db, config, settings, use="write") as engine:
        engine.forget(memory_id, reason=reason)
    done = {"id": memory_id, "forgotten": True}
    print_json(done) if as_json else say(f"{memory_id} is forgotten; `engram restore` undoes that")


def restore(
    memory_id: Id,
    version: Annotated[
        int | None, typer.Option(metavar="N", help="Back to this version's state.")
    ] = None,
    reason: Reason = None,
    db: Database = None,
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Bring back a forgotten memory, or an earlier version."""
    with open_engine(db, config, settings, use="write") as engine:
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
    with open_engine(db, config, settings, use="read") as engine:
        versions = engine.history(memory_id)
    if as_json:
        print_json(versions)
    else:
        print_history(versions)


def purge(
    memory_ids: Annotated[list[str], typer.Argument(metavar="ID...", help="The ids of memories.")],
    reason: Reason = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    db: Database = None,
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Remove memories for good, from every table and from the file."""
    with open_engine(db, config, settings, use="write") as engine:
        if not yes:
            for each in memory_ids:
                engine.history(each)  # nobody is asked about what is not there
            _confirm(f"Purge {counted({'memories': len(set(memory_ids))})} for good?")
        report = engine.purge(memory_ids, reason=reason)
    print_json(report) if as_json else say(f"purged {counted({'memories': len(report.ids)})}")
    if not report.erased and not as_json:
        say("another program still reads the file: its bytes go with the next purge")


def _confirm(question: str) -> None:
    """Ask, and go on only after a yes.

    Raises:
        InvalidInputError: There was nobody to answer.
    """
    try:
        typer.confirm(question, abort=True, err=True)
    except typer.Abort as error:
        if isinstance(error.__context__, EOFError):
            print(file=sys.stderr)  # the question stands on a line of its own
            raise InvalidInputError(
                "nothing was purged, for the input ended without an answer: say --yes"
            ) from None
        raise
