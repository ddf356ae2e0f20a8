from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.retrieval.arrays import read_arrays, write_arrays
from engram_lab.retrieval.tokens import files as files_module
from engram_lab.retrieval.tokens.codec import HalfFloats, SmallCodes
from engram_lab.retrieval.tokens.files import TokenFiles
from engram_lab.retrieval.tokens.table import digest_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

DIM = 8
WIDTH = SmallCodes().width(DIM)
ENTRIES: dict[bytes, bytes | memoryview] = {
    digest_of("tea"): bytes(range(2 * WIDTH)),
    digest_of(""): b"",
    digest_of("cat"): memoryview(bytes(range(100, 100 + WIDTH))),
}


def opened(folder: Path, **other: Any) -> TokenFiles:
    known: dict[str, Any] = {"embedder": "model", "dim": DIM, "codec": SmallCodes()}
    return TokenFiles(folder, **known | other)


def plain(entries: Mapping[bytes, bytes | memoryview]) -> list[tuple[bytes, bytes]]:
    return [(digest, bytes(codes)) for digest, codes in entries.items()]


def read(files: TokenFiles) -> list[list[tuple[bytes, bytes]]]:
    return [plain(each.entries) for each in files.read(files.names())]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "memory.db.index"


def test_what_is_written_is_read_in_its_order_and_mapped(folder: Path) -> None:
    written = opened(folder).write(ENTRIES)
    files = opened(folder)
    assert files.names() == [written.name]
    assert read(files) == [plain(ENTRIES)] == [plain(written.entries)]
    assert all(isinstance(codes, memoryview) for codes in written.entries.values())
    assert all(codes.readonly for codes in written.entries.values())
    assert files.bytes_of(files.names()) == (folder / written.name).stat().st_size
    assert files.bytes_of(["none"]) == 0


def test_there_is_nothing_where_nothing_was_written(folder: Path) -> None:
    files = opened(folder)
    assert files.names() == []
    assert files.read(["tokens-none.index"]) == []
    files.remove(["tokens-none.index"])
    files.remove_all()
    assert not folder.exists()


def test_names_rise_in_the_order_of_writing(folder: Path) -> None:
    files = opened(folder)
    names = [files.write({digest_of(str(n)): b""}).name for n in range(12)]
    assert files.names() == names
    files.remove(names[:3])
    assert files.names() == names[3:]
    assert files.write(ENTRIES).name > names[-1]
    assert all(name.endswith(".index") for name in names)  # so that who purges removes them


def test_two_who_write_at_the_same_time_do_not_meet(folder: Path) -> None:
    one, other = opened(folder), opened(folder)
    first = one.write({digest_of("a"): b""})
    other.names = list  # type: ignore[method-assign] # as it was before the first one wrote
    second = other.write({digest_of("b"): b""})
    assert first.name[:-14] == second.name[:-14]
    assert len(opened(folder).names()) == 2


@pytest.mark.parametrize(
    "other",
    [
        {"embedder": "another"},
        {"dim": 12},
        {"codec": SmallCodes(bits=2)},
        {"codec": HalfFloats()},
    ],
    ids=["embedder", "dim", "bits", "codec"],
)
def test_files_of_others_are_left_alone(folder: Path, other: dict[str, Any]) -> None:
    written = opened(folder).write(ENTRIES)
    files = opened(folder, **other)
    assert files.names() == []
    renamed = files.write({}).name
    (folder / renamed).write_bytes((folder / written.name).read_bytes())
    assert files.read([renamed]) == []  # a name alone makes nobody believe it
    files.remove_all()
    assert opened(folder).names() == [written.name]


def test_another_choice_of_tokens_has_other_files(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(folder).write(ENTRIES)
    monkeypatch.setattr(files_module, "WORDS", "words-2")
    assert opened(folder).names() == []


@given(data=st.data())
def test_a_damaged_file_is_passed_over(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    files = opened(folder)
    file = folder / files.write(ENTRIES).name
    content = bytearray(file.read_bytes())
    if data.draw(st.booleans(), label="cut"):
        del content[data.draw(st.integers(0, len(content) - 1), label="at") :]
    else:
        at = data.draw(st.integers(0, len(content) - 1), label="at")
        content[at] ^= data.draw(st.integers(1, 255), label="flip")
    file.write_bytes(content)
    # What lies between arrays says nothing; anywhere else a change is seen.
    assert read(files) in ([], [plain(ENTRIES)])


@pytest.mark.parametrize(
    "spoilt",
    [
        {"sizes": np.array([2, 0, 2], "<i4")},
        {"sizes": np.array([2, 0], "<i4")},
        {"sizes": np.array([4, -2, 1], "<i4")},
        {"sizes": np.array([2, 0, 1], "<i8")},
        {"sizes": np.array([[2, 0, 1]], "<i4")},
        {"codes": np.zeros((3, WIDTH), np.uint8)},
        {"codes": np.zeros(3 * WIDTH, np.int8)},
        {"digests": np.zeros((3, 8), np.uint8)},
        {"digests": np.zeros(48, np.uint8)},
        {"digests": None},
    ],
)
def test_what_does_not_fit_together_is_passed_over(folder: Path, spoilt: dict[str, Any]) -> None:
    files = opened(folder)
    file = folder / files.write(ENTRIES).name
    header, arrays = read_arrays(file)
    write_arrays(file, header, arrays)
    assert read(files) == [plain(ENTRIES)]
    changed = {name: each for name, each in (arrays | spoilt).items() if each is not None}
    write_arrays(file, header, changed)
    assert read(files) == []


def test_a_file_without_entries_is_a_file(folder: Path) -> None:
    files = opened(folder)
    files.write({})
    assert read(files) == [[]]


def test_all_is_removed_and_what_a_killed_process_left(folder: Path) -> None:
    files = opened(folder)
    name = files.write(ENTRIES).name
    (folder / f".{name}.abc.tmp").write_bytes(b"half")
    (folder / "lexical-english.index").write_bytes(b"another's")
    files.remove_all()
    assert [file.name for file in folder.iterdir()] == ["lexical-english.index"]


def test_what_cannot_be_read_again_is_an_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TokenFiles, "read", lambda *_: [])
    with pytest.raises(OSError, match="does not hold what was just written"):
        opened(folder).write(ENTRIES)
