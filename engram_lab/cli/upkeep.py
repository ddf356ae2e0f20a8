"""`engram backup create|verify|restore`, `engram doctor` and `engram cleanup`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from engram_lab.cli.common import at_home, load, open_engine
from engram_lab.cli.options import AsJson, ConfigFile, Database, Settings
from engram_lab.cli.printing import bars, counted, former, print_checks, print_json, say
from engram_lab.core.errors import StoreCorruptError
from engram_lab.core.reports import CheckResult

if TYPE_CHECKING:
    from engram_lab.core.reports import BackupReport

__all__ = ["add_to"]

Backup = Annotated[Path, typer.Argument(metavar="FILE", help="A backup.", callback=at_home)]

_ADVICE: Final = {
    False: "`engram doctor --repair` rebuilds the indexes; a backup brings back the rest",
    True: "what is still ill cannot be rebuilt: bring back a backup with `engram backup restore`",
}

backup = typer.Typer(help="Copies of the database: make, verify, bring back.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(backup, name="backup")
    app.command("doctor")(doctor)
    app.command("cleanup")(cleanup)


@backup.command()
def create(
    target: Annotated[Path, typer.Argument(metavar="FILE", help="The new file.", callback=at_home)],
    compact: Annotated[
        bool, typer.Option("--compact", help="Leave out free pages (holds up writers meanwhile).")
    ] = False,
    db: Database = None,
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Copy the database while it is in use, and verify the copy."""
    with open_engine(db, config, settings, use="write") as engine:
        report = engine.backup(target, compact=compact, progress=bars())
    _tell(report, as_json=as_json)


@backup.command()
def verify(
    file: Backup,
    as_json: AsJson = False,
) -> None:
    """Check a backup: its pages, its schema, what it holds."""
    from engram_lab.core.copies import verify_backup

    _tell(verify_backup(file), as_json=as_json)


@backup.command()
def restore(
    file: Backup,
    db: Database = None,
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Bring back a backup; the database that it replaces is kept."""
    from engram_lab.core.copies import restore_backup

    target = at_home(Path(load(db, config, settings).config.store.path))
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
    held = counted(former(report.counts)) or "no memory"
    say(f"{report.path} is sound: {held} ({report.size_bytes:,} bytes)")
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
    """Check the database: pages, indexes, orphans, change log. Exit code 1 if it is ill."""
    try:
        with open_engine(db, config, settings, use="write") as engine:
            found = engine.store.doctor.repair() if repair else engine.store.doctor.examine()
    except StoreCorruptError as error:
        why = f"it cannot be opened: {error.__cause__ or error}"
        found, repair = [CheckResult(name="file", ok=False, detail=why)], True
    if as_json:
        print_json(found)
    else:
        print_checks(found)
    if not all(each.ok for each in found):
        if not as_json:
            say(_ADVICE[repair])
        raise typer.Exit(1)


def cleanup(
    db: Database = None,
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Purge what has expired, and carry out workspace policies."""
    with open_engine(db, config, settings, use="write") as engine:
        report = engine.clean_up()
    if as_json:
        print_json(report)
    else:
        say(
            f"{report.expired} expired and were purged; {report.aged_out} too old and "
            f"{report.over_limit} over the limit were forgotten"
        )
