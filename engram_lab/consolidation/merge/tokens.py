"""A statement cut into words, numbers, dates, times and codes, each once."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from engram_lab.consolidation.merge.words import (
    MONTHS,
    NUMBERS,
    ORDINALS,
    SCALES,
    SIGNS,
    UNITS,
)

__all__ = ["Token", "tokens"]

_TOKEN: Final = re.compile(
    r"""
      (?P<code> \S+@\S+\w | https?://\S+\w | \w+(?:[./_#:-]\w+){2,} (?<!\d) | \+\d[\d\ ()-]{5,}\d )
    | (?P<iso> \d{4}-\d{2}-\d{2} ) (?! [\d-] )
    | (?P<time> (?P<hour>\d{1,2}) (?: : (?P<minute>\d{2}) (?: :\d{2} )? )? \s? (?P<half>[ap])\.?m\b
        | (?P<hour24>\d{1,2}) : (?P<minute24>\d{2}) (?: :\d{2} )? (?![\d:]) )
    | (?P<mixed> \d+(?:[./:-]\d+){2,} | \d+/\d+ | \d+-\d+ | [^\W\d_]+-?\d\w*(?:[.-]\w+)* | \d+[^\W\d_]{3,}\w* )
    | (?P<number> (?: \d{1,3} (?:,\d{3})+ | \d+ ) (?: \.\d+ )? ) (?P<tail> [^\W\d_]{1,2} \b )?
    | (?P<sign> [€$£¥%°] )
    | (?P<word> [^\W\d_]+ (?: ['\u2019][^\W\d_]+ )* )
    | (?P<stop> [.!?;:,()\n"“”] )
    """,  # noqa: E501 - one kind of token a line
    re.VERBOSE,
)
_ORDINAL_TAILS: Final = frozenset({"st", "nd", "rd", "th"})
_SHORTENED: Final = {"ca": "can", "wo": "will", "sha": "shall", "ai": "is"}
_DENIED: Final = frozenset(
    {
        "ai",
        "is",
        "are",
        "was",
        "were",
        "do",
        "does",
        "did",
        "has",
        "have",
        "had",
        "could",
        "would",
        "should",
        "must",
        "might",
        "need",
        "ca",
        "wo",
    }
)
"""What `n't` is written to, with an apostrophe or without."""
_MINUS: Final = ("-", "\u2212", "\u2013")
_TEN: Final = 10
_BIG: Final = 20
_HUNDRED: Final = 100


class Token(NamedTuple):
    """One piece of a statement.

    Attributes:
        kind: `word`, `number`, `ordinal`, `date`, `time`, `code`, `sign` or `stop`.
        text: In lower case, without possessive endings.
        value: Of a number; (year, month, day) of a date; minutes since midnight of a time.
        raised: Whether it begins with a capital.
        first: Whether it begins a sentence.
        owns: Whether it had a possessive ending.
    """

    kind: str
    text: str
    value: float | tuple[int, int, int] = 0.0
    raised: bool = False
    first: bool = False
    owns: bool = False


def tokens(text: str) -> list[Token]:
    """Return the pieces of a text, numbers told in words and dates put together."""
    return _joined_dates(_joined_numbers(_pieces(text)))


def _pieces(text: str) -> list[Token]:
    found: list[Token] = []
    first = True
    for match in _TOKEN.finditer(text):
        kind, told = match.lastgroup or "", match.group()
        if match["word"]:
            found += _word(told, first=first)
        elif match["number"]:
            negative = _is_negative(text, match.start(), found)
            found += _number(match["number"], match["tail"], negative=negative)
        elif match["iso"]:
            year, month, day = map(int, told.split("-"))
            found.append(Token("date", told, (year, month, day)))
        elif match["time"]:
            found.append(_time(match))
        elif match["sign"]:
            found.append(Token("sign", told))
        elif match["stop"]:
            found.append(Token("stop", told))
        else:
            found.append(Token("code", told.lower(), raised=True, first=first))
        first = kind == "stop" and told in ".!?\n" if match["stop"] else False
    return found


def _word(told: str, *, first: bool) -> list[Token]:
    raised = told[0].isupper()
    lower = told.lower().replace("\u2019", "'")
    stem, _, ending = lower.partition("'")
    if not ending and lower.endswith("nt") and lower[:-2] in _DENIED:
        return [
            Token("word", _SHORTENED.get(lower[:-2], lower[:-2]), first=first),
            Token("word", "not"),
        ]
    if not ending:
        return [Token("word", lower, raised=raised, first=first)]
    if lower.endswith("n't"):
        verb = _SHORTENED.get(lower[:-3], lower[:-3])
        return [Token("word", verb, first=first), Token("word", "not")]
    if ending == "s":
        return [Token("word", stem, raised=raised, first=first, owns=True)]
    if ending in {"re", "ve", "ll", "d", "m"}:
        return [Token("word", stem, first=first)]
    return [Token("word", lower.replace("'", ""), raised=raised, first=first)]


def _is_negative(text: str, start: int, found: list[Token]) -> bool:
    """Tell whether a sign stands before a number, or the word `minus`, which is taken away.

    A sign stands right before it, or before its currency, where no word or figure ends: in `3-5`,
    `3 -5` and `sugar-free` is none.
    """
    if (
        found
        and found[-1].text in {"minus", "negative"}
        and not text[:start].rstrip()[-1:].isdigit()
    ):
        found.pop()
        return True
    before = text[:start].rstrip(SIGNS)
    if before[-1:] not in _MINUS:
        return False
    before = before[:-1]
    if before[-1:].isalnum() or before[-1:] in _MINUS:
        return False
    return not before.rstrip()[-1:].isdigit() or before[-1:] in {"(", "="}


def _number(digits: str, tail: str | None, *, negative: bool) -> list[Token]:
    value = float(digits.replace(",", ""))
    if negative:
        digits, value = f"-{digits}", -value
    ending = (tail or "").lower()
    if ending in _ORDINAL_TAILS:
        return [Token("ordinal", digits + ending, value)]
    if ending in SCALES:
        return [Token("number", digits + ending, value * SCALES[ending])]
    found = [Token("number", digits, value)]
    if ending:
        found.append(Token("word", ending))
    return found


def _time(match: re.Match[str]) -> Token:
    if match["half"]:
        hour = int(match["hour"]) % 12 + (12 if match["half"] == "p" else 0)
        return Token("time", match.group(), float(60 * hour + int(match["minute"] or 0)))
    return Token("time", match.group(), float(60 * int(match["hour24"]) + int(match["minute24"])))


def _joined_numbers(pieces: list[Token]) -> list[Token]:
    """Put numbers in words together: `twenty five`, `three hundred`, `2 million`."""
    found: list[Token] = []
    for at, piece in enumerate(pieces):
        word = piece.text
        last = found[-1] if found else None
        if piece.kind == "word" and word in NUMBERS and not _is_pronoun(pieces, at):
            value = NUMBERS[word]
            if last is not None and last.kind == "number" and _takes(last, value):
                found[-1] = Token("number", f"{last.text} {word}", float(last.value) + value)  # type: ignore[arg-type]
            else:
                found.append(Token("number", word, float(value)))
        elif piece.kind == "word" and word in SCALES and len(word) > 1 and last is not None:
            if last.kind == "number":
                told = float(last.value) * SCALES[word]  # type: ignore[arg-type]
                found[-1] = Token("number", f"{last.text} {word}", told)
            elif last.text in {"a", "an", "the"} and word in {"dozen", "hundred", "thousand"}:
                found.append(Token("number", word, SCALES[word]))
            else:
                found.append(piece)
        elif word == "and" and _goes_on(last, pieces, at):
            continue
        elif piece.kind == "word" and word == "twice":
            found.append(Token("number", word, 2.0))
        elif (
            piece.kind == "word" and word in ORDINALS and not (word == "second" and _counted(last))
        ):
            found.append(Token("ordinal", word, float(ORDINALS[word])))
        else:
            found.append(piece)
    return found


def _goes_on(last: Token | None, pieces: list[Token], at: int) -> bool:
    """Tell whether `and` is inside a number: `three hundred and two`."""
    after = pieces[at + 1].text if at + 1 < len(pieces) else ""
    return last is not None and last.text.endswith("hundred") and after in NUMBERS


def _counted(last: Token | None) -> bool:
    return last is not None and last.kind == "number"


def _is_pronoun(pieces: list[Token], at: int) -> bool:
    """Tell whether `one` stands for a thing or for `a`, and counts nothing."""
    if pieces[at].text != "one":
        return False
    after = pieces[at + 1] if at + 1 < len(pieces) else None
    return after is None or (after.text not in UNITS and after.text not in SCALES)


def _takes(last: Token, value: float) -> bool:
    told = float(last.value)  # type: ignore[arg-type]
    if last.text.rpartition(" ")[2][:1].isdigit():
        return False
    tens, hundreds = told % _TEN == 0 and told % _HUNDRED >= _BIG, told % _HUNDRED == 0
    return (tens and 0 < value < _TEN) or (hundreds and 0 < value < _HUNDRED)


def _joined_dates(pieces: list[Token]) -> list[Token]:
    """Put dates together: `5 March 2026`, `March 5th, 2026`, `the 5th of March`, `March 2026`."""
    found: list[Token] = []
    at = 0
    while at < len(pieces):
        piece = pieces[at]
        month = MONTHS.get(piece.text, 0) if piece.kind == "word" else 0
        if not month:
            found.append(piece)
            at += 1
            continue
        day, before = _day_before(found)
        after = at + 1
        if (
            after < len(pieces)
            and pieces[after].text == "."
            and piece.text in {"jan", "feb", "mar"}
        ):
            after += 1
        if not day and after < len(pieces) and _is_day(pieces[after]):
            day, after = int(pieces[after].value), after + 1  # type: ignore[arg-type]
        year, end = _year_after(pieces, after)
        if not piece.raised and not day and not year:
            found.append(piece)  # the verb `may`, to `march`
            at += 1
            continue
        if before:
            del found[-before:]
        found.append(Token("date", piece.text, (year, month, day)))
        at = end
    return found


def _is_day(piece: Token) -> bool:
    if piece.kind not in {"number", "ordinal"}:
        return False
    value = float(piece.value)  # type: ignore[arg-type]
    return value.is_integer() and 1 <= value <= 31 and piece.text[0].isdigit()  # noqa: PLR2004


def _day_before(found: list[Token]) -> tuple[int, int]:
    """Return the day that stands before a month, and how many pieces tell it."""
    for back, words in ((1, ()), (2, ("of",))):
        tail = found[-back:]
        if len(tail) == back and _is_day(tail[0]) and tuple(e.text for e in tail[1:]) == words:
            return int(tail[0].value), back  # type: ignore[arg-type]
    return 0, 0


def _year_after(pieces: list[Token], at: int) -> tuple[int, int]:
    """Return the year that stands after a month or day, and where the date ends."""
    after = at + 1 if at < len(pieces) and pieces[at].text == "," else at
    if after < len(pieces) and pieces[after].kind == "number":
        value = float(pieces[after].value)  # type: ignore[arg-type]
        if value.is_integer() and 1900 <= value <= 2199 and len(pieces[after].text) == 4:  # noqa: PLR2004
            return int(value), after + 1
    return 0, at
