"""Where the time of a request went, as far as its pieces say so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from engram_lab.serve.call import Call

__all__ = ["SPENT", "spend", "spent_ms"]

SPENT: Final = "spent"
"""Under this name in `Call.extra`: seconds by piece."""


def spend(call: Call, piece: str, seconds: float) -> None:
    """Add seconds to a piece of a request, such as `authentication`, `waiting` or `engine`."""
    spent: dict[str, float] = call.extra.setdefault(SPENT, {})
    spent[piece] = spent.get(piece, 0.0) + seconds


def spent_ms(call: Call, seconds: float) -> dict[str, float]:
    """Return milliseconds by piece, and under `other` what no piece accounts for."""
    spent: dict[str, float] = call.extra.get(SPENT, {})
    told = {piece: round(each * 1e3, 3) for piece, each in spent.items()}
    return {**told, "other": round(max(0.0, seconds - sum(spent.values())) * 1e3, 3)}
