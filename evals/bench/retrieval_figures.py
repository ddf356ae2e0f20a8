"""How the retrieval benchmark keeps and shows what it measured.

A figure with a bar is part of the gate; one without is informational: it is of this machine and
this minute, and nothing is asked of it.
"""

from __future__ import annotations

import json
import platform
import sys
import time
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

RECORDED = ("faiss-cpu", "bm25s", "numpy", "numba", "apsw", "onnxruntime")


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One thing measured.

    Attributes:
        name: What it is.
        rows: In how many memories.
        ours: Our side.
        unit: Of `ours` and `floor`.
        floor: What it is held against, if anything.
        ratio: Ours to the floor, or whatever the bar is about.
        bar: What is asked of `ratio`; None for what is only told.
        met: Whether the bar holds.
    """

    name: str
    rows: int
    ours: float
    unit: str
    floor: float | None = None
    ratio: float | None = None
    bar: str | None = None
    met: bool | None = None


def at_most(
    name: str, rows: int, ours: float, floor: float, *, unit: str, bar: float, strict: bool = False
) -> Figure:
    """Return the figure of which less is better, as a ratio to a floor."""
    ratio = ours / floor
    return Figure(
        name=name,
        rows=rows,
        ours=ours,
        floor=floor,
        unit=unit,
        ratio=ratio,
        bar=f"{'<' if strict else '≤'} {bar:g}",
        met=ratio < bar if strict else ratio <= bar,
    )


def within(name: str, rows: int, ours: float, limit: float, *, unit: str) -> Figure:
    """Return the figure of which less is better, against a plain limit."""
    met, bar = ours <= limit, f"≤ {limit:g} {unit}"
    return Figure(name=name, rows=rows, ours=ours, unit=unit, ratio=ours / limit, bar=bar, met=met)


def at_least(name: str, rows: int, ours: float, limit: float, *, unit: str) -> Figure:
    """Return the figure of which more is better, against a plain limit."""
    met, bar = ours >= limit, f"≥ {limit:g} {unit}".rstrip()
    return Figure(name=name, rows=rows, ours=ours, unit=unit, ratio=ours / limit, bar=bar, met=met)


class Timings:
    """How long each question took, asked several times: µs.

    The time of a question is the median of its rounds, so that what the machine did beside falls
    out; the quantiles are over the questions.
    """

    def __init__(self) -> None:
        self._of: dict[int, list[int]] = {}

    def add(self, question: int, nanoseconds: int) -> None:
        """Keep one more time of a question."""
        self._of.setdefault(question, []).append(nanoseconds)

    def each(self) -> NDArray[np.float64]:
        """Return the time of each question, in the order of their numbers: float64 [n], µs."""
        return np.array([np.median(self._of[each]) / 1e3 for each in sorted(self._of)])

    @property
    def p50(self) -> float:
        """The median over the questions, µs."""
        return float(np.quantile(self.each(), 0.5))

    @property
    def p95(self) -> float:
        """The time that 95 % of the questions stay below, µs."""
        return float(np.quantile(self.each(), 0.95))

    def raw(self) -> dict[int, list[int]]:
        """Return all times: ns by question and round."""
        return self._of


@dataclass(kw_only=True)
class Report:
    """All that a run found: figures, tables to look at, and remarks."""

    figures: list[Figure] = field(default_factory=list)
    tables: dict[str, list[dict[str, float | str | None]]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def add(self, *figures: Figure) -> None:
        """Take figures and show them at once."""
        for each in figures:
            self.figures.append(each)
            progress(line(each))

    def tell(self, name: str, rows: int, ours: float, unit: str) -> None:
        """Take an informational figure."""
        self.add(Figure(name=name, rows=rows, ours=ours, unit=unit))

    def remark(self, text: str) -> None:
        """Take a sentence that belongs beside the figures."""
        self.remarks.append(text)
        progress(text)

    def row(self, table: str, **cells: float | str | None) -> None:
        """Add a row to a table."""
        self.tables.setdefault(table, []).append(cells)
        progress(f"  {table}: " + ", ".join(f"{key} {shown(cells[key])}" for key in cells))

    @property
    def gate(self) -> list[Figure]:
        """The figures of which something is asked."""
        return [each for each in self.figures if each.bar is not None]

    @property
    def met(self) -> bool:
        """Whether every bar holds."""
        return all(each.met for each in self.gate)

    def record(self, command: str) -> dict[str, object]:
        """Return all of it with what it was measured with, as JSON takes it."""
        return {
            "command": command,
            "python": platform.python_version(),
            "packages": {name: known(name) for name in RECORDED},
            "figures": [asdict(each) for each in self.gate],
            "informational": [asdict(each) for each in self.figures if each.bar is None],
            "tables": self.tables,
            "remarks": self.remarks,
        }

    def save(self, file: Path, command: str) -> None:
        """Keep the record."""
        text = json.dumps(self.record(command), indent=2, ensure_ascii=False)
        file.write_text(text + "\n", encoding="utf-8")

    def show(self) -> None:
        """Print the gate, then the rest."""
        for title, chosen in (
            ("gate", self.gate),
            ("informational", [each for each in self.figures if each.bar is None]),
        ):
            print(f"\n{title}")
            for figure in chosen:
                print(line(figure))
        for name, rows in self.tables.items():
            cells = [list(rows[0]), *([shown(each.get(key)) for key in rows[0]] for each in rows)]
            widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
            print(f"\n{name}")
            for row in cells:
                print("  ".join(f"{cell:>{wide}}" for cell, wide in zip(row, widths, strict=True)))
        print("", *self.remarks, sep="\n")


def known(package: str) -> str | None:
    """Return the version of a package, None where it is not there."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def shown(value: float | str | None) -> str:
    """Return a cell as text."""
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    return f"{value:,.3g}" if value < 10 else f"{value:,.0f}"  # noqa: PLR2004


def line(figure: Figure) -> str:
    """Return a figure as one line."""
    floor = "" if figure.floor is None else f"{figure.floor:,.1f}"
    text = f"{figure.rows:>9,} {figure.name:54} {figure.ours:>11,.1f} {floor:>11} {figure.unit:>7}"
    if figure.bar is None:
        return text.rstrip()
    return f"{text} {figure.ratio:>7.2f}  {figure.bar}: {'met' if figure.met else 'MISSED'}"


def progress(text: str) -> None:
    """Say on standard error what goes on, with the seconds since the start of the process."""
    print(f"[{time.perf_counter() - STARTED:6.0f} s] {text}", file=sys.stderr, flush=True)


STARTED = time.perf_counter()
