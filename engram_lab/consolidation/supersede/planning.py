"""What a dream changes where something was found to have been superseded."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from engram_lab.core.dreams import Change

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from engram_lab.consolidation.step import Scene
    from engram_lab.consolidation.supersede.times import Chains, Found, Times
    from engram_lab.consolidation.view import View

__all__ = ["CONTRADICTS", "NAME", "SUPERSEDES", "planned"]

NAME: Final = "supersede"
SUPERSEDES: Final = "supersedes"
CONTRADICTS: Final = "contradicts"


def planned(
    view: View,
    scene: Scene,
    chains: Chains,
    doubted: Mapping[tuple[int, int], Found],
    times: Times,
) -> Iterator[Change]:
    """Yield the validity that ends and begins, and the links, by rising row."""
    superseded = chains.followed
    rows = sorted({*superseded, *chains.begins, *(row for pair in doubted for row in pair)})
    if not rows:
        return
    linked, closed_by_dream = _links(view, rows)
    for row in sorted({*superseded, *chains.begins}):
        found = superseded.get(row)
        fields = _validity(view, row, chains, times, shorten=row in closed_by_dream)
        if fields and not view.protected[row]:
            yield Change(
                step=NAME,
                action="update",
                id=view.columns.ids[row],
                fields=fields,
                reason=_WHY["valid_to" in fields].format(found.sure if found else 0),
                sources=() if found is None else (view.columns.ids[found.newer],),
                seen=int(view.columns.version[row]),
            )
        if found is not None and (found.newer, row, SUPERSEDES) not in linked:
            yield _link(view, scene, SUPERSEDES, found)
    for (newer, older), found in sorted(doubted.items()):
        known = any(
            (*ends, kind) in linked
            for ends in ((newer, older), (older, newer))
            for kind in (CONTRADICTS, SUPERSEDES)
        )
        if not known and older not in superseded:
            yield _link(view, scene, CONTRADICTS, found)


_WHY: Final = {True: "a later memory says otherwise ({:.2f})", False: "it says what changed"}


def _validity(
    view: View, row: int, chains: Chains, times: Times, *, shorten: bool
) -> dict[str, Any]:
    """Return the new ends of the validity of a row, as fields; none where all is as it should be.

    An end or a beginning that somebody else set stays; an end that a dream set moves forward where
    something in between became known.
    """
    fields: dict[str, Any] = {}
    starts, ends = float(view.columns.valid_from[row]), float(view.columns.valid_to[row])
    if row in chains.begins and math.isnan(starts):
        starts = chains.begins[row]
        if math.isnan(ends) or starts <= ends:
            fields["valid_from"] = datetime.fromtimestamp(starts, UTC)
    if (found := chains.followed.get(row)) is not None:
        moment = max(float(times.moments[found.newer]), float(times.moments[row]))
        if math.isnan(ends) or (shorten and moment < ends):
            fields["valid_to"] = datetime.fromtimestamp(moment, UTC)
    return fields


def _links(view: View, rows: list[int]) -> tuple[set[tuple[int, int, str]], set[int]]:
    """Return which rows are linked how, and which a dream has closed."""
    keys = view.columns.keys[np.array(rows, np.int64)]
    links = view.links(keys, types=(SUPERSEDES, CONTRADICTS))
    linked: set[tuple[int, int, str]] = set()
    closed: set[int] = set()
    ends = zip(view.rows(links.from_keys).tolist(), view.rows(links.to_keys).tolist(), strict=True)
    for (one, other), kind, source in zip(ends, links.types, links.sources, strict=True):
        linked.add((one, other, kind))
        if kind == SUPERSEDES and source == f"dream:{NAME}":
            closed.add(other)
    return linked, closed


def _link(view: View, scene: Scene, kind: str, found: Found) -> Change:
    newer, older = view.columns.ids[found.newer], view.columns.ids[found.older]
    return Change(
        step=NAME,
        action="link",
        id=scene.new_id(NAME, kind, newer, older),
        fields={
            "from_id": newer,
            "to_id": older,
            "type": kind,
            "weight": round(found.sure, 6),
            "source": f"dream:{NAME}",
        },
        reason="they give one attribute different values",
        sources=(newer, older),
    )
