"""Tables that fit a terminal: the more room there is, the more a cell says."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
    from rich.table import Table
    from rich.text import Text

__all__ = ["Cell", "Column", "FittedTable", "Line", "blocks", "plain", "shown"]

_GAP: Final = 2
"""Columns of a terminal between two of a table."""

_PLAIN: Final = {
    "\N{PLUS-MINUS SIGN}": "+/-",
    "\N{MINUS SIGN}": "-",
    "\N{EN DASH}": "-",
    "\N{EM DASH}": "-",
    "\N{BLACK UP-POINTING TRIANGLE}": "+",
    "\N{BLACK DOWN-POINTING TRIANGLE}": "-",
    "\N{CHECK MARK}": "ok",
    "\N{BALLOT X}": "FAIL",
    "\N{RIGHTWARDS ARROW}": "->",
    "\N{GREEK SMALL LETTER ALPHA}": "alpha",
    "\N{GREEK CAPITAL LETTER DELTA}": "delta",
    "\N{MICRO SIGN}": "u",
    "\N{MIDDLE DOT}": ";",
    "\N{HORIZONTAL ELLIPSIS}": "...",
    "\N{NO-BREAK SPACE}": " ",
    "\N{MULTIPLICATION SIGN}": "x",
}


def plain(text: str) -> str:
    """Return a text in ASCII; what has no like there becomes `?`."""
    for character, like in _PLAIN.items():
        text = text.replace(character, like)
    return text.encode("ascii", "replace").decode()


def shown(text: str) -> str:
    """Return a text of somebody else on one line, without characters that steer a terminal."""
    kept = (" " if unicodedata.category(each).startswith("C") else each for each in text)
    return " ".join("".join(kept).split())


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """What stands in one place of a table.

    Attributes:
        forms: The same from the longest to the shortest; a table takes one form for all its cells.
        style: As rich names it.
    """

    forms: tuple[str, ...]
    style: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """A column of figures under its name."""

    name: str
    cells: tuple[Cell, ...]

    def width(self, form: int) -> int:
        """Return how many columns of a terminal it takes."""
        heads = (len(line) for line in self.name.split("\n"))
        return max(*heads, *(len(each.forms[form]) for each in self.cells), 0)


def blocks(columns: Sequence[Column], *, room: int, form: int) -> list[Sequence[Column]]:
    """Return the columns in groups that fit the room, as even as may be."""
    widths = [each.width(form) + _GAP for each in columns]
    for count in range(1, len(columns) + 1):
        size = -(-len(columns) // count)
        starts = range(0, len(columns), size)
        if size == 1 or all(sum(widths[at : at + size]) <= room for at in starts):
            return [columns[at : at + size] for at in starts]
    return []


@dataclass(frozen=True, kw_only=True)
class FittedTable:
    """Rows of figures that choose their form by the width of the console.

    The longest form that fits at once is taken; where none does, the columns go one block below
    the other in the form `broken`.

    Attributes:
        corner: What the rows are.
        rows: Names of the rows, each with its style.
        columns: As many cells as there are rows, each with as many forms as any other.
        broken: Which form is used in several blocks.
    """

    corner: str
    rows: tuple[tuple[str, str], ...]
    columns: tuple[Column, ...]
    broken: int = -1

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield what fits."""
        side = max(len(self.corner), *(len(name) for name, _ in self.rows))
        room = options.max_width - side
        forms = len(self.columns[0].cells[0].forms) if self.columns else 0
        fitting = next(
            (each for each in range(forms) if len(blocks(self.columns, room=room, form=each)) == 1),
            None,
        )
        form = self.broken if fitting is None else fitting
        for number, block in enumerate(blocks(self.columns, room=room, form=form)):
            if number:
                yield ""
            yield self._table(block, form=form, ascii_only=options.ascii_only)

    def _table(self, block: Sequence[Column], *, form: int, ascii_only: bool) -> Table:
        from rich.table import Table
        from rich.text import Text

        def said(text: str, style: str = "") -> Text:
            return Text(plain(text) if ascii_only else text, style=style)

        table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
        table.add_column(said(self.corner), no_wrap=True)
        for column in block:
            table.add_column(said(column.name), justify="left", no_wrap=True)
        for place, (name, style) in enumerate(self.rows):
            cells = (column.cells[place] for column in block)
            table.add_row(
                said(name, style), *(said(each.forms[form], each.style) for each in cells)
            )
        return table


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of text that is written in ASCII where the console knows nothing else."""

    parts: tuple[tuple[str, str], ...]
    indent: int = 0

    @classmethod
    def of(cls, text: str, style: str = "", *, indent: int = 0) -> Line:
        """Return a line in one style; a broken one is indented on its further lines too."""
        return cls(parts=((text, style),), indent=indent)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the text, broken where the console ends."""
        yield from self._lines(ascii_only=options.ascii_only)

    def _lines(self, *, ascii_only: bool) -> Iterator[RenderableType]:
        from rich.padding import Padding
        from rich.text import Text

        text = Text.assemble(
            *((plain(text) if ascii_only else text, style) for text, style in self.parts)
        )
        yield Padding(text, (0, 0, 0, self.indent)) if self.indent else text
