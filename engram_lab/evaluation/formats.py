"""How figures are written for people: as many digits as they are worth, and never more."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

__all__ = [
    "ABOVE",
    "ALPHA",
    "BELOW",
    "MINUS",
    "NOTHING",
    "VERDICTS",
    "cost_label",
    "cost_text",
    "counted",
    "figure",
    "interval",
    "p_text",
    "quantity",
    "signed",
]

ABOVE: Final = "\N{BLACK UP-POINTING TRIANGLE}"
BELOW: Final = "\N{BLACK DOWN-POINTING TRIANGLE}"
"""Mark what differs from a reference."""

ALPHA: Final = "\N{GREEK SMALL LETTER ALPHA}"
MINUS: Final = "\N{MINUS SIGN}"
NOTHING: Final = "\N{EN DASH}"
"""Stands where there is no figure."""

VERDICTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "pass": "PASS",
        "regression": "REGRESSION",
        "incomparable": "NOTHING COMPARABLE",
    }
)
"""What is said of a verdict where it must be seen from afar."""

_DIGITS: Final = 3
"""Of measures and p-values. A mean over a thousand queries has a standard error of about 0.01."""

_KIB: Final = 1024
_READ_AS_BYTES: Final = 100_000

_UNITS: Final = {
    "_ms": "ms",
    "_us": "µs",
    "_seconds": "s",
    "_s": "s",
    "_bytes": "bytes",
    "_per_second": "per second",
}


def figure(value: float | None) -> str:
    """Return a measure with three decimals, or a dash where there is none."""
    if value is None or math.isnan(value):
        return NOTHING
    return f"{value:.{_DIGITS}f}".replace("-", MINUS)


def signed(value: float | None, *, places: int = _DIGITS) -> str:
    """Return a difference with its sign; one that rounds to zero has none."""
    if value is None or math.isnan(value):
        return NOTHING
    text = f"{value:+.{places}f}"
    return text[1:] if float(text) == 0 else text.replace("-", MINUS)


def interval(low: float | None, high: float | None, *, sign: bool = False) -> str:
    """Return an interval in brackets, or nothing where there is none."""
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return ""
    text = signed if sign else figure
    return f"[{text(low)}, {text(high)}]"


def p_text(value: float | None) -> str:
    """Return a p-value: three decimals, and `<0.001` below that."""
    if value is None or math.isnan(value):
        return NOTHING
    return "<0.001" if value < 10**-_DIGITS else figure(value)


def quantity(value: float) -> str:
    """Return a measured quantity with three significant digits and at most three decimals."""
    if not math.isfinite(value):
        return NOTHING
    if value == 0:
        return "0"
    places = min(_DIGITS, max(0, _DIGITS - 1 - math.floor(math.log10(abs(value)))))
    return f"{value:,.{places}f}".replace("-", MINUS)


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """Return a count with its noun, as in `1 query` or `1,540 queries`."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


def cost_label(name: str) -> str:
    """Return what a cost is called, without its unit: `latency_p50_ms` is `latency p50`."""
    ending = next((each for each in _UNITS if name.endswith(each)), "")
    return name.removesuffix(ending).replace("_", " ").replace(".", " ")


def cost_text(name: str, value: object) -> str:
    """Return a cost with its unit, which the end of its name tells."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return NOTHING if value is None else str(value)
    if "bytes" in name:
        return _size(value)
    for ending, unit in _UNITS.items():
        if name.endswith(ending):
            return f"{quantity(value)} {unit}"
    return f"{value:,}" if isinstance(value, int) else quantity(value)


def _size(value: float) -> str:
    """Return bytes; as they are where they can be read, since they are compared with each other."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(value) < (_READ_AS_BYTES if unit == "B" else _KIB):
            return f"{value:,.0f} B" if unit == "B" else f"{quantity(value)} {unit}"
        value /= _KIB
    return f"{quantity(value)} TiB"
