"""`engram eval run`, `score`, `list`, `show` and `fetch`."""

from __future__ import annotations

import shlex
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn

import typer

from engram_lab.cli.options import AsJson
from engram_lab.cli.printing import bars, print_json, say, show
from engram_lab.core.errors import DatasetMissingError, InvalidInputError

if TYPE_CHECKING:
    from engram_lab.evaluation.runs.results import RunFolder
    from engram_lab.evaluation.suite import Suite
    from engram_lab.evaluation.systems import SystemSpec

__all__ = ["NOTHING", "AllowChanged", "Data", "SuiteName", "add_to", "skip", "vector_cache"]

NOTHING: Final = 3
"""The exit code where there was nothing to judge."""


def _there(path: Path | None) -> Path | None:
    """Return a path that was given, if there is anything: a slip of the pen is not skipped."""
    if path is not None and not path.exists():
        raise InvalidInputError(
            f"--data is {path}, which does not exist: give a folder or a file that does"
        )
    return path


SuiteName = Annotated[
    str, typer.Argument(metavar="SUITE", help="A name of `engram eval list`, or a TOML file.")
]
SystemNames = Annotated[
    list[str] | None,
    typer.Option(
        "--system",
        metavar="NAME",
        help="A name of `engram eval list`, a TOML file, or an engine's YAML; may be given again. "
        "`ladder`, or none at all: every one that is listed.",
    ),
]
Data = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="PATH",
        help="Where the data lie; else ENGRAM_DATA, the cache.",
        callback=_there,
    ),
]
Fresh = Annotated[
    bool, typer.Option("--fresh", help="Discard another evaluation that lies in the folder.")
]
Size = Annotated[
    int | None,
    typer.Option("--size", metavar="N", help="Of consolidation: about how many memories; 1000."),
]
Seed = Annotated[
    int | None, typer.Option("--seed", metavar="S", help="Of consolidation: which world; 0.")
]
TaskNames = Annotated[
    list[str] | None,
    typer.Option(
        "--task", metavar="NAME", help="Of consolidation: these alone; may be given again."
    ),
]
AllowChanged = Annotated[
    bool,
    typer.Option("--allow-changed", help="Take files that differ from the manifest's; recorded."),
]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (run, score, show_, fetch):
        app.command(command.__name__.rstrip("_"))(command)
    app.command("list")(list_)


def run(
    suite: SuiteName,
    systems: SystemNames = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="The folder; else runs/SUITE.")
    ] = None,
    data: Data = None,
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="FILE", help="Also write the HTML report."),
    ] = None,
    fresh: Fresh = False,
    guards: Annotated[
        bool, typer.Option("--guards/--no-guards", help="Also probe what must hold exactly.")
    ] = True,
    cache: Annotated[
        bool, typer.Option("--cache/--no-cache", help="Keep vectors from one run to the next.")
    ] = True,
    allow_changed: AllowChanged = False,
    size: Size = None,
    seed: Seed = None,
    tasks: TaskNames = None,
    as_json: AsJson = False,
) -> None:
    """Evaluate systems on a suite; an interrupted run goes on where it stopped."""
    from engram_lab.cli import benchmarking
    from engram_lab.evaluation.suites import load_suite

    made = {"--size": size, "--seed": seed, "--task": tasks or None}
    asked = {"--system": systems or None, "--data": data, "--allow-changed": allow_changed}
    known = vector_cache() if cache else None
    if benchmarking.is_benchmark(suite):
        benchmarking.refuse(asked, suite=suite)
        place = out or Path("runs") / suite
        folder = benchmarking.run_it(
            place, size=size, seed=seed, tasks=tasks or (), cache=known, fresh=fresh
        )
        benchmarking.tell(folder, place, report=report, as_json=as_json)
        return
    benchmarking.refuse(made, suite=suite)
    chosen = load_suite(suite)
    place = out or Path("runs") / chosen.id
    folder = _evaluated(
        chosen,
        systems,
        place,
        data=data,
        allow_changed=allow_changed,
        cache=known,
        fresh=fresh,
        guards=guards,
        as_json=as_json,
    )
    _show(folder, as_json=as_json)
    if report is not None:
        from engram_lab.evaluation.reports.html import write_report

        write_report(folder, report)
    if not as_json:
        also = "" if report is None else f", the report {report}"
        say(f"{place} holds the runs, the values of each query and the record{also}")


