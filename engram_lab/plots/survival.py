"""How much is still found as time goes by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engram_lab.plots.lines import lines

if TYPE_CHECKING:
    import altair as alt

__all__ = ["survival"]


def survival(frame: Any, *, x: str = "night", y: str = "still found") -> alt.TopLevelMixin:
    """Return a curve for each system: which share of what must be kept is found, time after time.

    Args:
        frame: Columns `time` (nights, days or whatever passes) and `share`, and where there are
            some `system`, `low` and `high` (the interval) and `floor` (whether it is there to be
            beaten). A row without either value is left out.
        x: What passes, as the axis says it.
        y: What the share is of, as the axis says it.

    Raises:
        InvalidInputError: A column is missing or of the wrong kind, no row has both values, or
            `share`, `low` or `high` is outside 0 to 1.
        MissingDependencyError: Altair is absent.
    """
    return lines(frame, chart="survival", across="time", up="share", x=x, y=y, of_shares=True)
