"""Which profile makes the order, what it says of itself, and that its explanation is the score."""

from __future__ import annotations

import re
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engram_lab.core.errors import EmbedderError, InvalidInputError
from engram_lab.retrieval.features import FEATURES
from engram_lab.retrieval.profiles import BY_HAND, shipped_record

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engram_lab import Engine, Hits, ManualClock

    Opened = Callable[..., Engine]

MINILM = shipped_record().embedder
QUESTION = "What did Ada give Ben last year?"
WORDS = ("tea", "cup", "sun", "gnu", "milk", "kettle", "Ada", "yesterday", "I", "gave", "?")
PEOPLE = ("Ada", "Ben", "Cy")


def say(engine: Engine, session: str, *said: str, **fields: Any) -> list[str]:
    """Say things such as `Ada: hello` in a session, and embed them."""
    if session not in {each.id for each in engine.store.sessions.all()}:
        engine.store.sessions.start(session)
    turns = [{"speaker": text.partition(":")[0], "content": text, **fields} for text in said]
    ids = [turn.memory_id for turn in engine.store.sessions.add_turns(session, turns)]
    engine.took_in()
    return ids


def lived_in(engine: Engine, clock: ManualClock, chance: Any) -> None:
    """Say things in some sessions, with some notes among them; forget some."""
    for session in ("one", "two", "three")[: chance.randint(1, 3)]:
        for _ in range(chance.randint(1, 4)):
            speaker = chance.choice(PEOPLE)
            text = " ".join(chance.choices(WORDS, k=chance.randint(0, 5)))
            (said,) = say(engine, session, f"{speaker}: {text}", spoken_at=clock.now())
            clock.advance(days=chance.choice([0, 1, 200]))
            if chance.random() < 0.2:
                engine.forget(said)
            if chance.random() < 0.4:
                engine.remember(" ".join(chance.choices(WORDS, k=3)))


@pytest.fixture
def talk(opened: Opened, pair_words: Any) -> Any:
    """Open an engine with a conversation of three, ordered by what was learned."""
    with opened(embedder=pair_words(name=MINILM)) as engine:
        say(
            engine,
            "one",
            "Ada: Did you like the kettle?",
            "Ben: Yes, I make tea with it.",
            "Ada: I gave it to you last year.",
        )
        yield engine


def test_a_conversation_is_ordered_by_what_was_learned_and_says_so(talk: Engine) -> None:
    hits = talk.recall(QUESTION)
    assert hits.profile == "conversation"
    assert hits.strategy == "hybrid"
    assert hits.reason == (
        "both arms have something to say; "
        "conversation profile: 3 of 3 found are turns with speakers"
    )
    arms = {arm.name for hit in hits for arm in hit.explanation.arms}
    assert arms <= set(shipped_record().features)
    assert {"late", "speaker", "words-without-names"} <= arms


def test_notes_are_ordered_as_ever(opened: Opened, pair_words: Any) -> None:
    found = {}
    for profile in ("auto", "neutral"):
        with opened(embedder=pair_words(name=MINILM), retrieval={"profile": profile}) as engine:
            engine.remember_many({"content": text} for text in ("tea cup", "milk", "a sun"))
            hits = engine.recall("tea in the sun")
            assert (hits.profile, hits.reason) == ("neutral", "both arms have something to say")
            found[profile] = [(hit.id, hit.score, hit.explanation) for hit in hits]
    assert found["auto"] == found["neutral"]


@pytest.mark.parametrize(
    ("embedding", "why"),
    [
        ("foreign", "those learned are for another embedder"),
        ("none", "there are no vectors"),
    ],
)
@pytest.mark.parametrize("profile", ["auto", "conversation"])
def test_where_the_weights_do_not_fit_those_by_hand_are_taken_and_it_is_said(
    opened: Opened, pair_words: Any, embedding: str, why: str, profile: str
) -> None:
    given: dict[str, Any] = {"retrieval": {"profile": profile}}
    if embedding == "none":
        given["embedding"] = {"model": "none"}
    else:
        given["embedder"] = pair_words()
    with opened(**given) as engine:
        say(engine, "one", "Ada: the kettle", "Ben: some tea")
        hits = engine.recall("the kettle")
        assert hits.profile == "by-hand"
        assert hits.reason.endswith(f"weights set by hand, as {why}")
        assert {arm.name for arm in hits[0].explanation.arms} <= set(BY_HAND.features)
        assert hits[0].memory.content == "Ada: the kettle"


