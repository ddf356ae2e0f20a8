"""What a sentence bank holds: ways to say, to ask and to change, with gaps for names and values."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Attribute", "Bond", "Leaning", "Liking", "Occasion"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Attribute:
    """Something of which an entity has one value at a time.

    Attributes:
        key: Its name.
        kind: What its value is; see `values`.
        says: Ways to tell it, of different syntax and words; gaps `{who}` and `{a}`.
        asks: Ways to ask for it, gap `{who}`.
        changes: Ways to tell that it is another now; gaps `{who}`, `{a}`, perhaps `{old}`.
    """

    key: str
    kind: str
    says: tuple[str, ...]
    asks: tuple[str, ...]
    changes: tuple[str, ...]


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
