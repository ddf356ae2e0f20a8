"""Tables of TOML that declare something, checked as a whole: every problem is named at once."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engram_lab.core.errors import InvalidInputError
from engram_lab.evaluation.shipped import shipped

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["check_keys", "declared_names", "read_declared"]


def declared_names(kind: str) -> tuple[str, ...]:
    """Return the names that the project ships of a kind, such as `suites`, sorted."""
    return tuple(sorted(path.stem for path in shipped(kind).glob("*.toml")))


def read_declared(kind: str, name: str) -> tuple[str, dict[str, Any]]:
    """Return the id and the content of what a name or the path of a TOML file declares.

    Args:
        kind: `suites`, `systems` or `spaces`.
        name: One that the project ships, or a file of one's own.

    Raises:
        InvalidInputError: There is none, or it is no TOML.
    """
    own = Path(name)
    file = own if own.suffix == ".toml" else shipped(kind) / f"{name}.toml"
    one = kind.removesuffix("s")
    if not file.is_file():
        known = declared_names(kind)
        close = difflib.get_close_matches(name, known, n=1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        raise InvalidInputError(
            f"there is no {one} {name!r}{hint}: known are {', '.join(known)}; a path that ends in "
            ".toml names one of your own"
        )
    try:
        return file.stem, tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"the {one} {file} is no TOML: {error}") from None


def check_keys(given: Iterable[str], allowed: Iterable[str], *, where: str) -> None:
    """Refuse keys that mean nothing.

    Raises:
        InvalidInputError: One is unknown.
    """
    known = sorted(allowed)
    if strange := sorted(set(given) - set(known)):
        raise InvalidInputError(
            f"{where} has the unknown {', '.join(map(repr, strange))}: known are {', '.join(known)}"
        )
