"""What no dream may do, whatever its steps plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from engram_lab.core.errors import DreamRefusedError, InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engram_lab.consolidation.view import View
    from engram_lab.core.dreams import Change

__all__ = ["check_share", "check_step"]

_FEW: Final = 10
"""So many near-duplicates may always become one: a small store is no danger."""


def check_step(view: View, changes: Sequence[Change], *, made: Mapping[str, str]) -> None:
    """Refuse what a step may not plan.

    Args:
        view: As the step saw it.
        changes: What it planned.
        made: The scope of each memory that this dream makes, by id.

    Raises:
        InvalidInputError: It changes what is protected or not of the workspace, or links what lies
            in different scopes.
    """
    for change in changes:
        if change.action in {"update", "forget"}:
            row = view.row_of(change.id)
            if row < 0:
                raise InvalidInputError(
                    f"step {change.step!r} would change {change.id}, which is not in workspace "
                    f"{view.workspace!r}: a step changes what it is shown"
                )
            if view.protected[row]:
                raise InvalidInputError(
                    f"step {change.step!r} would change {change.id}, which is pinned or important: "
                    "leave out the rows of `view.protected`"
                )
        elif change.action == "link":
            ends = [_scope(view, change.fields[end], made) for end in ("from_id", "to_id")]
            if ends[0] is None or ends[0] != ends[1]:
                raise InvalidInputError(
                    f"step {change.step!r} would link {change.fields['from_id']} with "
                    f"{change.fields['to_id']}: both must be of one workspace and scope"
                )


def _scope(view: View, id_: str, made: Mapping[str, str]) -> str | None:
    row = view.row_of(id_)
    return made.get(id_) if row < 0 else view.columns.scopes[row]


def check_share(before: View, after: View, changes: Sequence[Change], *, most: float) -> None:
    """Refuse a dream that hides too many memories at once.

    What was merged into another is stood in for by that: it counts by itself, and only where it is
    more than a few; an exact copy does not count at all.

    Raises:
        DreamRefusedError: More than `most` of what a recall may find would be hidden.
    """
    findable = set(np.array(before.columns.ids, object)[before.findable].tolist())
    kept = set(np.array(after.columns.ids, object)[after.findable].tolist())
    hidden = findable - kept
    merged = {
        str(each.fields["from_id"]): str(each.fields["to_id"])
        for each in changes
        if each.action == "link" and each.fields.get("type") == "merged_into"
    }
    lost = hidden - merged.keys()
    if len(lost) > most * len(findable):
        raise DreamRefusedError(removed=len(lost), total=len(findable), most=most)
    hashes = before.columns.content_hashes
    rewritten = [
        id_
        for id_ in sorted(hidden & merged.keys())
        if hashes[before.row_of(id_)] != hashes[before.row_of(merged[id_])]
    ]
    if len(rewritten) > max(_FEW, most * len(findable)):
        raise DreamRefusedError(removed=len(rewritten), total=len(findable), most=most)
