"""The committed runs that documents tell of, and how their figures are written."""

from __future__ import annotations

import json
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["BASELINES", "figure", "run", "table", "wrapped"]

BASELINES: Final = Path(__file__).with_name("baselines")

MADE_BY: Final = {
    "bench": "make bench",
    "consolidation": "make dreams",
    "quality": "make quality",
    "simulation": "make simulations",
}
"""Which command makes the records whose names begin so."""


def run(name: str) -> dict[str, Any]:
    """Return what a committed run measured; where it is missing, stop and say how to make it."""
    file = BASELINES / f"{name}.json"
    if not file.exists():
        by = MADE_BY[name.partition("-")[0]]
        sys.exit(f"evals/baselines/{file.name} is not there: make it by `{by}`")
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table in Markdown."""
    titles = list(head)
    lines = ["|".join(f" {cell} " if cell else " " for cell in row) for row in (titles, *rows)]
    rule = "---|" * (len(titles) - 1) + "---"
    return "\n".join(f"|{line}|" for line in (lines[0], rule, *lines[1:]))


def figure(value: float, unit: str = "") -> str:
    """Return a number with three digits that tell, and no more after the point; and its unit."""
    told = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004
    return f"{told} {unit}".strip()


def wrapped(text: str) -> str:
    """Return a paragraph in lines."""
    whole = text.replace(" %", "\N{NO-BREAK SPACE}%")
    filled = textwrap.fill(whole, 118, break_long_words=False, break_on_hyphens=False)
    return filled.replace("\N{NO-BREAK SPACE}", " ")
