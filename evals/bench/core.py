"""What the core costs, as ratios to a bare floor that is measured beside it in the same run.

    python evals/bench/core.py             the gate: all bars, exit code 1 where one is missed
    python evals/bench/core.py --quick     a tenth of the rows, no bar on memory
    python evals/bench/core.py --json      for a program to read

Ours and the floor take turns, and each figure is a median: what the machine does beside hits both.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import adbc_driver_sqlite.dbapi as adbc
import apsw
import pyarrow.parquet as pq

from engram_lab import Engine, EngineConfig
from engram_lab.core.selection import EVERYTHING
from engram_lab.core.sqlite.rows import select_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SEED = 20261121


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One comparison: `ratio` is held against `bar`, from above or from below."""

    name: str
    ours: float
    floor: float | None
    unit: str
    ratio: float
    bar: str
    met: bool


def drafts(count: int) -> list[dict[str, Any]]:
    """Return memories of about 80 characters with two tags and two metadata fields each."""
    rng = random.Random(SEED)
    words = ["harbour", "tide", "bread", "choir"] + [f"word{number}" for number in range(3000)]
    return [
        {
            "content": " ".join(rng.choices(words, k=14)),
            "tags": ["bench", f"tag{number % 50}"],
            "metadata": {"k": number % 100, "source": "bench"},
        }
        for number in range(count)
    ]


TABLES = ("changes", "memories", "memory_tags", "memory_metadata")


