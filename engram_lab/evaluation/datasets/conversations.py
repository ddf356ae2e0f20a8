"""Conversations between two people, with questions about them, as memories, queries and qrels."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from engram_lab.evaluation.datasets.dataset import (
    MEMORIES,
    PARTS,
    QRELS,
    QUERIES,
    DataFile,
    Dataset,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from engram_lab.evaluation.datasets.published import Place

__all__ = [
    "TEXTS",
    "UNITS",
    "Conversation",
    "Question",
    "Session",
    "Turn",
    "assemble",
    "category_of",
    "texts_of",
    "turn_id",
]

UNITS: Final = ("turn", "session")
TEXTS: Final = ("sp", "text", "spd")

_TURN: Final = re.compile(r"[Dd]\s*(\d+)\s*:\s*(\d+)")
_BETWEEN: Final = re.compile(r"[\s,;]*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """What one person said at once.

    Attributes:
        id: What the data call it: session and turn, (3, 12) for `D3:12`.
        speaker: As named in the data.
        text: The words; empty where only an image was sent.
        caption: What an image that was shared shows, as the data describe it.
        at: When it was said; None where nothing tells.
        image: Whether an image was shared.
    """

    id: tuple[int, int]
    speaker: str
    text: str
    caption: str | None
    at: datetime | None
    image: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """Turns that follow each other.

    Attributes:
        number: As published.
        date: When it began, as published; empty where nothing tells.
        at: The same as a time; None where nothing tells.
        turns: In order.
    """

    number: int
    date: str
    at: datetime | None
    turns: tuple[Turn, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """A question, without its answer.

    Attributes:
        number: Its place among the published questions, from 1.
        text: As published.
        category: By name; None where the data give none.
        evidence: What is said to answer it, as published: `D8:6`, or `D8:6; D9:17`.
    """

    number: int
    text: str
    category: str | None
    evidence: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Conversation:
    """All that two people said to each other, and what is asked about it.

    Attributes:
        source_id: Its id in the published data.
        sessions: In order.
        questions: In order.
    """

    source_id: str
    sessions: tuple[Session, ...]
    questions: tuple[Question, ...]


def turn_id(place: Place) -> tuple[int, int]:
    """Return session and turn that a published id names: (3, 12) for `D3:12`.

    Raises:
        InvalidInputError: It is no such id.
    """
    match = _TURN.fullmatch(place.text().strip())
    if match is None:
        raise place.refused("the id of a turn, such as 'D3:12',")
    return int(match[1]), int(match[2])


def texts_of(place: Place | None) -> tuple[str, ...]:
    """Return the texts of a list, what is null left out.

    One that stands by itself is a list of one, and what is missing one of none.
    """
    if place is None:
        return ()
    if isinstance(place.value, str):
        return (place.value,)
    return tuple(each.text() for each in place.each() if each.value is not None)


def category_of(
    place: Place | None, names: Mapping[int, str], *, others: bool = False
) -> str | None:
    """Return the name of the category that a number tells, some copies writing it as a text.

    Args:
        place: Where it stands; None where a question has none.
        names: Of the published categories.
        others: Whether there may be further ones, which are called what the data call them.

    Raises:
        InvalidInputError: It is none of these.
    """
    if place is None:
        return None
    told = place.value.strip() if isinstance(place.value, str) else place.value
    number = int(told) if isinstance(told, str) and told.isdecimal() else told
    if isinstance(number, int) and not isinstance(number, bool) and (number in names or others):
        return names.get(number, str(number))
    if isinstance(number, str) and (number in names.values() or (others and number)):
        return number
    raise place.refused(f"a category from {min(names)} to {max(names)}")


def assemble(
    conversations: Iterable[Conversation],
    *,
    id: str,  # noqa: A002
    stem: str,
    variant: Mapping[str, str],
    files: Sequence[DataFile],
) -> Dataset:
    """Return the data set of conversations: each is a corpus, and a cluster of its questions.

    Ids tell a place and nothing of an answer: `locomo-01-s03-t012` is turn 12 of session 3 of the
    first conversation, `locomo-01-q017` its 17th published question; `source_id` has what the data
    call them, `conv-26 D3:12` and `conv-26 qa[16]`. They do not depend on unit and text. The text
    of a memory is, for `sp`, `Speaker: text [shares image: caption]`; for `spd` the date of the
    session in brackets before it; for `text` the words alone, or the image where there are none. A
    session is its turns, each on a line, which `parts` tells apart. Where there is nothing but an
    image that nobody described, it is `[shares image]`; a turn without words and without an image
    is no memory.

    Two turns with one id are both memories, the second of them `locomo-01-s03-t012-2`; evidence
    that names them means either, and is counted.

    Args:
        conversations: In order.
        id: Of the data set.
        stem: What all ids begin with.
        variant: Has `unit`, one of `UNITS`, and `text`, one of `TEXTS`.
        files: What was read.
    """
    built = _Builder(unit=variant["unit"], text=variant["text"])
    for number, conversation in enumerate(conversations, 1):
        built.add(conversation, corpus=f"{stem}-{number:02d}")
    return Dataset(
        id=id,
        memories=pl.DataFrame(built.memories, schema=MEMORIES, orient="row"),
        queries=pl.DataFrame(built.queries, schema=QUERIES, orient="row"),
        qrels=pl.DataFrame(built.qrels, schema=QRELS, orient="row"),
        parts=pl.DataFrame(built.parts, schema=PARTS, orient="row"),
        variant=dict(variant),
        files=tuple(files),
        left_out=dict(sorted((+built.left_out).items())),
    )


class _Builder:
    """Rows of the three frames, and what found no place in them."""

    def __init__(self, *, unit: str, text: str) -> None:
        self.unit = unit
        self.text = text
        self.memories: list[tuple[Any, ...]] = []
        self.queries: list[tuple[Any, ...]] = []
        self.qrels: list[tuple[str, str, int]] = []
        self.parts: list[tuple[Any, ...]] = []
        self.left_out: Counter[str] = Counter()

    def add(self, conversation: Conversation, *, corpus: str) -> None:
        """Add the rows of a conversation."""
        known: dict[tuple[int, int], list[str]] = {}
        # What follows the first blank is the place in it.
        source = "_".join(conversation.source_id.split())
        for session in conversation.sessions:
            said = [
                (place, turn, words)
                for place, turn in enumerate(session.turns, 1)
                if (words := self._words(turn)) is not None
            ]
            self.left_out["turns without words"] += len(session.turns) - len(said)
            key = f"{corpus}-s{session.number:02d}"
            dated = f"({session.date}) " if self.text == "spd" and session.date else ""
            if self.unit == "turn":
                for place, turn, words in said:
                    same = known.setdefault(turn.id, [])
                    again = len(same) + 1
                    same.append(
                        "{}-s{:02d}-t{:03d}".format(corpus, *turn.id)
                        + (f"-{again}" if again > 1 else "")
                    )
                    place_of = (key, place, turn.speaker, turn.at)
                    named = "{} D{}:{}".format(source, *turn.id) + (f"#{again}" * (again > 1))
                    self.memories.append((same[-1], corpus, dated + words, *place_of, None, named))
            elif said:
                content = dated + "\n".join(words for *_, words in said)
                start = len(dated)
                for place, turn, words in said:
                    end = start + len(words)
                    self.parts.append((key, place, turn.speaker, turn.at, start, end))
                    start = end + 1
                named = f"{source} session_{session.number}"
                self.memories.append(
                    (key, corpus, content, key, None, None, session.at, None, named)
                )
                for _, turn, _ in said:
                    known.setdefault(turn.id, []).append(key)
        for question in conversation.questions:
            self._ask(question, known, corpus=corpus, source=source)

    def _words(self, turn: Turn) -> str | None:
        text = turn.text if turn.text.strip() else ""
        image = f"[shares image: {turn.caption}]" if turn.caption else ""
        if turn.image and not text and not image:
            image = "[shares image]"
        if self.text == "text":
            return text or image or None
        words = " ".join(part for part in (text, image) if part)
        return f"{turn.speaker}: {words}" if words else None

    def _ask(
        self,
        question: Question,
        known: Mapping[tuple[int, int], Sequence[str]],
        *,
        corpus: str,
        source: str,
    ) -> None:
        named = [turn for each in question.evidence for turn in self._turns(each)]
        found = dict.fromkeys(memory for turn in named for memory in known.get(turn, ()))
        self.left_out["evidence that names no turn"] += sum(turn not in known for turn in named)
        several = sum(len(set(known.get(turn, ()))) > 1 for turn in named)
        self.left_out["evidence that names several turns"] += several
        if not question.text.strip():
            self.left_out["questions without text"] += 1
            return
        if not found:
            without = "evidence that is there" if question.evidence else "evidence"
            self.left_out[f"questions without {without}"] += 1
            return
        key = f"{corpus}-q{question.number:03d}"
        place = f"{source} qa[{question.number - 1}]"
        self.queries.append((key, corpus, question.text, question.category, corpus, None, place))
        self.qrels += [(key, memory, 1) for memory in found]

    def _turns(self, evidence: str) -> Iterator[tuple[int, int]]:
        """Yield session and turn of each id: `D8:6; D9:17` is two of them, `D30:05` is `D30:5`."""
        for session, turn in _TURN.findall(evidence):
            yield int(session), int(turn)
        if not _BETWEEN.fullmatch(_TURN.sub("", evidence)):
            self.left_out["evidence that is no id"] += 1
