"""`engram eval`: the commands that judge."""

from __future__ import annotations

import typer

from engram_lab.cli import crosswalking, evaluating, gating, tuning

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(
        name="eval",
        no_args_is_help=True,
        help="Judge retrieval: run suites, score run files, compare, gate.",
    )
    evaluating.add_to(group)
    gating.add_to(group, app)
    crosswalking.add_to(group)
    tuning.add_to(group)
    app.add_typer(group)
