"""JSON files as they were published: read, and refused by place where their shape is another."""

from __future__ import annotations

import hashlib
import json
import mmap
import re
from codecs import BOM_UTF8
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import orjson

from engram_lab.core.errors import DatasetMissingError, InvalidInputError, shown
from engram_lab.evaluation.datasets.dataset import DataFile
from engram_lab.evaluation.datasets.reading import refused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Place", "each_of_list", "find", "read_json"]

_TOKEN: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{}]', re.DOTALL)
"""A string, so that brackets inside it do not count, or a bracket."""

_OPENING: Final = b"[{"
_CLOSING: Final = b"]}"
_MEMBER: Final = 2
"""How many brackets are open inside a member of the list that the file is."""

_SHOWN: Final = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A value in a JSON file, and where it lies there.

    Each reading method returns what is there, or refuses the file and names the place.

    Attributes:
        value: Whatever JSON holds.
        file: The file.
        step: The last step of the way here: `.qa` or `[3]`.
        above: Where that step was taken from.
    """

    value: Any
    file: Path
    step: str = ""
    above: Place | None = None

    @property
    def path(self) -> str:
        """The way from the top of the file, such as `[3].conversation.session_2[0]`."""
        here: Place | None = self
        steps: list[str] = []
        while here is not None:
            steps.append(here.step)
            here = here.above
        return "".join(reversed(steps)).removeprefix(".") or "the whole file"

    def refused(self, expected: str) -> InvalidInputError:
        """Return the error that says what should have been here."""
        return refused(self.file, self.path, f"{expected} is expected, not {shown(self.value)}")

    def names(self) -> tuple[str, ...]:
        """Return the names of an object's members, in order."""
        if not isinstance(self.value, dict):
            raise self.refused("an object")
        return tuple(self.value)

    def find(self, name: str) -> Place | None:
        """Return a member of an object, or None where it is absent or null."""
        if not isinstance(self.value, dict):
            raise self.refused("an object")
        value = self.value.get(name)
        if value is None:
            return None
        return Place(value=value, file=self.file, step=f".{name}", above=self)

    def at(self, name: str) -> Place:
        """Return a member of an object."""
        member = self.find(name)
        if member is None:
            here = ", ".join(self.names()) or "nothing"
            raise refused(self.file, self.path, f"a member {name!r} is expected beside {here}")
        return member

    def each(self) -> tuple[Place, ...]:
        """Return the members of a list."""
        if not isinstance(self.value, list):
            raise self.refused("a list")
        return tuple(
            Place(value=value, file=self.file, step=f"[{number}]", above=self)
            for number, value in enumerate(self.value)
        )

    def text(self) -> str:
        """Return the string here."""
        if not isinstance(self.value, str):
            raise self.refused("a string")
        return self.value

    def name(self) -> str:
        """Return the name here: a string, or a whole number as one."""
        return str(self.number()) if isinstance(self.value, int) else self.text()

    def flag(self) -> bool:
        """Return the true or false here."""
        if not isinstance(self.value, bool):
            raise self.refused("true or false")
        return self.value

    def number(self) -> int:
        """Return the whole number here."""
        if not isinstance(self.value, int) or isinstance(self.value, bool):
            raise self.refused("a whole number")
        return self.value

    def moment(self, *parts: int | str, expected: str) -> datetime:
        """Return the time of these parts, from the year on; published times are taken as UTC."""
        year, month, day, *clock = (int(part) for part in parts)
        try:
            return datetime(year, month, day, *clock, tzinfo=UTC)  # type: ignore[misc,arg-type]
        except (TypeError, ValueError):
            raise self.refused(expected) from None


def find(folder: Path, *names: str) -> Path:
    """Return the first of the named files that the folder holds, or the file that was named itself.

    Raises:
        DatasetMissingError: It holds none of them.
    """
    if folder.is_file():
        return folder
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise DatasetMissingError(f"there is no file {' or '.join(names)} in {folder}")


def read_json(path: Path) -> tuple[Place, DataFile]:
    """Return the content of a JSON file that fits into memory, and the file's record.

    NaN, which other programs write for what is missing, is read as null.

    Raises:
        InvalidInputError: It is not JSON.
    """
    content = path.read_bytes()
    try:
        value = _parsed(content)
    except orjson.JSONDecodeError as error:
        raise refused(path, error.lineno, f"is no JSON ({error})") from error
    digest = hashlib.sha256(content).hexdigest()
    return (
        Place(value=value, file=path),
        DataFile(name=path.name, sha256=digest, size=len(content)),
    )


def each_of_list(path: Path) -> Iterator[Place]:
    """Yield the objects of a JSON list, whatever its size: one at a time is in memory.

    Raises:
        InvalidInputError: It is no list of objects, or ends too soon.
    """
    if not path.stat().st_size:
        raise Place(value="", file=path).refused("a list of objects")
    with path.open("rb") as file:
        # Not closed here: the search below holds on to it, and both go when this generator goes.
        content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    number = depth = start = 0
    end = len(BOM_UTF8) if content[: len(BOM_UTF8)] == BOM_UTF8 else 0
    for token in _TOKEN.finditer(content):
        sign = content[token.start()]
        if sign in _OPENING:
            depth += 1
            if depth == _MEMBER:
                start = token.start()
        elif sign in _CLOSING:
            depth -= 1
            if depth == _MEMBER - 1:
                _check_between(path, number, content[end:start], b"," if number else b"[")
                end = token.end()
                yield _loaded(path, number, content[start:end])
                number += 1
    _check_between(path, number, content[end:], b"]" if number else b"[]")


def _check_between(path: Path, number: int, found: bytes, wanted: bytes) -> None:
    """Refuse what lies between two objects, before the first or after the last."""
    bare = b"".join(found.split())
    if bare != wanted:
        place = Place(value=bare[:_SHOWN].decode(errors="replace"), file=path, step=f"[{number}]")
        raise place.refused(f"{wanted.decode()!r} between the objects of a list")


def _loaded(path: Path, number: int, content: bytes) -> Place:
    try:
        value = _parsed(content)
    except orjson.JSONDecodeError as error:
        raise refused(path, f"[{number}]", f"is no JSON ({error})") from error
    return Place(value=value, file=path, step=f"[{number}]")


def _parsed(content: bytes) -> Any:
    """Return what JSON holds, and also what Python and JavaScript write that is none.

    That is NaN, which becomes null, a byte order mark, and halves of characters, which become `?`.

    Raises:
        orjson.JSONDecodeError: It is neither.
    """
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        try:
            value = json.loads(content, parse_constant=lambda _: None)
        except ValueError:
            raise error from None
    return orjson.loads(json.dumps(value, ensure_ascii=False).encode(errors="replace"))
