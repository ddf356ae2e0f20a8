"""The gate: whether a run is worse than its baseline, as far as its data can tell.

What is exact comes first: one forbidden hit is too many, and no mean makes up for it. A measure
fails only where its loss is significant after Holm's correction and beyond the margin, so that
neither noise nor a loss too small to matter stops a change. The verdict over a system does not
depend on which others were run beside it.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import polars as pl

from engram_lab.core.errors import InvalidInputError
from engram_lab.evaluation.datasets.dataset import FORBIDDEN
from engram_lab.evaluation.formats import counted, figure, interval, p_text, signed
from engram_lab.evaluation.gating.baseline import Baseline, other_queries, read_baseline, rounded
from engram_lab.evaluation.gating.finished import (
    AnyRun,
    data_of,
    finished,
    result_of,
    rows_of,
    skipped_of,
)
from engram_lab.evaluation.gating.verdict import GateCheck, GateReport, Status, Verdict
from engram_lab.evaluation.suite import HEADLINE, GateRules, apart_of

if TYPE_CHECKING:
    from engram_lab.evaluation.runs.results import RunFolder
    from engram_lab.evaluation.statistics.contrast import Comparison, Contrast

__all__ = ["EXIT", "FORBIDDEN_HITS", "NO_GUARDS", "judge"]

EXIT: Final[Mapping[Verdict, int]] = MappingProxyType(
    {"pass": 0, "regression": 1, "incomparable": 3}
)
"""Exit codes of the gate; 2 is misuse."""

FORBIDDEN_HITS: Final = "forbidden hits"
NO_GUARDS: Final = "guards"
"""Stands for all guards where none was run."""

_QRELS: Final = "qrels.parquet"
_EQUAL: Final = 1e-9
"""Losses that differ from the margin by no more are at the margin, not beyond it."""


def judge(
    run: AnyRun,
    baseline: Baseline | str | os.PathLike[str],
    rules: GateRules,
    *,
    systems: Sequence[str] | None = None,
    apart: Sequence[str] | None = None,
) -> GateReport:
    """Return whether each system of a run is worse than the baseline's.

    Args:
        run: A run, or its folder.
        baseline: A baseline, or its file.
        rules: What is tested, and what is accepted.
        systems: These must be judged; else all that both sides have.
        apart: Categories that are no part of the headline; else those of the suite that was run.

    Returns:
        The report. Where suite, data or queries are other ones it is `incomparable`, never a pass.

    Raises:
        InvalidInputError: Neither side knows a system that is asked for, or the rules name no
            measure.
        InvalidRunError: The run or the baseline cannot be read.
    """
    if not rules.measures:
        raise InvalidInputError("the rules name no measure, so nothing could fail: name one")
    run = finished(run)
    baseline = baseline if isinstance(baseline, Baseline) else read_baseline(baseline)
    away = apart_of(run.record) if apart is None else tuple(apart)
    judging = _Judging(run=run, baseline=baseline, rules=rules, apart=away)
    for name in _asked(run, baseline, systems):
        if (reason := _not_there(run, baseline, name)) is None:
            judging.judge(name)
        elif systems is None:
            judging.skipped[name] = reason
        else:
            judging.incomparable[name] = reason
    return GateReport(
        suite=run.suite,
        checks=tuple(judging.checks),
        comparisons=judging.comparisons,
        baseline=baseline.provenance(),
        skipped=judging.skipped,
        incomparable=judging.incomparable,
    )


def _asked(run: RunFolder, baseline: Baseline, systems: Sequence[str] | None) -> list[str]:
    known = dict.fromkeys([*run.systems, *skipped_of(run), *baseline.systems])
    if systems is None:
        return list(known)
    if strange := [each for each in systems if each not in known]:
        raise InvalidInputError(
            f"neither the run nor the baseline has a system {strange[0]!r}: known are "
            f"{', '.join(known)}"
        )
    return list(dict.fromkeys(systems))


def _not_there(run: RunFolder, baseline: Baseline, name: str) -> str | None:
    """Return why a system has nothing to be compared, or None where both sides have it."""
    if (why := skipped_of(run).get(name)) is not None:
        return f"it was not run: {why}"
    if name not in run.systems:
        return "the baseline has it and the run has not: run the suite with --system " + name
    if name not in baseline.systems:
        return "the baseline has no such system: add it with --update-baseline --reason"
    return None


@dataclass(frozen=True, kw_only=True)
class _Judging:
    """A report in the making."""

    run: RunFolder
    baseline: Baseline
    rules: GateRules
    apart: tuple[str, ...]
    checks: list[GateCheck] = field(default_factory=list)
    comparisons: dict[str, Comparison] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    incomparable: dict[str, str] = field(default_factory=dict)

    def judge(self, name: str) -> None:
        """Add what is to be said of a system that both sides have."""
        from engram_lab.evaluation.statistics.comparing import compare

        a, b = self.baseline.per_query(name), rounded(rows_of(self.run, name))
        self.checks.extend(_exact(self.run, name))
        if difference := self._difference(b):
            self.incomparable[name] = difference
            return
        a, b, strange = _aligned(a, b)
        for category in strange:
            said = f"the category {category!r} is not the same queries on both sides: not judged"
            self.checks.append(_skipped(name, self.rules.measures[0], said, group=category))
        tested = []
        for measure in self.rules.measures:
            if reason := _unfit(a, b, measure):
                self.checks.append(_skipped(name, measure, reason))
            else:
                tested.append(measure)
        if tested:
            found = compare(
                a,
                b,
                names=("baseline", name),
                measures=tested,
                apart=self.apart,
                categories=self.rules.categories,
                alternative="less",
                alpha=self.rules.alpha,
                resamples=self.rules.resamples,
                seed=self.rules.seed,
            )
            self.comparisons[name] = found
            self.checks.extend(_tested(name, each, self.rules) for each in found.contrasts)

    def _difference(self, rows: pl.DataFrame) -> str | None:
        """Return why the run cannot be compared, or None where it can."""
        if self.run.suite != self.baseline.suite:
            return f"the baseline is of the suite {self.baseline.suite!r}, not {self.run.suite!r}"
        if (data := data_of(self.run)) != self.baseline.data:
            return (
                f"the baseline was made on data with the SHA-256 {self.baseline.data[:12]}…, and "
                f"these have {data[:12]}…: update it, with a reason, if that is meant"
            )
        return other_queries(self.baseline.queries, rows["query_id"].to_list())


def _aligned(a: pl.DataFrame, b: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, list[str]]:
    """Return both sides in one order and grouping, and the categories that are not the same.

    Queries whose category differs are in none; clusters are those of the run.
    """
    order = b.select("query_id", now="category", cluster="cluster")
    a = order.join(a.drop("cluster"), on="query_id", how="left", maintain_order="left")
    same = pl.col("now").eq_missing(pl.col("category"))
    moved = a.filter(~same)
    strange = {*moved["now"].drop_nulls(), *moved["category"].drop_nulls()}
    category = pl.when(pl.col("now").is_in(list(strange))).then(None).otherwise(pl.col("now"))
    a = a.with_columns(category=pl.when(same).then(category)).drop("now")
    return a, b.with_columns(category=a["category"]), sorted(strange)


def _unfit(a: pl.DataFrame, b: pl.DataFrame, measure: str) -> str | None:
    """Return why a measure cannot be tested, or None where it can."""
    for side, rows in (("baseline", a), ("run", b)):
        if measure not in rows.columns or not rows[measure].count():
            return f"the {side} has no value of {measure}: not judged"
    before, after = a[measure].is_not_null(), b[measure].is_not_null()
    if other := int((before != after).sum()):
        return f"{counted(other, 'query', 'queries')} scored on one side alone: not judged"
    return None


def _exact(run: RunFolder, system: str) -> Iterator[GateCheck]:
    """Yield what must not happen even once."""
    yield _forbidden(run, system)
    guards: Mapping[str, Mapping[str, object]] = result_of(run, system).get("guards") or {}
    for name, each in guards.items():
        status: Status = "pass" if each["status"] == "pass" else "fail"
        yield GateCheck(
            system=system,
            name=name,
            group=HEADLINE,
            kind="exact",
            status="skip" if each["status"] == "skip" else status,
            said=str(each["said"]),
        )
    if not guards:
        yield _skipped(system, NO_GUARDS, "no guard was run for this system", exact=True)


def _forbidden(run: RunFolder, system: str) -> GateCheck:
    """Return whether the run shows what must never be shown to whoever asks."""
    if not (run.path / _QRELS).is_file():
        return _skipped(system, FORBIDDEN_HITS, f"the run has no {_QRELS}", exact=True)
    judged = run.qrels.filter(pl.col("relevance") == FORBIDDEN)
    if not judged.height:
        return _skipped(system, FORBIDDEN_HITS, "the data forbid nothing", exact=True)
    shown = run.run(system).hits.join(judged, on=["query_id", "memory_id"], how="semi")
    status: Status = "fail" if shown.height else "pass"
    said = (
        f"{counted(shown.height, 'forbidden hit')} of {judged.height:,} that could be; allowed is 0"
    )
    if shown.height:
        query, memory, rank = shown.sort("rank").select("query_id", "memory_id", "rank").row(0)
        said += f"; the query {query!r} shows {memory!r} at rank {rank}"
    return GateCheck(
        system=system, name=FORBIDDEN_HITS, group=HEADLINE, kind="exact", status=status, said=said
    )


def _tested(system: str, contrast: Contrast, rules: GateRules) -> GateCheck:
    """Return the check that a contrast amounts to."""
    margin = rules.margin if contrast.group == HEADLINE else rules.category_margin
    status, why = _weighed(contrast, margin, rules.alpha)
    return GateCheck(
        system=system,
        name=contrast.measure,
        group=contrast.group,
        kind="statistical",
        status=status,
        said=f"{_figures(contrast)}: {why}",
        margin=margin,
        contrast=contrast,
    )


def _weighed(contrast: Contrast, margin: float, alpha: float) -> tuple[Status, str]:
    if contrast.n == 0 or math.isnan(contrast.p_adjusted):
        return "skip", f"{counted(contrast.n, 'query', 'queries')} cannot be tested"
    if contrast.gain >= 0:
        return "pass", "no loss"
    beyond = contrast.gain < -margin - _EQUAL
    significant = contrast.p_adjusted < alpha
    if beyond and significant:
        return "fail", f"a significant loss beyond the margin of {margin:g}"
    if beyond:
        return "pass", f"beyond the margin of {margin:g}, but not significant at {alpha:g}"
    return "pass", f"a loss within the margin of {margin:g}"


def _figures(contrast: Contrast) -> str:
    """Return the numbers of a contrast: means, delta, interval, p, and what could be seen."""
    where = f" in {contrast.group}" if contrast.group else ""
    parts = [f"{contrast.measure}{where} {figure(contrast.mean_a)} → {figure(contrast.mean_b)}"]
    if bounds := interval(contrast.low, contrast.high, sign=True):
        parts.append(f"delta {signed(contrast.delta)} {bounds}")
    else:
        parts.append(f"delta {signed(contrast.delta)}")
    parts.append(f"p (Holm) {p_text(contrast.p_adjusted)}")
    if not math.isnan(contrast.detectable):
        parts.append(f"detectable loss {figure(contrast.detectable)}")
    elif not math.isnan(contrast.mde):
        parts.append("of losses none can be told from chance")
    return f"{', '.join(parts)} over {counted(contrast.n, 'query', 'queries')}"


def _skipped(
    system: str, name: str, said: str, *, group: str = HEADLINE, exact: bool = False
) -> GateCheck:
    return GateCheck(
        system=system,
        name=name,
        group=group,
        kind="exact" if exact else "statistical",
        status="skip",
        said=said,
    )
