"""Unpacking an archive that nobody vouches for: only named files, and never outside the folder."""

from __future__ import annotations

import shutil
import tarfile
import zipfile
import zlib
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from engram_lab.core.errors import DatasetChangedError
from engram_lab.evaluation.datasets.fields import is_inside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from engram_lab.evaluation.datasets.manifest import Archive

__all__ = ["unpack"]


def unpack(path: Path, folder: Path, *, archive: Archive, names: Sequence[str]) -> None:
    """Unpack the files of a data set, as far as the archive holds them.

    Args:
        path: The archive.
        folder: Where the files go.
        archive: What the manifest says of it.
        names: The files that are wanted, as paths below `archive.strip`.

    Raises:
        DatasetChangedError: It is no such archive, a name in it leads out of the folder, or a file
            that is wanted is a link or no file at all.
    """
    prefix = f"{archive.strip}/" if archive.strip else ""
    try:
        with _opened(path, archive) as (members, read):
            if outside := [each for each in members if not is_inside(_plain(each))]:
                raise DatasetChangedError(
                    f"{archive.url} holds {outside[0]!r}, which leads out of the folder: "
                    "nothing of it was unpacked"
                )
            plain = {_plain(each): each for each in members}
            for name in names:
                if (member := plain.get(prefix + name)) is None:
                    continue
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                with read(member) as source, target.open("wb") as file:
                    shutil.copyfileobj(source, file, 1 << 20)
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error) as error:
        raise DatasetChangedError(f"{archive.url} is no {archive.kind} ({error})") from error


def _plain(name: str) -> str:
    """Return a name as members are compared by: many an archive begins each with `./`."""
    return name.removeprefix("./").rstrip("/") or "root"


@contextmanager
def _opened(path: Path, archive: Archive) -> Iterator[tuple[list[str], Callable[[str], IO[bytes]]]]:
    """Give the names in an archive, and how to read one of them."""
    if archive.kind == "zip":
        with zipfile.ZipFile(path) as zipped:
            yield zipped.namelist(), zipped.open
        return
    with tarfile.open(path, "r:gz" if archive.kind == "tar.gz" else "r:") as tar:
        files = {each.name: each for each in tar}

        def read(name: str) -> IO[bytes]:
            if not files[name].isfile() or (found := tar.extractfile(files[name])) is None:
                raise DatasetChangedError(
                    f"{archive.url} holds {name!r} as something else "
                    "than a file: nothing of it was kept"
                )
            return found

        yield list(files), read