def test_mostly_notes_are_neutral_and_it_is_said(opened: Opened, pair_words: Any) -> None:
    with opened(embedder=pair_words()) as engine:
        engine.remember_many({"content": text} for text in ("tea cup", "tea sun", "tea gnu"))
        say(engine, "one", "Ada: tea")
        hits = engine.recall("tea")
        assert hits.profile == "neutral"
        assert hits.reason.endswith("neutral profile: 1 of 4 found are turns with speakers")


@pytest.mark.parametrize(
    ("asked", "strategy"),
    [
        ({"query": "kettle", "strategy": "keyword"}, "keyword"),
        ({"query": "kettle", "strategy": "semantic"}, "semantic"),
        ({"query": '"the kettle"'}, "keyword"),
        ({"query": "kett*"}, "keyword"),
    ],
)
def test_an_arm_that_was_told_alone_is_neutral(
    talk: Engine, asked: dict[str, Any], strategy: str
) -> None:
    hits = talk.recall(**asked)
    assert (hits.profile, hits.strategy) == ("neutral", strategy)
    assert [arm.name for arm in hits[0].explanation.arms] == [strategy]


def test_the_past_is_neutral(opened: Opened, pair_words: Any, clock: ManualClock) -> None:
    with opened(clock=clock, embedder=pair_words()) as engine:
        say(engine, "one", "Ada: the kettle")
        then = clock.now()
        clock.advance(hours=1)
        say(engine, "one", "Ben: the kettle")
        hits = engine.recall("kettle", as_of=then)
        assert (hits.profile, len(hits)) == ("neutral", 1)


def is_explained(hits: Hits) -> None:
    order = [(-hit.score, hit.id) for hit in hits]
    assert order == sorted(order)
    for hit in hits:
        assert sum((arm.contribution for arm in hit.explanation.arms), 0.0) == hit.score
        assert hit.explanation.score == hit.score
        assert hit.explanation.arms


@settings(max_examples=40)
@given(
    profile=st.sampled_from(["auto", "conversation", "by-hand", "neutral"]),
    lexical=st.sampled_from(["bm25", "fts5"]),
    name=st.sampled_from([MINILM, "words"]),
    depth=st.sampled_from([1, 100]),
    chance=st.randoms(use_true_random=False),
)
def test_whatever_is_set_the_explanation_comes_to_the_score(
    profile: str,
    lexical: str,
    name: str,
    depth: int,
    chance: Any,
    opened: Opened,
    pair_words: Any,
    make_clock: Callable[[], ManualClock],
) -> None:
    clock = make_clock()
    chosen = {"profile": profile, "lexical": lexical, "depth": depth}
    with opened(clock=clock, embedder=pair_words(name=name), retrieval=chosen) as engine:
        lived_in(engine, clock, chance)
        for query in (QUESTION, "tea", "When did Ben see the sun?", "of the"):
            hits = engine.recall(query, 20)
            is_explained(hits)
            if depth > len(hits):
                assert remembered(engine.recall(query, 2)) == remembered(hits)[:2]


