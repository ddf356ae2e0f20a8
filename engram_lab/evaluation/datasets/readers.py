"""The readers, by the name that a manifest or a suite gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from engram_lab.core.registry import Registry
from engram_lab.evaluation.datasets.beir import read_beir
from engram_lab.evaluation.datasets.frames import read_frames
from engram_lab.evaluation.datasets.locomo import read_locomo
from engram_lab.evaluation.datasets.longmemeval import read_longmemeval
from engram_lab.evaluation.datasets.madial import read_madial
from engram_lab.evaluation.datasets.multi_hop import read_multi_hop
from engram_lab.evaluation.datasets.realtalk import read_realtalk
from engram_lab.evaluation.datasets.smart import read_smart
from engram_lab.evaluation.datasets.tiny import read_tiny

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


READERS: Final[Registry[Reader]] = Registry("reader", group="engram_lab.readers")
"""What `format` of a manifest, and `reader` of a suite, may name."""
READERS.add("beir", read_beir)
READERS.add("frames", read_frames)
READERS.add("locomo", read_locomo)
READERS.add("longmemeval", read_longmemeval)
READERS.add("madial", read_madial)
READERS.add("multi-hop", read_multi_hop)
READERS.add("realtalk", read_realtalk)
READERS.add("smart", read_smart)
READERS.add("tiny", read_tiny)
