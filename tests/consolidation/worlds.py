"""A small world of memories that lives in lists: what a step may see, without a store."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from engram_lab.consolidation.step import Near, Scene
from engram_lab.consolidation.view import View
from engram_lab.core.protocols import LinkColumns, MemoryColumns
from engram_lab.core.protocols.dreaming import Details
from engram_lab.core.text import content_hash, has_private, public_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from engram_lab.core.dreams import Change
    from engram_lab.core.types import RecallEvent

__all__ = ["FIRST", "NOW", "Given", "Held", "Tie", "World", "day"]

NOW: Final = datetime(2026, 6, 1, 12, tzinfo=UTC)


def day(month: int, number: int = 1, year: int = 2026) -> datetime:
    """Return noon of a day, in UTC."""
    return datetime(year, month, number, 12, tzinfo=UTC)


FIRST: Final = day(1)


@dataclass(frozen=True, kw_only=True)
class Held:
    """One memory. Its id is `m` and its key unless told; without a vector nothing is near it."""

    content: str
    id: str = ""
    vector: Sequence[float] | None = None
    workspace: str = "default"
    scope: str = "global"
    type: str = "note"
    session_id: str | None = None
    source: str | None = None
    importance: float = 0.5
    access_count: int = 0
    version: int = 1
    pinned: bool = False
    lifecycle: str = "active"
    turn: bool = False
    created_at: datetime = FIRST
    updated_at: datetime | None = None
    accessed_at: datetime | None = None
    event_at: datetime | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    expires_at: datetime | None = None
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Tie:
    """One link, from and to memories by id."""

    id: str
    from_id: str
    to_id: str
    type: str = "related_to"
    source: str = "manual"
    weight: float = 1.0
    pinned: bool = False
    created_at: datetime = FIRST
    updated_at: datetime = FIRST
    valid_from: datetime | None = None
    valid_to: datetime | None = None


_CHANGED: Final = frozenset(
    {"importance", "lifecycle", "metadata", "tags", "valid_from", "valid_to"}
)


class World:
    """Memories and links by id: a `Reader`, and what becomes of it when changes are carried out.

    Keys are 1, 2, … in the order in which memories are told.

    Args:
        held: The memories; one forgotten leaves its key unused.
        ties: The links.
    """

    def __init__(self, held: Iterable[Held], ties: Iterable[Tie] = ()) -> None:
        self.held: dict[int, Held] = {
            key: each if each.id else replace(each, id=f"m{key}")
            for key, each in enumerate(held, start=1)
        }
        self.ties: dict[str, Tie] = {each.id: each for each in ties}

    @classmethod
    def telling(cls, *texts: str, **common: Any) -> World:
        """Return a world of these texts, all else alike."""
        return cls(Held(content=each, **common) for each in texts)

    def key_of(self, id_: str) -> int:
        """Return the key of a memory."""
        return next(key for key, each in self.held.items() if each.id == id_)

    def view(self, workspace: str = "default", *, protect_importance: float = 0.9) -> View:
        """Return the view of a workspace."""
        return View(self, workspace, protect_importance=protect_importance)

    def scene(
        self,
        *,
        now: datetime = NOW,
        focus: Iterable[int] | None = None,
        events: Iterable[RecallEvent] = (),
        cursor: float = float("nan"),
    ) -> Scene:
        """Return a scene over the given vectors; all memories are new unless a focus is told."""
        keys = sorted(self.held) if focus is None else sorted(focus)
        return Scene(
            now=now,
            focus=np.array(keys, np.int64),
            events=tuple(events),
            nearest=Given({key: each.vector for key, each in self.held.items()}),
            cursor=cursor,
        )

    def columns(self, workspace: str, keys: NDArray[np.int64] | None = None) -> MemoryColumns:
        """Return memories as columns."""
        wanted = None if keys is None else set(keys.tolist())
        rows = [
            (key, each)
            for key, each in self.held.items()
            if each.workspace == workspace and (wanted is None or key in wanted)
        ]
        held = [each for _, each in rows]
        told: dict[str, Any] = {
            "keys": np.array([key for key, _ in rows], np.int64),
            "content_hashes": [content_hash(public_text(each.content)) for each in held],
            "chars": np.array([len(public_text(each.content)) for each in held], np.int64),
            "archived": _flags(each.lifecycle == "archived" for each in held),
            "stale": _flags(each.lifecycle == "stale" for each in held),
            "private": _flags(has_private(each.content) for each in held),
            "turns": _flags(each.turn for each in held),
            "pinned": _flags(each.pinned for each in held),
            "updated_at": _times(each.updated_at or each.created_at for each in held),
        }
        for name in ("id", "scope", "type", "session_id", "source"):
            told[f"{name}s"] = [getattr(each, name) for each in held]
        for name in ("importance", "access_count", "version"):
            kind = np.float64 if name == "importance" else np.int64
            told[name] = np.array([getattr(each, name) for each in held], kind)
        for name in MemoryColumns.__dataclass_fields__:
            if name not in told:
                told[name] = _times(getattr(each, name) for each in held)
        return MemoryColumns(**told)

    def texts(self, keys: NDArray[np.int64]) -> list[str]:
        """Return public texts."""
        return [
            public_text(self.held[key].content) if key in self.held else "" for key in keys.tolist()
        ]

    def details(self, keys: NDArray[np.int64]) -> list[Details]:
        """Return tags and metadata."""
        nothing = Held(content="")
        held = [self.held.get(key, nothing) for key in keys.tolist()]
        return [Details(each.tags, each.metadata) for each in held]

    def links(
        self,
        workspace: str,
        keys: NDArray[np.int64] | None = None,
        *,
        types: Sequence[str] | None = None,
    ) -> LinkColumns:
        """Return open links: those without an end, both ends in the workspace."""
        ours = {each.id: key for key, each in self.held.items() if each.workspace == workspace}
        wanted = None if keys is None else set(keys.tolist())
        ties = [
            each
            for _, each in sorted(self.ties.items())
            if each.from_id in ours
            and each.to_id in ours
            and each.valid_to is None
            and (types is None or each.type in types)
            and (wanted is None or {ours[each.from_id], ours[each.to_id]} & wanted)
        ]
        return LinkColumns(
            ids=[each.id for each in ties],
            from_keys=np.array([ours[each.from_id] for each in ties], np.int64),
            to_keys=np.array([ours[each.to_id] for each in ties], np.int64),
            types=[each.type for each in ties],
            sources=[each.source for each in ties],
            weights=np.array([each.weight for each in ties], np.float64),
            pinned=_flags(each.pinned for each in ties),
            created_at=[each.created_at for each in ties],
            updated_at=[each.updated_at for each in ties],
            valid_from=_times(each.valid_from for each in ties),
            valid_to=_times(each.valid_to for each in ties),
        )

    def carried_out(self, changes: Iterable[Change], *, now: datetime = NOW) -> World:
        """Return the world once these changes are carried out; one that was not as seen is refused.

        Memories that are remembered get the next keys, and no vector.
        """
        told = World(())
        told.held, told.ties = dict(self.held), dict(self.ties)
        for change in changes:
            if change.action == "remember":
                known = {each.name for each in fields(Held)}
                given = {name: each for name, each in change.fields.items() if name in known}
                key = max(told.held, default=0) + 1
                told.held[key] = Held(**{**given, "id": change.id, "created_at": now})
            elif change.action in {"link", "unlink"}:
                _carry_tie(told.ties, change, now)
            else:
                _carry_held(told, change, now)
        return told


def _carry_tie(ties: dict[str, Tie], change: Change, now: datetime) -> None:
    was = ties.get(change.id)
    assert change.seen == (was and was.updated_at), f"{change} was planned for another link"
    if change.action == "unlink":
        del ties[change.id]
        return
    known = {each.name for each in fields(Tie)}
    given = {name: each for name, each in change.fields.items() if name in known}
    made = was.created_at if was else now
    ties[change.id] = Tie(**{**given, "id": change.id, "created_at": made, "updated_at": now})


def _carry_held(world: World, change: Change, now: datetime) -> None:
    key = world.key_of(change.id)
    was = world.held[key]
    assert change.seen == was.version, f"{change} was planned for another version"
    if change.action == "forget":
        del world.held[key]
        return
    assert set(change.fields) <= _CHANGED
    given = {**change.fields, "version": was.version + 1, "updated_at": now}
    world.held[key] = replace(was, **given)


class Given:
    """The nearest by vectors that are given, by comparing with all: unit length or none.

    Args:
        vectors: By key; None for a memory without.
    """

    def __init__(self, vectors: Mapping[int, Sequence[float] | None]) -> None:
        told = {key: each for key, each in sorted(vectors.items()) if each is not None}
        self._keys = np.array(list(told), np.int64)
        dim = len(next(iter(told.values()), ()))
        self._vectors = np.array(list(told.values()), np.float32).reshape(len(told), dim)
        lengths = np.linalg.norm(self._vectors, axis=1, keepdims=True)
        self._vectors /= np.maximum(lengths, 1e-12)

    def near(self, keys: NDArray[np.int64], k: int) -> Near:
        """Return the nearest of each: ties by key."""
        found, cosines = np.zeros((len(keys), k), np.int64), np.zeros((len(keys), k), np.float32)
        for row, key in enumerate(keys.tolist()):
            own = np.flatnonzero(self._keys == key)
            if not len(own):
                continue
            scores = self._vectors @ self._vectors[own[0]]
            order = np.lexsort((self._keys, -scores))
            order = order[order != own[0]][:k]
            found[row, : len(order)] = self._keys[order]
            cosines[row, : len(order)] = scores[order]
        return Near(found, cosines)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one vector for all texts: whatever is said, frames are near."""
        return np.ones((len(texts), 1), np.float32)

    def vectors(self, keys: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return vectors, zeros where there is none, and which there are."""
        told = np.zeros((len(keys), self._vectors.shape[1]), np.float32)
        places = {key: row for row, key in enumerate(self._keys.tolist())}
        has = np.array([key in places for key in keys.tolist()], np.bool_)
        for row, key in enumerate(keys.tolist()):
            if key in places:
                told[row] = self._vectors[places[key]]
        return told, has


def _flags(values: Iterable[bool]) -> NDArray[np.bool_]:
    return np.array(list(values), np.bool_)


def _times(values: Iterable[datetime | None]) -> NDArray[np.float64]:
    return np.array(
        [float("nan") if each is None else each.timestamp() for each in values], np.float64
    )
