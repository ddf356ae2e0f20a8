"""How a chart shows itself in a notebook: what draws it is there, or it is a picture already.

Imported where a chart is made, since Altair is optional; Altair's own way fetches scripts.
"""

from __future__ import annotations

import struct
from contextlib import suppress
from types import MappingProxyType
from typing import Any, Final

import altair as alt

from engram_lab.core.errors import MissingDependencyError
from engram_lab.plots.saving import SCALE, png_of, spec_of

__all__ = ["VEGA_LITE", "bundle_of", "displayed"]

VEGA_LITE: Final = "application/vnd.vegalite.v5+json"
"""What JupyterLab draws by itself, with all that the chart can do; it has no later version yet."""

_SCHEMA: Final = "https://vega.github.io/schema/vega-lite/v5.json"
_PNG: Final = "image/png"
_SAID: Final = "a chart: engram_lab.plots.save writes it to a file"
"""Where nothing can be drawn, as in a terminal."""
_SIZE: Final = slice(16, 24)
"""Where a PNG says how wide and high it is."""

_MENU: Final = MappingProxyType(
    {"export": True, "source": False, "compiled": False, "editor": False}
)
"""Beside a chart: to save it, and nothing that leads to a page elsewhere."""

Bundle = tuple[dict[str, Any], dict[str, Any]]


def bundle_of(chart: Any) -> Bundle:
    """Return a chart as its grammar, for who can draw it, and as PNG, for everybody else.

    Args:
        chart: Of Altair.

    Returns:
        The data by media type, and what is to be known of them; without the PNG where its renderer
        is absent.
    """
    data: dict[str, Any] = {VEGA_LITE: {**spec_of(chart), "$schema": _SCHEMA}, "text/plain": _SAID}
    about: dict[str, Any] = {VEGA_LITE: {"embed_options": {"actions": dict(_MENU)}}}
    with suppress(MissingDependencyError):
        data[_PNG] = png_of(chart)
        width, height = struct.unpack(">II", data[_PNG][_SIZE])
        about[_PNG] = {"width": round(width / SCALE), "height": round(height / SCALE)}
    return data, about


class _Displayed:
    """A chart that shows itself, unless somebody has chosen a renderer of Altair."""

    def _repr_mimebundle_(self, *args: Any, **kwds: Any) -> Any:
        if alt.renderers.active != "default":
            return super()._repr_mimebundle_(*args, **kwds)  # type: ignore[misc]
        return bundle_of(self)


class _Chart(_Displayed, alt.Chart): ...


class _LayerChart(_Displayed, alt.LayerChart): ...


class _ConcatChart(_Displayed, alt.ConcatChart): ...


class _HConcatChart(_Displayed, alt.HConcatChart): ...


class _VConcatChart(_Displayed, alt.VConcatChart): ...


class _FacetChart(_Displayed, alt.FacetChart): ...


_CLASSES: Final = MappingProxyType(
    {
        alt.Chart: _Chart,
        alt.LayerChart: _LayerChart,
        alt.ConcatChart: _ConcatChart,
        alt.HConcatChart: _HConcatChart,
        alt.VConcatChart: _VConcatChart,
        alt.FacetChart: _FacetChart,
    }
)


def displayed(chart: Any) -> alt.TopLevelMixin:
    """Return a chart that shows itself without a network, as do those that are made from it.

    Args:
        chart: Of Altair, which nobody else holds: it is changed in place.
    """
    # Altair takes what is set on a chart for a part of it, and makes copies by their class.
    object.__setattr__(chart, "__class__", _CLASSES[type(chart)])
    found: alt.TopLevelMixin = chart
    return found
