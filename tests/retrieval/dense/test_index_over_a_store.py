"""The index over the real store: what is remembered is found, by every process, at once."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.selection import Selection
from engram_lab.core.sqlite import SqliteStore
from engram_lab.retrieval.dense import DenseIndex

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from numpy.typing import NDArray

DIM = 4


def opened(store: SqliteStore, **options: Any) -> DenseIndex:
    return DenseIndex(store.corpus, embedder="model", dim=DIM, **options)


def remembered(store: SqliteStore, value: list[float], content: str = "x") -> str:
    id_ = store.memories.remember({"content": content}).id
    store.vectors.put("model", [id_], row(*value)[np.newaxis])
    return id_


def row(*values: float) -> NDArray[np.float32]:
    return np.array(values, np.float32)


def found_ids(store: SqliteStore, index: DenseIndex, *query: float, k: int = 10) -> list[str]:
    index.catch_up()
    return ids_of(store, index.search(row(*query), k).keys)


def ids_of(store: SqliteStore, keys: NDArray[np.int64]) -> list[str]:
    return ["?" if each is None else each.id for each in store.corpus.fetch(keys, Selection())]


def test_the_life_of_a_memory_is_followed(store: SqliteStore) -> None:
    index = opened(store)
    assert found_ids(store, index, 1, 0, 0, 0) == []
    first = remembered(store, [1, 0, 0, 0])
    second = remembered(store, [0.5, 1, 0, 0])
    assert found_ids(store, index, 1, 0, 0, 0) == [first, second]
    store.memories.update(first, {"importance": 0.9})  # the vector stands
    assert found_ids(store, index, 1, 0, 0, 0) == [first, second]
    store.memories.update(first, {"content": "another"})  # the vector goes
    assert found_ids(store, index, 1, 0, 0, 0) == [second]
    store.vectors.put("model", [first], row(0, 1, 0, 0)[np.newaxis])
    assert found_ids(store, index, 1, 0, 0, 0) == [second, first]
    store.memories.forget(second)
    assert found_ids(store, index, 1, 0, 0, 0) == [first]
    store.memories.restore(second)
    assert found_ids(store, index, 1, 0, 0, 0) == [second, first]
    store.memories.purge([second])
    assert found_ids(store, index, 1, 0, 0, 0) == [first]
    store.vectors.put("other model", [first], row(1, 0)[np.newaxis])
    assert found_ids(store, index, 1, 0, 0, 0) == [first]


def test_what_a_transaction_undid_is_not_found(store: SqliteStore) -> None:
    index = opened(store)
    kept = remembered(store, [1, 0, 0, 0])
    with suppress(KeyError), store.transaction():
        undone = remembered(store, [2, 0, 0, 0])
        assert found_ids(store, index, 1, 0, 0, 0) == [undone, kept]
        raise KeyError
    after = remembered(store, [0, 3, 0, 0])  # as many changes as were undone
    assert found_ids(store, index, 1, 1, 0, 0) == [after, kept]


def test_a_copy_that_went_another_way_is_not_taken_for_its_twin(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    paths = [tmp_path / "one.db", tmp_path / "two.db"]
    with closing(SqliteStore.open(str(paths[0]))) as store:
        shared = remembered(store, [1, 0, 0, 0])
    paths[1].write_bytes(paths[0].read_bytes())
    for path, value in zip(paths, ([2, 0, 0, 0], [0, 2, 0, 0]), strict=True):
        with closing(SqliteStore.open(str(path))) as store:
            own = remembered(store, value)  # type: ignore[arg-type]
            index = opened(store, folder=folder)
            assert sorted(found_ids(store, index, 1, 1, 0, 0)) == sorted([shared, own])
            assert found_ids(store, index, *value, k=1) == [own]
            index.save()


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["put", "move", "edit", "forget", "restore", "purge", "save"]),
            st.integers(0, 5),
            st.lists(st.integers(-2, 2), min_size=DIM, max_size=DIM),
        ),
        max_size=15,
    )
)
def test_any_history_of_the_store_ends_in_the_true_ranking(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, list[float]]]
) -> None:
    folder = tmp_path_factory.mktemp("index")
    truth: dict[str, list[float]] = {}
    hidden: dict[str, list[float]] = {}
    with closing(SqliteStore.open(":memory:")) as store:
        index = opened(store, folder=folder)
        for verb, place, value in steps:
            ids = sorted(hidden if verb == "restore" else truth)
            if verb == "put":
                truth[remembered(store, value)] = value
            elif verb == "save":
                index.save()
                index = opened(store, folder=folder)
            elif ids:
                id_ = ids[place % len(ids)]
                if verb == "move":
                    store.vectors.put("model", [id_], row(*value)[np.newaxis])
                    truth[id_] = value
                elif verb == "edit":
                    store.memories.update(id_, {"content": f"{value} {len(truth)}"})
                    if not store.vectors.get("model", [id_])[0]:
                        del truth[id_]
                elif verb == "forget":
                    store.memories.forget(id_)
                    hidden[id_] = truth.pop(id_)
                elif verb == "restore":
                    store.memories.restore(id_)
                    truth[id_] = hidden.pop(id_)
                else:
                    store.memories.purge([id_])
                    del truth[id_]
            keys = dict(zip(truth, store.corpus.find(list(truth)).tolist(), strict=True))
            query = row(1, 2, -1, 0.5)
            order = sorted(truth, key=lambda id_: (-float(query @ row(*truth[id_])), keys[id_]))
            assert found_ids(store, index, *query.tolist(), k=20) == order


OTHER = """
import sys
from pathlib import Path
import numpy as np
from engram_lab.core.sqlite import SqliteStore
from engram_lab.retrieval.dense import DenseIndex

store = SqliteStore.open(sys.argv[1])
index = DenseIndex(store.corpus, embedder="model", dim=4, folder=Path(sys.argv[2]))
for line in sys.stdin:
    verb, *numbers = line.split()
    value = np.array(numbers, np.float32)
    if verb == "put":
        id_ = store.memories.remember({"content": line}).id
        store.vectors.put("model", [id_], value[np.newaxis])
    elif verb == "save":
        index.save()
    index.catch_up()
    print(*index.search(np.ones(4, np.float32), 100).keys, flush=True)
"""


def test_two_processes_see_each_others_writes_in_their_next_search(tmp_path: Path) -> None:
    path, folder = str(tmp_path / "memory.db"), tmp_path / "index"
    with (
        closing(SqliteStore.open(path)) as store,
        subprocess.Popen(
            [sys.executable, "-c", OTHER, path, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None

        def told(line: str) -> list[int]:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(line + "\n")
            process.stdin.flush()
            return [int(key) for key in process.stdout.readline().split()]

        index = opened(store, folder=folder)
        ours: list[int] = []
        for step in range(1, 6):
            remembered(store, [0, 0, 0, step], f"ours {step}")
            theirs = told("look")
            assert len(theirs) == 2 * step - 1
            theirs = told(f"put 0 0 {step} 0")
            index.catch_up()
            ours = index.search(np.ones(4, np.float32), 100).keys.tolist()
            assert ours == theirs
            assert len(ours) == 2 * step
            if step % 2:
                index.save()
                told("save")
        store.memories.purge(ids_of(store, np.array(ours[-1:])))
        assert told("look") == ours[:-1]
        assert opened(store, folder=folder).catch_up() == store.corpus.last()
        process.stdin.close()
        assert process.wait(30) == 0
