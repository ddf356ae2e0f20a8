"""REALTALK: ten conversations that pairs of people had in messages, with questions about them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from engram_lab.core.errors import DatasetMissingError
from engram_lab.evaluation.datasets.conversations import (
    TEXTS,
    UNITS,
    Conversation,
    Question,
    Session,
    Turn,
    assemble,
    turn_id,
)
from engram_lab.evaluation.datasets.published import read_json
from engram_lab.evaluation.datasets.reading import check_options

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from engram_lab.evaluation.datasets.dataset import Dataset
    from engram_lab.evaluation.datasets.published import Place

__all__ = ["read_realtalk"]

_OPTIONS: Final = {"unit": UNITS, "text": TEXTS}
_CATEGORIES: Final = {1: "multi-hop", 2: "temporal", 3: "commonsense"}
_DATE: Final = re.compile(r"(\d\d?)\.(\d\d?)\.(\d{4}),? (\d\d?):(\d\d)(?::(\d\d))?")
_SESSION: Final = re.compile(r"session_(\d+)")


def read_realtalk(
    folder: Path,
    *,
    id: str,  # noqa: A002
    options: Mapping[str, str],
) -> Dataset:
    """Return REALTALK as published: ten conversations, with 728 questions about them.

    Each conversation is a corpus and a cluster; `conversations.assemble` tells ids and texts. A
    message has the time it was sent at; the published times name no zone and are taken as UTC.
    Names stay as they are: questions call some people otherwise than their messages do. Evidence
    that names no message is left out and counted, and so are questions that have no other.

    Source: Lee et al., "REALTALK: A 21-Day Real-World Dataset for Long-Term Conversation" (2025).

    Args:
        folder: Where the files `Chat_*.json` lie; they are taken in the order of their numbers.
        id: Of the data set.
        options: `unit` is `turn` or `session`; `text` is `sp`, `text` or `spd`.

    Raises:
        DatasetMissingError: The folder holds no such file.
        InvalidInputError: No such option, or a file of another shape.
    """
    variant = check_options(options, _OPTIONS, reader="realtalk")
    # The published repository has them in `data/`.
    paths = list(folder.glob("Chat_*.json")) or list(folder.glob("data/Chat_*.json"))
    if not paths:
        raise DatasetMissingError(f"there is no file Chat_*.json in {folder}")
    read = [read_json(path) for path in sorted(paths, key=_number)]
    return assemble(
        (_conversation(content) for content, _ in read),
        id=id,
        stem="realtalk",
        variant=variant,
        files=[file for _, file in read],
    )


def _number(path: Path) -> tuple[int, str]:
    digits = re.match(r"Chat_(\d+)", path.stem)
    return (int(digits[1]) if digits else 0, path.stem)


def _conversation(content: Place) -> Conversation:
    return Conversation(
        source_id=content.file.stem,
        sessions=tuple(_sessions(content)),
        questions=tuple(
            Question(
                number=number,
                text=each.at("question").text(),
                category=_category(each.at("category")),
                evidence=_texts(each.find("evidence")),
            )
            for number, each in enumerate(content.at("qa").each(), 1)
        ),
    )


def _sessions(content: Place) -> Iterator[Session]:
    found = (_SESSION.fullmatch(name) for name in content.names())
    for number in sorted(int(match[1]) for match in found if match):
        date = content.at(f"session_{number}_date_time")
        yield Session(
            number=number,
            date=date.text(),
            at=_time(date),
            turns=tuple(_turn(turn) for turn in content.at(f"session_{number}").each()),
        )


def _turn(turn: Place) -> Turn:
    words = turn.find("clean_text") or turn.find("text")
    return Turn(
        id=turn_id(turn.at("dia_id")),
        speaker=turn.at("speaker").text(),
        text=words.text().strip() if words else "",
        caption=", ".join(_texts(turn.find("blip_caption"))) or None,
        at=_time(turn.at("date_time")),
    )


def _texts(place: Place | None) -> tuple[str, ...]:
    """Return the texts of a list; one that stands by itself, or is missing, is a list too."""
    if place is None:
        return ()
    if isinstance(place.value, str):
        return (place.value,)
    return tuple(each.text() for each in place.each())


def _category(category: Place) -> str:
    # Some copies write it as a text.
    digits = isinstance(category.value, str) and category.value.isdecimal()
    number = int(category.value) if digits else category.number()
    if number not in _CATEGORIES:
        raise category.refused("a category from 1 to 3")
    return _CATEGORIES[number]


def _time(date: Place) -> datetime:
    """Return the time that `29.12.2023, 22:42:04` tells."""
    expected = "a date such as '29.12.2023, 22:42:04'"
    match = _DATE.fullmatch(date.text())
    if match is None:
        raise date.refused(expected)
    day, month, year, *clock = match.groups()
    return date.moment(year, month, day, *(part or 0 for part in clock), expected=expected)
