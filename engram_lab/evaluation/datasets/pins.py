"""Whether the files of a data set are those that its manifest pins, or those that once came."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from engram_lab.core.errors import DatasetChangedError
from engram_lab.evaluation.datasets.reading import digest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from engram_lab.evaluation.datasets.manifest import Layout, PublishedFile

__all__ = ["RECEIVED", "Received", "changes", "read_received", "write_received"]

RECEIVED: Final = ".received.json"
"""The file beside a data set that says what was downloaded."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Received:
    """A file or an archive as it came.

    Attributes:
        sha256: 64 hexadecimal digits.
        size: In bytes.
    """

    sha256: str
    size: int


def read_received(folder: Path) -> dict[str, Received]:
    """Return what was once downloaded into a folder, by name; nothing where nothing was.

    Raises:
        DatasetChangedError: The record is there and cannot be read.
    """
    path = folder / RECEIVED
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {
            name: Received(sha256=str(each["sha256"]), size=int(each["size"]))
            for name, each in found["files"].items()
        }
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DatasetChangedError(
            f"{path} cannot be read ({error}): remove it to trust the files as they are"
        ) from error


def write_received(folder: Path, received: Mapping[str, Received]) -> None:
    """Keep what was downloaded beside the files, so that a later change is noticed."""
    found = {"files": {name: asdict(each) for name, each in sorted(received.items())}}
    (folder / RECEIVED).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def changes(
    folder: Path, layout: Layout, *, thorough: bool = True, named: bool = False
) -> tuple[str, ...]:
    """Return one sentence for each file that is not the one it should be, in published order.

    A file that the manifest pins no hash of is held against what was downloaded, if it was.

    Args:
        folder: Where the files lie.
        layout: What they should be.
        thorough: Read them; else only their sizes are looked at.
        named: A user named the folder: hashes that are hearsay are not held against what is there.
    """
    received = read_received(folder)
    found = []
    for each in layout.files:
        if named and each.hearsay:
            continue
        path = folder / each.name
        before = received.get(each.name)
        if path.is_file() and (change := _change(path, each, before, thorough=thorough)):
            found.append(f"{each.name} {change}")
    return tuple(found)


def _change(
    path: Path, pinned: PublishedFile, before: Received | None, *, thorough: bool
) -> str | None:
    size = path.stat().st_size
    expected = (
        before.size if pinned.size is None and not _hashed(pinned) and before else pinned.size
    )
    if expected is not None and size != expected:
        return f"has {size} bytes instead of {expected}"
    if not thorough:
        return None
    wanted = pinned.sha256 or (before.sha256 if before and not _hashed(pinned) else None)
    if wanted is not None and (came := digest(path)) != wanted:
        return f"has the sha256 {came} instead of {wanted}"
    if pinned.md5 is not None and (came := digest(path, "md5")) != pinned.md5:
        return f"has the md5 {came} instead of {pinned.md5}"
    return None


def _hashed(pinned: PublishedFile) -> bool:
    """Return whether the manifest itself says which file it is."""
    return bool(pinned.sha256 or pinned.md5)
