"""`engram dream`, `dreams` and `undo`: let the memory settle, see what it did, and take it back."""

from __future__ import annotations

import sys
from threading import Event
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engram_lab.cli.common import open_engine
from engram_lab.cli.options import AsJson, ConfigFile, Database, Settings
from engram_lab.cli.printing import bars, counted, print_json, say
from engram_lab.core.clock import SystemClock
from engram_lab.core.errors import ConfigError, EngramError, InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engram_lab.consolidation import DreamReport
    from engram_lab.core.dreams import DreamRun
    from engram_lab.engine import Engine

__all__ = ["add_to"]

Which = Annotated[
    list[str] | None,
    typer.Option("--workspace", metavar="NAME", help="Which; may be given again."),
]
Everywhere = Annotated[bool, typer.Option("--all", help="Every workspace, one after the other.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what it would do, and do nothing.")]
Full = Annotated[bool, typer.Option("--full", help="Look at all, not at what changed alone.")]
Steps = Annotated[
    str | None, typer.Option("--steps", metavar="NAMES", help="By commas; else dream.steps.")
]
Preset = Annotated[
    str | None,
    typer.Option("--preset", metavar="NAME", help="As another system does: act-r, …, or none."),
]
Yes = Annotated[bool, typer.Option("--yes", help="Also where it hides more than is allowed.")]
MaxChanges = Annotated[
    int | None,
    typer.Option("--max-changes", metavar="NUMBER", help="At most; the next dream goes on."),
]
MaxSeconds = Annotated[
    float | None,
    typer.Option("--max-seconds", metavar="NUMBER", help="Begin nothing more after so long."),
]
Show = Annotated[bool, typer.Option("--changes", help="List every change with its reason.")]
Watch = Annotated[bool, typer.Option("--watch", help="Stay, and dream whenever it is quiet.")]
Every = Annotated[
    float, typer.Option("--every", metavar="SECONDS", help="With --watch: how often at most.")
]
_RECENT, _ALL = 100, 1_000_000
_NAMED = 5
"""Workspaces that one line names."""

Quiet = Annotated[
    float, typer.Option("--quiet", metavar="SECONDS", help="With --watch: so long after a write.")
]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (dream, dreams, undo):
        app.command(command.__name__)(command)


