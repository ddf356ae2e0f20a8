"""The data sets that are known: where each lies on this machine, and what it holds."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from engram_lab.core.errors import (
    DatasetChangedError,
    DatasetMissingError,
    EngramError,
    InvalidInputError,
)
from engram_lab.evaluation.datasets.manifest import Layout, Manifest, read_manifest
from engram_lab.evaluation.datasets.pins import changes
from engram_lab.evaluation.datasets.readers import READERS
from engram_lab.evaluation.shipped import shipped

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    from engram_lab.evaluation.datasets.dataset import Dataset

__all__ = [
    "Status",
    "cache_folder",
    "data_root",
    "load_dataset",
    "manifest",
    "manifests",
    "read_folder",
    "status",
]

_VARIABLE: Final = "ENGRAM_DATA"


@dataclass(frozen=True, kw_only=True, slots=True)
class Status:
    """Whether a data set is on this machine.

    Attributes:
        state: `bundled` with this package, `present`, `changed` where a file is not the pinned one,
            or `absent`.
        where: The folder it lies in; where it is absent, None.
        looked_in: The folders that were looked in, the one that counts first.
        changes: One sentence a file that is not the pinned one.
    """

    state: Literal["bundled", "present", "changed", "absent"]
    where: Path | None
    looked_in: tuple[Path, ...]
    changes: tuple[str, ...] = ()


def manifests() -> tuple[Manifest, ...]:
    """Return every manifest that comes with this package, by id.

    Raises:
        ConfigError: One of them cannot be read.
    """
    folder = shipped("datasets") / "manifests"
    paths = sorted(folder.glob("*.toml"), key=lambda path: path.stem)
    return tuple(read_manifest(path) for path in paths)


def manifest(id: str) -> Manifest:  # noqa: A002
    """Return the manifest of a data set.

    Raises:
        InvalidInputError: There is none of this id, and the message lists those there are.
        ConfigError: It cannot be read.
    """
    folder = shipped("datasets") / "manifests"
    known = sorted(path.stem for path in folder.glob("*.toml"))
    if id not in known:
        close = get_close_matches(id, known, n=1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        raise InvalidInputError(f"there is no data set {id!r}{hint}: known are {', '.join(known)}")
    return read_manifest(folder / f"{id}.toml")


def cache_folder() -> Path:
    """Return the folder that data sets are kept in where `ENGRAM_DATA` is not set."""
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "engram-lab" / "datasets"


def data_root() -> Path:
    """Return the folder that a data set is downloaded into: `$ENGRAM_DATA`, else the cache."""
    named = os.environ.get(_VARIABLE)
    return Path(named).expanduser() if named else cache_folder()


def status(
    id: str,  # noqa: A002
    *,
    place: str | PathLike[str] | None = None,
    thorough: bool = True,
) -> Status:
    """Return whether a data set is on this machine, where, and as it was published.

    Args:
        id: The id of its manifest.
        place: Look here alone; see `load_dataset`.
        thorough: Read the files to verify them; else only their sizes are looked at.

    Raises:
        InvalidInputError: There is no such data set.
    """
    known = manifest(id)
    place = None if place is None else Path(place)
    looked_in = _places(known, place)
    found = _found(known, looked_in)
    if found is None:
        return Status(state="absent", where=None, looked_in=looked_in)
    folder, layout = found
    if changed := changes(folder, layout, thorough=thorough, named=place is not None):
        return Status(state="changed", where=folder, looked_in=looked_in, changes=changed)
    state: Literal["bundled", "present"] = "bundled" if known.bundled else "present"
    return Status(state=state, where=folder, looked_in=looked_in)


def load_dataset(
    id: str,  # noqa: A002
    *,
    place: str | PathLike[str] | None = None,
    options: Mapping[str, str] | None = None,
    allow_changed: bool = False,
) -> Dataset:
    """Read a data set from where it lies on this machine.

    It is looked for in `place`, else in the folders of its manifest under `$ENGRAM_DATA`, else in
    the user's cache; one that is bundled comes from this package.

    Args:
        id: The id of its manifest.
        place: The folder it lies in, one of its files, or the folder that its folder lies in; or a
            file of any other name that has the published shape, which no hash is known of, or a
            folder that holds such a file alone.
        options: How it is read; those of its manifest fill the rest.
        allow_changed: Read it although it is not what the manifest pins.

    Raises:
        InvalidInputError: There is no such data set, or a file does not have the published shape.
        DatasetMissingError: It is not on this machine, and the message says how to get it.
        DatasetChangedError: A file is not the pinned one, or other things came out of it than the
            manifest states.
    """
    known = manifest(id)
    given = dict(options or {})
    place = None if place is None else Path(place)
    looked_in = _places(known, place)
    found = _found(known, looked_in)
    own = _own_file(known, place, found=found is not None)
    found = own or found
    if found is None:
        raise DatasetMissingError(_missing(known, looked_in))
    where, layout = found
    folder = where.parent if own else where
    changed = changes(folder, layout, named=place is not None)
    if changed and not allow_changed:
        raise DatasetChangedError(
            f"the data set {id!r} in {folder} is not the published one: {'; '.join(changed)}; "
            f"fetch it anew with `engram eval fetch {id}`, or take it as it is "
            "(allow_changed=True, or --allow-changed at the command line)"
        )
    dataset = read_folder(layout.format, where, id=id, options={**layout.options, **given})
    if not allow_changed:
        _check_counts(dataset, layout, given)
    return dataset


def read_folder(
    format: str,  # noqa: A002
    folder: str | PathLike[str],
    *,
    id: str,  # noqa: A002
    options: Mapping[str, str] | None = None,
) -> Dataset:
    """Read a folder of a format that no manifest needs to know.

    Args:
        format: The name of the reader.
        folder: Where the files lie.
        id: What the data set shall be called.
        options: Of the reader.

    Raises:
        DatasetMissingError: The folder or a file is not there.
        InvalidInputError: There is no such reader or option, a file has another shape, or nothing
            that could be asked came out.
    """
    reader = READERS.get(format)
    folder = Path(folder)
    if not folder.exists():
        raise DatasetMissingError(f"there is no folder {folder}")
    try:
        dataset = reader(folder, id=id, options=options or {})
    except EngramError:
        raise
    except OSError as error:
        raise DatasetMissingError(f"{folder} cannot be read ({error})") from error
    for noun, frame in (("memory", dataset.memories), ("question", dataset.queries)):
        if not frame.height:
            reasons = ", ".join(f"{count} {why}" for why, count in dataset.left_out.items())
            raise InvalidInputError(
                f"{folder} holds no {noun} to evaluate with"
                + (f"; left out were {reasons}" if reasons else "")
            )
    return dataset


def _places(known: Manifest, place: Path | None) -> tuple[Path, ...]:
    if place is not None:
        folder = place.parent if place.is_file() else place
        return (folder, *(folder / name for name in known.folders))
    if known.bundled:
        return tuple(shipped("datasets") / name for name in known.folders)
    roots = dict.fromkeys((data_root(), cache_folder()))
    return tuple(root / name for root in roots for name in known.folders)


def _found(known: Manifest, places: tuple[Path, ...]) -> tuple[Path, Layout] | None:
    """Return the first folder that holds all that is needed of a layout, and that layout."""
    folders = [folder for folder in places if folder.is_dir()]
    for folder in folders:
        for layout in known.layouts:
            if layout.lies_in(folder):
                return folder, layout
    # Where no file is needed by its name, the reader knows what to look for.
    open_layouts = [each for each in known.layouts if not each.needed]
    for folder in folders:
        if open_layouts and any(folder.iterdir()):
            return folder, open_layouts[0]
    return None


def _own_file(known: Manifest, place: Path | None, *, found: bool) -> tuple[Path, Layout] | None:
    """Return the file that is read by itself, and as what: that of a layout, or of any name."""
    if place is None:
        return None
    own = replace(known.layouts[0], files=(), statistics=())
    if place.is_file():
        for layout in known.layouts:
            for each in layout.files:
                if each.name != place.name:
                    continue
                if layout.needed == (each,):
                    return place, replace(layout, files=(each,))
                if each.optional:
                    return place, replace(layout, files=(each,), statistics=())
        return None if known.names(place.name) else (place, own)
    needed = known.layouts[0].needed
    if found or len(needed) != 1 or not place.is_dir():
        return None
    ending = Path(needed[0].name).suffix
    files = [each for each in place.glob(f"*{ending}") if not each.name.startswith(".")]
    return (files[0], own) if len(files) == 1 else None


def _missing(known: Manifest, places: tuple[Path, ...]) -> str:
    needed = ", ".join(each.name for each in known.layouts[0].needed)
    looked = f"{needed or 'its files'} not found in {' or '.join(map(str, places))}"
    if known.fetchable:
        return f"the data set {known.id!r} is not here: {looked}: engram eval fetch {known.id}"
    return f"the data set {known.id!r} is not here: {looked}: give its folder with --data"


def _check_counts(dataset: Dataset, layout: Layout, given: Mapping[str, str]) -> None:
    differing = {key: value for key, value in given.items() if layout.options.get(key) != value}
    for stated in layout.statistics:
        if dict(stated.options) != differing:
            continue
        for noun in ("memories", "queries", "qrels"):
            wanted, came = getattr(stated, noun), getattr(dataset, noun).height
            if wanted is not None and came != wanted:
                raise DatasetChangedError(
                    f"the data set {dataset.id!r} came out with {came} {noun}, "
                    f"and its manifest states {wanted}: the files are not the published ones"
                )
