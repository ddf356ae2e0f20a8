"""Questions, conditions, wishes and fictions close no fact, and none of them is closed."""

from __future__ import annotations

from typing import Final

import pytest

from engram_lab.consolidation.merge.asserted import manner_of
from engram_lab.consolidation.supersede import Supersede
from tests.consolidation.worlds import Held, World, day

LIVES: Final = "Ada Brook lives in Oslo"
UNSAID: Final = (
    ("Does Ada Brook live in Rome?", "question"),
    ("Is Ada Brook's phone number 555-9876?", "question"),
    ("does Ada Brook live in Rome", "question"),
    ("where does Ada Brook live", "question"),
    ("Bo asked whether Ada Brook lives in Rome", "question"),
    ("If Ada Brook gets the job she lives in Rome", "condition"),
    ("Ada Brook lives in Rome if she gets the job", "condition"),
    ("It would be nice if Ada Brook lived in Rome", "wish"),
    ("I wish Ada Brook lived in Rome", "wish"),
    ("In the novel Ada Brook lives in Rome", "fiction"),
    ("In my dream Ada Brook lives in Rome", "fiction"),
    ("Suppose Ada Brook lives in Rome", "fiction"),
    ("Imagine that Ada Brook lives in Rome", "fiction"),
    ("Ada Brook might live in Rome", "modal"),
    ("Ada Brook could live in Rome", "modal"),
    ("Ada Brook should live in Rome", "modal"),
    ("Rumour has it that Ada Brook lives in Rome", "modal"),
)
SAID: Final = (
    "Ada Brook lives in Rome now",
    "Ada Brook moved to Rome",
    "Ada Brook will move to Rome in May",
    "If you look for Ada Brook, she is in Rome",
    "Will Smith lives in Rome",
    "May 4 is the day of the review",
    "The review is on 4 May 2026",
    "In the book club Ada Brook reads poems",
    "Do not forget the keys",
    "Ada Brook hopes to move to Rome",
    "What Ada Brook likes is figs",
)


def closes(older: str, newer: str) -> bool:
    world = World(
        [
            Held(content=older, created_at=day(1), vector=(1.0, 0.0)),
            Held(content=newer, created_at=day(5), vector=(1.0, 0.1)),
        ]
    )
    changes = Supersede().plan(world.view(), world.scene())
    return any("valid_to" in each.fields for each in changes)


@pytest.mark.parametrize(("text", "manner"), UNSAID)
def test_what_is_not_said_to_be_so_is_known_by_how_it_is_said(text: str, manner: str) -> None:
    assert manner_of(text) == manner


@pytest.mark.parametrize("text", SAID)
def test_what_is_said_to_be_so_or_planned_is_an_assertion(text: str) -> None:
    assert manner_of(text) == ""


@pytest.mark.parametrize("text", [text for text, _ in UNSAID])
def test_what_is_not_said_to_be_so_neither_closes_nor_is_closed(text: str) -> None:
    assert not closes(LIVES, text)
    assert not closes(text, "Ada Brook lives in Bergen now")


def test_what_is_said_to_be_so_closes_what_was() -> None:
    assert closes(LIVES, "Ada Brook lives in Rome now")
    assert closes("The phone number of Ada Brook is 5551234", "Ada Brook's phone number is 5559876")


def test_of_what_is_kept_there_is_one_place_at_a_time() -> None:
    kept = "We keep the Kestrel van in the {} of house {}"
    assert closes(kept.format("shed", 5), kept.format("attic", 63))
