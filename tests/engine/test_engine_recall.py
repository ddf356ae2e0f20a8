"""What a recall takes, and what it gives."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engram_lab.config.retrieval import STRATEGIES
from engram_lab.core.errors import (
    AccessDeniedError,
    EmbedderError,
    InvalidInputError,
    NotFoundError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from engram_lab import Engine, Hits, ManualClock

    Opened = Callable[..., Engine]


@pytest.fixture
def engine(opened: Opened, clock: ManualClock, words: Any) -> Iterator[Engine]:
    with opened(clock=clock, embedder=words()) as engine:
        yield engine


def seen(hits: Hits) -> list[tuple[str, float]]:
    return [(hit.id, hit.score) for hit in hits]


# Strategies


def test_auto_says_what_it_decided_and_why(engine: Engine) -> None:
    assert engine.recall("tea").reason == "no memory that is asked for has a vector"
    engine.remember("green tea")
    for query, strategy, reason in (
        ("tea", "hybrid", "both arms have something to say"),
        ("whisky", "semantic", "none of the words finds anything"),
        ('"green tea"', "keyword", "words in quotes are a phrase, one before a * is a beginning"),
        ("gre*", "keyword", "words in quotes are a phrase, one before a * is a beginning"),
        ("of the", "semantic", "no word of it tells much"),
    ):
        hits = engine.recall(query)
        assert (hits.strategy, hits.reason, len(hits)) == (strategy, reason, 1)
        assert hits.embedder == (None if strategy == "keyword" else "words/8")
    assert engine.recall("tea", strategy="hybrid").reason == "as told"


def test_the_strategy_of_the_settings_holds_unless_another_is_told(
    opened: Opened, words: Any
) -> None:
    with opened(embedder=words(), retrieval={"strategy": "semantic"}) as engine:
        engine.remember("tea")
        assert engine.recall("tea").strategy == "semantic"
        assert engine.recall("tea", strategy="keyword").strategy == "keyword"
        assert engine.recall("tea", strategy="auto").strategy == "hybrid"


@pytest.mark.parametrize("strategy", ["nonsense", "", 7])
def test_an_unknown_strategy_is_refused_whatever_the_embedder_does(
    opened: Opened, strategy: Any
) -> None:
    with (
        opened(embedding={"model": "none"}) as engine,
        pytest.raises(InvalidInputError, match="allowed are auto, keyword, semantic, hybrid"),
    ):
        engine.recall("tea", strategy=strategy)


def test_without_an_embedder_words_alone_are_searched(opened: Opened) -> None:
    with opened(embedding={"model": "none"}) as engine:
        engine.remember("green tea")
        hits = engine.recall("tea")
        assert (hits.strategy, len(hits), hits.embedder) == ("keyword", 1, None)
        assert hits.reason == "embedding.model is 'none', so no memory has a vector"
        for strategy in STRATEGIES[2:]:
            with pytest.raises(EmbedderError, match=f"strategy is '{strategy}', but embedding"):
                engine.recall("tea", strategy=strategy)


BENT: list[tuple[str, Callable[[Any], Any]]] = [
    ("NaN", lambda values: values * np.nan),
    ("infinity", lambda values: values + np.inf),
    ("shape", lambda values: values[:, :-1]),
    ("shape", lambda values: values[0]),
    ("shape", lambda values: np.concatenate([values, values])),
    ("no table of numbers", lambda _: "vectors"),
    ("no table of numbers", lambda _: None),
    ("failed with ZeroDivisionError", lambda _: 1 / 0),
    ("failed with ConnectionError: away", lambda _: raising(ConnectionError("away"))),
    ("the model is out of tea", lambda _: raising(EmbedderError("the model is out of tea"))),
]


def raising(error: Exception) -> Any:
    raise error


@pytest.mark.parametrize(("reason", "bend"), BENT)
def test_a_question_that_an_embedder_fails_on_is_answered_by_words_or_refused(
    opened: Opened, words: Any, reason: str, bend: Callable[[Any], Any]
) -> None:
    embedder = words()
    with opened(embedder=embedder) as engine:
        memory = engine.remember("green tea")
        embedder.bend = bend
        hits = engine.recall("tea")
        assert ([hit.id for hit in hits], hits.strategy) == ([memory.id], "keyword")
        assert reason in hits.reason or (reason == "no table of numbers" and "shape" in hits.reason)
        for strategy in STRATEGIES[2:]:
            with pytest.raises(EmbedderError):
                engine.recall("tea", strategy=strategy)
        assert len(engine.recall("tea", strategy="keyword")) == 1


def test_a_question_without_a_vector_is_near_to_nothing(engine: Engine) -> None:
    engine.remember("tea")
    hits = engine.recall("🍵")  # of which our embedder makes zeros
    assert (len(hits), hits.strategy) == (0, "keyword")
    with pytest.raises(EmbedderError, match="nothing in the question can be made a vector of"):
        engine.recall("🍵", strategy="semantic")


def test_vectors_of_another_length_under_the_same_name_are_refused(
    opened: Opened, words: Any, tmp_path: Path
) -> None:
    embedder = words()
    with opened(tmp_path / "notes.db", embedder=embedder) as engine:
        engine.remember("tea")

    class Longer(words):  # type: ignore[misc]
        @property
        def fingerprint(self) -> str:
            return str(embedder.fingerprint)

    with opened(tmp_path / "notes.db", embedder=Longer(dim=9)) as engine:
        milk = engine.remember("milk")  # kept, though it gets no vector
        assert engine.get(milk.id) == milk
        with pytest.raises(InvalidInputError, match="have 8 numbers and 9 are expected"):
            engine.recall("tea")
        assert [hit.id for hit in engine.recall("milk", strategy="keyword")] == [milk.id]


# What comes back


def test_words_are_marked_where_an_explanation_is_asked_for(engine: Engine) -> None:
    engine.remember("Green teas, black tea")
    assert (
        engine.recall("tea", explain=True)[0].explanation.words == "Green **teas**, black **tea**"
    )
    assert engine.recall("tea")[0].explanation.words is None


def test_a_token_budget_leaves_out_what_does_not_fit(engine: Engine) -> None:
    engine.remember("tea " * 100)
    engine.remember("tea time")
    whole = engine.recall("tea", strategy="keyword")
    assert (len(whole), whole.left_out) == (2, 0)
    hits = engine.recall("tea", strategy="keyword", token_budget=2)
    assert [hit.memory.content for hit in hits] == ["tea time"]
    assert hits.left_out == 1
    assert [hit.rank for hit in hits] == [h.rank for h in whole if h.memory.content == "tea time"]
    none = engine.recall("tea", token_budget=1)
    assert (len(none), none.left_out) == (0, 2)
    for budget in (0, -1, 1.5, True):
        with pytest.raises(InvalidInputError, match="token_budget is"):
            engine.recall("tea", token_budget=budget)  # type: ignore[arg-type]


def test_what_is_in_short_is_expanded_to_the_whole(engine: Engine) -> None:
    first = engine.remember("tea\nand all that follows", tags=["taste"])
    second = engine.remember("tea")
    short = engine.recall("tea").compact()
    assert {each.title for each in short} == {"tea"}
    whole = engine.expand(short)
    assert [memory.id for memory in whole] == [each.id for each in short]
    assert engine.expand([second.id, first.id]) == [second, first]
    assert engine.expand(engine.recall("tea")) == whole
    assert engine.expand([]) == []
    engine.forget(first.id)
    with pytest.raises(NotFoundError, match=f"there is no memory '{first.id}' that you may see"):
        engine.expand(short)


def test_a_number_of_hits_beyond_all_bounds_is_all_there_are(engine: Engine) -> None:
    engine.remember_many({"content": f"tea {number}"} for number in range(120))
    for strategy in STRATEGIES:
        assert len(engine.recall("tea", 10**30, strategy=strategy)) == 120
        assert len(engine.recall("tea", 10**30, strategy=strategy, workspace="no-such")) == 0


# Suggestions


def test_a_word_that_no_memory_holds_is_suggested_and_never_replaced(engine: Engine) -> None:
    engine.remember("The lighthouse keeper drinks coffee")
    engine.remember("coffees everywhere")
    hits = engine.recall("cofee", strategy="keyword")
    assert len(hits) == 0
    assert hits.query == "cofee"
    (first,) = hits.suggestions
    assert (first.term, first.distance, first.frequency) == ("cofee", 1, 2)
    assert first.replacement in {"coffee", "coffees"}  # as one of the memories has it
    assert engine.suggest("cofee") == hits.suggestions
    (other,) = engine.suggest("the lihgthouse")
    assert str(other) == "lihgthouse → lighthouse"


@pytest.mark.parametrize("query", ["coffee", "tea", "xqzwv", "coffe*", "42", "the of"])
def test_what_is_known_short_or_far_is_not_suggested(engine: Engine, query: str) -> None:
    engine.remember("coffee 41")
    assert engine.recall(query).suggestions == ()
    assert engine.suggest(query) == ()


def test_nothing_is_told_of_words_that_only_hidden_memories_hold(
    engine: Engine, clock: ManualClock
) -> None:
    engine.remember("coffee", scope="global/org:b")
    engine.remember("kettle", scope="global/org:a")
    engine.remember("saucer", scope="global/org:a", lifecycle="archived")
    engine.remember("teapot", scope="global/org:a", tier="daily")
    engine.remember("<private>biscuit</private> x", scope="global/org:a")
    engine.forget(engine.remember("tumbler", scope="global/org:a").id)
    clock.advance(hours=25)
    agent = engine.as_agent("ada", "global/org:a")
    for word in ("cofee", "saucr", "teapt", "biscuitt", "tumblr"):
        assert agent.recall(word, strategy="keyword").suggestions == ()
        assert agent.suggest(word) == ()
    assert [each.replacement for each in agent.suggest("ketle")] == ["kettle"]
    assert [each.replacement for each in engine.suggest("cofee")] == ["coffee"]
    assert engine.suggest("cofee", scope="global/org:a") == ()
    assert [each.replacement for each in engine.suggest("saucr", archived=True)] == ["saucer"]


def test_an_agent_s_answer_tells_nothing_of_words_out_of_reach(opened: Opened, words: Any) -> None:
    """Whether a hidden memory holds a word changes neither the strategy nor what is suggested."""
    said = []
    for hidden in ("cofee", "nothing"):
        with opened(embedder=words()) as engine:
            engine.remember(hidden, scope="global/org:b")
            engine.remember("coffee", scope="global/org:a")
            engine.remember("coffee", scope="global/org:b")
            hits = engine.as_agent("ada", "global/org:a").recall("cofee")
            said.append((hits.strategy, hits.reason, hits.suggestions, [h.score for h in hits]))
    assert said[0] == said[1]
    assert said[0][2][0].frequency == 1


def test_a_long_text_that_was_pasted_is_answered_in_time(engine: Engine) -> None:
    engine.remember_many(
        {"content": f"wordlike{number:05}x abcdefg{number}"} for number in range(50)
    )
    pasted = " ".join(f"unknown{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(600))
    assert len(engine.recall(pasted, strategy="keyword").suggestions) <= 30


# Agents


def test_asking_as_an_agent_is_asking_through_its_view(engine: Engine) -> None:
    for scope in ("global", "global/org:a", "global/org:a/agent:x", "global/org:b"):
        engine.remember(f"tea of {scope}", scope=scope)
    view = engine.as_agent("x", "global/org:a/agent:x")
    for strategy in STRATEGIES:
        through = view.recall("tea", strategy=strategy)
        asked = engine.recall("tea", strategy=strategy, agent="x", scope="global/org:a/agent:x")
        assert seen(through) == seen(asked)
        assert {hit.memory.scope for hit in asked} == {
            *("global", "global/org:a", "global/org:a/agent:x")
        }
        assert {hit.memory.scope for hit in engine.recall("tea", agent="x")} == {"global"}
    assert len(engine.recall("tea")) == 4
    with pytest.raises(AccessDeniedError):
        view.recall("tea", agent="y")
    with pytest.raises(InvalidInputError, match="scope"):
        engine.recall("tea", agent="x", scope="nowhere")


def test_what_is_granted_is_found_and_no_longer_when_it_is_revoked(engine: Engine) -> None:
    memory = engine.remember("tea", scope="global/org:b")
    view = engine.as_agent("x", "global/org:a")
    assert len(view.recall("tea")) == 0
    engine.store.grants.allow("x", "global/org:b", "read")
    assert [hit.id for hit in view.recall("tea")] == [memory.id]
    engine.store.grants.revoke("x", "global/org:b")
    assert len(view.recall("tea")) == 0


# Determinism


@pytest.fixture
def filled(opened: Opened, tmp_path: Path) -> Path:
    with opened(tmp_path / "notes.db", embedding={"model": "hashing"}) as engine:
        engine.remember_many(
            {
                "content": f"tea {'cup ' * (number % 4)}{number % 9}",
                "id": f"01890a5d-ac96-774b-bcce-{(number * 7919) % 1_000_003:012x}",
            }
            for number in range(300)
        )
    return tmp_path / "notes.db"


QUESTIONS = [(query, strategy) for query in ("tea cup", "4", "cups of") for strategy in STRATEGIES]


def answers(engine: Engine) -> list[list[tuple[str, float]]]:
    return [seen(engine.recall(query, 15, strategy=strategy)) for query, strategy in QUESTIONS]


def test_the_same_comes_back_on_one_thread_and_on_eight(opened: Opened, filled: Path) -> None:
    with opened(filled, embedding={"model": "hashing"}) as engine:
        alone = answers(engine)
        with ThreadPoolExecutor(8) as threads:
            for together in threads.map(lambda _: answers(engine), range(8)):
                assert together == alone


def test_the_first_recall_may_come_from_many_threads(opened: Opened, filled: Path) -> None:
    with opened(filled, embedding={"model": "hashing"}) as engine:
        with ThreadPoolExecutor(8) as threads:
            first, *others = threads.map(lambda _: answers(engine), range(8))
        assert all(other == first for other in others)


def test_the_same_comes_back_after_reopening_and_rebuilding(opened: Opened, filled: Path) -> None:
    found = []
    for _ in range(2):
        with opened(filled, embedding={"model": "hashing"}) as engine:
            found.append(answers(engine))
            engine.reindex()
            found.append(answers(engine))
    assert all(each == found[0] for each in found)


def test_the_same_comes_back_from_a_store_that_imported_it(
    opened: Opened, filled: Path, tmp_path: Path
) -> None:
    # Of those that score alike an arm takes the ones made first, up to its depth; an import makes
    # them in another order where their ids were given by hand.
    chosen = {"embedding": {"model": "hashing"}, "retrieval": {"depth": 300}}
    with opened(filled, **chosen) as engine:
        before = answers(engine)
        engine.export(tmp_path / "out.jsonl")
    with opened(tmp_path / "other.db", **chosen) as engine:
        engine.import_(tmp_path / "out.jsonl")
        assert answers(engine) == before


def test_what_was_imported_without_vectors_is_embedded(opened: Opened, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"content": "tea"}\n{"content": "milk"}\n')
    with opened(embedding={"model": "hashing"}) as engine:
        engine.import_(tmp_path / "rows.jsonl")
        assert len(engine.recall("tea", strategy="semantic")) == 2
