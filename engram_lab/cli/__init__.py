"""The command line: `engram`."""

from __future__ import annotations

import os
import sys
from importlib import metadata
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn

import typer

from engram_lab.cli import (
    config,
    dreams,
    evaluation,
    graph,
    hooks,
    keys,
    lab,
    memories,
    recalls,
    remote,
    serving,
    tenant_backups,
    tenant_records,
    tenants,
    transfer,
    upkeep,
)
from engram_lab.cli.mistakes import sentence_of, usage_of
from engram_lab.core.errors import EngramError

__all__ = ["app", "main"]

_INTERRUPTED: Final = 130
_STOPPED: Final = "stopped; what was not finished was not kept"

app = typer.Typer(
    name="engram",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
memories.add_to(app)
recalls.add_to(app)
transfer.add_to(app)
upkeep.add_to(app)
graph.add_to(app)
hooks.add_to(app)
dreams.add_to(app)
evaluation.add_to(app)
config.add_to(app)
lab.add_to(app)
serving.add_to(app)
remote.add_to(app)
tenants.add_to(app)
tenant_backups.add_to(app)
tenant_records.add_to(app)
keys.add_to(app)


def _print_version(wanted: bool) -> None:
    if wanted:
        try:
            print(f"engram-lab {metadata.version('engram-lab')}")
        except metadata.PackageNotFoundError:
            print("engram-lab, not installed but run from its source")
        raise typer.Exit


@app.callback()
def engram(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Memory for AI agents in one SQLite file: remember, recall, and lose nothing."""


def main() -> None:
    """Run the command line; a user's mistake is one sentence and exit code 2."""
    _prepare_streams()
    try:
        sys.exit(app(standalone_mode=False))
    except EngramError as error:
        _fail(sentence_of(error))
    except typer.exceptions.TyperException as error:
        _fail_usage(error)
    except typer.Abort:
        _fail(_STOPPED, code=1)
    except OSError as error:
        _fail(sentence_of(error))
    except KeyboardInterrupt:
        _fail(_STOPPED, code=_INTERRUPTED)
    except SystemExit as stopped:
        if stopped.code == _INTERRUPTED:  # so Typer says that it caught a KeyboardInterrupt
            _fail(_STOPPED, code=_INTERRUPTED)
        raise


def _prepare_streams() -> None:
    """Make sure that there is where to print, and that no character is refused there."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started this process
            nowhere = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - to the end
            setattr(sys, name, nowhere)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _fail_usage(error: typer.exceptions.TyperException) -> NoReturn:
    """Say what is wrong with a command's words, and which help has the right ones."""
    said = error.format_message()
    if said.startswith("Usage:"):  # nothing was asked for, so this is the help itself
        print(said, file=sys.stderr)
        sys.exit(error.exit_code)
    context = getattr(error, "ctx", None)
    command = _named_command() if context is None else context.command_path
    _fail(f"{usage_of(error)}: see `{command} --help`")


def _named_command() -> str:
    """Return the command that was typed, up to its first word that is no command."""
    found: list[str] = ["engram"]
    group: Any = typer.main.get_command(app)
    for word in sys.argv[1:]:
        group = getattr(group, "commands", {}).get(word)
        if group is None:
            break
        found.append(word)
    return " ".join(found)


def _fail(sentence: str, *, code: int = 2) -> NoReturn:
    print(f"engram: {sentence}", file=sys.stderr)
    sys.exit(code)
