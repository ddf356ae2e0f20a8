"""What the verbs say to whoever gives them the wrong thing: what was given, and what to give."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import pytest

from engram_lab import Engine
from engram_lab.core.errors import InvalidFilterError, InvalidInputError
from engram_lab.core.keywords import Chosen
from engram_lab.engine.recalls import _OWN_WORDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from engram_lab import Hit


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine.open(":memory:") as made:
        yield made


ONE: dict[str, Callable[[Engine, Any], object]] = {
    "get": lambda engine, hit: engine.get(hit),
    "update": lambda engine, hit: engine.update(hit, content="x"),
    "forget": lambda engine, hit: engine.forget(hit),
    "restore": lambda engine, hit: engine.restore(hit),
    "history": lambda engine, hit: engine.history(hit),
    "link": lambda engine, hit: engine.link(hit.memory, hit.memory),
    "exclusive link": lambda engine, hit: engine.link(hit, hit, exclusive=True),
    "links": lambda engine, hit: engine.links(hit),
    "unlink": lambda engine, hit: engine.unlink(hit),
    "neighbours": lambda engine, hit: engine.neighbours(hit),
    "paths": lambda engine, hit: engine.paths(hit, hit.memory),
}
SEVERAL: dict[str, Callable[[Engine, Any], object]] = {
    "get_many": lambda engine, ids: engine.get_many(ids),
    "purge": lambda engine, ids: engine.purge(ids),
    "subgraph": lambda engine, ids: engine.subgraph(ids),
}


@pytest.fixture
def hit(engine: Engine) -> Hit:
    engine.remember("tea at four")
    return engine.recall("tea")[0]


@pytest.mark.parametrize("verb", ONE)
def test_who_gives_a_record_for_an_id_is_told_where_the_id_is(
    engine: Engine, hit: Hit, verb: str
) -> None:
    with pytest.raises(InvalidInputError, match=r"a (Hit|Memory) .*: give its \.id"):
        ONE[verb](engine, hit)


@pytest.mark.parametrize("verb", SEVERAL)
def test_who_gives_records_for_ids_is_told_so_and_so_is_who_gives_one(
    engine: Engine, hit: Hit, verb: str
) -> None:
    for given, said in (
        ([hit], r"ids holds a Hit: give its \.id"),
        (hit, "ids is a Hit: give a list of ids"),
        (hit.id, "ids is a text: give a list of ids"),
    ):
        with pytest.raises(InvalidInputError, match=said):
            SEVERAL[verb](engine, given)
    assert engine.count() == 1


def test_a_dream_is_undone_by_the_id_of_its_report(engine: Engine, hit: Hit) -> None:
    report: Any = engine.dream()
    with pytest.raises(InvalidInputError, match=r"a DreamReport .*: give its \.run_id"):
        engine.undo(report)
    assert engine.undo(report.run_id).run_id == report.run_id
    assert engine.get(hit.id).content == hit.memory.content


def test_an_id_of_ones_own_is_told_where_it_goes(engine: Engine) -> None:
    with pytest.raises(InvalidInputError, match="a key of your own goes into metadata or source"):
        engine.remember("tea", id="m0")


@pytest.mark.parametrize(
    ("word", "meant"),
    [("top_k", "k"), ("limit", "k"), ("filters", "filter"), ("workspaces", "workspace")],
)
def test_a_word_that_recall_does_not_know_is_told_which_was_meant(
    engine: Engine, word: str, meant: str
) -> None:
    wrong: Any = {word: 3}
    with pytest.raises(
        InvalidInputError, match=rf"recall takes no '{word}' \(did you mean {meant}"
    ):
        engine.recall("tea", **wrong)
    with pytest.raises(InvalidInputError, match=f"takes no '{word}'.*allowed are .*valid_at"):
        engine.count(**wrong)


def test_recall_names_every_word_that_it_takes(engine: Engine) -> None:
    words = inspect.signature(Engine.recall).parameters.keys() - {"self", "query", "chosen"}
    assert words == set(_OWN_WORDS)
    told = inspect.getdoc(Engine.recall) or ""
    names = {*words, *Chosen.__annotations__} - {"forgotten"}
    assert [each for each in names if f"{each}:" not in told and f"`{each}`" not in told] == []
    assert engine.recall("tea", archived=True, private=True, scope="global") is not None


def test_a_field_that_no_filter_knows_is_told_which_was_meant(engine: Engine) -> None:
    with pytest.raises(InvalidFilterError, match=r"'typ' \(did you mean 'type'\?\)"):
        engine.recall("tea", filter={"typ": "fact"})
    with pytest.raises(InvalidFilterError, match=r"'zzzz': allowed are"):
        engine.recall("tea", filter={"zzzz": "fact"})


def test_an_answer_of_nothing_says_that_nothing_fits_the_filter(engine: Engine) -> None:
    engine.remember("tea at four", metadata={"room": "yard"})
    said = engine.recall("tea", filter={"metadata.roon": "yard"}).reason
    assert said == "no memory fits the filter, place and time that were asked for"
    assert engine.recall("tea", filter={"metadata.room": "yard"}).reason != said


def test_a_link_that_is_ended_stays_as_history(engine: Engine) -> None:
    one, other = engine.remember("tea").id, engine.remember("boats").id
    made = engine.link(one, other, type="blocks")
    assert engine.links(one) == engine.links(other, direction="in", types=["blocks"]) == [made]
    ended = engine.unlink(made.id)
    assert (ended.id, ended.valid_to is not None) == (made.id, True)
    assert engine.links(one) == []
    assert engine.links(one, closed=True) == [ended]
    assert engine.neighbours(one) == []
    last = engine.store.changes.since(0, limit=100)[-1]
    assert (last.action, last.target, last.id) == ("unlink", "link", made.id)
    with pytest.raises(InvalidInputError, match="begins at"):
        engine.unlink(engine.link(one, other, valid_from="2026-01-02").id, at="2026-01-01")


def test_the_figures_of_a_store_are_those_of_its_groups(engine: Engine) -> None:
    engine.remember("tea", type="fact")
    engine.remember("boats", workspace="harbour")
    stats = engine.stats()
    assert (stats["memories"], stats["by_type"]) == (2, {"fact": 1, "note": 1})
    assert stats["by_workspace"] == {"default": 1, "harbour": 1}
    assert stats["change"] == engine.store.changes.last()
