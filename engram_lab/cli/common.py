"""What the commands share: options, opening the engine, and ways to print."""

from __future__ import annotations

import dataclasses
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from engram_lab.config import load_config
from engram_lab.core.errors import InvalidInputError
from engram_lab.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from engram_lab.config import LoadedConfig
    from engram_lab.core.types import Memory

__all__ = [
    "AsJson",
    "ConfigFile",
    "Database",
    "Filter",
    "Settings",
    "console",
    "load",
    "open_engine",
    "parse_json",
    "print_json",
    "print_memories",
    "print_memory",
    "progress_bar",
    "say",
]

Database = Annotated[Path | None, typer.Option("--db", help="The database file.")]
ConfigFile = Annotated[
    Path | None, typer.Option("--config", help="YAML file instead of ~/.engram/config.yaml.")
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Override one setting: store.dedup=skip."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]
Filter = Annotated[
    str | None,
    typer.Option("--filter", metavar="JSON", help='Such as \'{"tags": {"contains": "taste"}}\'.'),
]

console: Final = Console()
_status: Final = Console(stderr=True)


def load(db: Path | None, config: Path | None, settings: list[str] | None) -> LoadedConfig:
    """Return the configuration: flags over variables over file over defaults."""
    overrides: dict[str, tuple[object, str]] = {}
    for each in settings or ():
        name, equals, value = each.partition("=")
        if not equals:
            raise InvalidInputError(f"--set {each!r} has no value: write NAME=VALUE")
        overrides[name.strip()] = (value, f"--set {name.strip()}")
    if db is not None:
        overrides["store.path"] = (str(db), "--db")
    return load_config(config, overrides=overrides)


@contextmanager
def open_engine(
    db: Path | None,
    config: Path | None,
    settings: list[str] | None,
    *,
    read_only: bool = False,
) -> Iterator[Engine]:
    """Open the engine that the flags name, and close it."""
    loaded = load(db, config, settings)
    file = Path(loaded.config.store.path).expanduser()
    if loaded.sources["store.path"] == "default" and not read_only:
        file.parent.mkdir(exist_ok=True)
    with Engine.open(file, config=loaded.config, read_only=read_only) as engine:
        yield engine


def parse_json(text: str | None, *, flag: str) -> Any:
    """Return the value of a flag that takes JSON."""
    if text is None:
        return None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InvalidInputError(f"{flag} is no JSON: {error}") from None


def print_json(value: object) -> None:
    """Print a record, or a list of records, as JSON."""
    text = orjson.dumps(value, default=_plain, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z)
    sys.stdout.buffer.write(text + b"\n")
    sys.stdout.flush()


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Path):
        return str(value)
    return dict(value)  # type: ignore[call-overload]  # what remains are mappings


def say(text: str) -> None:
    """Tell a person what was done."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def print_memory(memory: Memory) -> None:
    """Print a memory with every field that says something."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for name, value in memory.to_dict().items():
        if value not in (None, [], {}):
            text = orjson.dumps(value).decode() if isinstance(value, dict) else _text(value)
            table.add_row(name, text)
    console.print(table, markup=False, highlight=False)


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return value.isoformat(" ", "seconds") if hasattr(value, "isoformat") else str(value)


def print_memories(
    memories: Sequence[Memory], *, score: Callable[[int], float] | None = None
) -> None:
    """Print memories as a table, one a row."""
    table = Table(box=None, pad_edge=False, header_style="bold", expand=True)
    if score is not None:
        table.add_column("score", justify="right")
    table.add_column("id", no_wrap=True)
    table.add_column("type")
    table.add_column("content", ratio=1)
    table.add_column("tags", max_width=16)
    for place, memory in enumerate(memories):
        cells = [memory.id, memory.type, memory.content, ", ".join(memory.tags)]
        if score is not None:
            cells.insert(0, f"{score(place):.3f}")
        table.add_row(*map(_literal, cells))
    console.print(table)


def _literal(text: str) -> str:
    return text.replace("[", r"\[")


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int | None], None]]:
    """Show a bar on the terminal while something long goes on; nothing where there is none."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=_status,
        transient=True,
        disable=not _status.is_terminal,
    ) as bar:
        task = bar.add_task(what, total=None)

        def show(done: int, total: int | None) -> None:
            bar.update(task, completed=done, total=total)

        yield show
