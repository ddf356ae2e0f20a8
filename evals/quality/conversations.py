"""The conversation profile on LoCoMo's turns, and what each of its features adds.

    ENGRAM_DATA=DIR python evals/quality/conversations.py               print the tables
    ENGRAM_DATA=DIR python evals/quality/conversations.py --save FILE   keep the figures
    ENGRAM_DATA=DIR python evals/quality/conversations.py --reuse       features as gathered before

The features of all candidates are gathered once. Each row learns its own weights anew, on nine of
the ten conversations, and is judged on the tenth, for each in turn: without one feature, without a
family of them, with one family alone, with one more, and each beside plain words and a cosine. A
difference to the whole, or to those two, comes with its 95 % interval, for which conversations are
drawn, and p of the paired randomisation test, after Holm's correction over the rows of its table.
As a control, answers are drawn by lot among the candidates: what is then found must be what chance
finds. Above the rows stand the systems of `engram eval run`, which answer a question that has words
in quotation marks to the letter; the rows know features alone. Exit code 1 where a figure of the
systems lies below its bar, or the control is off.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl
from conversation_tables import print_all
from conversation_taught import MEASURES, Material, Scores, families, gathered, variants

from engram_lab.core.errors import DatasetMissingError
from engram_lab.evaluation.datasets.catalogue import cache_folder
from engram_lab.evaluation.running.evaluate import dataset_of, run_suite
from engram_lab.evaluation.runs.environment import code_of_this_package, environment
from engram_lab.evaluation.statistics.bootstrap import estimate
from engram_lab.evaluation.statistics.comparing import compare
from engram_lab.evaluation.statistics.holm import holm
from engram_lab.evaluation.suites import load_suite
from engram_lab.evaluation.systems import load_system
from engram_lab.retrieval.embedders.minilm import is_available
from engram_lab.retrieval.profiles import BY_HAND, shipped_record

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engram_lab.evaluation.datasets.dataset import Dataset
    from engram_lab.evaluation.suite import Suite

LADDER: Final = ("bm25", "dense", "rrf", "weighted", "neutral", "by-hand", "conversation")

APART: Final = "adversarial"
"""LoCoMo's category 5, which is no part of the headline."""

LEARNED, HAND, SEEN = "conversation", "by-hand", "seen"

BARS: Final = {
    (LEARNED, "headline"): {"recall_any@10": 90.5, "R@10": 84.0, "nDCG@10": 69.0},
    (LEARNED, "all"): {"recall_any@10": 89.0},
    (HAND, "headline"): {"recall_any@10": 85.0},
}
"""By row and group, the least that must be reached, in points."""

KEYS: Final = ("query_id", "category", "cluster")

PLAIN: Final = ("words", "cosine")
"""What each feature is put beside to be seen by itself: what any hybrid search has."""

LOTS: Final = 10
"""How often answers are drawn by lot."""

RARE: Final = 0.01
"""A miss of the control that chance has less often is none of chance."""


