"""Manifests: what a published data set is, where it lies, and which files are the right ones."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, cast

from engram_lab.core.errors import ConfigError, NotFoundError
from engram_lab.evaluation.datasets.fields import Table

__all__ = [
    "ARCHIVES",
    "Archive",
    "Layout",
    "Manifest",
    "PublishedFile",
    "Statistics",
    "read_manifest",
]

ArchiveKind = Literal["zip", "tar", "tar.gz"]

ARCHIVES: Final[tuple[ArchiveKind, ...]] = ("zip", "tar", "tar.gz")
"""The kinds of archive that can be unpacked."""

_ID: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishedFile:
    """A file of a data set.

    Attributes:
        name: Its path inside the folder of the data set, with `/`.
        url: Where it is published by itself; None where it comes out of an archive.
        sha256: What it must be, 64 hexadecimal digits; None where that could not be established.
        md5: What its publisher states, where that is all that is known.
        size: In bytes.
        optional: Whether the data set can be read without it.
        hearsay: Whether the hash was taken from others and never from the file: it must hold of
            what is downloaded, and a file that a user names need not fit it.
    """

    name: str
    url: str | None = None
    sha256: str | None = None
    md5: str | None = None
    size: int | None = None
    optional: bool = False
    hearsay: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Archive:
    """An archive that files of a data set come in.

    Attributes:
        url: Where it is published.
        kind: One of `ARCHIVES`.
        strip: The folder inside the archive that holds the files; empty for its root.
        sha256: See `PublishedFile`.
        md5: See `PublishedFile`.
        size: In bytes.
    """

    url: str
    kind: ArchiveKind
    strip: str = ""
    sha256: str | None = None
    md5: str | None = None
    size: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Statistics:
    """What must come out when a data set is read.

    Attributes:
        options: Those of the reader that differ from the defaults of the layout.
        memories: How many; None where it is not known.
        queries: Likewise.
        qrels: Likewise.
    """

    options: Mapping[str, str] = field(default_factory=dict)
    memories: int | None = None
    queries: int | None = None
    qrels: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """A form in which the data set may lie in its folder.

    Attributes:
        format: The name of the reader.
        files: What is looked for; the layout is there when all that are not optional are.
        options: Defaults for the reader.
        statistics: What is checked after reading, for the options it was read with.
    """

    format: str
    files: tuple[PublishedFile, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    statistics: tuple[Statistics, ...] = ()

    @property
    def needed(self) -> tuple[PublishedFile, ...]:
        """The files that are not optional."""
        return tuple(each for each in self.files if not each.optional)

    def lies_in(self, folder: Path) -> bool:
        """Return whether all that is needed is there; one file at least, where none is needed."""
        there = [(folder / each.name).is_file() for each in self.needed or self.files]
        return all(there) if self.needed else any(there)


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """A data set, as a file in `datasets/manifests/` describes it.

    Attributes:
        id: Its name here: lower case, digits and hyphens.
        title: One line.
        description: A paragraph.
        homepage: Where its authors present it.
        licence: What its authors allow, as they say it; shown before it is downloaded.
        licence_url: Where that is said.
        citation: BibTeX, or a reference.
        folders: Names of folders under `ENGRAM_DATA` to look in, the id first.
        layouts: The published form first, then others that are accepted.
        archives: What the files come in.
        splits: The parts it is published in, such as `train` and `test`.
        variants: Named sets of options, such as `{"official": {"unit": "turn"}}`.
        known_issues: One sentence each.
        bundled: Whether it comes with this package.
    """

    id: str
    title: str
    licence: str
    layouts: tuple[Layout, ...]
    folders: tuple[str, ...]
    description: str = ""
    homepage: str | None = None
    licence_url: str | None = None
    citation: str = ""
    archives: tuple[Archive, ...] = ()
    splits: tuple[str, ...] = ()
    variants: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    known_issues: tuple[str, ...] = ()
    bundled: bool = False

    @property
    def format(self) -> str:
        """The reader of the published form."""
        return self.layouts[0].format

    @property
    def files(self) -> tuple[PublishedFile, ...]:
        """The files of the published form."""
        return self.layouts[0].files

    @property
    def options(self) -> Mapping[str, str]:
        """The defaults of the published form."""
        return self.layouts[0].options

    def names(self, file: str) -> bool:
        """Return whether a layout has a file of this name."""
        return any(Path(each.name).name == file for layout in self.layouts for each in layout.files)

    @property
    def fetchable(self) -> bool:
        """Whether it says where all that is needed can be had."""
        return bool(self.archives) or (
            bool(self.files) and all(each.url or each.optional for each in self.files)
        )


def read_manifest(path: Path) -> Manifest:
    """Read a manifest.

    Args:
        path: A TOML file; `datasets/manifests/README.md` says what it may hold.

    Raises:
        NotFoundError: There is no such file.
        ConfigError: With every problem of the file.
    """
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise NotFoundError(f"there is no manifest {path}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path.name} is no TOML ({error})"]) from error
    problems: list[str] = []
    manifest = _manifest(Table(found, place="", problems=problems), path)
    if problems:
        raise ConfigError([f"{path.name}: {problem}" for problem in problems])
    return manifest


def _manifest(table: Table, path: Path) -> Manifest:
    name = table.text("id", required=True)
    if name and not _ID.fullmatch(name):
        table.problem("id", f"{name!r} must be lower-case words and digits joined by hyphens")
    elif name != path.stem and name:
        table.problem("id", f"{name!r} must be the name of the file, {path.stem!r}")
    layouts = (_layout(table), *(_layout(each, last=True) for each in table.tables("layouts")))
    manifest = Manifest(
        id=name,
        title=table.text("title", required=True),
        description=table.text("description"),
        homepage=table.url("homepage"),
        licence=table.text("licence", required=True),
        licence_url=table.url("licence_url"),
        citation=table.text("citation"),
        folders=tuple(dict.fromkeys((name, *table.texts("folders", path=True)))),
        layouts=layouts,
        archives=tuple(_archive(each) for each in table.tables("archives")),
        splits=table.texts("splits"),
        variants={key: each.mapping() for key, each in table.named_tables("variants").items()},
        known_issues=table.texts("known_issues"),
        bundled=table.flag("bundled"),
    )
    table.finish()
    return manifest


def _layout(table: Table, *, last: bool = False) -> Layout:
    layout = Layout(
        format=table.text("format", required=True),
        files=tuple(_file(each) for each in table.tables("files")),
        options=table.table("options").mapping(),
        statistics=tuple(_statistics(each) for each in table.tables("statistics")),
    )
    names = [each.name for each in layout.files]
    for name in sorted({name for name in names if names.count(name) > 1}):
        table.problem("files", f"name {name!r} more than once")
    if last:
        table.finish()
    return layout


def _file(table: Table) -> PublishedFile:
    file = PublishedFile(
        name=table.path("name", required=True),
        url=table.url("url"),
        sha256=table.digest("sha256", 64),
        md5=table.digest("md5", 32),
        size=table.count("bytes"),
        optional=table.flag("optional"),
        hearsay=table.flag("hearsay"),
    )
    table.finish()
    return file


def _archive(table: Table) -> Archive:
    archive = Archive(
        url=table.url("url", required=True) or "",
        kind=cast("ArchiveKind", table.choice("kind", ARCHIVES)),
        strip=table.path("strip"),
        sha256=table.digest("sha256", 64),
        md5=table.digest("md5", 32),
        size=table.count("bytes"),
    )
    table.finish()
    return archive


def _statistics(table: Table) -> Statistics:
    options: Any = table.table("options").mapping()
    statistics = Statistics(
        options=options,
        memories=table.count("memories"),
        queries=table.count("queries"),
        qrels=table.count("qrels"),
    )
    table.finish()
    return statistics
