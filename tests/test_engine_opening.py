"""Opening and closing an engine: which file, which store, and what is written to neither."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from engram_lab import Engine, EngineConfig, ManualClock, load_config
from engram_lab.config import RetrievalSettings
from engram_lab.core.copies import verify_backup
from engram_lab.core.errors import (
    ConfigError,
    InvalidInputError,
    NotFoundError,
    StoreClosedError,
    StoreError,
    StoreReadOnlyError,
)

if TYPE_CHECKING:
    from engram_lab.core.progress import Told


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 1, 1, 12, tzinfo=UTC))


def test_a_backup_is_made_while_the_engine_is_in_use(tmp_path: Path) -> None:
    with Engine.open(tmp_path / "notes.db") as engine:
        engine.remember("tea")
        engine.recall("tea")
        report = engine.backup(tmp_path / "copy.db")
        assert report == verify_backup(tmp_path / "copy.db")
    with Engine.open(tmp_path / "copy.db", read_only=True) as copy:
        assert copy.to_arrow("events")["query"].to_pylist() == ["tea"]


def test_an_export_of_one_engine_is_an_import_of_another(
    tmp_path: Path, clock: ManualClock
) -> None:
    with Engine.open(":memory:", clock=clock) as one, Engine.open(":memory:", clock=clock) as two:
        memory = one.remember("tea <private>and gin</private>")
        one.recall("tea")
        counts = one.export(tmp_path / "export")
        report = two.import_(tmp_path / "export")
        assert report.imported == counts | {"workspaces": 0}
        assert report.unchanged == 1
        assert two.get(memory.id, private=True).content == "tea <private>and gin</private>"
        one.export(tmp_path / "one.json")
        two.export(tmp_path / "two", format="json")
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two").read_bytes()


def test_plain_memories_are_imported_as_told(tmp_path: Path, clock: ManualClock) -> None:
    (tmp_path / "rows.jsonl").write_text('{"content": "tea"}\n{"content": ""}\n{"content": "TEA"}')
    told: list[Told] = []
    with Engine.open(":memory:", clock=clock) as engine:
        report = engine.import_(
            tmp_path / "rows.jsonl",
            workspace="notes",
            dedup="skip",
            keep_going=True,
            progress=told.append,
        )
        assert [each.content for each in engine.select(workspace="notes")] == ["tea"]
    assert (report.imported, report.unchanged, len(report.refused)) == ({"memories": 1}, 1, 1)
    taken = [each for each in told if each.task == "importing"]
    assert (taken[0].done, taken[-1].done, taken[-1].standing) == (0, 3, "done")


def test_without_a_path_the_configured_one_is_opened(tmp_path: Path) -> None:
    config = EngineConfig.from_dict({"store": {"path": str(tmp_path / "mine.db")}})
    with Engine.open(config=config) as engine:
        engine.remember("tea")
    with Engine.open(tmp_path / "mine.db") as engine:
        assert engine.count() == 1
    with pytest.raises(StoreError, match="is a folder"):
        Engine.open("", config=config)


def test_home_is_found() -> None:
    with Engine.open("~/notes.db") as engine:
        engine.remember("tea")
    assert Path("~/notes.db").expanduser().is_file()


def test_a_store_of_an_unknown_kind_is_refused() -> None:
    config = EngineConfig.from_dict({"store": {"kind": "postgres"}})
    with pytest.raises(InvalidInputError, match="no store 'postgres': known are sqlite"):
        Engine.open(":memory:", config=config)


def test_a_memory_database_lasts_until_it_is_closed(clock: ManualClock) -> None:
    with Engine.open(":memory:", clock=clock) as one, Engine.open(":memory:", clock=clock) as two:
        one.remember("tea")
        assert (one.count(), two.count()) == (1, 0)
        with ThreadPoolExecutor(1) as elsewhere:
            assert elsewhere.submit(one.count).result(timeout=5) == 1


def test_closing_twice_is_closing_once(tmp_path: Path) -> None:
    engine = Engine.open(tmp_path / "notes.db")
    engine.recall("tea")
    engine.close()
    engine.close()
    with pytest.raises(StoreClosedError, match="is closed: open it again"):
        engine.count()


def test_read_only_needs_a_file_and_writes_none(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="does not exist"):
        Engine.open(tmp_path / "notes.db", read_only=True)
    assert list(tmp_path.iterdir()) == []


def test_read_only_writes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "notes.db"
    with Engine.open(file) as engine:
        memory = engine.remember("tea")
    before = file.read_bytes()

    with Engine.open(file, read_only=True) as engine:
        assert [hit.id for hit in engine.recall("tea")] == [memory.id]
        assert engine.as_agent("coder", "global").recall("tea")[0].id == memory.id
        assert engine.get(memory.id) == memory
        engine.export(tmp_path / "export.jsonl")
        engine.flush()
        with pytest.raises(StoreReadOnlyError):
            engine.remember("coffee")

    assert before == file.read_bytes()
    with Engine.open(file) as engine:
        assert engine.to_arrow("events").num_rows == 0
        assert engine.get(memory.id).access_count == 0


def test_the_default_place_needs_no_folder_made_by_hand() -> None:
    with Engine.open() as engine:
        engine.remember("x")
    assert (Path.home() / ".engram" / "engram.db").exists()


@pytest.mark.parametrize("as_loaded", [False, True])
def test_a_configuration_is_taken_in_any_form_that_says_it(
    tmp_path: Path, *, as_loaded: bool
) -> None:
    (tmp_path / "own.yaml").write_text("retrieval: {k: 3}\n", encoding="utf-8")
    given = load_config(tmp_path / "own.yaml", environ={}) if as_loaded else {"retrieval": {"k": 3}}
    with Engine.open(":memory:", config=given) as engine:
        assert engine.config == EngineConfig(retrieval=RetrievalSettings(k=3))


def test_a_dict_of_settings_tells_all_that_is_wrong_with_it() -> None:
    with pytest.raises(ConfigError) as caught:
        Engine.open(":memory:", config={"retrieval": {"k": -1}, "stor": {}})
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize("given", ["own.yaml", 7])
def test_what_is_no_configuration_is_told_what_would_be(given: Any) -> None:
    with pytest.raises(ConfigError, match=r"give an EngineConfig, what load_config\(path\)"):
        Engine.open(":memory:", config=given)
