"""Reprs of one line: what a noun is and what tells it from others, never all that it holds.

Nothing computes with them: hashes and keys are made of fields, as these leave most of them out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MOST_CHARS", "brief", "counted", "counts", "placed", "quoted"]

MOST_CHARS: Final = 120
"""Of a repr."""


def brief(noun: object, *parts: str) -> str:
    """Return a repr, cut where it is too long: `Page(3 memories, the last)`.

    Args:
        noun: Whose repr it is; a subclass is called by its own name.
        parts: What it says, the most telling first.
    """
    said = f"{type(noun).__name__}({', '.join(parts)}"
    return f"{said})" if len(said) < MOST_CHARS else f"{said[: MOST_CHARS - 2]}…)"


def quoted(text: str, *, most: int = 40) -> str:
    """Return a text in quotes, on one line, that ends in `…` where it was longer."""
    said = " ".join(text[: most * 4].split())  # of a long text no more than is shown is looked at
    whole = len(said) <= most and len(text) <= most * 4
    return repr(said if whole else f"{said[: most - 1]}…")


def placed(path: object, *, most: int = 60) -> str:
    """Return a path in quotes that begins with `…` where it was longer: its end tells more."""
    said = str(path)
    return repr(said if len(said) <= most else f"…{said[1 - most :]}")


def counted(count: int, one: str, many: str | None = None) -> str:
    """Return how many there are of something: `1 memory`, `5,000 rows`."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def counts(told: Sequence[tuple[int, str]]) -> tuple[str, ...]:
    """Return what there is any of, each with its count; of nothing, that."""
    return tuple(f"{count:,} {word}" for count, word in told if count) or ("nothing",)
