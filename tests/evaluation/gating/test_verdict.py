from __future__ import annotations

import pytest

from engram_lab.evaluation.gating.verdict import GateCheck, GateReport, Status


def report(*checks: tuple[str, str, Status], incomparable: tuple[str, ...] = ()) -> GateReport:
    """Return a report of checks, each a system, a kind and a status."""
    return GateReport(
        suite="s",
        checks=tuple(
            GateCheck(
                system=system,
                name="n",
                group="",
                kind="exact" if kind == "exact" else "statistical",
                status=status,
                said="",
            )
            for system, kind, status in checks
        ),
        incomparable=dict.fromkeys(incomparable, "why"),
    )


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        (report(), "incomparable"),
        (report(("a", "statistical", "pass")), "pass"),
        (report(("a", "statistical", "pass"), ("a", "statistical", "skip")), "pass"),
        (report(("a", "statistical", "pass"), ("a", "statistical", "fail")), "regression"),
        (report(("a", "statistical", "skip")), "incomparable"),
        # What is exact does not stand in for a comparison that could not be made …
        (report(("a", "exact", "pass"), ("a", "statistical", "skip")), "incomparable"),
        # … but is enough where no measure was to be tested, and a failure always counts.
        (report(("a", "exact", "pass")), "pass"),
        (report(("a", "exact", "skip")), "incomparable"),
        (report(("a", "exact", "fail"), ("a", "statistical", "skip")), "regression"),
        (report(("a", "exact", "fail"), ("a", "statistical", "pass")), "regression"),
        (report(("a", "exact", "fail"), incomparable=("a",)), "regression"),
        (report(("a", "statistical", "pass"), incomparable=("b",)), "incomparable"),
        (report(("a", "statistical", "pass"), ("b", "statistical", "skip")), "incomparable"),
        (report(("a", "statistical", "fail"), incomparable=("b",)), "regression"),
        (report(("a", "statistical", "pass"), ("b", "statistical", "fail")), "regression"),
        (report(("a", "statistical", "pass"), ("b", "statistical", "pass")), "pass"),
    ],
)
def test_a_pass_needs_every_system_to_be_judged_and_none_to_fail(
    given: GateReport, verdict: str
) -> None:
    assert given.verdict == verdict


def test_each_system_has_a_verdict_of_its_own() -> None:
    given = report(
        ("a", "statistical", "pass"), ("b", "statistical", "fail"), incomparable=("c", "a")
    )

    assert given.systems == ("a", "b", "c")
    assert [given.verdict_of(each) for each in "abc"] == [
        "incomparable",
        "regression",
        "incomparable",
    ]
    assert given.verdict_of("unheard of") == "incomparable"
    assert [each.system for each in given.failed] == ["b"]
