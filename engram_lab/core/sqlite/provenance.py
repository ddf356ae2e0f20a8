"""What dreams made of a memory, and what they keep of it: where it goes, that goes with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import apsw
import numpy as np
import orjson

from engram_lab.core.sqlite.reading import STATES
from engram_lab.core.sqlite.rows import fetch, memory_of, select_columns

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engram_lab.core.types import Memory

__all__ = ["derived_from", "drop_traces"]

_IS_DREAMT: Final = "m.source >= 'dream:' AND m.source < 'dream;'"
_BY_LINKS: Final = (
    "SELECT m.pk FROM carray(?) AS c CROSS JOIN links AS l ON l.to_pk = c.value "
    "CROSS JOIN memories AS m ON m.pk = l.from_pk "
    f"WHERE l.type = 'derived_from' AND {_IS_DREAMT}"
)
_RESTS_ON: Final = (
    "EXISTS (SELECT 1 FROM json_each(j.sources) AS s "
    "WHERE s.value IN (SELECT value FROM carray(?)))"
)
_BY_JOURNAL: Final = (
    "SELECT m.pk FROM dream_journal AS j CROSS JOIN memories AS m ON m.pk = j.pk "
    f"WHERE j.action = 'remember' AND {_RESTS_ON}"
)
_IDS: Final = "SELECT m.id FROM carray(?) AS c CROSS JOIN memories AS m ON m.pk = c.value"
_OF_KEYS: Final = (
    f"SELECT {select_columns('m', private=True)}, m.pk "
    "FROM carray(?) AS c CROSS JOIN memories AS m ON m.pk = c.value ORDER BY m.pk"
)
_DROP_ROWS: Final = (
    "DELETE FROM dream_journal WHERE pk IN (SELECT value FROM carray(?)) "
    "OR to_pk IN (SELECT value FROM carray(?))"
)
_RESTING: Final = f"SELECT run, number, sources FROM dream_journal AS j WHERE {_RESTS_ON}"
_BLANK: Final = "UPDATE dream_journal SET fields = NULL, sources = ? WHERE run = ? AND number = ?"
_DROP_QUOTES: Final = (
    "DELETE FROM pending_injections WHERE EXISTS (SELECT 1 FROM carray(?) AS c "
    f"CROSS JOIN {STATES} AS s ON s.pk = c.value WHERE instr(pending_injections.content, s.id) "
    "OR instr(pending_injections.content, s.content) "
    "OR instr(pending_injections.content, s.public_content))"
)


def derived_from(
    connection: apsw.Connection, keys: Iterable[int], *, by_journal: bool = False
) -> list[tuple[int, Memory]]:
    """Return what dreams derived from memories, and from that in turn, by rising key.

    By their links `derived_from`; and by the journal, which knows also where a link was removed.
    """
    found: set[int] = set(keys)
    asked, derived = found, set()
    while asked:
        bound = np.array(sorted(asked), np.int64)
        next_ones = {pk for (pk,) in fetch(connection, _BY_LINKS, (apsw.carray(bound),))}
        if by_journal:
            ids = tuple(id_ for (id_,) in fetch(connection, _IDS, (apsw.carray(bound),)))
            if ids:
                rows = fetch(connection, _BY_JOURNAL, (apsw.carray(ids),))
                next_ones |= {pk for (pk,) in rows}
        asked = next_ones - found
        found = found | asked
        derived |= asked
    if not derived:
        return []
    told = fetch(connection, _OF_KEYS, (apsw.carray(np.array(sorted(derived), np.int64)),))
    return [(row[-1], memory_of(row)) for row in told]


def drop_traces(connection: apsw.Connection, memories: Iterable[tuple[int, str]]) -> None:
    """Remove what dreams keep of memories, given by key and id, that are about to be purged.

    Their rows leave the journal. Of what rests on them it keeps no more than undoing needs, which
    quotes nothing. A text that waits to be put before an agent goes if it quotes one of them.
    """
    gone = list(memories)
    if not gone:
        return
    keys = np.array([pk for pk, _ in gone], np.int64)
    ids = tuple(id_ for _, id_ in gone)
    connection.execute(_DROP_QUOTES, (apsw.carray(keys),))
    connection.execute(_DROP_ROWS, (apsw.carray(keys), apsw.carray(keys)))
    blanked = [
        (orjson.dumps([each for each in orjson.loads(told) if each not in ids]).decode(), *place)
        for *place, told in fetch(connection, _RESTING, (apsw.carray(ids),))
    ]
    connection.executemany(_BLANK, blanked)
