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
    category_of,
    texts_of,
    turn_id,
)
from engram_lab.evaluation.datasets.published import Place, read_json
from engram_lab.evaluation.datasets.reading import check_options

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from engram_lab.evaluation.datasets.dataset import Dataset

__all__ = ["read_realtalk"]

_OPTIONS: Final = {"unit": UNITS, "text": TEXTS}
_CATEGORIES: Final = {1: "multi-hop", 2: "temporal", 3: "commonsense"}
_CHAT: Final = re.compile(r"chat[ _-]?\d.*", re.IGNORECASE)
_NUMBER: Final = re.compile(r"([0-9]+)")
_DATE: Final = re.compile(r"(\d\d?)\.(\d\d?)\.(\d{4})(?:,? +(\d\d?):(\d\d)(?::(\d\d))?)?")
_SESSION: Final = re.compile(r"session_(\d+)")


def read_realtalk(
    folder: Path,
    *,
    id: str,  # noqa: A002
    options: Mapping[str, str],
) -> Dataset:
    """Return REALTALK as published: ten conversations, with 728 questions about them.

    Each conversation is a corpus and a cluster; `conversations.assemble` tells ids and texts. A
    message has the time it was sent at; the published times name no zone and are taken as UTC. A
    session begins with its first message. Names stay as they are: questions call some people
    otherwise than their messages do. Evidence that names no message is left out and counted, and so
    are questions that have no other. A category that was not published keeps its number or name.

    Source: Lee et al., "REALTALK: A 21-Day Real-World Dataset for Long-Term Conversation" (2025).

    Args:
        folder: Where the files `Chat_*.json` lie, or where there is none, files of other names; or
            one such file. They are taken in the order of their numbers.
        id: Of the data set.
        options: `unit` is `turn` or `session`; `text` is `sp`, `text` or `spd`.

    Raises:
        DatasetMissingError: The folder holds no such file.
        InvalidInputError: No such option, or a file of another shape.
    """
    variant = check_options(options, _OPTIONS, reader="realtalk")
    read = [read_json(path) for path in _chats(folder)]
    return assemble(
        (chat for content, _ in read for chat in _conversations(content)),
        id=id,
        stem="realtalk",
        variant=variant,
        files=[file for _, file in read],
    )


def _chats(folder: Path) -> list[Path]:
    if folder.is_file():
        return [folder]
    # The published repository has them in `data/`.
    found = [
        [path for path in place.glob("*.json") if not path.name.startswith(".")]
        for place in (folder, folder / "data")
    ]
    named = [[path for path in paths if _CHAT.fullmatch(path.stem)] for paths in found]
    for chats in (*named, *found):
        if chats:
            return sorted(chats, key=_order)
    raise DatasetMissingError(f"there is no file Chat_*.json in {folder}")


def _order(path: Path) -> list[str | int]:
    """Return what sorts names by the numbers in them: 2 before 10."""
    return [int(part) if part.isdecimal() else part for part in _NUMBER.split(path.stem.lower())]


def _conversations(content: Place) -> Iterator[Conversation]:
    """Yield what a file holds: one conversation, or a list of them."""
    stem = content.file.stem
    if isinstance(content.value, list):
        for number, each in enumerate(content.each(), 1):
            yield _conversation(each, source_id=f"{stem}#{number}")
    else:
        yield _conversation(content, source_id=stem)


def _conversation(content: Place, *, source_id: str) -> Conversation:
    return Conversation(
        source_id=source_id,
        sessions=tuple(_sessions(content)),
        questions=tuple(
            Question(
                number=number,
                text=each.at("question").text(),
                category=category_of(each.find("category"), _CATEGORIES, others=True),
                evidence=texts_of(each.find("evidence")),
            )
            for number, each in enumerate(content.at("qa").each(), 1)
        ),
    )


def _sessions(content: Place) -> Iterator[Session]:
    found = (_SESSION.fullmatch(name) for name in content.names())
    numbers = sorted(int(match[1]) for match in found if match)
    if not numbers:
        content.at("session_1")  # which refuses what is no conversation at all
    for number in numbers:
        date = content.find(f"session_{number}_date_time")
        turns = content.at(f"session_{number}")
        told = tuple(_turn(turn, session=date) for turn in turns.each())
        first = next((turn.at for turn in told if turn.at is not None), None)
        yield Session(
            number=number,
            date=date.text() if date else "",
            at=first or (_time(date) if date and told else None),
            turns=told,
        )


def _turn(turn: Place, *, session: Place | None) -> Turn:
    words = turn.find("clean_text") or turn.find("text")
    # A message that does not say when it was sent was sent in its session.
    sent = turn.find("date_time") or session
    return Turn(
        id=turn_id(turn.at("dia_id")),
        speaker=turn.at("speaker").text(),
        text=words.text().strip() if words else "",
        caption=", ".join(filter(str.strip, texts_of(turn.find("blip_caption")))) or None,
        at=_time(sent) if sent else None,
        image=_any(turn.find("img_file")),
    )


def _any(images: Place | None) -> bool:
    if images is None:
        return False
    return any(images.value) if isinstance(images.value, list) else bool(images.value)


def _time(date: Place) -> datetime:
    """Return the time that `29.12.2023, 22:42:04` tells."""
    expected = "a date such as '29.12.2023, 22:42:04'"
    match = _DATE.fullmatch(date.text().strip())
    if match is None:
        raise date.refused(expected)
    day, month, year, *clock = match.groups()
    return date.moment(year, month, day, *(part or 0 for part in clock), expected=expected)
