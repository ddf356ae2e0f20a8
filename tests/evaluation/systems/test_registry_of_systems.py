from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from engram_lab.core.errors import ConfigError, EmbedderError, InvalidInputError
from engram_lab.evaluation.systems import (
    Corpus,
    SystemSpec,
    Workshop,
    ladder,
    load_system,
    make_system,
    system_names,
)

NO_MODEL = {"model": "none"}

CORPUS = Corpus(
    name="quay",
    memories=[
        {
            "id": f"m{number}",
            "content": text,
            "session": None,
            "position": None,
            "speaker": None,
            "event_at": datetime(2026, 1, day, tzinfo=UTC),
            "fields": {},
        }
        for number, (text, day) in enumerate(
            [("The tide turns at six", 3), ("Ada drinks coffee", 9), ("The crane is green", 5)]
        )
    ],
    moment=datetime(2026, 2, 1, tzinfo=UTC),
)


def test_the_ladder_begins_with_the_floors() -> None:
    rungs = ladder()

    assert [each.name for each in rungs if each.floor] == ["random", "recency"]
    assert system_names()[:2] == ("random", "recency")
    assert {"bm25", "dense", "rrf", "weighted", "context", "rerank"} <= set(system_names())


@pytest.mark.parametrize("name", sorted({*system_names()} - {"rerank"}))
def test_every_system_of_the_ladder_can_be_made(name: str) -> None:
    with Workshop() as workshop:
        said = make_system(load_system(name), seed=0, store={}).describe(workshop)

    assert said["kind"] == load_system(name).kind


def test_a_reranker_that_the_embedder_cannot_serve_is_missed_before_anything_is_asked() -> None:
    # Here `auto` is hashing, as on a machine without MiniLM.
    with (
        Workshop() as workshop,
        pytest.raises(EmbedderError, match=r"no vectors of tokens: set embedding\.model"),
    ):
        make_system(load_system("rerank"), seed=0, store={}).describe(workshop)


def test_chance_depends_on_seed_and_question_alone() -> None:
    def order(seed: int, text: str) -> list[str]:
        system = make_system(load_system("random"), seed=seed, store={})
        with Workshop() as workshop, system.open(CORPUS, workshop) as searcher:
            searcher.search("something before", 3)
            return [id_ for id_, _ in searcher.search(text, 3)]

    orders = {tuple(order(seed, text)) for seed in range(20) for text in "ab"}

    assert order(1, "a") == order(1, "a")
    assert sorted(order(1, "a")) == ["m0", "m1", "m2"]
    assert len(orders) == 6


def test_recency_gives_the_newest_first_whatever_is_asked() -> None:
    system = make_system(load_system("recency"), seed=0, store={})
    with Workshop() as workshop, system.open(CORPUS, workshop) as searcher:
        assert [id_ for id_, _ in searcher.search("tide", 2)] == ["m1", "m2"]


def test_an_engine_finds_by_its_configuration() -> None:
    system = make_system(load_system("bm25"), seed=0, store={})
    with Workshop() as workshop, system.open(CORPUS, workshop) as searcher:
        assert [id_ for id_, _ in searcher.search("when does the tide turn", 3)] == ["m0"]
        costs = searcher.costs()

    assert costs["bytes_per_memory"] > 1000
    assert 0 < costs["write_to_readable_ms"] < 60_000


def test_a_yaml_file_is_an_engine(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("retrieval: {fusion: rrf}\n", encoding="utf-8")

    spec = load_system(str(tmp_path / "mine.yaml"))

    assert (spec.name, spec.kind) == ("mine", "engine")
    assert spec.settings["retrieval"]["fusion"] == "rrf"


def test_a_setting_that_is_unknown_is_refused() -> None:
    spec = SystemSpec(name="mine", settings={"retrieval": {"fusoin": "rrf"}})

    with pytest.raises(ConfigError, match=r"did you mean retrieval\.fusion"):
        make_system(spec, seed=0, store={})


def test_a_floor_has_no_settings() -> None:
    spec = SystemSpec(name="mine", kind="random", settings={"retrieval": {}})

    with pytest.raises(InvalidInputError, match="which are for engines"):
        make_system(spec, seed=0, store={})


def test_what_the_data_need_of_a_store_must_be_settings() -> None:
    spec = SystemSpec(name="mine", settings={})

    with pytest.raises(ConfigError, match=r"store\.sise is unknown"):
        make_system(spec, seed=0, store={"sise": 3})


def test_where_its_store_lies_is_not_for_a_system_or_a_suite_to_say(tmp_path: Path) -> None:
    path = str(tmp_path / "mine.db")
    spec = SystemSpec(name="mine", settings={"store": {"path": path}, "embedding": NO_MODEL})

    with Workshop() as workshop:
        system = make_system(spec, seed=0, store={"path": path})
        with system.open(CORPUS, workshop) as searcher:
            assert searcher.search("tide", 1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('title = 3\norder = "first"', "title is 3 where a text .*, and order is 'first'"),
        ("settings = 3", "settings is 3 where a table must be"),
        ("kind = 7", "kind is 7 where a text must be"),
        ("floor = 1", "floor is 1 where true or false must be"),
    ],
)
def test_a_value_of_another_kind_is_refused(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "mine.toml").write_text(content, encoding="utf-8")

    with pytest.raises(InvalidInputError, match=said):
        load_system(str(tmp_path / "mine.toml"))


@pytest.mark.parametrize("name", ["", "a b", "../x", "a/b", ".hidden"])
def test_a_name_that_makes_no_file_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidInputError, match="files are named after it"):
        SystemSpec(name=name)


def test_an_unknown_kind_is_told_the_known_ones() -> None:
    with pytest.raises(InvalidInputError, match="no kind of system 'oracle': known are engine"):
        make_system(SystemSpec(name="mine", kind="oracle"), seed=0, store={})
