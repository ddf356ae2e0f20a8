"""Which memories a read is about."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from engram_lab.core.checks import check_workspace
from engram_lab.core.clock import parse_time
from engram_lab.core.errors import InvalidInputError, shown
from engram_lab.core.filters import ALWAYS, Filter, parse_filter
from engram_lab.core.scopes import check_scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

__all__ = ["EVERYTHING", "Order", "Selection", "check_words"]

_MEANT: Final = MappingProxyType(
    {"top_k": "k", "topk": "k", "n": "k", "limit": "k", "filters": "filter", "where": "filter"}
)
"""What other programs call our words, and spelling does not tell."""

Order = Literal["id", "created_at", "updated_at", "event_at", "importance"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """Which memories a read is about. Expired ones are in none.

    Attributes:
        filter: Conditions on the fields.
        workspace: This workspace alone.
        scope: This scope and all below it.
        as_of: The state that the store had then (record time).
        valid_at: Only what held in the world then (validity time).
        archived: Also archived memories.
        forgotten: Also forgotten memories.
        private: With `<private>` sections; for the owner alone.
    """

    filter: Filter = ALWAYS
    workspace: str | None = None
    scope: str | None = None
    as_of: datetime | None = None
    valid_at: datetime | None = None
    archived: bool = False
    forgotten: bool = False
    private: bool = False

    @classmethod
    def of(
        cls,
        filter: Mapping[str, Any] | Filter | None = None,  # noqa: A002 - the word users know
        *,
        workspace: str | None = None,
        scope: str | None = None,
        as_of: datetime | str | None = None,
        valid_at: datetime | str | None = None,
        **options: Any,
    ) -> Self:
        """Return the selection, its parts parsed and checked.

        Raises:
            InvalidFilterError: See `parse_filter`.
            InvalidInputError: A malformed workspace, scope or time, or a word that means nothing.
        """
        check_words(options)
        return cls(
            filter=parse_filter(filter),
            workspace=None if workspace is None else check_workspace(workspace),
            scope=None if scope is None else check_scope(scope),
            as_of=None if as_of is None else parse_time(as_of, field="as_of"),
            valid_at=None if valid_at is None else parse_time(valid_at, field="valid_at"),
            **options,
        )

    @property
    def is_narrow(self) -> bool:
        """Whether more is left out than what is forgotten, archived or expired."""
        places = (self.workspace, self.scope, self.as_of, self.valid_at)
        return self.filter != ALWAYS or any(place is not None for place in places)

    def also(self, **changes: Any) -> Self:
        """Return a copy with some attributes replaced."""
        return replace(self, **changes)


def check_words(
    given: Iterable[str], *, verb: str = "a selection", own: Iterable[str] = ()
) -> None:
    """Refuse keyword arguments that mean nothing, and say which was meant.

    Args:
        given: Their names.
        verb: Who was given them.
        own: The words of the verb, beside those of a selection.

    Raises:
        InvalidInputError: One is unknown.
    """
    known = (*own, *(each.name for each in fields(Selection)))
    for name in given:
        if name not in known:
            usual = _MEANT.get(name)
            close = [usual] if usual in known else get_close_matches(name, known, n=1)
            hint = f" (did you mean {close[0]}?)" if close else ""
            raise InvalidInputError(
                f"{verb} takes no {shown(name)}{hint}: allowed are {', '.join(known)}"
            )


EVERYTHING = Selection(archived=True, forgotten=True, private=True)
"""All there is, tombstones and private sections included: what an export takes."""
