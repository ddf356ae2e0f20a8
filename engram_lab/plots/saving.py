"""How charts become files: no browser, no network, the same bytes each time."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson

from engram_lab.core.errors import InvalidInputError, shown
from engram_lab.core.packages import optional
from engram_lab.plots.columns import told
from engram_lab.plots.theme import altair

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

__all__ = ["SCALE", "SUFFIXES", "html_of", "png_of", "save", "spec_of", "svg_of"]

SUFFIXES: Final = (".html", ".json", ".png", ".svg")
"""What `save` writes."""

SCALE: Final = 2.0
"""Pixels to a point: sharp on the screens of today, and in print at half a page's width."""

_NAMED: Final = re.compile(r'(?<= id=")[^"]+(?=")')
_REFERRED: Final = re.compile(r'(?<= id=")[^"]+(?=")|(?<=url\(#)[^)]+(?=\))|(?<=href="#)[^"]+(?=")')


def save(chart: Any, path: str | os.PathLike[str]) -> Path:
    """Write a chart to a file, and return where it lies.

    The end of its name says how: `.png` as pixels, `.svg` as lines, `.html` as one file that can
    be moved and zoomed and needs no network, `.json` as the grammar of Vega-Lite.

    Args:
        chart: Of `engram_lab.plots`, or any other of Altair.
        path: Where to; a file that lies there is written anew.

    Raises:
        InvalidInputError: The name ends otherwise, or there is no such folder.
        MissingDependencyError: Altair or its renderer is absent.
    """
    to = Path(path)
    suffix = to.suffix.lower()
    if suffix not in SUFFIXES:
        raise InvalidInputError(
            f"a chart cannot be written to {shown(to.name)}: "
            f"let its name end in one of {', '.join(SUFFIXES)}"
        )
    if not to.parent.is_dir():
        raise InvalidInputError(
            f"a chart cannot be written to {shown(to, limit=120)}: make its folder first"
        )
    made: dict[str, Callable[[Any], str | bytes]] = {
        ".html": html_of,
        ".json": _json_of,
        ".png": png_of,
        ".svg": _plain_svg_of,
    }
    content = made[suffix](chart)
    to.write_bytes(content if isinstance(content, bytes) else content.encode())
    return to


def svg_of(chart: Any, *, name: str = "plot", background: str = "transparent") -> str:
    """Return a chart as SVG: no browser, no network, the same bytes each time.

    Args:
        chart: Of Altair.
        name: Begins the ids inside, so that several can stand in one page.
        background: A colour; by default the page shows through.

    Raises:
        MissingDependencyError: The renderer is absent.
    """
    spec = {**spec_of(chart), "background": background}
    text = str(_renderer().vegalite_to_svg(spec, vl_version=_version()))
    # The renderer counts on from one chart to the next: ids are numbered anew.
    ids = {found: f"{name}-{place}" for place, found in enumerate(_NAMED.findall(text))}
    return _REFERRED.sub(lambda found: ids.get(found[0], found[0]), text)


def png_of(chart: Any, *, scale: float = SCALE) -> bytes:
    """Return a chart as PNG.

    Args:
        chart: Of Altair.
        scale: Pixels to a point.

    Raises:
        MissingDependencyError: The renderer is absent.
    """
    found: bytes = _renderer().vegalite_to_png(spec_of(chart), vl_version=_version(), scale=scale)
    return found


def html_of(chart: Any) -> str:
    """Return a chart as a page in one file, with all that draws it inside.

    Raises:
        MissingDependencyError: The renderer is absent.
    """
    return str(_renderer().vegalite_to_html(spec_of(chart), vl_version=_version(), bundle=True))


def spec_of(chart: Any) -> dict[str, Any]:
    """Return a chart as its grammar has it; tests check it, which takes longer than drawing.

    Raises:
        InvalidInputError: It is no chart.
    """
    if not isinstance(chart, altair().TopLevelMixin):
        raise InvalidInputError(
            f"{told(chart)} is no chart: give what a function of engram_lab.plots returns"
        )
    found: dict[str, Any] = chart.to_dict(validate=False)
    return found


def _plain_svg_of(chart: Any) -> str:
    return svg_of(chart, background="white")


def _json_of(chart: Any) -> bytes:
    return orjson.dumps(
        spec_of(chart),
        option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE,
    )


def _renderer() -> Any:
    return optional(
        "vl_convert", package="vl-convert-python", feature="plots as files", extra="plots"
    )


def _version() -> str | None:
    """Return the version of the grammar that charts are written in, where the renderer knows it."""
    major, minor, *_ = altair().SCHEMA_VERSION.removeprefix("v").split(".")
    version = f"{major}.{minor}"
    return version if version in _renderer().get_vegalite_versions() else None
