"""The verdict of a gate, check by check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from engram_lab.core.brief import brief, counted
from engram_lab.evaluation.statistics.contrast import Comparison, Contrast  # noqa: TC001 - read back

__all__ = ["GateCheck", "GateReport", "Status", "Verdict"]

Status = Literal["pass", "fail", "skip"]
Verdict = Literal["pass", "regression", "incomparable"]


@dataclass(frozen=True, kw_only=True, slots=True)
class GateCheck:
    """One thing that a gate demands of a system.

    Attributes:
        system: Whose.
        name: A measure, or what is exact, such as `forbidden hits`.
        group: A category, or `suite.HEADLINE`.
        kind: `statistical`: a loss fails where it is significant and beyond the margin. `exact`:
            one is too many.
        status: `skip` where nothing could be judged; that is no pass and no failure.
        said: One sentence for a person: what was found, what is allowed.
        margin: See `GateRules`; None for what is exact.
        contrast: The figures, for what is statistical.
    """

    system: str
    name: str
    group: str
    kind: Literal["statistical", "exact"]
    status: Status
    said: str
    margin: float | None = None
    contrast: Contrast | None = None


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class GateReport:
    """What a gate found.

    Attributes:
        suite: Name of the suite.
        checks: In the order of systems, exact ones first.
        comparisons: By system: baseline is A, the run is B.
        baseline: Provenance of the baseline.
        skipped: Systems that the gate was not asked about, each with the reason: new ones, which
            the baseline has not, and those that were not run.
        incomparable: Systems that were to be judged and could not be, each with the reason.
    """

    suite: str
    checks: tuple[GateCheck, ...]
    comparisons: Mapping[str, Comparison] = field(default_factory=dict)
    baseline: Mapping[str, Any] = field(default_factory=dict)
    skipped: Mapping[str, str] = field(default_factory=dict)
    incomparable: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        checks = counted(len(self.checks), "check")
        systems = ", ".join(self.systems)
        return brief(self, self.verdict, f"{len(self.failed)} of {checks} failed", systems)

    @property
    def systems(self) -> tuple[str, ...]:
        """The systems that were judged, or were to be."""
        return tuple(dict.fromkeys([*(each.system for each in self.checks), *self.incomparable]))

    @property
    def failed(self) -> tuple[GateCheck, ...]:
        """The checks that failed."""
        return tuple(each for each in self.checks if each.status == "fail")

    @property
    def warnings(self) -> dict[str, str]:
        """By system, why a pass of it says nothing: its comparison could not have failed."""
        return {name: each.warnings[0] for name, each in self.comparisons.items() if each.blind}

    @property
    def verdict(self) -> Verdict:
        """`regression` where a check failed, else `incomparable` where a system was not judged.

        A report over no system is incomparable too.
        """
        found = {self.verdict_of(system) for system in self.systems}
        if "regression" in found:
            return "regression"
        return "pass" if found == {"pass"} else "incomparable"

    def verdict_of(self, system: str) -> Verdict:
        """Return the verdict over one system.

        What is exact does not stand in for a comparison: where measures were to be tested, at least
        one of them must have been.
        """
        checks = [each for each in self.checks if each.system == system]
        if any(each.status == "fail" for each in checks):
            return "regression"
        counted = [each for each in checks if each.kind == "statistical"] or checks
        judged = any(each.status == "pass" for each in counted)
        return "pass" if judged and system not in self.incomparable else "incomparable"
