"""What joins memories, by key: links, and the order of the turns of a conversation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import apsw
import numpy as np
import orjson

from engram_lab.core.checks import check_limit
from engram_lab.core.clock import parse_time, to_us
from engram_lab.core.errors import InvalidInputError, shown
from engram_lab.core.protocols import LinkRows, SpokenTurns, TurnPlace
from engram_lab.core.sqlite.conditions import Where, readable
from engram_lab.core.sqlite.rows import fetch

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from engram_lab.core.sqlite.context import Context

__all__ = ["Relations", "as_keys"]

_FARTHEST: Final = 1_000
_SECOND: Final = 1_000_000
_MEDIA_FIELDS: Final = (
    "attachment", "attachments", "audio", "image", "image_url", "images", "img_url", "media",
    "media_url", "photo", "photos", "picture", "pictures", "video", "video_url",
)  # fmt: skip
"""Fields of metadata that say a medium goes with a turn, whatever program wrote them."""


def as_keys(keys: Any) -> NDArray[np.int64]:
    """Return keys as one contiguous row of int64.

    Raises:
        InvalidInputError: They are no whole numbers in one row.
    """
    given = np.asarray(keys)
    if given.ndim != 1 or (given.size and given.dtype.kind not in "iu"):
        raise InvalidInputError(
            f"keys is {given.dtype} of the shape {list(given.shape)}: give int64 [n]"
        )
    return np.ascontiguousarray(given, dtype=np.int64)


class Relations:
    """The links and turns of the store, by the keys of memories."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def find(self, ids: Sequence[str]) -> NDArray[np.int64]:
        """Return the keys of memories by id, in order: int64 [n], 0 where there is none in reach.

        Forgotten and expired ones have their keys still.
        """
        asked: Sequence[Any] = ids
        wanted = tuple({each for each in asked if isinstance(each, str)})
        if not wanted:
            return np.zeros(len(asked), np.int64)
        where = Where()
        readable(where, self._context.access)
        with self._context.database.read() as connection:
            found = dict(
                connection.execute(
                    "SELECT m.id, m.pk FROM carray(?) AS c CROSS JOIN memories AS m "
                    f"ON m.id = c.value WHERE {where.sql}",
                    (apsw.carray(wanted), *where.values),
                )
            )
        return np.array([found.get(each, 0) if isinstance(each, str) else 0 for each in asked])

    def links(
        self,
        keys: NDArray[np.int64],
        *,
        valid_at: datetime | None = None,
        types: Sequence[str] | None = None,
    ) -> LinkRows:
        """Return the links from or to any of the memories that hold at a moment (now unless told).

        In the order of `from_keys`, then `to_keys`; both ends may be read and are not forgotten.

        Raises:
            InvalidInputError: Types that are no list of texts.
        """
        asked = as_keys(keys)
        now = to_us(self._context.now())
        at = now if valid_at is None else to_us(parse_time(valid_at, field="valid_at"))
        where = Where()
        where.add("(l.valid_from IS NULL OR l.valid_from <= ?)", at)
        where.add("(l.valid_to IS NULL OR l.valid_to > ?)", at)
        chosen = None if types is None else _check_types(types)
        if chosen:
            where.add("l.type IN (SELECT value FROM carray(?))", apsw.carray(chosen))
        for end in ("a", "b"):
            self._seen(where, end)
        rows = []
        if len(asked) and chosen != ():
            values = (apsw.carray(asked), apsw.carray(asked), *where.values)
            with self._context.database.read() as connection:
                rows = fetch(connection, _LINKS.format(where=where.sql), values)
        return LinkRows(
            from_keys=np.fromiter((row[0] for row in rows), np.int64, len(rows)),
            to_keys=np.fromiter((row[1] for row in rows), np.int64, len(rows)),
            weights=np.fromiter((row[2] for row in rows), np.float64, len(rows)),
        )

    def turns(self, keys: NDArray[np.int64]) -> list[TurnPlace | None]:
        """Return where each memory stands in its conversation; None for one that is no turn."""
        asked = as_keys(keys)
        if not len(asked):
            return []
        where = self._spoken("m", "s")
        with self._context.database.read() as connection:
            rows = fetch(
                connection, _TURNS.format(where=where.sql), (apsw.carray(asked), *where.values)
            )
        places = {row[0]: TurnPlace(*row[1:]) for row in rows}
        return [places.get(key) for key in asked.tolist()]

    def turns_around(self, keys: NDArray[np.int64], distance: int) -> NDArray[np.int64]:
        """Return the turns near each memory's turn: int64 [n, 2 · distance + 1], 0 where none.

        Raises:
            InvalidInputError: A distance below 0 or above 1000.
        """
        asked = as_keys(keys)
        if distance != 0:
            check_limit(distance, field="distance", most=_FARTHEST)
        around = np.zeros((len(asked), 2 * distance + 1), np.int64)
        if not len(asked):
            return around
        distinct, places = np.unique(asked, return_inverse=True)
        where = self._spoken("m", "s")
        self._seen(where, "n")
        with self._context.database.read() as connection:
            rows = fetch(
                connection,
                _AROUND.format(where=where.sql),
                (apsw.carray(distinct), distance, distance, *where.values),
            )
        if rows:
            found = np.array(rows, np.int64)
            near = np.zeros((len(distinct), around.shape[1]), np.int64)
            near[np.searchsorted(distinct, found[:, 0]), found[:, 1] + distance] = found[:, 2]
            around = near[places]
        return around

    def spoken(self, keys: NDArray[np.int64] | None = None) -> SpokenTurns:
        """Return those of the memories that are turns and may be searched, by rising key.

        What has expired is among them: see `core.protocols.Corpus` on what may be searched.

        Args:
            keys: int64 [n]; all memories unless told.

        Raises:
            AccessDeniedError: An agent asks.
        """
        self._context.access.check_owner("read turns in bulk")
        among, joined = "", ""
        values: list[Any] = [orjson.dumps(_MEDIA_FIELDS).decode()]
        asked = None if keys is None else np.unique(as_keys(keys))
        if asked is not None and len(asked):
            among, joined = "carray(?) AS c CROSS JOIN", "ON t.pk = c.value"
            values.append(apsw.carray(asked))
        rows = []
        if asked is None or len(asked):
            with self._context.database.read() as connection:
                rows = fetch(connection, _SPOKEN.format(among=among, joined=joined), values)
        count = len(rows)
        return SpokenTurns(
            keys=np.fromiter((row[0] for row in rows), np.int64, count),
            session_ids=[row[1] for row in rows],
            positions=np.fromiter((row[2] for row in rows), np.int64, count),
            speakers=[row[3] for row in rows],
            spoken_at=np.fromiter(
                (math.nan if row[4] is None else row[4] / _SECOND for row in rows),
                np.float64,
                count,
            ),
            media=np.fromiter((row[5] for row in rows), np.bool_, count),
            contents=[row[6] for row in rows],
        )

    def _seen(self, where: Where, alias: str) -> None:
        """Keep to memories that may be read, and are neither forgotten nor expired."""
        where.add(f"{alias}.forgotten_at IS NULL")
        where.add(
            f"({alias}.expires_at IS NULL OR {alias}.expires_at > ?)", to_us(self._context.now())
        )
        readable(where, self._context.access, alias)

    def _spoken(self, memory: str, session: str) -> Where:
        """Return the condition that a turn and its conversation may both be seen."""
        where = Where()
        self._seen(where, memory)
        readable(where, self._context.access, session)
        return where


