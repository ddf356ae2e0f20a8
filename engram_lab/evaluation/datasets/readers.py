"""The readers, by the name that a manifest or a suite gives."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final, Protocol, cast

from engram_lab.core.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from engram_lab.evaluation.datasets.dataset import Dataset

__all__ = ["READERS", "Reader"]


class Reader(Protocol):
    """Reads the files of one format.

    Guarantees: the same files and options give the same data set, rows in the same order; an
    unknown option or value is refused with what is allowed; a file that does not have the published
    shape is refused with its name and the place in it; no memory holds the answer to a question
    unless the published text does.
    """

    def __call__(
        self,
        folder: Path,
        *,
        id: str,  # noqa: A002
        options: Mapping[str, str],
    ) -> Dataset:
        """Return the data set that lies in a folder.

        Raises:
            DatasetMissingError: A file is not there.
            InvalidInputError: An option is unknown, or a file does not have the published shape.
        """
        ...


def _of(module: str, name: str) -> Reader:
    """Return a reader whose module is imported when it is first used."""

    def read(folder: Path, *, id: str, options: Mapping[str, str]) -> Dataset:  # noqa: A002
        found = getattr(import_module(f"engram_lab.evaluation.datasets.{module}"), name)
        return cast("Reader", found)(folder, id=id, options=options)

    return read


READERS: Final[Registry[Reader]] = Registry("reader", group="engram_lab.readers")
"""What `format` of a manifest, and `reader` of a suite, may name."""
READERS.add("beir", _of("beir", "read_beir"))
READERS.add("frames", _of("frames", "read_frames"))
READERS.add("locomo", _of("locomo", "read_locomo"))
READERS.add("longmemeval", _of("longmemeval", "read_longmemeval"))
READERS.add("multi-hop", _of("multi_hop", "read_multi_hop"))
READERS.add("realtalk", _of("realtalk", "read_realtalk"))
READERS.add("smart", _of("smart", "read_smart"))
READERS.add("tiny", _of("fictional", "read_tiny"))
