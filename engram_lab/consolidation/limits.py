"""What no dream may do, whatever its steps plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from engram_lab.core.checks import check_choice, check_label, check_number
from engram_lab.core.dreams import Change
from engram_lab.core.errors import DreamRefusedError, InvalidInputError, shown
from engram_lab.core.types import LIFECYCLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engram_lab.consolidation.view import View

__all__ = ["check_share", "check_step", "checked"]

_FEW: Final = 10
"""So many near-duplicates may always become one, and so many may end: few are no danger."""

_LONGEST_REASON: Final = 4096
_TIMES: Final = ("valid_from", "valid_to")


def checked(planned: object, *, step: str, workspace: str) -> Iterator[Change]:
    """Yield what a step planned, so far as it is what a store can carry out.

    A store would refuse the same; so a dry run is refused where the dream would be.

    Args:
        planned: What `plan` returned.
        step: Its name.
        workspace: Of which it dreams.

    Raises:
        InvalidInputError: It planned something else than changes, or one that breaks a law.
    """
    if not isinstance(planned, Iterable):
        raise InvalidInputError(
            f"step {step!r} planned a {type(planned).__name__}: give changes, or an empty list"
        )
    checks = {"link": _check_link, "update": _check_update}
    for change in planned:
        if not isinstance(change, Change) or not isinstance(change.fields, Mapping):
            raise InvalidInputError(f"step {step!r} planned {shown(change)}: give a Change")
        try:
            _check_sources(change)
            if change.action == "remember":
                _check_remember(change.fields, workspace)
            elif check := checks.get(change.action):
                check(change.fields)
        except InvalidInputError as error:
            told = f"step {step!r} plans to {change.action} {change.id}: {error}"
            raise InvalidInputError(told) from None
        yield change


def _check_sources(change: Change) -> None:
    if not all(isinstance(each, str) for each in change.sources):
        raise InvalidInputError("sources hold what is no id: give ids")


def _check_link(fields: Mapping[str, Any]) -> None:
    ends = (fields.get("from_id"), fields.get("to_id"))
    if not all(isinstance(each, str) for each in ends):
        raise InvalidInputError("a link needs the ids from_id and to_id")
    if ends[0] == ends[1]:
        raise InvalidInputError("a memory is not linked to itself")
    check_label(fields.get("type"), field="type", limit=64)
    check_number(fields.get("weight"), field="weight")


def _check_update(fields: Mapping[str, Any]) -> None:
    if "importance" in fields:
        check_number(fields["importance"], field="importance")
    if "lifecycle" in fields:
        check_choice(fields["lifecycle"], field="lifecycle", choices=LIFECYCLES)
    for name in _TIMES:
        if name in fields and not isinstance(fields[name], datetime | None):
            raise InvalidInputError(f"{name} is {shown(fields[name])}: give a datetime, or None")


def _check_remember(fields: Mapping[str, Any], workspace: str) -> None:
    if not isinstance(fields.get("content"), str):
        raise InvalidInputError("a memory needs content, a text")
    if fields.get("workspace") != workspace:
        raise InvalidInputError(
            f"workspace is {shown(fields.get('workspace'))}: a dream of {workspace!r} may write in "
            "its own alone"
        )


def check_step(view: View, changes: Sequence[Change], *, made: Mapping[str, str]) -> None:
    """Refuse what a step may not plan.

    Args:
        view: As the step saw it.
        changes: What it planned.
        made: The scope of each memory that this dream makes, by id.

    Raises:
        InvalidInputError: It changes what is protected or not of the workspace, links what lies in
            different scopes, remembers in one scope what it has from another, or gives no reason.
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
        elif change.action == "remember":
            scope = made.get(change.id)
            if others := [each for each in change.sources if _scope(view, each, made) != scope]:
                raise InvalidInputError(
                    f"step {change.step!r} would remember in scope {scope!r} what it has from "
                    f"{others[0]}: both must be of one workspace and scope"
                )

    for reason in {each.reason: None for each in changes}:
        check_label(reason, field="reason", limit=_LONGEST_REASON)


def _scope(view: View, id_: str, made: Mapping[str, str]) -> str | None:
    row = view.row_of(id_)
    return made.get(id_) if row < 0 else view.columns.scopes[row]


def check_share(before: View, after: View, changes: Sequence[Change], *, most: float) -> None:
    """Refuse a dream that hides, or ends the validity of, too many memories at once.

    What was merged into another is stood in for by that: it counts by itself, and only where it is
    more than a few; an exact copy does not count at all. What no longer holds is still found for
    its time: it counts by itself too, and only where it is more than a few.

    Raises:
        DreamRefusedError: More than `most` of what a recall may find would be hidden, or end.
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
    ended = _without_end(before) - _without_end(after) - hidden
    if len(ended) > max(_FEW, most * len(findable)):
        raise DreamRefusedError(removed=len(ended), total=len(findable), most=most, ends=True)


def _without_end(view: View) -> set[str]:
    """Return the ids of what recall may find and whose validity has no end."""
    open_ = view.findable & np.isnan(view.columns.valid_to)
    return set(np.array(view.columns.ids, object)[open_].tolist())
