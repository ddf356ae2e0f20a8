"""Names for what can be plugged in: each refuses a second owner, and lists what it knows.

Three doors lead in: `add` a thing, decorate it with `register`, or install a package that declares
it as an entry point:

    [project.entry-points."engram_lab.embedders"]
    mine = "my_package:make_embedder"
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from engram_lab.core.errors import ConflictError, InvalidInputError
from engram_lab.core.sqlite import SqliteStore, open_embedding_cache

if TYPE_CHECKING:
    from collections.abc import Callable
    from importlib.metadata import EntryPoint

__all__ = ["STORES", "Registry", "open_embedding_cache"]

T = TypeVar("T")


class Registry(Generic[T]):
    """The implementations of one plug point, by name.

    Packages are asked for entry points only when a name is not known otherwise, or all names are
    wanted; one is loaded, with all it imports, only when it is asked for. What a program registers
    itself comes before an entry point of the same name.

    Args:
        kind: What they are, as an error says it: `store`, `embedder`.
        group: The group of entry points by which installed packages add theirs; None for no such
            door.
    """

    def __init__(self, kind: str, *, group: str | None = None) -> None:
        self.kind = kind
        self.group = group
        self._known: dict[str, T] = {}
        self._installed: dict[str, list[EntryPoint]] | None = None

    def add(self, name: str, thing: T) -> T:
        """Register a thing and return it.

        Raises:
            ConflictError: The name is taken.
        """
        if name in self._known:
            raise ConflictError(f"there already is a {self.kind} {name!r}: choose another name")
        self._known[name] = thing
        return thing

    def register(self, name: str) -> Callable[[T], T]:
        """Return a decorator that registers what it is put before, unchanged.

        Raises:
            ConflictError: The name is taken.
        """

        def registered(thing: T) -> T:
            return self.add(name, thing)

        return registered

    def get(self, name: str) -> T:
        """Return the thing of a name.

        Raises:
            InvalidInputError: The name is unknown, and the message lists those that are known; or
                an installed package that declares it cannot be loaded.
            ConflictError: Two installed packages declare it.
        """
        if name not in self._known:
            if name not in self._entry_points():
                self._refuse(name)
            self._known[name] = self._load(name)
        return self._known[name]

    def names(self) -> tuple[str, ...]:
        """Return the known names, sorted, those of installed packages among them."""
        return tuple(sorted({*self._known, *self._entry_points()}))

    def _refuse(self, name: str) -> None:
        names = self.names()
        close = get_close_matches(name, names, n=1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        raise InvalidInputError(
            f"there is no {self.kind} {name!r}{hint}: known are {', '.join(names)}"
        )

    def _entry_points(self) -> dict[str, list[EntryPoint]]:
        """Return what installed packages declare, by name; they are asked once."""
        if self._installed is None:
            found: dict[str, list[EntryPoint]] = {}
            if self.group is not None:
                from importlib.metadata import entry_points

                for each in entry_points(group=self.group):
                    found.setdefault(each.name, []).append(each)
            self._installed = found
        return self._installed

    def _load(self, name: str) -> T:
        declared = self._entry_points()[name]
        if len({each.value for each in declared}) > 1:
            owners = " and ".join(sorted(_owner(each) for each in declared))
            raise ConflictError(
                f"the {self.kind} {name!r} is declared by {owners}: uninstall all but one"
            )
        try:
            return cast("T", declared[0].load())
        except Exception as error:
            raise InvalidInputError(
                f"the {self.kind} {name!r} of {_owner(declared[0])} cannot be loaded from "
                f"{declared[0].value!r} ({type(error).__name__}: {error}): "
                "repair or uninstall that package"
            ) from error


def _owner(entry: EntryPoint) -> str:
    if entry.dist is None:
        return "an unknown package"
    return f"the package {entry.dist.name} {entry.dist.version}"


STORES: Registry[Any] = Registry("store", group="engram_lab.stores")
"""What `store.kind` may name: anything with `open(path, settings, clock, read_only)` -> `Store`."""
STORES.add("sqlite", SqliteStore)
