"""`engram backup create|verify|restore`, `engram doctor` and `engram cleanup`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engram_lab.cli.common import (
    AsJson,
    ConfigFile,
    Database,
    Settings,
    load,
    open_engine,
    print_json,
    progress_bar,
    say,
)
from engram_lab.core.copies import restore_backup, verify_backup

if TYPE_CHECKING:
    from engram_lab.core.reports import BackupReport

__all__ = ["add_to"]

backup = typer.Typer(help="Copies of the database: make, verify, bring back.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(backup, name="backup")
    app.command("doctor")(doctor)
    app.command("cleanup")(cleanup)


@backup.command()
def create(
    target: Annotated[Path, typer.Argument(help="The new file.")],
    compact: Annotated[
        bool, typer.Option("--compact", help="Leave out free pages (holds up writers meanwhile).")
    ] = False,
    db: Database = None,
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Copy the database while it is in use, and verify the copy."""
    with open_engine(db, config, settings) as engine, progress_bar("pages") as show:
        report = engine.backup(target, compact=compact, progress=show)
    _tell(report, as_json=as_json)


@backup.command()
def verify(
    file: Annotated[Path, typer.Argument(help="A backup.")], as_json: AsJson = False
) -> None:
    """Check a backup: its pages, its schema, what it holds."""
    _tell(verify_backup(file), as_json=as_json)


@backup.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A backup.")],
    db: Database = None,
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Put a backup in the place of the database, which is kept beside it."""
    target = Path(load(db, config, settings).config.store.path).expanduser()
    report = restore_backup(file, target)
    if as_json:
        print_json(report)
        return
    say(f"{report.path} is now the backup {file}")
    if report.kept is not None:
        say(f"the file that was there is kept as {report.kept}")


def _tell(report: BackupReport, *, as_json: bool) -> None:
    if as_json:
        print_json(report)
        return
    counts = ", ".join(f"{count} {name}" for name, count in report.counts.items() if count)
    say(f"{report.path} verifies: {report.size_bytes} bytes, schema {report.schema}, {counts}")
    say(f"sha256 {report.sha256}")


def doctor(
    repair: Annotated[
        bool, typer.Option("--repair", help="Rebuild what is derived; memories are not touched.")
    ] = False,
    db: Database = None,
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Check the database: pages, indexes, orphans, the change log. Exit code 1 if it is ill."""
    with open_engine(db, config, settings) as engine:
        found = engine.store.doctor.repair() if repair else engine.store.doctor.examine()
    if as_json:
        print_json(found)
    else:
        for each in found:
            say(f"{'ok ' if each.ok else 'ILL'}  {each.name}: {each.detail}")
    if not all(each.ok for each in found):
        raise typer.Exit(1)


def cleanup(
    db: Database = None,
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Purge what has expired, and carry out the policies of the workspaces."""
    with open_engine(db, config, settings) as engine:
        report = engine.clean_up()
    if as_json:
        print_json(report)
    else:
        say(
            f"{report.expired} expired and were purged; {report.aged_out} too old and "
            f"{report.over_limit} over the limit were forgotten"
        )
