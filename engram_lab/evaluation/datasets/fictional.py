"""Conversations between people who do not exist, with questions whose answers are known exactly.

Every fact is put into a sentence by this program, which so knows which turn answers what: there is
no annotator to err. Names are coined, sentences are of our own, and a seed decides which are used.
It is a small benchmark for tests, demonstrations and a continuous gate; it is no evidence for how
a system does on real conversations.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from engram_lab.core.errors import InvalidInputError
from engram_lab.evaluation.datasets.dataset import MEMORIES, QRELS, QUERIES, Dataset
from engram_lab.evaluation.datasets.fiction.dice import Dice
from engram_lab.evaluation.datasets.fiction.names import Names
from engram_lab.evaluation.datasets.fiction.weaving import weave
from engram_lab.evaluation.datasets.fiction.writing import PLAN, write_script

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engram_lab.evaluation.datasets.fiction.script import Line, Script

__all__ = ["CATEGORIES", "TINY_SEED", "generate"]

CATEGORIES: Final = tuple(PLAN)
"""The kinds of questions: see the card, `datasets/tiny/README.md`."""

TINY_SEED: Final = 2026
"""The seed of the bundled corpus."""

_BEGIN: Final = datetime(2031, 3, 3, 9, 0, tzinfo=UTC)
_TURN: Final = timedelta(minutes=1)
_MOST: Final = 1000


def generate(
    seed: int, *, conversations: int = 12, together: int = 12, sessions: int = 4
) -> Dataset:
    """Return conversations and questions; the same arguments give the same data everywhere.

    Args:
        seed: A whole number, 0 or more; another one gives other names, facts and order.
        conversations: How many, from 1 to 1000. Each is a cluster of questions.
        together: How many conversations share a corpus, so that people are to be told apart.
        sessions: How many sessions a conversation has, from 2 to 1000.

    Raises:
        InvalidInputError: A number is out of its bounds.
    """
    _check("seed", seed, least=0, most=2**63 - 1)
    _check("conversations", conversations, least=1, most=_MOST)
    _check("together", together, least=1, most=_MOST)
    _check("sessions", sessions, least=2, most=_MOST)
    dice = Dice(str(seed))
    names = Names(dice.under("names"))
    frames = _Frames()
    for number in range(1, conversations + 1):
        here = dice.under(f"conversation-{number}")
        script = write_script(here, names, (names.new("person"), names.new("person")), number)
        frames.add(script, number, corpus=f"k{(number - 1) // together + 1}", dice=here, n=sessions)
    return Dataset(
        id="tiny" if seed == TINY_SEED else f"fictional-{seed}",
        variant={
            "unit": "turn",
            "seed": str(seed),
            "conversations": str(conversations),
            "together": str(together),
            "sessions": str(sessions),
        },
        memories=pl.DataFrame(frames.memories, schema=MEMORIES, orient="row"),
        queries=pl.DataFrame(frames.queries, schema=QUERIES, orient="row"),
        qrels=pl.DataFrame(frames.qrels, schema=QRELS, orient="row"),
    )


class _Frames:
    """Collects the rows of the three frames."""

    def __init__(self) -> None:
        self.memories: list[dict[str, Any]] = []
        self.queries: list[dict[str, Any]] = []
        self.qrels: list[dict[str, Any]] = []

    def add(self, script: Script, number: int, *, corpus: str, dice: Dice, n: int) -> None:
        """Take in a conversation of n sessions."""
        cluster, when = f"c{number:02}", dice.under("when")
        ids: dict[Line, str] = {}
        at = _BEGIN + timedelta(days=when.below(60), hours=when.below(9))
        for session, lines in enumerate(weave(script, dice.under("weaving"), sessions=n), 1):
            for position, line in enumerate(lines):
                ids[line] = f"{cluster}-s{session}-{position + 1:02}"
                told = (f"{cluster}-s{session}", position, at + position * _TURN)
                self._remember(line, ids[line], corpus, told)
            at += timedelta(days=16 + when.below(20), hours=when.below(3))
        for place, line in enumerate(script.apart, 1):
            ids[line] = f"{cluster}-x{place}"
            self._remember(line, ids[line], corpus, None)
        for place, asked in enumerate(script.asked, 1):
            query = f"{cluster}-q{place:02}"
            self.queries.append(
                {
                    "id": query,
                    "corpus": corpus,
                    "text": asked.text,
                    "category": asked.category,
                    "cluster": cluster,
                    "asked_at": at,
                    "source_id": None,
                }
            )
            self.qrels += [
                {"query_id": query, "memory_id": ids[line], "relevance": relevance}
                for line, relevance in asked.evidence
            ]

    def _remember(
        self, line: Line, id_: str, corpus: str, told: tuple[str, int, datetime] | None
    ) -> None:
        session, position, at = told or (None, None, None)
        kept: Mapping[str, str] | None = None if line.hidden is None else dict(line.hidden)
        self.memories.append(
            {
                "id": id_,
                "corpus": corpus,
                "content": f"{line.speaker}: {line.text}",
                "session": session,
                "position": position,
                "speaker": line.speaker,
                "event_at": at,
                "fields": None if kept is None else json.dumps(kept, sort_keys=True),
                "source_id": None,
            }
        )


def _check(name: str, value: object, *, least: int, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise InvalidInputError(f"{name} is {value!r}: give a whole number from {least} to {most}")
