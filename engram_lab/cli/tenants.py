"""`engram tenant`: make, list, suspend, move, back up and remove the tenants of a server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engram_lab.cli.common import at_home
from engram_lab.cli.options import AsJson, ConfigFile, Settings
from engram_lab.cli.printing import bars, counted, former, print_json, print_rows, say
from engram_lab.cli.serving import operating
from engram_lab.core.errors import InvalidInputError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engram_lab.serve.control.records import Tenant
    from engram_lab.serve.making import Making

__all__ = ["Data", "Slug", "add_to", "tenant_of"]

tenant = typer.Typer(help="The tenants of a server.", no_args_is_help=True)

Slug = Annotated[str, typer.Argument(metavar="TENANT", help="Its name, as in the host.")]
Data = Annotated[
    str | None, typer.Option("--data", metavar="FOLDER", help="Of the server; else tenancy.data.")
]
_MONTH = 30


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(tenant, name="tenant")


def tenant_of(made: Making, slug: str) -> Tenant:
    """Return the tenant of a name."""
    found = made.plane.tenant_by_slug(slug)
    if found is None:
        raise NotFoundError(f"there is no tenant {slug!r}: `engram tenant list` shows them")
    return found


@tenant.command()
def create(
    slug: Slug,
    name: Annotated[str | None, typer.Option(metavar="TEXT", help="For people.")] = None,
    plan: Annotated[str, typer.Option(metavar="PLAN", help="free, pro, team, dedicated.")] = "free",
    owner: Annotated[
        str | None, typer.Option(metavar="SUB", help="The `sub` of its owner's tokens.")
    ] = None,
    email: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Of the owner.")] = None,
    data: Data = None,
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Make a tenant, with an empty database."""
    with operating(data, config, settings) as made:
        found = made.estate.provision(
            slug,
            name=name,
            plan=plan,  # type: ignore[arg-type]  # an unknown one is refused
            owner=owner,
            email=email,
        )
        made.note("tenant.create", found.tenant, plan=found.tenant.plan, owner=owner)
    if as_json:
        print_json(found.tenant)
    else:
        say(f"made the tenant {slug}; `engram key create {slug}` makes its first key")


