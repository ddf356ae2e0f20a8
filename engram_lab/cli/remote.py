"""`engram push` and `engram pull`: everything to a hosted tenant, and back, in one command each."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from engram_lab.cli.common import open_engine
from engram_lab.cli.options import AsJson, ConfigFile, Database, Settings
from engram_lab.cli.printing import counted, print_json, say
from engram_lab.core.errors import EngramError, InvalidInputError
from engram_lab.core.packages import optional

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["RemoteError", "add_to"]

Url = Annotated[str, typer.Argument(metavar="URL", help="Of the server: https://acme.example.com")]
Tenant = Annotated[
    str | None,
    typer.Option("--tenant", metavar="NAME", help="Where the host does not say which it is."),
]
_KEY: Final = "ENGRAM_KEY"
_PIECE: Final = 262_144
_OK: Final = 200
_WAIT_S: Final = 30.0


class RemoteError(EngramError):
    """A hosted tenant refused, or its server cannot be reached."""


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("push")(push)
    app.command("pull")(pull)


def push(
    url: Url,
    tenant: Tenant = None,
    db: Database = None,
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Send everything in a database to a hosted tenant.

    The key is taken from ENGRAM_KEY. What is there already changes nothing.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "export.jsonl"
        with open_engine(db, config, settings, use="read") as engine:
            engine.export(file)
        with file.open("rb") as opened, _client(url, tenant) as client:
            told = _answer(client.post("/v1/import", files={"file": (file.name, opened)}))
    if as_json:
        print_json(told)
    else:
        known = f"; {told['unchanged']:,} were there already" if told["unchanged"] else ""
        say(f"sent {counted(told['imported']) or 'nothing new'}{known}")


def pull(
    url: Url,
    tenant: Tenant = None,
    db: Database = None,
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Bring everything of a hosted tenant into a database.

    The key is taken from ENGRAM_KEY. What is there already changes nothing.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "export.jsonl"
        with _client(url, tenant) as client, client.stream("GET", "/v1/export") as answer:
            if answer.status_code != _OK:
                answer.read()
                _answer(answer)
            with file.open("wb") as opened:
                for piece in answer.iter_bytes(_PIECE):
                    opened.write(piece)
        with open_engine(db, config, settings, use="create") as engine:
            report = engine.import_(file)
    if as_json:
        print_json(report)
    else:
        known = f"; {report.unchanged:,} were there already" if report.unchanged else ""
        say(f"brought {counted(report.imported) or 'nothing new'}{known}")


@contextmanager
def _client(url: str, tenant: str | None) -> Iterator[Any]:
    """Open a client of a tenant.

    Raises:
        RemoteError: The server cannot be reached.
    """
    httpx2 = optional("httpx2", package="httpx2", feature="a hosted tenant", extra="http")
    key = os.environ.get(_KEY)
    if not key:
        raise InvalidInputError(f"{_KEY} is not set: give the key of the tenant in it")
    headers = {"Authorization": f"Bearer {key}"}
    if tenant is not None:
        headers["X-Engram-Tenant"] = tenant
    if not url.startswith(("https://", "http://")):
        raise InvalidInputError(
            f"the address is {url!r}: give one such as https://acme.example.com"
        )
    bounds = httpx2.Timeout(_WAIT_S, read=None)  # an import takes as long as it takes
    try:
        with httpx2.Client(base_url=url, headers=headers, timeout=bounds) as client:
            yield client
    except httpx2.TransportError as error:
        raise RemoteError(f"{url} cannot be reached: {error}") from None


def _answer(answer: Any) -> dict[str, Any]:
    """Return the data of an answer.

    Raises:
        RemoteError: It was refused.
    """
    try:
        told = answer.json()
    except ValueError:
        raise RemoteError(f"the server said {answer.status_code}, and not why") from None
    if answer.status_code != _OK:
        raise RemoteError(f"the server refused: {told['error']['message']}")
    data: dict[str, Any] = told["data"]
    return data
