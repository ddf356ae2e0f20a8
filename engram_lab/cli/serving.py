"""`engram serve` and `engram mcp`: the engine for others, over HTTP or to the program beside it."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from engram_lab.cli.common import load, open_engine
from engram_lab.cli.options import ConfigFile, Database, Settings
from engram_lab.cli.printing import say
from engram_lab.core.errors import ConfigError, InvalidInputError
from engram_lab.core.packages import optional

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engram_lab.config import ServerConfig
    from engram_lab.engine import Bundle
    from engram_lab.serve.control.records import Plan
    from engram_lab.serve.making import Making

__all__ = ["add_to", "operating", "plan_at_start"]

_PASSWORD: Final = "ENGRAM_ROLE_PASSWORD"  # noqa: S105 - where it is

Bundles = Annotated[
    list[str] | None,
    typer.Option(
        "--bundle",
        metavar="[NAME=]FILE",
        help="What `engram promote` wrote: served to all, or with NAME to tenants that have it.",
    ),
]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("serve")(serve)
    app.command("mcp")(mcp)
    app.command("setup")(setup)


def serve(
    bundle: Bundles = None,
    host: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Else serve.host.")] = None,
    port: Annotated[int | None, typer.Option(metavar="NUMBER", help="Else serve.port.")] = None,
    data: Annotated[
        str | None, typer.Option(metavar="FOLDER", help="Of all databases; else tenancy.data.")
    ] = None,
    tenant: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The tenant of requests that name none; made where it is missing: without limits "
            "(plan dedicated) on 127.0.0.1 where nobody is asked for a key, else on plan free.",
        ),
    ] = None,
    config: ConfigFile = None,
    settings: Settings = None,
) -> None:
    """Serve many tenants over REST and MCP, until told to stop."""
    flags = {
        "serve.host": host,
        "serve.port": port,
        "tenancy.data": data,
        "tenancy.default": tenant,
    }
    given = [f"{name}={value}" for name, value in flags.items() if value is not None]
    loaded = load(None, config, [*(settings or ()), *given])
    own, named = _bundles(bundle)
    _need_the_extra()
    from engram_lab.serve.app import create_app
    from engram_lab.serve.running import Running
    from engram_lab.serve.server import check_free, run

    where = loaded.server.serve
    check_free(where.host, where.port)
    running = Running(loaded.server, loaded.config, own=own, bundles=named)
    try:
        if tenant is not None and running.services.plane.tenant_by_slug(tenant) is None:
            plan = plan_at_start(loaded.server)
            running.services.estate.provision(tenant, plan=plan)
            say(f"made the tenant {tenant}, on the plan {plan}")
        said = f"serving {loaded.server.tenancy.data} at http://{where.host}:{where.port} (/docs)"
        run(create_app(running), where, told=lambda: say(said))
    finally:
        running.close()


def mcp(
    db: Database = None,
    config: ConfigFile = None,
    settings: Settings = None,
) -> None:
    """Speak the Model Context Protocol, over one database."""
    _need_the_extra()
    from engram_lab.serve.mcp.stdio import serve_stdio
    from engram_lab.serve.tenants.about import versions

    with open_engine(db, config, settings, use="create") as engine:
        serve_stdio(engine, version=versions()["engram_lab"])


def setup(
    role: Annotated[
        str, typer.Option("--role", metavar="NAME", help="What the server connects as.")
    ] = "engram_server",
    config: ConfigFile = None,
    settings: Settings = None,
) -> None:
    """Set up PostgreSQL as the control plane of servers.

    Makes the tables as `control.admin_dsn`, or brings them up to date, and the role that servers
    connect as, which row-level security binds. Its password is taken from ENGRAM_ROLE_PASSWORD.
    """
    loaded = load(None, config, settings)
    admin_dsn = loaded.server.control.admin_dsn
    if admin_dsn is None:
        raise ConfigError(["control.admin_dsn is not set: give the address as the owner's"])
    _need_the_extra()
    from engram_lab.serve.control.setting_up import set_up

    schema = set_up(admin_dsn, role=role, password=os.environ.get(_PASSWORD))
    say(f"the control plane is at schema {schema}: give control.dsn as the role {role}")


@contextmanager
def operating(
    data: str | None, config: Path | None, settings: list[str] | None
) -> Iterator[Making]:
    """Open what a server has, without one: the control plane, and the tenants' databases."""
    given = [] if data is None else [f"tenancy.data={data}"]
    loaded = load(None, config, [*(settings or ()), *given])
    _need_the_extra()
    from time import perf_counter

    from engram_lab.core.clock import SystemClock
    from engram_lab.serve.making import Making

    with ExitStack() as stack:
        yield Making(
            loaded.server, loaded.config, clock=SystemClock(), timer=perf_counter, stack=stack
        )


def plan_at_start(server: ServerConfig) -> Plan:
    """Return the plan of a tenant made at the start: limits are for others, not for oneself."""
    from engram_lab.serve.hosts import is_loopback

    alone = not server.auth.enabled and is_loopback(server.serve.host)
    return "dedicated" if alone else "free"


def _need_the_extra() -> None:
    for module, package in (("fastapi", "fastapi"), ("sqlalchemy", "sqlalchemy")):
        optional(module, package=package, feature="the server", extra="serve")


def _bundles(given: list[str] | None) -> tuple[Bundle | None, dict[str, Any]]:
    """Return the bundle that is served to all, and those that tenants have by name."""
    from engram_lab.engine import read_bundle

    own: Bundle | None = None
    named: dict[str, Bundle] = {}
    for each in given or ():
        name, equals, path = each.rpartition("=")
        if equals and "/" not in name:
            named[name] = read_bundle(path)
        elif own is None:
            own = read_bundle(each)
        else:
            raise InvalidInputError(
                f"--bundle {each} is the second without a name: write NAME={each}, and give that "
                "name to the tenants that it is for"
            )
    return own, named
