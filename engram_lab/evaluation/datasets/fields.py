"""Reading a table of TOML field by field, so that every problem in it is found at once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Table", "is_inside"]

_URL: Final = re.compile(r"https?://[^\s/]+(/\S*)?")


def is_inside(path: str) -> bool:
    """Return whether a relative path, written with `/`, stays in the folder that it starts from."""
    parts = path.split("/")
    return bool(path) and not any(
        part in {"", ".", ".."} or ":" in part or "\\" in part or "\0" in part for part in parts
    )


class Table:
    """A table that notes what is wrong with it instead of failing at the first problem.

    Every getter returns a value of its type, an empty one where the field is absent or wrong.

    Args:
        fields: What was parsed.
        place: Where it lies in its file, such as `files[0]`; empty for the file itself.
        problems: Where problems are added.
    """

    def __init__(self, fields: Mapping[str, Any], *, place: str, problems: list[str]) -> None:
        self._fields = dict(fields)
        self._place = place
        self._problems = problems

    def problem(self, key: str, text: str) -> None:
        """Note a problem of a field."""
        where = f"{self._place}.{key}" if self._place else key
        self._problems.append(f"{where}: {text}")

    def finish(self) -> None:
        """Note each field that no getter asked for."""
        for key in self._fields:
            self.problem(key, "there is no such field")

    def text(self, key: str, *, required: bool = False) -> str:
        """Return a text."""
        found = str(self._taken(key, str, "a text", "")).strip()
        if required and not found:
            self.problem(key, "is required, as a text")
        return found

    def url(self, key: str, *, required: bool = False) -> str | None:
        """Return an address, None where there is none."""
        found = self.text(key, required=required)
        if found and not _URL.fullmatch(found):
            self.problem(key, f"{found!r} must be an http or https address")
        return found or None

    def path(self, key: str, *, required: bool = False) -> str:
        """Return a path that stays inside a folder."""
        found = self.text(key, required=required)
        if found and not is_inside(found):
            self.problem(key, f"{found!r} must be a path inside the folder, written with /")
        return found

    def digest(self, key: str, digits: int) -> str | None:
        """Return a digest of so many hexadecimal digits in lower case, None where there is none."""
        found = self.text(key)
        if found and not re.fullmatch(f"[0-9a-f]{{{digits}}}", found):
            self.problem(key, f"{found!r} must be {digits} hexadecimal digits in lower case")
        return found or None

    def choice(self, key: str, allowed: Sequence[str]) -> str:
        """Return one of the allowed texts."""
        found = self.text(key, required=True)
        if found and found not in allowed:
            self.problem(key, f"{found!r} must be one of {', '.join(allowed)}")
        return found

    def count(self, key: str) -> int | None:
        """Return a whole number of 0 or more, None where there is none."""
        found = self._taken(key, int, "a whole number", None)
        if isinstance(found, bool) or (found is not None and found < 0):
            self.problem(key, f"{found!r} must be a whole number of 0 or more")
            return None
        return None if found is None else int(found)

    def flag(self, key: str) -> bool:
        """Return true or false."""
        return bool(self._taken(key, bool, "true or false", default=False))

    def texts(self, key: str, *, path: bool = False) -> tuple[str, ...]:
        """Return a list of texts, or of paths inside a folder."""
        found = self._taken(key, list, "a list of texts", [])
        for each in found:
            if not isinstance(each, str) or not each.strip():
                self.problem(key, f"{each!r} must be a text")
            elif path and not is_inside(each):
                self.problem(key, f"{each!r} must be a path inside the folder, written with /")
        return tuple(each.strip() for each in found if isinstance(each, str))

    def mapping(self) -> dict[str, str]:
        """Return the whole table as texts by name."""
        found = {key: self.text(key) for key in tuple(self._fields)}
        return dict(sorted(found.items()))

    def table(self, key: str) -> Table:
        """Return a table inside this one, empty where there is none."""
        return self._inner(key, self._taken(key, dict, "a table", {}))

    def tables(self, key: str) -> list[Table]:
        """Return a list of tables inside this one."""
        found = self._taken(key, list, "a list of tables", [])
        inner = []
        for index, each in enumerate(found):
            if isinstance(each, dict):
                inner.append(self._inner(f"{key}[{index}]", each))
            else:
                self.problem(f"{key}[{index}]", f"{each!r} must be a table")
        return inner

    def named_tables(self, key: str) -> dict[str, Table]:
        """Return tables inside this one, by name."""
        outer = self.table(key)
        return {name: outer.table(name) for name in tuple(outer._fields)}

    def _inner(self, key: str, fields: Mapping[str, Any]) -> Table:
        place = f"{self._place}.{key}" if self._place else key
        return Table(fields, place=place, problems=self._problems)

    def _taken(self, key: str, kind: type, noun: str, default: Any) -> Any:
        found = self._fields.pop(key, default)
        if found is default or isinstance(found, kind):
            return found
        self.problem(key, f"{found!r} must be {noun}")
        return default
