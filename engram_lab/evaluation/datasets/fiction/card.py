"""The card of the bundled corpus, with its counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

if TYPE_CHECKING:
    from engram_lab.evaluation.datasets.dataset import Dataset

__all__ = ["KINDS", "card_of"]

KINDS: Final = {
    "single-hop": "asked in the words of the turn that answers",
    "name": "what a coined name stands for, which one turn tells",
    "paraphrase": "asked without any content word of that turn, so that meaning is needed",
    "speaker": "both have told their own, and the question names one; the other's turn is judged 0",
    "adversarial": "asked of the wrong one of the two; the turn of the other is the evidence",
    "temporal": "when something happened; the turn counts from its own day (`event_at`)",
    "multi-hop": "two or three turns are needed, said on different occasions",
    "update": "what holds now; the turn that tells what held before is stale (−1)",
    "context": "the turn is elliptic and shares no content word with the question",
    "private": "what all may hear says only that it is; what answers is forbidden (−2)",
}
"""What is special about the questions of each category."""


def card_of(dataset: Dataset) -> str:
    """Return the card in Markdown."""
    asked = dict(dataset.queries.group_by("category").len().rows())
    judged = dict(dataset.qrels.group_by("relevance").len().rows())
    turns = dataset.memories.filter(pl.col("session").is_not_null())
    rows = "\n".join(f"| `{name}` | {asked.get(name, 0)} | {text} |" for name, text in KINDS.items())
    levels = "\n".join(
        f"| {level} | {judged.get(level, 0)} | {text} |"
        for level, text in (
            (1, "answers, alone or together with others"),
            (0, "looked at, and does not answer"),
            (-1, "answered once, and was superseded"),
            (-2, "must not be shown to whoever asks"),
        )
    )
    seed = dataset.variant["seed"]
    return _CARD.format(
        turns=turns.height,
        apart=dataset.memories.height - turns.height,
        corpora=dataset.memories["corpus"].n_unique(),
        clusters=dataset.queries["cluster"].n_unique(),
        sessions=turns["session"].n_unique(),
        queries=dataset.queries.height,
        rows=rows,
        levels=levels,
        seed=seed,
    )


_CARD: Final = """\
# Tiny

{clusters} conversations between people who do not exist, {queries} questions, and the turns that answer them. A program wrote
all of it from the seed {seed}; its sentences are our own, and no real person, place or brand is meant. MIT, like the project.

It is there for demonstrations, tests and a gate in continuous integration: small enough to run whole in seconds, hard enough
that a change in retrieval is seen. **It is no evidence for how anything does on real conversations**, and not to be tuned on.
"""
