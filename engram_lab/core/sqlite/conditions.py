"""From a selection to the WHERE of a query. Every value is bound, never written into the text."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from engram_lab.core.clock import to_us
from engram_lab.core.errors import InvalidFilterError, shown
from engram_lab.core.filters import ALWAYS, FIELDS, And, Compare, Filter, Not, Or
from engram_lab.core.scopes import ancestors
from engram_lab.core.sqlite.indexing import metadata_value
from engram_lab.core.sqlite.rows import PUBLIC

if TYPE_CHECKING:
    from engram_lab.core.access import Access
    from engram_lab.core.selection import Selection

__all__ = ["Where", "of_past", "of_place", "of_rows", "of_selection", "of_state", "readable"]

_COMPARISONS: Final = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


class _Within(NamedTuple):
    """How the tables of tags and metadata are asked: begins what the condition on a row ends."""

    tags: str
    metadata: str


_SETS: Final = _Within(
    "m.pk IN (SELECT pk FROM memory_tags WHERE ", "m.pk IN (SELECT pk FROM memory_metadata WHERE "
)
"""For many memories: the rows that hold are gathered once."""

_ROWS: Final = _Within(
    "EXISTS (SELECT 1 FROM memory_tags WHERE pk = m.pk AND ",
    "EXISTS (SELECT 1 FROM memory_metadata WHERE pk = m.pk AND ",
)
"""For a few memories: each is looked up where its row would be."""


@dataclass(slots=True)
class Where:
    """A condition and the values bound in it; parts are joined by AND."""

    parts: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    def add(self, sql: str, *values: Any) -> None:
        """Add one more part."""
        self.parts.append(sql)
        self.values.extend(values)

    @property
    def sql(self) -> str:
        """The condition, for after WHERE."""
        return " AND ".join(self.parts) or "1"


def readable(where: Where, access: Access, alias: str = "m") -> None:
    """Keep to the scopes that may be read: see `core.access`, which says the same in Python.

    A scope lies below another where it goes on with a `/`; `0` is the character after `/`.
    """
    if access.principal is None:
        return
    own = ancestors(access.principal.scope)
    where.add(
        f"({alias}.scope IN ({', '.join('?' * len(own))}) OR EXISTS (SELECT 1 FROM grants AS g "
        f"WHERE g.agent_id = ? AND ({alias}.scope = g.scope "
        f"OR ({alias}.scope > g.scope || '/' AND {alias}.scope < g.scope || '0'))))",
        *own,
        access.principal.agent_id,
    )


def of_selection(selection: Selection, access: Access, now: datetime) -> Where:
    """Return the condition on `memories AS m` for a selection of the present state."""
    where = Where()
    of_state(where, selection, access, now)
    if selection.filter != ALWAYS:
        where.add(_filter(selection.filter, where.values))
    return where


def of_rows(selection: Selection, access: Access, now: datetime) -> tuple[Where, Filter]:
    """Return the condition for a few rows that are looked up, whatever the size of the store.

    Some comparisons of metadata would read all values of a path for each row. They are not part of
    the condition but the second thing returned, for `filters.matches` to judge.
    """
    where, left = Where(), []
    of_state(where, selection, access, now)
    whole = selection.filter
    for part in whole.parts if isinstance(whole, And) else (whole,):
        if _is_looked_up(part):
            where.add(_filter(part, where.values, _ROWS))
        else:
            left.append(part)
    return where, And(tuple(left)) if left else ALWAYS


def _is_looked_up(condition: Filter) -> bool:
    match condition:
        case And(parts) | Or(parts):
            return all(map(_is_looked_up, parts))
        case Not(part):
            return _is_looked_up(part)
        case Compare(_, "metadata", op, _):
            return op in {"eq", "ne", "in"}
        case _:
            return True


def of_past(selection: Selection, access: Access, now: datetime) -> Where:
    """Return the condition on `STATES AS m` for a selection of the past, all but its filter.

    Whose present state has expired, or is out of reach, is in no past either.
    """
    moment = to_us(selection.as_of or now)
    where, head = Where(), Where()
    where.add(
        "m.updated_at <= ? AND (m.superseded_at IS NULL OR m.superseded_at > ?)", moment, moment
    )
    head.add("h.pk = m.pk AND (h.expires_at IS NULL OR h.expires_at > ?)", to_us(now))
    readable(head, access, "h")
    where.add(f"EXISTS (SELECT 1 FROM memories AS h WHERE {head.sql})", *head.values)
    of_state(where, selection, access, now)
    return where


def of_place(where: Where, selection: Selection, alias: str = "m") -> None:
    """Keep to the workspace and the scope of a selection."""
    if selection.workspace is not None:
        where.add(f"{alias}.workspace = ?", selection.workspace)
    if selection.scope is not None:
        root = selection.scope
        where.add(
            f"({alias}.scope = ? OR ({alias}.scope > ? AND {alias}.scope < ?))",
            root,
            root + "/",
            root + "0",
        )


def of_state(
    where: Where, selection: Selection, access: Access, now: datetime, alias: str = "m"
) -> None:
    """Add all of a selection but its filter; a past state is judged at its own time."""
    moment = to_us(selection.as_of or now)
    of_place(where, selection, alias)
    if not selection.forgotten:
        where.add(f"{alias}.forgotten_at IS NULL")
    if not selection.archived:
        where.add(f"{alias}.lifecycle <> 'archived'")
    if selection.valid_at is not None:
        at = to_us(selection.valid_at)
        where.add(f"({alias}.valid_from IS NULL OR {alias}.valid_from <= ?)", at)
        where.add(f"({alias}.valid_to IS NULL OR {alias}.valid_to > ?)", at)
    where.add(f"({alias}.expires_at IS NULL OR {alias}.expires_at > ?)", moment)
    readable(where, access, alias)


def _filter(condition: Filter, values: list[Any], within: _Within = _SETS) -> str:  # noqa: PLR0911 - one for each node
    """Return the SQL of a filter, its values appended in the order of their marks.

    SQL's NULL stands for "not there": AND and OR treat it as false does, and NOT is written
    `IS NOT TRUE`, so that the whole has the two-valued meaning of `filters.matches`.
    """
    match condition:
        case And(parts):
            return f"({' AND '.join(_filter(part, values, within) for part in parts) or '1'})"
        case Or(parts):
            return f"({' OR '.join(_filter(part, values, within) for part in parts) or '0'})"
        case Not(part):
            return f"({_filter(part, values, within)} IS NOT TRUE)"
        case Compare(name, kind, "ne" | "not_contains" as op, value):
            opposite = Compare(name, kind, "eq" if op == "ne" else "contains", value)
            return f"({_filter(opposite, values, within)} IS NOT TRUE)"
        case Compare(name, "tags", op, value):
            return _tags(op, value, values, within.tags)
        case Compare(path, "metadata", op, value):
            return _metadata(path, op, value, values, within.metadata)
        case Compare(name, _, op, value):
            return _column(name, op, value, values)


def _column(name: str, op: str, value: Any, values: list[Any]) -> str:
    if name not in FIELDS:  # a name becomes part of the SQL, so that of a filter made by hand too
        raise InvalidFilterError(f"the filter names the field {shown(name)}: use parse_filter")
    column = PUBLIC.get(name, f"{{m}}.{name}").format(m="m")
    if op == "exists":
        return f"({column} IS {'NOT ' if value else ''}NULL)"
    if op == "in":
        values += map(_bound, value)
        return f"{column} IN ({', '.join('?' * len(value))})"
    values.append(_bound(value))
    if op == "contains":
        return f"instr({column}, ?) > 0"
    return f"{column} {_COMPARISONS.get(op, '=')} ?"


def _tags(op: str, value: Any, values: list[Any], within: str) -> str:
    if op == "exists":
        return f"(m.tags {'<>' if value else '='} '[]')"
    values.append(value)
    return f"{within}tag = ?)"


def _metadata(path: str, op: str, value: Any, values: list[Any], within: str) -> str:
    if op == "contains":
        return _metadata_contains(within, path, value, values)
    if op == "exists":
        values += [path, path + "[]"]
        return f"{'' if value else 'NOT '}({within}path IN (?, ?)))"
    if op == "in":
        marks = ", ".join("?" * len(value))
        values += [path, *map(metadata_value, value)]
        return f"{within}path = ? AND value IN ({marks}))"
    values += [path, metadata_value(value)]
    return f"{within}path = ? AND {_ordered(op, value)})"


def _metadata_contains(within: str, path: str, value: Any, values: list[Any]) -> str:
    values += [path + "[]", metadata_value(value)]
    element = f"{within}path = ? AND value = ?)"
    if not isinstance(value, str):
        return element
    values += [path, value]
    return f"({element} OR {within}path = ? AND typeof(value) = 'text' AND instr(value, ?) > 0))"


def _ordered(op: str, value: Any) -> str:
    """Compare like with like. SQLite sorts numbers before texts before blobs."""
    if op == "eq":
        return "value = ?"
    if isinstance(value, bool):
        return "value = ? AND 0"
    bounds = "value < ''" if not isinstance(value, str) else "value >= '' AND value < x''"
    return f"value {_COMPARISONS[op]} ? AND {bounds}"


def _bound(value: Any) -> Any:
    if isinstance(value, datetime):
        return to_us(value)
    return int(value) if isinstance(value, bool) else value
