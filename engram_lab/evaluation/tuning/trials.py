"""What was tried: each trial with its values query by query, kept so that a search can go on."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
import polars as pl

from engram_lab.core.errors import EvaluationError, IncomparableError
from engram_lab.evaluation.runs.files import replacing

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["DEFAULT", "EVERYTHING", "Objective", "Trial", "Trials", "mean_of"]

Objective: TypeAlias = Callable[[Mapping[str, Any]], pl.DataFrame]
"""Evaluates settings, given by dotted name over the base configuration, and returns a row for each
query: `query_id`, `category`, `cluster`, and a float64 for each measure, null where unscored."""

DEFAULT: Final = "default"
"""The study of the trial that changes nothing."""

EVERYTHING: Final = "everything"
"""The study that is told the mean over all queries."""

_KEYS: Final = ("query_id", "category", "cluster")


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """One configuration that was evaluated.

    Attributes:
        number: From 0, which is the default configuration.
        study: Who proposed it: `DEFAULT`, `EVERYTHING`, or the name of a fold.
        sampled: The parameters of the space; empty for the default.
        settings: What they set, by dotted name.
        value: Mean of the measure over all queries that count.
        seconds: How long the evaluation took; 0 for a repetition.
        same_as: The number of an earlier trial of the same configuration.
    """

    number: int
    study: str
    sampled: Mapping[str, Any] = field(hash=False)
    settings: Mapping[str, Any] = field(hash=False)
    value: float
    seconds: float
    same_as: int | None = None


class Trials:
    """All trials of a search, and their values.

    Args:
        measure: Which one is searched by.
        apart: Categories that do not count.
        folder: Where they are kept, made where it is missing; None keeps them in memory alone.
        identity: What the search is of. A folder that holds a search of something else is refused.

    Raises:
        EvaluationError: The folder holds another search.
    """

    def __init__(
        self,
        *,
        measure: str,
        apart: tuple[str, ...] = (),
        folder: Path | None = None,
        identity: Mapping[str, Any] | None = None,
    ) -> None:
        self.measure = measure
        self.apart = apart
        self.all: list[Trial] = []
        self._frames: dict[int, pl.DataFrame] = {}
        self._values: dict[int, NDArray[np.float64]] = {}
        self._folder = folder
        if folder is not None:
            self._load(folder, {"measure": measure, "apart": list(apart), **(identity or {})})

    def frame(self, trial: Trial) -> pl.DataFrame:
        """Return the values of a trial, a row for each query."""
        return self._frames[self._of(trial)]

    def values(self, trial: Trial) -> NDArray[np.float64]:
        """Return the measure of each query, float64 [queries]; NaN where it does not count."""
        return self._values[self._of(trial)]

    @property
    def queries(self) -> pl.DataFrame:
        """The queries: `query_id`, `category`, `cluster`."""
        return self._frames[0].select(_KEYS)

    def add(self, trial: Trial, frame: pl.DataFrame) -> None:
        """Keep a trial.

        Args:
            trial: Its number is the next.
            frame: Its values; see `Objective`.

        Raises:
            EvaluationError: The frame has not the measure, or nothing in it is scored.
            IncomparableError: It is of other queries than those before.
        """
        self._take(trial, frame)
        if self._folder is not None:
            self._keep(self._folder, trial)

    def measured(self, frame: pl.DataFrame) -> NDArray[np.float64]:
        """Return the measure of each query of a frame; see `values`.

        Raises:
            EvaluationError: The frame has not the measure, or nothing in it is scored.
        """
        if missing := [name for name in (*_KEYS, self.measure) if name not in frame.columns]:
            raise EvaluationError(
                f"an evaluation has no column {missing[0]!r}: it has {', '.join(frame.columns)}"
            )
        counts = ~pl.col("category").is_in(self.apart).fill_null(value=False)
        value = pl.when(counts).then(pl.col(self.measure).cast(pl.Float64))
        measured = frame.select(value.fill_null(float("nan")).alias("v"))["v"].to_numpy()
        if np.isnan(measured).all():
            raise EvaluationError(f"no query is scored by {self.measure}: there is nothing to tune")
        return measured

    def _of(self, trial: Trial) -> int:
        return trial.number if trial.same_as is None else trial.same_as

    def _take(self, trial: Trial, frame: pl.DataFrame) -> None:
        values = self.measured(frame)
        if self._frames and not self._frames[0].select(_KEYS).equals(frame.select(_KEYS)):
            raise IncomparableError(
                "an evaluation returned other queries, or in another order, than the first one: "
                "each must be of the same queries"
            )
        if trial.same_as is None:
            self._frames[trial.number] = frame
            self._values[trial.number] = values
        self.all.append(trial)

    def _load(self, folder: Path, identity: Mapping[str, Any]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        said = json.loads(json.dumps(identity))
        about = folder / "search.json"
        if not about.exists():
            _replace(about, json.dumps(said, indent=2) + "\n")
            return
        before = json.loads(about.read_text(encoding="utf-8"))
        if other := [key for key in said | before if said.get(key) != before.get(key)]:
            raise EvaluationError(
                f"{folder} holds a search of something else (it differs in {', '.join(other)}): "
                "give another folder, or remove this one"
            )
        self._load_trials(folder)

    def _load_trials(self, folder: Path) -> None:
        kept = folder / "trials.jsonl"
        lines = kept.read_text(encoding="utf-8").splitlines(keepends=True) if kept.exists() else []
        if lines and not lines[-1].endswith("\n"):  # cut off while it was written: tried again
            _replace(kept, "".join(lines[:-1]))
            lines.pop()
        for number, line in enumerate(lines, 1):
            try:
                trial = Trial(**json.loads(line))
                known = self._frames.get(self._of(trial))
                frame = pl.read_parquet(_values(folder, trial.number)) if known is None else known
            except (ValueError, TypeError, OSError, pl.exceptions.PolarsError) as error:
                raise EvaluationError(
                    f"{kept} holds on line {number} a trial that cannot be read ({error}): remove "
                    "that line and all after it, and their trials are done again"
                ) from None
            self._take(trial, frame)

    def _keep(self, folder: Path, trial: Trial) -> None:
        if trial.same_as is None:
            place = _values(folder, trial.number)
            place.parent.mkdir(exist_ok=True)
            self._frames[trial.number].write_parquet(place)
        # The line comes last: a trial is there once all of it is.
        with (folder / "trials.jsonl").open("a", encoding="utf-8", newline="\n") as file:
            file.write(json.dumps(asdict(trial)) + "\n")


def mean_of(values: NDArray[np.float64], mask: NDArray[np.bool_] | None = None) -> float:
    """Return the mean of what counts, NaN where nothing does.

    Args:
        values: float64 [queries], NaN where a query does not count.
        mask: bool [queries]: of these alone.
    """
    counted = values if mask is None else values[mask]
    counted = counted[~np.isnan(counted)]
    return float(counted.mean()) if len(counted) else float("nan")


def _values(folder: Path, number: int) -> Path:
    return folder / "values" / f"{number:05}.parquet"


def _replace(path: Path, text: str) -> None:
    with replacing(path) as file:
        file.write(text.encode())
