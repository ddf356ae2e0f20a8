"""Conversations from which something can be learned, small enough to wait for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from engram_lab.evaluation.datasets.dataset import MEMORIES, QRELS, QUERIES, Dataset

PEOPLE = (("Ada", "Ben"), ("Cleo", "Dan"), ("Eve", "Finn"), ("Gia", "Hal"))
THINGS = ("kite", "lamp", "boat", "drum", "oven", "sled")
FILLERS = (
    "nearly always after lunch near harbour gates",
    "quite seldom before dawn behind chapel walls",
    "only once each winter under birch trees",
    "rather often these days beyond canal locks",
)
BEGAN = datetime(2026, 1, 5, tzinfo=UTC)


def turns(number: int) -> list[tuple[str, str]]:
    """Return a talk in which of each thing one asks, the other tells, and the first praises it."""
    one, other = PEOPLE[number]
    odd, *rest = FILLERS[number].split()
    told = []
    for place, thing in enumerate(THINGS):
        colour = ("red", "blue", "green")[(place + number) % 3]
        told += [
            (one, f"{odd} {rest[0]}: {thing}, {other}? {rest[1]} {thing} {rest[2]}?"),
            (other, f"I bought {rest[3]} {thing} {colour} {odd} {rest[4]} May {place}, my own"),
            (one, f"{other}, {rest[5]} {thing} {odd} {odd} {rest[0]} {thing}!"),
        ]
    return told


def talks(count: int = 4, *, in_one_corpus: bool = False) -> Dataset:
    """Return conversations, each a corpus and a cluster, with a question on each thing."""
    memories, queries, qrels = [], [], []
    for number in range(count):
        name = f"talk-{number}"
        corpus = "main" if in_one_corpus else name
        for place, (speaker, text) in enumerate(turns(number)):
            id_ = f"{name}-{place}"
            memories.append(
                {
                    "id": id_,
                    "corpus": corpus,
                    "content": text,
                    "session": f"{name}-s",
                    "position": place + 1,
                    "speaker": speaker,
                    "event_at": BEGAN + timedelta(days=number, minutes=place),
                }
            )
        for place, thing in enumerate(THINGS):
            id_ = f"{name}-{thing}"
            text = f"When did {PEOPLE[number][1]} buy the {thing}?"
            queries.append({"id": id_, "corpus": corpus, "text": text, "cluster": name})
            answer = f"{name}-{3 * place + 1}"
            qrels.append({"query_id": id_, "memory_id": answer, "relevance": 1})
    return Dataset(
        id="talks",
        memories=pl.DataFrame(memories, schema=MEMORIES),
        queries=pl.DataFrame(queries, schema=QUERIES),
        qrels=pl.DataFrame(qrels, schema=QRELS),
    )


@pytest.fixture(scope="session")
def four_talks() -> Dataset:
    return talks()


@pytest.fixture(scope="session")
def talks_in_one_corpus() -> Dataset:
    return talks(3, in_one_corpus=True)
