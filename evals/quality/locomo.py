"""Turn-level retrieval on LoCoMo through `Engine.recall`, part by part, beside the noted figures.

    ENGRAM_DATA=DIR python evals/quality/locomo.py               all systems
    ENGRAM_DATA=DIR python evals/quality/locomo.py --save FILE   keep the figures

One database for each conversation; a memory is a turn, `Speaker: text [shares image: caption]`;
what is relevant is the evidence of a question. Categories 1 to 4 and all five, means over
questions. Exit code 1 where a figure is further than half a point from the noted one.

Data: Maharana et al., "Evaluating Very Long-Term Conversational Memory of LLM Agents" (2024).
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engram_lab import Engine, EngineConfig

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

FILE = "locomo/locomo10.json"
ADVERSARIAL = 5
DEPTH = 100
TOLERANCE = 0.5

Settings = dict[str, dict[str, Any]]

HALF = {"dense_share": 0.499}
"""A hair less than half: at half the first of either arm gets exactly the same, and ids decide. The
noted figures come from a program that took the keyword arm's first."""

SYSTEMS: dict[str, Settings] = {
    "fts5": {"retrieval": {"strategy": "keyword", "lexical": "fts5"}},
    "bm25": {"retrieval": {"strategy": "keyword"}},
    "dense": {"retrieval": {"strategy": "semantic"}},
    "rrf": {"retrieval": {"strategy": "hybrid", "lexical": "fts5", "fusion": "rrf"}},
    "weighted": {"retrieval": {"strategy": "hybrid", "lexical": "fts5", **HALF}},
    "rrf, own bm25": {"retrieval": {"strategy": "hybrid", "fusion": "rrf"}},
    "weighted, own bm25": {"retrieval": {"strategy": "hybrid", **HALF}},
}

MEASURES = ("R@1", "R@5", "R@10", "nDCG@10", "RR", "Hit@10")

NOTED: dict[str, tuple[float, ...]] = {
    "fts5": (30.1, 52.5, 60.7, 46.6, 45.3, 67.3),
    "bm25": (30.6, 53.6, 60.9, 47.2, 46.0, 67.6),
    "dense": (15.3, 35.0, 43.9, 29.7, 28.3, 50.0),
    "rrf": (23.6, 47.2, 55.6, 40.8, 39.6, 62.4),
    "weighted": (27.9, 54.3, 63.8, 47.0, 45.0, 71.0),
}
"""Measured once outside this package (bm25s, NumPy, ranx), in the order of `MEASURES`."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question and the turns that answer it."""

    text: str
    category: int
    evidence: frozenset[str]