@settings(max_examples=25)
@given(chance=st.randoms(use_true_random=False), record=st.sampled_from(["shipped", "by-hand"]))
def test_each_arm_is_the_feature_that_the_table_has_times_its_weight(
    chance: Any,
    record: str,
    opened: Opened,
    pair_words: Any,
    make_clock: Callable[[], ManualClock],
) -> None:
    clock = make_clock()
    profile = "conversation" if record == "shipped" else "by-hand"
    weights = (shipped_record() if record == "shipped" else BY_HAND).weights
    with opened(
        clock=clock, embedder=pair_words(name=MINILM), retrieval={"profile": profile}
    ) as engine:
        lived_in(engine, clock, chance)
        table = engine.features(QUESTION)
        assert table.names == FEATURES.names()
        hits = engine.recall(QUESTION, 100)
        assert sorted(hit.id for hit in hits) == sorted(table.ids)
        for hit in hits:
            for arm in hit.explanation.arms:
                column = table.values[:, table.names.index(arm.name)]
                value = column[table.ids.index(hit.id)]
                assert arm.score == value
                away, spread = value - column.mean(), column.max() - column.min()
                if record == "by-hand":
                    away = (value - column.min()) / spread if spread else 0.0
                wanted = weights[arm.name] * away
                assert arm.contribution == pytest.approx(wanted, abs=1e-9)


def remembered(hits: Hits) -> list[Any]:
    return [(hit.id, hit.score, hit.explanation) for hit in hits]


@pytest.mark.parametrize("seed", range(4))
def test_same_store_configuration_and_clock_give_the_same_bytes(
    seed: int,
    opened: Opened,
    pair_words: Any,
    make_clock: Callable[[], ManualClock],
    tmp_path: Path,
) -> None:
    """Whether the indexes followed the changes, were read from files, or were made anew."""
    found = []
    queries = (QUESTION, "tea in the sun", "When did Ben see the gnu?")
    for name in ("one.db", "other.db"):
        clock = make_clock()
        with opened(tmp_path / name, clock=clock, embedder=pair_words()) as engine:
            lived_in(engine, clock, Random(seed))  # noqa: S311 - of no secret
            found.append([remembered(engine.recall(query, 50)) for query in queries])
            found.append([remembered(engine.recall(query, 50)) for query in queries])
        with opened(tmp_path / name, clock=clock, embedder=pair_words()) as engine:
            found.append([remembered(engine.recall(query, 50)) for query in queries])
            engine.reindex()
            found.append([remembered(engine.recall(query, 50)) for query in queries])
    assert all(each == found[0] for each in found)
    assert any(found[0])


def test_a_note_among_turns_is_found_and_explained(talk: Engine) -> None:
    note = talk.remember("the kettle that Ada gave away")
    hits = talk.recall(QUESTION)
    assert hits.profile == "conversation"
    assert note.id in {hit.id for hit in hits}
    is_explained(hits)


def test_what_is_forgotten_or_purged_is_neither_found_nor_beside(talk: Engine) -> None:
    ids = [hit.id for hit in talk.recall(QUESTION)]
    first, second, third = sorted(ids)
    talk.forget(second)
    assert sorted(hit.id for hit in talk.recall(QUESTION)) == [first, third]
    before = talk.features(QUESTION, ["late-of-turn-before"])
    assert before.values[before.ids.index(third), 0] != 0  # of the first one, which asks
    talk.purge([first])
    assert [hit.id for hit in talk.recall(QUESTION)] == [third]
    assert talk.features(QUESTION, ["late-of-turn-before"]).values.tolist() == [[0.0]]
    talk.restore(second)
    assert sorted(hit.id for hit in talk.recall(QUESTION)) == [second, third]


@pytest.mark.parametrize("profile", ["auto", "conversation", "by-hand"])
def test_of_an_empty_store_there_is_nothing(opened: Opened, pair_words: Any, profile: str) -> None:
    with opened(embedder=pair_words(), retrieval={"profile": profile}) as engine:
        assert list(engine.recall(QUESTION)) == []
        table = engine.features(QUESTION)
        assert (table.ids, table.values.shape) == ((), (0, len(FEATURES.names())))
        engine.store.sessions.start("one")
        assert list(engine.recall(QUESTION)) == []


@pytest.mark.parametrize("query", ["of the", "?", "the the the", "Ada", "\u00e9"])
def test_a_question_without_a_word_that_tells_much_has_an_answer(talk: Engine, query: str) -> None:
    hits = talk.recall(query)
    is_explained(hits)
    assert len(hits) in {0, 3}


