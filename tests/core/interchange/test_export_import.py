"""What goes out comes back: to the last byte, whatever happened in the store."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.clock import ManualClock
from engram_lab.core.errors import ConflictError, InvalidInputError, NotFoundError
from engram_lab.core.interchange import FORMATS, Format, export_store, import_file
from engram_lab.core.selection import EVERYTHING
from engram_lab.core.settings import StoreSettings
from engram_lab.core.sqlite import SqliteStore
from engram_lab.core.types import RecalledMemory, RecallEvent
from engram_lab.testing import memory_drafts

if TYPE_CHECKING:
    from engram_lab.core.progress import Told
    from engram_lab.core.protocols import Store

Act = Callable[["Store", str, str, float], None]
Deed = tuple[Act, int, int, float]
History = tuple[list[dict[str, Any]], list[Deed]]

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
NAMES: dict[Format, str] = {"parquet": "export", "jsonl": "export.jsonl", "json": "export.json"}


def revise(store: Store, here: str, _there: str, amount: float) -> None:
    changes = {"importance": amount, "content": f"{amount} <private>for nobody</private>"}
    store.memories.update(here, changes, author="ada", reason="a second thought")


def annotate(store: Store, here: str, _there: str, amount: float) -> None:
    store.memories.update(here, {"metadata": {"a": [amount, 1, 1.0, True, None]}})


def forget(store: Store, here: str, _there: str, _amount: float) -> None:
    store.memories.forget(here, reason="no longer true")


def restore(store: Store, here: str, _there: str, _amount: float) -> None:
    store.memories.restore(here)


def go_back(store: Store, here: str, _there: str, _amount: float) -> None:
    store.memories.restore(here, version=1)


def link(store: Store, here: str, there: str, amount: float) -> None:
    store.links.put(here, there, weight=amount, confidence=1 - amount, context="why")


def link_for_a_time(store: Store, here: str, there: str, amount: float) -> None:
    ends = NOON + timedelta(days=amount)
    store.links.put(here, there, type="extends", valid_from=NOON, valid_to=ends, pinned=True)


def end_links(store: Store, here: str, _there: str, _amount: float) -> None:
    for each in store.links.of(here):
        store.links.close(each.id)


def embed(store: Store, here: str, there: str, amount: float) -> None:
    store.vectors.put("small", [here], np.array([[amount, -amount]], dtype=np.float32))
    values = np.array([[amount, 0.1, 1.0], [-0.0, amount / 3, 2.0]], dtype=np.float32)
    store.vectors.put("large", [here, there], values)


def talk(store: Store, _here: str, _there: str, amount: float) -> None:
    session = store.sessions.start(workspace="talks", title="tea", metadata={"room": amount})
    turns = [{"speaker": "ada", "content": f"cups: {amount}"}]
    store.sessions.add_turns(session.id, [*turns, {"speaker": "bob", "content": "two"}])
    if amount > 1 / 2:
        store.sessions.end(session.id)


def mention(store: Store, here: str, _there: str, amount: float) -> None:
    store.entities.mention(here, "Rome", kind="place", confidence=amount, metadata={"x": 1})


def introduce(store: Store, here: str, _there: str, amount: float) -> None:
    somebody = store.identities.add(f"Ada {amount}", aliases=["Ada", "Ädä"], metadata={"n": [1]})
    store.entities.mention(here, "Ada", identity_id=somebody.id, source="reader")


def recall(store: Store, here: str, there: str, amount: float) -> None:
    hits = (
        RecalledMemory(memory_id=here, rank=1, score=amount),
        RecalledMemory(memory_id=there, rank=2, score=-amount / 3),
    )
    event = RecallEvent(id=store.new_id(), at=NOON, query="\ud7ff\u2028", hits=hits, agent_id="x")
    store.events.record([event])


def grant(store: Store, _here: str, _there: str, amount: float) -> None:
    store.grants.allow("butler", "global/org:a", "read" if amount > 1 / 2 else "admin")


def settle(store: Store, _here: str, _there: str, amount: float) -> None:
    most = round(amount * 100) or None
    store.workspaces.put("notes", scope="global/org:a", max_age_days=30.5, max_memories=most)


ACTS: list[Act] = [
    revise, annotate, forget, restore, go_back, link, link_for_a_time, end_links, embed, talk,
    mention, introduce, recall, grant, settle,
]  # fmt: skip


def histories() -> st.SearchStrategy[History]:
    """Draw memories with any fields, and what is done to them."""
    places = st.integers(0, 5)
    deeds = st.tuples(st.sampled_from(ACTS), places, places, st.floats(0, 1))
    return st.tuples(
        st.lists(memory_drafts(), min_size=1, max_size=4), st.lists(deeds, max_size=15)
    )


def live(store: Store, clock: ManualClock, history: History) -> None:
    """Let a history happen, six hours a deed; what is not possible does not."""
    drafts, deeds = history
    ids = store.memories.remember_many(drafts, keep_going=True).ids
    for act, here, there, amount in deeds:
        clock.advance(hours=6)
        with suppress(ConflictError, InvalidInputError, NotFoundError):
            act(store, ids[here % len(ids)], ids[there % len(ids)], amount)


def exported(store: Store, folder: Path, format: Format) -> dict[str, bytes]:  # noqa: A002
    """Return the files of an export by name."""
    path = folder / NAMES[format]
    export_store(store, path, overwrite=True)
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    return {file.name: file.read_bytes() for file in files}


def in_memory(clock: ManualClock) -> SqliteStore:
    return SqliteStore.open(":memory:", settings=StoreSettings(), clock=clock)


@pytest.mark.parametrize("format", FORMATS)
@given(history=histories())
def test_an_import_brings_back_what_was_exported_to_the_byte(
    history: History,
    format: Format,  # noqa: A002
) -> None:
    clock = ManualClock(NOON)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        store = stack.enter_context(closing(in_memory(clock)))
        live(store, clock, history)
        clock.advance(hours=6)
        wanted = {each: exported(store, folder, each) for each in FORMATS}
        copy = stack.enter_context(closing(in_memory(clock)))

        report = import_file(copy, folder / NAMES[format])

        assert report.refused == ()
        assert report.unchanged == 0
        assert store.tables.counts(EVERYTHING) == report.imported
        assert wanted == {each: exported(copy, folder, each) for each in FORMATS}
        assert [each for each in copy.doctor.examine() if not each.ok] == []


@given(history=histories())
def test_importing_twice_changes_nothing(history: History) -> None:
    clock = ManualClock(NOON)
    with closing(in_memory(clock)) as store, TemporaryDirectory() as folder:
        live(store, clock, history)
        path = Path(folder) / "export"
        rows = sum(export_store(store, path).values())
        before, last = exported(store, Path(folder), "jsonl"), store.changes.last()

        report = import_file(store, path)

        assert (set(report.imported.values()), report.refused) == ({0}, ())
        assert report.unchanged == rows
        assert before == exported(store, Path(folder), "jsonl")
        assert last == store.changes.last()


@pytest.mark.parametrize("format", FORMATS)
def test_every_table_makes_the_journey(
    full: SqliteStore,
    store: SqliteStore,
    tmp_path: Path,
    format: Format,  # noqa: A002
) -> None:
    counts = export_store(full, tmp_path / NAMES[format])
    assert min(counts.values()) > 0

    report = import_file(store, tmp_path / NAMES[format])

    assert counts == report.imported
    assert exported(full, tmp_path, format) == exported(store, tmp_path, format)


def test_the_past_the_private_and_the_forgotten_make_the_journey(
    full: SqliteStore, store: SqliteStore, tmp_path: Path
) -> None:
    export_store(full, tmp_path / "export")
    import_file(store, tmp_path / "export")

    gone = full.memories.select(EVERYTHING.also(archived=False), limit=10).memories[2]
    assert gone.content == "The kettle <private>leaks</private>"
    assert gone == store.memories.get(gone.id, forgotten=True, private=True)
    for memory in full.memories.select(EVERYTHING):
        wanted = full.memories.history(memory.id, private=True)
        assert wanted == store.memories.history(memory.id, private=True)
    assert store.memories.restore(gone.id).content == "The kettle "


@pytest.mark.parametrize("rows", [1, 2, 7])
@pytest.mark.parametrize("format", ["jsonl", "json"])
def test_the_size_of_a_batch_does_not_show_in_json(
    full: SqliteStore,
    tmp_path: Path,
    rows: int,
    format: Format,  # noqa: A002
) -> None:
    export_store(full, tmp_path / "whole", format=format)
    export_store(full, tmp_path / "cut", format=format, batch_rows=rows)
    assert (tmp_path / "whole").read_bytes() == (tmp_path / "cut").read_bytes()


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("compression", ["zstd", "snappy", "none"])
def test_parquet_of_any_cut_and_packing_comes_back(
    full: SqliteStore, store: SqliteStore, tmp_path: Path, rows: int, compression: str
) -> None:
    export_store(full, tmp_path / "cut", batch_rows=rows, compression=compression)
    import_file(store, tmp_path / "cut")
    assert exported(full, tmp_path, "json") == exported(store, tmp_path, "json")


def test_many_rows_come_back(store: SqliteStore, full: SqliteStore, tmp_path: Path) -> None:
    full.memories.remember_many({"content": f"memory {number}"} for number in range(2100))
    for format_ in FORMATS:
        export_store(full, tmp_path / NAMES[format_])
    assert import_file(store, tmp_path / "export.jsonl").imported["memories"] == 2104
    for format_ in FORMATS:
        assert set(import_file(store, tmp_path / NAMES[format_]).imported.values()) == {0}


def test_what_has_expired_stays_behind(
    full: SqliteStore, store: SqliteStore, clock: ManualClock, tmp_path: Path
) -> None:
    daily = full.memories.remember({"content": "for today", "tier": "daily"})
    full.vectors.put("small", [daily.id], np.ones((1, 2), dtype=np.float32))
    clock.advance(days=2)
    export_store(full, tmp_path / "export.jsonl")
    assert daily.id not in (tmp_path / "export.jsonl").read_text()
    assert import_file(store, tmp_path / "export.jsonl").refused == ()


def test_an_import_tells_how_far_it_is(
    full: SqliteStore, store: SqliteStore, tmp_path: Path
) -> None:
    for format in FORMATS:  # noqa: A001
        told: list[Told] = []
        path = tmp_path / NAMES[format]
        rows = sum(export_store(full, path).values())
        import_file(store, path, progress=told.append)
        counts = [each.done for each in told]
        assert counts == sorted(counts)
        assert (counts[0], counts[-1], told[-1].standing) == (0, rows, "done")
        assert told[-1].total == {"parquet": rows, "jsonl": rows, "json": None}[format]


@pytest.mark.parametrize("format", FORMATS)
def test_an_export_tells_how_far_it_is(
    full: SqliteStore,
    tmp_path: Path,
    format: Format,  # noqa: A002
) -> None:
    told: list[Told] = []
    path = tmp_path / NAMES[format]
    counts = export_store(full, path, batch_rows=1, progress=told.append)
    if format == "parquet":  # there one reading of the versions serves for the memories too
        del counts["memories"]
    assert list(dict.fromkeys(each.note for each in told if each.note)) == list(counts)
    rows = sum(counts.values())
    assert (told[0].done, told[-1].done, told[-1].total) == (0, rows, rows)
    assert told[-1].standing == "done"
