"""Getting a published data set: download, verify, unpack, and put in its place in one step."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from engram_lab.core.errors import DatasetChangedError, DatasetMissingError, EvaluationError
from engram_lab.core.progress import telling
from engram_lab.evaluation.datasets.catalogue import data_root, manifest, status
from engram_lab.evaluation.datasets.downloading import download
from engram_lab.evaluation.datasets.pins import Received, changes, read_received, write_received
from engram_lab.evaluation.datasets.reading import digest
from engram_lab.evaluation.datasets.unpacking import unpack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engram_lab.core.progress import Progress
    from engram_lab.evaluation.datasets.manifest import Archive, Manifest, PublishedFile

__all__ = ["Fetched", "fetch", "fetch_dataset"]

_STAGE: Final = ".fetching"


@dataclass(frozen=True, kw_only=True, slots=True)
class Fetched:
    """What came of fetching a data set.

    Attributes:
        folder: Where it lies.
        fresh: Whether anything was downloaded.
        unpinned: What no hash was pinned for: address or name, and the SHA-256 of what came.
    """

    folder: Path
    fresh: bool
    unpinned: tuple[tuple[str, str], ...] = ()


def fetch_dataset(
    id: str,  # noqa: A002
    *,
    root: Path | None = None,
    progress: Progress | None = None,
    allow_changed: bool = False,
    pause: Callable[[float], None] = time.sleep,
) -> Fetched:
    """Download a data set, unless it is there.

    Args:
        id: The id of its manifest.
        root: The folder that gets a folder of this id; by default `$ENGRAM_DATA`, else the user's
            cache.
        progress: Told how many bytes of each file are here.
        allow_changed: Take what the publisher now has although it is not what this machine got
            before; what a manifest pins must always match.
        pause: Waits so many seconds before another attempt.

    Raises:
        InvalidInputError: There is no such data set.
        DatasetMissingError: It cannot be had: the network, or nobody publishes it.
        DatasetChangedError: What came is not what the manifest pins, or not what came before.
        EvaluationError: It cannot be written.
    """
    known = manifest(id)
    if known.bundled:
        found = status(id)
        if found.where is None:
            raise DatasetMissingError(f"the data set {id!r} is missing from this installation")
        return Fetched(folder=found.where, fresh=False)
    if root is None:
        found = status(id)
        if found.state == "present" and found.where is not None:
            return Fetched(folder=found.where, fresh=False)
    target = data_root() if root is None else root
    return fetch(known, target, progress=progress, allow_changed=allow_changed, pause=pause)


def fetch(
    known: Manifest,
    root: Path,
    *,
    progress: Progress | None = None,
    allow_changed: bool = False,
    pause: Callable[[float], None] = time.sleep,
) -> Fetched:
    """Download what a manifest names into `root/<id>`; see `fetch_dataset`."""
    folder = root / known.id
    if not known.fetchable:
        where = f": see {known.homepage}" if known.homepage else ""
        raise DatasetMissingError(
            f"the data set {known.id!r} cannot be fetched, put its files into {folder}{where}"
        )
    layout = known.layouts[0]
    wanted = layout.needed or layout.files
    if all((folder / each.name).is_file() for each in wanted) and not changes(folder, layout):
        return Fetched(folder=folder, fresh=False)
    try:
        with telling(progress), _stage(root, known.id) as stage:
            received = _received(known, stage, pause)
            _check_against_before(folder, received, allow_changed=allow_changed)
            _put(stage / "files", folder, received)
    except OSError as error:
        raise EvaluationError(
            f"{root} cannot be written ({error}): choose another folder, or make room"
        ) from error
    return Fetched(folder=folder, fresh=True, unpinned=_unpinned(known, received))


@contextmanager
def _stage(root: Path, name: str) -> Iterator[Path]:
    """Give a folder beside the target, of which one process at a time has the use."""
    stage = root / f"{_STAGE}-{name}"
    stage.mkdir(parents=True, exist_ok=True)
    with (stage / "lock").open("w", encoding="utf-8") as lock:
        _lock(lock.fileno(), name)
        try:
            yield stage
        finally:
            # What an attempt has left is kept for the next one, if there is anything of it.
            if not any(part.stat().st_size for part in stage.glob("*.part")):
                shutil.rmtree(stage, ignore_errors=True)


def _lock(descriptor: int, name: str) -> None:
    try:
        import fcntl
    except ModuleNotFoundError:  # no such locks on Windows: there, two at once are on their own
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise EvaluationError(
            f"the data set {name!r} is being fetched by another process: wait for it"
        ) from error


def _received(known: Manifest, stage: Path, pause: Callable[[float], None]) -> dict[str, Received]:
    """Download all into `stage/files`, and return what came: archives by address, files by name."""
    files = stage / "files"
    shutil.rmtree(files, ignore_errors=True)
    files.mkdir()
    received: dict[str, Received] = {}
    layout = known.layouts[0]
    for archive in known.archives:
        path = download(archive.url, stage, pinned=archive, pause=pause)
        received[archive.url] = _taken(path, archive.url, archive)
        unpack(path, files, archive=archive, names=[each.name for each in layout.files])
    for file in layout.files:
        if file.url is not None:
            path = download(file.url, stage, pinned=file, pause=pause)
            target = files / file.name
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
    for file in layout.files:
        path = files / file.name
        if path.is_file():
            received[file.name] = _taken(path, file.name, file)
        elif not file.optional:
            raise DatasetChangedError(
                f"the data set {known.id!r} came without {file.name}: "
                "what is published there is not what its manifest describes"
            )
    return received


def _taken(path: Path, name: str, pinned: Archive | PublishedFile) -> Received:
    """Return what a file is, once it is known to be the pinned one."""
    came = Received(sha256=digest(path), size=path.stat().st_size)
    for noun, wanted, found in (
        ("bytes", pinned.size, came.size),
        ("sha256", pinned.sha256, came.sha256),
        ("md5", pinned.md5, digest(path, "md5") if pinned.md5 else None),
    ):
        if wanted is not None and wanted != found:
            path.unlink()
            raise DatasetChangedError(
                f"{name} came with the {noun} {found} instead of {wanted}: nothing was kept; "
                "try again, and if it comes so again it was changed by its publisher"
            )
    return came


def _check_against_before(
    folder: Path, received: dict[str, Received], *, allow_changed: bool
) -> None:
    before = read_received(folder)
    changed = [name for name, came in received.items() if name in before and before[name] != came]
    if changed and not allow_changed:
        name = changed[0]
        raise DatasetChangedError(
            f"{name} came with the sha256 {received[name].sha256}, and this machine once got "
            f"{before[name].sha256}: its publisher changed it; "
            "allow the change to take it, and expect other figures"
        )


def _put(files: Path, folder: Path, received: dict[str, Received]) -> None:
    """Move the files to their place: all at once where there is none yet."""
    write_received(files, received)
    if not folder.exists():
        files.replace(folder)
        return
    for path in sorted(each for each in files.rglob("*") if each.is_file()):
        target = folder / path.relative_to(files)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(path, target)  # noqa: PTH105 - as `files.replace` above, for one file


def _unpinned(known: Manifest, received: dict[str, Received]) -> tuple[tuple[str, str], ...]:
    """Return what came without a hash that it was held against."""
    held = [each for each in known.archives if each.sha256 or each.md5]
    found = [(each.url, received[each.url].sha256) for each in known.archives if each not in held]
    covered = bool(held) and len(held) == len(known.archives)
    for file in known.layouts[0].files:
        alone = file.url is not None or not covered
        if alone and not (file.sha256 or file.md5) and file.name in received:
            found.append((file.name, received[file.name].sha256))
    return tuple(found)
