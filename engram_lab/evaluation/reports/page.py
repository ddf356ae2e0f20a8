"""HTML out of Python values: whatever is not markup of our own is escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = ["Head", "Markup", "details", "element", "join", "section", "table"]


class Markup(str):
    """A text that is HTML already."""

    __slots__ = ()


def element(tag: str, *children: object, **attributes: str | None) -> Markup:
    """Return an element; a child that is no `Markup` is escaped, None is left out.

    Args:
        tag: Its name.
        children: Texts, markup, or lists of them.
        attributes: By name; an underscore stands for a hyphen and a last one is dropped, so that
            `class_` is `class`. None leaves it out, the empty text makes it a bare one.
    """
    named = "".join(
        f" {name.rstrip('_').replace('_', '-')}" + (f'="{html.escape(value)}"' if value else "")
        for name, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{tag}{named}>{join(children)}</{tag}>")


def join(children: Iterable[object], between: str = "") -> Markup:
    """Return the children one after the other."""
    parts = []
    for each in children:
        if isinstance(each, Markup):
            parts.append(str(each))
        elif isinstance(each, list | tuple):
            parts.append(str(join(each, between)))
        elif each is not None:
            parts.append(html.escape(str(each)))
    return Markup(between.join(parts))


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    """The head of a column.

    Attributes:
        name: What it says.
        numeric: Whether figures stand below it.
        note: Small, below the name.
    """

    name: str
    numeric: bool = False
    note: str = ""


def table(
    caption: object,
    heads: Sequence[Head],
    rows: Iterable[Sequence[object]],
    *,
    dim: Iterable[int] = (),
) -> Markup:
    """Return a table whose first cell of a row names it.

    Args:
        caption: What it shows.
        heads: One for each column.
        rows: Cells; a cell that is a `td` already is taken as it is.
        dim: Numbers of the rows that are only for orientation.
    """
    quiet = frozenset(dim)
    top = [
        element(
            "th",
            each.name,
            element("small", each.note) if each.note else None,
            scope="col",
            class_="n" if each.numeric else None,
        )
        for each in heads
    ]
    body = []
    for number, row in enumerate(rows):
        cells = [
            element("th", row[0], scope="row"),
            *(_cell(each, head) for each, head in zip(row[1:], heads[1:], strict=True)),
        ]
        body.append(element("tr", cells, class_="floor" if number in quiet else None))
    inner = element(
        "table",
        element("caption", caption),
        element("thead", element("tr", top)),
        element("tbody", body),
    )
    return element("div", inner, class_="wide", tabindex="0", role="group")


def _cell(value: object, head: Head) -> Markup:
    if isinstance(value, Markup) and value.startswith("<td"):
        return value
    return element("td", value, class_="n" if head.numeric else None)


def section(name: str, title: str, *children: object) -> Markup:
    """Return a section with its heading, to which `#name` leads."""
    return element(
        "section",
        element("h2", title, id=f"{name}-title"),
        children,
        id=name,
        aria_labelledby=f"{name}-title",
    )


def details(summary: object, *children: object) -> Markup:
    """Return something that a reader opens."""
    return element("details", element("summary", summary), children)
