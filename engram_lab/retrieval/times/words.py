"""The English words that speak of time, in tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from engram_lab.retrieval.times.periods import Part

__all__ = [
    "AFTER_DAY",
    "AGO",
    "ASKING",
    "AUXILIARIES",
    "BEFORE_LENGTHS",
    "CENTURIES",
    "COUNTS",
    "DAY_CUES",
    "DEICTIC",
    "HALVES_OF",
    "KNOWING",
    "MANY",
    "MONTHS",
    "MONTH_CUES",
    "MONTH_PARTS",
    "NO_YEAR_BEFORE",
    "NUMBERS",
    "ORDINALS",
    "PARTS",
    "PARTS_OF_DAY",
    "SEASONS",
    "SHIFTS",
    "SHORT_MONTHS",
    "SHORT_WEEKDAYS",
    "TIMES",
    "TODAY",
    "UNITS",
    "VAGUE_SEASONS",
    "WEEKDAYS",
    "WORDY_MONTHS",
    "YEARS_OF_DATES",
    "YEAR_CUES",
]


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


MONTHS: Final = {
    "january": 1,
    "february": 2,
    "march": 3,
    "april": 4,
    "may": 5,
    "june": 6,
    "july": 7,
    "august": 8,
    "september": 9,
    "october": 10,
    "november": 11,
    "december": 12,
}
SHORT_MONTHS: Final = {
    "jan": 1,
    "feb": 2,
    "mar": 3,
    "apr": 4,
    "jun": 6,
    "jul": 7,
    "aug": 8,
    "sep": 9,
    "sept": 9,
    "oct": 10,
    "nov": 11,
    "dec": 12,
}
WORDY_MONTHS: Final = frozenset({"march", "april", "may", "june", "august"})
"""Months that are also names, verbs or adjectives: alone they need a cue and a capital letter."""

MONTH_CUES: Final = _set(
    "in since until till during throughout by around before after last next this early late mid "
    "between"
)
"""What stands before such a month."""

WEEKDAYS: Final = {
    "monday": 0,
    "tuesday": 1,
    "wednesday": 2,
    "thursday": 3,
    "friday": 4,
    "saturday": 5,
    "sunday": 6,
}
SHORT_WEEKDAYS: Final = {
    "mon": 0,
    "tue": 1,
    "tues": 1,
    "wed": 2,
    "thu": 3,
    "thur": 3,
    "thurs": 3,
    "fri": 4,
    "sat": 5,
    "sun": 6,
}
"""These need `last`, `next` or `on` before them, and those that are words a capital letter too."""

SEASONS: Final = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
"""Three whole months each, from this one on, as on the northern half of the earth."""

VAGUE_SEASONS: Final = frozenset(
    {"in", "during", "over", "throughout", "since", "until", "by", "for"}
)
"""What stands before `the summer`, or `summer`, where it is one of a year."""

NUMBERS: Final = {
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
    "eleven": 11,
    "twelve": 12,
    "dozen": 12,
    "thirteen": 13,
    "fourteen": 14,
    "fifteen": 15,
    "sixteen": 16,
    "seventeen": 17,
    "eighteen": 18,
    "nineteen": 19,
    "twenty": 20,
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
}
COUNTS: Final = {"couple": (2, 2), "few": (2, 5), "several": (3, 7)}
"""Vague numbers, as the least and the most that they stand for."""

ORDINALS: Final = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": -1, "final": -1}

UNITS: Final = {
    "day": "day",
    "days": "day",
    "night": "day",
    "nights": "day",
    "week": "week",
    "weeks": "week",
    "weekend": "weekend",
    "weekends": "weekend",
    "month": "month",
    "months": "month",
    "year": "year",
    "years": "year",
    "yrs": "year",
    "decade": "decade",
    "decades": "decade",
}

HALVES_OF: Final = {"decade": (5, "year"), "year": (6, "month"), "month": (2, "week")}
"""What half of a unit is, roughly."""

DEICTIC: Final = {
    "last": -1,
    "past": -1,
    "previous": -1,
    "this": 0,
    "current": 0,
    "next": 1,
    "coming": 1,
    "upcoming": 1,
}
"""Words that point from the anchor, with the number of steps."""

TODAY: Final = {"today": 0, "tonight": 0, "yesterday": -1, "tomorrow": 1}

PARTS: Final[dict[str, Part]] = {
    "early": "early",
    "beginning": "early",
    "start": "early",
    "mid": "mid",
    "middle": "mid",
    "late": "late",
    "end": "late",
}

MONTH_PARTS: Final = frozenset({"month", "week", "weekend", "day", *WEEKDAYS, *PARTS})
"""What stands before `of May`."""

PARTS_OF_DAY: Final = frozenset({"morning", "afternoon", "evening", "night"})

AGO: Final = frozenset({"ago", "back", "now"})

SHIFTS: Final = {"before": -1, "preceding": -1, "after": 1, "following": 1}
"""Words between a length of time and the time that it is counted from."""

DAY_CUES: Final = frozenset({"on", "since", "until", "till", "by"})
"""What stands before `the 7th`, where it is a day of a month that is not told."""

AFTER_DAY: Final = _set(
    "after before and or with for at in to but so because as when since that i we he she they it "
    "was is"
)
"""Words that may follow such a day; another makes of it the seventh of something."""

YEAR_CUES: Final = _set(
    "in of since during by from until till around before after through throughout year early "
    "late mid to between and the ("
)
"""What stands before a year that stands alone."""

NO_YEAR_BEFORE: Final = _set(
    "people words steps miles km dollars bucks euros pounds calories meters metres feet hours "
    "minutes days weeks months years points followers copies pages times men women students"
)
"""What makes a number of the four digits before it."""

YEARS_OF_DATES: Final = range(1000, 2100)
"""Years that may stand after a month, a season or a holiday."""

CENTURIES: Final = range(1900, 2100)
"""Years that may stand alone."""

TIMES: Final = _set(
    "day date days dates time week weekend month months season year years decade weekday"
)
"""What `what` and `which` ask for where they ask when."""

AUXILIARIES: Final = _set(
    "did do does is was were are am has have had will would can could should shall might"
)
KNOWING: Final = _set(
    "know knows remember recall tell me us sure exactly wonder find out idea since until till "
    "from by and or about"
)
"""What stands before a `when` that asks."""

ASKING: Final = _set("what who whom whose which where how why")

MANY: Final = _set("years months weeks days hours minutes decades weekends nights seconds")
"""What `how many` asks for where it asks how long."""

BEFORE_LENGTHS: Final = _set(
    "for about almost nearly over under than in took within spent half around"
)
"""What stands before `a week` where it is how long, not how often."""
