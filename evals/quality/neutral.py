"""The neutral profile for documents: is it ever worse than its better arm, and is it worth it?

    ENGRAM_DATA=DIR python evals/quality/neutral.py               print the tables
    ENGRAM_DATA=DIR python evals/quality/neutral.py --save FILE   keep the figures

The systems are those of `engram eval run`. Below them stand other ways to choose the dense share
without labels, over the same rankings, and what labels could choose at best. LoCoMo and MADial,
which are no documents, are asked as well: what helps documents alone may be luck. Exit code 1 where
the profile is significantly below either arm on a document set (randomisation test at 0.05, without
a correction, which is the stricter here), or not above both on average.
"""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl
from neutral_rules import GRID, RULES, fused_at
from neutral_sets import ARMS, SETS, SYSTEMS, found_of

from engram_lab.core.errors import DatasetMissingError
from engram_lab.evaluation.statistics.comparing import compare
from engram_lab.evaluation.systems import load_system
from engram_lab.retrieval.embedders.minilm import is_available
from engram_lab.retrieval.fusion import AdaptiveFusion

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from neutral_rules import Pair, Rule
    from neutral_sets import Found
    from numpy.typing import NDArray

    from engram_lab.retrieval.ranking import Ranking

RIVALS: Final = ("bm25", "dense", "rrf", "weighted")
ALPHA: Final = 0.05
RESAMPLES: Final = 10_000

Told = dict[str, dict[str, dict[str, float]]]
"""By set, then by rival: delta, low, high and p."""

Values = dict[str, "NDArray[np.float64]"]
"""By name of the set, the measure of each question."""


def ways(found: Mapping[str, Found]) -> tuple[dict[str, Values], dict[str, str]]:
    """Return the measures of each way to fuse, and what each is."""
    values: dict[str, Values] = {
        name: {each: one.by(partial(_by_rule, rule)) for each, one in found.items()}
        for name, rule in RULES.items()
    }
    said = {name: rule.said for name, rule in RULES.items()}
    values["self-queries"] = {each: one.by(partial(_as_probed, one)) for each, one in found.items()}
    said["self-queries"] = "the share at which sentences find the rest of their memory, by corpus"
    values["adaptive, seen"] = {each: one.by(partial(_as_seen, one)) for each, one in found.items()}
    said["adaptive, seen"] = "the same, the dense arm weighed by how much of a text it saw"
    curves = {
        each: np.array([one.by(partial(_at, share)) for share in GRID])
        for each, one in found.items()
    }
    means = {each: curve.mean(axis=1) for each, curve in curves.items()}
    of_rules = {each: np.array([values[name][each].mean() for name in RULES]) for each in found}
    chosen = {each: list(RULES)[best_without(each, of_rules)] for each in found}
    values["chosen elsewhere"] = {each: values[name][each] for each, name in chosen.items()}
    said["chosen elsewhere"] = "the one of the ways above that is best on the other data sets"
    values["learned elsewhere"] = {each: curves[each][best_without(each, means)] for each in found}
    said["learned elsewhere"] = "the fixed share that is best on the other data sets, with labels"
    values["best of set"] = {each: curves[each][means[each].argmax()] for each in found}
    said["best of set"] = "the best share of each set, with its labels: a bound"
    values["best of question"] = {each: curves[each].max(axis=0) for each in found}
    said["best of question"] = "the best share of each question, with its labels: a bound"
    return values, said


def _by_rule(rule: Rule, _: str, pair: Pair) -> Ranking:
    return rule.fuse(pair)


def _at(share: float, _: str, pair: Pair) -> Ranking:
    return fused_at(pair, share)


def _as_probed(found: Found, query: str, pair: Pair) -> Ranking:
    return fused_at(pair, found.probed[query])


def _as_seen(found: Found, query: str, pair: Pair) -> Ranking:
    weights = {"keyword": 1.0, "semantic": found.seen[query]}
    return AdaptiveFusion(weights=weights).fuse(pair.arms()).ranking


def best_without(name: str, means: Mapping[str, NDArray[np.float64]]) -> int:
    """Return which of the means by set is the best over the sets of other data."""
    others = [curve for each, curve in means.items() if SETS[each].dataset != SETS[name].dataset]
    return int(np.mean(others, axis=0).argmax())


def points(values: Values) -> dict[str, float]:
    """Return means in points, by set and over sets."""
    means = {name: 100 * float(each.mean()) for name, each in values.items()}
    documents = [mean for name, mean in means.items() if SETS[name].documents]
    over = {"documents": float(np.mean(documents)), "all": float(np.mean(list(means.values())))}
    return {name: round(mean, 2) for name, mean in {**means, **over}.items()}


