"""What the commands print: for a person, lines that fit any terminal; for a program, JSON."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import Console, RenderableType
    from rich.table import Table
    from rich.text import Text

    from engram_lab.core.progress import Progress
    from engram_lab.core.reports import CheckResult
    from engram_lab.core.types import Memory, Version
    from engram_lab.retrieval import Hits

__all__ = [
    "bars",
    "counted",
    "former",
    "print_checks",
    "print_compact",
    "print_history",
    "print_hits",
    "print_json",
    "print_memories",
    "print_memory",
    "print_rows",
    "say",
    "show",
    "spelled",
]

_LONGEST: Final = 400
"""Characters of a content in a listing; `engram get` shows the whole."""

_NARROWEST: Final = 40
"""Columns: a terminal that has fewer breaks our lines by itself."""

_SHORTEST_TITLE: Final = 30
"""Columns: a title that has fewer beside the id goes above it."""

_KEPT_BY_THE_STORE: Final = frozenset(
    {"content_hash", "version", "created_at", "updated_at", "forgotten_at"}
    | {"last_accessed_at", "access_count"}
)


def print_json(value: object) -> None:
    """Print a record, or a list of records, as JSON."""
    text = orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z)
    sys.stdout.buffer.write(text + b"\n")
    sys.stdout.flush()


def say(text: str) -> None:
    """Tell a person what was done."""
    _console().print(text, soft_wrap=True)


def counted(counts: Mapping[str, int]) -> str:
    """Return what was counted, as in `1 memory, 2 recall events`; nothing where all is zero."""
    return ", ".join(_count(name, count) for name, count in counts.items() if count)


def spelled(value: object) -> str:
    """Return a value as a configuration file and `--set` spell it."""
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)


def former(counts: Mapping[str, int]) -> dict[str, int]:
    """Return the counts of a copied file, in which those versions lie apart that are past.

    An export has them together with the present ones, and calls both versions.
    """
    return {
        "former_versions" if name == "versions" else name: count for name, count in counts.items()
    }


def _count(name: str, count: int) -> str:
    words = name.replace("_", " ")
    if count == 1:
        words = f"{words[:-3]}y" if words.endswith("ies") else words.removesuffix("s")
    return f"{count:,} {words}"


def print_memory(memory: Memory) -> None:
    """Print a memory: its text, and every field that says something."""
    console, fields = _console(), memory.to_dict()
    console.print(fields.pop("content"), soft_wrap=not console.is_terminal)
    console.print()
    del fields["content_hash"]
    print_rows(
        [(name, _text(value)) for name, value in fields.items() if value or name == "importance"]
    )


def print_memories(memories: Sequence[Memory], *, leads: Sequence[str]) -> None:
    """Print memories one under the other, each led by what they are ordered by."""
    from rich.text import Text

    blocks = [(memory, Text(_shortened(memory.content)), "") for memory in memories]
    _print_blocks(blocks, leads=leads)


def print_hits(hits: Hits, *, explain: bool) -> None:
    """Print hits, best first; explained, with the words of the question and a line for each arm."""
    from rich.text import Text

    from engram_lab.retrieval.showing import lines_of, parts_of

    blocks = []
    for hit in hits:
        text, words = hit.memory.content, hit.explanation.words
        if words is None:
            content = Text(_shortened(text))
        elif _console().is_terminal:
            content = Text.assemble(
                *((part, "bold" if found else "") for part, found in parts_of(text, words))
            )
        else:
            content = Text(words)
        why = "\n".join(lines_of(hit.explanation)) if explain else ""
        blocks.append((hit.memory, content, why))
    _print_blocks(blocks, leads=[f"{hit.score:.2f}" for hit in hits])


def print_compact(hits: Hits) -> None:
    """Print a line for each hit: score, id and title, which is cut where a terminal ends."""
    from rich.text import Text

    console = _console()
    for each in hits.compact():
        lead, title = f"{each.score:.2f}  ", Text(each.title)
        room = console.width - len(lead) - len(each.id) - 2
        above = console.is_terminal and room < min(_SHORTEST_TITLE, title.cell_len)
        if console.is_terminal:
            title.truncate(room + len(each.id) + 2 if above else room, overflow="ellipsis")
        line = Text().append(lead, style="bold")
        if above:
            line.append_text(title).append(f"\n{' ' * len(lead)}{each.id}", style="dim")
        else:
            line.append(f"{each.id}  ", style="dim").append_text(title)
        console.print(line, soft_wrap=True)


def _print_blocks(blocks: Sequence[tuple[Memory, Text, str]], *, leads: Sequence[str]) -> None:
    """Print memories as they are to be read, each with what is said below it."""
    from rich.text import Text

    table = _grid()
    table.columns[0].justify = "right"
    room = _console().width - max(map(len, leads), default=0) - 2
    for lead, (memory, block, note) in zip(leads, blocks, strict=True):
        about = "  ".join(filter(None, (memory.type, *_marks(memory))))
        apart = "  " if len(memory.id) + 2 + len(about) <= room else "\n"
        block.append(f"\n{memory.id}{apart}{about}", style="dim")
        if note:
            block.append(f"\n{note}", style="dim")
        table.add_row(Text(lead, style="bold"), block)
    show(table)


def _marks(memory: Memory) -> Iterator[str]:
    if memory.forgotten_at is not None:
        yield "forgotten"
    if memory.lifecycle != "active":
        yield memory.lifecycle
    if memory.pinned:
        yield "pinned"
    yield " ".join(f"#{tag}" for tag in memory.tags)


def print_history(versions: Sequence[Version]) -> None:
    """Print the versions of a memory: when, who, why, and what it changed."""
    from rich.text import Text

    table = _grid()
    table.columns[0].justify = "right"
    before: Memory | None = None
    for each in versions:
        why = f": {each.reason}" if each.reason else ""
        block = Text()
        block.append(f"{_text(each.recorded_at)}  {each.action} by {each.author}{why}", style="dim")
        for line in _changed(before, each.memory):
            block.append(f"\n{line}")
        table.add_row(Text(str(each.number), style="bold"), block)
        before = each.memory
    show(table)


def _changed(before: Memory | None, after: Memory) -> Iterator[str]:
    if before is None:
        yield after.content
        return
    old, new = before.to_dict(), after.to_dict()
    for name in new:
        if name not in _KEPT_BY_THE_STORE and old[name] != new[name]:
            change = f"{name}: {_text(old[name])} → {_text(new[name])}"
            yield new[name] if name == "content" else change


def print_rows(rows: Sequence[tuple[str, ...]], *, head: tuple[str, ...] | None = None) -> None:
    """Print rows of cells in columns, the first of which names the row."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=head is not None, pad_edge=False, header_style="bold")
    for number, name in enumerate(head or [""] * max(map(len, rows), default=0)):
        table.add_column(name, overflow="fold", style="" if number or head else "dim")
    for row in rows:
        table.add_row(*map(Text, row))
    show(table)


