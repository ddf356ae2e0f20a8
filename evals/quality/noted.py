"""LoCoMo and SciFact through `engram eval run`, beside figures that were noted or published before.

    ENGRAM_DATA=DIR python evals/quality/noted.py               every system
    ENGRAM_DATA=DIR python evals/quality/noted.py --save FILE   keep the figures

Noted on LoCoMo (turns, categories 1 to 4): measured once outside this package, with bm25s, FTS5,
NumPy and ranx, on the same file and with the same model. Published on SciFact: BEIR's figures of
BM25 (0.665 of its paper, 0.68 of later runs), and of all-MiniLM-L6-v2 (0.645). Exit code 1 where a
figure is further than half a point from the noted one, or a point from the published ones.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Final

from engram_lab.core.errors import DatasetMissingError
from engram_lab.evaluation.datasets.catalogue import cache_folder, load_dataset
from engram_lab.evaluation.running.evaluate import dataset_of, run_suite
from engram_lab.evaluation.suites import load_suite
from engram_lab.evaluation.systems import load_system

OWN: Final = Path(__file__).with_name("systems")

MEASURES: Final = ("R@1", "R@5", "R@10", "nDCG@10", "RR", "recall_any@10")

LOCOMO: Final[dict[str, tuple[float, ...] | None]] = {
    "fts5": (30.1, 52.5, 60.7, 46.6, 45.3, 67.3),
    "bm25": (30.6, 53.6, 60.9, 47.2, 46.0, 67.6),
    "dense": (15.3, 35.0, 43.9, 29.7, 28.3, 50.0),
    "rrf-fts5": (23.6, 47.2, 55.6, 40.8, 39.6, 62.4),
    "weighted-fts5": (27.9, 54.3, 63.8, 47.0, 45.0, 71.0),
    "rrf": None,
    "weighted": None,
    "context": None,
    "rerank": None,
}
"""By system, in the order of `MEASURES`; None where nothing was noted."""

SCIFACT: Final = {"bm25": (66.5, 68.0), "bm25-beir": (66.5, 68.0), "dense": (64.5, 64.5)}
"""nDCG@10: the lowest and the highest that was published."""

TOLERANCE: Final = {"locomo-turn": 0.5, "scifact": 1.0}


def evaluated(suite: str, systems: list[str], out: Path) -> dict[str, Any]:
    """Return what each system of a suite reached, by name."""
    chosen = load_suite("beir" if suite == "scifact" else suite)
    own = {file.stem: str(file) for file in OWN.glob("*.toml")}
    folder = run_suite(
        chosen,
        [load_system(own.get(name, name)) for name in systems],
        out=out / suite,
        dataset=load_dataset("scifact") if suite == "scifact" else dataset_of(chosen),
        cache=cache_folder().parent / "vectors.db",
        fresh=True,
        guards=False,
    )
    return {each["name"]: each for each in folder.results["systems"]}


def percent(result: dict[str, Any], measures: tuple[str, ...]) -> list[float]:
    """Return the means of a system, in points."""
    return [round(100 * result["measures"][name]["mean"], 2) for name in measures]


def locomo(out: Path) -> tuple[dict[str, Any], bool]:
    """Return the figures on LoCoMo, and whether the noted ones came out."""
    found = evaluated("locomo-turn", list(LOCOMO), out)
    figures, sound = {}, True
    print(f"{'':16}" + "".join(f"{name:>14}" for name in MEASURES))
    for name, noted in LOCOMO.items():
        ours = percent(found[name], MEASURES)
        off = max(abs(a - b) for a, b in zip(ours, noted, strict=True)) if noted else None
        sound = sound and (off is None or off <= TOLERANCE["locomo-turn"])
        said = "" if off is None else f"   {off:.2f} from the noted"
        print(f"{name:16}" + "".join(f"{value:14.1f}" for value in ours) + said)
        figures[name] = {"no5": ours, "noted": noted}
    return {"measures": MEASURES, "systems": figures}, sound


def scifact(out: Path) -> tuple[dict[str, Any], bool]:
    """Return nDCG@10 on SciFact, and whether each lies near what was published."""
    found = evaluated("scifact", list(SCIFACT), out)
    figures, sound = {}, True
    for name, (low, high) in SCIFACT.items():
        (ours,) = percent(found[name], ("nDCG@10",))
        off = round(max(low - ours, ours - high, 0.0), 2)
        if name != "bm25":  # whose parameters are others than those of the published figures
            sound = sound and off <= TOLERANCE["scifact"]
        print(f"SciFact {name:12} nDCG@10 {ours:.1f}, published {low} to {high}: {off} outside")
        figures[name] = {"ndcg": ours, "published": [low, high], "outside": off}
    return figures, sound


def main() -> int:
    """Evaluate, print, and say whether the figures are those that were expected."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--save", type=Path, metavar="FILE", help="keep the figures")
    parser.add_argument("--out", type=Path, metavar="DIR", default=Path("runs/quality"))
    chosen = parser.parse_args()
    try:
        on_locomo, near = locomo(chosen.out)
        on_scifact, also = scifact(chosen.out)
    except DatasetMissingError as error:
        print(f"skipped: {error}", file=sys.stderr)
        return 0
    if chosen.save is not None:
        record = {
            "command": "python evals/quality/noted.py",
            **on_locomo,
            "scifact": on_scifact,
        }
        chosen.save.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return 0 if near and also else 1


if __name__ == "__main__":
    sys.exit(main())
