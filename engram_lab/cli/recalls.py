"""`engram recall`, `engram suggest` and `engram reindex`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from engram_lab.cli.common import open_engine, parse_json
from engram_lab.cli.options import (
    AsJson,
    AsOf,
    ConfigFile,
    Database,
    Filter,
    InScope,
    InWorkspace,
    Settings,
)
from engram_lab.cli.printing import counted, print_json, print_memories, progress_bar, say
from engram_lab.core.errors import EmbedderError

if TYPE_CHECKING:
    from engram_lab.retrieval import Hits

__all__ = ["add_to"]

Query = Annotated[str, typer.Argument(metavar="QUERY", help="What you look for, in plain words.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (recall, suggest, reindex):
        app.command(command.__name__)(command)


def recall(
    query: Query,
    k: Annotated[int | None, typer.Option("-k", metavar="N", help="How many at most.")] = None,
    filter: Filter = None,  # noqa: A002 - the word users know
    workspace: InWorkspace = None,
    scope: InScope = None,
    agent: Annotated[
        str | None,
        typer.Option("--agent", metavar="NAME", help="Ask as this agent, who stands in --scope."),
    ] = None,
    as_of: AsOf = None,
    archived: Annotated[bool, typer.Option("--archived", help="Also archived ones.")] = False,
    strategy: Annotated[
        str | None,
        typer.Option("--strategy", metavar="NAME", help="auto, keyword, semantic or hybrid."),
    ] = None,
    token_budget: Annotated[
        int | None,
        typer.Option("--token-budget", metavar="N", help="Leave out what goes beyond."),
    ] = None,
    compact: Annotated[
        bool, typer.Option("--compact", help="First lines alone; `engram get` shows the whole.")
    ] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Say why each is there.")] = False,
    db: Database = None,
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Find memories by their words and by what they mean, best first."""
    wanted: Any = strategy
    with open_engine(db, config, settings, use="note") as engine:
        hits = engine.recall(
            query,
            k,
            filter=parse_json(filter, flag="--filter"),
            workspace=workspace,
            scope=scope,
            agent=agent,
            as_of=as_of,
            archived=archived,
            strategy=wanted,
            token_budget=token_budget,
            explain=explain,
        )
        if as_json:
            print_json(
                {
                    "query": hits.query,
                    "strategy": hits.strategy,
                    "reason": hits.reason,
                    "embedder": hits.embedder,
                    "suggestions": hits.suggestions,
                    "left_out": hits.left_out,
                    "hits": hits.compact() if compact else list(hits),
                }
            )
        else:
            _print(hits, compact=compact, explain=explain)


def _print(hits: Hits, *, compact: bool, explain: bool) -> None:
    if explain:
        say(f"{hits.strategy}: {hits.reason}")
    if compact:
        for each in hits.compact():
            say(f"{each.score:.2f}  {each.id}  {each.title}")
    elif hits:
        print_memories(
            [hit.memory for hit in hits],
            leads=[f"{hit.score:.2f}" for hit in hits],
            notes=[
                "\n".join(filter(None, (str(hit.explanation), hit.explanation.words)))
                for hit in hits
            ]
            if explain
            else (),
        )
    if not hits:
        say("nothing found")
    if hits.left_out:
        say(f"{counted({'hits': hits.left_out})} left out by the token budget")
    if hits.suggestions:
        say(f"did you mean: {', '.join(map(str, hits.suggestions))}")


def suggest(
    query: Query,
    workspace: InWorkspace = None,
    scope: InScope = None,
    db: Database = None,
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Offer known words for those of a question that no memory holds."""
    with open_engine(db, config, settings, use="read") as engine:
        found = engine.suggest(query, workspace=workspace, scope=scope)
    if as_json:
        print_json(found)
        return
    for each in found:
        say(f"{each} ({counted({'memories': each.frequency})})")
    if not found:
        say("nothing to suggest")


def reindex(
    db: Database = None,
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Embed what waits, and make the indexes anew from what is stored."""
    with open_engine(db, config, settings, use="write") as engine:
        counts = fault = None
        if engine.config.embedding.model != "none":
            waiting = engine.count(archived=True)
            with progress_bar("memories") as show:
                counts = engine.embed(progress=lambda done: show(done, max(done, waiting)))
            fault = engine.store.embedding_queue.last_error(engine.embedder.fingerprint)
        engine.reindex()
        memories = engine.count(archived=True)
    if as_json:
        print_json({"memories": memories, "vectors": counts and counts._asdict()})
        return
    say(f"{counted({'memories': memories}) or 'no memory'} indexed")
    if counts is not None:
        say(f"{counted({'vectors': counts.complete}) or 'no vector'}; {counts.failed} failed")
    if counts is not None and counts.failed:
        raise EmbedderError(f"{counts.failed} memories could not be embedded: {fault}")
