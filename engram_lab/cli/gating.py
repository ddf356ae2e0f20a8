"""`engram eval compare`, `gate` and `report`, and `engram promote`."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from engram_lab.cli.evaluating import NOTHING
from engram_lab.cli.options import AsJson
from engram_lab.cli.printing import print_json, say, show
from engram_lab.core.errors import IncomparableError, InvalidInputError

if TYPE_CHECKING:
    from engram_lab.evaluation.gating.verdict import GateReport
    from engram_lab.evaluation.suite import GateRules

__all__ = ["add_to"]

Run = Annotated[
    Path, typer.Option("--run", metavar="DIR", help="The folder that `engram eval run` wrote.")
]
Side = Annotated[
    str, typer.Argument(metavar="DIR[:SYSTEM]", help="A folder of results, or a baseline's file.")
]
Report = Annotated[
    Path | None, typer.Option("--report", metavar="FILE", help="Also write the HTML report.")
]

JUnit = Annotated[
    Path | None, typer.Option("--junit", metavar="FILE", help="Also write JUnit XML.")
]
Summary = Annotated[
    Path | None,
    typer.Option("--summary", metavar="FILE", help="Else GITHUB_STEP_SUMMARY, where it is set."),
]
OtherData = Annotated[
    bool,
    typer.Option(
        "--other-data", help="With --update-baseline: replace one of other data or questions, too."
    ),
]


def add_to(evaluation: typer.Typer, app: typer.Typer) -> None:
    """Add these commands to `engram eval`, and one to `engram`."""
    for command in (compare, gate, report):
        evaluation.command(command.__name__)(command)
    app.command("promote")(promote)


def compare(
    a: Side,
    b: Side,
    measures: Annotated[
        list[str] | None,
        typer.Option(
            "--measure", metavar="NAME", help="May be given again; else those of the suite's gate."
        ),
    ] = None,
    report: Report = None,
    limit: Annotated[
        int, typer.Option("--moved", metavar="N", help="How many of the queries that moved.")
    ] = 10,
    as_json: AsJson = False,
) -> None:
    """Test B against A, query by query; which won is for you to say."""
    from engram_lab.evaluation.gating.sides import compare_sides, side
    from engram_lab.evaluation.reports.html import write_report
    from engram_lab.evaluation.reports.terminal import comparison_table

    first, second = side(a), side(b)
    try:
        found = compare_sides(first, second, measures=measures or ())
    except IncomparableError as error:
        _incomparable(error)
    if report is not None:
        if second.folder is None:
            raise InvalidInputError(f"{b} is a baseline: a report is written of a run, given last")
        write_report(second.folder, report, comparison=found)
    if as_json:
        print_json(found)
    else:
        queries = None if second.folder is None else second.folder.queries
        show(comparison_table(found, queries=queries, limit=limit))


def gate(
    run: Run,
    baseline: Annotated[
        Path, typer.Option("--baseline", metavar="FILE", help="What it must not be worse than.")
    ],
    systems: Annotated[
        list[str] | None,
        typer.Option("--system", metavar="NAME", help="These alone; may be given again."),
    ] = None,
    margin: Annotated[
        float | None, typer.Option("--margin", help="The largest mean loss that is accepted.")
    ] = None,
    category_margin: Annotated[
        float | None, typer.Option("--category-margin", help="Likewise in one category.")
    ] = None,
    alpha: Annotated[float | None, typer.Option("--alpha", help="Level of the whole gate.")] = None,
    junit: JUnit = None,
    summary: Summary = None,
    report: Report = None,
    update: Annotated[
        bool, typer.Option("--update-baseline", help="Put this run in its place; say why.")
    ] = False,
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="TEXT", help="Why the baseline is replaced.")
    ] = None,
    other_data: OtherData = False,
    as_json: AsJson = False,
) -> None:
    """Refuse a run that is worse: 0 pass, 1 regression, 2 misuse, 3 nothing comparable."""
    from engram_lab.evaluation.gating.gate import EXIT, judge
    from engram_lab.evaluation.gating.gate_file import report_as_json, write_gate_report

    if update or reason is not None or other_data:
        if not update or reason is None:
            raise InvalidInputError(
                "--update-baseline and --reason go together: say why the baseline is replaced"
            )
        _update(run, baseline, reason, systems, other_data=other_data, as_json=as_json)
        return
    rules = _rules(run, margin=margin, category_margin=category_margin, alpha=alpha)
    found = judge(run, baseline, rules, systems=systems)
    write_gate_report(found, run)
    _tell(found, run, junit=junit, summary=summary, report=report)
    if as_json:
        print_json(report_as_json(found))
    else:
        from engram_lab.evaluation.reports.terminal import gate_table
        from engram_lab.evaluation.runs.results import read_results

        show(gate_table(found, queries=read_results(run).queries))
    raise typer.Exit(EXIT[found.verdict])


def report(
    run: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder that `engram eval run` wrote.")
    ],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Else DIR/report.html.")
    ] = None,
) -> None:
    """Write the report of a run as one HTML file that needs no network."""
    from engram_lab.evaluation.reports.html import write_report
    from engram_lab.evaluation.runs.results import read_results

    say(str(write_report(read_results(run), out or run / "report.html")))


def promote(
    run: Annotated[
        Path, typer.Argument(metavar="DIR", help="A run whose gate passed (`engram eval gate`).")
    ],
    system: Annotated[
        str, typer.Option("--system", metavar="NAME", help="Whose configuration is to be shipped.")
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="The bundle, such as tuned.bundle.")
    ],
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a bundle that is there.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Ship a configuration with its evidence."""
    from engram_lab.engine import read_bundle
    from engram_lab.evaluation.gating.promotion import promote as promoted

    promoted(run, system, out, overwrite=overwrite)
    if as_json:
        print_json({"bundle": str(out), **read_bundle(out).manifest})
    else:
        say(f"{out} holds the configuration of {system} with its evidence")


