"""The index over the real store: fresh after every write, in this process and from another."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from engram_lab.core.selection import EVERYTHING
from engram_lab.core.settings import StoreSettings
from engram_lab.core.sqlite import SqliteStore
from engram_lab.retrieval.lexical import LexicalIndex

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engram_lab.core.clock import ManualClock

OTHER = """
import sys
from engram_lab.core.sqlite import SqliteStore
from engram_lab.retrieval.lexical import LexicalIndex
from pathlib import Path

store = SqliteStore.open(sys.argv[1])
index = LexicalIndex(store.corpus, folder=Path(sys.argv[2]))
for line in sys.stdin:
    verb, _, text = line.strip().partition(" ")
    if verb == "remember":
        print(store.memories.remember({"content": text}).id, flush=True)
    elif verb == "save":
        index.catch_up()
        print(index.save(always=True), flush=True)
    else:
        index.catch_up()
        print(*index.search(index.analyser.query_terms(text), 10).keys, flush=True)
store.close()
"""


@pytest.fixture
def file_store(tmp_path: Path, clock: ManualClock) -> Iterator[SqliteStore]:
    path = str(tmp_path / "memory.db")
    with closing(SqliteStore.open(path, settings=StoreSettings(seed=1), clock=clock)) as store:
        yield store


def found(store: SqliteStore, index: LexicalIndex, query: str) -> list[str]:
    index.catch_up()
    keys = index.search(index.analyser.query_terms(query), 10).keys
    memories = store.corpus.fetch(keys, EVERYTHING)
    return [each.content for each in memories if each is not None]


def test_every_write_is_in_the_next_answer(store: SqliteStore) -> None:
    index = LexicalIndex(store.corpus)
    assert found(store, index, "tea") == []

    tea = store.memories.remember({"content": "Anna drinks tea"}).id
    store.memories.remember({"content": "Ben likes coffee", "tags": ["hot drinks"]})
    assert found(store, index, "drinking") == ["Anna drinks tea", "Ben likes coffee"]

    store.memories.update(tea, {"content": "Anna gave up coffee"})
    assert found(store, index, "tea") == []
    assert found(store, index, "coffee") == ["Anna gave up coffee", "Ben likes coffee"]

    store.memories.forget(tea)
    assert found(store, index, "anna") == []
    store.memories.restore(tea)
    assert found(store, index, "anna") == ["Anna gave up coffee"]
    store.memories.purge([tea])
    assert found(store, index, "anna") == []
    assert index.df("anna") == 0


def test_private_sections_are_not_found(store: SqliteStore) -> None:
    index = LexicalIndex(store.corpus)
    store.memories.remember({"content": "Anna <private>stole</private> drinks tea"})
    index.catch_up()

    assert index.vocabulary() == {"anna": 1, "drink": 1, "tea": 1}


def test_following_ends_where_building_begins(store: SqliteStore) -> None:
    follower = LexicalIndex(store.corpus)
    ids = [
        store.memories.remember({"content": f"note {i} of {i % 7}", "tags": [f"t{i % 3}"]}).id
        for i in range(300)
    ]
    follower.catch_up()
    for each in ids[::5]:
        store.memories.forget(each)
    store.memories.purge(ids[1::7])
    follower.catch_up()
    fresh = LexicalIndex(store.corpus)
    fresh.catch_up()

    assert follower.vocabulary() == fresh.vocabulary()
    assert follower.search(["note", "3", "t1"], 500) == fresh.search(["note", "3", "t1"], 500)
    assert (follower.size, follower.number) == (fresh.size, fresh.number)


def test_two_processes_find_what_the_other_writes(file_store: SqliteStore, tmp_path: Path) -> None:
    folder = tmp_path / "index"
    index = LexicalIndex(file_store.corpus, folder=folder)
    with subprocess.Popen(
        [sys.executable, "-c", OTHER, str(tmp_path / "memory.db"), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:

        def ask(line: str) -> str:
            assert other.stdin is not None
            assert other.stdout is not None
            other.stdin.write(line + "\n")
            other.stdin.flush()
            return other.stdout.readline().strip()

        for turn in range(5):
            mine = file_store.memories.remember({"content": f"mine number{turn}"}).id
            key = int(file_store.corpus.find([mine])[0])
            assert ask(f"search number{turn}") == str(key)
            theirs = ask(f"remember theirs thing{turn}")
            index.catch_up()
            assert index.search([f"thing{turn}"], 5).keys.tolist() == [
                int(file_store.corpus.find([theirs])[0])
            ]
            if turn == 1:
                assert index.save()
            if turn == 3:
                assert ask("save") == "True"  # over the file that is mapped here
        assert index.search(["mine"], 9).keys.tolist() == [
            int(key) for key in ask("search mine").split()
        ]
        other.communicate()
    assert other.returncode == 0

    again = LexicalIndex(file_store.corpus, folder=folder)
    again.catch_up()
    assert again.vocabulary() == index.vocabulary()
