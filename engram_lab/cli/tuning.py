"""`engram eval tune`."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from engram_lab.cli.evaluating import AllowChanged, Data, SuiteName, skip, vector_cache
from engram_lab.cli.options import AsJson
from engram_lab.cli.printing import print_json, progress_bar, say, show
from engram_lab.core.errors import DatasetMissingError, InvalidInputError
from engram_lab.core.packages import optional

if TYPE_CHECKING:
    from collections.abc import Callable

    from engram_lab.evaluation.tuning.on_suite import TunedSuite
    from engram_lab.evaluation.tuning.trials import Trial

__all__ = ["add_to"]


SpaceName = Annotated[
    str,
    typer.Option("--space", metavar="NAME", help="What may be changed: a name or a TOML file."),
]
Engine = Annotated[
    str, typer.Option("--system", metavar="NAME", help="The engine that is changed.")
]
MeasureName = Annotated[
    str | None,
    typer.Option("--measure", metavar="NAME", help="What to raise; else the suite's first."),
]
Trials = Annotated[
    int, typer.Option("--trials", metavar="N", help="How many configurations are tried.")
]
Out = Annotated[
    Path | None, typer.Option("--out", metavar="DIR", help="The folder; else runs/SUITE-tuned.")
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
Seed = Annotated[int, typer.Option("--seed", metavar="N", help="Of the search.")]


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command("tune")(tune)


def tune(
    suite: SuiteName,
    space: SpaceName = "hybrid",
    system: Engine = "weighted",
    measure: MeasureName = None,
    trials: Trials = 50,
    out: Out = None,
    hold_out: HoldOut = None,
    on: On = None,
    look: Look = False,
    exploring: Exploring = "shared",
    ledger: LedgerFile = None,
    seed: Seed = 0,
    data: Data = None,
    allow_changed: AllowChanged = False,
    as_json: AsJson = False,
) -> None:
    """Search settings, and say what the best is worth on conversations it was not chosen by."""
    from engram_lab.evaluation.running.evaluate import dataset_of
    from engram_lab.evaluation.suites import load_suite
    from engram_lab.evaluation.systems import load_system
    from engram_lab.evaluation.tuning import Plan, read_space
    from engram_lab.evaluation.tuning.on_suite import base_of, tune_suite

    # Missed now: the search would miss it only after the ledger has an entry.
    optional("optuna", package="optuna", feature="a search for settings", extra="tune")
    chosen = load_suite(suite)
    plan = Plan(
        space=read_space(space),
        measure=measure or chosen.measures[0],
        trials=trials,
        base=base_of(load_system(system)),
        exploring=cast("Any", exploring),
        seed=seed,
    )
    try:
        dataset = dataset_of(chosen, data=data, allow_changed=allow_changed)
    except DatasetMissingError as error:
        skip(chosen.id, error, as_json=as_json)
    with progress_bar(f"tuning {chosen.id}") as told:
        found = tune_suite(
            chosen,
            dataset,
            plan,
            out=out or Path("runs") / f"{chosen.id}-tuned",
            hold_out=_held(hold_out),
            on=on,
            look=look,
            ledger=ledger,
            cache=vector_cache(),
            progress=_following(told),
            command=shlex.join(["engram", *sys.argv[1:]]),
        )
    _tell(found, as_json=as_json)


def _held(given: list[str] | None) -> list[str] | float:
    """Return clusters by name, or the share of the queries that was given alone."""
    if not given:
        return []
    shares = [each for each in given if re.fullmatch(r"[0-9]*\.[0-9]+", each)]
    if shares and len(given) > 1:
        raise InvalidInputError(f"--hold-out {shares[0]} is a share: give it alone, or clusters")
    return float(shares[0]) if shares else given


def _following(told: Callable[[int, int | None], None]) -> Callable[[Trial, int, int], None]:
    def follow(trial: Trial, done: int, planned: int) -> None:  # noqa: ARG001 - what a bar shows
        told(done, planned)

    return follow


def _tell(found: TunedSuite, *, as_json: bool) -> None:
    from engram_lab.evaluation.reports.terminal import comparison_table

    tuned = found.tuned
    if as_json:
        import orjson

        said: dict[str, Any] = orjson.loads((found.folder / "tuning.json").read_bytes())
        print_json(said)
        return
    show(comparison_table(tuned.comparison, limit=0))
    for warning in tuned.warnings:
        say(f"note: {warning}")
    for name, value in tuned.best.settings.items():
        say(f"{name} = {value}")
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
