"""An index on disk is a cache: whatever is wrong with it, the answer is right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engram_lab.retrieval.arrays import read_arrays, write_arrays
from engram_lab.retrieval.lexical import Analyser, LexicalIndex, files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.retrieval.lexical.conftest import FakeCorpus

SIMPLE = Analyser(name="simple")


@pytest.fixture
def full(corpus: FakeCorpus) -> FakeCorpus:
    chance = np.random.default_rng(1)
    for key in range(1, 200):
        corpus.put(key, " ".join(f"w{rank}" for rank in chance.zipf(1.4, 12)), ["tagged"])
    return corpus


def opened(corpus: FakeCorpus, folder: Path, **more: Any) -> LexicalIndex:
    index = LexicalIndex(corpus.as_corpus(), folder=folder, **{"analyser": SIMPLE, **more})
    index.catch_up()
    return index


@pytest.fixture
def saved(full: FakeCorpus, tmp_path: Path) -> Path:
    """The folder of an index that was saved."""
    assert opened(full, tmp_path / "deep" / "folder").save()
    return tmp_path / "deep" / "folder"


@pytest.fixture
def no_building(saved: Path, monkeypatch: pytest.MonkeyPatch, full: FakeCorpus) -> None:
    """It was saved, and from now on the texts may not be read as a whole."""

    def refuse(**more: Any) -> Any:
        raise AssertionError("all texts were read")

    monkeypatch.setattr(full, "all_texts", refuse)


def same(one: LexicalIndex, other: LexicalIndex) -> bool:
    queries = [[f"w{rank}"] for rank in range(30)] + [["w1", "w2", "w30", "tagged"]]
    return (
        all(one.search(terms, 50) == other.search(terms, 50) for terms in queries)
        and one.vocabulary() == other.vocabulary()
        and (one.size, one.number) == (other.size, other.number)
    )


@pytest.mark.usefixtures("no_building")
def test_a_saved_index_is_opened_without_reading_the_texts(
    full: FakeCorpus, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = opened(full, saved)

    monkeypatch.undo()
    assert same(index, opened(full, saved / "elsewhere"))


@pytest.mark.usefixtures("no_building")
def test_other_parameters_use_the_same_file(
    full: FakeCorpus, saved: Path, oracle: Callable[..., Any]
) -> None:
    index = opened(full, saved, k1=2.0, b=0.1)

    found = index.search(["w1", "w7"], 10)

    expected = oracle(full, ["w1", "w7"], analyser=SIMPLE, k1=2.0, b=0.1)[:10]
    assert list(zip(found.keys.tolist(), found.scores.tolist(), strict=True)) == expected


@pytest.mark.usefixtures("no_building")
def test_what_changed_since_is_followed(full: FakeCorpus, saved: Path) -> None:
    full.put(7, "entirely new")
    full.forget(8)

    index = opened(full, saved)

    assert index.search(["entirely"], 5).keys.tolist() == [7]
    assert index.size == 198
    assert index.df("tagged") == 197


def test_saving_goes_on_from_the_file(full: FakeCorpus, saved: Path) -> None:
    index = opened(full, saved)
    for key in range(150, 400):
        full.put(key, f"n{key} w1 w2")
    index.catch_up()

    assert index.save()

    fresh = opened(full, saved / "elsewhere")
    assert same(index, fresh)
    assert same(opened(full, saved), fresh)
    full.put(500, "after saving")
    assert index.catch_up() == 1
    assert index.search(["saving"], 1).keys.tolist() == [500]


def test_few_changes_are_not_worth_saving(full: FakeCorpus, saved: Path) -> None:
    index = opened(full, saved)
    assert not index.save(always=True)  # nothing changed
    full.put(300, "one more")
    assert not index.save()
    assert index.save(always=True)
    assert not index.save(always=True)
    for key in range(301, 320):
        full.put(key, "more")
    assert index.save()
    assert index.size == 219


def test_an_index_never_caught_up_is_not_saved(full: FakeCorpus, tmp_path: Path) -> None:
    assert not LexicalIndex(full.as_corpus(), folder=tmp_path).save()
    index = LexicalIndex(full.as_corpus())
    index.catch_up()
    assert not index.save(always=True)
    assert index.path is None


def test_an_empty_index_is_saved_and_opened(corpus: FakeCorpus, tmp_path: Path) -> None:
    assert opened(corpus, tmp_path).save()

    index = opened(corpus, tmp_path)

    assert index.size == 0
    corpus.put(1, "tea")
    index.catch_up()
    assert index.search(["tea"], 1).keys.tolist() == [1]


def test_what_was_purged_leaves_the_file(full: FakeCorpus, tmp_path: Path) -> None:
    full.put(900, "xyzzyplugh")
    index = opened(full, tmp_path)
    index.save()
    assert index.path is not None
    assert b"xyzzyplugh" in index.path.read_bytes()

    full.purge(900)
    index.catch_up()
    assert index.save()  # one change, but a purge

    assert b"xyzzyplugh" not in index.path.read_bytes()
    assert same(index, opened(full, tmp_path / "elsewhere"))


def test_an_erased_file_is_gone_until_it_is_saved_without_what_was_purged(
    full: FakeCorpus, tmp_path: Path
) -> None:
    full.put(900, "xyzzyplugh")
    index = opened(full, tmp_path)
    index.save()
    assert index.path is not None
    full.purge(900)

    index.erase()

    assert not index.path.exists()
    assert index.save()
    assert b"xyzzyplugh" not in index.path.read_bytes()
    index.erase()
    index.erase()


def test_a_file_erased_while_it_is_written_does_not_come_back(
    full: FakeCorpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = opened(full, tmp_path)
    store = files.store

    def slow(*given: Any, **more: Any) -> None:
        index.erase()
        store(*given, **more)

    monkeypatch.setattr(files, "store", slow)

    assert not index.save()
    assert list(tmp_path.iterdir()) == []


def test_what_is_written_meanwhile_is_kept(
    full: FakeCorpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = opened(full, tmp_path)
    store = files.store

    def slow(*given: Any, **more: Any) -> None:
        full.put(3, "meanwhile")
        index.catch_up()
        store(*given, **more)

    monkeypatch.setattr(files, "store", slow)

    assert index.save()
    assert index.search(["meanwhile"], 1).keys.tolist() == [3]
    assert same(opened(full, tmp_path), opened(full, tmp_path / "elsewhere"))


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_a_file_cut_short_is_built_anew(full: FakeCorpus, saved: Path, share: float) -> None:
    path = files.file_of(saved, SIMPLE)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])

    index = opened(full, saved)

    assert same(index, opened(full, saved / "elsewhere"))
    assert index.save()
    assert same(opened(full, saved), index)


def test_a_damaged_file_is_built_anew(full: FakeCorpus, saved: Path) -> None:
    path = files.file_of(saved, SIMPLE)
    data = bytearray(path.read_bytes())
    fresh = opened(full, saved / "elsewhere")
    for position in range(0, len(data), len(data) // 60):
        damaged = data.copy()
        damaged[position] ^= 0x40
        path.write_bytes(damaged)
        assert same(opened(full, saved), fresh)


@pytest.mark.parametrize(
    "change", [{"kind": "dense"}, {"analyser": "english-of-old"}, {"stamp": "?"}, {"number": 10**9}]
)
def test_a_file_of_something_else_is_built_anew(
    full: FakeCorpus, saved: Path, change: dict[str, Any]
) -> None:
    path = files.file_of(saved, SIMPLE)
    header, arrays = read_arrays(path, mmap=False)
    full.put(1, "xyzzy")
    write_arrays(path, header | change, {**arrays, "keys": arrays["keys"] + 1000})

    assert same(opened(full, saved), opened(full, saved / "elsewhere"))


def test_analysers_have_files_of_their_own(full: FakeCorpus, saved: Path) -> None:
    opened(full, saved, analyser=Analyser()).save()

    assert sorted(path.name for path in saved.iterdir()) == [
        "lexical-english.index",
        "lexical-simple.index",
    ]


def test_a_folder_that_cannot_be_written_is_told(full: FakeCorpus, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    index = opened(full, tmp_path / "file" / "folder")

    with pytest.raises(OSError, match="file"):
        index.save()

    assert len(index.search(["tagged"], 500)) == 199
