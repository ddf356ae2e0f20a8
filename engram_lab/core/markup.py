"""Small pieces of HTML for people who look at a noun: all text escaped, all of it bounded.

No piece has a colour of its own, so a page is readable on light and on dark alike.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["MOST_CHARS", "MOST_ROWS", "note", "shortened", "table", "text"]

MOST_CHARS: Final = 2000
"""Of one text on a page."""

MOST_ROWS: Final = 50
"""Of one table on a page."""

_LEFT: Final = "style='text-align:left;vertical-align:top;white-space:pre-wrap'"


def shortened(value: object, *, most: int = MOST_CHARS) -> str:
    """Return a value as plain text that ends in `…` where it was longer."""
    said = str(value)
    return said if len(said) <= most else f"{said[: most - 1]}…"


def text(value: object, *, most: int = MOST_CHARS) -> str:
    """Return a value as escaped text; see `shortened`."""
    return escape(shortened(value, most=most))


def note(value: object) -> str:
    """Return a paragraph of escaped text."""
    return f"<p>{text(value)}</p>"


def table(caption: str, rows: Iterable[Sequence[object]], *, head: Sequence[str] = ()) -> str:
    """Return a table, and a line that says how many rows it has no room for.

    Args:
        caption: Plain text above it.
        rows: What is in the cells, as plain text.
        head: The titles of the columns; without them the first cell of a row is its title.
    """
    given = list(rows)
    titles = "".join(f"<th {_LEFT}>{text(each)}</th>" for each in head)
    body = "".join(f"<tr>{_cells(row, titled=not head)}</tr>" for row in given[:MOST_ROWS])
    left_out = len(given) - MOST_ROWS
    return (
        f"<table><caption {_LEFT}>{text(caption)}</caption>"
        f"{f'<thead><tr>{titles}</tr></thead>' if titles else ''}<tbody>{body}</tbody></table>"
        f"{note(f'and {left_out:,} more') if left_out > 0 else ''}"
    )


def _cells(row: Sequence[object], *, titled: bool) -> str:
    kinds = ["th" if titled and not place else "td" for place in range(len(row))]
    return "".join(
        f"<{kind} {_LEFT}>{text(each)}</{kind}>" for kind, each in zip(kinds, row, strict=True)
    )
