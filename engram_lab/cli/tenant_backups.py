"""`engram tenant backup`, `backups`, `verify`, `restore`, `drill`, `prune`, `rekey`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from engram_lab.cli.options import AsJson, ConfigFile, Settings
from engram_lab.cli.printing import bars, counted, former, print_json, print_rows, say
from engram_lab.cli.serving import operating
from engram_lab.cli.tenants import Data, Slug, tenant, tenant_of
from engram_lab.core.errors import ConfigError
from engram_lab.core.progress import task

if TYPE_CHECKING:
    from collections.abc import Callable

    from engram_lab.core.progress import Task
    from engram_lab.serve.backups import TenantBackups
    from engram_lab.serve.making import Making

__all__ = ["add_to"]

Name = Annotated[str, typer.Argument(metavar="BACKUP", help="As `engram tenant backups` lists it.")]


def add_to(_: typer.Typer) -> None:
    """Add these commands to `engram tenant`."""
    for command in (backup, backups, verify, restore, drill, prune, rekey):
        tenant.command()(command)


def _kept(made: Making) -> TenantBackups:
    if made.backups is None:
        raise ConfigError(["backups.place is not set: give a folder, or s3://bucket/prefix"])
    return made.backups


def backup(
    slug: Slug,
    data: Data = None,
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Copy a tenant's database, sealed, while it is in use."""
    from engram_lab.serve.backups.watch import Watch

    telling = task("backing up", progress=bars())
    with telling as counting, operating(data, config, settings) as made:
        found, kept = tenant_of(made, slug), _kept(made)
        with made.pool.lease(found, quiet=True) as engine:
            new = kept.make(found.id, engine, watch=Watch(progress=_steps(counting)))
        made.note("backup.make", found, target=new.backup.name)
    if as_json:
        print_json(new.backup)
    else:
        say(f"kept {new.backup.name} ({new.backup.size_bytes:,} bytes, {new.seconds:.1f} s)")


def backups(
    slug: Slug,
    data: Data = None,
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """List the backups of a tenant, the newest first."""
    with operating(data, config, settings) as made:
        found = _kept(made).all(tenant_of(made, slug).id)
    if as_json:
        print_json(found)
        return
    rows = [
        (
            each.name,
            each.made_at.isoformat(" ", "seconds"),
            f"{each.size_bytes / 1e6:.1f}",
            "-" if each.verified_at is None else each.verified_at.isoformat(" ", "seconds"),
        )
        for each in found
    ]
    head = ("backup", "made", "MB", "read back")
    print_rows(rows, head=head) if rows else say(f"none yet: `engram tenant backup {slug}`")


def verify(
    slug: Slug,
    name: Name,
    data: Data = None,
    config: ConfigFile = None,
    settings: Settings = None,
) -> None:
    """Read a backup back, unseal it, and check it."""
    with operating(data, config, settings) as made:
        found = tenant_of(made, slug)
        _kept(made).verify(found.id, name)
        made.note("backup.verify", found, target=name)
    say(f"{name} is sound")


def restore(
    slug: Slug,
    name: Name,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Put it in the place of the database that is there."),
    ] = False,
    data: Data = None,
    config: ConfigFile = None,
    settings: Settings = None,
) -> None:
    """Put a backup in place.

    Suspend the tenant first, so that the server lets go of its database.
    """
    with operating(data, config, settings) as made:
        found = tenant_of(made, slug)
        made.places.make(found.id)
        done = _kept(made).restore(found.id, name, made.places.database(found.id), replace=replace)
        made.note("backup.restore", found, target=name)
    kept = "" if done.kept is None else f"; what was there is now {done.kept}"
    say(f"restored {name} in {done.seconds:.1f} s{kept}")


def drill(
    slug: Slug,
    data: Data = None,
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Rehearse a restore of the newest backup, elsewhere."""
    from engram_lab.engine import Engine

    with operating(data, config, settings) as made:
        found = tenant_of(made, slug)
        served = made.configurations.of(found)
        report = _kept(made).drill(
            found.id, lambda path: Engine.open(path, config=served.config, clock=made.clock)
        )
    if as_json:
        print_json(report)
    else:
        told: dict[str, Any] = {
            "backup": report.name,
            "would lose": f"{report.age_s:,.0f} s of work",
            "would take": f"{report.seconds:.2f} s until questions are answered",
            "holds": counted(former(report.counts)),
            "compared with their hashes": f"{report.checked:,} memories",
        }
        print_rows([(name, str(value)) for name, value in told.items()])
        for each in report.problems:
            say(f"wrong: {each}")
    if not report.ok:
        raise typer.Exit(1)


def prune(
    slug: Slug,
    data: Data = None,
    config: ConfigFile = None,
    settings: Settings = None,
) -> None:
    """Remove the oldest backups, so that `backups.keep` stay."""
    with operating(data, config, settings) as made:
        found = tenant_of(made, slug)
        gone = _kept(made).prune(found.id)
        if gone:
            made.note("backup.prune", found, removed=len(gone))
    say(f"removed {len(gone)}" if gone else "nothing to remove")


def rekey(
    data: Data = None,
    config: ConfigFile = None,
    settings: Settings = None,
) -> None:
    """Seal backups with a new key from now on.

    The old ones stay in the file, to open old backups.
    """
    with operating(data, config, settings) as made:
        kept = _kept(made)
        new = kept.key_file.rotate(made.clock.now())
        where = kept.key_file.path
        made.note("backup.rekey", None, target=new.id)
    say(f"backups are sealed with the key {new.id} from now on: keep a copy of {where} elsewhere")


def _steps(counting: Task) -> Callable[[str, int, int], None]:
    return lambda _step, done, total: counting.reach(done, total)