def _evaluated(
    suite: Suite, systems: list[str] | None, out: Path, *, as_json: bool, **chosen: Any
) -> RunFolder:
    """Run a suite under watching eyes; where its data are not here, that is said."""
    from engram_lab.evaluation.running.evaluate import run_suite

    try:
        return run_suite(
            suite,
            _systems(systems),
            out=out,
            progress=bars(),
            command=shlex.join(["engram", *sys.argv[1:]]),
            **chosen,
        )
    except DatasetMissingError as error:
        skip(suite.id, error, as_json=as_json)


def score(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN…", help="Run files: TREC, JSON, Parquet or JSONL.")
    ],
    qrels: Annotated[
        Path | None,
        typer.Option("--qrels", metavar="FILE", help="Judgements: TREC, BEIR's TSV, or Parquet."),
    ] = None,
    suite: Annotated[
        str | None,
        typer.Option("--suite", metavar="SUITE", help="Else the judgements of a suite."),
    ] = None,
    measures: Annotated[
        list[str] | None,
        typer.Option("--measure", metavar="NAME", help="Such as nDCG@10; may be given again."),
    ] = None,
    data: Data = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Also write a folder of results.")
    ] = None,
    fresh: Fresh = False,
    allow_changed: AllowChanged = False,
    as_json: AsJson = False,
) -> None:
    """Judge anyone's run files; no engine takes part."""
    from engram_lab.evaluation.running.judging import score_files

    try:
        results = score_files(
            runs,
            qrels=qrels,
            suite=suite,
            measures=measures or (),
            data=data,
            out=out,
            fresh=fresh,
            allow_changed=allow_changed,
            command=shlex.join(["engram", *sys.argv[1:]]),
        )
    except DatasetMissingError as error:
        skip(str(suite), error, as_json=as_json)
    if as_json:
        print_json(results)
    else:
        from engram_lab.evaluation.reports.terminal import results_table

        show(results_table(results))


def list_(as_json: AsJson = False) -> None:
    """List suites, systems and data sets, and which data are on this machine."""
    from engram_lab.cli.listing import listing, tables

    if as_json:
        print_json(listing())
    else:
        for table in tables(listing()):
            show(table)


def show_(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A suite, a system or a data set.")],
    as_json: AsJson = False,
) -> None:
    """Show what a suite, a system or a data set is."""
    from engram_lab.cli.listing import described, lines

    found = described(name)
    if as_json:
        print_json(found)
    else:
        say(lines(found))


def fetch(
    names: Annotated[list[str], typer.Argument(metavar="DATASET…", help="Which data sets.")],
    as_json: AsJson = False,
) -> None:
    """Download data sets, verify them, and keep them in ENGRAM_DATA or the cache."""
    from engram_lab.evaluation.datasets.catalogue import manifest
    from engram_lab.evaluation.datasets.fetching import fetch_dataset

    fetched: list[dict[str, Any]] = []
    for name in names:
        known = manifest(name)
        if not as_json:
            say(f"{known.title}\nlicence: {known.licence}")
        found = fetch_dataset(name, progress=bars())
        fetched.append({"dataset": name, **asdict(found), "folder": str(found.folder)})
        if not as_json:
            say(f"{name} is in {found.folder}")
            for what, sha256 in found.unpinned:
                say(f"nothing is pinned for {what}; what came has the SHA-256 {sha256}")
    if as_json:
        print_json(fetched)


def _systems(names: list[str] | None) -> tuple[SystemSpec, ...]:
    from engram_lab.evaluation.systems import LADDER, ladder, load_system

    if not names or names == [LADDER]:
        return ladder()
    if LADDER in names:
        raise InvalidInputError("--system ladder is every system: name no other beside it")
    return tuple(load_system(name) for name in names)


def vector_cache() -> Path:
    """Return the file that keeps vectors from one evaluation to the next."""
    from engram_lab.evaluation.datasets.catalogue import cache_folder

    place = cache_folder().parent / "vectors.db"
    place.parent.mkdir(parents=True, exist_ok=True)
    return place


def skip(suite: str, error: DatasetMissingError, *, as_json: bool) -> NoReturn:
    """Say that a suite was skipped, which is no score of zero and no success."""
    if as_json:
        print_json({"suite": suite, "skipped": str(error)})
    else:
        say(f"SKIPPED {suite}: {error}")
    raise typer.Exit(NOTHING)


def _show(folder: RunFolder, *, as_json: bool) -> None:
    if as_json:
        print_json(folder.results)
        return
    from engram_lab.evaluation.reports.reference import differences_of
    from engram_lab.evaluation.reports.terminal import categories_table, results_table

    show(results_table(folder.results, differences=differences_of(folder)))
    first = folder.measures[0]
    show(categories_table(folder.results, first))
