"""A table over the real store: kept, found again by others, and without what was purged."""

from __future__ import annotations

from contextlib import closing, suppress
from datetime import UTC, datetime
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.clock import ManualClock
from engram_lab.core.sqlite import SqliteStore
from engram_lab.retrieval.tokens import files
from engram_lab.retrieval.tokens.saved import SavedTokens
from engram_lab.retrieval.tokens.table import TokenTable, digest_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    Words = Callable[[], Any]

CLOCK = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "memory.db.index"


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[tuple[SqliteStore, SqliteStore]]:
    """Two stores on one file, as two processes have them."""
    place = str(tmp_path / "memory.db")
    with (
        closing(SqliteStore.open(place, clock=CLOCK)) as one,
        closing(SqliteStore.open(place, clock=CLOCK)) as other,
    ):
        yield one, other


@pytest.fixture
def one(stores: tuple[SqliteStore, SqliteStore]) -> SqliteStore:
    return stores[0]


@pytest.fixture
def embedder(words: Words) -> Any:
    return words()


@pytest.fixture
def open_tokens(embedder: Any, folder: Path) -> Callable[..., SavedTokens]:
    def open_tokens(store: SqliteStore, **options: Any) -> SavedTokens:
        table = TokenTable(embedder, most_bytes=options.pop("most_bytes", 2**20))
        known: dict[str, Any] = {"folder": folder, "embedder": "words", "dim": 24}
        return SavedTokens(table, store.corpus, **known | options)

    return open_tokens


def remembered(store: SqliteStore, *texts: str) -> list[str]:
    return [store.memories.remember({"content": text}).id for text in texts]


def held(saved: SavedTokens, *texts: str) -> list[bool]:
    return [text in saved.table for text in texts]


def on_disk(folder: Path, text: str, embedder: Any) -> bool:
    """Tell whether any file has the digest of a text, or its codes."""
    (codes,) = TokenTable(embedder).of([text])
    data = b"".join(file.read_bytes() for file in folder.glob("*"))
    return digest_of(text) in data or bytes(codes) in data


def test_what_is_kept_is_not_made_again(one: SqliteStore, open_tokens: Any, embedder: Any) -> None:
    first = open_tokens(one)
    wanted = [bytes(each) for each in first.table.of(["tea", "the cat", ""])]
    first.save()
    embedder.asked.clear()
    again = open_tokens(one)
    assert [bytes(each) for each in again.table.of(["tea", "the cat", ""])] == wanted
    assert embedder.asked == []
    assert list(again.table.entries()) == list(first.table.entries())


def test_what_is_kept_is_mapped_and_not_in_memory_twice(one: SqliteStore, open_tokens: Any) -> None:
    saved = open_tokens(one)
    saved.table.of(["tea"])
    saved.save()
    assert all(isinstance(codes, memoryview) for codes in saved.table.entries().values())


def test_each_saving_adds_a_file_until_all_become_one(
    one: SqliteStore, open_tokens: Any, folder: Path
) -> None:
    saved = open_tokens(one)
    counts = []
    for number in range(12):
        saved.table.of([f"text {number}"])
        saved.save()
        saved.save()  # nothing new
        counts.append(len(list(folder.iterdir())))
    assert counts == [1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4]
    assert len(open_tokens(one).table) == 12


def test_files_are_read_as_old_as_they_are(one: SqliteStore, open_tokens: Any) -> None:
    saved = open_tokens(one)
    for text in ("tea", "cat", "the"):
        saved.table.of([text])
        saved.save()
    again = open_tokens(one)
    assert list(again.table.entries()) == [digest_of(text) for text in ("tea", "cat", "the")]
    assert held(open_tokens(one, most_bytes=2 * (256 + 14)), "tea", "cat") == [False, True]


def test_files_that_hold_what_left_the_table_become_one(
    one: SqliteStore, open_tokens: Any, folder: Path
) -> None:
    saved = open_tokens(one, most_bytes=10 * (256 + 30 * 14))
    counts = []
    for number in range(7):
        texts = [f"{number} {other} " + "word " * 28 for other in range(5)]
        wanted = [bytes(each) for each in saved.table.of(texts)]
        saved.save()
        counts.append(len(list(folder.iterdir())))
    assert max(counts) < 7
    assert 1 in counts[1:]
    again = open_tokens(one, most_bytes=10 * (256 + 30 * 14))
    assert held(again, *texts) == [True] * 5
    assert [bytes(each) for each in again.table.of(texts)] == wanted


def test_a_damaged_file_is_passed_over_and_replaced(
    one: SqliteStore, open_tokens: Any, folder: Path
) -> None:
    saved = open_tokens(one)
    saved.table.of(["tea"])
    saved.save()
    (file,) = folder.iterdir()
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    again = open_tokens(one)
    assert len(again.table) == 0
    again.table.of(["tea"])
    again.save()
    assert len(list(folder.iterdir())) == 1
    assert held(open_tokens(one), "tea") == [True]


