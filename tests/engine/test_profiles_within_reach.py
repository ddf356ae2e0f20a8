"""What whoever asks may not see, or did not ask of, has no part in an order by features."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engram_lab.core.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Callable

    from engram_lab import Engine, ManualClock
    from engram_lab.retrieval.features import Scene

    Opened = Callable[..., Engine]

OURS, THEIRS = "global/org:a", "global/org:b"
PEOPLE = ("Ada", "Ben", "Adeline")
WORDS = ("tea", "sun", "yesterday", "Ada", "Mel", "I", "gave", "May 2025", "?")
QUESTIONS = (
    "What did Ada give Ben in May?",
    "Did Mel say anything of the sun yesterday?",
    "What tea was it last week?",
)
SAID = st.lists(
    st.tuples(
        st.sampled_from(["one", "two"]),
        st.sampled_from(PEOPLE),
        st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join),
        st.sampled_from(["seen", "seen", "moved", "expired", "theirs"]),
    ),
    min_size=1,
    max_size=9,
)


def lived(engine: Engine, clock: ManualClock, said: Any, *, all_of_it: bool) -> None:
    """Say things, of which some are out of sight in the end, or only those that are not."""
    for session, scope in (("one", OURS), ("two", OURS), ("other", THEIRS)):
        engine.store.sessions.start(session, scope=scope)
    for number, (session, speaker, text, fate) in enumerate(said):
        clock.advance(days=1)
        if fate != "seen" and not all_of_it:
            continue
        place = "other" if fate == "theirs" else session
        turn = {"speaker": speaker, "content": f"{speaker}: {text} {number}"}
        (made,) = engine.store.sessions.add_turns(place, [turn])
        if fate == "moved":
            engine.update(made.memory_id, scope=THEIRS)
        elif fate == "expired":
            engine.update(made.memory_id, expires_at=clock.now() + timedelta(hours=1))
    engine.took_in()
    clock.advance(days=10 - len(said))


def told(engine: Engine, view: Engine, query: str) -> dict[str, dict[str, Any]] | None:
    """Return what a scene knows of each candidate, by what that says.

    How rare a word is counts over the whole store, for whoever asks; that alone is left out.
    """
    scene: Scene | None = engine._indexes.recaller.scene(view.store, query, Selection())
    if scene is None:
        return None
    keys = [*scene.keys.tolist(), *scene.turns.keys[scene.rows[len(scene) :]].tolist()]
    memories = engine.store.corpus.fetch(np.array(keys), Selection(archived=True))
    texts = ["" if each is None else each.content for each in memories]
    assert all(texts)
    found = {}
    for at in range(len(scene)):
        before, own, after = scene.beside[at].tolist()
        assert own == at
        found[texts[at]] = {
            "beside": [texts[place] if place >= 0 else None for place in (before, after)],
            "speaker": int(scene.speakers[at]),
            "cosines": {form: float(values[at]) for form, values in scene.cosines.items()},
            "near": None if scene.near is None else scene.near[at].tolist(),
            "words": (scene.words[at] > 0).tolist(),
            "names": scene.names.tolist(),
            "mentions": scene.mentions,
        }
    return found


@settings(max_examples=60)
@given(said=SAID, query=st.sampled_from(QUESTIONS))
def test_an_agent_is_answered_as_if_there_were_nothing_else(
    said: Any, query: str, opened: Opened, pair_words: Any, make_clock: Callable[[], ManualClock]
) -> None:
    scenes = []
    for all_of_it in (True, False):
        clock = make_clock()
        with opened(clock=clock, embedder=pair_words(dim=32)) as engine:
            lived(engine, clock, said, all_of_it=all_of_it)
            scenes.append(told(engine, engine.as_agent("kim", OURS), query))
    assert scenes[0] == scenes[1]


def test_all_that_a_scene_looks_at_is_within_the_selection(
    opened: Opened, pair_words: Any, clock: ManualClock
) -> None:
    with opened(clock=clock, embedder=pair_words()) as engine:
        engine.store.sessions.start("one")
        turns = [
            {"speaker": speaker, "content": f"{speaker}: tea {number}", "tags": [speaker]}
            for number, speaker in enumerate(PEOPLE * 4)
        ]
        engine.store.sessions.add_turns("one", turns)
        engine.took_in()
        selection = Selection.of(filter={"tags": {"contains": "Ada"}})
        scene = engine._indexes.recaller.scene(engine.store, "What tea, today?", selection)
        assert scene is not None
        rows = scene.rows
        assert set(scene.turns.speakers[rows].tolist()) == {0}
        assert len(rows) == 4
        assert (scene.beside[:, [0, 2]] == -1).all()  # those beside were not asked of


def test_what_was_not_asked_of_crowds_no_candidate_out(
    opened: Opened, pair_words: Any, clock: ManualClock
) -> None:
    """The best fifty by their time are taken among those that may be found."""
    with opened(clock=clock, embedder=pair_words(), retrieval={"depth": 1}) as engine:
        engine.store.sessions.start("one")
        day = "2025-05-07T12:00:00Z"
        turns = [
            {"speaker": "Ben", "content": f"Ben: tea {number}", "spoken_at": day, "tags": ["ben"]}
            for number in range(70)
        ]
        turns += [
            {"speaker": "Ada", "content": f"Ada: {word}", "spoken_at": day, "tags": ["ada"]}
            for word in ("gnu", "sun", "milk")
        ]
        engine.store.sessions.add_turns("one", turns)
        engine.took_in()
        ada = {"tags": {"contains": "ada"}}
        table = engine.features("Who had tea on 7 May 2025?", ["time-said"], filter=ada)
        assert table.values.tolist() == [[1], [1], [1]]
