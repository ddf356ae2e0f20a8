"""The card of the bundled corpus, with its counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

if TYPE_CHECKING:
    from engram_lab.evaluation.datasets.dataset import Dataset

__all__ = ["KINDS", "card_of"]

KINDS: Final = {
    "single-hop": "asked in words of the turn that answers, all of them or one",
    "name": "what a coined name stands for, which one turn tells",
    "paraphrase": "asked without any content word of that turn, so that meaning is needed",
    "speaker": "both have told their own, and the question names one; the other's turn is judged 0",
    "adversarial": "asked of the wrong one of the two; the turn of the other is the evidence",
    "temporal": "when something happened; the turn counts from its own day (`event_at`)",
    "multi-hop": "two or three turns are needed, each said on its own",
    "update": "what holds now; the turn that tells what held before is stale (-1)",
    "context": "the turn is elliptic and shares no content word with the question",
    "private": "what all may hear says only that it is; what answers is forbidden (-2)",
}
"""What is special about the questions of each category."""


def card_of(dataset: Dataset) -> str:
    """Return the card in Markdown."""
    asked = dict(dataset.queries.group_by("category").len().rows())
    judged = dict(dataset.qrels.group_by("relevance").len().rows())
    turns = dataset.memories.filter(pl.col("session").is_not_null())
    rows = "\n".join(
        f"| `{name}` | {asked.get(name, 0)} | {text} |" for name, text in KINDS.items()
    )
    levels = "\n".join(
        f"| {level} | {judged.get(level, 0)} | {text} |"
        for level, text in (
            (1, "answers, alone or together with others"),
            (0, "looked at, and does not answer"),
            (-1, "answered once, and was superseded"),
            (-2, "must not be shown to whoever asks"),
        )
    )
    return _CARD.format(
        turns=turns.height,
        apart=dataset.memories.height - turns.height,
        corpora=dataset.memories["corpus"].n_unique(),
        clusters=dataset.queries["cluster"].n_unique(),
        sessions=turns["session"].n_unique(),
        queries=dataset.queries.height,
        rows=rows,
        levels=levels,
        seed=dataset.variant["seed"],
    )


_CARD: Final = """\
# Tiny

{clusters} conversations between people who do not exist, {queries} questions, and the turns that
answer them. A program wrote all of it from the seed {seed}; its sentences are our own, and no
real person, place or brand is meant. MIT, like the project.

It is there for demonstrations, tests and a gate in continuous integration: small enough to run
whole in seconds, hard enough that a change in retrieval is seen.

| | |
| --- | ---: |
| conversations (clusters of questions) | {clusters} |
| sessions | {sessions} |
| turns | {turns} |
| memories apart from any conversation | {apart} |
| corpora (a store each) | {corpora} |
| questions | {queries} |

## Questions

| category | questions | what is special |
| --- | ---: | --- |
{rows}

`adversarial` is to be reported apart, as with LoCoMo: the question has no answer, and what is
judged is whether the turn that it twists is found.

| relevance | judgements | meaning |
| ---: | ---: | --- |
{levels}

## Files

- `memories.jsonl`: `id`, `corpus`, `content` (`Speaker: text`), `session`, `position` (from
  0), `speaker`, `event_at` (when it was said, UTC). A memory with `fields` is no turn: it
  lies in another workspace than `default`, or in a scope of its own, as `fields` says.
  Whoever asks as an agent in the scope `global` and the workspace `default` must never see
  it.
- `queries.jsonl`: `id`, `corpus`, `text`, `category`, `cluster`, `asked_at`.
- `qrels.tsv`: `query_id`, `memory_id`, `relevance`, with a head line.

## How it was made

`python evals/tiny.py` writes it, and `--check` compares. For each conversation the program
draws two people, facts of either, and a sentence for each fact; so it knows which turn
answers what, and no annotator can err. Chance is the SHA-256 of a path of names
(`fiction/dice.py`): the same seed gives the same bytes on every machine. Names are put
together from syllables; numbers, names of people, places and things are not said twice by
chance, so that an answer stands in its own turn alone.

Around the facts are near-misses (the same about somebody else), lures (the words of a
question in another sense), talk about nothing, and asides in one breath with a fact.

## What it is not

**No evidence for how anything does on real conversations.** Sentences come from a few hundred
patterns, people never contradict themselves by accident, and how often each kind of question
occurs was decided, not found. Use it to see that something changed, and a published set to
see whether it got better. Nothing should be tuned on it.
"""
