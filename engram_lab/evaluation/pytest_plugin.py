"""A gate inside your own tests: pytest fails where retrieval got worse.

    def test_recall_is_no_worse(engram_gate):
        engram_gate(suite="tiny", system="bm25", baseline="evals/baselines/tiny.json")

    @pytest.mark.engram_gate(suite="tiny", system="memory.yaml", baseline="baselines/tiny.json")
    def test_our_configuration(): ...

A data set that is not on the machine skips the test, with the reason.
`pytest --engram-update-baseline --engram-reason "…"` writes the baselines instead of being judged
by them. In GitHub Actions each verdict is appended to the summary of the step.

pytest loads this module in every project where the package is installed, so what is heavy is
imported when a gate is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from engram_lab.evaluation.gating.verdict import GateReport
    from engram_lab.evaluation.runs.results import RunFolder
    from engram_lab.evaluation.suite import GateRules, Suite
    from engram_lab.evaluation.systems import SystemSpec

__all__ = ["engram_gate"]

_MARK: Final = "engram_gate"
_MOST: Final = 20
"""Newly failed queries that a failure lists."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("engram", "gates of retrieval")
    group.addoption(
        "--engram-update-baseline",
        action="store_true",
        help="write the baselines of all gates instead of being judged by them",
    )
    group.addoption("--engram-reason", metavar="TEXT", help="why the baselines are replaced")
    group.addoption(
        "--engram-out", metavar="DIR", help="keep the folders of results here, to be looked at"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker, and refuse an update without a reason."""
    config.addinivalue_line(
        "markers",
        f"{_MARK}(suite, system, baseline, data=None, guards=True, **rules): fail where retrieval "
        "is worse than its baseline",
    )
    if config.getoption("--engram-update-baseline"):
        if not (config.getoption("--engram-reason") or "").strip():
            raise pytest.UsageError("--engram-update-baseline needs --engram-reason: say why")
        if hasattr(config, "workerinput"):
            raise pytest.UsageError(
                "--engram-update-baseline writes files that the workers of pytest-xdist would take "
                "from each other: run with -n 0"
            )
    config.stash[_GATES] = _Gates(config)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Give a marked test the fixture, whether or not it names it."""
    names = getattr(item, "fixturenames", None)
    if names is not None and item.get_closest_marker(_MARK) and _MARK not in names:
        names.append(_MARK)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> None:
    """Judge a marked test before its body runs."""
    for mark in pyfuncitem.iter_markers(_MARK):
        if mark.args:
            raise pytest.UsageError(
                f"{pyfuncitem.nodeid}: name what @pytest.mark.{_MARK} is given, as in suite='tiny'"
            )
        judge: Any = pyfuncitem.funcargs[_MARK]
        judge(**mark.kwargs)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say the verdict of each gate in a line."""
    said = config.stash[_GATES].said
    if said:
        terminalreporter.section("engram gates")
        for line in said:
            terminalreporter.line(line)


@pytest.fixture
def engram_gate(request: pytest.FixtureRequest) -> Callable[..., GateReport]:
    """Judge a system: `engram_gate(suite=, system=, baseline=, data=None, guards=True, **rules)`.

    `suite` and `system` are names, files, or values of `Suite` and `SystemSpec`; paths are from the
    root of the project; `rules` replace those of the suite, as in `margin=0.02`. The test fails
    where the system is worse or cannot be compared. A run is made once in a session. Guards take
    some seconds.
    """
    gates = request.config.stash[_GATES]
    folders: pytest.TempPathFactory = request.getfixturevalue("tmp_path_factory")

    def judge(**asked: Any) -> GateReport:
        return gates.judge(request.node, folders, **asked)

    return judge


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asked:
    """What is to be run."""

    suite: Suite
    system: SystemSpec
    data: Path | None
    guards: bool

    @property
    def name(self) -> str:
        return f"{self.suite.id}-{self.system.name}"


@dataclass(frozen=True, slots=True)
class _Gates:
    """The gates of one session."""

    config: pytest.Config
    runs: dict[str, RunFolder] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    written: set[str] = field(default_factory=set)

    def judge(
        self,
        node: pytest.Item,
        folders: pytest.TempPathFactory,
        *,
        suite: str | Suite = "tiny",
        system: str | SystemSpec = "bm25",
        baseline: str | Path,
        data: str | Path | None = None,
        guards: bool = True,
        **rules: Any,
    ) -> GateReport:
        """Return what the gate found; fail or skip the test where it did not pass."""
        from engram_lab.core.errors import DatasetMissingError, EngramError
        from engram_lab.evaluation.suites import load_suite
        from engram_lab.evaluation.systems import load_system

        try:
            asked = _Asked(
                suite=load_suite(self._place(suite)) if isinstance(suite, str) else suite,
                system=load_system(self._place(system)) if isinstance(system, str) else system,
                data=None if data is None else self.config.rootpath / data,
                guards=guards,
            )
            chosen = _rules(asked.suite, rules)
            run = self._run(asked, folders)
            report = self._report(run, asked, self.config.rootpath / baseline, chosen)
        except DatasetMissingError as error:
            raise pytest.skip.Exception(str(error)) from None
        except EngramError as error:
            said = f"the gate cannot be asked: {error}"
            raise pytest.fail.Exception(said, pytrace=False) from None
        self._tell(node, report, asked)
        if report.verdict != "pass":
            pytest.fail(_message(report, run), pytrace=False)
        return report

    def _place(self, name: str) -> str:
        """Return a name as it is, or the path of a file that it names from the root."""
        file = self.config.rootpath / name
        return str(file) if file.suffix and file.is_file() else name

    def _run(self, asked: _Asked, folders: pytest.TempPathFactory) -> RunFolder:
        key = repr(asked)
        if key not in self.runs:
            from engram_lab.evaluation.running.evaluate import run_suite

            self.runs[key] = run_suite(
                asked.suite,
                [asked.system],
                out=self._folder(asked.name, folders),
                data=asked.data,
                fresh=True,
                guards=asked.guards,
                command=_command(self.config),
            )
        return self.runs[key]

    def _folder(self, name: str, folders: pytest.TempPathFactory) -> Path:
        """Return an empty folder for a run."""
        kept = self.config.getoption("--engram-out")
        if kept is None:
            return folders.mktemp(f"engram-{name}")
        taken = {each.path for each in self.runs.values()}
        names = [name, *(f"{name}-{number}" for number in range(2, len(taken) + 2))]
        return next(place for each in names if (place := Path(kept) / each) not in taken)

    def _report(
        self, run: RunFolder, asked: _Asked, baseline: Path, rules: GateRules
    ) -> GateReport:
        from engram_lab.core.errors import InvalidInputError
        from engram_lab.evaluation.gating.gate import judge
        from engram_lab.evaluation.gating.gate_file import write_gate_report

        if self.config.getoption("--engram-update-baseline"):
            self._write(run, asked, baseline)
        elif not baseline.is_file():
            raise InvalidInputError(
                f"there is no baseline {baseline}: bring it back, or write one with "
                "pytest --engram-update-baseline --engram-reason TEXT"
            )
        system = asked.system.name
        report = judge(run, baseline, rules, systems=[system], apart=asked.suite.apart)
        write_gate_report(report, run.path)
        return report

    def _write(self, run: RunFolder, asked: _Asked, baseline: Path) -> None:
        """Put a run in the place of a baseline, once in a session."""
        from engram_lab.core.clock import SystemClock
        from engram_lab.evaluation.gating.baseline import update_baseline

        if (key := f"{baseline} {asked!r}") in self.written:
            return
        update_baseline(
            baseline,
            run,
            reason=self.config.getoption("--engram-reason"),
            clock=SystemClock(),
            command=_command(self.config),
            other_data=True,
        )
        self.written.add(key)
        self.said.append(f"{baseline}: {asked.name} is the baseline now")

    def _tell(self, node: pytest.Item, report: GateReport, asked: _Asked) -> None:
        """Note the verdict where people and CI look."""
        from engram_lab.evaluation.reports.github import append_summary

        append_summary(report)
        node.user_properties.append((f"{_MARK} {asked.name}", report.verdict))
        counted = {
            status: sum(each.status == status for each in report.checks)
            for status in ("pass", "fail", "skip")
        }
        counts = ", ".join(f"{count} {status}" for status, count in counted.items() if count)
        self.said.append(f"{asked.name}: {report.verdict} ({counts or 'no check'})")


_GATES: Final = pytest.StashKey[_Gates]()


def _rules(suite: Suite, given: Mapping[str, Any]) -> GateRules:
    from dataclasses import fields, replace

    from engram_lab.core.errors import InvalidInputError

    known = sorted(each.name for each in fields(suite.gate))
    if strange := sorted(set(given) - set(known)):
        raise InvalidInputError(
            f"{strange[0]!r} is no rule of a gate: known are {', '.join(known)}"
        )
    return replace(suite.gate, **given)


def _command(config: pytest.Config) -> str:
    return " ".join(["pytest", *config.invocation_params.args])


def _message(report: GateReport, run: RunFolder) -> str:
    """Return what a person needs to see of a failure."""
    lines = [f"retrieval gate of {report.suite}: {report.verdict}"]
    lines += [f"  {each.said}" for each in report.failed]
    lines += [f"  {name}: {why}" for name, why in report.incomparable.items()]
    if report.verdict == "incomparable":
        lines += [f"  {each.name}: {each.said}" for each in report.checks if each.status == "skip"]
    lines += [f"  {name}: {why}" for name, why in report.warnings.items()]
    texts = dict(run.queries.select("query_id", "text").iter_rows())
    for comparison in report.comparisons.values():
        lost = [each for each in comparison.moved if each.newly_failed]
        if lost:
            lines.append(f"{len(lost)} newly failed, by {lost[0].measure}:")
        lines += [
            f"  {each.query_id} ({each.category or 'no category'}) {each.before:.3f} → "
            f"{each.after:.3f}: {texts.get(each.query_id, '')}"
            for each in lost[:_MOST]
        ]
        if len(lost) > _MOST:
            lines.append(f"  and {len(lost) - _MOST} more")
    lines.append(f"results: {run.path}")
    return "\n".join(lines)