def stored_rows(file: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return what a store holds of its memories, table by table, as the floor will insert it."""
    with closing(apsw.Connection(str(file))) as connection:
        rows = {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in TABLES}
        rows["memories_fts"] = connection.execute(
            "SELECT pk, content, tags FROM searchable"
        ).fetchall()
    return rows


def bare(file: Path) -> apsw.Connection:
    """Open an empty store without our code: the same schema and the same durability."""
    Engine.open(file).close()
    connection = apsw.Connection(str(file))
    for name, value in (
        ("journal_mode", "wal"),
        ("synchronous", "full"),
        ("secure_delete", 1),
        ("foreign_keys", 1),
        ("cache_size", -65536),
    ):
        connection.pragma(name, value)
    return connection


def insert_all(connection: apsw.Connection, rows: dict[str, list[tuple[Any, ...]]]) -> None:
    """Insert the rows of every table and of the text index in one transaction."""
    connection.execute("BEGIN IMMEDIATE")
    for name, values in rows.items():
        columns = "(rowid, content, tags)" if name == "memories_fts" else ""
        marks = ", ".join("?" * len(values[0]))
        connection.executemany(f"INSERT INTO {name} {columns} VALUES ({marks})", values)
    connection.execute("COMMIT")


def seconds(work: Callable[[], object]) -> float:
    """Return how long the work takes; rubbish left by others is collected before."""
    gc.collect()
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def bulk(folder: Path, count: int, repeats: int) -> Figure:
    """Compare `remember_many` with bare `executemany` into the same tables."""
    given = drafts(count)
    ours: list[float] = []
    floor: list[float] = []
    for number in range(repeats):
        file = folder / f"bulk{number}.db"
        with Engine.open(file) as engine:
            ours.append(seconds(lambda engine=engine: engine.remember_many(given)))
        rows = stored_rows(file)
        file.unlink()
        with closing(bare(folder / f"bare{number}.db")) as connection:
            floor.append(seconds(lambda c=connection, r=rows: insert_all(c, r)))
        (folder / f"bare{number}.db").unlink()
    mine, theirs = count / statistics.median(ours), count / statistics.median(floor)
    return Figure(
        name=f"remember_many of {count:,} rows",
        ours=mine,
        floor=theirs,
        unit="rows/s",
        ratio=mine / theirs,
        bar=">= 0.5",
        met=mine / theirs >= 0.5,
    )


def single(folder: Path, count: int) -> Figure:
    """Compare one durable `remember` with a bare durable commit of the same rows."""
    given = drafts(count)
    with Engine.open(folder / "first.db") as engine:
        engine.remember_many(given)
    rows = stored_rows(folder / "first.db")
    per_memory = list(by_memory(rows, count))
    ours: list[float] = []
    floor: list[float] = []
    with (
        Engine.open(folder / "single.db") as engine,
        closing(bare(folder / "single-bare.db")) as connection,
    ):
        for draft, inserts in zip(given, per_memory, strict=True):
            start = time.perf_counter()
            engine.remember(**draft)
            middle = time.perf_counter()
            insert_all(connection, inserts)
            floor.append(time.perf_counter() - middle)
            ours.append(middle - start)
    mine, theirs = statistics.median(ours) * 1e6, statistics.median(floor) * 1e6
    return Figure(
        name="one durable remember",
        ours=mine,
        floor=theirs,
        unit="µs",
        ratio=mine / theirs,
        bar="<= 1.5",
        met=mine / theirs <= 1.5,
    )


def by_memory(
    rows: dict[str, list[tuple[Any, ...]]], count: int
) -> Iterator[dict[str, list[tuple[Any, ...]]]]:
    """Yield the rows of one memory after another; the number of its row is in each."""
    place = {"changes": 0, "memories": 0, "memory_tags": 1, "memory_metadata": 2, "memories_fts": 0}
    found: list[dict[str, list[tuple[Any, ...]]]] = [
        {name: [] for name in place} for _ in range(count)
    ]
    for name, values in rows.items():
        for row in values:
            found[row[place[name]] - 1][name].append(row)
    return iter(found)


def point(folder: Path, count: int, reads: int) -> Figure:
    """Compare `get` with a bare SELECT of the same columns."""
    file = folder / "point.db"
    sql = f"SELECT {select_columns('m', private=False)} FROM memories AS m WHERE m.id = ?"
    rng = random.Random(SEED)
    ours: list[float] = []
    floor: list[float] = []
    with Engine.open(file) as engine, closing(apsw.Connection(str(file))) as connection:
        ids = list(engine.remember_many(drafts(count)).ids)
        for _ in range(15):
            some = rng.choices(ids, k=reads)
            ours.append(seconds(lambda s=some: [engine.get(id_) for id_ in s]))
            floor.append(
                seconds(lambda s=some: [connection.execute(sql, (i,)).fetchone() for i in s])
            )
    mine, theirs = (statistics.median(each) / reads * 1e6 for each in (ours, floor))
    return Figure(
        name="get",
        ours=mine,
        floor=theirs,
        unit="µs",
        ratio=mine / theirs,
        bar="<= 4",
        met=mine / theirs <= 4,
    )


Query = tuple[str, list[Any]]


def export_queries(engine: Engine) -> dict[str, Query]:
    """Return the SQL behind the two tables that hold rows here, to be given to ADBC as it is."""
    tables: Any = engine.store.tables
    return {name: tables.query(name, EVERYTHING) for name in ("memories", "versions")}


def adbc_export(file: Path, folder: Path, queries: dict[str, Query]) -> None:
    """Read the rows of an export with the ADBC driver and write them with pyarrow."""
    folder.mkdir()
    with adbc.connect(str(file)) as connection, connection.cursor() as cursor:
        for name, (sql, values) in queries.items():
            cursor.execute(sql, values)
            table = cursor.fetch_arrow_table()
            pq.write_table(table, folder / f"{name}.parquet", compression="zstd")


def export(folder: Path, count: int, repeats: int) -> Figure:
    """Compare a Parquet export with ADBC and pyarrow on the same rows."""
    file = folder / "export.db"
    with Engine.open(file) as engine:
        engine.remember_many(drafts(count))
        queries = export_queries(engine)
    ours: list[float] = []
    floor: list[float] = []
    for number in range(repeats):
        with Engine.open(file) as engine:
            target = folder / f"ours{number}"
            ours.append(seconds(lambda e=engine, t=target: e.export(t)))
        target = folder / f"adbc{number}"
        floor.append(seconds(lambda t=target: adbc_export(file, t, queries)))
    mine, theirs = count / statistics.median(ours), count / statistics.median(floor)
    return Figure(
        name=f"Parquet export of {count:,} memories",
        ours=mine,
        floor=theirs,
        unit="rows/s",
        ratio=mine / theirs,
        bar=">= 0.5",
        met=mine / theirs >= 0.5,
    )


CHILD = """
import re, sys
from pathlib import Path
from engram_lab import Engine
with Engine.open(sys.argv[1], read_only=True) as engine:
    engine.export(sys.argv[2])
# Not ru_maxrss: a process inherits that of the one that started it.
print(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
"""


def memory(folder: Path, count: int) -> Figure:
    """Take the peak memory of a process that exports a large store."""
    file = folder / "large.db"
    with Engine.open(file, config=EngineConfig()) as engine:
        engine.remember_many(drafts(count))
    said = subprocess.run(
        [sys.executable, "-c", CHILD, str(file), str(folder / "large")],
        capture_output=True,
        text=True,
        check=True,
    )
    peak = int(said.stdout) / 1024
    return Figure(
        name=f"peak memory of exporting {count:,} memories",
        ours=peak,
        floor=None,
        unit="MiB",
        ratio=peak / 400,
        bar="< 400 MiB",
        met=peak < 400,
    )


def show(figures: list[Figure]) -> None:
    """Print the figures as a table."""
    print(f"{'':46} {'ours':>12} {'floor':>12} {'unit':>7} {'ratio':>6}  bar")
    for each in figures:
        floor = "" if each.floor is None else f"{each.floor:,.1f}"
        verdict = "met" if each.met else "MISSED"
        print(
            f"{each.name:46} {each.ours:>12,.1f} {floor:>12} {each.unit:>7} {each.ratio:>6.2f}  "
            f"{each.bar} {verdict}"
        )


def main() -> int:
    """Measure, print, and tell by the exit code whether every bar was met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rows, no bar on memory")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--only", help="the one figure whose function has this name")
    options = parser.parse_args()
    rows, repeats = (10_000, 3) if options.quick else (100_000, 5)
    plan: dict[str, Callable[[Path], Figure]] = {
        "bulk": lambda folder: bulk(folder, rows, repeats),
        "single": lambda folder: single(folder, 300 if options.quick else 1000),
        "point": lambda folder: point(folder, rows, 2000),
        "export": lambda folder: export(folder, rows, repeats),
    }
    if not options.quick:
        plan["memory"] = lambda folder: memory(folder, 1_000_000)
    figures = []
    for name, measure in plan.items():
        if options.only in (None, name):
            with tempfile.TemporaryDirectory() as folder:
                figures.append(measure(Path(folder)))
    if options.json:
        print(json.dumps([asdict(each) for each in figures], indent=2))
    else:
        show(figures)
    return 0 if all(each.met for each in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
