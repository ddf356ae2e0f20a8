"""The command line: `engram`."""

from __future__ import annotations

import os
import sys

import typer

from engram_lab.cli import config, memories, transfer, upkeep
from engram_lab.core.errors import EngramError

__all__ = ["app", "main"]

app = typer.Typer(
    name="engram",
    help="Memory for AI agents in one SQLite file: remember, recall, and lose nothing.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
memories.add_to(app)
transfer.add_to(app)
upkeep.add_to(app)
config.add_to(app)


def main() -> None:
    """Run the command line; a user's mistake is one sentence and exit code 2."""
    try:
        app()
    except EngramError as error:
        print(f"engram: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("engram: stopped; what was not finished was not kept", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read our output has seen enough. Python must not complain about it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
