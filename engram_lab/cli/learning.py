"""`engram eval tune --learn` and `--feedback`: what features are worth, learned from answers."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from engram_lab.cli.common import open_engine
from engram_lab.cli.printing import bars, counted, print_json, print_rows, say
from engram_lab.core.errors import InvalidInputError

if TYPE_CHECKING:
    from engram_lab.evaluation.datasets.dataset import Dataset
    from engram_lab.evaluation.suite import Suite
    from engram_lab.evaluation.tuning.from_use import LearnedFromUse
    from engram_lab.evaluation.tuning.learner import Learner
    from engram_lab.evaluation.tuning.learning import Learned
    from engram_lab.retrieval.learned import LearnedRecord

__all__ = [
    "L2",
    "Features",
    "Feedback",
    "Learn",
    "ModelName",
    "learn_from_feedback",
    "learn_from_suite",
    "learner_of",
]

Learn = Annotated[
    bool,
    typer.Option("--learn", help="Learn weights of features, in place of a search for settings."),
]
Features = Annotated[
    list[str] | None,
    typer.Option(
        "--feature", metavar="NAME", help="Learn this one; may be given again. Else all shipped."
    ),
]
ModelName = Annotated[
    str, typer.Option("--model", metavar="NAME", help="What is learned: linear, or trees.")
]
L2 = Annotated[
    float | None,
    typer.Option("--l2", metavar="X", help="The linear model's penalty; else 3, or as is of use."),
]
Feedback = Annotated[
    Path | None,
    typer.Option(
        "--feedback",
        metavar="FILE",
        help="Learn from use, without SUITE: JSON Lines with `memory`, and `event` or `query`.",
    ),
]


def learner_of(features: list[str] | None, model: str, l2: float | None, *, seed: int) -> Learner:
    """Return what is to be learned.

    Raises:
        InvalidInputError: A feature or the model is unknown.
    """
    from engram_lab.core.packages import optional
    from engram_lab.evaluation.tuning.learner import Learner
    from engram_lab.retrieval.learned import Boosting

    learner = Learner(
        features=tuple(features or ()),
        model=cast("Any", model),
        l2=l2,
        boosting=Boosting(seed=seed),
    )
    if learner.model == "trees":  # missed now: after all questions were asked would be late
        optional("lightgbm", package="lightgbm", feature="learning trees", extra="trees")
    return learner


def learn_from_suite(
    suite: Suite,
    dataset: Dataset,
    learner: Learner,
    *,
    system: str | None,
    out: Path | None,
    hold_out: list[str] | float,
    on: list[str] | None,
    seed: int,
    ledger: Path | None,
    cache: Path,
    command: str,
    as_json: bool,
) -> None:
    """Learn from judgements, write what was learned, and say how it is judged without a leak."""
    from engram_lab.evaluation.runs.writing import check_folder
    from engram_lab.evaluation.systems import load_system
    from engram_lab.evaluation.tuning.learned_files import write_learned
    from engram_lab.evaluation.tuning.learning import learn_suite
    from engram_lab.evaluation.tuning.ledger import default_ledger
    from engram_lab.evaluation.tuning.on_suite import base_of

    spec = load_system(system or "conversation")
    place = out or Path("runs") / f"{suite.id}-learned"
    check_folder(place)
    learned = learn_suite(
        suite,
        dataset,
        config=base_of(spec),
        learner=learner,
        store_as=cast("Any", spec.store_as),
        hold_out=hold_out,
        on=on,
        seed=seed,
        ledger=ledger or default_ledger(place),
        cache=cache,
        progress=bars(),
        command=command,
    )
    write_learned(learned, place, store_as=spec.store_as, session_score=spec.session_score)
    _tell_learned(learned, suite, place, as_json=as_json)


def _tell_learned(learned: Learned, suite: Suite, place: Path, *, as_json: bool) -> None:
    judge = shlex.join(["engram", "eval", "run", suite.id, "--system", f"{place}/system.toml"])
    if as_json:
        print_json(
            {
                **_told(learned.record),
                "folds": [each.saw.split for each in learned.folds if each.saw is not None],
                "how": learned.how,
                "used": learned.used,
                "held_out": learned.held_out,
                "unjudged": learned.unjudged,
                "warnings": learned.warnings,
                "config": str(place / "config.yaml"),
                "judge": None if learned.unjudged else judge,
            }
        )
        return
    _print_model(learned.record)
    for warning in learned.warnings:
        say(f"note: {warning}")
    say(f"learned from {_from(learned.record)}; then again, {learned.how}")
    say(f"{place}/config.yaml holds what was learned from everything")
    if learned.unjudged:
        say(
            f"the weights of every fold saw {', '.join(learned.unjudged)}, so that no figure on it "
            "would be honest: judge them on other data"
        )
    else:
        say(f"judge it by weights that never saw what they are asked: `{judge}`")


def learn_from_feedback(
    feedback: Path,
    learner: Learner,
    *,
    db: str | None,
    config: Path | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Learn from what was of use, and write the configuration."""
    from engram_lab.evaluation.runs.writing import check_folder
    from engram_lab.evaluation.tuning.from_use import learn_from_use, read_feedback
    from engram_lab.evaluation.tuning.learned_files import write_config

    place = out or Path("runs") / "feedback-learned"
    check_folder(place)
    rows = read_feedback(feedback)
    if not rows:
        raise InvalidInputError(f"{feedback} has no rows: give one a line, with `memory`")
    with open_engine(db, config, ["retrieval.profile=conversation"], use="note") as engine:
        learned = learn_from_use(engine, rows, learner=learner, progress=bars())
    write_config(learned.config, place / "config.yaml")
    _tell_used(learned, place, db=db, as_json=as_json)


