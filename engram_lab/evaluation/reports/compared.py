"""The parts of the page about a comparison: what differs, by how much, and which queries moved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import orjson

from engram_lab.evaluation.formats import (
    ALPHA,
    NOTHING,
    counted,
    figure,
    interval,
    p_text,
    signed,
)
from engram_lab.evaluation.reports.page import Head, Markup, details, element, join, table
from engram_lab.evaluation.reports.sections import status_cell
from engram_lab.evaluation.suite import HEADLINE

if TYPE_CHECKING:
    from engram_lab.evaluation.gating.verdict import GateReport
    from engram_lab.evaluation.reports.evidence import Evidence, Found
    from engram_lab.evaluation.statistics.contrast import Comparison, Contrast, Moved

__all__ = ["comparison_part", "gate_part", "moved_part"]

_OPEN: Final = 10
"""Moved queries that lie open; more are folded away."""

_FEW: Final = 12
"""Checks that are shown at once, whatever was found."""

_FEW_WARNINGS: Final = 2
_MOST: Final = 200
"""Moved queries on the page; all are in the per-query frame."""


def gate_part(report: GateReport) -> Markup:
    """Return what a gate found: what could not be compared, then checks, failures first."""
    heads = [Head(name=name) for name in ("check", "system", "group", "", "what was found")]
    rows = {
        status: [
            [
                each.name,
                each.system,
                element("td", each.group or "all", class_="short"),
                status_cell(each.status),
                each.said,
            ]
            for each in report.checks
            if each.status == status
        ]
        for status in ("fail", "skip", "pass")
    }
    first, passed = rows["fail"] + rows["skip"], rows["pass"]
    if not first or len(first) + len(passed) <= _FEW:
        first, passed = first + passed, []
    skipped = [
        element("p", element("b", name), f" was not judged: {why}.", class_="quiet")
        for name, why in report.skipped.items()
    ]
    loud = {
        **{name: f" could not be compared: {why}." for name, why in report.incomparable.items()},
        **{name: f": {why}." for name, why in report.warnings.items()},
    }
    return join(
        [
            [element("p", element("b", name), said) for name, said in loud.items()],
            table(
                "A measure fails where its loss is significant and beyond the margin.", heads, first
            ),
            details(f"{counted(len(passed), 'check')} passed", table("Passed", heads, passed))
            if passed
            else None,
            skipped,
            _baseline(report.baseline),
        ]
    )


def _baseline(baseline: Mapping[str, Any]) -> Markup | None:
    """Return where the baseline came from: what is plain in sight, all of it folded away."""
    if not baseline:
        return None
    updated = baseline.get("updated")
    plain = dict(baseline) | (dict(updated) if isinstance(updated, Mapping) else {})
    rows = [
        [element("dt", name.replace("_", " ")), element("dd", element("code", value))]
        for name, value in plain.items()
        if isinstance(value, str | int | float)
    ]
    whole = orjson.dumps(dict(baseline), option=orjson.OPT_INDENT_2, default=str).decode()
    return join(
        [
            element("h3", "The baseline"),
            element("dl", rows),
            details("Its provenance, in full", element("pre", whole)),
        ]
    )


def comparison_part(comparison: Comparison, *, plot: Markup | None = None) -> Markup:
    """Return B against A: in a sentence, in figures, by category."""
    headline = [each for each in comparison.contrasts if each.group == HEADLINE]
    groups = [each for each in comparison.contrasts if each.group != HEADLINE]
    measures = list(dict.fromkeys(each.measure for each in groups))
    by_measure = [
        _contrasts(
            f"{measure} by category", comparison, [e for e in groups if e.measure == measure]
        )
        for measure in measures
    ]
    sides = "losses alone count" if comparison.alternative == "less" else "two-sided"
    of = (
        "queries"
        if comparison.clusters is None
        else f"queries in {counted(comparison.clusters, 'cluster')}"
    )
    caption = (
        f"Paired randomisation test over {of}, {sides}, p after Holm; "
        f"{ALPHA} = {comparison.alpha:g}. d_z: standardised mean difference. MDE: the smallest "
        f"true loss that is found with probability 0.8, {NOTHING} where none can be told from "
        "chance."
    )
    more = counted(len(by_measure) - 1, "other measure")
    return join(
        [
            [element("p", _sentence(each, comparison), class_="lead") for each in headline[:1]],
            _warnings(comparison.warnings),
            _contrasts(caption, comparison, headline) if headline else None,
            plot,
            by_measure[:1],
            details(f"The {more} by category", by_measure[1:]) if len(by_measure) > 1 else None,
        ]
    )


def _warnings(warnings: Sequence[str]) -> Markup:
    lines = [element("p", each, class_="quiet") for each in warnings]
    if len(lines) <= _FEW_WARNINGS:
        return join(lines)
    return details(f"{len(lines)} remarks on what this comparison can show", lines)


def _sentence(contrast: Contrast, comparison: Comparison) -> str:
    spread = interval(contrast.low, contrast.high, sign=True)
    if contrast.p_adjusted < comparison.alpha:
        verb = "is better" if contrast.gain > 0 else "is worse"
        said = f"{verb} by {figure(abs(contrast.delta))} in {contrast.measure} {spread}"
    else:
        said = (
            f"cannot be told apart in {contrast.measure} (difference {signed(contrast.delta)} "
            f"{spread}"
        )
        said = f"{said})" if spread else f"{said.rstrip()})"
    failed = sum(each.newly_failed for each in comparison.moved)
    return (
        f"Against {comparison.a}, {comparison.b} {said.strip()}, "
        f"p = {p_text(contrast.p_adjusted)}; "
        f"{counted(len(comparison.moved), 'query', 'queries')} moved, {failed:,} newly failed."
    ).replace("= <", "< ")


def _contrasts(caption: str, comparison: Comparison, contrasts: Sequence[Contrast]) -> Markup:
    names = (comparison.a, comparison.b, "difference", "p", "d_z", "MDE", "win / tie / loss", "n")
    rows = [
        [
            each.group or each.measure,
            figure(each.mean_a),
            figure(each.mean_b),
            _delta(each, comparison),
            p_text(each.p_adjusted),
            signed(each.effect, places=2),
            figure(each.detectable),
            f"{each.wins:,} / {each.ties:,} / {each.losses:,}",
            f"{each.n:,}",
        ]
        for each in contrasts
    ]
    first = Head(name="category" if contrasts[0].group else "measure")
    return table(caption, [first, *(Head(name=name, numeric=True) for name in names)], rows)


def _delta(contrast: Contrast, comparison: Comparison) -> Markup:
    kind = "n"
    if contrast.p_adjusted < comparison.alpha:
        kind = f"n best {'up' if contrast.gain > 0 else 'down'}"
    spread = interval(contrast.low, contrast.high, sign=True)
    return element("td", signed(contrast.delta), element("small", spread), class_=kind)


def moved_part(comparison: Comparison, evidence: Evidence) -> Markup | None:
    """Return the queries that moved, newly failed first, with their evidence and what came back."""
    shown = comparison.moved[:_MOST]
    if not shown:
        return None
    failed = [each for each in shown if each.newly_failed]
    others = [each for each in shown if not each.newly_failed]
    left = len(comparison.moved) - len(shown)
    beyond = (
        element("p", f"{counted(left, 'more query', 'more queries')} moved: see per_query.parquet.")
        if left
        else None
    )
    return join(
        [
            list(_group("Newly failed", failed, evidence, comparison)),
            list(_group("Moved otherwise", others, evidence, comparison)),
            beyond,
        ]
    )


def _group(
    title: str, moved: Sequence[Moved], evidence: Evidence, comparison: Comparison
) -> Iterator[Markup]:
    if not moved:
        return
    cards = [_card(each, evidence, comparison) for each in moved]
    yield element("h3", f"{title}: {counted(len(moved), 'query', 'queries')}")
    opened = _OPEN if moved[0].newly_failed else 0
    yield join(cards[:opened])
    if rest := cards[opened:]:
        yield details(f"{counted(len(rest), 'query', 'queries')}{' more' if opened else ''}", rest)


def _card(moved: Moved, evidence: Evidence, comparison: Comparison) -> Markup:
    change = f"{moved.measure} {figure(moved.before)} \N{RIGHTWARDS ARROW} {figure(moved.after)}"
    about = [each for each in (moved.query_id, moved.category) if each]
    found = evidence.found(moved.query_id)
    wanted = [
        element(
            "li",
            element("b", each.memory_id),
            f" {each.text}",
            element("span", _where(each, comparison), class_="where"),
            class_="right" if any(hit.memory_id == each.memory_id for hit in found) else None,
        )
        for each in evidence.wanted(moved.query_id)
    ]
    came = [
        element(
            "li",
            element("b", each.memory_id),
            f" {each.text}",
            element("span", "evidence", class_="where") if each.wanted else None,
            class_="right" if each.wanted else None,
        )
        for each in found
    ]
    return element(
        "article",
        element("h4", evidence.text(moved.query_id) or moved.query_id),
        element(
            "p",
            " \N{MIDDLE DOT} ".join(about),
            " \N{MIDDLE DOT} ",
            element("b", change),
            class_="about",
        ),
        element(
            "div",
            element("div", element("h5", "Evidence"), element("ul", wanted)) if wanted else None,
            element("div", element("h5", f"First found by {comparison.b}"), element("ol", came))
            if came
            else None,
            class_="sides",
        ),
        class_="lost" if moved.gain < 0 else "won",
    )


def _where(wanted: Found, comparison: Comparison) -> str:
    said = f"rank {wanted.now}" if wanted.now else f"not among the first {wanted.depth}"
    if wanted.known_before:
        before = f"rank {wanted.before}" if wanted.before else "not found"
        said += f"; with {comparison.a}: {before}"
    return said
