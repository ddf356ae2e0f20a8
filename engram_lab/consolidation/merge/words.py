"""The English words by which statements differ, in short tables of our own.

Nothing here is learned or copied: the tables name what may not differ between two tellings of one
statement, and a few hundred words that mean the same. A word that is missing costs a merge, not a
memory: words that are in no table and stand on one side alone count against a merge.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "AUXILIARIES",
    "COMMON_OPENERS",
    "COPULAS",
    "FREQUENCIES",
    "FUNCTION_WORDS",
    "LEFT_UNDONE",
    "MARKERS",
    "MODALITIES",
    "MONTHS",
    "NEGATIONS",
    "NO_MORE",
    "NUMBERS",
    "ORDINALS",
    "PAST",
    "QUANTIFIERS",
    "SCALES",
    "SIGNS",
    "UNITS",
    "WEEKDAYS",
]


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


def _row(text: str) -> list[str]:
    return text.split()


def _rows(table: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(row.split()) for row in table.strip().splitlines())


NEGATIONS: Final = _set(
    "not no never none nobody nothing nowhere neither nor cannot without hardly barely rarely "
    "seldom scarcely refuse refuses refused deny denies denied fail fails failed lack lacks "
    "lacked avoid avoids avoided cancel cancels cancelled canceled nor isnt dont doesnt didnt "
    "wasnt arent wont cant unable"
)

LEFT_UNDONE: Final = _set(
    "forget forgets forgot forgotten neglect neglects neglected omit omits omitted decline "
    "declines declined"
)
"""Verbs that imply, with `to` after them, that something is not done."""

NO_MORE: Final = _set("stop stops stopped quit quits cease ceases ceased omit omits omitted")
"""Verbs that imply, with a form in `-ing` after them, that something is done no more."""

MODALITIES: Final = {
    word: kind
    for kind, words in {
        "perhaps": "may might could perhaps maybe possibly probably likely presumably seems "
        "appears allegedly reportedly supposedly guess guesses suspect suspects",
        "must": "must",
        "should": "should ought supposed",
        "would": "would if unless whether otherwise hypothetically",
        "wants": "want wants wanted hope hopes hoped plan plans planned intend intends intended "
        "consider considers considered considering hoping wanting planning try tries tried trying "
        "wish wishes",
        "once": "former formerly previously ex originally",
        "almost": "almost nearly approximately roughly about around",
        "only": "only solely merely exclusively",
    }.items()
    for word in words.split()
}
"""By word, what it does to what is said. Those of wanting do so before `to` alone, and `about` and
`around` before a number."""

QUANTIFIERS: Final = {
    word: kind
    for kind, words in {
        "all": "all every everyone everybody everything each always entire whole both",
        "most": "most mostly usually often majority",
        "some": "some",
        "few": "few sometimes occasionally partly partially half",
        "more": "more",
        "less": "less fewer",
    }.items()
    for word in words.split()
}

NUMBERS: Final = {
    word: value
    for value, word in enumerate(
        _row(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen "
        "fourteen fifteen sixteen seventeen eighteen nineteen"
    )
    )
} | {
    word: 10 * value
    for value, word in enumerate(
        _row(
        "twenty thirty forty fifty sixty seventy eighty ninety"
    ), start=2
    )
}  # fmt: skip

SCALES: Final = {
    "hundred": 100.0,
    "thousand": 1e3,
    "k": 1e3,
    "million": 1e6,
    "m": 1e6,
    "mio": 1e6,
    "billion": 1e9,
    "bn": 1e9,
    "dozen": 12.0,
}

ORDINALS: Final = {
    word: value
    for value, word in enumerate(
        _row(
        "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth "
        "thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth "
        "twentieth"
    ),
        start=1,
    )
}  # fmt: skip

MONTHS: Final = {
    name: number
    for number, names in enumerate(
        _rows(
            """
            january jan
            february feb
            march mar
            april apr
            may
            june jun
            july jul
            august aug
            september sep sept
            october oct
            november nov
            december dec
            """
        ),
        start=1,
    )
    for name in names
}

WEEKDAYS: Final = {
    name: names[0]
    for names in _rows(
        """
        monday mon
        tuesday tue tues
        wednesday wed
        thursday thu thur thurs
        friday fri
        saturday sat
        sunday sun
        """
    )
    for name in (*names, f"{names[0]}s")
}

UNITS: Final = {
    word: unit
    for unit, words in {
        "second": "second seconds sec secs s",
        "minute": "minute minutes min mins",
        "hour": "hour hours hr hrs h",
        "day": "day days",
        "week": "week weeks",
        "month": "month months",
        "year": "year years yr yrs",
        "percent": "percent pct %",
        "euro": "euro euros eur €",
        "dollar": "dollar dollars usd $",
        "pound": "pound pounds gbp £ quid",
        "yen": "yen jpy ¥",
        "franc": "franc francs chf",
        "crown": "crown crowns krone kroner krona kronor kr sek nok dkk czk",
        "metre": "metre metres meter meters m",
        "kilometre": "kilometre kilometres kilometer kilometers km",
        "mile": "mile miles",
        "centimetre": "centimetre centimetres centimeter centimeters cm",
        "foot": "feet ft",
        "gram": "gram grams g",
        "kilogram": "kilogram kilograms kilo kilos kg",
        "litre": "litre litres liter liters l",
        "degree": "degree degrees °",
        "byte": "byte bytes b",
        "megabyte": "megabyte megabytes mb",
        "gigabyte": "gigabyte gigabytes gb",
        "terabyte": "terabyte terabytes tb",
        "millisecond": "millisecond milliseconds ms",
    }.items()
    for word in words.split()
}

SIGNS: Final = "€$£¥%°"
"""Signs that are units of the number beside them."""

FREQUENCIES: Final = {
    "hourly": "hour",
    "daily": "day",
    "nightly": "day",
    "weekly": "week",
    "fortnightly": "fortnight",
    "biweekly": "fortnight",
    "monthly": "month",
    "quarterly": "quarter",
    "yearly": "year",
    "annually": "year",
    "annual": "year",
}
"""What `a week`, `per week`, `every week` and `each week` mean as well."""

AUXILIARIES: Final = _set(
    "is are was were be been being am do does did has have had having will shall would get "
    "gets got can could s re ve ll d m"
)
COPULAS: Final = _set("is are was were am be")

PAST: Final = _set(
    "was were had did bought went met won sold left told ran took gave got saw came ate drank "
    "wrote said made found lost sent paid broke fell flew drove rode began became taught spoke "
    "stole built chose felt forgot grew heard held kept knew led lent meant sang sat slept "
    "spent stood swam thought threw understood woke wore formerly"
)
"""Verbs that tell of what was; besides them those that end in `ed`."""

FUNCTION_WORDS: Final = (
    _set(
        "a an the this that these those and or but so as then than there here it its itself he she "
        "they them their theirs his her hers him himself herself themselves i me my mine myself we "
        "us our ours you your yours who whom whose which what when where why how of to in on at by "
        "for from with into onto upon over about as also too very really quite just now currently "
        "presently still already yet again some any such own same other another while during "
        "through per via out off up down away along around together because since until till s t "
        "re ve ll d m one etc please well both each every within"
    )
    | AUXILIARIES
)

MARKERS: Final = _set(
    "of to in on at by for from with into onto over under above below behind near beside between "
    "after before during through against about around across along inside outside without until "
    "since via towards toward than as per"
)
"""What may stand before a noun and say its part."""

COMMON_OPENERS: Final = _set(
    "every each monthly weekly daily yearly nobody someone somebody everyone people there here "
    "today tomorrow yesterday now currently please remember note reminder update fyi yes no ok "
    "since until after before when while as if although though because despite during once "
    "according apparently actually user customer client team project meeting"
)
"""Words that begin a sentence with a capital and are no names."""
