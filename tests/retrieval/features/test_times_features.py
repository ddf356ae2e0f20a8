from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from engram_lab.retrieval.features import features_of
from engram_lab.retrieval.times import asked, mentions
from engram_lab.retrieval.times.following import TimesIndex

if TYPE_CHECKING:
    from collections.abc import Callable

    from engram_lab.retrieval.conversation import Turns
    from engram_lab.retrieval.features import Scene

NOON = datetime(2024, 6, 14, 12, tzinfo=UTC)
NAMES = ("time-said", "time-told", "tells-when", "tells-how-long")


@pytest.fixture
def told(
    turns: Turns, make_turns: Callable[..., Turns], make_scene: Callable[..., Scene]
) -> Callable[[str], dict[str, list[float]]]:
    """Ask of the second and third turn, and of a note, all said on the 14th of June 2024."""
    said = [
        (
            turns.session_ids[turns.sessions[row]],
            turns.speaker_names[turns.speakers[row]],
            turns.contents[row],
        )
        for row in range(len(turns))
    ]
    dated = make_turns(said, [NOON.timestamp()] * len(said))

    def tell(question: str) -> dict[str, list[float]]:
        given: dict[str, Any] = {
            "mentions": mentions(question, anchor=NOON),
            "asked": asked(question),
            "times": TimesIndex().follow(dated),
        }
        scene = make_scene(dated, [-1, 1, 2], **given)
        return {name: values.tolist() for name, values in features_of(scene, NAMES).items()}

    return tell


def test_a_turn_of_the_day_asked_for_and_one_that_tells_of_it_fit(told: Any) -> None:
    assert told("What did Ben say today?")["time-said"] == [0, 1, 1]
    found = told("What did Ben do on 12 June 2024?")
    assert found["time-said"] == [0, 0.5, 0.5]
    assert found["time-told"] == [0, 1, 0]


def test_whether_a_turn_tells_a_time_counts_where_one_is_asked_for(told: Any) -> None:
    assert told("When did Ben go?")["tells-when"] == [0, 1, 1]
    assert told("How long did it take?")["tells-how-long"] == [0, 0, 1]
    for values in told("Who is Ben?").values():
        assert values == [0, 0, 0]


def test_where_no_times_are_known_all_are_0(turns: Turns, make_scene: Callable[..., Scene]) -> None:
    question = "When, in May 2023, did Ben go?"
    given: dict[str, Any] = {
        "mentions": mentions(question, anchor=NOON),
        "asked": asked(question),
    }
    for values in features_of(make_scene(turns, [0, -1], **given), NAMES).values():
        assert values.tolist() == [0, 0]
