"""The order in which lists of the control plane come, and pages of them.

Every list has one order in every database, without ties, by what never changes of a record (but
the name of a tenant). So a page may begin after the place of the last record of the page before,
whatever was added or removed in between: nothing is shown twice, and nothing that stayed is left
out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatch
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from engram_lab.core.clock import to_us
from engram_lab.core.errors import InvalidInputError
from engram_lab.serve.control.records import (
    ApiKey,
    AuditEntry,
    Invite,
    Member,
    Tenant,
    UsageDay,
    Workspace,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Page", "Place", "page", "place"]

_Record = TypeVar("_Record", Tenant, Member, Invite, ApiKey, Workspace, UsageDay, AuditEntry)
_NEWEST_FIRST: Final = (ApiKey, AuditEntry)

Place = tuple[int | str, ...]
"""What orders a record among its like; whole numbers and texts, so that JSON can hold it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Page(Generic[_Record]):
    """Some records, and the place after which the next page begins; None where this is the last."""

    records: Sequence[_Record]
    after: Place | None


@singledispatch
def place(record: object) -> Place:
    """Return the place of a record in the lists of a control plane."""
    raise InvalidInputError(f"a {type(record).__name__} has no place in a list")


@place.register
def _(record: Tenant) -> Place:
    return (record.name, record.slug)


@place.register
def _(record: Member) -> Place:
    return (to_us(record.joined_at), record.user_id)


@place.register(Invite)
@place.register(ApiKey)
def _(record: Invite | ApiKey) -> Place:
    return (to_us(record.created_at), record.id)


@place.register
def _(record: Workspace) -> Place:
    return (record.name,)


@place.register
def _(record: UsageDay) -> Place:
    return (record.day.isoformat(), record.workspace)


@place.register
def _(record: AuditEntry) -> Place:
    return (record.number,)


def page(records: Sequence[_Record], *, limit: int, after: Place | None = None) -> Page[_Record]:
    """Return the first records of a list after a place.

    Args:
        records: A whole list, as a view returned it.
        limit: Most records of the page, 1 or more.
        after: Where the page before ended.

    Raises:
        InvalidInputError: The place is none of this list.
    """
    rest = list(records)
    if after is not None and rest:
        shape = [type(each) for each in place(rest[0])]
        if [type(each) for each in after] != shape:
            raise InvalidInputError("the page before ended at no place of this list: begin anew")
        rest = [each for each in rest if _follows(each, after)]
    shown = rest[:limit]
    return Page(records=shown, after=place(shown[-1]) if len(rest) > limit else None)


def _follows(record: object, after: Place) -> bool:
    own = place(record)
    # Of one shape, so of types that compare.
    return own < after if isinstance(record, _NEWEST_FIRST) else own > after
