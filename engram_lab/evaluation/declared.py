"""Tables of TOML that declare something, checked as a whole: every problem is named at once."""

from __future__ import annotations

import difflib
import math
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from engram_lab.core.errors import InvalidInputError
from engram_lab.evaluation.shipped import shipped

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "LOSS",
    "SHARE",
    "TABLE",
    "TEXT",
    "TEXTS",
    "TRUTH",
    "Kind",
    "check_keys",
    "check_values",
    "declared_names",
    "read_declared",
    "whole",
]


@dataclass(frozen=True, slots=True)
class Kind:
    """What a value must be.

    Attributes:
        said: As an error says it.
        fits: Whether a value is such a one.
    """

    said: str
    fits: Callable[[Any], bool]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_table(value: object) -> bool:
    return isinstance(value, Mapping)


def whole(*, least: int | None = None) -> Kind:
    """Return the kind of a whole number that is not less than this."""
    return Kind(
        "a whole number" if least is None else f"a whole number from {least}",
        lambda value: type(value) is int and (least is None or value >= least),
    )


TEXT: Final = Kind("a text", lambda value: isinstance(value, str))
TRUTH: Final = Kind("true or false", lambda value: isinstance(value, bool))
TABLE: Final = Kind("a table", _is_table)
TEXTS: Final = Kind(
    "a table of texts",
    lambda value: _is_table(value) and all(isinstance(each, str) for each in value.values()),
)
SHARE: Final = Kind("a number between 0 and 1", lambda value: _is_number(value) and 0 < value < 1)
LOSS: Final = Kind("a number from 0", lambda value: _is_number(value) and value >= 0)


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
    if file is own and not file.is_file():
        raise InvalidInputError(
            f"there is no file {name}: give the path of a {one} in TOML, or a name, such as "
            f"{declared_names(kind)[-1]!r}"
        )
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


def check_values(given: Mapping[str, Any], kinds: Mapping[str, Kind], *, where: str) -> None:
    """Refuse values that are not of their kind; a key that has no kind may hold anything.

    Raises:
        InvalidInputError: One is of another kind.
    """
    wrong = [
        f"{name} is {value!r:.80} where {kinds[name].said} must be"
        for name, value in given.items()
        if name in kinds and not kinds[name].fits(value)
    ]
    if wrong:
        raise InvalidInputError(f"in {where}, {', and '.join(wrong)}: correct it")