def dream(
    workspace: Which = None,
    everywhere: Everywhere = False,
    dry_run: DryRun = False,
    full: Full = False,
    steps: Steps = None,
    preset: Preset = None,
    yes: Yes = False,
    max_changes: MaxChanges = None,
    max_seconds: MaxSeconds = None,
    show: Show = False,
    watch: Watch = False,
    every: Every = 21_600.0,
    quiet: Quiet = 60.0,
    db: Database = None,
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Learn from use, merge, supersede, fade; undo takes it back."""
    if everywhere and workspace:
        raise InvalidInputError("--all and --workspace exclude each other: leave out one")
    if watch and dry_run:
        raise InvalidInputError("--watch and --dry-run exclude each other: leave out one")
    options: dict[str, Any] = {"full": full, "steps": steps, "yes": yes}
    options |= {"max_changes": max_changes, "max_seconds": max_seconds}
    chosen = [*_preset(preset), *(settings or ())]
    with open_engine(db, config, chosen, use="write") as engine:
        _check_steps(engine, steps)
        if watch:
            times = {"every": every, "quiet": quiet}
            _watch(engine, workspace, options, **times, as_json=as_json, show=show)
            return
        names = _workspaces(engine, workspace, everywhere=everywhere)
        options |= {"dry_run": dry_run, "progress": bars()}
        if everywhere or len(names) > 1:
            _in_turn(engine, names, options, as_json=as_json, show=show)
            return
        report = engine.dream(names[0], **options)
        others = _others(engine, names)
    if as_json:
        print_json(_as_json(report, show=show) | {"elsewhere": others})
        return
    _print(report, show=show)
    if others and not workspace:
        say(_where_else(others))


def _check_steps(engine: Engine, steps: str | None) -> None:
    """Refuse what is wrong in every workspace before the first of them."""
    from engram_lab.consolidation.steps import steps_of

    steps_of(engine.config.dream, steps)


def _in_turn(
    engine: Engine,
    names: Sequence[str],
    options: Mapping[str, Any],
    *,
    as_json: bool,
    show: bool,
) -> None:
    """Dream of one workspace after another: what one refuses keeps no other from its dream."""
    told: list[dict[str, Any]] = []
    refused = False
    for name in names:
        try:
            report = engine.dream(name, **options)
        except ConfigError:  # of what was asked for, and so of each of them
            raise
        except EngramError as error:
            refused = True
            _refuse(name, error)
            told.append({"workspace": name, "error": str(error)})
            continue
        told.append(_as_json(report, show=show))
        if not as_json:
            _print(report, show=show)
    if as_json:
        print_json(told)
    if refused:
        raise typer.Exit(2)


def _refuse(workspace: str, error: EngramError) -> None:
    """Tell of a dream that did not come about, while others go on."""
    print(f"engram: workspace {workspace!r}: {error}", file=sys.stderr)


def dreams(
    workspace: Annotated[
        str | None, typer.Option("--workspace", metavar="NAME", help="Of this one alone.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="NUMBER", help="How many.")] = 20,
    db: Database = None,
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """List what was dreamt, latest first."""
    with open_engine(db, config, settings, use="read") as engine:
        if workspace is not None:
            _workspaces(engine, [workspace], everywhere=False)
        found = engine.dreams(workspace=workspace, limit=limit)
    if as_json:
        print_json(found)
        return
    if not found:
        say("nothing was dreamt so far")
        return
    for each in found:
        say(_line(each))


def undo(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help="Its id, or `last`: the last that changed a thing.")
    ],
    keep_later: Annotated[
        bool, typer.Option("--keep-later", help="Leave what was changed again since as it is.")
    ] = False,
    db: Database = None,
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Put everything back as it was before a dream, to the last bit."""
    with open_engine(db, config, settings, use="write") as engine:
        report = engine.undo(_run_id(engine, run), keep_later=keep_later)
    if as_json:
        print_json(report)
        return
    put_back = counted({"memories": report.memories, "links": report.links})
    told = f"{put_back} put back as before" if put_back else "there was nothing to put back"
    say(f"dream {report.run_id} is undone: {told}")
    if report.kept:
        say(f"left as it is, for it was changed again since: {', '.join(report.kept)}")


def _preset(name: str | None) -> list[str]:
    """Return what a preset sets, as `--set` takes it; what is set by hand comes after it."""
    if name is None:
        return []
    from dataclasses import asdict

    from engram_lab.consolidation.presets import preset

    told = asdict(preset(name))
    return [f"dream.{key}={'none' if each is None else each}" for key, each in told.items()]


def _run_id(engine: Engine, named: str) -> str:
    if named != "last":
        return named
    for most in (_RECENT, _ALL):  # those that watch dream often, and mostly of nothing
        for run in engine.dreams(limit=most):
            if run.status == "applied" and _changed(run):
                return run.id
    raise InvalidInputError("there is no dream to undo that changed anything: see `engram dreams`")


def _workspaces(engine: Engine, chosen: Sequence[str] | None, *, everywhere: bool) -> list[str]:
    if everywhere:
        return [each.name for each in engine.store.workspaces.all()]
    for name in chosen or ():
        engine.store.workspaces.get(name)  # a slip of the pen is no workspace without memories
    return list(dict.fromkeys(chosen or ["default"]))


def _others(engine: Engine, names: Sequence[str]) -> dict[str, int]:
    """Return how many memories lie in workspaces that were not dreamt of, the fullest first."""
    rows = engine.aggregate("workspace")
    counts = {str(each.key): each.count for each in rows if each.key not in names}
    return dict(sorted(counts.items(), key=lambda each: (-each[1], each[0])))


def _where_else(others: Mapping[str, int]) -> str:
    """Say what a dream of the default workspace alone did not look at, and how to."""
    named = " ".join(f"--workspace {name}" for name in list(others)[:_NAMED])
    more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
    held = counted({"memories": sum(others.values())})
    places = counted({"other_workspaces": len(others)})
    return f"{held} in {places} not looked at: {named}{more}, or --all"


def _watch(
    engine: Engine,
    chosen: Sequence[str] | None,
    options: dict[str, Any],
    *,
    every: float,
    quiet: float,
    as_json: bool,
    show: bool,
) -> None:
    """Dream whenever it is quiet, until interrupted; one that is refused is told and waited for."""
    from engram_lab.consolidation.idle import Idle

    _workspaces(engine, chosen, everywhere=not chosen)  # no waiting would mend a wrong name
    idle, clock, pause = Idle(interval_s=every, idle_s=quiet), SystemClock(), Event()
    if not as_json:
        times = f"every {idle.interval_s:g} s, when it was quiet for {idle.idle_s:g} s"
        say(f"dreams {times}; Ctrl-C ends")
    while True:
        now = clock.now()
        if idle.due(now, engine.store.revision()):
            for name in _workspaces(engine, chosen, everywhere=not chosen):
                try:
                    report = engine.dream(name, **options)
                    if as_json:
                        print_json(_as_json(report, show=show))
                    else:
                        _print(report, show=show)
                except ConfigError:
                    raise
                except EngramError as error:
                    _refuse(name, error)
            idle.dreamt(clock.now(), engine.store.revision())
        pause.wait(min(1.0, max(0.05, idle.interval_s / 10)))


def _as_json(report: DreamReport, *, show: bool) -> dict[str, Any]:
    told = report.to_dict()
    if show:
        told["plan"] = report.to_polars().to_dicts()
    return told


def _print(report: DreamReport, *, show: bool) -> None:
    for line in report.lines():
        say(line)
    for each in report if show else ():
        say(f"{each.id}  {each.step}: {each.action}, {each.reason}")


def _changed(run: DreamRun) -> int:
    """Return how many changes a dream carried out."""
    return sum(sum(step.counts.values()) for step in run.steps)


def _line(run: DreamRun) -> str:
    """Return a run in one line, its id whole, whatever the terminal's width."""
    changes = counted({"changes": _changed(run)}) or "no change"
    return (
        f"{run.id}  {run.started_at:%Y-%m-%d %H:%M}  {run.workspace}: {changes}, "
        f"{run.memories_before} → {run.memories_after} memories"
        f"{', undone' if run.status == 'undone' else ''}"
    )
