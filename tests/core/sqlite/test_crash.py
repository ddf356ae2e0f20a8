"""Kill a writer at any moment: what it was told is stored is stored, and nothing else is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import IO, TYPE_CHECKING, Any

import orjson
import pytest

from engram_lab.core.selection import EVERYTHING
from engram_lab.core.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROUNDS = 60

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

# Forks a writer for each line it reads, before any store is open, so that a round costs no start.
# A writer says what it is about to do, does it, and says that it is done.
NURSERY = r"""
import os, sys
from random import Random
import orjson
from engram_lab.core.selection import Selection
from engram_lab.core.sqlite.store import SqliteStore

def say(*words):
    os.write(1, orjson.dumps(words) + b"\n")

def write(path, seed):
    chance = Random(seed)
    store = SqliteStore.open(path)
    known = {memory.id: memory.version for memory in store.memories.select(Selection(), limit=40)}
    number = 0
    while True:
        number += 1
        deed = chance.choices(["remember", "update", "link", "purge"], [5, 4, 3, 1])[0]
        ids = sorted(known)
        if len(ids) < 3:
            deed = "remember"
        text = f"{deed} {number} of round {seed} " + "word " * chance.randrange(200)
        if deed == "remember":
            id_ = f"{seed:08x}-{number:04x}-7000-8000-000000000000"
            say("begin", deed, id_, text)
            known[id_] = store.memories.remember(
                {"id": id_, "content": text, "tags": [f"t{number % 7}"], "metadata": {"n": number}}
            ).version
        elif deed == "update":
            id_ = chance.choice(ids)
            say("begin", deed, id_, text)
            known[id_] = store.memories.update(
                id_, {"content": text, "tags": [f"u{number % 7}"]}, version=known[id_]
            ).version
        elif deed == "link":
            start, end = chance.sample(ids, 2)
            say("begin", deed, f"{start} {end}", number)
            store.links.put(start, end, context=str(number))
        else:
            id_ = chance.choice(ids)
            say("begin", deed, id_, "")
            store.memories.purge([id_])
            del known[id_]
        say("done")

for line in sys.stdin:
    path, seed = orjson.loads(line)
    child = os.fork()
    if child == 0:
        try:
            write(path, seed)
        except BaseException as error:
            say("failed", repr(error))
        os._exit(1)
    say("born", child)
    os.waitpid(child, 0)
    say("dead")
"""


@dataclass
class Books:
    """What the store must hold: each memory with its contents by version, and each link."""

    memories: dict[str, tuple[str, ...]] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)

    def after(self, deed: str, key: str, value: Any) -> Books:
        memories, links = dict(self.memories), dict(self.links)
        if deed == "link":
            links[key] = str(value)
        elif deed == "purge":
            del memories[key]
            links = {ends: number for ends, number in links.items() if key not in ends}
        else:
            memories[key] = (*memories.get(key, ()), value)
        return Books(memories, links)


@dataclass
class Nursery:
    """The process that bears the writers, and the pipes to it."""

    orders: IO[bytes]
    words: IO[bytes]

    def hear(self) -> list[Any]:
        word: list[Any] = orjson.loads(self.words.readline())
        assert word[0] != "failed", word
        return word

    def round(self, path: Path, seed: int, books: Books) -> tuple[Books, Books]:
        """Let a writer live for a while; return what it was told is stored, and what it began."""
        chance = Random(seed)  # noqa: S311 - it picks moments, not secrets
        self.orders.write(orjson.dumps([str(path), seed]) + b"\n")
        self.orders.flush()
        words = 1 if chance.random() < 0.25 else chance.randrange(2, 120)
        heard = [self.hear() for _ in range(words)]
        time.sleep(chance.random() * 0.004)
        (child,) = (word[1] for word in heard if word[0] == "born")
        os.kill(child, signal.SIGKILL)
        while heard[-1] != ["dead"]:
            heard.append(self.hear())
        begun = books
        for word in heard:
            if word[0] == "done":
                books = begun
            elif word[0] == "begin":
                begun = books.after(*word[1:])
        return books, begun


@pytest.fixture
def nursery() -> Iterator[Nursery]:
    with subprocess.Popen(
        [sys.executable, "-c", NURSERY], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield Nursery(process.stdin, process.stdout)
        process.stdin.close()


def books_of(store: SqliteStore) -> Books:
    contents: dict[str, list[tuple[int, str]]] = {}
    for batch in store.tables.scan("versions", EVERYTHING):
        for row in batch.select(["id", "version", "content"]).to_pylist():
            contents.setdefault(row["id"], []).append((row["version"], row["content"]))
    for states in contents.values():
        assert [version for version, _ in states] == list(range(1, len(states) + 1))
    links = {
        f"{row['from_id']} {row['to_id']}": row["context"]
        for batch in store.tables.scan("links", EVERYTHING)
        for row in batch.to_pylist()
    }
    return Books({id_: tuple(text for _, text in each) for id_, each in contents.items()}, links)


@contextmanager
def maybe_open(path: Path, *, opened: bool) -> Iterator[None]:
    if not opened:
        yield
        return
    with closing(SqliteStore.open(str(path))) as store:
        store.memories.select(EVERYTHING, limit=1)
        yield


@pytest.mark.parametrize("watched", [False, True], ids=["alone", "while another has it open"])
def test_nothing_acknowledged_is_lost(nursery: Nursery, tmp_path: Path, *, watched: bool) -> None:
    path = tmp_path / "engram.db"
    books = Books()
    unfinished = 0
    with maybe_open(path, opened=watched):
        for seed in range(1, ROUNDS + 1):
            told, begun = nursery.round(path, seed, books)
            with closing(SqliteStore.open(str(path))) as store:
                assert [check for check in store.doctor.examine() if not check.ok] == []
                books = books_of(store)
            assert books in (told, begun)
            unfinished += told != begun
    assert unfinished  # some kill fell into the middle of a write, or this test tests nothing
    assert len(books.memories) > ROUNDS


def test_a_store_killed_while_it_is_made_can_be_opened(nursery: Nursery, tmp_path: Path) -> None:
    chance = Random(1)  # noqa: S311 - it picks moments, not secrets
    for seed in range(1, ROUNDS + 1):
        path = tmp_path / f"{seed}.db"
        nursery.orders.write(orjson.dumps([str(path), seed]) + b"\n")
        nursery.orders.flush()
        _, child = nursery.hear()
        time.sleep(chance.random() * 0.025)
        os.kill(child, signal.SIGKILL)
        while nursery.hear() != ["dead"]:
            pass
        with closing(SqliteStore.open(str(path))) as store:
            assert [check for check in store.doctor.examine() if not check.ok] == []
            store.memories.remember({"content": "it works"})
