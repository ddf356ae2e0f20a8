"""The memories of a workspace as a dream looks at them, with what earlier steps would change."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from engram_lab.core.protocols import LinkColumns, MemoryColumns
from engram_lab.core.protocols.dreaming import Details

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from engram_lab.core.dreams import Change

__all__ = ["Reader", "View"]


class Reader(Protocol):
    """The part of `core.protocols.Dreams` that a view reads."""

    def columns(self, workspace: str, keys: NDArray[np.int64] | None = None) -> MemoryColumns:
        """Return memories as columns."""
        ...

    def texts(self, keys: NDArray[np.int64]) -> list[str]:
        """Return public texts."""
        ...

    def details(self, keys: NDArray[np.int64]) -> list[Details]:
        """Return tags and metadata."""
        ...

    def links(
        self,
        workspace: str,
        keys: NDArray[np.int64] | None = None,
        *,
        types: Sequence[str] | None = None,
    ) -> LinkColumns:
        """Return open links."""
        ...


class View:
    """The memories of one workspace, as they will be once what was planned so far is carried out.

    It is read alone, and each step sees it after those before it: `after` returns the next one.
    Memories that a step plans to make are not in it, as they have no key yet.

    Args:
        reader: The dreams of the store.
        workspace: Which.
        protect_importance: From which importance on a memory is protected; above 1 for none.
    """

    def __init__(self, reader: Reader, workspace: str, *, protect_importance: float = 0.9) -> None:
        self._reader = reader
        self.workspace = workspace
        self.columns = reader.columns(workspace)
        self.protected = self.columns.pinned | (self.columns.importance >= protect_importance)
        self._places: dict[str, int] | None = None
        self._texts: dict[int, str] = {}
        self._planned_links: dict[str, Change] = {}
        self._planned_details: dict[int, Details] = {}

    def __len__(self) -> int:
        return len(self.columns)

    @property
    def findable(self) -> NDArray[np.bool_]:
        """Which of the rows a recall may find: those that are not archived, bool [n]."""
        return ~self.columns.archived

    @property
    def told(self) -> NDArray[np.bool_]:
        """Which of the findable rows somebody told: those that no dream made, bool [n]."""
        made = [(each or "").startswith("dream:") for each in self.columns.sources]
        return self.findable & ~np.array(made, np.bool_)

    def rows(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the row of each key, int64 of the same shape, -1 where the view holds none."""
        ours = self.columns.keys
        if not len(ours):
            return np.full(np.shape(keys), -1, np.int64)
        rows = np.searchsorted(ours, keys).clip(max=len(ours) - 1)
        return np.where(ours[rows] == keys, rows, -1)

    def row_of(self, id_: str) -> int:
        """Return the row of a memory by id, -1 where the view holds none."""
        if self._places is None:
            self._places = {each: row for row, each in enumerate(self.columns.ids)}
        return self._places.get(id_, -1)

    def texts(self, rows: NDArray[np.int64]) -> list[str]:
        """Return the public texts of rows, in order; each is read once."""
        keys = self.columns.keys[rows].tolist()
        missing = sorted({key for key in keys if key not in self._texts})
        if missing:
            told = self._reader.texts(np.array(missing, np.int64))
            self._texts.update(zip(missing, told, strict=True))
        return [self._texts[key] for key in keys]

    def details(self, rows: NDArray[np.int64]) -> list[Details]:
        """Return tags and metadata of rows, in order, as planned."""
        keys = self.columns.keys[rows]
        told = self._reader.details(keys)
        return [
            self._planned_details.get(key, each)
            for key, each in zip(keys.tolist(), told, strict=True)
        ]

    def links(
        self, keys: NDArray[np.int64] | None = None, *, types: Sequence[str] | None = None
    ) -> LinkColumns:
        """Return the open links between rows, of some keys and types; without those planned.

        What a step before this one plans to unlink is left out, and weights are as planned.
        """
        found = self._reader.links(self.workspace, keys, types=types)
        if not self._planned_links:
            return found
        kept = np.array([self._stays(each) for each in found.ids], np.bool_)
        weights = np.array(
            [
                self._weight(each, weight)
                for each, weight in zip(found.ids, found.weights, strict=True)
            ],
            np.float64,
        )
        return _links_where(replace(found, weights=weights), kept)

    def planned_links(self, types: Sequence[str]) -> list[tuple[int, int, str]]:
        """Return the ends, as rows, and the type of each link of some types that is planned so far.

        One of which an end is no row, as the memory is yet to be made, is left out.
        """
        found = [
            (self.row_of(each.fields["from_id"]), self.row_of(each.fields["to_id"]), type_)
            for each in self._planned_links.values()
            if each.action == "link" and (type_ := str(each.fields["type"])) in types
        ]
        return [each for each in found if min(each[:2]) >= 0]

    def _stays(self, link_id: str) -> bool:
        planned = self._planned_links.get(link_id)
        return planned is None or planned.action != "unlink"

    def _weight(self, link_id: str, weight: float) -> float:
        planned = self._planned_links.get(link_id)
        return weight if planned is None else float(planned.fields.get("weight", weight))

    def after(self, changes: Iterable[Change]) -> View:
        """Return the view as it will be once these changes are carried out."""
        following = object.__new__(View)
        following.__dict__.update(self.__dict__)
        following._planned_links = dict(self._planned_links)
        following._planned_details = dict(self._planned_details)
        columns, gone = _Edited(self.columns), np.zeros(len(self), np.bool_)
        for change in changes:
            if change.action in {"link", "unlink"}:
                following._planned_links[change.id] = change
            elif (row := self.row_of(change.id)) < 0:
                continue
            elif change.action == "forget":
                gone[row] = True
            elif change.action == "update":
                columns.set(row, change.fields)
                if "tags" in change.fields or "metadata" in change.fields:
                    following._relabel(row, change.fields)
        following.columns = _where(columns.done(), ~gone) if gone.any() else columns.done()
        if gone.any():
            following.protected = self.protected[~gone]
            following._places = None
        return following

    def _relabel(self, row: int, fields: Any) -> None:
        (were,) = self.details(np.array([row]))
        tags = tuple(fields["tags"]) if "tags" in fields else were.tags
        labelled = Details(tags, fields.get("metadata", were.metadata))
        self._planned_details[int(self.columns.keys[row])] = labelled


