"""What the commands share: opening the engine that the options name."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from engram_lab.core.errors import InvalidInputError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engram_lab.config import LoadedConfig
    from engram_lab.engine import Engine

__all__ = ["at_home", "load", "open_engine", "parse_json"]

Use = Literal["create", "write", "note", "read"]
"""What a command does with the database: make it where it is missing, write to it, write to it if
it may be written, or never write."""


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
    with Engine.open(path, config=loaded.config, read_only=read_only) as engine:
        yield engine


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
