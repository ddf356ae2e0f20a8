"""LoCoMo's sessions through `engram eval run`: kept whole, or as the turns that they are made of.

    ENGRAM_DATA=DIR python evals/quality/sessions.py               print the figures
    ENGRAM_DATA=DIR python evals/quality/sessions.py --save FILE   keep them

Exit code 1 where the conversation profile puts a session that answers first for fewer than 76 % of
the questions of categories 1 to 4. Its weights never saw the conversation that they are judged on.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Final

from engram_lab.core.errors import DatasetMissingError
from engram_lab.evaluation.datasets.catalogue import cache_folder
from engram_lab.evaluation.running.evaluate import dataset_of, run_suite
from engram_lab.evaluation.suites import load_suite
from engram_lab.evaluation.systems import load_system

SYSTEMS: Final = ("bm25", "weighted", "neutral", "by-hand", "conversation")
MEASURES: Final = ("recall_any@10", "R@10", "nDCG@10", "Success@1")
FIRST: Final = 0.76


def evaluated(out: Path) -> dict[str, Any]:
    """Return what each system reached, and on which data."""
    suite = load_suite("locomo-session")
    dataset = dataset_of(suite)
    folder = run_suite(
        suite,
        [load_system(name) for name in SYSTEMS],
        out=out,
        dataset=dataset,
        cache=cache_folder().parent / "vectors.db",
        fresh=True,
        guards=False,
    )
    systems = [
        {
            "name": each["name"],
            "measures": _kept(each["measures"]),
            "categories": {"adversarial": _kept(each["categories"]["adversarial"])},
        }
        for each in folder.results["systems"]
    ]
    return {"command": "python evals/quality/sessions.py", "data": dataset.hash, "systems": systems}


def _kept(measures: dict[str, Any]) -> dict[str, Any]:
    return {name: measures[name] for name in MEASURES}


def main() -> int:
    """Evaluate, print, and say whether the bar was met."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--save", type=Path, metavar="FILE", help="keep the figures")
    parser.add_argument("--out", type=Path, metavar="DIR", default=Path("runs/quality/sessions"))
    chosen = parser.parse_args()
    try:
        found = evaluated(chosen.out)
    except DatasetMissingError as error:
        print(f"skipped: {error}", file=sys.stderr)
        return 0
    print(f"{'':16}" + "".join(f"{name:>14}" for name in MEASURES))
    for each in found["systems"]:
        means = [100 * each["measures"][name]["mean"] for name in MEASURES]
        print(f"{each['name']:16}" + "".join(f"{mean:14.1f}" for mean in means))
    if chosen.save is not None:
        chosen.save.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0 if found["systems"][-1]["measures"]["Success@1"]["mean"] >= FIRST else 1


if __name__ == "__main__":
    sys.exit(main())