class _Edited:
    """Columns of which some values are set anew; each array is copied once, when first written."""

    def __init__(self, columns: MemoryColumns) -> None:
        self._columns = columns
        self._copied: dict[str, NDArray[Any]] = {}

    def set(self, row: int, fields: Any) -> None:
        for name in ("importance", "valid_from", "valid_to"):
            if name in fields:
                self._array(name)[row] = _number(fields[name])
        if "lifecycle" in fields:
            self._array("archived")[row] = fields["lifecycle"] == "archived"
            self._array("stale")[row] = fields["lifecycle"] == "stale"
        self._array("version")[row] += 1

    def _array(self, name: str) -> NDArray[Any]:
        if name not in self._copied:
            self._copied[name] = getattr(self._columns, name).copy()
        return self._copied[name]

    def done(self) -> MemoryColumns:
        copied: dict[str, Any] = self._copied
        return replace(self._columns, **copied) if copied else self._columns


def _number(value: Any) -> float:
    if value is None:
        return float("nan")
    return float(value.timestamp()) if hasattr(value, "timestamp") else float(value)


_LISTS: Final = ("ids", "scopes", "types", "content_hashes", "session_ids", "sources")


def _where(columns: MemoryColumns, kept: NDArray[np.bool_]) -> MemoryColumns:
    values: dict[str, Any] = {}
    for name in MemoryColumns.__dataclass_fields__:
        column = getattr(columns, name)
        if name in _LISTS:
            values[name] = [each for each, stays in zip(column, kept, strict=True) if stays]
        else:
            values[name] = column[kept]
    return MemoryColumns(**values)


def _links_where(columns: LinkColumns, kept: NDArray[np.bool_]) -> LinkColumns:
    values: dict[str, Any] = {}
    for name in LinkColumns.__dataclass_fields__:
        column = getattr(columns, name)
        if isinstance(column, list):
            values[name] = [each for each, stays in zip(column, kept, strict=True) if stays]
        else:
            values[name] = column[kept]
    return LinkColumns(**values)
