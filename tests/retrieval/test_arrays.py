from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from engram_lab.core.errors import InvalidInputError
from engram_lab.retrieval.arrays import BadIndexFileError, read_arrays, write_arrays

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

TYPES = ["<i8", "<i4", "<u2", "|u1", "<f4", "<f8", "<f2", "|b1", "|S5"]


def some_arrays() -> st.SearchStrategy[NDArray[Any]]:
    shapes = array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5)
    return st.sampled_from(TYPES).flatmap(lambda dtype: arrays(dtype, shapes))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "some.index"
    write_arrays(path, {"kind": "test"}, {"a": np.arange(100), "b": np.ones((3, 5), np.float32)})
    return path


@given(
    header=st.dictionaries(st.text(), st.none() | st.integers() | st.text() | st.booleans()),
    given_arrays=st.dictionaries(st.text(), some_arrays(), max_size=4),
    mmap=st.booleans(),
)
def test_what_was_written_is_read(
    tmp_path_factory: pytest.TempPathFactory,
    header: dict[str, Any],
    given_arrays: dict[str, NDArray[Any]],
    *,
    mmap: bool,
) -> None:
    path = tmp_path_factory.mktemp("arrays") / "some.index"

    write_arrays(path, header, given_arrays)
    read_header, read = read_arrays(path, mmap=mmap)

    assert read_header == header
    assert list(read) == list(given_arrays)
    for name, values in given_arrays.items():
        assert read[name].dtype == values.dtype
        assert read[name].shape == values.shape
        assert read[name].tobytes() == values.tobytes()
        assert not read[name].flags.writeable


def test_an_array_in_any_layout_is_kept(tmp_path: Path) -> None:
    values = np.arange(24).reshape(4, 6).T[::2]

    write_arrays(tmp_path / "x", {}, {"x": values})

    assert np.array_equal(read_arrays(tmp_path / "x")[1]["x"], values)


def test_arrays_begin_at_a_cache_line(file: Path) -> None:
    _, read = read_arrays(file)

    assert [values.ctypes.data % 64 for values in read.values()] == [0, 0]


@pytest.mark.parametrize("mmap", [True, False])
def test_a_file_cut_anywhere_is_bad(file: Path, *, mmap: bool) -> None:
    whole = file.read_bytes()
    for length in range(0, len(whole), 7):
        file.write_bytes(whole[:length])
        with pytest.raises(BadIndexFileError, match="build the index anew"):
            read_arrays(file, mmap=mmap)


def test_a_bit_turned_anywhere_is_seen(file: Path) -> None:
    _, before = read_arrays(file, mmap=False)
    whole = file.read_bytes()
    seen = 0
    for position in range(len(whole)):
        damaged = bytearray(whole)
        damaged[position] ^= 0x10
        file.write_bytes(damaged)
        try:
            _, after = read_arrays(file)
        except BadIndexFileError:
            seen += 1
        else:  # it fell into the gap between two arrays
            assert all(np.array_equal(after[name], before[name]) for name in before)
    assert seen > len(whole) * 0.8


@pytest.mark.parametrize("data", [b"", b"SQLite format 3\0" * 10, bytes(4096)])
def test_a_foreign_file_is_bad(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x").write_bytes(data)

    with pytest.raises(BadIndexFileError):
        read_arrays(tmp_path / "x")


def test_a_folder_is_bad_and_nothing_at_all_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(BadIndexFileError):
        read_arrays(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_arrays(tmp_path / "nowhere")


def test_a_reader_keeps_the_file_that_is_replaced(file: Path) -> None:
    _, before = read_arrays(file)

    write_arrays(file, {"kind": "newer"}, {"a": np.zeros(7)})

    assert np.array_equal(before["a"], np.arange(100))
    assert read_arrays(file)[0] == {"kind": "newer"}
    assert [path.name for path in file.parent.iterdir()] == ["some.index"]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(file: Path) -> None:
    with pytest.raises(InvalidInputError, match="'x' has the type object"):
        write_arrays(file, {}, {"x": np.array([object()])})
    with pytest.raises(TypeError):
        write_arrays(file, {"no JSON": object()}, {})

    assert read_arrays(file)[0] == {"kind": "test"}
    assert [path.name for path in file.parent.iterdir()] == ["some.index"]
