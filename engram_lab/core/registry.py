"""Names for what can be plugged in: each refuses a second owner, and lists what it knows."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any, Generic, TypeVar

from engram_lab.core.errors import ConflictError, InvalidInputError
from engram_lab.core.sqlite import SqliteStore

__all__ = ["STORES", "Registry"]

T = TypeVar("T")


class Registry(Generic[T]):
    """The implementations of one plug point, by name.

    Args:
        kind: What they are, as an error says it: `store`, `embedder`.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._known: dict[str, T] = {}

    def add(self, name: str, thing: T) -> T:
        """Register a thing and return it.

        Raises:
            ConflictError: The name is taken.
        """
        if name in self._known:
            raise ConflictError(f"there already is a {self.kind} {name!r}: choose another name")
        self._known[name] = thing
        return thing

    def get(self, name: str) -> T:
        """Return the thing of a name.

        Raises:
            InvalidInputError: The name is unknown; the message lists those that are known.
        """
        if name not in self._known:
            close = get_close_matches(name, self._known, n=1)
            hint = f" (did you mean {close[0]!r}?)" if close else ""
            raise InvalidInputError(
                f"there is no {self.kind} {name!r}{hint}: known are {', '.join(self.names())}"
            )
        return self._known[name]

    def names(self) -> tuple[str, ...]:
        """Return the known names, sorted."""
        return tuple(sorted(self._known))


STORES: Registry[Any] = Registry("store")
"""What `store.kind` may name: anything with `open(path, settings, clock, read_only)` -> `Store`."""
STORES.add("sqlite", SqliteStore)
