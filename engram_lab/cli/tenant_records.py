"""`engram tenant member`, `members`, `audit`: who may do what in a tenant, and who did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from engram_lab.cli.options import AsJson, ConfigFile, Settings
from engram_lab.cli.printing import print_json, print_rows, say
from engram_lab.cli.serving import operating
from engram_lab.cli.tenants import Data, Slug, tenant, tenant_of
from engram_lab.core.errors import InvalidInputError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engram_lab.serve.making import Making

__all__ = ["add_to"]

_LONGEST_SUB = 255


def add_to(_: typer.Typer) -> None:
    """Add these commands to `engram tenant`."""
    for command in (member, members, audit):
        tenant.command()(command)


def member(
    slug: Slug,
    user: Annotated[
        str, typer.Argument(metavar="USER", help="The `sub` of the tokens of a person.")
    ],
    role: Annotated[
        str | None, typer.Option(metavar="ROLE", help="owner, admin, member or viewer.")
    ] = None,
    email: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Of the person.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take the person out.")] = False,
    data: Data = None,
    config: ConfigFile = None,
    settings: Settings = None,
) -> None:
    """Let a person into a tenant, change their role, or take them out; the last owner stays."""
    from engram_lab.serve.control.records import ROLES

    if remove == (role is not None):
        raise InvalidInputError("say either --role, and which, or --remove")
    if role is not None and role not in ROLES:
        raise InvalidInputError(f"--role is {role!r}: allowed are {', '.join(reversed(ROLES))}")
    if not 1 <= len(user) <= _LONGEST_SUB:
        raise InvalidInputError(f"USER has {len(user)} characters: allowed are 1 to {_LONGEST_SUB}")
    with operating(data, config, settings) as made:
        found = tenant_of(made, slug)
        view = made.plane.within(found.id)
        if role is None:
            view.remove_member(user)
            made.note("member.remove", found, target=user)
        else:
            view.put_member(user, role, email=email, at=made.clock.now())
            made.note("member.put", found, target=user, role=role)
    say(f"{user} is no member of {slug} any more" if role is None else f"{user}: {role} of {slug}")


def members(
    slug: Slug,
    data: Data = None,
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """List the members of a tenant by when they joined."""
    with operating(data, config, settings) as made:
        found = made.plane.within(tenant_of(made, slug).id).members()
    if as_json:
        shown = ("user_id", "role", "email", "joined_at")
        print_json([{name: getattr(each, name) for name in shown} for each in found])
        return
    rows = [
        (each.user_id, each.role, each.email or "-", each.joined_at.date().isoformat())
        for each in found
    ]
    head = ("person", "role", "address", "since")
    none = f"no members: `engram tenant member {slug} USER --role owner`"
    print_rows(rows, head=head) if rows else say(none)


def audit(
    slug: Annotated[
        str | None,
        typer.Argument(
            metavar="[TENANT]",
            help="Its name, or the id of one that was purged; else the server's own record.",
        ),
    ] = None,
    limit: Annotated[
        int, typer.Option(metavar="NUMBER", help="The newest so many.", min=1, max=100_000)
    ] = 20,
    data: Data = None,
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Show who did what, and check that nobody changed the record.

    The server's own record has its starts and configurations, those who named no known tenant, and
    which tenants were purged.
    """
    with operating(data, config, settings) as made:
        whose = None if slug is None else _whose(made, slug)
        view = made.plane.as_operator()
        entries, broken = view.audit(whose, limit=limit), view.broken_chain(whose)
    if as_json:
        print_json({"broken_at": broken, "entries": entries})
    else:
        rows = [
            (
                str(each.number),
                f"{each.at:%Y-%m-%d %H:%M:%S}",
                each.kind,
                each.actor,
                each.outcome,
                _told(each.details),
            )
            for each in entries
        ]
        print_rows(rows, head=("no.", "at (UTC)", "what", "who", "outcome", "details"))
        say("the chain is whole" if broken is None else f"the chain is broken at entry {broken}")
    if broken is not None:
        raise typer.Exit(1)


def _whose(made: Making, name: str) -> str:
    from engram_lab.serve.control.whose import whose_chain

    found = whose_chain(made.plane, name)
    if found is None:
        raise NotFoundError(
            f"there is no tenant {name!r}, and no record of one of this id: `engram tenant list` "
            "shows which there are, and `engram tenant audit` which were purged"
        )
    return found


def _told(details: Mapping[str, Any]) -> str:
    """Return what an entry says beside who and to what, on one line."""
    return ", ".join(f"{name}: {_value(value)}" for name, value in details.items())


def _value(value: Any) -> str:
    if isinstance(value, dict) and value.keys() == {"from", "to"}:
        return f"{_value(value['from'])} → {_value(value['to'])}"
    if isinstance(value, dict):
        return " ".join(f"{name}={each}" for name, each in value.items())
    if isinstance(value, list):
        return " ".join(map(str, value))
    return "-" if value is None else str(value)
