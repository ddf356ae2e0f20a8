"""What a sentence bank holds: ways to say, to ask and to change, with gaps for names and values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["WORDINGS", "Attribute", "Bond", "Leaning", "Liking", "Occasion", "Plain", "Wording"]

Wording = Literal["plain", "free"]

WORDINGS: Final[tuple[Wording, ...]] = ("plain", "free")


@dataclass(frozen=True, kw_only=True, slots=True)
class Plain:
    """Ways to tell something that all have the word in them by which one would ask for it.

    Attributes:
        words: That word, as the letters with which its inflections and derivations begin.
        says: Ways to tell it, or that it is so; gaps as in what it stands for.
        changes: Ways to tell that it is another now.
        fixes: Ways to tell that what was said of it before was wrong; gaps as in a change.
        denies: Ways to tell that it is not so, each beside the one of `says` that it denies.
    """

    words: tuple[str, ...]
    says: tuple[str, ...]
    changes: tuple[str, ...] = ()
    fixes: tuple[str, ...] = ()
    denies: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Attribute:
    """Something of which an entity has one value at a time.

    Attributes:
        key: Its name.
        kind: What its value is; see `values`.
        says: Ways to tell it, of different syntax and words; gaps `{who}` and `{a}`.
        asks: Ways to ask for it, gap `{who}`.
        changes: Ways to tell that it is another now; gaps `{who}`, `{a}`, perhaps `{old}`.
        fixes: Ways to tell that what was said before was wrong, with the same gaps.
    """

    key: str
    kind: str
    says: tuple[str, ...]
    asks: tuple[str, ...]
    changes: tuple[str, ...]
    fixes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Liking:
    """Something of which an entity has many values side by side.

    Attributes:
        key: Its name.
        kind: What its values are.
        says: Ways to tell one; gaps `{who}` and `{a}`.
        asks: Ways to ask for them, gap `{who}`.
    """

    key: str
    kind: str
    says: tuple[str, ...]
    asks: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Occasion:
    """Something that happened on a day, and had a number to it.

    Attributes:
        key: Its name.
        kind: What the number is.
        says: Ways to tell it; gaps `{who}`, `{a}` and `{on}`, the date.
    """

    key: str
    kind: str
    says: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Bond:
    """What one person is to another, which is not the same the other way round.

    Attributes:
        key: Its name.
        says: Ways to tell it; gaps `{x}` and `{y}`.
    """

    key: str
    says: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Leaning:
    """Something that is so or is not so.

    Attributes:
        key: Its name.
        kind: What fills `{a}`.
        says: Ways to tell that it is so; gaps `{who}` and `{a}`.
        denies: Ways to tell that it is not.
    """

    key: str
    kind: str
    says: tuple[str, ...]
    denies: tuple[str, ...]
