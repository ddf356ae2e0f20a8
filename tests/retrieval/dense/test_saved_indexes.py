"""What is kept beside the database is taken where it fits, and made anew where it does not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.retrieval.arrays import BadIndexFileError, read_arrays, write_arrays
from engram_lab.retrieval.dense import DenseIndex, saved

KINDS = ["exact", "flat", "hnsw", "ivf"]
QUERY = np.eye(16, dtype=np.float32)[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "a" / "memory.db.index"


def state_file(folder: Path) -> Path:
    (file,) = folder.glob("*.state")
    return file


def base_file(folder: Path) -> Path:
    (file,) = folder.glob("*.base")
    return file


def rewritten(file: Path, header: Any = None, **arrays: Any) -> None:
    """Change a file so that its checksums are right."""
    told, held = read_arrays(file, mmap=False)
    write_arrays(file, {**told, **(header or {})}, {**held, **arrays})


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_kept_answers_as_before_without_asking_the_store(
    kind: str, corpus: Any, folder: Path, open_index: Any
) -> None:
    index = open_index(corpus, kind=kind, folder=folder)
    corpus.forget(5)
    corpus.put(6, QUERY)
    corpus.put(2000, 2 * QUERY)
    index.catch_up()
    index.save()
    corpus.put(2001, 3 * QUERY)
    corpus.forget(7)
    index.catch_up()
    index.save()  # into the state alone: the base stands
    found = [index.search(value, 30) for value in list(corpus.values.values())[:50]]
    index.close()
    reads = corpus.reads
    again = open_index(corpus, kind=kind, folder=folder)
    assert (again.number, again.size, again.kind_in_use) == (corpus.last(), 1000, kind)
    assert [again.search(value, 30) for value in list(corpus.values.values())[:50]] == found
    assert corpus.reads == reads
    corpus.put(2002, 4 * QUERY)
    again.catch_up()
    assert again.search(QUERY, 4).keys.tolist() == [2002, 2001, 2000, 6]


@pytest.mark.parametrize("kind", ["exact", "hnsw"])
def test_a_small_change_is_kept_without_writing_all_anew(
    kind: str, corpus: Any, folder: Path, open_index: Any
) -> None:
    index = open_index(corpus, kind=kind, folder=folder)
    index.save()
    base = base_file(folder)
    written = base.stat()
    corpus.put(3000, QUERY)
    index.catch_up()
    index.save()
    assert base_file(folder) == base
    assert (base.stat().st_mtime_ns, base.stat().st_ino) == (written.st_mtime_ns, written.st_ino)
    state = state_file(folder).stat()
    index.save()  # nothing changed
    assert state_file(folder).stat().st_ino == state.st_ino
    corpus.put_many(range(4000, 4600), np.random.default_rng(1).random((600, 16)))
    index.catch_up()
    index.save()
    assert base_file(folder) != base
    assert open_index(corpus, kind=kind, folder=folder).search(QUERY, 1).keys.tolist() == [3000]


def test_the_vectors_are_read_from_the_file_once_they_are_kept(
    corpus: Any, folder: Path, open_index: Any
) -> None:
    index = open_index(corpus, folder=folder)
    assert index._held.table.rows.sealed == 0
    index.save()
    assert index._held.table.rows.sealed == 1000
    assert open_index(corpus, folder=folder)._held.table.rows.sealed == 1000


def test_nothing_is_kept_without_a_folder(corpus: Any, tmp_path: Path, open_index: Any) -> None:
    index = open_index(corpus)
    index.save()
    index.erase()
    index.close()
    assert list(tmp_path.rglob("*")) == []


def test_embedders_do_not_share_files(corpus: Any, folder: Path, open_index: Any) -> None:
    open_index(corpus, folder=folder).save()
    first = saved.Files(folder, embedder="model", dim=16)
    other = saved.Files(folder, embedder="another/model", dim=16)
    assert first.state_file.exists()
    assert not other.state_file.exists()
    # Nor is a file taken that came under the other's name.
    state_file(folder).rename(other.state_file)
    base_file(folder).rename(folder / f"{other.state_file.stem}-0.base")
    rewritten(other.state_file, {"base": f"{other.state_file.stem}-0.base"})
    with pytest.raises(BadIndexFileError, match="of another embedder"):
        other.read()


def damages() -> dict[str, Any]:
    def cut(file: Path) -> None:
        os.truncate(file, file.stat().st_size // 2)

    def flip(file: Path) -> None:
        data = bytearray(file.read_bytes())
        data[-100] ^= 1
        file.write_bytes(data)

    def not_finite(value: float, name: str) -> Any:
        def spoil(folder: Path) -> None:
            file = getattr(sys.modules[__name__], f"{name}_file")(folder)
            rows = read_arrays(file, mmap=False)[1]["vectors"].copy()
            rows[-1, -1] = value
            rewritten(file, vectors=rows)

        return spoil

    return {
        "state cut short": lambda folder: cut(state_file(folder)),
        "base cut short": lambda folder: cut(base_file(folder)),
        "state flipped": lambda folder: flip(state_file(folder)),
        "base flipped": lambda folder: flip(base_file(folder)),
        "state empty": lambda folder: state_file(folder).write_bytes(b""),
        "base empty": lambda folder: base_file(folder).write_bytes(b""),
        "base missing": lambda folder: base_file(folder).unlink(),
        "state missing": lambda folder: state_file(folder).unlink(),
        "NaN in base": not_finite(np.nan, "base"),
        "infinity in base": not_finite(np.inf, "base"),
        "NaN in state": not_finite(np.nan, "state"),
        "ahead of the store": lambda folder: rewritten(state_file(folder), {"number": 10**6}),
        "of another store": lambda folder: rewritten(state_file(folder), {"stamp": "other"}),
        "another fingerprint": lambda folder: rewritten(state_file(folder), {"embedder": "x"}),
        "another dimension": lambda folder: rewritten(base_file(folder), {"dim": 17}),
        "another format": lambda folder: rewritten(base_file(folder), {"format": 0}),
        "no number": lambda folder: rewritten(state_file(folder), {"number": None}),
        "a base elsewhere": lambda folder: rewritten(
            state_file(folder), {"base": f"../{folder.name}/{base_file(folder).name}"}
        ),
        "dead beyond the end": lambda folder: rewritten(state_file(folder), dead=np.array([10**6])),
        "keys twice": lambda folder: rewritten(base_file(folder), keys=np.ones(1000, np.int64)),
        "keys too few": lambda folder: rewritten(base_file(folder), keys=np.arange(999)),
        "keys of another type": lambda folder: rewritten(base_file(folder), keys=np.ones(1000)),
        "no index": lambda folder: rewritten(base_file(folder), index=np.empty(0, np.uint8)),
        "an index cut short": lambda folder: rewritten(
            base_file(folder), index=read_arrays(base_file(folder))[1]["index"][:-1000].copy()
        ),
        "an index of fewer": lambda folder: rewritten(base_file(folder), {"covered": 999}),
        "an unknown kind": lambda folder: rewritten(base_file(folder), {"kind": "tree"}),
    }


@pytest.mark.parametrize("damage", damages())
def test_whatever_is_wrong_with_the_files_the_answers_are_right(
    damage: str, corpus: Any, folder: Path, open_index: Any
) -> None:
    index = open_index(corpus, kind="hnsw", folder=folder)
    index.save()
    corpus.put(3000, QUERY)
    index.catch_up()
    index.save()
    before = index.search(QUERY, 10)
    damages()[damage](folder)
    again = open_index(corpus, kind="hnsw", folder=folder)
    assert (again.number, again.size, again.kind_in_use) == (corpus.last(), 1001, "hnsw")
    assert again.search(QUERY, 10) == before
    again.save()
    reads = corpus.reads
    assert open_index(corpus, kind="hnsw", folder=folder).search(QUERY, 10) == before
    assert corpus.reads == reads


def test_a_store_that_went_back_is_followed_anew(
    corpus: Any, folder: Path, open_index: Any
) -> None:
    corpus.put(3000, QUERY)
    open_index(corpus, folder=folder).save()
    corpus.undo(1)
    again = open_index(corpus, folder=folder)
    assert (again.number, again.size) == (1000, 1000)
    corpus.put(3001, 2 * QUERY)  # as many changes as were kept, and another past
    assert open_index(corpus, folder=folder).search(QUERY, 2).keys.tolist() == [
        3001,
        *corpus.best(QUERY, 2)[1:],
    ]


def test_another_kind_or_other_options_keep_the_vectors_and_build_the_index_anew(
    corpus: Any, folder: Path, open_index: Any
) -> None:
    open_index(corpus, kind="hnsw", folder=folder).save()
    reads = corpus.reads
    for options in (
        {"kind": "hnsw", "hnsw_links": 8},
        {"kind": "hnsw", "ef_construction": 20},
        {"kind": "ivf"},
        {"kind": "exact"},
        {"kind": "flat"},
    ):
        index = open_index(corpus, folder=folder, **options)
        assert index.kind_in_use == options["kind"]
        assert len(index.search(QUERY, 10)) == 10
        index.save()
        again = open_index(corpus, folder=folder, **options)
        assert again.search(QUERY, 10) == index.search(QUERY, 10)
    assert corpus.reads == reads
    graph = open_index(corpus, kind="hnsw", hnsw_links=8, folder=folder)._held.index._index
    assert graph.hnsw.nb_neighbors(1) == 8


def test_options_of_searching_alone_keep_the_index(
    corpus: Any, folder: Path, open_index: Any
) -> None:
    open_index(corpus, kind="hnsw", folder=folder).save()
    again = open_index(corpus, kind="hnsw", ef_search=400, folder=folder)
    assert again._held.shape == 0  # loaded, not built


def test_what_was_purged_is_in_no_file(corpus: Any, folder: Path, open_index: Any) -> None:
    for kind in KINDS:
        key = {"exact": 11, "flat": 12, "hnsw": 13, "ivf": 14}[kind]
        secret = corpus.values[key].tobytes()
        index = open_index(corpus, kind=kind, folder=folder)
        index.save()
        assert secret in base_file(folder).read_bytes()
        corpus.forget(key)
        index.catch_up()
        index.save()
        corpus.purge(key)
        other = open_index(corpus, kind=kind, folder=folder)
        other.save()  # a process that only followed the log
        assert all(secret not in file.read_bytes() for file in folder.iterdir())
        index.erase()
        assert list(folder.iterdir()) == []
        index.save()
        assert all(secret not in file.read_bytes() for file in folder.iterdir())
        assert index.search(QUERY, 5000).keys.tolist() == corpus.best(QUERY, 5000)


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_purged_is_overwritten_and_nothing_is_built_for_it(
    corpus: Any, folder: Path, open_index: Any, kind: str
) -> None:
    index = open_index(corpus, kind=kind, folder=folder)
    index.save()
    index = open_index(corpus, kind=kind, folder=folder)
    for key in (1001, 1002):
        corpus.put(key, corpus.values[key - 900] * -1)
    index.catch_up()
    gone = (13, 400, 1001)
    secrets = [corpus.values[key].tobytes() for key in gone]
    for key in gone:
        corpus.purge(key)
    index.erase()
    held = index._held
    assert held.table.rows.sealed == 1000
    assert held.table.dead == 3
    rows = held.table.rows.between(0, 1002)
    assert np.flatnonzero((rows == 0).all(axis=1)).tolist() == [12, 399, 1000]
    assert np.array_equal(
        held.table.rows.take(np.array([1001, 12, 5, 1000])), rows[[1001, 12, 5, 1000]]
    )
    assert held.table.rows.scores(QUERY, 0, 1002)[[12, 399, 1000]].tolist() == [0, 0, 0]
    if held.index is not None:
        assert all(secret not in held.index.dump().tobytes() for secret in secrets)
    index.save()
    assert index._held is held
    assert index.search(QUERY, 5000).keys.tolist() == corpus.best(QUERY, 5000)
    assert all(secret not in file.read_bytes() for file in folder.iterdir() for secret in secrets)
    loaded = open_index(corpus, kind=kind, folder=folder)
    assert (loaded._held.shape, loaded._held.table.dead) == (0, 3)
    assert loaded.search(QUERY, 5000).keys.tolist() == corpus.best(QUERY, 5000)


def test_what_was_never_brought_up_to_date_or_is_closed_is_not_kept(
    corpus: Any, folder: Path, open_index: Any
) -> None:
    index = open_index(corpus, folder=folder)
    index.save()
    kept = state_file(folder).stat().st_ino
    index.close()
    index.close()
    index.save()
    assert (index.size, len(index.search(QUERY, 5))) == (0, 0)
    DenseIndex(corpus, embedder="model", dim=16, folder=folder).save()
    assert state_file(folder).stat().st_ino == kept
    corpus.purge(1)
    loaded = DenseIndex(corpus, embedder="model", dim=16, folder=folder)
    assert loaded.size == 1000
    loaded.erase()
    assert (loaded.size, list(folder.iterdir())) == (0, [])
    assert (loaded.catch_up(), loaded.size) == (corpus.last(), 999)


def test_what_follows_a_transaction_that_was_undone_is_not_kept(
    corpus: Any, folder: Path, open_index: Any
) -> None:
    index = open_index(corpus, folder=folder)
    corpus.put(3000, QUERY)
    index.catch_up()
    corpus.undo(1)
    index.save()
    assert not folder.exists()
    index.catch_up()
    index.save()
    assert open_index(corpus, folder=folder).number == 1000


def test_bases_that_nobody_names_are_removed_in_time(
    corpus: Any, folder: Path, open_index: Any
) -> None:
    index = open_index(corpus, folder=folder)
    index.save()
    name = base_file(folder).name
    old = folder / f"{name[:-6]}1.base"
    new = folder / f"{name[:-6]}2.base"
    foreign = folder / "vectors-of-somebody-else-1.base"
    for file in (old, new, foreign):
        file.write_bytes(b"x")
    for file in (old, foreign):
        os.utime(file, (1, 1))
    corpus.put(3000, QUERY)
    index.catch_up()
    index.save()
    assert {file.name for file in folder.glob("*.base")} == {name, new.name, foreign.name}
    index.erase()
    assert list(folder.iterdir()) == [foreign]


def test_a_save_that_fails_leaves_what_was_kept(
    corpus: Any, folder: Path, open_index: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = open_index(corpus, folder=folder)
    index.save()
    corpus.put_many(range(4000, 4600), np.random.default_rng(1).random((600, 16)))
    index.catch_up()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(saved, "write_arrays", full)
        with pytest.raises(OSError, match="No space"):
            index.save()
    assert open_index(corpus, folder=folder).size == 1600
    index.save()
    assert index.search(QUERY, 10).keys.tolist() == corpus.best(QUERY, 10)
    assert open_index(corpus, folder=folder)._held.table.rows.sealed == 1600


KILLED = """
import os, sys
from pathlib import Path
import numpy as np
import engram_lab.retrieval.arrays as arrays
from engram_lab.retrieval.dense import DenseIndex, saved
from engram_lab.retrieval.dense.layered import Layered
from engram_lab.retrieval.dense.protocol import VectorIndexOptions
from engram_lab.retrieval.dense.table import VectorTable