def test_nothing_is_written_where_there_is_no_folder_or_nothing_to_keep(
    one: SqliteStore, open_tokens: Any, folder: Path
) -> None:
    open_tokens(one).save()
    nowhere = open_tokens(one, folder=None)
    nowhere.table.of(["tea"])
    nowhere.save()
    nowhere.remove(["tea"])
    nowhere.erase()
    assert not folder.exists()
    assert len(nowhere.table) == 0


def test_what_was_purged_is_in_no_memory_and_no_file(
    one: SqliteStore, open_tokens: Any, folder: Path, embedder: Any
) -> None:
    ids = remembered(one, "tea", "the cat")
    saved = open_tokens(one)
    saved.table.of(["tea", "the cat", "of no memory"])
    saved.save()
    assert on_disk(folder, "tea", embedder)
    one.memories.purge(ids[:1])
    saved.erase()
    assert held(saved, "tea", "the cat", "of no memory") == [False, True, False]
    assert list(folder.iterdir()) == []
    assert all(isinstance(codes, bytes) for codes in saved.table.entries().values())
    saved.save()
    assert not on_disk(folder, "tea", embedder)
    assert held(open_tokens(one), "tea", "the cat") == [False, True]


def test_what_another_process_purged_is_gone_with_the_next_saving(
    stores: tuple[SqliteStore, SqliteStore], open_tokens: Any, folder: Path, embedder: Any
) -> None:
    ids = remembered(stores[0], "tea", "the cat")
    ours, theirs = open_tokens(stores[0]), open_tokens(stores[1])
    ours.table.of(["tea", "the cat"])
    theirs.table.of(["tea", "the cat"])
    ours.save()
    stores[1].memories.purge(ids[:1])
    theirs.erase()
    ours.table.of(["something new"])
    ours.save()
    assert not on_disk(folder, "tea", embedder)
    assert held(ours, "tea", "the cat") == [False, True]
    assert held(open_tokens(stores[0]), "tea", "the cat") == [False, True]


