"""Tables that fit a terminal: the more room there is, the more a cell says."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.table import Table
    from rich.text import Text

__all__ = [
    "Cell",
    "Column",
    "FittedTable",
    "Line",
    "Part",
    "Rows",
    "blocks",
    "one_line",
    "plain",
    "said",
]

_GAP: Final = 2
"""Columns of a terminal between two of a table."""

_NARROWEST: Final = 30
"""Columns that a sentence needs to be read with ease."""

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


def one_line(text: str) -> str:
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
        return max(map(_width, (self.name, *(each.forms[form] for each in self.cells))))


def _width(text: str) -> int:
    from rich.cells import cell_len

    return max(map(cell_len, text.split("\n")))


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

    The longest form that fits at once is taken; where none does, the columns go in blocks, one
    below the other, in the last form.

    Attributes:
        corner: What the rows are.
        rows: Names of the rows, each with its style.
        columns: As many cells as there are rows, each with as many forms as any other.
    """

    corner: str
    rows: tuple[tuple[str, str], ...]
    columns: tuple[Column, ...]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield what fits."""
        table = self._in_ascii() if options.ascii_only else self
        room = options.max_width - max(
            map(_width, (self.corner, *(name for name, _ in table.rows)))
        )
        cells = [cell for column in table.columns for cell in column.cells]
        forms = range(min((len(each.forms) for each in cells), default=1))
        broken = [blocks(table.columns, room=room, form=each) for each in forms]
        form = next((each for each in forms if len(broken[each]) == 1), forms[-1])
        for number, block in enumerate(broken[form] or [()]):
            if number:
                yield ""
            yield table._drawn(block, form)  # noqa: SLF001 - a table of the same kind

    def _in_ascii(self) -> FittedTable:
        return FittedTable(
            corner=plain(self.corner),
            rows=tuple((plain(name), style) for name, style in self.rows),
            columns=tuple(
                Column(
                    name=plain(column.name),
                    cells=tuple(
                        Cell(forms=tuple(map(plain, each.forms)), style=each.style)
                        for each in column.cells
                    ),
                )
                for column in self.columns
            ),
        )

    def _drawn(self, block: Sequence[Column], form: int) -> Table:
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
        for name in (self.corner, *(column.name for column in block)):
            table.add_column(Text(name), overflow="fold")
        for place, (name, style) in enumerate(self.rows):
            cells = (column.cells[place] for column in block)
            table.add_row(
                Text(name, style=style),
                *(Text(each.forms[form], style=each.style) for each in cells),
            )
        return table


Part = tuple[str, str]
"""A text and its style."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of text that is written in ASCII where the console knows nothing else."""

    parts: tuple[Part, ...]

    @classmethod
    def of(cls, text: str, style: str = "") -> Line:
        """Return a line in one style."""
        return cls(parts=((text, style),))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the text, broken where the console ends."""
        yield said(*self.parts, ascii_only=options.ascii_only)


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Rows of short texts, the last of which is broken where the console ends.

    Attributes:
        rows: Of equal length.
        indent: Columns that are left free before them.
    """

    rows: tuple[tuple[Part, ...], ...]
    indent: int = 0

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the rows; where the last text has no room, it goes below the others."""
        from rich.padding import Padding
        from rich.table import Table

        if not self.rows:
            return
        sides = zip(*(row[:-1] for row in self.rows), strict=True)
        taken = sum(max(_width(text) for text, _ in side) + _GAP for side in sides)
        below = options.max_width - taken - self.indent < _NARROWEST
        grid = Table.grid(padding=(0, _GAP, 0, 0))
        for _ in self.rows[0][: 1 if below else None]:
            grid.add_column(overflow="fold")
        for row in self.rows:
            texts = [said(each, ascii_only=options.ascii_only) for each in row]
            if not below:
                grid.add_row(*texts)
                continue
            for each in texts[1:-1]:
                texts[0].append("  ").append_text(each)
            grid.add_row(texts[0].append("\n").append_text(texts[-1]))
        yield Padding(grid, (0, 0, 0, self.indent))


def said(*parts: Part, ascii_only: bool) -> Text:
    """Return texts one after the other, in ASCII where the console knows nothing else."""
    from rich.text import Text

    return Text.assemble(*((plain(text) if ascii_only else text, style) for text, style in parts))
