"""The verdict of a gate as a file beside the run, tied to the results that it was given over."""

from __future__ import annotations

import math
import os
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from engram_lab.core.checksums import file_sha256
from engram_lab.core.errors import InvalidRunError
from engram_lab.evaluation.gating.finished import JUDGED
from engram_lab.evaluation.gating.sealed import plain, read_sealed, write_sealed
from engram_lab.evaluation.gating.verdict import GateCheck, GateReport
from engram_lab.evaluation.statistics.contrast import Comparison, Contrast, Moved

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "GATE_FILE",
    "changed_since_gate",
    "read_gate_report",
    "report_as_json",
    "write_gate_report",
]

GATE_FILE: Final = "gate.json"

_FORMAT: Final = "engram-gate"
_VERSION: Final = 1
_ADVICE: Final = "judge the run again with `engram eval gate`"

_T = TypeVar("_T", Contrast, Moved)


def report_as_json(report: GateReport) -> dict[str, Any]:
    """Return a report as JSON has it: its verdict, every check with its figures, what moved."""
    content: dict[str, Any] = plain(
        {
            "verdict": report.verdict,
            "verdicts": {name: report.verdict_of(name) for name in report.systems},
            "suite": report.suite,
            "checks": [asdict(each) for each in report.checks],
            "comparisons": {name: asdict(each) for name, each in report.comparisons.items()},
            "baseline": report.baseline,
            "skipped": report.skipped,
            "incomparable": report.incomparable,
        }
    )
    return content


def write_gate_report(report: GateReport, folder: str | os.PathLike[str]) -> Path:
    """Write `gate.json` into the folder of a run, with the checksums of what was judged.

    Raises:
        InvalidRunError: The folder holds no results.
    """
    place = Path(folder)
    try:
        judged = {name: file_sha256(place / name) for name in JUDGED}
    except OSError as error:
        raise InvalidRunError(f"the results cannot be read ({error})", file=str(place)) from None
    content = {
        "format": _FORMAT,
        "version": _VERSION,
        **report_as_json(report),
        "judged": judged,
    }
    write_sealed(place / GATE_FILE, content)
    return place / GATE_FILE


def read_gate_report(folder: str | os.PathLike[str]) -> GateReport:
    """Return the verdict that lies in the folder of a run.

    Raises:
        InvalidRunError: There is none, or it is damaged, of another version, or was edited by hand.
    """
    file = Path(folder) / GATE_FILE
    content = _content(file)
    try:
        report = GateReport(
            suite=content["suite"],
            checks=tuple(_check(each) for each in content["checks"]),
            comparisons={name: _comparison(each) for name, each in content["comparisons"].items()},
            baseline=content["baseline"],
            skipped=content["skipped"],
            incomparable=content["incomparable"],
        )
    except (AttributeError, KeyError, TypeError) as error:
        raise InvalidRunError(
            f"the verdict lacks a part ({error}): {_ADVICE}", file=str(file)
        ) from None
    return report


def changed_since_gate(folder: str | os.PathLike[str]) -> tuple[str, ...]:
    """Return the names of results that are not those which the verdict was given over.

    Raises:
        InvalidRunError: See `read_gate_report`.
    """
    place = Path(folder)
    judged: Mapping[str, str] = _content(place / GATE_FILE)["judged"]
    return tuple(
        name
        for name in JUDGED
        if not (place / name).is_file() or file_sha256(place / name) != judged.get(name)
    )


def _content(file: Path) -> dict[str, Any]:
    return read_sealed(file, kind="verdict", format=_FORMAT, version=_VERSION, advice=_ADVICE)


def _check(content: Mapping[str, Any]) -> GateCheck:
    contrast = content["contrast"]
    given = None if contrast is None else _with_nan(Contrast, contrast)
    return GateCheck(**{**content, "contrast": given})


def _comparison(content: Mapping[str, Any]) -> Comparison:
    return Comparison(
        **{
            **content,
            "contrasts": tuple(_with_nan(Contrast, each) for each in content["contrasts"]),
            "moved": tuple(_with_nan(Moved, each) for each in content["moved"]),
            "warnings": tuple(content["warnings"]),
        }
    )


def _with_nan(kind: type[_T], content: Mapping[str, Any]) -> _T:
    """Return the record of its fields, where null stands for what is no number."""
    numbers = {each.name for each in fields(kind) if each.type == "float"}
    given: dict[str, Any] = {
        name: math.nan if value is None and name in numbers else value
        for name, value in content.items()
    }
    return kind(**given)