folder, left = Path(sys.argv[1]), int(sys.argv[2])
files = saved.Files(folder, embedder="model", dim=4)
seconds = []
for name in ("fsync", "replace", "unlink"):
    def counted(*args, _real=getattr(os, name), **options):
        global left
        left -= 1
        if not left:
            os._exit(7)
        return _real(*args, **options)
    setattr(os, name, counted)

def save(first, number):
    rows = np.full((first, 4), first, np.float32)
    table = VectorTable(np.arange(1, first + 1), np.ones(first, bool), rows[:0], rows)
    held = Layered(table, VectorIndexOptions(dim=4))
    files.write_state(files.write_base(held), table, number=number, stamp=str(first))

save(5, 1)
save(9, 2)
print("done", flush=True)
"""


def test_a_process_killed_while_it_saves_leaves_the_old_state_or_the_new(tmp_path: Path) -> None:
    seen, left = set(), 0
    while True:
        left += 1
        folder = tmp_path / str(left)
        result = subprocess.run(
            [sys.executable, "-c", KILLED, str(folder), str(left)], check=False, capture_output=True
        )
        assert result.returncode in {0, 7}, result.stderr
        files = saved.Files(folder, embedder="model", dim=4)
        try:
            state = files.read()
        except FileNotFoundError:
            seen.add(0)
        else:
            seen.add(state.number)
            first = {1: 5, 2: 9}[state.number]
            assert state.stamp == str(first)
            assert state.table.size == first
            assert (state.table.rows.between(0, first) == first).all()
        files.remove()
        if result.returncode == 0:
            break
    assert seen == {0, 1, 2}
    assert left > 6


@given(st.lists(st.sampled_from(["put", "many", "forget", "purge", "save", "open"]), max_size=12))
def test_any_order_of_saving_and_opening_ends_in_the_truth(
    tmp_path_factory: pytest.TempPathFactory, fake_corpus: Any, open_index: Any, steps: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("index")
    corpus = fake_corpus(2)
    chance = np.random.default_rng(len(steps))
    index = open_index(corpus, kind="flat", folder=folder)
    following = 1
    for step in steps:
        if step in {"put", "many"}:
            count = 1 if step == "put" else 300
            corpus.put_many(
                range(following, following + count), chance.integers(-9, 10, (count, 2))
            )
            following += count
        elif step == "save":
            index.save()
        elif step == "open":
            index = open_index(corpus, kind="flat", folder=folder)
        elif corpus.values:
            getattr(corpus, step)(int(chance.choice(sorted(corpus.values))))
        index.catch_up()
        query = chance.integers(-3, 4, 2).astype(np.float32)
        assert index.search(query, 7).keys.tolist() == corpus.best(query, 7)
