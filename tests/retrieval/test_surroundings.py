"""What lies around what was found: links and turns, within the selection."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engram_lab.core.selection import Selection
from engram_lab.retrieval.conversation import Conversation
from engram_lab.retrieval.ranking import Ranking
from engram_lab.retrieval.spreading import Spreading
from engram_lab.retrieval.surroundings import CONTEXT, LINKS, Surroundings

if TYPE_CHECKING:
    from engram_lab.core.sqlite import SqliteStore


def test_where_nothing_is_looked_at_there_is_nothing(store: SqliteStore) -> None:
    assert not Surroundings()
    assert Surroundings().arms(store.corpus, "tea", Ranking.of([1], [1.0]), Selection()) == {}


def test_links_lead_to_what_the_selection_holds(store: SqliteStore) -> None:
    first, second, old = (
        store.memories.remember({"content": text, "lifecycle": state}).id
        for text, state in (("a", "active"), ("b", "active"), ("c", "archived"))
    )
    store.links.put(first, second)
    store.links.put(first, old)
    around = Surroundings(spreading=Spreading(steps=1))
    assert around
    one, two, three = store.corpus.find([first, second, old]).tolist()
    found = Ranking.of([one], [1.0])
    arms = around.arms(store.corpus, "tea", found, Selection())
    assert list(arms) == [LINKS]
    assert arms[LINKS].keys.tolist() == [two]
    arms = around.arms(store.corpus, "tea", found, Selection(archived=True))
    assert set(arms[LINKS].keys.tolist()) == {two, three}


def test_a_link_counts_while_it_holds(store: SqliteStore) -> None:
    first, second = (store.memories.remember({"content": text}).id for text in "ab")
    store.links.put(first, second, valid_from="2020-01-01", valid_to="2021-01-01")
    found = Ranking.of(store.corpus.find([first]), [1.0])
    around = Surroundings(spreading=Spreading())
    for moment, count in (("2020-06-01", 2), ("2025-06-01", 0), (None, 0)):
        arms = around.arms(store.corpus, "tea", found, Selection.of(valid_at=moment))
        assert len(arms[LINKS]) == count


def test_the_conversation_scores_what_was_found(store: SqliteStore) -> None:
    session = store.sessions.start()
    turns = store.sessions.add_turns(
        session.id,
        [{"speaker": name, "content": name} for name in ("Ada", "Bob", "Ada", "Bob")],
    )
    keys = store.corpus.find([turn.memory_id for turn in turns])
    found = Ranking.of(keys, [1.0, 0.9, 0.1, 0.0])
    arms = Surroundings(conversation=Conversation()).arms(
        store.corpus, "what did Ada say", found, Selection()
    )
    assert list(arms) == [CONTEXT]
    scores = dict(zip(arms[CONTEXT].keys.tolist(), arms[CONTEXT].scores.tolist(), strict=True))
    # Half the mean of the window; a quarter each of the session and of whether Ada spoke.
    session_mean = (1.0 + 0.9 + 0.1) / 3
    windows = [(1.0 + 0.9) / 2, (1.0 + 0.9 + 0.1) / 3, (0.9 + 0.1 + 0.0) / 3, (0.1 + 0.0) / 2]
    speakers = [1, -1, 1, -1]
    assert [scores[key] for key in keys.tolist()] == pytest.approx(
        [
            0.5 * window + 0.25 * session_mean + 0.25 * speaker
            for window, speaker in zip(windows, speakers, strict=True)
        ]
    )