def print_checks(found: Sequence[CheckResult]) -> None:
    """Print what the doctor found."""
    from rich.text import Text

    table = _grid()
    table.add_column(overflow="fold")
    for each in found:
        word = Text("ok", style="green") if each.ok else Text("ILL", style="bold red")
        table.add_row(word, Text(each.name), Text(each.detail))
    show(table)


def bars() -> Progress:
    """Return what shows bars on the terminal while something long goes on."""
    from engram_lab.core.bars import Bars

    return Bars(_console(stderr=True))


def _console(*, stderr: bool = False) -> Console:
    """Return where to print: a memory's text is printed as it is, whatever looks like markup."""
    from rich.console import Console

    console = Console(stderr=stderr, emoji=False, markup=False, highlight=False)
    console.width = max(console.width, _NARROWEST)
    return console


def show(what: RenderableType) -> None:
    """Print without the spaces that fill each line, which spoil what is copied or compared."""
    console = _console()
    with console.capture() as captured:
        console.print(what)
    sys.stdout.write("\n".join(line.rstrip() for line in captured.get().split("\n")))
    sys.stdout.flush()


def _grid() -> Table:
    from rich.table import Table

    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST].rstrip()} …"


def _text(value: Any) -> str:
    if value in (None, [], {}):
        return "nothing"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return orjson.dumps(value).decode()
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:%Y-%m-%d %H:%M:%S} UTC" if hasattr(value, "isoformat") else str(value)
