"""UUIDv7 identifiers, drawn from the injected clock and an injected seed.

Source: RFC 9562, section 5.7 (layout) and section 6.2, method 1 (a counter keeps ids of one
millisecond in order).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from random import Random
from typing import TYPE_CHECKING, Any, Final

from engram_lab.core.clock import to_us
from engram_lab.core.errors import InvalidInputError, shown

if TYPE_CHECKING:
    from datetime import datetime


__all__ = ["IdSource", "check_id", "check_ids", "wanted_of"]

_COUNTER_BITS: Final = 30
_RANDOM_BITS: Final = 44
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")


class IdSource:
    """Makes UUIDv7 texts that sort in the order in which they were made.

    Within one millisecond a 30-bit counter, started at random in its lower half, keeps the order;
    44 further bits are random. Should the clock run back, ids go on from the last millisecond.

    Args:
        seed: The same seed and clock give the same ids. `None` seeds from the machine's entropy.
    """

    def __init__(self, seed: int | str | None = None) -> None:
        self._random = Random(seed)  # noqa: S311 - ids need to be unique, not secret
        self._counter = 0
        self._begin(-1)

    def new(self, at: datetime) -> str:
        """Return the next id for the moment `at`."""
        millisecond = max(0, to_us(at) // 1000)  # UUIDv7 knows no time before 1970
        if millisecond > self._millisecond:
            self._begin(millisecond)
            self._counter = self._random.getrandbits(_COUNTER_BITS - 1)
        else:
            self._counter += 1
            if self._counter >> _COUNTER_BITS:
                self._begin(self._millisecond + 1)
                self._counter = 0
        counter = self._counter
        # Version 7 and 12 bits of the counter, the variant and 14 bits, the last 4 and the random.
        low = (counter & 0xF) << _RANDOM_BITS | self._random.getrandbits(_RANDOM_BITS)
        middle = 0x8000 | counter >> 4 & 0x3FFF
        return f"{self._time}-7{counter >> 18:03x}-{middle:04x}-{low:012x}"

    def _begin(self, millisecond: int) -> None:
        self._millisecond = millisecond
        stamp = millisecond & 0xFFFF_FFFF_FFFF
        self._time = f"{stamp >> 16:08x}-{stamp & 0xFFFF:04x}"


def check_id(value: object, *, field: str = "id", advice: str = "") -> str:
    """Return `value` if it is a UUID in its canonical lower-case form.

    Args:
        value: Whatever was given.
        field: What it is for.
        advice: What else a refusal says, such as where another key is kept.

    Raises:
        InvalidInputError: It is not.
    """
    if not isinstance(value, str) or _UUID.match(value) is None:
        raise InvalidInputError(
            f"{field} is {shown(value, limit=60)}: give a UUID in lower case such as "
            f"01890a5d-ac96-774b-bcce-b302099a8057, or leave it out to get a new one{advice}"
        )
    return value


def wanted_of(value: object) -> str:
    """Return what to give where an id is asked for and a whole record was given."""
    for name in ("run_id", "id"):
        if isinstance(getattr(value, name, None), str):
            return f"its .{name}"
    return "a text or a number"


def check_ids(ids: object, *, field: str = "ids") -> list[str]:
    """Return several ids as a list.

    Raises:
        InvalidInputError: It is one text or one record, or holds records instead of their ids.
    """
    if isinstance(ids, str | bytes) or not isinstance(ids, Iterable):
        alone = "a text" if isinstance(ids, str) else f"a {type(ids).__name__}"
        raise InvalidInputError(f"{field} is {alone}: give a list of ids")
    given: list[Any] = list(ids)
    for each in given:
        if not isinstance(each, str) and (wanted := wanted_of(each)).startswith("its"):
            raise InvalidInputError(f"{field} holds a {type(each).__name__}: give {wanted}")
    return given
