"""What a search found: as frames, as `tuning.json`, and as a configuration that can be run."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import polars as pl
import yaml

from engram_lab.config import EngineConfig
from engram_lab.config.sections import nest
from engram_lab.evaluation.runs.results import write_json
from engram_lab.evaluation.tuning.tune import EXPLORING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from engram_lab.evaluation.statistics.contrast import Contrast
    from engram_lab.evaluation.tuning.tune import Tuned

__all__ = [
    "config_yaml",
    "contrast_summary",
    "folds_frame",
    "own_settings",
    "settings_yaml",
    "slices_frame",
    "summary",
    "trials_frame",
    "write_tuned",
]

_FORMAT: Final = 1


def trials_frame(tuned: Tuned) -> pl.DataFrame:
    """Return a row for each trial.

    Returns:
        Columns `trial`, `study`, one for each parameter of the space (what the trial set, null
        where it set nothing), `value`, `seconds`, `same_as`.
    """
    names = [each.name for each in tuned.plan.space.parameters]
    return pl.DataFrame(
        {
            "trial": [each.number for each in tuned.trials],
            "study": [each.study for each in tuned.trials],
            **{name: [each.settings.get(name) for each in tuned.trials] for name in names},
            "value": [each.value for each in tuned.trials],
            "seconds": [each.seconds for each in tuned.trials],
            "same_as": pl.Series([each.same_as for each in tuned.trials], dtype=pl.Int64),
        },
        strict=False,
    )


def slices_frame(tuned: Tuned) -> pl.DataFrame:
    """Return a row for each trial and parameter that it set.

    Returns:
        Columns `trial`, `parameter`, `number` (null for a choice), `choice` (null for a number),
        `value`.
    """
    rows = [
        (each.number, name, *_number_or_choice(each.settings[name]), each.value)
        for each in tuned.trials
        for name in (parameter.name for parameter in tuned.plan.space.parameters)
        if name in each.settings
    ]
    return pl.DataFrame(
        rows,
        schema={
            "trial": pl.Int64,
            "parameter": pl.String,
            "number": pl.Float64,
            "choice": pl.String,
            "value": pl.Float64,
        },
        orient="row",
    )


def folds_frame(tuned: Tuned) -> pl.DataFrame:
    """Return a row for each fold.

    Returns:
        Columns `fold`, `n`, `trial`, `training` (mean on the other folds, by which the trial was
        chosen), `held_out` and `default` (means on the fold), and one for each parameter.
    """
    names = [each.name for each in tuned.plan.space.parameters]
    folds = tuned.chosen.folds
    figures = ("fold", "n", "trial", "training", "held_out", "default")
    return pl.DataFrame(
        {
            **{name: [getattr(each, name) for each in folds] for name in figures},
            **{name: [each.settings.get(name) for each in folds] for name in names},
        },
        strict=False,
    )


def summary(tuned: Tuned) -> dict[str, Any]:
    """Return what `tuning.json` holds of a search."""
    plan = tuned.plan
    return {
        "format": _FORMAT,
        "measure": plan.measure,
        "space": {"id": plan.space.id, **plan.space.to_dict()},
        "search": {
            "trials": plan.trials,
            "done": len(tuned.trials),
            "finished": tuned.finished,
            "exploring": plan.exploring,
            "which_means": EXPLORING[plan.exploring],
            "folds": tuned.folds.how,
            "seed": plan.seed,
            "seconds": math.fsum(each.seconds for each in tuned.trials),
        },
        "default": {"value": tuned.trials[0].value, "config_hash": plan.base.content_hash},
        "best": {
            "trial": tuned.best.number,
            "settings": dict(tuned.best.settings),
            "config_hash": tuned.config.content_hash,
            "value": tuned.best.value,
            "optimistic": "it was chosen by this value: see held_out for what to expect",
        },
        "held_out": contrast_summary(tuned.comparison.contrasts[0]),
        "folds": [asdict(each) for each in tuned.chosen.folds],
        "importance": dict(tuned.importance),
        "warnings": list(tuned.warnings),
    }


def contrast_summary(contrast: Contrast) -> dict[str, Any]:
    """Return a comparison of the tuned configuration with the default one, as JSON has it."""
    return {
        "mean": contrast.mean_b,
        "default": contrast.mean_a,
        "delta": contrast.delta,
        "ci": [contrast.low, contrast.high],
        "n": contrast.n,
        "p": contrast.p,
        "test": contrast.test,
        "effect": contrast.effect,
        "wins": contrast.wins,
        "ties": contrast.ties,
        "losses": contrast.losses,
    }


def config_yaml(tuned: Tuned, *, note: str = "") -> str:
    """Return a configuration file: what the base and the best trial set, and nothing else.

    Args:
        tuned: What was found.
        note: Said in a comment, line by line.
    """
    chosen = {name: tuned.config.flat()[name] for name in tuned.best.settings}
    return settings_yaml({**own_settings(tuned.config), **chosen}, note=note)


def own_settings(config: EngineConfig) -> dict[str, Any]:
    """Return the settings of a configuration that are not the default, by their dotted names."""
    default = EngineConfig().flat()
    return {name: value for name, value in config.flat().items() if value != default[name]}


def settings_yaml(settings: Mapping[str, Any], *, note: str = "") -> str:
    """Return a configuration file that holds these settings, and nothing else.

    Args:
        settings: By their dotted names.
        note: Said in a comment, line by line.
    """
    escaped = {
        name: value.replace("${", "$${") if isinstance(value, str) else value
        for name, value in sorted(settings.items())
    }
    comment = "".join(f"# {line}".rstrip() + "\n" for line in note.splitlines())
    return comment + yaml.safe_dump(nest(escaped), sort_keys=False)


def write_tuned(tuned: Tuned, folder: Path, *, about: Mapping[str, Any] | None = None) -> None:
    """Write what was found.

    Writes `tuning.json`, `trials.parquet`, `per_query.parquet` (the systems `default` and `tuned`,
    each query of the latter under the settings chosen without its fold) and `config.yaml`.

    Args:
        tuned: What was found.
        folder: Where to; made where it is missing.
        about: More that `tuning.json` says, such as suite, data and ledger.
    """
    folder.mkdir(parents=True, exist_ok=True)
    trials_frame(tuned).write_parquet(folder / "trials.parquet")
    rows = [
        frame.select(pl.lit(name).alias("system"), pl.all().exclude("system"))
        for name, frame in (("default", tuned.chosen.default), ("tuned", tuned.chosen.held_out))
    ]
    pl.concat(rows).write_parquet(folder / "per_query.parquet")
    write_json(folder / "tuning.json", {**(about or {}), **summary(tuned)})
    (folder / "config.yaml").write_text(
        config_yaml(tuned, note=_note(tuned)), encoding="utf-8", newline="\n"
    )


def _note(tuned: Tuned) -> str:
    found = tuned.comparison.contrasts[0]
    return (
        f"Tuned for {tuned.plan.measure} over the space {tuned.plan.space.id!r}.\n"
        f"To expect where it was not tuned: {found.mean_b:.4f}, the default {found.mean_a:.4f} "
        f"(p = {found.p:.3g}).\n"
        f"Config hash {tuned.config.content_hash}; see tuning.json beside this file."
    )


def _number_or_choice(value: Any) -> tuple[float | None, str | None]:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return (float(value), None) if is_number else (None, str(value))