def test_weights_of_ones_own_are_used(opened: Opened, pair_words: Any) -> None:
    learned = '{"weights": {"length": -2}}'
    with opened(embedder=pair_words(), retrieval={"learned": learned}) as engine:
        say(engine, "one", "Ada: tea", "Ben: tea and a cup of milk", "Ada: tea cup")
        hits = engine.recall("tea")
        assert hits.profile == "conversation"
        assert [hit.memory.content for hit in hits] == [
            "Ada: tea",
            "Ada: tea cup",
            "Ben: tea and a cup of milk",
        ]
        (arm,) = hits[0].explanation.arms
        lengths = np.log1p([1, 6, 2])
        assert arm.name == "length"
        assert arm.contribution == pytest.approx(-2 * (lengths[0] - lengths.mean()), rel=1e-6)
        is_explained(hits)


def test_weights_of_what_cannot_be_told_leave_the_order_to_the_arms(opened: Opened) -> None:
    learned = '{"weights": {"cosine": 1}}'
    sections = {"embedding": {"model": "none"}, "retrieval": {"learned": learned}}
    with opened(**sections) as engine:
        say(engine, "one", "Ada: tea", "Ben: milk")
        hits = engine.recall("tea")
        assert [hit.memory.content for hit in hits] == ["Ada: tea"]
        assert hits.profile == "neutral"
        assert hits.reason.endswith("neutral profile: no weighted feature can be told")


def test_a_profile_that_was_told_and_cannot_be_is_missed_aloud(opened: Opened) -> None:
    with opened(embedding={"model": "none"}, retrieval={"profile": "by-hand"}) as engine:
        say(engine, "one", "Ada: tea for two", "Ben: milk")
        assert engine.recall("tea").reason.endswith("by-hand profile: as told")
        exact = engine.recall('"tea for two"')
        assert exact.profile == "neutral"
        assert "neutral profile: features are of the present, of both arms" in exact.reason


@pytest.mark.parametrize(
    ("learned", "reason"),
    [
        ("{}", "no weights"),
        ('{"weights": {"wrods": 1}}', r"there is no feature 'wrods'.*'words'"),
    ],
)
def test_weights_that_are_none_are_refused_when_the_store_is_opened(
    opened: Opened, learned: str, reason: str
) -> None:
    with pytest.raises(InvalidInputError, match=reason):
        opened(retrieval={"learned": learned})


def test_features_may_be_chosen_and_are_of_the_selection(talk: Engine) -> None:
    table = talk.features(QUESTION, ["question", "speaker"])
    assert table.names == ("question", "speaker")
    by_content = {talk.get(id_).content: row for id_, row in zip(*table[::2], strict=True)}
    assert by_content["Ada: Did you like the kettle?"].tolist() == [1, 1]
    only = talk.features(
        QUESTION, ["question"], filter={"content": "Ada: Did you like the kettle?"}
    )
    assert only.values.tolist() == [[1]]
    with pytest.raises(InvalidInputError, match=r"there is no feature 'wrods'"):
        talk.features(QUESTION, ["wrods"])


def test_a_model_that_fails_at_the_question_leaves_the_order_to_the_arms(
    opened: Opened, pair_words: Any
) -> None:
    class Failing(pair_words):  # type: ignore[misc]
        """Makes a vector of a question, but no tokens."""

        def embed_both(self, texts: Any, *, kind: Any) -> Any:
            if kind == "query":
                raise EmbedderError("no tokens today")
            return super().embed_both(texts, kind=kind)

    with opened(embedder=Failing(name=MINILM)) as engine:
        say(engine, "one", "Ada: the kettle", "Ben: some tea")
        hits = engine.recall("What did Ada say of the kettle?")
        assert hits[0].memory.content == "Ada: the kettle"
        assert hits.profile in {"neutral", "by-hand"}
        assert re.search("no tokens today", hits.reason)
        with pytest.raises(EmbedderError, match="no tokens today"):
            engine.recall("What did Ada say of the kettle?", strategy="hybrid")
