"""What is written before it is put in order: lines, exchanges of lines, and questions on them."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Asked", "Exchange", "Line", "Script"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Line:
    """Something said. Lines are compared by identity: the same words twice are two lines.

    Attributes:
        speaker: Its name.
        text: What is said.
        hidden: Where it is kept, as fields of a memory; None for a turn that all may read.
        planted: It is a near-miss on purpose, and may resemble what answers a question.
    """

    speaker: str
    text: str
    hidden: tuple[tuple[str, str], ...] | None = None
    planted: bool = False


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Exchange:
    """Lines that follow each other.

    Attributes:
        lines: In order.
        followed: Something comes back to it in a later session.
        after: What it comes back to.
    """

    lines: tuple[Line, ...]
    followed: bool = False
    after: Exchange | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A question.

    Attributes:
        category: Its kind.
        text: The question.
        evidence: Lines with their relevance.
        answers: What the answer says to the letter, for checking that nothing else says it.
        veiled: It shares no content word with its evidence.
    """

    category: str
    text: str
    evidence: tuple[tuple[Line, int], ...]
    answers: tuple[str, ...] = ()
    veiled: bool = False


@dataclass(kw_only=True, slots=True)
class Script:
    """What two people will have said.

    Attributes:
        people: Their names.
        exchanges: In no order yet.
        asked: The questions.
        apart: Lines that are no part of the conversation.
    """

    people: tuple[str, str]
    exchanges: list[Exchange] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    apart: list[Line] = field(default_factory=list)
