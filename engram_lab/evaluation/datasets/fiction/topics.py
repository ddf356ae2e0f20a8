"""What a topic is: sentences with gaps, and the questions that they answer."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Chain", "Change", "Elliptic", "Happening", "Secret", "Topic", "Variant"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Variant:
    """One way to tell a fact.

    Attributes:
        say: What its owner says. `{a}` is the answer; see `values` for other gaps.
        ask: A question in the words of `say`; `{who}` is the owner.
        mean: The same question without any content word of `say`.
    """

    say: str
    ask: str
    mean: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Topic:
    """A fact about a person that has one answer.

    Attributes:
        key: Its name.
        kind: What fills `{a}`: a kind of `values`.
        variants: Two or more ways to tell it.
        natural: The question as one would ask it, sharing a word with `say` or two.
        lure: Says words of the veiled questions and means something else.
        lead: What the other may say just before; it does not tell the answer.
        near: The same about somebody else, `{other}`: a near-miss.
    """

    key: str
    kind: str
    variants: tuple[Variant, ...]
    natural: str
    lure: str
    lead: tuple[str, ...]
    near: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Happening:
    """Something that happened once; `{when}` in `say` counts from the day on which it is said.

    Attributes:
        key: Its name.
        say: How its owner tells it.
        ask: When it was, in the words of `say`.
        mean: When it was, without any content word of `say`.
        later: Comes back to it without saying when; a near-miss.
    """

    key: str
    say: tuple[str, ...]
    ask: str
    mean: str
    later: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Chain:
    """A question that takes all of several turns, each said on its own.

    Attributes:
        key: Its name.
        kind: What fills `{a}`.
        says: The turns; gaps are shared.
        ask: The question.
        near: The last link about something else.
    """

    key: str
    kind: str
    says: tuple[str, ...]
    ask: str
    near: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """A fact that changed: `{old}`, and later `{a}`.

    Attributes:
        key: Its name.
        kind: What fills both gaps.
        before: How the first state is told.
        after: How the second is told, sessions later: in words of `ask`, and without.
        ask: What holds at the end.
    """

    key: str
    kind: str
    before: tuple[str, ...]
    after: tuple[str, str]
    ask: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Elliptic:
    """An answer that only the turn before gives a meaning.

    Attributes:
        key: Its name.
        kind: What is answered: `when`, `person`, `town`, `number`.
        lead: What the other asks.
        ask: The question, which shares no content word with any reply of this kind.
    """

    key: str
    kind: str
    lead: str
    ask: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Secret:
    """Something that all may hear half of.

    Attributes:
        key: Its name.
        kind: What fills `{a}`.
        open: What is said to all: relevant, and no answer in itself.
        hidden: What was told to somebody alone, to the letter of the question.
        ask: The question.
    """

    key: str
    kind: str
    open: str
    hidden: str
    ask: str
