"""The stories of one entity: facts told once or again, changed, corrected, told late, and alike."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from engram_lab.evaluation.consolidation.world.idle import AGAIN, CUES, FIXES, OLDER, OPENERS
from engram_lab.evaluation.consolidation.world.told import Fact, Manner, Sort
from engram_lab.evaluation.consolidation.world.values import MONTHS, Value, another, drawn
from engram_lab.evaluation.consolidation.world.wording import again_exactly, joined, sentence

if TYPE_CHECKING:
    from engram_lab.evaluation.consolidation.world.naming import Naming
    from engram_lab.evaluation.consolidation.world.phrases import Attribute
    from engram_lab.evaluation.datasets.fiction.dice import Dice

__all__ = ["BEGIN", "DAYS", "Book", "Draft", "Teller"]

BEGIN: Final = datetime.fromisoformat("2031-03-03T09:00:00+00:00")
"""The morning on which the telling begins."""

DAYS: Final = 300
"""How many days are told of."""

_AGAIN: Final = 30
_EXACTLY: Final = 40
_DATED: Final = 30
_VERSIONED: Final = 70
_STATED: Final = 40
_LATE: Final = 20
_CORRECTED: Final = 15
_CUED: Final = 20
_CHANGED: Final = 35
_THIRD: Final = 40
_FOURTH: Final = 20
"""How many in a hundred facts are told again, of these in the same words, and single facts dated;
how many versions are dated, of these with a stated validity; how many chains have one told late, or
their last corrected; how many changes are told under a cue, or in words of their own; how many
chains have a third value, and one more."""

_GAP: Final = 9
_LAG: Final = 4
_WORDS_TRIED: Final = 8


@dataclass(kw_only=True, slots=True, eq=False)
class Draft:
    """A memory that has no place in the order of telling yet."""

    text: str
    fact: str
    entity: str
    day: int
    event_at: datetime | None = None
    valid_from: datetime | None = None


@dataclass(kw_only=True, slots=True)
class Book:
    """Collects what a world holds."""

    drafts: list[Draft] = field(default_factory=list)
    facts: dict[str, Fact] = field(default_factory=dict)
    near: list[tuple[Draft, Draft, str]] = field(default_factory=list)
    attributes: dict[str, tuple[Attribute, str]] = field(default_factory=dict)
    asks: dict[str, str] = field(default_factory=dict)


def moment(day: int) -> datetime:
    """Return the morning of a day, counted from the beginning of the telling."""
    return BEGIN + timedelta(days=day)


def _kind_of_difference(kind: str) -> str:
    if kind in {"date", "weekday"}:
        return "date"
    names = {"person", "town", "coined", "firm", "room", "trade", "food", "colour"}
    return "name" if kind in names else "number"


class Teller:
    """Tells of one entity.

    Args:
        book: Takes what is told.
        entity: Its key.
        name: What it is called.
        dice: What decides. Words are drawn by dice of their own, so that the same happens in every
            wording of a world.
        naming: Where names come from.
    """

    def __init__(self, book: Book, entity: str, name: str, dice: Dice, naming: Naming) -> None:
        self.book, self.entity, self.name = book, entity, name
        self.dice, self.naming = dice, naming
        self.words = dice.under("words")
        self._facts = 0

    def fact(
        self,
        slot: str,
        sort: Sort,
        value: Value | None,
        *,
        begins: datetime,
        ends: datetime | None = None,
        manner: Manner = "silent",
        worth: int | None = None,
    ) -> str:
        """Note what is so, and return the key of the fact."""
        self._facts += 1
        key = f"{self.entity}/f{self._facts}"
        self.book.facts[key] = Fact(
            key=key,
            entity=self.entity,
            slot=f"{self.entity}/{slot}",
            sort=sort,
            value=value,
            begins=begins,
            ends=ends,
            worth=self.worth() if worth is None else worth,
            manner=manner,
        )
        return key

    def worth(self) -> int:
        """Return how much a fact is wanted: most a little, some often (as 1 / rank)."""
        return 3 + 120 // (1 + self.dice.below(24))

    def tell(self, text: str, fact: str, day: int, event_at: datetime | None = None) -> Draft:
        """Add a memory."""
        told = Draft(text=text, fact=fact, entity=self.entity, day=day, event_at=event_at)
        self.book.drafts.append(told)
        return told

    def again(
        self,
        first: Draft,
        says: tuple[str, ...],
        used: int,
        *,
        until: int,
        **gaps: str | Value,
    ) -> None:
        """Perhaps tell a fact once more, once or twice: in the same words, or in others."""
        percent = _AGAIN
        while until > first.day and self.dice.holds(percent):
            day = first.day + 1 + self.dice.below(until - first.day)
            seen_on = moment(day) if self.dice.holds(_DATED) and "on" not in gaps else None
            if self.dice.holds(_EXACTLY):
                text = again_exactly(first.text, self.words)
            else:
                text = self.otherwise(first.text, says, used, **gaps)
            event_at = first.event_at if "on" in gaps else seen_on
            self.tell(text, first.fact, day, event_at)
            percent = _AGAIN

    def otherwise(self, first: str, says: tuple[str, ...], used: int, **gaps: str | Value) -> str:
        """Return other words for what was told; now and then only the opener is another."""
        text = first
        for _ in range(_WORDS_TRIED):
            other = (used + 1 + self.words.below(len(says) - 1)) % len(says)
            pattern = says[used if self.words.holds(12) else other]
            text = joined(self.words.pick(AGAIN), pattern, **self.written(gaps))
            if text.casefold() != first.casefold():
                break
        return text

    def written(self, gaps: dict[str, str | Value]) -> dict[str, str]:
        """Return gaps as they are written this time."""
        return {
            gap: each.one(self.words) if isinstance(each, Value) else each
            for gap, each in gaps.items()
        }

    def say(self, pattern: str, *, opener: str | None = None, **gaps: str | Value) -> str:
        """Return a sentence after an opener, which is drawn where it is not given."""
        chosen = self.words.pick(OPENERS) if opener is None else opener
        return joined(chosen, pattern, **self.written(gaps))

    def single(
        self, attribute: Attribute, *, value: Value | None = None, used: int | None = None
    ) -> tuple[Draft, Value, int]:
        """Tell one value of an attribute, which stays; return it with its value and words."""
        value = value or drawn(attribute.kind, self.dice, self.naming)
        used = self.words.below(len(attribute.says)) if used is None else used
        day = self.dice.below(DAYS)
        fact = self.fact(attribute.key, "single", value, begins=moment(day))
        text = self.say(attribute.says[used], who=self.name, a=value)
        dated = moment(day) if self.dice.holds(_DATED) else None
        first = self.tell(text, fact, day, dated)
        self.book.attributes[fact] = (attribute, self.name)
        self.again(first, attribute.says, used, until=DAYS - 1, who=self.name, a=value)
        return first, value, used

    def chain(self, attribute: Attribute) -> None:
        """Tell values of an attribute that follow one another in time."""
        dice = self.dice
        begins = self._days(2 + dice.holds(_THIRD) + dice.holds(_FOURTH))
        late = dice.below(len(begins) - 1) if dice.holds(_LATE) else -1
        taken: set[Value] = set()
        values: list[Value] = []
        for _ in begins:
            close = values[-1] if values else None
            values.append(another(attribute.kind, taken, dice, self.naming, beside=close))
        used, opener, before = 0, "", None
        for place, (day, value) in enumerate(zip(begins, values, strict=True)):
            follows = begins[place + 1] if place + 1 < len(begins) else None
            dated = place == late or dice.holds(_VERSIONED)
            manner = "late" if place == late else self._manner(place)
            fact = self.fact(
                attribute.key,
                "version",
                value,
                begins=moment(day),
                ends=None if follows is None else moment(follows),
                manner=manner,
            )
            self.book.attributes[fact] = (attribute, self.name)
            words = used
            if not place or dice.holds(50):
                words, opener = self.words.below(len(attribute.says)), self.words.pick(OPENERS)
            old = values[place - 1]
            if place == late and follows is not None:
                text = self._late(attribute.says[words], day, value)
                told_on = min(DAYS - 1, follows + _LAG + dice.below(_GAP))
            else:
                said = (opener, attribute.says[words])
                text = self._following(attribute, manner, said, value, old)
                told_on = day + (dice.below(_LAG) if dated else 0)
            told = self.tell(text, fact, told_on, moment(day) if dated else None)
            if dated and dice.holds(_STATED):
                told.valid_from = moment(day)
            if before is not None:
                self.book.near.append((before, told, _kind_of_difference(attribute.kind)))
            if place != late:
                until = (follows or DAYS) - 1
                self.again(told, attribute.says, words, until=until, who=self.name, a=value)
            before, used = told, words
        if dice.holds(_CORRECTED):
            self._correct(attribute, before, taken, used)

    def _days(self, count: int) -> list[int]:
        """Return rising days, far enough apart that a change can be told before the next."""
        span = (DAYS - 2 * _GAP) // count
        return [_GAP + place * span + self.dice.below(span - _GAP) for place in range(count)]

    def _manner(self, place: int) -> Manner:
        """Draw how a version is told: silently, under a cue, or in words for the change."""
        roll = self.dice.below(100)
        if place == 0 or roll >= _CUED + _CHANGED:
            return "silent"
        return "cue" if roll < _CUED else "words"

    def _following(
        self,
        attribute: Attribute,
        manner: Manner,
        said: tuple[str, str],
        value: Value,
        old: Value,
    ) -> str:
        """Return a version as it is told in a manner; in silence after an opener, as a pattern."""
        opener, pattern = said
        if manner == "silent":
            return self.say(pattern, opener=opener, who=self.name, a=value)
        if manner == "cue":
            told = sentence(pattern, **self.written({"who": self.name, "a": value}))
            return self.words.pick(CUES).format(says=told)
        pattern = self.words.pick(attribute.changes)
        return self.say(pattern, who=self.name, a=value, old=old)

    def _late(self, pattern: str, day: int, value: Value) -> str:
        told = sentence(pattern, **self.written({"who": self.name, "a": value}))
        if self.words.holds(50):
            return told
        month = MONTHS[moment(day).month - 1]
        return self.words.pick(OLDER).format(month=f"{month} {moment(day).year}", says=told)

    def _correct(
        self, attribute: Attribute, wrong: Draft | None, taken: set[Value], words: int
    ) -> None:
        """Tell that the last version never was so, and what is."""
        if wrong is None or wrong.day >= DAYS - _GAP:
            return
        book = self.book
        mistaken = book.facts[wrong.fact]
        value = another(attribute.kind, taken, self.dice, self.naming, beside=mistaken.value)
        fact = self.fact(
            attribute.key,
            "version",
            value,
            begins=mistaken.begins,
            manner="correction",
            worth=mistaken.worth,
        )
        book.attributes[fact] = (attribute, self.name)
        book.facts[wrong.fact] = replace(mistaken, ends=mistaken.begins)
        last = max(each.day for each in book.drafts if each.fact == wrong.fact)
        if last >= DAYS - 1:
            book.drafts = [each for each in book.drafts if each.fact != wrong.fact or each is wrong]
            last = wrong.day
        day = last + 1 + self.dice.below(min(_GAP, DAYS - 1 - last))
        text = self._fixed(attribute, words, value, mistaken.value or value)
        fixed = self.tell(text, fact, day, wrong.event_at)
        fixed.valid_from = wrong.valid_from
        book.near.append((wrong, fixed, _kind_of_difference(attribute.kind)))

    def _fixed(self, attribute: Attribute, words: int, value: Value, old: Value) -> str:
        gaps = self.written({"who": self.name, "a": value, "old": old})
        if attribute.fixes and self.words.holds(50):
            return joined(
                self.words.pick(("", "Sorry, ")), self.words.pick(attribute.fixes), **gaps
            )
        told = sentence(attribute.says[words], **gaps)
        return self.words.pick(FIXES).format(says=told, old=gaps["old"])
