"""The verdict of a gate as Markdown, for the summary of a step in GitHub Actions."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from engram_lab.evaluation.formats import counted, figure, interval, p_text, signed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from engram_lab.evaluation.gating.verdict import GateCheck, GateReport
    from engram_lab.evaluation.statistics.contrast import Comparison

__all__ = ["append_summary", "github_summary"]

_VARIABLE: Final = "GITHUB_STEP_SUMMARY"

_MOST_QUERIES: Final = 50
_MOST_CHECKS: Final = 200
_LONGEST: Final = 200
"""Characters of a cell. A step may say a mebibyte in all."""

_SAID: Final = {
    "pass": "passed",
    "regression": "**regression**",
    "incomparable": "**nothing could be compared**",
}
_MARKS: Final = {"pass": "pass", "fail": "**fail**", "skip": "skip"}

_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]<>#|~&$])")


def github_summary(report: GateReport, *, texts: Mapping[str, str] | None = None) -> str:
    """Return a report as Markdown: the verdict, what failed, every check, what no longer is found.

    Args:
        report: What the gate found.
        texts: Of the queries, by id, where they are to be shown.
    """
    lines = [f"## Retrieval gate: {_cell(report.suite)}", "", f"Verdict: {_SAID[report.verdict]}."]
    lines += [""] + [
        f"- {_cell(each.system)}: {_cell(each.said, limit=600)}" for each in report.failed
    ]
    lines += [f"- {_cell(name)}: {_cell(why)}" for name, why in report.incomparable.items()]
    lines += [
        f"- {_cell(name)} was not judged: {_cell(why)}" for name, why in report.skipped.items()
    ]
    lines += [
        f"- **{_cell(name)}**: {_cell(why, limit=600)}" for name, why in report.warnings.items()
    ]
    lines += ["", *_checks(report.checks)]
    for system, comparison in report.comparisons.items():
        lines += _lost(system, comparison, texts or {})
        lines += [f"\n{_cell(system)}: {_cell(warning)}" for warning in comparison.warnings]
    lines += _origin(report)
    return "\n".join(lines).rstrip() + "\n"


def append_summary(
    report: GateReport,
    *,
    texts: Mapping[str, str] | None = None,
    environ: Mapping[str, str] | None = None,
) -> bool:
    """Append a report to the summary of the step, and return whether there is one.

    Args:
        report: What the gate found.
        texts: See `github_summary`.
        environ: The environment, the process's own unless given.
    """
    place = (os.environ if environ is None else environ).get(_VARIABLE)
    if not place:
        return False
    with Path(place).open("a", encoding="utf-8") as file:
        file.write(github_summary(report, texts=texts) + "\n")
    return True


def _checks(checks: Sequence[GateCheck]) -> Iterator[str]:
    """Yield the tables of all checks: failures first, and what passed in categories folded away."""
    order = {"fail": 0, "skip": 1, "pass": 2}
    ordered = sorted(checks, key=lambda each: order[each.status])
    folded = [each for each in ordered if each.status == "pass" and each.group]
    yield from _check_table([each for each in ordered if each.status != "pass" or not each.group])
    if folded:
        yield f"\n<details><summary>{len(folded)} checks of categories passed</summary>\n"
        yield from _check_table(folded)
        yield "\n</details>"


def _check_table(checks: Sequence[GateCheck]) -> Iterator[str]:
    heads = ("", "system", "check", "before", "after", "delta", "interval", "p (Holm)", "margin")
    yield from _table(heads, [_row(each) for each in checks[:_MOST_CHECKS]])
    if len(checks) > _MOST_CHECKS:
        yield f"\n{len(checks) - _MOST_CHECKS} more are in `gate.json`."


def _row(check: GateCheck) -> list[str]:
    name = f"{check.name}, {check.group}" if check.group else check.name
    first = [_MARKS[check.status], _cell(check.system), _cell(name)]
    found = check.contrast
    if found is None:
        return [*first, _cell(check.said), "", "", "", "", ""]
    return [
        *first,
        figure(found.mean_a),
        figure(found.mean_b),
        signed(found.delta),
        interval(found.low, found.high, sign=True),
        p_text(found.p_adjusted),
        f"{check.margin:g}",
    ]


def _lost(system: str, comparison: Comparison, texts: Mapping[str, str]) -> Iterator[str]:
    """Yield the queries that were found and no longer are."""
    lost = [each for each in comparison.moved if each.newly_failed]
    if not lost:
        return
    count = counted(len(lost), "query", "queries")
    yield f"\n<details><summary>{count} newly failed by {_cell(system)}</summary>\n"
    heads = ("query", "category", lost[0].measure, *(["text"] if texts else []))
    yield from _table(
        heads,
        [
            [
                _cell(each.query_id),
                _cell(each.category or ""),
                f"{figure(each.before)} → {figure(each.after)}",
                *([_cell(texts.get(each.query_id, ""))] if texts else []),
            ]
            for each in lost[:_MOST_QUERIES]
        ],
    )
    if len(lost) > _MOST_QUERIES:
        yield f"\n{len(lost) - _MOST_QUERIES} more are in `gate.json`."
    yield "\n</details>"


def _origin(report: GateReport) -> Iterator[str]:
    """Yield a line about where the baseline came from."""
    updated = report.baseline.get("updated")
    if updated:
        yield f"\nBaseline of {_cell(updated['at'][:10])}: {_cell(updated['reason'])}"


def _table(heads: Iterable[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    heads = list(heads)
    yield f"| {' | '.join(heads)} |"
    yield f"|{' --- |' * len(heads)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _cell(text: str, *, limit: int = _LONGEST) -> str:
    """Return a text on one line in which nothing is markup."""
    line = " ".join(text.split())
    if len(line) > limit:
        line = line[: limit - 1] + "…"
    return _SPECIAL.sub(r"\\\1", line).replace("\\<", "&lt;").replace("\\>", "&gt;")
