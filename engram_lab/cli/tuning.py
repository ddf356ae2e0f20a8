"""`engram eval tune`."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, cast

import typer

from engram_lab.cli.evaluating import AllowChanged, Data, skip, vector_cache
from engram_lab.cli.learning import (
    L2,
    Features,
    Feedback,
    Learn,
    ModelName,
    learn_from_feedback,
    learn_from_suite,
    learner_of,
)
from engram_lab.cli.options import AsJson, ConfigFile, Database
from engram_lab.cli.printing import bars, counted, print_json, say, show, spelled
from engram_lab.core.errors import DatasetMissingError, InvalidInputError
from engram_lab.core.packages import optional

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engram_lab.evaluation.datasets.dataset import Dataset
    from engram_lab.evaluation.suite import Suite
    from engram_lab.evaluation.tuning import Plan, Tuned
    from engram_lab.evaluation.tuning.on_suite import TunedSuite

__all__ = ["add_to", "chosen_lines"]

MaybeSuite = Annotated[
    str | None,
    typer.Argument(metavar="SUITE", help="A name of `engram eval list`, or a TOML file."),
]
SpaceName = Annotated[
    str,
    typer.Option("--space", metavar="NAME", help="What may be changed: a name or a TOML file."),
]
Engine = Annotated[
    str | None,
    typer.Option(
        "--system",
        metavar="NAME",
        help="The engine that is changed; else weighted, and conversation to learn.",
    ),
]
MeasureName = Annotated[
    str | None,
    typer.Option("--measure", metavar="NAME", help="What to raise; else the suite's first."),
]
Trials = Annotated[
    int, typer.Option("--trials", metavar="N", help="How many configurations are tried.")
]
Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="The folder; else runs/SUITE-tuned, -learned."),
]
HoldOut = Annotated[
    list[str] | None,
    typer.Option(
        "--hold-out",
        metavar="CLUSTER|SHARE",
        help="Never to be tuned on, such as a conversation, or 0.2 of the queries.",
    ),
]
On = Annotated[
    list[str] | None,
    typer.Option("--on", metavar="CLUSTER", help="Tune on these alone; may be given again."),
]
Exploring = Annotated[
    str,
    typer.Option(
        "--exploring",
        metavar="HOW",
        help="shared: one search for all folds. blind: by chance. apart: a search for each fold.",
    ),
]
Look = Annotated[
    bool, typer.Option("--look", help="Score the best on what is held out; it is counted.")
]
LedgerFile = Annotated[
    Path | None,
    typer.Option("--ledger", metavar="FILE", help="Else ENGRAM_LEDGER, or beside the folder."),
]
Seed = Annotated[int, typer.Option("--seed", metavar="N", help="Of all that is chosen by chance.")]

_FEW: Final = 10
"""Queries that moved are all shown."""

_OF_A_SEARCH: Final[tuple[str, ...]] = ("space", "measure", "trials", "look", "exploring")
_OF_A_SUITE: Final = (
    *("suite", "learn", "system", "hold_out", "on", "ledger", "data", "allow_changed"),
)
_OF_LEARNING: Final[tuple[str, ...]] = ("features", "model", "l2")
_OF_USE: Final = ("db", "config")


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command("tune")(tune)


def tune(
    context: typer.Context,
    suite: MaybeSuite = None,
    space: SpaceName = "hybrid",
    system: Engine = None,
    measure: MeasureName = None,
    trials: Trials = 50,
    out: Out = None,
    hold_out: HoldOut = None,
    on: On = None,
    look: Look = False,
    exploring: Exploring = "shared",
    ledger: LedgerFile = None,
    seed: Seed = 0,
    learn: Learn = False,
    features: Features = None,
    model: ModelName = "linear",
    l2: L2 = None,
    feedback: Feedback = None,
    db: Database = None,
    config: ConfigFile = None,
    data: Data = None,
    allow_changed: AllowChanged = False,
    as_json: AsJson = False,
) -> None:
    """Search settings, or learn weights; judge them on conversations that had no say in them."""
    _refuse_mixed(context, learn=learn, feedback=feedback is not None)
    if feedback is not None:
        learner = learner_of(features, model, l2, seed=seed)
        learn_from_feedback(feedback, learner, db=db, config=config, out=out, as_json=as_json)
        return
    from engram_lab.evaluation.suites import load_suite

    if suite is None:
        raise InvalidInputError("name a SUITE of `engram eval list`, or give --feedback FILE")
    chosen = load_suite(suite)
    where: dict[str, Any] = {
        "out": out,
        "hold_out": _held(hold_out),
        "on": on,
        "ledger": ledger,
        "cache": vector_cache(),
        "command": shlex.join(["engram", *sys.argv[1:]]),
        "as_json": as_json,
    }
    if learn:
        learner = learner_of(features, model, l2, seed=seed)
        dataset = _data(chosen, data, allow_changed=allow_changed, as_json=as_json)
        learn_from_suite(chosen, dataset, learner, system=system, seed=seed, **where)
        return
    plan = _plan(chosen, space, system, measure, trials, exploring, seed)
    dataset = _data(chosen, data, allow_changed=allow_changed, as_json=as_json)
    _search(chosen, dataset, plan, look=look, **where)


def _refuse_mixed(context: typer.Context, *, learn: bool, feedback: bool) -> None:
    """Refuse options that mean nothing here, which would be passed over in silence."""
    strange, why = _OF_LEARNING + _OF_USE, "is for what is learned: add --learn or --feedback FILE"
    if learn:
        strange, why = _OF_A_SEARCH + _OF_USE, "has no meaning with --learn: leave it out"
    if feedback:
        strange, why = _OF_A_SEARCH + _OF_A_SUITE, "has no meaning with --feedback: leave it out"
    named = {each.name: each for each in context.command.params}
    for name in strange:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            option = "SUITE" if name == "suite" else named[name].opts[0]
            raise InvalidInputError(f"{option} {why}")


def _data(chosen: Suite, data: Path | None, *, allow_changed: bool, as_json: bool) -> Dataset:
    from engram_lab.evaluation.running.evaluate import dataset_of

    try:
        return dataset_of(chosen, data=data, allow_changed=allow_changed)
    except DatasetMissingError as error:
        skip(chosen.id, error, as_json=as_json)


def _plan(
    chosen: Suite,
    space: str,
    system: str | None,
    measure: str | None,
    trials: int,
    exploring: str,
    seed: int,
) -> Plan:
    from engram_lab.evaluation.systems import load_system
    from engram_lab.evaluation.tuning import Plan, read_space
    from engram_lab.evaluation.tuning.on_suite import base_of

    # Missed now: the search would miss it only after the ledger has an entry.
    optional("optuna", package="optuna", feature="a search for settings", extra="tune")
    return Plan(
        space=read_space(space),
        measure=measure or chosen.measures[0],
        trials=trials,
        base=base_of(load_system(system or "weighted")),
        exploring=cast("Any", exploring),
        seed=seed,
    )


def _search(
    chosen: Suite,
    dataset: Dataset,
    plan: Plan,
    *,
    out: Path | None,
    as_json: bool,
    **where: Any,
) -> None:
    from engram_lab.evaluation.tuning.on_suite import tune_suite

    found = tune_suite(
        chosen,
        dataset,
        plan,
        out=out or Path("runs") / f"{chosen.id}-tuned",
        progress=bars(),
        **where,
    )
    _tell(found, dataset, as_json=as_json)


def chosen_lines(tuned: Tuned) -> Iterator[str]:
    """Yield what a search chose, each value beside the default one."""
    before, after = tuned.plan.base.flat(), tuned.config.flat()
    names = dict.fromkeys([*tuned.plan.space.fixed, *tuned.best.settings])
    changed = [name for name in names if before.get(name) != after.get(name)]
    if not changed:
        tried = counted({"configurations": len(tuned.trials)})
        yield f"kept the defaults: of {tried} that were tried none is worth more"
    for name in changed:
        yield f"{name} = {spelled(after[name])} (default {spelled(before[name])})"
    same = [name for name in tuned.best.settings if name in before and name not in changed]
    if changed and same:
        yield f"as by default: {', '.join(f'{name} = {spelled(after[name])}' for name in same)}"


def _held(given: list[str] | None) -> list[str] | float:
    """Return clusters by name, or the share of the queries that was given alone."""
    if not given:
        return []
    shares = [each for each in given if re.fullmatch(r"[0-9]*\.[0-9]+", each)]
    if shares and len(given) > 1:
        raise InvalidInputError(f"--hold-out {shares[0]} is a share: give it alone, or clusters")
    return float(shares[0]) if shares else given


def _tell(found: TunedSuite, dataset: Dataset, *, as_json: bool) -> None:
    from engram_lab.evaluation.reports.terminal import comparison_table

    tuned = found.tuned
    if as_json:
        import orjson

        said: dict[str, Any] = orjson.loads((found.folder / "tuning.json").read_bytes())
        print_json(said)
        return
    moved = len(tuned.comparison.moved)
    asked = dataset.queries.rename({"id": "query_id"})
    show(comparison_table(tuned.comparison, queries=asked, limit=moved if moved <= _FEW else 0))
    for warning in tuned.warnings:
        say(f"note: {warning}")
    for line in chosen_lines(tuned):
        say(line)
    if found.look is not None:
        contrast = found.look.comparison.contrasts[0]
        say(
            f"held out (look {found.look.number}): {contrast.mean_b:.3f}, "
            f"default {contrast.mean_a:.3f}, p = {contrast.p:.3g}"
        )
    ended = "" if tuned.finished else " (interrupted: the same command goes on)"
    say(
        f"{found.folder}/config.yaml holds what is best on everything{ended}: run it with "
        f"`engram eval run SUITE --system {found.folder}/config.yaml`"
    )