def turns_of(conversation: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the id and the text of each turn, in order."""
    for number in range(1, len(conversation)):
        for turn in conversation.get(f"session_{number}", ()):
            text = f"{turn['speaker']}: {turn['text']}"
            if caption := turn.get("blip_caption"):
                text += f" [shares image: {caption}]"
            yield turn["dia_id"], text


def questions_of(sample: Mapping[str, Any], known: set[str]) -> Iterator[Question]:
    """Yield the questions some of whose evidence is known; `D8:6; D9:17` is two, `D30:05` is 5."""
    for each in sample["qa"]:
        named = re.findall(r"D(\d+):(\d+)", " ".join(each.get("evidence", ())))
        evidence = {f"D{int(part)}:{int(turn)}" for part, turn in named} & known
        if evidence:
            yield Question(
                text=each["question"], category=each["category"], evidence=frozenset(evidence)
            )


def measured(ranked: Sequence[str], relevant: frozenset[str]) -> tuple[float, ...]:
    """Return the measures of one ranking, in the order of `MEASURES`."""
    hits = [each in relevant for each in ranked]
    gain = sum(1 / math.log2(place + 2) for place, hit in enumerate(hits[:10]) if hit)
    ideal = sum(1 / math.log2(place + 2) for place in range(min(10, len(relevant))))
    first = next((place for place, hit in enumerate(hits, 1) if hit), None)
    return (
        *(sum(hits[:k]) / len(relevant) for k in (1, 5, 10)),
        gain / ideal,
        1 / first if first else 0.0,
        float(any(hits[:10])),
    )


def engine_of(path: Path, system: Settings, cache: Path, model: str) -> Engine:
    """Return the engine of a system over a database."""
    settings: Settings = {
        "learning": {"record_recalls": False},
        "embedding": {"model": model, "cache": str(cache)},
        **system,
    }
    return Engine.open(path, config=EngineConfig.from_dict(settings))


def scores_of(
    sample: Mapping[str, Any], folder: Path, model: str
) -> dict[str, list[tuple[int, tuple[float, ...]]]]:
    """Return, for each system, category and measures of every question of a conversation."""
    path, cache = folder / f"{sample['sample_id']}.db", folder / "vectors.db"
    turns = dict(turns_of(sample["conversation"]))
    questions = list(questions_of(sample, set(turns)))
    with engine_of(path, {}, cache, model) as engine:
        report = engine.remember_many([{"content": text} for text in turns.values()])
    turn_of = dict(zip(report.ids, turns, strict=True))
    found: dict[str, list[tuple[int, tuple[float, ...]]]] = {}
    for name, system in SYSTEMS.items():
        with engine_of(path, system, cache, model) as engine:
            found[name] = [
                (
                    each.category,
                    measured(
                        [turn_of[hit.id] for hit in engine.recall(each.text, DEPTH)], each.evidence
                    ),
                )
                for each in questions
            ]
    return found


def means(rows: Sequence[tuple[float, ...]]) -> list[float]:
    """Return the mean of each measure, in percent."""
    return [round(100 * sum(column) / len(rows), 2) for column in zip(*rows, strict=True)]


def table(figures: Mapping[str, Mapping[str, Any]]) -> tuple[str, bool]:
    """Return the figures as text, and whether all noted ones are met."""
    head = "".join(f"{name:>9}" for name in MEASURES)
    lines, sound = [f"{'':20}{head}   furthest from the noted"], True
    for name, each in figures.items():
        row = "".join(f"{value:9.1f}" for value in each["no5"])
        noted = NOTED.get(name)
        said = ""
        if noted is not None:
            off = max(abs(ours - theirs) for ours, theirs in zip(each["no5"], noted, strict=True))
            sound = sound and off <= TOLERANCE
            said = f"   {off:.2f}{'' if off <= TOLERANCE else '  MISSED'}"
        lines.append(f"{name:20}{row}{said}")
    return "\n".join(lines), sound


def main() -> int:
    """Measure, print, and say whether the figures are the noted ones."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", default="minilm", help="the embedder (default: minilm)")
    parser.add_argument("--save", type=Path, metavar="FILE", help="keep the figures")
    chosen = parser.parse_args()
    root = os.environ.get("ENGRAM_DATA")
    if root is None or not (Path(root) / FILE).exists():
        print(f"skipped: ENGRAM_DATA names no folder that holds {FILE}", file=sys.stderr)
        return 0
    samples = json.loads((Path(root) / FILE).read_text())
    found: dict[str, list[tuple[int, tuple[float, ...]]]] = {name: [] for name in SYSTEMS}
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        for number, sample in enumerate(samples, 1):
            for name, rows in scores_of(sample, Path(folder), chosen.model).items():
                found[name] += rows
            spent = time.perf_counter() - start
            print(f"{number} of {len(samples)} conversations, {spent:.0f} s", file=sys.stderr)
    figures = {
        name: {
            "no5": means([row for category, row in rows if category != ADVERSARIAL]),
            "all": means([row for _, row in rows]),
            "questions": len(rows),
            "noted": NOTED.get(name),
        }
        for name, rows in found.items()
    }
    text, sound = table(figures)
    print(text)
    if chosen.save is not None:
        record = {
            "command": f"python evals/quality/locomo.py --model {chosen.model}",
            "measures": MEASURES,
            "systems": figures,
        }
        chosen.save.write_text(json.dumps(record, indent=2) + "\n")
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