def _rules(run: Path, **given: float | None) -> GateRules:
    """Return the rules that the suite of a run declares, with those that were given."""
    from engram_lab.evaluation.runs.results import read_results
    from engram_lab.evaluation.suites import rules_of

    chosen = {name: value for name, value in given.items() if value is not None}
    return rules_of({**read_results(run).gate, **chosen}, where="the gate")


def _update(
    run: Path,
    baseline: Path,
    reason: str,
    systems: list[str] | None,
    *,
    other_data: bool,
    as_json: bool,
) -> None:
    from engram_lab.core.clock import SystemClock
    from engram_lab.evaluation.gating.baseline import update_baseline

    update_baseline(
        baseline,
        run,
        reason=reason,
        clock=SystemClock(),
        systems=systems,
        command=shlex.join(["engram", *sys.argv[1:]]),
        other_data=other_data,
    )
    if as_json:
        print_json({"baseline": str(baseline), "reason": reason})
    else:
        say(f"{baseline} is now what {run} measured")


def _tell(
    found: GateReport, run: Path, *, junit: Path | None, summary: Path | None, report: Path | None
) -> None:
    """Write what was asked for besides the answer on the terminal."""
    if junit is not None:
        from engram_lab.evaluation.reports.junit import write_junit

        write_junit(found, junit)
    from engram_lab.evaluation.reports.github import append_summary
    from engram_lab.evaluation.runs.results import read_results

    folder = read_results(run)
    texts = dict(folder.queries.select("query_id", "text").iter_rows())
    environ = None if summary is None else {"GITHUB_STEP_SUMMARY": str(summary)}
    append_summary(found, texts=texts, environ=environ)
    if report is not None:
        from engram_lab.evaluation.reports.html import write_report

        write_report(folder, report, gate=found)


def _incomparable(error: IncomparableError) -> NoReturn:
    print(f"engram: {error}", file=sys.stderr)
    raise typer.Exit(NOTHING)
