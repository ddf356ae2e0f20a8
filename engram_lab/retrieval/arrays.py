"""Named arrays in one file: written whole or not at all, mapped into memory, never trusted blindly.

The file holds, in this order: 8 bytes of magic, the format version, the CRC-32 and the length of
the table of contents, the length of the file, the table of contents (JSON: the caller's header;
name, type, shape, place and CRC-32 of each array), then the arrays, each at a multiple of 64 bytes.
"""

from __future__ import annotations

import json
import math
import mmap as memory_map
import os
import struct
import tempfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np

from engram_lab.core.errors import EngramError, InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["BadIndexFileError", "read_arrays", "write_arrays"]

_MAGIC: Final = b"ENGRAMIX"
_VERSION: Final = 1
_PREFIX: Final = struct.Struct("<8sIIQQ")  # magic, version, CRC-32 and length of contents, all
_ALIGNMENT: Final = 64  # a cache line


class BadIndexFileError(EngramError):
    """A file of arrays that is foreign, cut short or damaged: build the index anew."""


def write_arrays(path: Path, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays into one file that replaces what stood there, all at once.

    Whoever has the former file open goes on reading it. After a crash there is the old file or the
    new one.

    Args:
        path: The file; its folder exists.
        header: What the reader needs to know beside the arrays, as JSON can say it.
        arrays: By name, of any shape, of numbers, booleans or bytes of fixed length.

    Raises:
        InvalidInputError: An array holds Python objects.
        OSError: The file cannot be written.
    """
    whole = {name: np.asarray(values, order="C") for name, values in arrays.items()}
    entries: list[tuple[str, str, tuple[int, ...], int, int]] = []
    end = 0
    for name, values in whole.items():
        if values.dtype.hasobject or values.dtype.fields:
            raise InvalidInputError(
                f"the array {name!r} has the type {values.dtype}: give numbers, booleans or bytes"
            )
        start = _aligned(end)
        end = start + values.nbytes
        checksum = zlib.crc32(_bytes_of(values))
        entries.append((name, values.dtype.str, values.shape, start, checksum))
    contents = json.dumps({"header": dict(header), "arrays": entries}).encode()
    base = _aligned(_PREFIX.size + len(contents))
    prefix = _PREFIX.pack(_MAGIC, _VERSION, zlib.crc32(contents), len(contents), base + end)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(prefix + contents)
            for entry, values in zip(entries, whole.values(), strict=True):
                _pad(file, base + entry[3])
                file.write(_bytes_of(values))
            _pad(file, base + end)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def read_arrays(path: Path, *, mmap: bool = True) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return the header and the arrays of a file, every byte of it verified.

    Args:
        path: The file.
        mmap: Map the file into memory rather than read it: the arrays are then shared between
            processes and cost memory only where they are touched.

    Returns:
        The header, and the arrays by name in the order of writing; they are read-only.

    Raises:
        FileNotFoundError: There is no such file.
        BadIndexFileError: It cannot be read, is no such file, or its size or a checksum is wrong.
    """
    try:
        with path.open("rb") as file:
            data: memory_map.mmap | bytes = (
                memory_map.mmap(file.fileno(), 0, access=memory_map.ACCESS_READ)
                if mmap
                else file.read()
            )
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:  # ValueError: an empty file cannot be mapped
        raise _bad(path, f"cannot be read ({error})") from error
    view = memoryview(data)
    if len(view) < _PREFIX.size:
        raise _bad(path, f"has {len(view)} bytes, fewer than its prefix")
    magic, version, checksum, length, size = _PREFIX.unpack_from(view)
    if magic != _MAGIC or version != _VERSION:
        raise _bad(path, f"is no file of arrays of format {_VERSION}")
    if size != len(view) or _PREFIX.size + length > size:
        raise _bad(path, f"has {len(view)} bytes where {size} were written")
    contents = view[_PREFIX.size : _PREFIX.size + length]
    if zlib.crc32(contents) != checksum:
        raise _bad(path, "has a table of contents that fails its checksum")
    table = json.loads(bytes(contents))
    base = _aligned(_PREFIX.size + length)
    arrays = {}
    for name, dtype, shape, start, expected in table["arrays"]:
        values = np.frombuffer(data, dtype, math.prod(shape), base + start).reshape(shape)
        if zlib.crc32(_bytes_of(values)) != expected:
            raise _bad(path, f"has an array {name!r} that fails its checksum")
        values.flags.writeable = False
        arrays[name] = values
    return table["header"], arrays


def _bad(path: Path, fault: str) -> BadIndexFileError:
    return BadIndexFileError(f"the index file {path} {fault}: build the index anew")


def _aligned(position: int) -> int:
    return -(-position // _ALIGNMENT) * _ALIGNMENT


def _bytes_of(values: NDArray[Any]) -> memoryview:
    return values.reshape(-1).view(np.uint8).data


def _pad(file: BinaryIO, position: int) -> None:
    file.write(bytes(position - file.tell()))


def _sync_folder(folder: Path) -> None:
    """Make the new name itself safe; Windows has no way to, and no need."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
