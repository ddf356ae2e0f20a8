"""Topics become lines that two people say, and questions with their evidence."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from engram_lab.evaluation.datasets.dataset import FORBIDDEN, STALE
from engram_lab.evaluation.datasets.fiction.chaining import CHAINS
from engram_lab.evaluation.datasets.fiction.changing import CHANGES
from engram_lab.evaluation.datasets.fiction.ellipsis import ELLIPSES, REPLIES
from engram_lab.evaluation.datasets.fiction.happening import HAPPENINGS
from engram_lab.evaluation.datasets.fiction.household import HOUSEHOLD
from engram_lab.evaluation.datasets.fiction.leisure import LEISURE
from engram_lab.evaluation.datasets.fiction.script import Asked, Exchange, Line, Script
from engram_lab.evaluation.datasets.fiction.secret import SECRETS
from engram_lab.evaluation.datasets.fiction.smalltalk import ASIDES, REACTIONS
from engram_lab.evaluation.datasets.fiction.sundry import SUNDRY
from engram_lab.evaluation.datasets.fiction.values import Values
from engram_lab.evaluation.datasets.fiction.working import WORKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engram_lab.evaluation.datasets.fiction.dice import Dice
    from engram_lab.evaluation.datasets.fiction.names import Names
    from engram_lab.evaluation.datasets.fiction.topics import Topic, Variant

__all__ = ["BY_NAME", "PLAN", "TOPICS", "write_script"]

TOPICS: Final = (*LEISURE, *HOUSEHOLD, *WORKING, *SUNDRY)

PLAN: Final[Mapping[str, int]] = {
    "single-hop": 5,
    "name": 3,
    "paraphrase": 4,
    "speaker": 2,
    "adversarial": 2,
    "temporal": 3,
    "multi-hop": 3,
    "update": 3,
    "context": 4,
    "private": 1,
}
"""How many questions of each category a conversation gets."""

BY_NAME: Final = {
    "coined": ("What is {a}?", "What is {a} to {who}?"),
    "person": ("Who is {a}?", "Who is {a} to {who}?"),
    "town": ("What did {who} say about {a}?", "Who talked about {a}?"),
}
"""Questions that name the thing, by what kind of a name it is."""

_UNASKED: Final = 2
"""How many elliptic answers more than questions for them."""

_VOWELS: Final = frozenset("aeiou")

_NATURAL: Final = 60
_ASIDE: Final = 45
_LED: Final = 25
_ANSWERED: Final = 12
_NEAR: Final = 55
_RETURNED: Final = 50
_VEILED: Final = 30
"""How many in a hundred facts are asked in natural words, said with an aside, led to, reacted to,
have a near-miss, are come back to, or are asked veiled."""


class _Writer:
    """Writes the lines and questions of one conversation.

    Args:
        dice: What decides.
        names: Where names come from.
        people: Who talks.
        number: Which conversation it is, from 1.
    """

    def __init__(self, dice: Dice, names: Names, people: tuple[str, str], number: int) -> None:
        self._dice = dice.under("writing")
        self._values = Values(dice.under("values"), names)
        self._number = number
        self._asides = dice.under("asides").shuffled(ASIDES)
        self._reactions = dice.under("reactions").shuffled(REACTIONS)
        self._leads: set[str | None] = set()
        self.script = Script(people=people)

    def topics(self) -> None:
        """Write single facts: in the words of the question, veiled, of both, of the wrong one."""
        drawn = self._dice.shuffled(TOPICS)
        named = [topic for topic in drawn if topic.kind in BY_NAME][: PLAN["name"]]
        left = (topic for topic in drawn if topic not in named)
        for _ in range(PLAN["single-hop"]):
            self._single(next(left))
        for _ in range(PLAN["paraphrase"]):
            self._veiled(next(left))
        for _ in range(PLAN["speaker"] // 2):
            self._both(next(left))
        for _ in range(PLAN["adversarial"]):
            self._swapped(next(left))
        for topic in named:
            self._named(topic)

    def _single(self, topic: Topic) -> None:
        owner, other = self._pair()
        variant = self._dice.pick(topic.variants)
        answer = self._values.new(topic.kind)
        line = self._tell(topic, variant, owner, other, answer)
        self._near(topic)
        text = topic.natural if self._dice.holds(_NATURAL) else variant.ask
        self._ask("single-hop", text.format(who=owner), ((line, 1),), answers=(answer,))

    def _veiled(self, topic: Topic) -> None:
        owner, other = self._pair()
        variant = self._dice.pick(topic.variants)
        answer = self._values.new(topic.kind)
        line = self._tell(topic, variant, owner, other, answer)
        by = self._pair()
        self._exchange(Line(speaker=by[0], text=topic.lure, planted=True), by[1])
        self._near(topic)
        text = variant.mean.format(who=owner)
        self._ask("paraphrase", text, ((line, 1),), answers=(answer,), veiled=True)

    def _named(self, topic: Topic) -> None:
        owner, other = self._pair()
        answer = self._values.new(topic.kind)
        line = self._tell(topic, self._dice.pick(topic.variants), owner, other, answer)
        text = self._dice.pick(BY_NAME[topic.kind]).format(a=answer, who=owner)
        self._ask("name", text, ((line, 1),))

    def _both(self, topic: Topic) -> None:
        variants = self._dice.shuffled(topic.variants)
        pairs = (self.script.people, self.script.people[::-1])
        told = []
        for variant, (owner, other) in zip(variants, pairs, strict=False):
            answer = self._values.new(topic.kind)
            told.append((owner, answer, self._tell(topic, variant, owner, other, answer)))
        for (owner, answer, line), (_, _, others) in zip(told, told[::-1], strict=True):
            text = topic.natural.format(who=owner)
            self._ask("speaker", text, ((line, 1), (others, 0)), answers=(answer,))

    def _swapped(self, topic: Topic) -> None:
        owner, other = self._pair()
        variant = self._dice.pick(topic.variants)
        answer = self._values.new(topic.kind)
        line = self._tell(topic, variant, owner, other, answer)
        self._ask("adversarial", variant.ask.format(who=other), ((line, 1),), answers=(answer,))

    def happenings(self) -> None:
        """Write what happened once, and when."""
        for event in self._dice.shuffled(HAPPENINGS)[: PLAN["temporal"]]:
            owner, other = self._pair()
            when = self._values.new("when")
            line = self._line(owner, self._dice.pick(event.say), when=when)
            first = self._exchange(line, other, followed=True)
            if self._dice.holds(_RETURNED):
                later = Line(speaker=owner, text=self._dice.pick(event.later), planted=True)
                self._exchange(later, other, after=first)
            veiled = self._dice.holds(_VEILED)
            text = (event.mean if veiled else event.ask).format(who=owner)
            self._ask("temporal", text, ((line, 1),), veiled=veiled)

    def chains(self) -> None:
        """Write facts that lie in several turns."""
        for chain in self._dice.shuffled(CHAINS)[: PLAN["multi-hop"]]:
            owner, other = self._pair()
            gaps = self._gaps(chain.kind, (*chain.says, chain.near))
            lines = [self._line(owner, say, **gaps) for say in chain.says]
            for line in lines:
                self._exchange(line, other)
            near = Line(speaker=other, text=_filled(chain.near, **gaps), planted=True)
            self._exchange(near, owner)
            self._ask(
                "multi-hop",
                chain.ask.format(who=owner),
                tuple((line, 1) for line in lines),
                answers=(gaps["a"],),
            )

    def changes(self) -> None:
        """Write facts that change."""
        for change in self._dice.shuffled(CHANGES)[: PLAN["update"]]:
            owner, other = self._pair()
            old, new = self._values.new(change.kind), self._values.new(change.kind)
            if change.kind in {"number", "money"}:  # each of them goes down, as its words say
                new, old = sorted((old, new), key=int)
            before = self._line(owner, self._dice.pick(change.before), old=old)
            veiled = self._dice.holds(_VEILED)
            after = self._line(owner, change.after[veiled], a=new)
            first = self._exchange(before, other, followed=True)
            self._exchange(after, other, after=first)
            text = self._dice.pick(change.ask).format(who=owner)
            self._ask("update", text, ((after, 1), (before, STALE)), answers=(new,))

    def ellipses(self) -> None:
        """Write answers that only the question before them explains, and some nobody asks for."""
        replies = {kind: iter(self._dice.shuffled(REPLIES[kind])) for kind in sorted(REPLIES)}
        drawn = self._dice.shuffled(ELLIPSES)[: PLAN["context"] + _UNASKED]
        for place, each in enumerate(drawn):
            owner, other = self._pair()
            lead = Line(speaker=other, text=each.lead)
            text = _filled(next(replies[each.kind]), a=self._values.new(each.kind))
            reply = Line(speaker=owner, text=text)
            self.script.exchanges.append(Exchange(lines=(lead, reply)))
            if place < PLAN["context"]:
                asked = self._dice.pick(each.ask).format(who=owner)
                self._ask("context", asked, ((reply, 1),), veiled=True)

    def secrets(self) -> None:
        """Write what is half said to all and wholly said to somebody alone."""
        for secret in self._dice.shuffled(SECRETS)[: PLAN["private"]]:
            owner, other = self._pair()
            gaps = self._gaps(secret.kind, (secret.hidden,))
            line = Line(speaker=owner, text=secret.open)
            self._exchange(line, other)
            place = (
                ("scope", f"global/person:{owner.lower()}")
                if self._number % 2
                else ("workspace", f"house-{self._number}")
            )
            hidden = Line(
                speaker=owner, text=_filled(secret.hidden, **gaps), hidden=(place,), planted=True
            )
            self.script.apart.append(hidden)
            self._ask("private", secret.ask.format(who=owner), ((line, 1), (hidden, FORBIDDEN)))

    def _pair(self) -> tuple[str, str]:
        first, second = self.script.people
        return (first, second) if self._dice.holds(50) else (second, first)

    def _tell(self, topic: Topic, variant: Variant, owner: str, other: str, answer: str) -> Line:
        line = self._line(owner, variant.say, a=answer)
        fresh = [lead for lead in topic.lead if lead not in self._leads]
        lead = self._dice.pick(fresh) if fresh and self._dice.holds(_LED) else None
        self._leads.add(lead)
        self._exchange(line, other, lead=lead)
        return line

    def _near(self, topic: Topic) -> None:
        if self._dice.holds(_NEAR):
            text = _filled(
                self._dice.pick(topic.near),
                a=self._values.new(topic.kind),
                other=self._values.new("person"),
            )
            by = self._pair()
            self._exchange(Line(speaker=by[0], text=text, planted=True), by[1])

    def _line(self, owner: str, text: str, **gaps: str) -> Line:
        """Return a fact as it is said, perhaps in one breath with something else."""
        said = _filled(text, **gaps)
        if self._asides and self._dice.holds(_ASIDE):
            said = f"{self._asides.pop()} {said}"
        if self._asides and self._dice.holds(_ASIDE):
            said = f"{said} {self._asides.pop()}"
        return Line(speaker=owner, text=said)

    def _exchange(
        self,
        line: Line,
        other: str,
        *,
        lead: str | None = None,
        followed: bool = False,
        after: Exchange | None = None,
    ) -> Exchange:
        lines = [line]
        if lead is not None:
            lines.insert(0, Line(speaker=other, text=lead))
        if self._reactions and self._dice.holds(_ANSWERED):
            lines.append(Line(speaker=other, text=self._reactions.pop()))
        exchange = Exchange(lines=tuple(lines), followed=followed, after=after)
        self.script.exchanges.append(exchange)
        return exchange

    def _gaps(self, kind: str, texts: tuple[str, ...]) -> dict[str, str]:
        """Return a value for each gap of the texts."""
        kinds = dict.fromkeys("abcd", kind) | {"a2": kind, "other": "person"}
        for name in ("coined", "person", "town"):
            kinds |= {name: name, f"{name}2": name}
        joined = " ".join(texts)
        wanted = [name for name in sorted(kinds) if f"{{{name}}}" in joined]
        return {name: self._values.new(kinds[name]) for name in wanted}

    def _ask(
        self,
        category: str,
        text: str,
        evidence: tuple[tuple[Line, int], ...],
        *,
        answers: tuple[str, ...] = (),
        veiled: bool = False,
    ) -> None:
        self.script.asked.append(
            Asked(category=category, text=text, evidence=evidence, answers=answers, veiled=veiled)
        )


def write_script(dice: Dice, names: Names, people: tuple[str, str], number: int) -> Script:
    """Return what two people say, and what may be asked about it.

    Args:
        dice: What decides.
        names: Where names come from.
        people: Who talks.
        number: Which conversation it is, from 1.
    """
    writer = _Writer(dice, names, people, number)
    writer.topics()
    writer.happenings()
    writer.chains()
    writer.changes()
    writer.ellipses()
    writer.secrets()
    writer.script.asked.sort(key=lambda each: list(PLAN).index(each.category))
    return writer.script


def _filled(text: str, **gaps: str) -> str:
    """Return a sentence with its gaps filled; `{When}` is `{when}` at the start of a sentence."""
    for name, value in gaps.items():
        if value[:1].lower() in _VOWELS:
            text = re.sub(rf"\b([Aa]) (?={{{name}}})", r"\1n ", text)
    capitals = {name.capitalize(): value[:1].upper() + value[1:] for name, value in gaps.items()}
    filled = text.format(**gaps, **capitals)
    return filled[:1].upper() + filled[1:]