@tenant.command("list")
def list_(
    data: Data = None,
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """List all tenants."""
    with operating(data, config, settings) as made:
        found = made.plane.as_operator().tenants()
        sizes = {each.id: made.places.size(each.id) for each in found}
    if as_json:
        print_json(found)
        return
    head = ("tenant", "state", "plan", "bundle", "MB", "since")
    rows = [
        (
            each.slug,
            each.state,
            each.plan,
            each.bundle or "-",
            f"{sizes[each.id] / 1e6:.1f}",
            each.created_at.date().isoformat(),
        )
        for each in found
    ]
    print_rows(rows, head=head) if rows else say("no tenants: `engram tenant create NAME`")


@tenant.command()
def show(
    slug: Slug,
    data: Data = None,
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Show a tenant: what it holds, and what it used this month."""
    from datetime import timedelta

    with operating(data, config, settings) as made:
        found = tenant_of(made, slug)
        today = made.clock.now().date()
        days = made.plane.within(found.id).usage(today - timedelta(days=_MONTH), today)
        told: dict[str, Any] = {
            **{name: getattr(found, name) for name in ("id", "slug", "name", "state", "plan")},
            "memories": made.configurations.memories(found.id),
            "storage_bytes": made.places.size(found.id),
            "api_calls": sum(each.api_calls for each in days),
            "searches": sum(each.searches for each in days),
            "memories_created": sum(each.memories_created for each in days),
        }
    print_json(told) if as_json else print_rows([(k, str(v)) for k, v in told.items()])


@tenant.command()
def suspend(
    slug: Slug, data: Data = None, config: ConfigFile = None, settings: Settings = None
) -> None:
    """Let nobody in; everything stays."""
    with operating(data, config, settings) as made:
        found = tenant_of(made, slug)
        _note_change(made, found, made.estate.suspend(found.id))
    say(f"suspended {slug}: `engram tenant resume {slug}` lets people in again")


@tenant.command()
def resume(
    slug: Slug, data: Data = None, config: ConfigFile = None, settings: Settings = None
) -> None:
    """Let people in again, if it was not purged yet."""
    with operating(data, config, settings) as made:
        found = tenant_of(made, slug)
        _note_change(made, found, made.estate.resume(found.id))
    say(f"{slug} is active")


@tenant.command()
def change(
    slug: Slug,
    plan: Annotated[
        str | None, typer.Option(metavar="PLAN", help="What holds from now on.")
    ] = None,
    name: Annotated[str | None, typer.Option(metavar="TEXT", help="For people.")] = None,
    bundle: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="What answers it, as `engram serve` names it; - is none."
        ),
    ] = None,
    data: Data = None,
    config: ConfigFile = None,
    settings: Settings = None,
) -> None:
    """Change a tenant's plan or name, or the bundle that answers it."""
    from engram_lab.serve.control.records import PLANS

    if plan is not None and plan not in PLANS:
        raise InvalidInputError(f"--plan is {plan!r}: allowed are {', '.join(PLANS)}")
    with operating(data, config, settings) as made:
        found = former = tenant_of(made, slug)
        operator = made.plane.as_operator()
        if plan is not None or name is not None:
            found = operator.update_tenant(found.id, plan=plan, name=name)
        if bundle is not None:
            found = operator.assign_bundle(found.id, None if bundle == "-" else bundle)
        _note_change(made, former, found)
    say(f"{slug}: plan {found.plan}, bundle {found.bundle or '-'}")
    if found.bundle is not None and found.bundle != former.bundle:
        say(
            f"whether a server serves it is not known here: one that was not started with "
            f"`engram serve --bundle {found.bundle}=FILE` refuses every request of {slug} with "
            "503, and `/health/ready` says so"
        )


@tenant.command()
def delete(
    slug: Slug, data: Data = None, config: ConfigFile = None, settings: Settings = None
) -> None:
    """Let nobody in any more; after 30 days all that it has is removed."""
    with operating(data, config, settings) as made:
        made.note("tenant.delete", made.estate.delete(tenant_of(made, slug).id))
    say(f"deleted {slug}: `engram tenant resume {slug}` brings it back until it is purged")


@tenant.command()
def purge(
    slug: Slug,
    now: Annotated[
        bool, typer.Option("--now", help="Do not wait for the 30 days after `delete`.")
    ] = False,
    data: Data = None,
    config: ConfigFile = None,
    settings: Settings = None,
) -> None:
    """Remove a deleted tenant for good.

    Its files, its backups and its rows go; its audit stays.
    """
    with operating(data, config, settings) as made:
        found = tenant_of(made, slug)
        made.estate.purge(found.id, at_once=now)
        for chain in (found, None):  # whoever looks for it later asks the server's own
            made.note("tenant.purge", chain, target=found.id, slug=slug)
    say(
        f"purged {slug}: nothing of it is left but its audit, which `engram tenant audit "
        f"{found.id}` shows"
    )


@tenant.command()
def export(
    slug: Slug,
    path: Annotated[
        Path,
        typer.Argument(
            metavar="PATH",
            help="A .db file is a copy to the last bit; .jsonl, or a folder for Parquet.",
            callback=at_home,
        ),
    ],
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a former export.")
    ] = False,
    data: Data = None,
    config: ConfigFile = None,
    settings: Settings = None,
) -> None:
    """Take everything out of a tenant, to files of one's own."""
    from engram_lab.serve.tenants.moving import export_tenant

    with operating(data, config, settings) as made:
        found = tenant_of(made, slug)
        counts = export_tenant(made.pool, found, path, overwrite=overwrite)
        made.note("tenant.export", found)
    say(f"wrote {counted(_as_kept(counts, path)) or 'an empty store'} to {path}")


@tenant.command("import")
def import_(
    slug: Slug,
    path: Annotated[
        Path,
        typer.Argument(metavar="PATH", help="A .db file, or an export.", callback=at_home),
    ],
    data: Data = None,
    config: ConfigFile = None,
    settings: Settings = None,
) -> None:
    """Bring a database or an export into a tenant."""
    from engram_lab.serve.tenants.moving import import_tenant

    with operating(data, config, settings) as made:
        found = tenant_of(made, slug)
        counts = import_tenant(made.estate, made.pool, found, path, progress=bars())
        made.note("tenant.import", found)
    say(f"took in {counted(_as_kept(counts, path)) or 'nothing'}")


def _note_change(made: Making, former: Tenant, now: Tenant) -> None:
    from engram_lab.serve.control.records import changes

    made.note("tenant.update", now, **changes(former, now))


def _as_kept(counts: Mapping[str, int], path: Path) -> Mapping[str, int]:
    return former(counts) if path.suffix == ".db" else counts