def _tell_used(learned: LearnedFromUse, place: Path, *, db: str | None, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                **_told(learned.record),
                "questions": learned.questions,
                "missed": learned.missed,
                "worth": learned.worth._asdict(),
                "config": str(place / "config.yaml"),
            }
        )
        return
    _print_model(learned.record)
    say(f"learned from {_from(learned.record)}")
    if learned.missed:
        say(
            f"note: {learned.missed} more teach nothing, as what was of use is not among their "
            "candidates, or is all of them"
        )
    worth = learned.worth
    say(
        f"where it was not learned from ({worth.how}) the mean reciprocal rank is "
        f"{worth.after:.3f}, by the weights there were {worth.before:.3f}"
    )
    if worth.after <= worth.before:
        say("note: that is no better, so there is no evidence for changing anything")
    where = [] if db is None else ["--db", db]
    ask = shlex.join(["engram", "recall", "--config", str(place / "config.yaml"), *where])
    say(f"{place}/config.yaml holds what was learned: ask with it, as in `{ask} QUESTION`")


def _told(record: LearnedRecord) -> dict[str, Any]:
    """Return what was learned, in short where it is trees."""
    said = record.to_dict()
    if record.trees is not None:
        said["trees"] = {"trees": len(record.trees.starts), "features": record.features}
    if record.saw is not None:
        said["saw"]["corpora"] = sorted(record.saw.corpora)
    return said


def _print_model(record: LearnedRecord) -> None:
    if record.trees is not None:
        say(f"{len(record.trees.starts)} trees over {', '.join(record.features)}")
        return
    rows = [(name, f"{weight:.3f}") for name, weight in sorted(record.weights.items())]
    print_rows(rows, head=("feature", "weight in its own unit"))


def _from(record: LearnedRecord) -> str:
    saw = record.saw
    if saw is None:
        return "nothing"
    split = "" if saw.split == "all" else f" {saw.split}"
    return f"{counted({'questions': saw.questions})} of {saw.dataset}{split}"
