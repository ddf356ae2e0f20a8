"""What is still found, over how much is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engram_lab.plots.lines import lines

if TYPE_CHECKING:
    import altair as alt

__all__ = ["retention"]


def retention(
    frame: Any, *, x: str = "memories that are kept", y: str = "facts found"
) -> alt.TopLevelMixin:
    """Return a front for each system: the less it keeps for what it finds, the better it forgets.

    Args:
        frame: Columns `kept` (how much is kept: memories, tokens or a share) and `found` (which
            share of the facts is), and where there are some `system`, `low` and `high` (the
            interval) and `floor` (whether it is there to be beaten). A row without either value is
            left out.
        x: What is kept, as the axis says it.
        y: What is found, as the axis says it.

    Raises:
        InvalidInputError: A column is missing or of the wrong kind, no row has both values, or
            `found`, `low` or `high` is outside 0 to 1.
        MissingDependencyError: Altair is absent.
    """
    return lines(frame, chart="retention", across="kept", up="found", x=x, y=y, of_shares=True)
