"""What dreams cost: full, incremental, and what learning from recalls takes of a recall.

    python evals/bench/dreaming.py                 10,000 and 100,000 memories
    python evals/bench/dreaming.py --quick         1,000 and 4,000, to see that all works
    python evals/bench/dreaming.py --save FILE     keep the figures as JSON

Each size runs in a process of its own, which tells how much memory it had at most. The memories are
made up: a tenth are said twice in other words, a tenth differ from another in a number alone. Their
vectors are those of the hashing embedder, and the indexes lie beside the database, as they do for a
user. Exit code 1 where a bar is missed.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path

from dreaming_recalls import recording
from retrieval_figures import Report, at_most, progress, within

SIZES, QUICK = (10_000, 100_000), (1_000, 4_000)
NEW = 1_000
MINUTES_BAR, GIB_BAR, SHARE_BAR, EXPONENT_BAR = 10.0, 3.0, 0.05, 1.35


def measured(size: int, new: int, folder: Path) -> dict[str, float]:
    """Return the figures of one size, from a process of its own."""
    progress(f"{size:,} memories")
    child = Path(__file__).with_name("dreaming_worker.py")
    done = subprocess.run(  # noqa: S603 - our own file
        [sys.executable, str(child), str(folder / f"{size}.db"), str(size), str(new)],
        check=True,
        capture_output=True,
        text=True,
    )
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def measure(report: Report, sizes: tuple[int, int], *, new: int) -> None:
    """Put the figures of both sizes into the report."""
    with tempfile.TemporaryDirectory() as folder:
        few, many = (measured(size, new, Path(folder)) for size in sizes)
    size = sizes[-1]
    exponent = math.log(many["full_s"] / few["full_s"]) / math.log(sizes[1] / sizes[0])
    report.add(
        within("a full dream", size, many["full_s"] / 60, MINUTES_BAR, unit="min"),
        within("memory at most", size, many["peak_gib"], GIB_BAR, unit="GiB"),
        # Below some 20,000 vectors all are compared, above a graph is walked: it grows by steps.
        within(
            f"growth from {sizes[0]:,}: exponent of the time", size, exponent, EXPONENT_BAR, unit=""
        ),
        at_most(
            f"a dream after {new:,} new memories to the full one",
            size,
            many["incremental_s"],
            many["full_s"],
            unit="s",
            bar=SHARE_BAR,
        ),
    )
    for told, each in zip(sizes, (few, many), strict=True):
        for name, unit in (
            ("full_s", "s"), ("incremental_s", "s"), ("again_s", "s"), ("dry_run_s", "s"),
            ("undo_s", "s"), ("index_s", "s"), ("changes", ""), ("merged", ""),
        ):  # fmt: skip
            report.tell(name.removesuffix("_s").replace("_", " "), told, each[name], unit)
        for name in sorted(each):
            if name.startswith("step "):
                report.tell(name, told, each[name], "s")


def main() -> int:
    """Measure, print, and tell by the exit code whether every bar was met."""
    parser = argparse.ArgumentParser(description="What dreams cost.")
    parser.add_argument("--quick", action="store_true", help="small sizes")
    parser.add_argument("--json", action="store_true", help="print the record as JSON")
    parser.add_argument("--save", type=Path, metavar="FILE", help="keep the record as JSON")
    options = parser.parse_args()
    report = Report()
    measure(report, QUICK if options.quick else SIZES, new=NEW // 10 if options.quick else NEW)
    recording(report, memories=400 if options.quick else 2_000)
    command = "python evals/bench/dreaming.py"
    if options.json:
        print(json.dumps(report.record(command), indent=2, ensure_ascii=False))
    else:
        report.show()
    if options.save is not None:
        report.save(options.save, command)
    return 0 if report.met else 1


if __name__ == "__main__":
    sys.exit(main())