def mean_gain(ours: Values, theirs: Values, names: Sequence[str]) -> dict[str, float]:
    """Return how far the mean over sets differs, with 95 %: questions are drawn within each set."""
    chance = np.random.default_rng(0)
    drawn, gains = np.zeros(RESAMPLES), []
    for name in names:
        delta = 100 * (ours[name] - theirs[name])
        gains.append(delta.mean())
        often = chance.multinomial(len(delta), np.full(len(delta), 1 / len(delta)), RESAMPLES)
        drawn += often @ delta / len(delta) / len(names)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return {
        key: round(float(each), 2)
        for key, each in zip(("delta", "low", "high"), (np.mean(gains), low, high), strict=True)
    }


def contrasts(found: Mapping[str, Found]) -> Told:
    """Return how the profile differs from each rival on each set, as `engram eval compare` says."""
    told: Told = {}
    for name, one in found.items():
        frames = {
            each: one.folder.of(each).filter(pl.col("query_id").is_in(list(one.pairs)))
            for each in SYSTEMS
        }
        told[name] = {}
        for rival in RIVALS:
            contrast = compare(
                frames[rival],
                frames["neutral"],
                measures=[one.asked.measure],
                categories=False,
                resamples=RESAMPLES,
            ).contrasts[0]
            told[name][rival] = {
                "delta": round(100 * contrast.delta, 2),
                "low": round(100 * contrast.low, 2),
                "high": round(100 * contrast.high, 2),
                "p": contrast.p,
            }
    return told


def verdict(told: Told, gains: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Return what is not as it should be."""
    wrong = [
        f"below {arm} on {name}"
        for name, asked in SETS.items()
        for arm in ARMS
        if asked.documents and told[name][arm]["p"] < ALPHA and told[name][arm]["delta"] < 0
    ]
    return wrong + [f"not above {arm} on average" for arm in ARMS if gains[arm]["delta"] <= 0]


def told_of(found: Mapping[str, Found]) -> dict[str, Any]:
    """Return all that is kept."""
    systems = {name: {each: one.of(name) for each, one in found.items()} for name in SYSTEMS}
    rules, said = ways(found)
    told = contrasts(found)
    documents = [name for name, asked in SETS.items() if asked.documents]
    gains = {each: mean_gain(systems["neutral"], systems[each], documents) for each in RIVALS}
    wrong = verdict(told, gains)
    return {
        "command": "python evals/quality/neutral.py",
        "sets": {
            name: {
                "questions": len(one.pairs),
                "measure": one.asked.measure,
                "documents": one.asked.documents,
            }
            for name, one in found.items()
        },
        "systems": {name: points(values) for name, values in systems.items()},
        "neutral_less": told,
        "neutral_less_on_average_over_documents": gains,
        "rules": {name: points(values) for name, values in rules.items()},
        "said": said,
        "adaptive_less_rule_on_average_over_documents": {
            name: mean_gain(rules["adaptive"], values, documents)
            for name, values in rules.items()
            if name != "adaptive"
        },
        "holds": not wrong,
        "wrong": wrong,
    }


def print_all(record: Mapping[str, Any]) -> None:
    """Print what is kept."""
    shown("system", record["systems"], {name: load_system(name).title for name in SYSTEMS})
    averages = record["neutral_less_on_average_over_documents"]
    for name, by_rival in {**record["neutral_less"], "documents": averages}.items():
        for rival, each in by_rival.items():
            interval = f"[{each['low']:+.2f}, {each['high']:+.2f}]"
            p = f"p {each['p']:.4f}" if "p" in each else ""
            print(f"{name:16} neutral less {rival:10}{each['delta']:+7.2f} {interval:18} {p}")
    print()
    shown("dense share by", record["rules"], record["said"])
    holds = "never significantly below an arm, and above both on average"
    print("on documents the profile is " + ("; ".join(record["wrong"]) or holds))


def shown(title: str, rows: Mapping[str, Mapping[str, float]], said: Mapping[str, str]) -> None:
    """Print a table."""
    columns = next(iter(rows.values()))
    print(f"{title:18}" + "".join(f"{name:>16}" for name in columns))
    for name, row in rows.items():
        print(
            f"{name:18}"
            + "".join(f"{value:16.2f}" for value in row.values())
            + f"   {said.get(name, '')}"
        )
    print()


def main() -> int:
    """Evaluate, print, and say whether the profile holds what it promises."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--save", type=Path, metavar="FILE", help="keep the figures")
    parser.add_argument("--out", type=Path, metavar="DIR", default=Path("runs/neutral"))
    chosen = parser.parse_args()
    if not is_available():
        print("skipped: MiniLM is not installed, which the dense arm is here", file=sys.stderr)
        return 0
    try:
        for asked in SETS.values():
            asked.read()
    except DatasetMissingError as error:
        print(f"skipped: {error}", file=sys.stderr)
        return 0
    record = told_of(
        {name: found_of(asked, chosen.out / name.replace(" ", "-")) for name, asked in SETS.items()}
    )
    print_all(record)
    if chosen.save is not None:
        chosen.save.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return 0 if record["holds"] else 1


if __name__ == "__main__":
    sys.exit(main())
