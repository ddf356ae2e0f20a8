"""The stores that the conversation benchmark asks: made-up turns, and those of LoCoMo."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engram_lab.core.errors import DatasetMissingError
from engram_lab.evaluation.datasets.catalogue import load_dataset
from engram_lab.evaluation.datasets.fictional import generate
from engram_lab.evaluation.systems.corpora import Corpus, corpora_of

if TYPE_CHECKING:
    from engram_lab.evaluation.datasets.dataset import Dataset

SEED = 20261121
PER_CONVERSATION = 80
"""Turns of a made-up conversation, at least: a little more than this."""


@dataclass(frozen=True, kw_only=True)
class Talk:
    """Conversations in one store, and questions that name who takes part in them."""

    name: str
    corpus: Corpus
    questions: tuple[str, ...]


def fictional(turns: int) -> Talk:
    """Return so many made-up turns."""
    conversations = turns // PER_CONVERSATION + 1
    made = generate(SEED, conversations=conversations, together=conversations)
    return _talk(f"{turns:,} made-up turns", made, turns)


def locomo() -> Talk | None:
    """Return the ten conversations of LoCoMo as one store; None where they are not to be had."""
    try:
        return _talk("LoCoMo in one store", load_dataset("locomo"), None)
    except DatasetMissingError:
        return None


def _talk(name: str, dataset: Dataset, most: int | None) -> Talk:
    """Return all corpora as one: a session is known by that of its corpus as well."""
    parts = list(corpora_of(dataset))
    turns = [
        {**row, "session": f"{corpus.name}/{row['session']}"}
        for corpus, _ in parts
        for row in corpus.memories
        if row["session"] is not None
    ][:most]
    moment = max(corpus.moment for corpus, _ in parts)
    speakers = sorted({re.escape(row["speaker"]) for row in turns})
    named = re.compile(rf"\b(?:{'|'.join(speakers)})\b")
    # Words in quotes are looked for to the letter, by one arm alone.
    asked = [
        each.text
        for _, questions in parts
        for each in questions
        if named.search(each.text) and '"' not in each.text
    ]
    corpus = replace(parts[0][0], name=name, memories=turns, moment=moment, parts={})
    return Talk(name=name, corpus=corpus, questions=tuple(dict.fromkeys(asked)))