_LINKS: Final = """
SELECT l.from_pk, l.to_pk, l.weight
FROM (SELECT id FROM carray(?) AS c CROSS JOIN links ON from_pk = c.value
      UNION SELECT id FROM carray(?) AS c CROSS JOIN links ON to_pk = c.value) AS u
CROSS JOIN links AS l ON l.id = u.id
CROSS JOIN memories AS a ON a.pk = l.from_pk CROSS JOIN memories AS b ON b.pk = l.to_pk
WHERE {where} ORDER BY l.from_pk, l.to_pk, l.type, l.id
"""
_TURNS: Final = """
SELECT t.pk, t.session_id, t.position, t.speaker
FROM carray(?) AS c CROSS JOIN turns AS t ON t.pk = c.value
CROSS JOIN memories AS m ON m.pk = t.pk CROSS JOIN sessions AS s ON s.id = t.session_id
WHERE {where}
"""
_SPOKEN: Final = """
SELECT t.pk, t.session_id, t.position, t.speaker, coalesce(t.spoken_at, m.event_at),
  m.media_url IS NOT NULL OR m.type IN ('image', 'audio', 'video') OR (
    m.metadata <> '{{}}' AND EXISTS (
      SELECT 1 FROM json_each(m.metadata) AS f CROSS JOIN json_each(?) AS n ON f.key = n.value
      WHERE f.type NOT IN ('null', 'false') AND f.value NOT IN ('', '[]', '{{}}'))),
  coalesce(m.public_content, m.content)
FROM {among} turns AS t {joined} CROSS JOIN memories AS m ON m.pk = t.pk
WHERE m.forgotten_at IS NULL ORDER BY t.pk
"""
_AROUND: Final = """
SELECT t.pk, o.position - t.position, o.pk
FROM carray(?) AS c CROSS JOIN turns AS t ON t.pk = c.value
CROSS JOIN memories AS m ON m.pk = t.pk CROSS JOIN sessions AS s ON s.id = t.session_id
CROSS JOIN turns AS o ON o.session_id = t.session_id
  AND o.position BETWEEN t.position - ? AND t.position + ?
CROSS JOIN memories AS n ON n.pk = o.pk
WHERE {where}
"""


def _check_types(types: Any) -> tuple[str, ...]:
    if isinstance(types, str) or not all(isinstance(each, str) for each in types):
        raise InvalidInputError(f"types is {shown(types)}: give a list of texts")
    return tuple(dict.fromkeys(types))
