"""What retrieval costs: against its bare parts, against peers, and as the memories grow.

    python evals/bench/retrieval.py                       10,000 and 100,000 memories, with peers
    python evals/bench/retrieval.py --sizes 100000,1000000 --kind hnsw
    python evals/bench/retrieval.py --only parts,words --no-peers
    python evals/bench/retrieval.py --save FILE           keep the figures as JSON

Ratios, exactness and recall are the gate (exit code 1 where a bar is missed); times are told and
nothing is asked of them. The vector of a question comes ready: embedding is reported apart.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import tempfile
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retrieval_figures import Report, at_most, progress
from retrieval_peers import PEERS
from retrieval_peers import measure as measure_peers
from retrieval_workload import Workload, workload

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engram_lab import Engine

SIZES = (10_000, 100_000)
PARTS = ("parts", "words", "following", "peers", "ingest")


def default_cache() -> Path:
    """Return where workloads and the peers' environment are kept between runs."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "engram-lab-bench"


@contextmanager
def place_of(kept: Path | None, rows: int) -> Iterator[Path]:
    """Yield the file of a store: a new one that goes, or one in a folder that stays."""
    if kept is None:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder) / "store.db"
    else:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept / f"store-{rows}.db"


def in_process(
    report: Report,
    data: Workload,
    engine: Engine,
    file: Path,
    options: argparse.Namespace,
    raw: dict[str, Any],
) -> None:
    """Measure what is compared with floors in this process."""
    import retrieval_parts as parts
    import retrieval_stages as stages
    import retrieval_words as words
    from retrieval_floors import Exact, FullText, Rows, Static, Terms

    terms = Terms(data.texts())
    static = Static(terms)
    gc.freeze()  # what the benchmark itself keeps alive is no part of anybody's time
    if "parts" in options.only:
        parts.neighbours(report, data, engine)
        bare = parts.bare_index(engine, data)
        times = parts.parts(report, data, engine, static=static, bare=bare, rows=Rows(file))
        raw[f"parts {data.rows}"] = {name: each.raw() for name, each in times.items()}
        stages.measure(report, data, engine)
        if options.profile is not None:
            stages.profiled(data, engine, options.profile)
    if "words" in options.only:
        full_text = FullText(data.texts())
        exact = Exact(terms)
        words.measure(report, data, engine, static=static, exact=exact, full_text=full_text)


def measure(
    report: Report, data: Workload, options: argparse.Namespace, raw: dict[str, Any]
) -> None:
    """Measure one size."""
    import retrieval_ours as ours
    import retrieval_parts as parts

    chosen, kind = options.only, options.kind
    with place_of(options.folder, data.rows) as file:
        if chosen - {"ingest"}:
            with ours.store_of(report, data, file, kind=kind) as engine:
                if {"parts", "words"} & chosen:
                    in_process(report, data, engine, file, options, raw)
                if "peers" in chosen:
                    ask, names = parts.asker(engine, data), options.peer or PEERS
                    measure_peers(report, data, ask, cache=options.cache, raw=raw, names=names)
        if "following" in chosen:
            ours.resident(report, data, file, kind=kind)
            ours.following(report, data, file, kind=kind)


def growth(report: Report, sizes: list[int], raw: dict[str, Any]) -> None:
    """Tell how a recall grows with the memories, where two sizes were measured."""
    import numpy as np

    p50 = {
        rows: float(
            np.median([np.median(times) for times in raw[f"parts {rows}"]["recall"].values()])
        )
        for rows in sizes
        if f"parts {rows}" in raw
    }
    for small, large in pairwise(sizes):
        if small in p50 and large in p50:
            title = f"hybrid recall: p50 against that at {small:,} rows"
            ours, floor = p50[large] / 1e3, p50[small] / 1e3
            bar = large / small
            report.add(at_most(title, large, ours, floor, unit="µs", bar=bar, strict=True))


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="What retrieval costs.")
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="numbers of memories")
    parser.add_argument("--kind", default="auto", help="index.kind: auto, exact, flat, hnsw or ivf")
    parser.add_argument("--only", default=",".join(PARTS), help=f"some of {', '.join(PARTS)}")
    parser.add_argument("--peers", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--peer", action="append", choices=PEERS, help="only this; may be repeated")
    parser.add_argument("--cache", type=Path, default=default_cache(), metavar="FOLDER")
    parser.add_argument("--folder", type=Path, help="keep the stores here, and use them again")
    parser.add_argument(
        "--profile", type=Path, metavar="FILE", help="where the time of recalls goes"
    )
    parser.add_argument("--json", action="store_true", help="print the record as JSON")
    parser.add_argument("--save", type=Path, metavar="FILE", help="keep the record as JSON")
    parser.add_argument("--raw", type=Path, metavar="FILE", help="keep every single time as JSON")
    options = parser.parse_args()
    options.sizes = sorted(int(size) for size in options.sizes.split(","))
    options.only = set(options.only.split(","))
    if not options.peers:
        options.only.discard("peers")
    if unknown := options.only - set(PARTS):
        parser.error(f"--only knows {', '.join(PARTS)}, and not {', '.join(sorted(unknown))}")
    return options


def command_of(arguments: list[str]) -> str:
    """Return what was called, without the folders and files, which are this machine's alone."""
    kept = []
    rest = iter(arguments)
    for each in rest:
        if each in {"--cache", "--folder", "--profile", "--save", "--raw"}:
            next(rest, None)
        else:
            kept.append(each)
    return " ".join(["python evals/bench/retrieval.py", *kept])


def main() -> int:
    """Measure, print, and tell by the exit code whether every bar was met."""
    options = arguments()
    report, raw = Report(), dict[str, Any]()
    for rows in options.sizes:
        progress(f"{rows:,} memories")
        measure(report, workload(options.cache, rows), options, raw)
    growth(report, options.sizes, raw)
    if "ingest" in options.only:
        import retrieval_ingest

        with tempfile.TemporaryDirectory() as folder:
            retrieval_ingest.measure(report, Path(folder))
    command = command_of(sys.argv[1:])
    if options.json:
        print(json.dumps(report.record(command), indent=2, ensure_ascii=False))
    else:
        report.show()
    if options.save is not None:
        report.save(options.save, command)
    if options.raw is not None:
        options.raw.write_text(json.dumps(raw))
    return 0 if report.met else 1


if __name__ == "__main__":
    sys.exit(main())
