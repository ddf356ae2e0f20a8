"""One event, one line: as JSON or as text for people, with nothing in it that forges or tells."""

from __future__ import annotations

import json
import re
from traceback import walk_tb
from typing import TYPE_CHECKING, Any, Final

import orjson

from engram_lab.core.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

    from engram_lab.core.clock import Clock

__all__ = ["Stamp", "as_json", "as_text", "error_fields", "withhold"]

_WITHHELD: Final = frozenset(
    (
        *("api_key", "authorization", "cookie", "credential", "jwt", "key", "password", "secret"),
        *(
            "body",
            "content",
            "headers",
            "memory",
            "message",
            "path",
            "query",
            "text",
            "token",
            "url",
        ),
    )
)
_LONGEST: Final = 2_000
_MOST_FRAMES: Final = 24

# What some reader takes for the end of a line, or for an order to turn the writing round. orjson
# writes everything below a space as \u00xx by itself.
_FORGING = re.compile("[\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")

# Should one get here after all. Keys show their first characters, which are no secret.
_SECRET = re.compile(
    r"(_(?:live|test)_)[A-Za-z0-9_-]{6,}"
    r"|(eyJ)[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_.-]+"
    r"|([Bb]earer )[^\s\"\\]{6,}"
    r"|(://[^:@/\s\"]*:)[^@\s\"]+@"
)
_HINTS: Final = ("_live_", "_test_", "eyJ", "earer ", "://")
_PLAIN = re.compile(r"[\w.:/{}@+-]+\Z", re.ASCII)
_INSTEAD: Final = "***"


class Stamp:
    """Adds the moment and the level, in front."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def __call__(
        self, _logger: object, level: str, event: MutableMapping[str, Any]
    ) -> dict[str, Any]:
        """Return the event, stamped."""
        at = self._clock.now().isoformat(timespec="microseconds").replace("+00:00", "Z")
        return {"timestamp": at, "level": level, "event": event.pop("event"), **event}


def withhold(
    _logger: object, _level: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Replace the values of fields whose names are those of secrets and of content."""
    if not _WITHHELD.isdisjoint(event):
        for name in _WITHHELD.intersection(event):
            event[name] = _INSTEAD
    return event


def as_json(_logger: object, _level: str, event: MutableMapping[str, Any]) -> str:
    """Return the event as one line of JSON."""
    return _harmless(_encoded(event))


def as_text(_logger: object, _level: str, event: MutableMapping[str, Any]) -> str:
    """Return the event as one line for people: when, how grave, what, and the rest by name."""
    fields = dict(event)
    when, level, what = (str(fields.pop(name, "")) for name in ("timestamp", "level", "event"))
    rest = (f"{name}={_word(value)}" for name, value in fields.items() if value is not None)
    return _harmless(" ".join([when, f"{level:<7}", _word(what), *rest]))


def error_fields(error: BaseException) -> dict[str, Any]:
    """Return what is logged of an error: its type and where it came from.

    Not what it says: errors quote what they stumbled over, and that may be somebody's memory. Of
    the database and the machine it is told, as these know of files, pages and locks alone.
    """
    fields: dict[str, Any] = {"error_type": type(error).__name__, "error_at": _frames(error)}
    if isinstance(error, StoreError):
        fields["error_says"] = str(error)[:_LONGEST]
    elif isinstance(error, OSError) and error.strerror:
        fields["error_says"] = error.strerror
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        fields["error_cause"] = type(cause).__name__
        fields["error_cause_at"] = _frames(cause)
    return fields


def _frames(error: BaseException) -> list[str]:
    """Return module, function and line of each step, the last one being where it was raised."""
    steps = [
        f"{frame.f_globals.get('__name__', '?')}:{frame.f_code.co_name}:{line}"
        for frame, line in walk_tb(error.__traceback__)
    ]
    return steps[-_MOST_FRAMES:]


def _encoded(value: Mapping[str, Any] | Any) -> str:
    try:
        return orjson.dumps(value, default=_told, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:  # half of a surrogate pair, a number beyond 64 bits, a circle
        try:
            return json.dumps(value, default=_told, skipkeys=True)
        except (ValueError, RecursionError):
            return json.dumps({"event": "log_failed", "level": "error"})


def _told(value: object) -> str:
    """Return what stands for a value that JSON does not know: its type, as it may quote content."""
    return f"<{type(value).__name__}>"


def _word(value: object) -> str:
    if isinstance(value, str):
        return value if _PLAIN.match(value) else _encoded(value)
    return _encoded(value)


def _harmless(line: str) -> str:
    if not line.isascii() or "\x7f" in line:
        line = _FORGING.sub(lambda each: f"\\u{ord(each[0]):04x}", line)
    # Most lines have none of these words, which is told a hundred times faster than by the pattern.
    return _SECRET.sub(_masked, line) if any(word in line for word in _HINTS) else line


def _masked(found: re.Match[str]) -> str:
    shown = next(group for group in found.groups() if group is not None)
    return f"{shown}{_INSTEAD}" + ("@" if shown.startswith("://") else "")
