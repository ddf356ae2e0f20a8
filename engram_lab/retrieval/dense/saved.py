"""The files of a dense index: most of it in one that is seldom written, the rest in another.

The *base* holds keys and vectors of the first slots, and the index over them; its name is made of
what is in it, and it is mapped into memory. The *state* names its base, and holds what came and
went since; it is written last, all at once, so that the two always fit.
"""

from __future__ import annotations

import zlib
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from engram_lab.retrieval.arrays import BadIndexFileError, read_arrays, write_arrays
from engram_lab.retrieval.dense.layered import Layered
from engram_lab.retrieval.dense.registry import AUTO, EXACT, VECTOR_INDEXES, kind_for
from engram_lab.retrieval.dense.rows import Rows
from engram_lab.retrieval.dense.table import VectorTable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from engram_lab.retrieval.dense.protocol import VectorIndexOptions

__all__ = ["Base", "Files", "State", "restored"]

_FORMAT: Final = 1
_STALE_S: Final = 3600.0
"""A base that no state names is left alone for so long: somebody may be about to name it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Base:
    """What is said of a base: which index it holds; see `Layered`."""

    kind: str
    chosen: str
    parameters: Mapping[str, int]
    options: Mapping[str, int]
    built: int
    effort: int
    tried: int
    covered: int


@dataclass(frozen=True, kw_only=True, slots=True)
class State:
    """A dense index as it was read.

    Attributes:
        number: The change up to which it follows the store.
        stamp: What the store said of its history up to there.
        base: What the base says of itself.
        name: The name of the base.
        table: The vectors.
        index: The bytes of the index, none where there is none.
    """

    number: int
    stamp: str
    base: Base
    name: str
    table: VectorTable
    index: NDArray[np.uint8]


class Files:
    """The files of one embedder in a folder.

    Args:
        folder: Where they lie; made when first needed.
        embedder: Its fingerprint, from which the names derive.
        dim: How many numbers a vector has.
    """

    def __init__(self, folder: Path, *, embedder: str, dim: int) -> None:
        self._folder = folder
        self._about = {"format": _FORMAT, "embedder": embedder, "dim": dim}
        self._dim = dim
        self._stem = f"vectors-{sha256(embedder.encode()).hexdigest()[:16]}"

    @property
    def state_file(self) -> Path:
        """The file that is read first."""
        return self._folder / f"{self._stem}.state"

    def _bases(self) -> list[Path]:
        return sorted(self._folder.glob(f"{self._stem}-*.base"))

    def write_base(self, held: Layered) -> str:
        """Write vectors and index into a base, from which they are read from then on.

        The memory that held the vectors is free for other things.

        Returns:
            Its name.

        Raises:
            OSError: It cannot be written.
        """
        table, index = held.table, held.index
        base = Base(
            kind=held.kind,
            chosen=held.chosen,
            parameters={} if index is None else dict(index.parameters),
            options=asdict(held.options),
            built=held.built,
            effort=held.effort,
            tried=held.tried,
            covered=held.covered,
        )
        arrays: dict[str, NDArray[Any]] = {
            "keys": table.keys,
            "vectors": table.rows.between(0, table.slots),
            "index": np.empty(0, np.uint8) if index is None else index.dump(),
        }
        sums = [zlib.crc32(each.reshape(-1).view(np.uint8).data) for each in arrays.values()]
        told = repr((asdict(base), table.slots, sums)).encode()
        name = f"{self._stem}-{sha256(told).hexdigest()[:16]}.base"
        self._folder.mkdir(parents=True, exist_ok=True)
        write_arrays(self._folder / name, {**self._about, **asdict(base)}, arrays)
        table.rows = Rows(read_arrays(self._folder / name)[1]["vectors"])
        return name

    def write_state(self, name: str, table: VectorTable, *, number: int, stamp: str) -> None:
        """Write the state that goes with the base of a table's sealed rows; remove older bases.

        Raises:
            OSError: It cannot be written.
        """
        rows = table.rows.sealed
        header = {**self._about, "base": name, "number": number, "stamp": stamp}
        arrays: dict[str, NDArray[Any]] = {
            "dead": np.flatnonzero(~table.live[:rows]),
            "keys": table.keys[rows:],
            "live": table.live[rows:],
            "vectors": table.rows.between(rows, table.slots),
        }
        former = self._named()
        write_arrays(self.state_file, header, arrays)
        newest = (self._folder / name).stat().st_mtime
        for file in self._bases():
            if file.name == name:
                continue
            try:
                if file.name == former or newest - file.stat().st_mtime > _STALE_S:
                    file.unlink()
            except FileNotFoundError:  # another process was quicker
                continue

    def _named(self) -> str | None:
        """Return the name of the base that the present state file names, if it can be read."""
        try:
            header, _ = read_arrays(self.state_file)
        except (BadIndexFileError, OSError):
            return None
        return str(header.get("base"))

    def read(self) -> State:
        """Return what is kept.

        Raises:
            FileNotFoundError: Nothing is.
            BadIndexFileError: It is damaged, incomplete or another's.
            OSError: It cannot be read.
        """
        try:
            return self._read()
        except FileNotFoundError:  # another process replaced the base that was just named
            return self._read()

    def _read(self) -> State:
        header, rest = self._checked(self.state_file)
        name = str(header.get("base"))
        if "/" in name or not name.startswith(self._stem):
            raise self._bad("names no base of its own")
        about, first = self._checked(self._folder / name)
        try:
            table = self._table(first, rest)
            base = Base(
                kind=str(about["kind"]),
                chosen=str(about["chosen"]),
                parameters=dict(about["parameters"]),
                options=dict(about["options"]),
                built=int(about["built"]),
                effort=int(about["effort"]),
                tried=int(about["tried"]),
                covered=int(about["covered"]),
            )
            number, stamp = int(header["number"]), str(header["stamp"])
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise self._bad(f"lacks a part or holds a wrong one ({error})") from error
        return State(
            number=number, stamp=stamp, base=base, name=name, table=table, index=first["index"]
        )

    def _checked(self, file: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        header, arrays = read_arrays(file)
        if any(header.get(name) != value for name, value in self._about.items()):
            raise self._bad("is of another embedder or another format")
        return header, arrays

    def _table(self, first: dict[str, NDArray[Any]], rest: dict[str, NDArray[Any]]) -> VectorTable:
        for part in (first, rest):
            keys, vectors = part["keys"], part["vectors"]
            if keys.dtype != np.int64 or vectors.dtype != np.float32:
                raise self._bad("holds numbers of another type")
            if vectors.shape != (len(keys), self._dim):
                raise self._bad("holds vectors of another shape")
            # Zero times what is not finite is NaN; no table of booleans is made.
            with np.errstate(invalid="ignore"):
                if np.isnan(np.vecdot(vectors, np.zeros(self._dim, np.float32))).any():
                    raise self._bad("holds NaN or infinity")
        live = np.ones(len(first["keys"]) + len(rest["keys"]), np.bool_)
        live[rest["dead"]] = False
        live[len(first["keys"]) :] = rest["live"]
        keys = np.concatenate([first["keys"], rest["keys"]])
        if len(np.unique(keys[live])) != np.count_nonzero(live):
            raise self._bad("holds a memory twice")
        return VectorTable(keys, live, first["vectors"], rest["vectors"])

    def _bad(self, fault: str) -> BadIndexFileError:
        return BadIndexFileError(f"the index file {self.state_file} {fault}: build the index anew")

    def remove(self) -> None:
        """Remove all files, and what a process left that was killed while it wrote."""
        for file in [self.state_file, *self._bases(), *self._folder.glob(f".{self._stem}*.tmp")]:
            file.unlink(missing_ok=True)


def restored(state: State, wanted: str, options: VectorIndexOptions) -> Layered | None:
    """Return what was read, without its index where another is wanted now; None if it is damaged.

    Args:
        state: What was read.
        wanted: A kind of index, or `auto`.
        options: Those of an index to be built.
    """
    base, table = state.base, state.table
    chosen = kind_for(wanted, table.size, present=base.chosen)
    if chosen != base.chosen or base.kind not in (EXACT, *VECTOR_INDEXES.names()):
        return Layered(table, options)
    if base.kind == EXACT:
        return Layered(table, options, chosen=chosen)
    index = VECTOR_INDEXES.get(base.kind)(options)
    if dict(index.parameters) != base.parameters:
        return Layered(table, options)
    try:
        index.restore(state.index)
    except (RuntimeError, ValueError):  # of FAISS, which cannot make sense of it
        return None
    if index.size != base.covered or index.size > table.slots:
        return None
    as_tried = wanted == AUTO and dict(base.options) == asdict(options)
    return Layered(
        table,
        options,
        kind=base.kind,
        chosen=chosen,
        index=index,
        built=base.built,
        effort=base.effort if as_tried else 1,
        tried=base.tried if as_tried else 0,
    )
