"""`engram key`: make, list, rotate and revoke the keys of a tenant."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

import typer

from engram_lab.cli.options import AsJson, ConfigFile, Settings
from engram_lab.cli.printing import print_json, print_rows, say
from engram_lab.cli.serving import operating
from engram_lab.cli.tenants import Data, Slug, tenant_of
from engram_lab.core.clock import parse_time
from engram_lab.core.errors import InvalidInputError

__all__ = ["add_to"]

key = typer.Typer(help="The keys of a tenant.", no_args_is_help=True)
KeyId = Annotated[str, typer.Argument(metavar="KEY", help="The id of a key.")]
_OPERATOR = "operator"
_LONGEST_OVERLAP_S = 2_592_000


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(key, name="key")


@key.command()
def create(
    slug: Slug,
    name: Annotated[str, typer.Option(metavar="TEXT", help="For people.")] = "first",
    scopes: Annotated[
        list[str] | None,
        typer.Option(
            "--scope",
            metavar="SCOPE",
            help="memories:read, memories:write, search, admin; else all but admin.",
        ),
    ] = None,
    test: Annotated[bool, typer.Option("--test", help="A key that says test, not live.")] = False,
    expires: Annotated[
        str | None, typer.Option(metavar="TIME", help="When it ends; else never.")
    ] = None,
    data: Data = None,
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Make a key. Its secret is printed this once, alone on standard output."""
    given = scopes or ["memories:read", "memories:write", "search"]
    with operating(data, config, settings) as made:
        from engram_lab.serve.control.records import SCOPES
        from engram_lab.serve.tenants.keys import make_key

        if strange := sorted(set(given) - set(SCOPES)):
            raise InvalidInputError(f"--scope is {strange[0]!r}: allowed are {', '.join(SCOPES)}")
        found = tenant_of(made, slug)
        new = make_key(
            made.plane.within(found.id),
            made.minting,
            tenant_id=found.id,
            name=name,
            environment="test" if test else "live",
            scopes=tuple(given),  # type: ignore[arg-type]  # checked above
            created_by=_OPERATOR,
            expires_at=_moment(expires),
        )
        made.note("key.create", found, target=new.key.id, name=name, scopes=given)
    if as_json:
        print_json({"id": new.key.id, "secret": new.secret, "scopes": new.key.scopes})
    else:
        print(new.secret)


@key.command("list")
def list_(
    slug: Slug,
    data: Data = None,
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """List the keys of a tenant, the newest first."""
    with operating(data, config, settings) as made:
        found = made.plane.within(tenant_of(made, slug).id).keys()
        now = made.clock.now()
    if as_json:
        shown = ("id", "name", "prefix", "scopes", "created_at", "expires_at", "last_used_at")
        print_json([{n: getattr(e, n) for n in (*shown, "revoked_at")} for e in found])
        return
    rows = [
        (
            each.id,
            each.name,
            f"{each.prefix}…",
            " ".join(each.scopes),
            _state(each.revoked_at, each.expires_at, now),
            "never" if each.last_used_at is None else each.last_used_at.date().isoformat(),
        )
        for each in found
    ]
    head = ("key", "name", "begins", "scopes", "state", "last used")
    print_rows(rows, head=head) if rows else say(f"no keys: `engram key create {slug}`")


@key.command()
def revoke(
    slug: Slug,
    key_id: KeyId,
    data: Data = None,
    config: ConfigFile = None,
    settings: Settings = None,
) -> None:
    """Revoke a key: the very next request with it is refused."""
    with operating(data, config, settings) as made:
        found = tenant_of(made, slug)
        made.plane.within(found.id).revoke_key(key_id, at=made.clock.now())
        made.note("key.revoke", found, target=key_id)
    say(f"revoked {key_id}")


@key.command()
def rotate(
    slug: Slug,
    key_id: KeyId,
    overlap: Annotated[
        float, typer.Option(metavar="SECONDS", help="How long the old one goes on.")
    ] = 86_400.0,
    data: Data = None,
    config: ConfigFile = None,
    settings: Settings = None,
) -> None:
    """Make a key in the place of one, which ends after a while."""
    if not 0 <= overlap <= _LONGEST_OVERLAP_S:  # NaN is not either
        raise InvalidInputError(
            f"--overlap is {overlap:g}: allowed are 0 to {_LONGEST_OVERLAP_S:,} seconds"
        )
    with operating(data, config, settings) as made:
        from engram_lab.serve.tenants.keys import replace_key

        found = tenant_of(made, slug)
        new = replace_key(
            made.plane.within(found.id),
            made.minting,
            key_id=key_id,
            created_by=_OPERATOR,
            overlap=timedelta(seconds=overlap),
        )
        made.note("key.rotate", found, target=key_id)
    print(new.secret)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else parse_time(text, field="--expires")


def _state(revoked: datetime | None, expires: datetime | None, now: datetime) -> str:
    if revoked is not None:
        return "revoked"
    if expires is None:
        return "active"
    return "ended" if expires <= now else f"until {expires.date()}"
