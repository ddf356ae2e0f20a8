"""What a recall leaves behind: an event, later, and nothing that a recall would be troubled by."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab import Engine, EngineConfig, ManualClock
from engram_lab.core.errors import InvalidInputError, StoreBusyError
from engram_lab.testing import memory_drafts

if TYPE_CHECKING:
    from engram_lab import RecallEvent

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


def opened(clock: ManualClock, path: object = ":memory:", **learning: Any) -> Engine:
    config = EngineConfig.from_dict({"learning": learning, "store": {"seed": 1}})
    return Engine.open(str(path), config=config, clock=clock)


@pytest.fixture
def engine(clock: ManualClock) -> Iterator[Engine]:
    with opened(clock) as engine:
        yield engine


def events(engine: Engine) -> list[RecallEvent]:
    return engine.store.events.since()


def test_an_event_tells_what_was_asked_and_what_came_back(
    engine: Engine, clock: ManualClock
) -> None:
    engine.remember_many([{"content": "green tea"}, {"content": "tea"}, {"content": "milk"}])
    clock.advance(hours=1)
    hits = engine.recall("Tea?\x00", k=5, workspace="default")
    engine.flush()
    (event,) = events(engine)
    assert (event.query, event.hits) == ("Tea?", hits.recalled())
    assert (event.at, event.workspace, event.agent_id) == (
        NOON + timedelta(hours=1),
        "default",
        None,
    )
    assert (event.strategy, event.config_hash) == ("hybrid", engine.config.content_hash)
    assert event.strategy == hits.strategy


def test_a_recall_without_an_answer_is_an_event_too(engine: Engine) -> None:
    engine.recall("tea")
    engine.flush()
    assert [(each.query, each.hits) for each in events(engine)] == [("tea", ())]


def test_each_hit_counts_as_an_access_of_its_memory(engine: Engine, clock: ManualClock) -> None:
    tea, milk = engine.remember("tea"), engine.remember("milk")
    clock.advance(hours=1)
    engine.recall("tea", k=1)
    clock.advance(hours=1)
    engine.recall("tea", k=1)
    engine.recall("tea", strategy="keyword", filter={"content": "milk"})
    engine.flush()
    seen = engine.get(tea.id)
    assert (seen.access_count, seen.last_accessed_at) == (2, NOON + timedelta(hours=2))
    assert (seen.version, seen.updated_at) == (1, NOON)
    assert engine.get(milk.id) == milk
    assert len(engine.history(tea.id)) == 1


def test_a_recall_itself_writes_nothing(engine: Engine) -> None:
    memory = engine.remember("tea")
    before = engine.store.revision()
    engine.recall("tea")
    assert before == engine.store.revision()
    assert engine.get(memory.id) == memory


def test_events_are_written_in_batches(clock: ManualClock) -> None:
    with opened(clock, event_batch=3) as engine:
        found = []
        for number in range(7):
            engine.recall(str(number))
            found.append(len(events(engine)))
    assert found == [0, 0, 3, 3, 3, 6, 6]


@pytest.mark.parametrize("ending", ["flush", "close", "export", "backup"])
def test_what_waits_is_written_before(clock: ManualClock, tmp_path: Path, ending: str) -> None:
    with opened(clock, tmp_path / "notes.db") as engine:
        engine.recall("tea")
        match ending:
            case "flush":
                engine.flush()
            case "export":
                assert engine.export(tmp_path / "export")["events"] == 1
            case "backup":
                assert engine.backup(tmp_path / "copy.db").counts["recall_events"] == 1
            case _:
                engine.close()
    with opened(clock, tmp_path / "notes.db") as engine:
        assert [each.query for each in events(engine)] == ["tea"]


def test_nothing_is_recorded_where_the_setting_says_so(clock: ManualClock) -> None:
    with opened(clock, record_recalls=False, event_batch=1) as engine:
        memory = engine.remember("tea")
        engine.recall("tea")
        engine.flush()
        assert events(engine) == []
        assert engine.get(memory.id) == memory


def test_an_event_that_cannot_be_written_troubles_no_recall_and_is_not_lost(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(clock, event_batch=1) as engine:
        memory = engine.remember("tea")

        def refuse(_events: object) -> None:
            raise StoreBusyError("another writer held its lock")

        with monkeypatch.context() as patched:
            patched.setattr(engine.store.events, "record", refuse)
            assert [hit.id for hit in engine.recall("tea")] == [memory.id]
            with pytest.raises(StoreBusyError):
                engine.flush()
        engine.recall("milk")
        assert [each.query for each in events(engine)] == ["tea", "milk"]


def test_a_refused_recall_is_no_event(engine: Engine) -> None:
    for chosen in ({"k": 0}, {"workspace": ""}, {"workspace": "No Such"}, {"scope": "x"}):
        with pytest.raises(InvalidInputError):
            engine.recall("tea", **chosen)
    engine.flush()
    assert events(engine) == []


def test_an_agent_s_recalls_are_recorded_under_its_name(clock: ManualClock, tmp_path: Path) -> None:
    with opened(clock, tmp_path / "notes.db") as engine:
        memory = engine.remember("tea")
        engine.recall("mine?", strategy="keyword")
        agent = engine.as_agent("coder", "global/org:a")
        agent.recall("tea?")
    with opened(clock, tmp_path / "notes.db") as engine:
        assert [(each.query, each.agent_id) for each in events(engine)] == [
            ("mine?", None),
            ("tea?", "coder"),
        ]
        assert engine.get(memory.id).access_count == 1
        agent = engine.as_agent("coder", "global/org:a")
        assert [each.query for each in events(agent)] == ["tea?"]


def test_the_same_question_has_the_same_answer(engine: Engine) -> None:
    engine.remember_many({"content": f"tea {number % 3}"} for number in range(20))
    first = engine.recall("tea 1")
    engine.flush()
    assert [hit.id for hit in first] == [hit.id for hit in engine.recall("tea 1")]
    assert [hit.score for hit in first] == [hit.score for hit in engine.recall("tea 1")]


def lived(folder: Path, drafts: list[dict[str, Any]]) -> bytes:
    """Return the export of an engine to which the same things happen each time."""
    folder.mkdir()
    clock = ManualClock(NOON, tick=timedelta(milliseconds=7))
    with opened(clock, folder / "notes.db", event_batch=2) as engine:
        ids = engine.remember_many(drafts, keep_going=True).ids
        engine.link(engine.remember("tea").id, ids[0], weight=0.5)
        for id_ in ids:
            engine.recall(engine.get(id_).content[:50])
            engine.update(id_, importance=0.125, tags=["seen"])
        engine.as_agent("coder", "global").remember("mine")
        engine.store.sessions.start()
        engine.forget(ids[-1])
        clock.advance(days=3)
        engine.clean_up()
        engine.export(folder / "export.jsonl")
    with opened(clock, folder / "notes.db") as engine:
        engine.remember("one more")
        engine.recall("tea")
        engine.export(folder / "export.jsonl", overwrite=True)
    return (folder / "export.jsonl").read_bytes()


@given(drafts=st.lists(memory_drafts(), min_size=1, max_size=4))
def test_the_same_seed_and_clock_give_the_same_bytes(drafts: list[dict[str, Any]]) -> None:
    with TemporaryDirectory() as folder:
        first = lived(Path(folder) / "first", drafts)
        assert first == lived(Path(folder) / "second", drafts)
