"""The engine's verbs, as the design says they read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from engram_lab import Engine, EngineConfig, ManualClock, Memory
from engram_lab.core.errors import (
    AccessDeniedError,
    ConflictError,
    DuplicateError,
    InvalidInputError,
    NotFoundError,
    VersionConflictError,
)
from engram_lab.core.reports import RefusedRow

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
UNKNOWN = "01890a5d-ac96-774b-bcce-b302099a8057"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
def engine(clock: ManualClock) -> Iterator[Engine]:
    with Engine.open(":memory:", clock=clock) as engine:
        yield engine


def test_it_reads_as_the_design_says(tmp_path: Path) -> None:
    with Engine.open(tmp_path / "notes.db") as engine:
        engine.remember("Ada takes her coffee without sugar", tags=["taste"], importance=0.7)
        engine.remember("Ada's coffee machine is broken", tags=["kitchen"])
        hits = engine.recall(
            "how does Ada like her coffee?", k=5, filter={"tags": {"contains": "taste"}}
        )
        (hit,) = hits
        assert hit.memory.content == "Ada takes her coffee without sugar"
        assert hit.memory.importance == 0.7
        assert engine.get(hit.id) == hit.memory
        assert hits[0].score == hits[0].explanation.score
        assert hits.to_polars()["content"].to_list() == [hit.memory.content]
    with Engine.open(str(tmp_path / "notes.db")) as engine:
        assert engine.get(hit.id).access_count == 1


def test_remember_takes_every_field(engine: Engine) -> None:
    memory = engine.remember(
        "tea",
        id=UNKNOWN,
        type="fact",
        tags=["taste"],
        metadata={"cups": 2},
        importance=0.75,
        workspace="kitchen",
        scope="global/org:a",
        tier="daily",
        event_at="2025-12-24T18:00:00",
        valid_from=NOON,
        valid_to="2027-01-01",
        lifecycle="stale",
        pinned=True,
        media_url="file:tea.png",
        session_id="talk",
        agent_id="ada",
        source="chat",
        snapshot_origin="backup",
        snapshot_loaded_at=NOON,
    )
    assert engine.get(UNKNOWN) == memory
    assert (memory.tags, memory.metadata) == (("taste",), {"cups": 2})
    assert (memory.event_at, memory.expires_at) == (
        datetime(2025, 12, 24, 18, tzinfo=UTC),
        NOON + timedelta(hours=24),
    )


def test_what_breaks_a_law_is_refused(engine: Engine) -> None:
    with pytest.raises(InvalidInputError, match="importance is '7'"):
        engine.remember("tea", importance=7)
    assert engine.count() == 0


@pytest.mark.parametrize("way", ["setting", "argument"])
def test_dedup_is_a_setting_and_an_argument(clock: ManualClock, way: str) -> None:
    config = EngineConfig.from_dict({"store": {"dedup": "skip" if way == "setting" else "allow"}})
    with Engine.open(":memory:", config=config, clock=clock) as engine:
        first = engine.remember("tea")
        assert first == engine.remember(" TEA ", dedup=None if way == "setting" else "skip")
        assert engine.remember("tea", dedup="allow") != first
        with pytest.raises(DuplicateError):
            engine.remember("tea", dedup="reject")


def test_remember_many_takes_whatever_holds_rows(engine: Engine) -> None:
    rows = [{"content": "tea", "tags": ["hot"]}, {"content": "milk", "tags": []}]
    assert len(engine.remember_many(rows).ids) == 2
    assert len(engine.remember_many(row for row in rows).ids) == 2
    assert len(engine.remember_many(pl.DataFrame(rows)).ids) == 2
    assert len(engine.remember_many(pl.DataFrame(rows).to_arrow(), dedup="skip").skipped) == 2
    assert engine.count(filter={"tags": {"contains": "hot"}}) == 3
    with pytest.raises(InvalidInputError, match="a LazyFrame holds no rows"):
        engine.remember_many(pl.DataFrame(rows).lazy())


def test_remember_many_is_all_or_nothing(engine: Engine) -> None:
    rows: list[Any] = [{"content": "tea"}, {"content": ""}, 7, {"content": "milk"}]
    with pytest.raises(InvalidInputError, match="row 1: content is empty"):
        engine.remember_many(rows)
    assert engine.count() == 0

    report = engine.remember_many(rows, keep_going=True, workspace="notes")
    assert [memory.content for memory in engine.select(workspace="notes")] == ["tea", "milk"]
    assert report.refused == (
        RefusedRow(row=1, reason="content is empty: a memory needs a text"),
        RefusedRow(row=2, reason="a memory is an object with at least 'content', not a int"),
    )


def test_a_workspace_is_for_rows_that_name_none(engine: Engine) -> None:
    rows = pl.DataFrame({"content": ["a", "b"], "workspace": [None, "own"]})
    report = engine.remember_many(rows, workspace="notes")
    assert [engine.get(id_).workspace for id_ in report.ids] == ["notes", "own"]


def test_get_as_it_is_and_as_it_was(engine: Engine, clock: ManualClock) -> None:
    memory = engine.remember("tea <private>with gin</private>")
    clock.advance(days=1)
    engine.update(memory.id, content="coffee")
    assert engine.get(memory.id).content == "coffee"
    assert engine.get(memory.id, as_of=NOON) == memory
    assert engine.get(memory.id, as_of=datetime(2026, 1, 1, 12)) == memory  # noqa: DTZ001
    assert engine.get(memory.id, as_of=NOON, private=True).content.endswith("gin</private>")
    with pytest.raises(NotFoundError):
        engine.get(memory.id, as_of=NOON - timedelta(seconds=1))
    with pytest.raises(NotFoundError, match=f"there is no memory '{UNKNOWN}' that you may see"):
        engine.get(UNKNOWN)


def test_get_many_keeps_the_order(engine: Engine) -> None:
    one, two = engine.remember("one"), engine.remember("two")
    assert engine.get_many([two.id, UNKNOWN, one.id, two.id]) == [two, None, one, two]


def test_select_goes_from_page_to_page(engine: Engine, clock: ManualClock) -> None:
    wanted = []
    for number in range(7):
        wanted.append(engine.remember(str(number), importance=number / 7, workspace="notes"))
        clock.advance(seconds=1)
    engine.remember("elsewhere")
    found: list[Memory] = []
    cursor: str | None = None
    sizes = []
    while cursor is not None or not found:
        page = engine.select(
            order="importance", descending=True, limit=3, cursor=cursor, workspace="notes"
        )
        found += page
        sizes.append(len(page))
        cursor = page.next_cursor
    assert wanted[::-1] == found
    assert sizes == [3, 3, 1]


def test_count_and_aggregate(engine: Engine) -> None:
    engine.remember_many(
        [
            {"content": "a", "tags": ["x", "y"], "importance": 0.25},
            {"content": "b", "tags": ["x"], "importance": 0.75},
            {"content": "c"},
        ]
    )
    assert engine.count() == 3
    assert engine.count(filter={"importance": {"gt": 0.5}}) == 1
    groups = engine.aggregate("tag")
    assert [(each.key, each.count, each.mean_importance) for each in groups] == [
        ("x", 2, 0.5),
        ("y", 1, 0.25),
    ]
    with pytest.raises(InvalidInputError, match="by is 'colour': allowed are type, tag"):
        engine.aggregate("colour")


def test_update_makes_a_version_that_history_tells_of(engine: Engine) -> None:
    memory = engine.remember("tea", tags=["hot"], author="ada", reason="asked")
    updated = engine.update(
        memory.id, content="coffee", tags=None, version=1, author="bob", reason="late"
    )
    assert (updated.content, updated.tags, updated.version) == ("coffee", (), 2)
    with pytest.raises(VersionConflictError):
        engine.update(memory.id, version=1, content="milk")
    history = engine.history(memory.id)
    assert [(each.number, each.action, each.author, each.reason) for each in history] == [
        (1, "remember", "ada", "asked"),
        (2, "update", "bob", "late"),
    ]


def test_forget_hides_and_restore_brings_back(engine: Engine) -> None:
    memory = engine.remember("tea")
    engine.forget(memory.id, reason="not mine")
    assert engine.count() == 0
    assert len(engine.recall("tea")) == 0
    with pytest.raises(NotFoundError):
        engine.get(memory.id)
    assert engine.count(forgotten=True) == 1

    back = engine.restore(memory.id, author="ada")
    assert (back.content, back.version) == ("tea", 3)
    assert len(engine.recall("tea")) == 1
    with pytest.raises(ConflictError, match="is not forgotten"):
        engine.restore(memory.id)


def test_restore_goes_back_to_a_version(engine: Engine) -> None:
    memory = engine.remember("tea")
    engine.update(memory.id, content="coffee")
    assert engine.restore(memory.id, version=1).content == "tea"
    assert [each.action for each in engine.history(memory.id)] == ["remember", "update", "restore"]


def test_purge_leaves_nothing_to_restore(engine: Engine) -> None:
    memory = engine.remember("tea")
    assert engine.purge([memory.id], reason="asked to").ids == (memory.id,)
    assert engine.count(forgotten=True) == 0
    with pytest.raises(NotFoundError):
        engine.restore(memory.id)
    with pytest.raises(NotFoundError):
        engine.history(memory.id)


def test_clean_up_purges_what_has_expired(engine: Engine, clock: ManualClock) -> None:
    engine.remember("tea", tier="daily")
    clock.advance(days=2)
    assert engine.clean_up().expired == 1


def test_neighbours_come_over_the_heaviest_link_first(engine: Engine, clock: ManualClock) -> None:
    tea, cup, pot, sun = (engine.remember(word) for word in ("tea", "cup", "pot", "sun"))
    engine.link(tea.id, cup.id, weight=0.5)
    heavy = engine.link(pot.id, tea.id, weight=0.75, type="extends")
    engine.link(cup.id, sun.id)
    near = engine.neighbours(tea.id)
    assert [each.memory for each in near] == [pot, cup]
    assert near[0].link == heavy
    assert [each.memory for each in engine.neighbours(tea.id, direction="out")] == [cup]
    assert [each.memory for each in engine.neighbours(tea.id, direction="in")] == [pot]
    assert [each.memory for each in engine.neighbours(tea.id, types=["extends"])] == [pot]

    clock.advance(days=1)
    engine.store.links.close(heavy.id)
    engine.forget(cup.id)
    assert engine.neighbours(tea.id) == []
    noon = datetime(2026, 1, 1, 12)  # noqa: DTZ001 - taken as UTC
    assert [each.memory for each in engine.neighbours(tea.id, valid_at=noon)] == [pot]
    with pytest.raises(NotFoundError):
        engine.neighbours(UNKNOWN)


def test_an_agent_s_view_is_of_its_reach(engine: Engine) -> None:
    engine.remember("for all")
    engine.remember("for a", scope="global/org:a")
    secret = engine.remember("for b", scope="global/org:b")
    agent = engine.as_agent("coder", "global/org:a")

    assert [each.content for each in agent.select()] == ["for all", "for a"]
    assert {hit.memory.content for hit in agent.recall("for")} == {"for all", "for a"}
    own = agent.remember("mine", author="ada")
    assert (own.scope, engine.history(own.id)[0].author) == ("global/org:a", "coder")
    with pytest.raises(NotFoundError):
        agent.update(secret.id, content="x")
    with pytest.raises(AccessDeniedError):
        agent.remember("x", scope="global")
    with pytest.raises(AccessDeniedError):
        agent.as_agent("other", "global")
    with pytest.raises(AccessDeniedError):
        agent.clean_up()
    engine.store.grants.allow("coder", "global/org:b", "read")
    assert agent.get(secret.id) == secret
