"""Every figure beside its null: paired tests, and what they say of each step of a dream."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from engram_lab.evaluation.consolidation.suite import PHASES, kind_of
from engram_lab.evaluation.measures.parsing import falls
from engram_lab.evaluation.statistics.bootstrap import resampled_means
from engram_lab.evaluation.statistics.comparing import compare
from engram_lab.evaluation.statistics.holm import holm

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engram_lab.evaluation.consolidation.suite import Phase

__all__ = ["BesideNull", "Verdict", "beside_nulls", "verdicts"]

_ALPHA: Final = 0.05
_RESAMPLES: Final = 2_000


@dataclass(frozen=True, kw_only=True, slots=True)
class BesideNull:
    """A measure of a system, and of what it is held against, over what each was taken of.

    Attributes:
        measure: Its name.
        system: What is judged.
        null: What it is held against.
        value: The mean of the system.
        null_value: That of the null.
        delta: System less null.
        low: Lower end of the interval of the difference.
        high: Upper end.
        p: Two-sided, after Holm over the nulls of a measure: of the paired randomisation test where
            both were taken of the same units, else of a bootstrap of clusters.
        n: How many units the system has.
        better: Whether the system is better, and significantly so.
    """

    measure: str
    system: str
    null: str
    value: float
    null_value: float
    delta: float
    low: float
    high: float
    p: float
    n: int
    better: bool = False

    @property
    def worse(self) -> bool:
        """Whether the system is worse, and significantly so."""
        return self.p < _ALPHA and self.delta != 0 and not self.better

    def plain(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return {
            name: None if isinstance(value, float) and math.isnan(value) else value
            for name, value in asdict(self).items()
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """Whether a step of a dream beats what would do as well without it.

    Attributes:
        phase: The step.
        verdict: `beats` each null, `does not`, or `not judged`.
        on: Whether it is part of a dream unless told otherwise.
        said: Why, as a sentence.
    """

    phase: str
    verdict: str
    on: bool
    said: str

    def plain(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return asdict(self)


def beside_nulls(
    per_query: pl.DataFrame, measures: Sequence[str], *, seed: int
) -> list[BesideNull]:
    """Return each proposal beside each null that shares units with it.

    Args:
        per_query: As `per_query.parquet`; all measures.
        measures: Which to test.
        seed: Of bootstrap and test.
    """
    found: list[BesideNull] = []
    for measure in measures:
        rows = per_query.filter(pl.col(measure).is_not_null()).select(
            "system", "query_id", "category", "cluster", measure
        )
        names = rows["system"].unique(maintain_order=True).to_list()
        for system in (each for each in names if kind_of(each) == "proposal"):
            nulls = [each for each in names if _is_null(each, system, measure)]
            found += _of_system(rows, measure, system, nulls, seed=seed)
    return found


def _is_null(name: str, system: str, measure: str) -> bool:
    """Return whether a system is held against another in a measure."""
    rivals = {
        rival
        for phase in PHASES
        if phase.system == system and measure in phase.measures
        for rival in phase.against
    }
    return kind_of(name) == "null" or name in rivals


def _of_system(
    rows: pl.DataFrame, measure: str, system: str, nulls: Sequence[str], *, seed: int
) -> list[BesideNull]:
    ours = rows.filter(pl.col("system") == system)
    tested = []
    for null in nulls:
        theirs = rows.filter(pl.col("system") == null)
        shared = ours.join(theirs, on="query_id", how="semi")
        if shared.height == ours.height == theirs.height:
            tested.append(_paired(theirs, ours, measure, seed=seed))
        else:
            tested.append(_apart(theirs, ours, measure, seed=seed))
    adjusted = holm([each.p for each in tested])
    return [
        replace(each, p=p, better=p < _ALPHA and (each.delta < 0) == falls(measure))
        for each, p in zip(tested, adjusted, strict=True)
    ]


def _paired(a: pl.DataFrame, b: pl.DataFrame, measure: str, *, seed: int) -> BesideNull:
    """Return B against A by the same units."""
    names = (str(a["system"][0]), str(b["system"][0]))
    found = compare(
        a,
        b,
        names=names,
        measures=[measure],
        categories=False,
        alpha=_ALPHA,
        resamples=_RESAMPLES,
        seed=seed,
    ).contrasts[0]
    return BesideNull(
        measure=measure,
        system=names[1],
        null=names[0],
        value=found.mean_b,
        null_value=found.mean_a,
        delta=found.delta,
        low=found.low,
        high=found.high,
        p=found.p,
        n=found.n,
    )


def _apart(a: pl.DataFrame, b: pl.DataFrame, measure: str, *, seed: int) -> BesideNull:
    """Return B against A where they chose their units themselves, as those whom they merged.

    Whole clusters are drawn for both alike; p is twice the share of the draws in which the
    difference has the other sign.

    Source: Davison and Hinkley, "Bootstrap Methods and their Application" (1997), sections 3.8 and
    4.4.
    """
    clusters = pl.concat([a, b])["cluster"].unique(maintain_order=True)
    codes = {name: place for place, name in enumerate(clusters.to_list())}
    sums, sizes = np.zeros((len(codes), 2)), np.zeros((len(codes), 2))
    for column, frame in enumerate((a, b)):
        places = [codes[each] for each in frame["cluster"].to_list()]
        np.add.at(sums[:, column], places, frame[measure].to_numpy())
        np.add.at(sizes[:, column], places, 1.0)
    drawn = resampled_means(sums, sizes, resamples=_RESAMPLES, seed=seed)
    deltas = drawn[:, 1] - drawn[:, 0]
    deltas = deltas[np.isfinite(deltas)]
    low, high = np.quantile(deltas, [0.025, 0.975]).tolist()
    side = min(int((deltas <= 0).sum()), int((deltas >= 0).sum()))
    first, second = (sums.sum(axis=0) / sizes.sum(axis=0)).tolist()
    return BesideNull(
        measure=measure,
        system=str(b["system"][0]),
        null=str(a["system"][0]),
        value=second,
        null_value=first,
        delta=second - first,
        low=low,
        high=high,
        p=min(1.0, 2 * (side + 1) / (len(deltas) + 1)),
        n=b.height,
    )


def verdicts(beside: Sequence[BesideNull], steps: Sequence[str]) -> list[Verdict]:
    """Return what was found of each step of a dream.

    Args:
        beside: See `beside_nulls`.
        steps: Those that are part of a dream unless told otherwise.
    """
    return [
        Verdict(phase=phase.name, on=phase.name in steps, **_judged(phase, beside))
        for phase in PHASES
    ]


def _judged(phase: Phase, beside: Sequence[BesideNull]) -> dict[str, str]:
    ours = [each for each in beside if each.system == phase.system]
    found = [each for each in ours if each.measure in phase.measures]
    if not found:
        return {"verdict": "not judged", "said": "no task that was run holds it against a null"}
    lost = [each for each in found if not each.better]
    harmed = [each for each in ours if each.measure in phase.unharmed and each.worse]
    if lost or harmed:
        said = [*_grouped(lost, "no better than"), *_grouped(harmed, "worse than")]
        return {"verdict": "does not", "said": "; ".join(said)}
    also = [each for each in ours if each.measure in phase.told and not each.better]
    said = [*_grouped(found, "better than"), *_grouped(also, "no better than")]
    return {"verdict": "beats", "said": "; ".join(said)}


def _grouped(found: Sequence[BesideNull], how: str) -> Iterator[str]:
    by_measure: dict[str, list[str]] = {}
    for each in found:
        by_measure.setdefault(each.measure, []).append(each.null)
    for measure, names in by_measure.items():
        less = " (less is better)" if falls(measure) else ""
        yield f"in {measure}{less} {how} {', '.join(names)}"
