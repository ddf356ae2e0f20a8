"""The verdict of a gate as JUnit XML, which every CI system shows: a test case for each check."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from engram_lab.evaluation.formats import counted, figure
from engram_lab.evaluation.runs.files import replacing

if TYPE_CHECKING:
    from engram_lab.evaluation.gating.verdict import GateCheck, GateReport

__all__ = ["junit_xml", "write_junit"]

_MOST: Final = 50
"""Queries that one failure lists."""

_ILLEGAL: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, section 2.2."""

_COMPARED: Final = "comparison"


def junit_xml(report: GateReport) -> str:
    """Return the XML of a report: a suite for each system, a case for each check.

    A system that could not be compared is an error, one that was not asked about is skipped.
    """
    root = ET.Element("testsuites", name=_text(f"engram gate {report.suite}"))
    for system in report.systems:
        suite = ET.SubElement(root, "testsuite", name=_text(f"{report.suite}.{system}"))
        for check in report.checks:
            if check.system == system:
                _add(suite, report, check)
        if system in report.incomparable:
            case = _case(suite, report, system, _COMPARED)
            reason = _text(report.incomparable[system])
            ET.SubElement(case, "error", message=reason, type="incomparable").text = reason
        _count(suite)
    for system, reason in report.skipped.items():
        suite = ET.SubElement(root, "testsuite", name=_text(f"{report.suite}.{system}"))
        case = _case(suite, report, system, _COMPARED)
        ET.SubElement(case, "skipped", message=_text(reason))
        _count(suite)
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    root.set("time", "0")
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def write_junit(report: GateReport, path: str | os.PathLike[str]) -> None:
    """Write the XML of a report to a file; its folder is made where it is missing."""
    with replacing(Path(path)) as file:
        file.write(junit_xml(report).encode())


def _add(suite: ET.Element, report: GateReport, check: GateCheck) -> None:
    name = f"{check.name} [{check.group}]" if check.group else check.name
    case = _case(suite, report, check.system, name)
    said = _text(check.said)
    if check.status == "skip":
        ET.SubElement(case, "skipped", message=said)
    elif check.status == "fail":
        failure = ET.SubElement(case, "failure", message=said, type=check.kind)
        failure.text = _text("\n".join([check.said, *_newly_failed(report, check)]))
    else:
        ET.SubElement(case, "system-out").text = said


def _newly_failed(report: GateReport, check: GateCheck) -> list[str]:
    """Return a line for each query that a failed measure no longer finds."""
    comparison = report.comparisons.get(check.system)
    if comparison is None or check.kind != "statistical":
        return []
    lost = [
        each
        for each in comparison.moved
        if each.newly_failed
        and each.measure == check.name
        and (not check.group or each.category == check.group)
    ]
    lines = [
        f"  {each.query_id} ({each.category or 'no category'}): "
        f"{figure(each.before)} → {figure(each.after)}"
        for each in lost[:_MOST]
    ]
    if lost:
        lines.insert(0, f"{counted(len(lost), 'query', 'queries')} newly failed:")
    if len(lost) > _MOST:
        lines.append(f"  and {len(lost) - _MOST} more")
    return lines


def _case(suite: ET.Element, report: GateReport, system: str, name: str) -> ET.Element:
    place = _text(f"engram.{report.suite}.{system}")
    return ET.SubElement(suite, "testcase", classname=place, name=_text(name), time="0")


def _count(suite: ET.Element) -> None:
    suite.set("tests", str(len(suite)))
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(name, str(len(suite.findall(f"testcase/{tag}"))))
    suite.set("time", "0")


def _text(text: str) -> str:
    """Return a text without the characters that would make the whole file unreadable."""
    return _ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", text)
