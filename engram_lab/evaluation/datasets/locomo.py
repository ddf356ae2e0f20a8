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
    category_of,
    texts_of,
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
_DATE: Final = re.compile(
    rf"(\d+):(\d\d) ?([ap])m on (\d+) ({'|'.join(_MONTHS)}),? (\d{{4}})", re.IGNORECASE
)
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
    UTC. Where a session has no time, its turns have none. Answers, observations, events and
    summaries are never read.

    Source: Maharana et al., "Evaluating Very Long-Term Conversational Memory of LLM Agents" (ACL
    2024).

    Args:
        folder: Where `locomo10.json` lies, or for the corrected key `locomo10_corrected.json`; or a
            file of that shape.
        id: Of the data set.
        options: `unit` is `turn` or `session`; `key` is `official` or `corrected`, a third party's
            audit of questions and evidence; `text` is `sp`, `text` or `spd`.

    Raises:
        DatasetMissingError: The folder holds no such file.
        InvalidInputError: No such option, or a file of another shape.
    """
    variant = check_options(options, _OPTIONS, reader="locomo")
    path = find(folder, _FILES[variant["key"]])
    for key, name in _FILES.items():
        if path.name == name:  # which counts where the file itself was given
            variant["key"] = key
    content, file = read_json(path)
    samples = content.each() if isinstance(content.value, list) else (content,)
    return assemble(
        map(_conversation, samples),
        id=id,
        stem="locomo",
        variant=variant,
        files=[file],
    )


def _conversation(sample: Place) -> Conversation:
    return Conversation(
        source_id=sample.at("sample_id").name(),
        sessions=tuple(_sessions(sample.at("conversation"))),
        questions=tuple(
            Question(
                number=number,
                text=each.at("question").text(),
                category=category_of(each.find("category"), _CATEGORIES),
                evidence=texts_of(each.find("evidence")),
            )
            for number, each in enumerate(sample.at("qa").each(), 1)
        ),
    )


def _sessions(conversation: Place) -> Iterator[Session]:
    found = (_SESSION.fullmatch(name) for name in conversation.names())
    for number in sorted(int(match[1]) for match in found if match):
        date = conversation.find(f"session_{number}_date_time")
        began = _time(date) if date else None
        yield Session(
            number=number,
            date=date.text() if date else "",
            at=began,
            turns=tuple(
                _turn(turn, at=began + timedelta(seconds=place) if began else None)
                for place, turn in enumerate(conversation.at(f"session_{number}").each())
            ),
        )


def _turn(turn: Place, *, at: datetime | None) -> Turn:
    caption = turn.find("blip_caption")
    image = bool(caption or turn.find("img_url"))
    words = turn.find("text") if image else turn.at("text")
    return Turn(
        id=turn_id(turn.at("dia_id")),
        speaker=turn.at("speaker").text(),
        text=words.text() if words else "",
        caption=caption.text() if caption else None,
        at=at,
        image=image,
    )


def _time(date: Place) -> datetime:
    """Return the time that `1:56 pm on 8 May, 2023` tells."""
    expected = "a date such as '1:56 pm on 8 May, 2023'"
    match = _DATE.fullmatch(date.text().strip())
    if match is None:
        raise date.refused(expected)
    clock, minute, half, day, month, year = match.groups()
    # The hour of noon and of midnight is written 12.
    hour = int(clock) % 12 + (12 if half.lower() == "p" else 0)
    return date.moment(
        year, _MONTHS.index(month.capitalize()) + 1, day, hour, minute, expected=expected
    )
