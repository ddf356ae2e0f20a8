"""What the core costs, as ratios to a bare floor that is measured beside it in the same run.

    python evals/bench/core.py                 the gate: all bars, exit code 1 where one is missed
    python evals/bench/core.py --quick         a tenth of the rows, no bar on memory
    python evals/bench/core.py --only get      one figure
    python evals/bench/core.py --save FILE     keep the figures as JSON

Ours and the floor take turns, and each figure is a median: what the machine does beside hits both.
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import adbc_driver_sqlite.dbapi as adbc
import apsw
import pyarrow.parquet as pq

from engram_lab import Engine, EngineConfig
from engram_lab.config import EmbeddingSettings
from engram_lab.core.selection import EVERYTHING
from engram_lab.core.sqlite.rows import select_columns

if TYPE_CHECKING:
    from collections.abc import Callable

    Rows = dict[str, list[tuple[Any, ...]]]
    Query = tuple[str, list[Any]]

SEED = 20261121
CORE = EngineConfig(embedding=EmbeddingSettings(model="none"))
"""Without vectors: what embedding costs is the retrieval bench's to say."""
TABLES = ("changes", "memories", "memory_tags", "memory_metadata")
PRAGMAS = (
    ("journal_mode", "wal"),
    ("synchronous", "full"),
    ("secure_delete", 1),
    ("foreign_keys", 1),
    ("cache_size", -65536),
)
MEMORY_BAR_MIB = 400
CHILD = """
import re, sys
from pathlib import Path
from engram_lab import Engine
with Engine.open(sys.argv[1], read_only=True) as engine:
    engine.export(sys.argv[2])
# Not ru_maxrss: a process inherits that of the one that started it.
print(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
"""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One comparison. `ratio` is ours to the floor, and `bar` what is asked of it."""

    name: str
    ours: float
    floor: float | None
    unit: str
    ratio: float
    bar: str
    met: bool


def rate(name: str, rows: int, ours: list[float], floor: list[float], *, at_least: float) -> Figure:
    """Return the figure of work on many rows: more a second is better."""
    mine, theirs = rows / statistics.median(ours), rows / statistics.median(floor)
    return Figure(
        name=name,
        ours=mine,
        floor=theirs,
        unit="rows/s",
        ratio=mine / theirs,
        bar=f"≥ {at_least}",
        met=mine / theirs >= at_least,
    )


def cost(name: str, ours: list[float], floor: list[float], *, at_most: float) -> Figure:
    """Return the figure of one small act: less time is better."""
    mine, theirs = statistics.median(ours) * 1e6, statistics.median(floor) * 1e6
    return Figure(
        name=name,
        ours=mine,
        floor=theirs,
        unit="µs",
        ratio=mine / theirs,
        bar=f"≤ {at_most}",
        met=mine / theirs <= at_most,
    )


def seconds(work: Callable[[], object]) -> float:
    """Return how long the work takes; rubbish left by others is collected before."""
    gc.collect()
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def drafts(count: int) -> list[dict[str, Any]]:
    """Return memories of about 110 characters with two tags and two metadata fields each."""
    rng = random.Random(SEED)  # noqa: S311 - test data, not secrets
    words = ["harbour", "tide", "bread", "choir"] + [f"word{number}" for number in range(3000)]
    return [
        {
            "content": " ".join(rng.choices(words, k=14)),
            "tags": ["bench", f"tag{number % 50}"],
            "metadata": {"k": number % 100, "source": "bench"},
        }
        for number in range(count)
    ]


def stored_rows(file: Path) -> Rows:
    """Return what a store holds of its memories, table by table, as the floor will insert it."""
    with closing(apsw.Connection(str(file))) as connection:
        rows = {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in TABLES}
        words = "SELECT pk, content, tags FROM searchable"
        rows["memories_fts"] = connection.execute(words).fetchall()
    return rows


def bare(file: Path) -> apsw.Connection:
    """Open an empty store without our code: the same schema and the same durability."""
    Engine.open(file, config=CORE).close()
    connection = apsw.Connection(str(file))
    for name, value in PRAGMAS:
        connection.pragma(name, value)
    return connection


def insert_all(connection: apsw.Connection, rows: Rows) -> None:
    """Insert the rows of every table and of the text index in one transaction."""
    connection.execute("BEGIN IMMEDIATE")
    for name, values in rows.items():
        columns = "(rowid, content, tags)" if name == "memories_fts" else ""
        marks = ", ".join("?" * len(values[0]))
        connection.executemany(f"INSERT INTO {name} {columns} VALUES ({marks})", values)
    connection.execute("COMMIT")


def bulk(folder: Path, count: int, repeats: int) -> Figure:
    """Compare `remember_many` with bare `executemany` into the same tables."""
    given = drafts(count)
    ours: list[float] = []
    floor: list[float] = []
    for _ in range(repeats):
        mine, theirs = folder / "ours.db", folder / "bare.db"
        with Engine.open(mine, config=CORE) as engine:
            ours.append(seconds(partial(engine.remember_many, given)))
        rows = stored_rows(mine)
        with closing(bare(theirs)) as connection:
            floor.append(seconds(partial(insert_all, connection, rows)))
        mine.unlink()
        theirs.unlink()
    return rate(f"remember_many of {count:,} rows", count, ours, floor, at_least=0.5)


def by_memory(rows: Rows, count: int) -> list[Rows]:
    """Return the rows of each memory apart; the number of the memory is in each row."""
    place = {"changes": 0, "memories": 0, "memory_tags": 1, "memory_metadata": 2, "memories_fts": 0}
    found: list[Rows] = [{name: [] for name in place} for _ in range(count)]
    for name, values in rows.items():
        for row in values:
            found[row[place[name]] - 1][name].append(row)
    return found


def single(folder: Path, count: int) -> Figure:
    """Compare one durable `remember` with a bare durable commit of the same rows."""
    given = drafts(count)
    with Engine.open(folder / "first.db", config=CORE) as engine:
        engine.remember_many(given)
    inserts = by_memory(stored_rows(folder / "first.db"), count)
    ours: list[float] = []
    floor: list[float] = []
    with (
        Engine.open(folder / "ours.db", config=CORE) as engine,
        closing(bare(folder / "bare.db")) as connection,
    ):
        for draft, rows in zip(given, inserts, strict=True):
            start = time.perf_counter()
            engine.remember(**draft)
            middle = time.perf_counter()
            insert_all(connection, rows)
            floor.append(time.perf_counter() - middle)
            ours.append(middle - start)
    return cost("one durable remember", ours, floor, at_most=1.5)


def get(folder: Path, count: int, reads: int) -> Figure:
    """Compare `get` with a bare SELECT of the same columns."""
    sql = f"SELECT {select_columns('m', private=False)} FROM memories AS m WHERE m.id = ?"
    rng = random.Random(SEED)  # noqa: S311 - test data, not secrets
    ours: list[float] = []
    floor: list[float] = []
    file = folder / "get.db"
    with (
        Engine.open(file, config=CORE) as engine,
        closing(apsw.Connection(str(file))) as connection,
    ):
        ids = list(engine.remember_many(drafts(count)).ids)

        def ask_engine(some: list[str]) -> None:
            for each in some:
                engine.get(each)

        def ask_sqlite(some: list[str]) -> None:
            for each in some:
                connection.execute(sql, (each,)).fetchone()

        for _ in range(15):
            some = rng.choices(ids, k=reads)
            ours.append(seconds(partial(ask_engine, some)) / reads)
            floor.append(seconds(partial(ask_sqlite, some)) / reads)
    return cost("get", ours, floor, at_most=4)


def adbc_export(file: Path, folder: Path, queries: dict[str, Query]) -> None:
    """Read the rows of an export with the ADBC driver and write them with pyarrow."""
    folder.mkdir()
    with adbc.connect(str(file)) as connection, connection.cursor() as cursor:
        for name, (sql, values) in queries.items():
            cursor.execute(sql, values)
            table = cursor.fetch_arrow_table()
            pq.write_table(table, folder / f"{name}.parquet", compression="zstd")


def export(folder: Path, count: int, repeats: int) -> Figure:
    """Compare a Parquet export with ADBC and pyarrow on the same rows, by the same SQL."""
    file = folder / "export.db"
    with Engine.open(file, config=CORE) as engine:
        engine.remember_many(drafts(count))
        tables: Any = engine.store.tables
        queries = {name: tables.query(name, EVERYTHING) for name in ("memories", "versions")}
    ours: list[float] = []
    floor: list[float] = []
    for number in range(repeats):
        with Engine.open(file, config=CORE) as engine:
            target = folder / f"ours{number}"
            ours.append(seconds(partial(engine.export, target)))
        target = folder / f"adbc{number}"
        floor.append(seconds(partial(adbc_export, file, target, queries)))
    return rate(f"Parquet export of {count:,} memories", count, ours, floor, at_least=0.5)


def memory(folder: Path, count: int) -> Figure:
    """Take the peak memory of a process that exports a large store."""
    file = folder / "large.db"
    with Engine.open(file, config=CORE) as engine:
        engine.remember_many(drafts(count))
    command = [sys.executable, "-c", CHILD, str(file), str(folder / "large")]
    said = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    peak = int(said.stdout) / 1024
    return Figure(
        name=f"peak memory of exporting {count:,} memories",
        ours=peak,
        floor=None,
        unit="MiB",
        ratio=peak / MEMORY_BAR_MIB,
        bar=f"< {MEMORY_BAR_MIB} MiB",
        met=peak < MEMORY_BAR_MIB,
    )


def show(figures: list[Figure]) -> None:
    """Print the figures as a table."""
    print(f"{'':46} {'ours':>12} {'floor':>12} {'unit':>7} {'ratio':>6}  bar")
    for each in figures:
        floor = "" if each.floor is None else f"{each.floor:,.1f}"
        print(
            f"{each.name:46} {each.ours:>12,.1f} {floor:>12} {each.unit:>7} {each.ratio:>6.2f}  "
            f"{each.bar}: {'met' if each.met else 'MISSED'}"
        )


def save(figures: list[Figure], file: Path) -> None:
    """Keep the figures with what they were measured with."""
    record = {
        "command": "make bench",
        "python": platform.python_version(),
        "sqlite": apsw.sqlite_lib_version(),
        "figures": [asdict(each) for each in figures],
    }
    file.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n")


def main() -> int:
    """Measure, print, and tell by the exit code whether every bar was met."""
    parser = argparse.ArgumentParser(description="The core's speed, as ratios to a bare floor.")
    parser.add_argument("--quick", action="store_true", help="fewer rows, no bar on memory")
    parser.add_argument("--only", help="bulk, single, get, export or memory")
    parser.add_argument("--save", type=Path, metavar="FILE", help="keep the figures as JSON")
    options = parser.parse_args()
    rows, repeats = (10_000, 3) if options.quick else (100_000, 5)
    plan: dict[str, Callable[[Path], Figure]] = {
        "bulk": lambda folder: bulk(folder, rows, repeats),
        "single": lambda folder: single(folder, 300 if options.quick else 1000),
        "get": lambda folder: get(folder, rows, 2000),
        "export": lambda folder: export(folder, rows, repeats),
    }
    if not options.quick:
        plan["memory"] = lambda folder: memory(folder, 1_000_000)
    figures = []
    for name, measure in plan.items():
        if options.only in (None, name):
            with tempfile.TemporaryDirectory() as folder:
                figures.append(measure(Path(folder)))
    show(figures)
    if options.save is not None:
        save(figures, options.save)
    return 0 if all(each.met for each in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