def test_what_is_purged_while_a_file_is_written_stays_in_none(
    stores: tuple[SqliteStore, SqliteStore],
    open_tokens: Any,
    folder: Path,
    embedder: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ids = remembered(stores[0], "tea", "the cat")
    ours, theirs = open_tokens(stores[0]), open_tokens(stores[1])
    ours.table.of(["tea", "the cat"])
    module: Any = files
    true_write = module.write_arrays

    def purged_meanwhile(*given: Any) -> None:
        stores[1].memories.purge(ids[:1])
        theirs.erase()
        true_write(*given)

    monkeypatch.setattr(files, "write_arrays", purged_meanwhile)
    ours.save()
    assert not on_disk(folder, "tea", embedder)
    assert held(ours, "tea", "the cat") == [False, True]


def test_texts_that_are_said_otherwise_are_kept_where_that_is_told(
    one: SqliteStore, open_tokens: Any
) -> None:
    ids = remembered(one, "tea", "cat")

    def spelt(content: str) -> Sequence[str]:
        return [f"who {content}"]

    saved = open_tokens(one, spelt=spelt)
    saved.table.of(["tea", "who tea", "who cat"])
    one.memories.purge(ids[:1])
    saved.erase()
    assert held(saved, "tea", "who tea", "who cat") == [False, False, True]


def test_who_knows_what_was_purged_need_not_read_the_store(
    stores: tuple[SqliteStore, SqliteStore],
    open_tokens: Any,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ids = remembered(stores[0], "tea", "cat", "the")
    saved = open_tokens(stores[0], spelt=lambda content: [f"who {content}"])
    saved.table.of(["tea", "who tea", "cat", "the"])
    saved.save()
    stores[0].memories.purge(ids[:1])
    stores[1].memories.purge(ids[1:2])  # of which we are told nothing
    with monkeypatch.context() as patched:
        patched.setattr(saved, "_texts", None)
        saved.erase(["tea"])
    assert held(saved, "tea", "who tea", "cat", "the") == [False, False, True, True]
    assert list(folder.iterdir()) == []
    saved.save()
    assert held(saved, "cat", "the") == [False, True]
    assert held(open_tokens(stores[0]), "tea", "cat", "the") == [False, False, True]


def test_single_texts_are_removed_and_so_is_a_file_that_has_one(
    one: SqliteStore, open_tokens: Any, folder: Path, embedder: Any
) -> None:
    saved = open_tokens(one)
    saved.table.of(["tea"])
    saved.save()
    saved.table.of(["cat", "the"])
    saved.remove(["cat"])
    assert len(list(folder.iterdir())) == 1  # it has nothing of the cat
    saved.remove(["tea"])
    assert list(folder.iterdir()) == []
    saved.save()
    assert held(open_tokens(one), "tea", "cat", "the") == [False, False, True]
    assert not on_disk(folder, "tea", embedder)


def test_a_transaction_that_is_undone_makes_nobody_miss_a_purge(
    stores: tuple[SqliteStore, SqliteStore], open_tokens: Any, embedder: Any, folder: Path
) -> None:
    ids = remembered(stores[0], "tea", "the cat")
    saved = open_tokens(stores[0])
    saved.table.of(["tea", "the cat"])
    with suppress(KeyError), stores[0].transaction():
        remembered(stores[0], "one", "two", "three")
        saved.save()
        raise KeyError
    stores[1].memories.purge(ids[:1])  # a number that the transaction had
    open_tokens(stores[1]).erase()
    saved.table.of(["cat"])
    saved.save()
    assert held(saved, "tea", "the cat") == [False, True]
    assert not on_disk(folder, "tea", embedder)


def test_what_was_not_purged_is_kept_again_after_its_file_was_removed(
    one: SqliteStore, open_tokens: Any, folder: Path
) -> None:
    ids = remembered(one, "tea", "the cat")
    saved = open_tokens(one)
    saved.table.of(["the cat"])
    saved.save()
    one.memories.purge(ids[:1])  # of which nothing is held
    saved.erase()
    assert list(folder.iterdir()) == []
    saved.save()
    assert held(open_tokens(one), "the cat") == [True]


def test_where_the_store_cannot_be_read_everything_is_forgotten(
    one: SqliteStore, open_tokens: Any, folder: Path
) -> None:
    saved = open_tokens(one)
    saved.table.of(["tea"])
    saved.save()

    class Broken:
        def __getattr__(self, name: str) -> Any:
            return getattr(one.corpus, name)

        def all_texts(self) -> Any:
            raise OSError("the disk is gone")

    saved._corpus = Broken()
    with pytest.raises(OSError, match="the disk is gone"):
        saved.erase()
    assert len(saved.table) == 0
    assert list(folder.iterdir()) == []


def test_processes_add_to_one_folder(
    stores: tuple[SqliteStore, SqliteStore], open_tokens: Any
) -> None:
    ours, theirs = open_tokens(stores[0]), open_tokens(stores[1])
    ours.table.of(["tea"])
    theirs.table.of(["cat"])
    ours.save()
    theirs.save()
    for number in range(12):  # until ours become one
        ours.table.of([f"text {number}"])
        ours.save()
    assert held(open_tokens(stores[0]), "tea", "cat", "text 11") == [True, True, True]


def test_threads_may_share_it(one: SqliteStore, open_tokens: Any, embedder: Any) -> None:
    texts = [f"text {number}" for number in range(40)]
    remembered(one, *texts)
    saved = open_tokens(one)
    wanted = [bytes(each) for each in TokenTable(embedder).of(texts)]
    seen: list[bool] = []

    def work(turn: int) -> None:
        for number in range(6):
            seen.append([bytes(each) for each in saved.table.of(texts)] == wanted)
            if (turn + number) % 3 == 0:
                saved.remove(texts[turn::4])
            elif (turn + number) % 3 == 1:
                saved.erase()
            saved.save()

    threads = [Thread(target=work, args=(turn,)) for turn in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert seen == [True] * 24
    assert saved.table.held_bytes == sum(
        256 + len(codes) for codes in saved.table.entries().values()
    )


@given(steps=st.lists(st.sampled_from(["ask", "purge", "save", "open", "erase"]), max_size=14))
def test_whatever_happens_a_purged_text_is_in_no_file(
    steps: list[str], words: Words, tmp_path_factory: pytest.TempPathFactory
) -> None:
    embedder, folder = words(), tmp_path_factory.mktemp("kept")

    def opened() -> SavedTokens:
        return SavedTokens(
            TokenTable(embedder, most_bytes=2000),
            store.corpus,
            folder=folder,
            embedder="words",
            dim=24,
        )

    with closing(SqliteStore.open(":memory:", clock=CLOCK)) as store:
        texts = [f"text {number}" for number in range(6)]
        ids = dict(zip(texts, remembered(store, *texts), strict=True))
        purged: list[str] = []
        saved = opened()
        for number, step in enumerate(steps):
            if step == "ask":
                saved.table.of([*ids][number % 3 :])
            elif step == "purge" and ids:
                text, id_ = ids.popitem()
                store.memories.purge([id_])
                purged.append(text)
                saved.erase()
            elif step == "save":
                saved.save()
            elif step == "open":
                saved = opened()
            elif step == "erase":
                saved.erase()
            assert not any(on_disk(folder, text, embedder) for text in purged)
            assert not any(held(saved, *purged))
