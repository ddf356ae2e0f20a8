"""What the commands share: opening the engine that the options name."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, Literal

from engram_lab.core.errors import InvalidInputError, NotFoundError, StoreError, StoreReadOnlyError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engram_lab.config import LoadedConfig
    from engram_lab.engine import Engine

__all__ = ["at_home", "load", "open_engine", "parse_json", "standard_input"]

Use = Literal["create", "write", "note", "read"]
"""What a command does with the database: make it where it is missing, write to it, write to it if
it may be written, or never write."""

_MOST_BYTES: Final = 40_000_000
"""Of standard input: as long as the longest content that a setting may allow."""


def load(db: str | None, config: Path | None, settings: list[str] | None) -> LoadedConfig:
    """Return the configuration: flags over variables over file over defaults."""
    from engram_lab.config import load_config

    overrides: dict[str, tuple[object, str]] = {}
    for each in settings or ():
        name, equals, value = each.partition("=")
        if not equals:
            raise InvalidInputError(f"--set {each!r} has no value: write NAME=VALUE")
        overrides[name.strip()] = (value, f"--set {name.strip()}")
    if db is not None:
        overrides["store.path"] = (db, "--db")
    return load_config(config, overrides=overrides)


@contextmanager
def open_engine(
    db: str | None, config: Path | None, settings: list[str] | None, *, use: Use
) -> Iterator[Engine]:
    """Open the engine that the flags name, and close it.

    Raises:
        NotFoundError: There is no such database, and the command is none that makes one.
    """
    from engram_lab.engine import Engine

    loaded = load(db, config, settings)
    path = loaded.config.store.path
    read_only = False
    if loaded.config.store.kind == "sqlite" and path != ":memory:":
        file = at_home(Path(path))
        _check_database(file, make=use == "create")
        path, read_only = str(file), use == "read" or (use == "note" and not _may_write(file))
    with ExitStack() as stack:
        try:
            engine = Engine.open(path, config=loaded.config, read_only=read_only)
        except StoreError as error:
            if not (read_only and _lacks_a_log(error, Path(path))):
                raise
            copy = stack.enter_context(_copied(Path(path)))
            engine = Engine.open(copy, config=loaded.config, read_only=True)
        yield stack.enter_context(engine)


def _lacks_a_log(error: StoreError, file: Path) -> bool:
    """Tell whether a file could be read if SQLite could make its log beside it."""
    told = type(error) in {StoreError, StoreReadOnlyError}  # not that it is damaged, or foreign
    return told and os.access(file, os.R_OK) and not _may_write(file)


@contextmanager
def _copied(file: Path) -> Iterator[Path]:
    """Lend a copy of a database that lies where SQLite cannot make its log.

    Raises:
        StoreReadOnlyError: It is in use by somebody who may write, so a copy might be no one state.
    """
    log = file.with_name(f"{file.name}-wal")
    with TemporaryDirectory(prefix="engram-") as folder:
        copy, before = Path(folder, file.name), file.stat()
        shutil.copyfile(file, copy)
        now = file.stat()
        changed = (before.st_mtime_ns, before.st_size) != (now.st_mtime_ns, now.st_size)
        if changed or (log.exists() and log.stat().st_size):
            raise StoreReadOnlyError(
                f"{file} is in use, in a folder in which you may not write: read it once it is "
                "closed, or ask for a backup of it"
            )
        yield copy


def at_home(path: Path) -> Path:
    """Return the path with `~` as the home it stands for; where there is none it is but a name."""
    expanded = Path(os.path.expanduser(path))  # noqa: PTH111 - Path.expanduser fails there
    return expanded.absolute() if str(expanded).startswith("~") else expanded


def _check_database(file: Path, *, make: bool) -> None:
    if not file.exists() and not make:
        raise NotFoundError(
            f"there is no database {file}: name another with --db, or make this one with "
            "`engram remember` or `engram import`"
        )
    if file.exists() and not file.is_file() and not file.is_dir():
        raise InvalidInputError(f"{file} is no regular file: give the path of a database")
    if not make and file.is_file() and not file.stat().st_size:
        raise NotFoundError(
            f"{file} is an empty file and no database: name another with --db, or make it one with "
            "`engram remember` or `engram import`"
        )


def _may_write(file: Path) -> bool:
    return os.access(file, os.W_OK) and os.access(file.parent, os.W_OK)


def parse_json(text: str | None, *, flag: str) -> Any:
    """Return the value of a flag that takes JSON."""
    import orjson

    if text is None:
        return None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InvalidInputError(f"{flag} is no JSON: {error}") from None


def standard_input() -> str:
    """Return the text of standard input, without the line breaks at its end."""
    content = sys.stdin.buffer.read(_MOST_BYTES + 1) if sys.stdin is not None else b""
    if len(content) > _MOST_BYTES:
        raise InvalidInputError(f"standard input holds more than {_MOST_BYTES} bytes: give less")
    try:
        return content.decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise InvalidInputError(
            f"standard input is no text in UTF-8: its byte {error.start} begins no character"
        ) from None