@dataclass(kw_only=True)
class Rows:
    """The rows, as they are made.

    Attributes:
        material: What they are made of.
        told: By table, then by row: what is kept.
        frames: The measures by question of the rows that others are compared with.
    """

    material: Material
    told: dict[str, dict[str, Any]] = field(default_factory=dict)
    frames: dict[str, pl.DataFrame] = field(default_factory=dict)

    def add(
        self,
        table: str,
        name: str,
        scores: Scores,
        *,
        against: str | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        """Judge a row, compared with one that is there."""
        frame = self.material.judged(scores)
        row = {**means(frame), **(more or {})}
        if against is None:
            self.frames[name] = frame
            row["interval"] = intervals(frame)
        else:
            row["less"] = less(frame, self.frames[against])
        self.told.setdefault(table, {})[name] = row
        shown = " ".join(f"{row['headline'][each]:6.2f}" for each in MEASURES)
        print(f"{table:28} {name:26} {shown}", file=sys.stderr, flush=True)

    def adjust(self) -> None:
        """Add Holm's correction, over the rows of each table and by measure."""
        for rows in self.told.values():
            compared = [row["less"] for row in rows.values() if "less" in row]
            for measure in MEASURES:
                adjusted = holm([each[measure]["p"] for each in compared])
                for each, p in zip(compared, adjusted, strict=True):
                    each[measure]["p_adjusted"] = p


def means(frame: pl.DataFrame) -> dict[str, Any]:
    """Return the measures in points: of categories 1 to 4, of all, and of each."""
    return {
        "headline": _points(headline_of(frame)),
        "all": _points(frame),
        "by category": {
            str(key[0]): _points(part)
            for key, part in sorted(frame.partition_by("category", as_dict=True).items())
        },
    }


def headline_of(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the questions of categories 1 to 4."""
    return frame.filter(pl.col("category") != APART)


def _points(frame: pl.DataFrame) -> dict[str, float]:
    return _shares(frame.select(MEASURES).to_numpy())


def intervals(frame: pl.DataFrame) -> dict[str, list[float]]:
    """Return the 95 % intervals of the headline, for which conversations are drawn."""
    some = headline_of(frame)
    found = estimate(some.select(MEASURES).to_numpy(), some["cluster"].to_list())
    return {
        name: [round(100 * each.low, 2), round(100 * each.high, 2)]
        for name, each in zip(MEASURES, found, strict=True)
    }


def less(frame: pl.DataFrame, base: pl.DataFrame) -> dict[str, dict[str, float]]:
    """Return how a row differs from another over the headline, by measure."""
    contrasts = compare(base, frame, measures=MEASURES, apart=(APART,), categories=False).contrasts
    return {
        each.measure: {
            "delta": round(100 * each.delta, 2),
            "low": round(100 * each.low, 2),
            "high": round(100 * each.high, 2),
            "p": each.p,
        }
        for each in contrasts
    }


def rows_of(material: Material) -> Rows:
    """Return every row."""
    rows, shipped = Rows(material=material), shipped_record()
    names = list(shipped.features)
    scores, whole = material.learned(names, shipped.weights)
    rows.add("whole", LEARNED, scores, more={"features": names})
    by_hand = {name: weight for name, weight in BY_HAND.weights.items() if weight}
    rows.add(
        "whole", HAND, material.weighed(by_hand, unit_range=True), more={"features": [*by_hand]}
    )
    seen = material.weighed(whole, unit_range=False)
    rows.add("judged on what it saw", SEEN, seen, against=LEARNED)
    for table, name, some in variants(names, material.names):
        more: dict[str, Any] = {"features": len(some)}
        if "family" not in table:
            more["varies"] = round(material.varies(name), 4)
        scores, _ = material.learned(some, whole)
        rows.add(table, name, scores, against=LEARNED, more=more)
    for family, members in families(list(by_hand)).items():
        some_by_hand = {name: each for name, each in by_hand.items() if name not in members}
        scores = material.weighed(some_by_hand, unit_range=True)
        more = {"features": len(some_by_hand)}
        rows.add("by hand, without a family", family, scores, against=HAND, more=more)
    add_beside(rows)
    rows.adjust()
    return rows


def add_beside(rows: Rows) -> None:
    """Judge each feature by itself, beside nothing but words and a cosine."""
    material, plain = rows.material, " and ".join(PLAIN)
    scores, _ = material.learned(PLAIN)
    rows.add("plain", plain, scores, more={"features": [*PLAIN]})
    for name in material.names:
        if name not in PLAIN:
            scores, _ = material.learned([*PLAIN, name])
            more = {"varies": round(material.varies(name), 4)}
            rows.add("beside words and cosine", name, scores, against=plain, more=more)


def control(material: Material) -> dict[str, Any]:
    """Return what is found where answers are drawn by lot, and what chance finds."""
    names, chance = (
        list(shipped_record().features),
        material.by_chance().select(MEASURES).to_numpy(),
    )
    values = np.zeros(chance.shape)
    for seed in range(LOTS):
        drawn = material.permuted(seed)
        frame = drawn.judged(drawn.learned(names)[0])
        values += frame.select(MEASURES).to_numpy() / LOTS
    off = estimate(values - chance, material.queries["cluster"].to_list(), level=1 - RARE)
    return {
        "lots": LOTS,
        "learned": _shares(values),
        "chance": _shares(chance),
        "apart": {
            name: [round(100 * each.low, 2), round(100 * each.high, 2)]
            for name, each in zip(MEASURES, off, strict=True)
        },
        "holds": all(each.low <= 0 <= each.high for each in off),
    }


def _shares(values: NDArray[np.float64]) -> dict[str, float]:
    means = (100 * values.mean(axis=0)).round(2).tolist()
    return dict(zip(MEASURES, means, strict=True))


def ladder(suite: Suite, dataset: Dataset, out: Path) -> dict[str, pl.DataFrame]:
    """Return the measures by question of the systems that the profile stands beside."""
    folder = run_suite(
        suite,
        [load_system(name) for name in LADDER],
        out=out,
        dataset=dataset,
        cache=cache_folder().parent / "vectors.db",
        fresh=True,
        guards=False,
    )
    return {name: folder.of(name).select([*KEYS, *MEASURES]) for name in LADDER}


def verdict(rows: Mapping[str, Any], drawn: Mapping[str, Any]) -> list[str]:
    """Return what is not as it should be."""
    wrong = [
        f"{name} ({group}): {measure} is {rows[name][group][measure]}, below {least}"
        for (name, group), bars in BARS.items()
        for measure, least in bars.items()
        if rows[name][group][measure] < least
    ]
    return wrong if drawn["holds"] else [*wrong, "answers drawn by lot are found beyond chance"]


def told_of(suite: Suite, dataset: Dataset, out: Path, *, reuse: bool) -> dict[str, Any]:
    """Return all that is kept."""
    material = gathered(suite, dataset, out / "features.npz", reuse=reuse)
    return {
        "command": "python evals/quality/conversations.py",
        **about(material, dataset),
        **systems_of(suite, dataset, out / "ladder"),
        "rows": rows_of(material).told,
        "control": control(material),
    }


def about(material: Material, dataset: Dataset) -> dict[str, Any]:
    """Return what was asked, of what, and with what."""
    few = (material.queries["category"] != APART).to_numpy()
    return {
        "data": {
            "id": dataset.id,
            "hash": dataset.hash,
            "questions": material.queries.height,
            "headline": int(few.sum()),
            "conversations": material.queries["cluster"].n_unique(),
        },
        "code": code_of_this_package(),
        "environment": environment(),
        "embedder": shipped_record().embedder,
        "candidates": {
            "mean": round(float(material.sizes.mean()), 1),
            "any": round(100 * float((material.found > 0)[few].mean()), 2),
            "R": round(100 * float((material.found / material.wanted)[few].mean()), 2),
        },
    }


def systems_of(suite: Suite, dataset: Dataset, out: Path) -> dict[str, Any]:
    """Return what `engram eval run` says of the systems, and how the profile differs from each."""
    frames = ladder(suite, dataset, out)
    systems = {name: means(each) | {"interval": intervals(each)} for name, each in frames.items()}
    return {
        "systems": systems,
        "conversation less": {
            name: less(frames[LEARNED], each) for name, each in frames.items() if name != LEARNED
        },
    }


def main() -> int:
    """Gather, learn, print, and say whether every bar is met."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--save", type=Path, metavar="FILE", help="keep the figures")
    parser.add_argument("--out", type=Path, metavar="DIR", default=Path("runs/conversation"))
    parser.add_argument("--reuse", action="store_true", help="features that lie in DIR")
    chosen = parser.parse_args()
    if not is_available():
        print("skipped: MiniLM is not installed, which most features need", file=sys.stderr)
        return 0
    suite = load_suite("locomo-turn")
    try:
        dataset = dataset_of(suite)
    except DatasetMissingError as error:
        print(f"skipped: {error}", file=sys.stderr)
        return 0
    record = told_of(suite, dataset, chosen.out, reuse=chosen.reuse)
    record |= {
        "wrong": (wrong := verdict(record["systems"], record["control"])),
        "holds": not wrong,
    }
    print_all(record)
    if chosen.save is not None:
        chosen.save.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return 0 if record["holds"] else 1


if __name__ == "__main__":
    sys.exit(main())
