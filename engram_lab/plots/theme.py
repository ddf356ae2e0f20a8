"""How plots look: quiet, readable in print and by everybody's eyes."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from engram_lab.core.packages import optional

if TYPE_CHECKING:
    import altair as alt

__all__ = [
    "BAD",
    "FAINT",
    "GOOD",
    "GREY",
    "INK",
    "PALETTE",
    "QUIET",
    "WIDTH",
    "altair",
    "themed",
]

INK: Final = "#1f2328"
QUIET: Final = "#59636e"
FAINT: Final = "#d1d9e0"
GREY: Final = "#8b949e"
"""Floors, and what is only there for orientation."""

WIDTH: Final = 620
"""Points across, of a plot that has a page to itself."""

GOOD: Final = "#0072b2"
BAD: Final = "#d55e00"

PALETTE: Final = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8c6bb1")
"""Told apart with any colour vision.

Source: Okabe and Ito, "Color Universal Design" (2008), all but black and yellow; a violet added."""

_FONT: Final = "Liberation Sans, Arial, Helvetica, sans-serif"
"""The renderer brings the first with it, so that a layout does not depend on a machine's fonts; the
others have its widths."""


def altair() -> Any:
    """Return the plotting package.

    Raises:
        MissingDependencyError: It is absent.
    """
    return optional("altair", package="altair", feature="plots", extra="plots")


def themed(chart: Any) -> alt.TopLevelMixin:
    """Return a chart as all of ours look; in a notebook it shows itself without a network."""
    text = {"labelFont": _FONT, "titleFont": _FONT, "labelColor": QUIET, "titleColor": INK}
    styled = chart.configure(
        background="white",
        font=_FONT,
        padding={"left": 16, "right": 16, "top": 8, "bottom": 8},
        aria=False,
        axis={
            **text,
            "labelFontSize": 12,
            "titleFontSize": 12,
            "titleFontWeight": "normal",
            "titlePadding": 10,
            "labelPadding": 6,
            "labelFlush": False,
            "labelOverlap": True,
            "domainColor": FAINT,
            "gridColor": FAINT,
            "gridOpacity": 0.6,
            "tickColor": FAINT,
            "ticks": False,
            "domain": False,
        },
        legend={**text, "labelFontSize": 12, "titleFontSize": 12, "columnPadding": 24},
        header={**text, "labelFontSize": 12, "labelFontWeight": "bold", "labelColor": INK},
        title={"font": _FONT, "fontSize": 13, "color": INK, "anchor": "start", "offset": 12},
        view={"stroke": None},
        text={"font": _FONT, "fontSize": 12, "color": INK},
        range={"category": list(PALETTE)},
    )
    found: alt.TopLevelMixin = import_module("engram_lab.plots.displayed").displayed(styled)
    return found
