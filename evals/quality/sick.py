"""Which sentences of SICK would a dream merge, and how many of those are not the same statement?

    ENGRAM_DATA=DIR python evals/quality/sick.py               print the figures of both parts
    ENGRAM_DATA=DIR python evals/quality/sick.py --save FILE   keep them

Of 4,927 test pairs those are taken for one statement that annotators call entailed, and 4.5 or more
out of 5 alike. Weights and tables were made on the training pairs alone. Beside the step as it is
set stand cosine alone, and cosine with the guards but without the model. Exit code 1 where more
than 1 % of the contradictions are merged, or precision is below 0.78 or recall below 0.50 on the
test pairs.

Source: M. Marelli et al., "A SICK cure for the evaluation of compositional distributional semantic
models", LREC 2014.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from engram_lab.config import DreamSettings
from engram_lab.consolidation.merge import Statement, compare, read
from engram_lab.consolidation.merge.simplified import simplified
from engram_lab.retrieval.embedders.minilm import MiniLmEmbedder, is_available

if TYPE_CHECKING:
    from numpy.typing import NDArray

PARTS: Final = {"train": "SICK_train.txt", "test": "SICK_test_annotated.txt"}
ALIKE: Final = 4.5
COSINES: Final = (0.85, 0.9, 0.95)
LEAST: Final = {"precision": 0.78, "recall": 0.5}
MOST_CONTRADICTIONS: Final = 0.01


class Pairs(NamedTuple):
    """The pairs of one part: texts, whether they are one statement, or contradict each other."""

    one: list[str]
    other: list[str]
    same: NDArray[np.bool_]
    against: NDArray[np.bool_]


def pairs_of(file: Path) -> Pairs:
    """Read one part."""
    with file.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    judged = [row["entailment_judgment"] for row in rows]
    scores = np.array([float(row["relatedness_score"]) for row in rows])
    return Pairs(
        [row["sentence_A"] for row in rows],
        [row["sentence_B"] for row in rows],
        (np.array(judged) == "ENTAILMENT") & (scores >= ALIKE),
        np.array(judged) == "CONTRADICTION",
    )


def cosines_of(pairs: Pairs, embedder: MiniLmEmbedder) -> NDArray[np.float32]:
    """Return the cosine of each pair."""
    texts = sorted({*pairs.one, *pairs.other})
    vectors = embedder.embed(texts, kind="document")
    places = {text: row for row, text in enumerate(texts)}
    one = vectors[[places[text] for text in pairs.one]]
    other = vectors[[places[text] for text in pairs.other]]
    return np.asarray((one * other).sum(axis=1), np.float32)


def figures(pairs: Pairs, merged: NDArray[np.bool_]) -> dict[str, float]:
    """Return precision, recall, and the share of the contradictions that would be merged."""
    return {
        "precision": round(float(pairs.same[merged].mean()), 4) if merged.any() else 1.0,
        "recall": round(float(merged[pairs.same].mean()), 4),
        "contradictions": round(float(merged[pairs.against].mean()), 4),
        "merged": int(merged.sum()),
    }


def measured(pairs: Pairs, cosines: NDArray[np.float32]) -> dict[str, Any]:
    """Return the figures of each way to decide, and which guards spoke."""
    settings = DreamSettings()
    texts = {*pairs.one, *pairs.other}
    read_once: dict[str, Statement] = {text: read(simplified(text)) for text in texts}
    verdicts = [
        compare(read_once[one], read_once[other], float(cosine))
        for one, other, cosine in zip(pairs.one, pairs.other, cosines, strict=True)
    ]
    scores = np.array([each.score for each in verdicts])
    free = np.array([each.difference is None for each in verdicts])
    told = {f"cosine {least}": figures(pairs, cosines >= least) for least in COSINES}
    told |= {f"guards, {least}": figures(pairs, free & (cosines >= least)) for least in COSINES}
    merged = (scores >= settings.merge_score) & (cosines >= settings.merge_cosine)
    told["merge"] = figures(pairs, merged)
    spoke = Counter(each.difference for each in verdicts if each.difference is not None)
    return {"pairs": len(cosines), "ways": told, "guards": dict(sorted(spoke.items()))}


def main() -> int:
    """Measure, print, and say whether the bars are reached."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--save", type=Path, metavar="FILE", help="keep the figures")
    parser.add_argument(
        "--part", action="append", choices=sorted(PARTS), help="only this part; both unless given"
    )
    chosen = parser.parse_args()
    folder = Path(os.environ.get("ENGRAM_DATA", "data")) / "sick"
    if not folder.is_dir() or not is_available():
        print(f"skipped: {folder} or the weights of MiniLM are not there", file=sys.stderr)
        return 0
    embedder, found = MiniLmEmbedder(), {}
    for part in chosen.part or sorted(PARTS):
        pairs = pairs_of(folder / PARTS[part])
        found[part] = measured(pairs, cosines_of(pairs, embedder))
        print(f"{part:14}{'precision':>10}{'recall':>8}{'contradictions':>16}{'merged':>8}")
        for way, told in found[part]["ways"].items():
            values = f"{told['precision']:10.3f}{told['recall']:8.3f}{told['contradictions']:16.4f}"
            print(f"{way:14}{values}{told['merged']:8}")
    if chosen.save is not None:
        record = {"command": "python evals/quality/sick.py", "model": "all-MiniLM-L6-v2", **found}
        chosen.save.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    if "test" not in found:
        return 0
    ours = found["test"]["ways"]["merge"]
    sound = ours["contradictions"] <= MOST_CONTRADICTIONS
    return 0 if sound and all(ours[name] >= least for name, least in LEAST.items()) else 1


if __name__ == "__main__":
    sys.exit(main())
