"""Scenes told by hand: a conversation of a few turns, and what may be known of each."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engram_lab.core.protocols import SpokenTurns
from engram_lab.retrieval.conversation.columns import Columns
from engram_lab.retrieval.conversation.turns import Turns
from engram_lab.retrieval.features import Scene
from engram_lab.retrieval.times import asked, mentions
from engram_lab.retrieval.times.following import TimesIndex

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NOON = datetime(2024, 6, 14, 12, tzinfo=UTC)
SAID = [
    ("one", "Ada", "Ada: Shall we go to the sea?"),
    ("one", "Ben", "Ben: Yes! I went there yesterday."),
    ("one", "Ada", "Ada: It took about three weeks. [photo of a boat]"),
    ("two", "Cy", "Cy: Hi Ada."),
    ("two", "Ada", "Ada: Hello"),
]


def turns_of(said: Sequence[tuple[str, str, str]], spoken_at: Sequence[float] = ()) -> Turns:
    """Return turns: who said what in which session, in order; their keys count from 1."""
    counts: dict[str, int] = {}
    positions = []
    for session, _, _ in said:
        positions.append(counts.get(session, 0))
        counts[session] = positions[-1] + 1
    given = SpokenTurns(
        keys=np.arange(1, len(said) + 1),
        session_ids=[each[0] for each in said],
        positions=np.array(positions, np.int64),
        speakers=[each[1] for each in said],
        spoken_at=np.array(spoken_at or [np.nan] * len(said), np.float64),
        media=np.zeros(len(said), np.bool_),
        contents=[each[2] for each in said],
    )
    return Turns.of(Columns.read(given))


def scene_of(turns: Turns, rows: Sequence[int], **given: Any) -> Scene:
    """Return a scene of candidates by row, -1 for a note, and the turns beside them."""
    own = np.array(rows, np.int64)
    around = turns.around(own, 1)
    others = np.setdiff1d(around[around >= 0], own)
    every = np.concatenate((own, others))
    places = {row: at for at, row in enumerate(every.tolist()) if row >= 0}
    beside = np.array([[places.get(row, -1) for row in each] for each in around.tolist()])
    beside = beside.reshape(-1, 3)
    beside[:, 1] = np.arange(len(own))
    notes = 1000 + np.arange(len(own))
    keys = np.where(own >= 0, own + 1, notes)
    known: dict[str, Any] = {
        "speakers": np.zeros(len(own), np.int8),
        "words": np.zeros((len(every), 0)),
        "names": np.zeros(0, np.bool_),
    }
    return Scene(keys=keys, rows=every, beside=beside, turns=turns, **known | given)


@pytest.fixture(scope="session")
def make_turns() -> Callable[..., Turns]:
    return turns_of


@pytest.fixture(scope="session")
def turns() -> Turns:
    """Return five turns of two sessions."""
    return turns_of(SAID)


@pytest.fixture(scope="session")
def make_scene() -> Callable[..., Scene]:
    return scene_of


def random_scene(seed: int) -> Scene:
    """Return a scene of candidates in any order, notes among them, with all that may be known."""
    chance = np.random.default_rng(seed)
    spoken = [float(day * 86_400) for day in chance.integers(19_000, 20_000, len(SAID))]
    turns = turns_of(SAID, spoken)
    rows = chance.permutation([*chance.permutation(len(SAID))[: chance.integers(1, 6)], -1, -1])
    scene = scene_of(turns, rows.tolist())
    m, words, tokens = len(scene.rows), 4, 3
    question = "When did Ada go to the sea, last year or in May 2023?"
    weights = chance.random(tokens)
    return replace(
        scene,
        speakers=chance.integers(-1, 2, len(rows)).astype(np.int8),
        words=chance.random((m, words)) / words,
        names=chance.random(words) < 0.5,
        cosines={form: chance.random(m) for form in ("asked", "first_person")},
        near=chance.random((m, tokens)),
        weights=weights / weights.sum(),
        mentions=mentions(question, anchor=NOON),
        asked=asked(question),
        times=TimesIndex().follow(turns),
    )


@pytest.fixture(scope="session")
def make_random_scene() -> Callable[[int], Scene]:
    return random_scene
