"""Conversations between two people, with questions about them, as memories, queries and qrels."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from engram_lab.evaluation.datasets.dataset import MEMORIES, QRELS, QUERIES, DataFile, Dataset

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from engram_lab.evaluation.datasets.published import Place

__all__ = ["TEXTS", "UNITS", "Conversation", "Question", "Session", "Turn", "assemble", "turn_id"]

UNITS: Final = ("turn", "session")
TEXTS: Final = ("sp", "text", "spd")

_TURN: Final = re.compile(r"D(\d+):(\d+)")
_BETWEEN: Final = re.compile(r"[\s,;]*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """What one person said at once.

    Attributes:
        id: What the data call it: session and turn, (3, 12) for `D3:12`.
        speaker: As named in the data.
        text: The words; empty where only an image was sent.
        caption: What an image that was shared shows, as the data describe it.
        at: When it was said.
    """

    id: tuple[int, int]
    speaker: str
    text: str
    caption: str | None
    at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """Turns that follow each other.

    Attributes:
        number: As published.
        date: When it began, as published.
        at: The same as a time.
        turns: In order.
    """

    number: int
    date: str
    at: datetime
    turns: tuple[Turn, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """A question, without its answer.

    Attributes:
        number: Its place among the published questions, from 1.
        text: As published.
        category: By name.
        evidence: What is said to answer it, as published: `D8:6`, or `D8:6; D9:17`.
    """

    number: int
    text: str
    category: str
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
    match = _TURN.fullmatch(place.text())
    if match is None:
        raise place.refused("the id of a turn, such as 'D3:12',")
    return int(match[1]), int(match[2])


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
    session is its turns, each on a line. A turn without words and without a described image is no
    memory.

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
        self.left_out: Counter[str] = Counter()

    def add(self, conversation: Conversation, *, corpus: str) -> None:
        """Add the rows of a conversation."""
        known: dict[tuple[int, int], str] = {}
        source = conversation.source_id
        for session in conversation.sessions:
            said = [
                (place, turn, words)
                for place, turn in enumerate(session.turns, 1)
                if (words := self._words(turn)) is not None
            ]
            self.left_out["turns without words"] += len(session.turns) - len(said)
            key = f"{corpus}-s{session.number:02d}"
            dated = f"({session.date}) " if self.text == "spd" else ""
            if self.unit == "turn":
                for place, turn, words in said:
                    known[turn.id] = "{}-s{:02d}-t{:03d}".format(corpus, *turn.id)
                    place_of = (key, place, turn.speaker, turn.at)
                    named = "{} D{}:{}".format(source, *turn.id)
                    self.memories.append(
                        (known[turn.id], corpus, dated + words, *place_of, None, named)
                    )
            elif said:
                content = dated + "\n".join(words for *_, words in said)
                named = f"{source} session_{session.number}"
                self.memories.append(
                    (key, corpus, content, key, None, None, session.at, None, named)
                )
                known |= {turn.id: key for _, turn, _ in said}
        for question in conversation.questions:
            self._ask(question, known, corpus=corpus, source=source)

    def _words(self, turn: Turn) -> str | None:
        image = f"[shares image: {turn.caption}]" if turn.caption else ""
        text = turn.text if turn.text.strip() else ""
        if self.text == "text":
            return text or image or None
        words = " ".join(part for part in (text, image) if part)
        return f"{turn.speaker}: {words}" if words else None

    def _ask(
        self, question: Question, known: Mapping[tuple[int, int], str], *, corpus: str, source: str
    ) -> None:
        named = [turn for each in question.evidence for turn in self._turns(each)]
        found = dict.fromkeys(known[turn] for turn in named if turn in known)
        self.left_out["evidence that names no turn"] += sum(turn not in known for turn in named)
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
