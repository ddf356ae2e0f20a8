"""How the benchmark of dreams comes out from world to world: merging and updating on many seeds.

    python evals/quality/worlds.py               print the figures
    python evals/quality/worlds.py --save FILE   keep them

One world says little: names, values and chances differ, and with them what is hard. Each seed makes
a world of its own, of both wordings; the rules that merge and supersede were not made with any of
these in sight. Exit code 1 where the median world misses a bar.
"""

from __future__ import annotations

import argparse
import json
import operator
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from engram_lab.evaluation.consolidation.benchmark import run_benchmark

SEEDS: Final = tuple(range(5001, 5011))
SIZE: Final = 1000
TASKS: Final = ("merging", "updating")
BARS: Final = {
    "merge_precision": ("≥", 0.98),
    "merge_recall": ("≥", 0.90),
    "near_miss_overmerge": ("≤", 0.005),
    "stale@1": ("≤", 0.02),
}
"""Of worlds that are told plainly."""

TOLD: Final = (
    *BARS,
    "current@1",
    "as_of_accuracy",
    "merge_precision.reworded",
    "merge_recall.reworded",
    "near_miss_overmerge.reworded",
    "current@1.reworded",
    "stale@1.reworded",
)
MEETS: Final = {"≥": operator.ge, "≤": operator.le}


def world(seed: int, folder: Path) -> dict[str, float]:
    """Return what a dream by default reaches in a world."""
    run = run_benchmark(out=folder / str(seed), size=SIZE, seed=seed, tasks=TASKS)
    (dream,) = (each for each in run.results["systems"] if each["name"] == "dream")
    return {name: dream["measures"][name]["mean"] for name in TOLD}


def summary(worlds: dict[str, dict[str, float]]) -> dict[str, dict[str, Any]]:
    """Return the spread of each measure, and how many worlds meet its bar."""
    found: dict[str, dict[str, Any]] = {}
    for name in TOLD:
        values = [each[name] for each in worlds.values()]
        told: dict[str, Any] = {
            "least": min(values),
            "median": statistics.median(values),
            "most": max(values),
        }
        if name in BARS:
            sign, bar = BARS[name]
            told |= {
                "bar": f"{sign} {100 * bar:g}",
                "met": bool(MEETS[sign](told["median"], bar)),
                "worlds that meet it": sum(MEETS[sign](value, bar) for value in values),
            }
        found[name] = told
    return found


def main() -> int:
    """Measure, print, and say whether the median world meets every bar."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--save", type=Path, metavar="FILE", help="keep the figures")
    chosen = parser.parse_args()
    worlds = {}
    with tempfile.TemporaryDirectory() as folder:
        for seed in SEEDS:
            worlds[str(seed)] = world(seed, Path(folder))
            print(f"world {seed}", file=sys.stderr)
    found = summary(worlds)
    for name, each in found.items():
        spread = " ".join(f"{100 * each[part]:6.1f}" for part in ("least", "median", "most"))
        print(f"{name:32}{spread}  {each.get('bar', '')}")
    if chosen.save is not None:
        record = {
            "command": "python evals/quality/worlds.py",
            "size": SIZE,
            "measures": found,
            "worlds": worlds,
        }
        chosen.save.write_text(
            json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
        )
    return 0 if all(each.get("met", True) for each in found.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
