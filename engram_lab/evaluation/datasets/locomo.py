"""LoCoMo: ten long conversations between two people, with questions about them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Final

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
from engram_lab.evaluation.datasets.published import find, read_json
from engram_lab.evaluation.datasets.reading import check_options

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from engram_lab.evaluation.datasets.dataset import Dataset
    from engram_lab.evaluation.datasets.published import Place

__all__ = ["read_locomo"]

_FILES: Final = {"official": "locomo10.json", "corrected": "locomo10_corrected.json"}

_OPTIONS: Final = {"unit": UNITS, "key": tuple(_FILES), "text": TEXTS}

_CATEGORIES: Final = {
    1: "multi-hop",
    2: "temporal",
    3: "open-domain",
    4: "single-hop",
    5: "adversarial",
}

_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_DATE: Final = re.compile(rf"(\d+):(\d\d) ([ap])m on (\d+) ({'|'.join(_MONTHS)}), (\d{{4}})")
_SESSION: Final = re.compile(r"session_(\d+)")


def read_locomo(
    folder: Path,
    *,
    id: str,  # noqa: A002
    options: Mapping[str, str],
) -> Dataset:
    """Return LoCoMo as published: 5,882 turns, 1,982 questions whose evidence is there.

    Each conversation is a corpus and a cluster; `conversations.assemble` tells ids and texts. A
    session has a time and its turns have none: turn n is given the session's time and n - 1
    seconds, so that turns keep their order. The published times name no zone: they are taken as
    UTC. Answers, observations, events and summaries are never read.

    Source: Maharana et al., "Evaluating Very Long-Term Conversational Memory of LLM Agents" (ACL
    2024).

    Args:
        folder: Where `locomo10.json` lies, or for the corrected key `locomo10_corrected.json`.
        id: Of the data set.
        options: `unit` is `turn` or `session`; `key` is `official` or `corrected`, a third party's
            audit of questions and evidence; `text` is `sp`, `text` or `spd`.

    Raises:
        DatasetMissingError: The folder holds no such file.
        InvalidInputError: No such option, or a file of another shape.
    """
    variant = check_options(options, _OPTIONS, reader="locomo")
    content, file = read_json(find(folder, _FILES[variant["key"]]))
    return assemble(
        map(_conversation, content.each()),
        id=id,
        stem="locomo",
        variant=variant,
        files=[file],
    )


def _conversation(sample: Place) -> Conversation:
    return Conversation(
        source_id=sample.at("sample_id").text(),
        sessions=tuple(_sessions(sample.at("conversation"))),
        questions=tuple(
            Question(
                number=number,
                text=each.at("question").text(),
                category=_category(each.at("category")),
                evidence=tuple(one.text() for one in each.at("evidence").each()),
            )
            for number, each in enumerate(sample.at("qa").each(), 1)
        ),
    )


def _sessions(conversation: Place) -> Iterator[Session]:
    found = (_SESSION.fullmatch(name) for name in conversation.names())
    for number in sorted(int(match[1]) for match in found if match):
        date = conversation.at(f"session_{number}_date_time")
        began = _time(date)
        yield Session(
            number=number,
            date=date.text(),
            at=began,
            turns=tuple(
                _turn(turn, at=began + timedelta(seconds=place))
                for place, turn in enumerate(conversation.at(f"session_{number}").each())
            ),
        )


def _turn(turn: Place, *, at: datetime) -> Turn:
    caption = turn.find("blip_caption")
    return Turn(
        id=turn_id(turn.at("dia_id")),
        speaker=turn.at("speaker").text(),
        text=turn.at("text").text(),
        caption=caption.text() if caption else None,
        at=at,
    )


def _category(category: Place) -> str:
    number = category.number()
    if number not in _CATEGORIES:
        raise category.refused("a category from 1 to 5")
    return _CATEGORIES[number]


def _time(date: Place) -> datetime:
    """Return the time that `1:56 pm on 8 May, 2023` tells."""
    expected = "a date such as '1:56 pm on 8 May, 2023'"
    match = _DATE.fullmatch(date.text())
    if match is None:
        raise date.refused(expected)
    clock, minute, half, day, month, year = match.groups()
    # The hour of noon and of midnight is written 12.
    hour = int(clock) % 12 + (12 if half == "p" else 0)
    return date.moment(year, _MONTHS.index(month) + 1, day, hour, minute, expected=expected)
