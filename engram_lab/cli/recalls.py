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
from engram_lab.cli.printing import (
    bars,
    counted,
    print_compact,
    print_hits,
    print_json,
    say,
)
from engram_lab.core.errors import EmbedderError

if TYPE_CHECKING:
    from engram_lab.core.keywords import Chosen
    from engram_lab.engine import Engine
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
    """Find memories by words and by what they mean, best first."""
    wanted: Any = strategy
    with open_engine(db, config, settings, use="note") as engine:
        chosen: Chosen = {
            "filter": parse_json(filter, flag="--filter"),
            "workspace": workspace,
            "scope": scope,
            "as_of": as_of,
            "archived": archived,
        }
        hits = engine.recall(
            query,
            k,
            agent=agent,
            strategy=wanted,
            token_budget=token_budget,
            explain=explain,
            **chosen,
        )
        if as_json:
            print_json(_record(hits, compact=compact))
        else:
            _print(hits, compact=compact, explain=explain)
            if not explain and (wanted or engine.config.retrieval.strategy) == "auto":
                _print_why_one_arm(engine, hits, chosen)


def _record(hits: Hits, *, compact: bool) -> dict[str, Any]:
    return {
        "query": hits.query,
        "strategy": hits.strategy,
        "reason": hits.reason,
        "profile": hits.profile,
        "embedder": hits.embedder,
        "suggestions": hits.suggestions,
        "left_out": hits.left_out,
        "hits": hits.compact() if compact else list(hits),
    }


def _print(hits: Hits, *, compact: bool, explain: bool) -> None:
    from engram_lab.retrieval.showing import embedder_name

    if explain:
        say(f"{hits.strategy}: {hits.reason}")
        if hits.embedder:
            say(f"vectors by {embedder_name(hits.embedder)}")
    if compact:
        print_compact(hits)
    elif hits:
        print_hits(hits, explain=explain)
    if hits.left_out:
        some = "" if hits else "nothing fits: "
        say(f"{some}{counted({'hits': hits.left_out})} left out by the token budget")
    elif not hits:
        say("nothing found")
    if hits.suggestions:
        say(f"did you mean: {', '.join(map(str, hits.suggestions))}")


def _print_why_one_arm(engine: Engine, hits: Hits, chosen: Chosen) -> None:
    """Say why an answer is of one arm alone, where both might have searched."""
    from engram_lab.retrieval.showing import embedder_name
    from engram_lab.retrieval.strategy import NO_MEMORIES, NO_VECTORS

    if hits.strategy == "hybrid" or engine.config.embedding.model == "none":
        return
    if hits.reason == NO_MEMORIES:
        return  # that nothing is found says it
    advice = ""
    if hits.reason == NO_VECTORS:
        if not hits and not engine.count(**chosen):
            return  # where nothing is, nothing has a vector
        advice = "; `engram reindex` makes what is missing"
    by = f" ({embedder_name(hits.embedder)})" if hits.embedder else ""
    say(f"{hits.strategy} arm alone{by}: {hits.reason}{advice}")


def suggest(
    query: Query,
    workspace: InWorkspace = None,
    scope: InScope = None,
    db: Database = None,
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Offer known words for those that no memory holds."""
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
    """Embed what waits, and make the indexes anew."""
    with open_engine(db, config, settings, use="write") as engine:
        counts = fault = None
        by: str | None = None
        if engine.config.embedding.model != "none":
            counts = engine.embed(progress=bars())
            by = engine.embedder.fingerprint
            fault = engine.store.embedding_queue.last_error(by)
        engine.reindex(progress=bars())
        memories = engine.count(archived=True)
    if as_json:
        vectors = counts and counts._asdict()
        print_json({"memories": memories, "embedder": by, "vectors": vectors})
    else:
        say(f"{counted({'memories': memories}) or 'no memory'} indexed")
        if counts is not None and by is not None:
            from engram_lab.retrieval.showing import embedder_name

            say(f"{counted({'vectors': counts.complete}) or 'no vector'} by {embedder_name(by)}")
    if counts is not None and counts.failed:
        raise EmbedderError(f"{counts.failed} memories could not be embedded: {fault}")
    if counts is not None and counts.pending:
        raise EmbedderError(
            f"{counts.pending} memories wait to be embedded, so run it again in a while: {fault}"
        )
