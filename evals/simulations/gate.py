"""What the gate sees and what it does not, on pairs of systems whose true difference is known.

    python evals/simulations/gate.py                 all of it, a few minutes
    python evals/simulations/gate.py --pairs 50      quicker, and rougher
    python evals/simulations/gate.py --save FILE     keep the figures as JSON

Exit code 1 where a false-positive rate is above its nominal level by more than chance, a planted
loss of three points is found in fewer than nine of ten pairs, or noise alone fails the gate in more
than one of twenty. The pairs have LoCoMo's sizes (see `simulating.SimulatedData`), so that what is
found here is what that suite can tell.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from engram_lab.evaluation.statistics.comparing import compare
from engram_lab.evaluation.statistics.holm import holm
from engram_lab.evaluation.statistics.randomisation import randomisation
from engram_lab.evaluation.statistics.simulating import SimulatedData, simulated_pair
from engram_lab.evaluation.statistics.units import cluster_codes, cluster_sums
from engram_lab.evaluation.suite import HEADLINE, GateRules

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    Frames = tuple[pl.DataFrame, pl.DataFrame]
    Rate = dict[str, float]

DATA: Final = SimulatedData()
APART: Final = ("5",)
FOUR: Final = GateRules(measures=("recall_any@10", "R@10", "nDCG@10", "Success@1"))
TWO: Final = GateRules(measures=("recall_any@10", "nDCG@10"))
RESAMPLES: Final = 2_000
"""Where thousands of pairs are tested; the planted losses are tested with those of the rules."""
EVERYWHERE: Final = "all"
LOSSES: Final = tuple(points / 100 for points in range(7))

# Noise question by question, and of whole conversations, with what it is like (see below).
KINDS: Final = {
    "independent": (0.3, 0.0),
    "as k1 of BM25 has it": (0.1, 0.05),
    "strongly shared": (0.3, 0.15),
}
# Share of LoCoMo's questions whose value differs from that of BM25 (k1 = 1.2, b = 0.75, whole
# words, turns), and how much more conversations differ in it than chance has it (F of an analysis
# of variance of the differences of recall_any@10, without category 5).
LOCOMO: Final = {
    "k1 = 1.0": {"recall_any@10": 0.010, "nDCG@10": 0.099, "F": 1.25},
    "k1 = 1.5": {"recall_any@10": 0.010, "nDCG@10": 0.111, "F": 1.70},
    "b = 0.5": {"recall_any@10": 0.034, "nDCG@10": 0.231, "F": 1.07},
    "k1 = 0.9, b = 0.3": {"recall_any@10": 0.059, "nDCG@10": 0.298, "F": 0.89},
    "stemming": {"recall_any@10": 0.099, "nDCG@10": 0.315, "F": 0.89},
    "neighbouring turns": {"recall_any@10": 0.107, "nDCG@10": 0.349, "F": 1.15},
}


def rate(hits: int, pairs: int) -> Rate:
    """Return a share with its 95 % interval (Wilson, JASA 22, 1927)."""
    z, share = 1.959964, hits / pairs
    middle = (share + z * z / (2 * pairs)) / (1 + z * z / pairs)
    half = z * math.sqrt(share * (1 - share) / pairs + (z / (2 * pairs)) ** 2) / (1 + z * z / pairs)
    return {"rate": share, "low": max(0.0, middle - half), "high": min(1.0, middle + half)}


def lost_in(group: str, loss: float) -> Mapping[str, float]:
    """Return what each category loses."""
    return dict.fromkeys(DATA.categories if group == EVERYWHERE else (group,), loss)


def stacked(pair: Frames, measures: Sequence[str]) -> tuple[list[str], NDArray[np.float64]]:
    """Return the groups, and the deltas of each group and measure as columns side by side."""
    a, b = pair
    deltas = (b.select(measures) - a.select(measures)).to_numpy()
    headline = ~a["category"].is_in(APART).to_numpy()
    groups = {HEADLINE: headline} | {
        name: (a["category"] == name).to_numpy() for name in DATA.categories
    }
    columns = [np.where(rows[:, None], deltas, np.nan) for rows in groups.values()]
    return list(groups), np.concatenate(columns, axis=1)


def failed(pair: Frames, rules: GateRules, clusters: Sequence[str] | None, seed: int) -> set[str]:
    """Return the groups in which the gate's rule finds a regression."""
    groups, deltas = stacked(pair, rules.measures)
    tests = randomisation(deltas, clusters, alternative="less", resamples=RESAMPLES, seed=seed)
    adjusted = np.array(holm([each.p for each in tests])).reshape(len(groups), -1)
    means = np.nanmean(deltas, axis=0).reshape(adjusted.shape)
    margins = np.array(
        [rules.margin if name == HEADLINE else rules.category_margin for name in groups]
    )
    beyond = (adjusted < rules.alpha) & (means < -margins[:, None])
    return {name for name, row in zip(groups, beyond, strict=True) if row.any()}


def p_of_three_tests(
    deltas: NDArray[np.float64], clusters: Sequence[str], seed: int
) -> dict[str, list[float]]:
    """Return the p values of columns: signs flipped by query, by cluster, and as we do."""
    codes = cluster_codes(clusters, len(deltas))
    if codes is None:
        raise ValueError("the simulated questions lie in too few conversations")
    whole = cluster_sums(np.nan_to_num(deltas), codes)
    given: dict[str, tuple[NDArray[np.float64], Sequence[str] | None]] = {
        "queries, mean": (deltas, None),
        "clusters, mean": (whole, None),
        "queries, t over clusters": (deltas, clusters),
    }
    return {
        name: [
            each.p
            for each in randomisation(
                values, units, alternative="less", resamples=RESAMPLES, seed=seed
            )
        ]
        for name, (values, units) in given.items()
    }


def false_alarms(pairs: int) -> Iterator[dict[str, Any]]:
    """Yield how often two systems of equal quality are told apart, by kind of noise and of test."""
    groups = [HEADLINE, *DATA.categories]
    for kind, (noise, shared) in KINDS.items():
        found: dict[str, list[list[float]]] = {}
        gate = 0
        for seed in range(pairs):
            pair = simulated_pair(DATA, seed=seed, noise=noise, shared=shared)
            clusters = pair[0]["cluster"].to_list()
            _, deltas = stacked(pair, FOUR.measures)
            for test, p in p_of_three_tests(deltas, clusters, seed).items():
                found.setdefault(test, []).append(p)
            gate += bool(failed(pair, FOUR, clusters, seed))
        for test, rows in found.items():
            first = np.array(rows)[:, :: len(FOUR.measures)] < FOUR.alpha  # of recall_any@10
            family = sum(min(holm(row)) < FOUR.alpha for row in rows)
            yield {
                "noise": kind,
                "test": test,
                "one test": {
                    name or "headline": rate(int(hits), pairs)
                    for name, hits in zip(groups, first.sum(axis=0), strict=True)
                },
                "any of 24 after Holm": rate(family, pairs),
                **({"gate": rate(gate, pairs)} if test == "queries, t over clusters" else {}),
            }
        said(f"false alarms, {kind}: {pairs} pairs")


def found_by(pairs: int) -> Iterator[dict[str, Any]]:
    """Yield how often each test, after Holm, finds 3 points that category 4 has lost."""
    for kind, (noise, shared) in KINDS.items():
        hits: dict[str, int] = {}
        for seed in range(pairs):
            pair = simulated_pair(
                DATA, seed=30_000 + seed, noise=noise, shared=shared, lost={"4": 0.03}
            )
            _, deltas = stacked(pair, TWO.measures)
            clusters = pair[0]["cluster"].to_list()
            for test, p in p_of_three_tests(deltas, clusters, seed).items():
                hits[test] = hits.get(test, 0) + (min(holm(p)) < TWO.alpha)
        yield {"noise": kind} | {test: rate(count, pairs) for test, count in hits.items()}
    said(f"3 points lost, by test: {pairs} pairs each")


def power_frame(pairs: int = 200) -> pl.DataFrame:
    """Return how often a true loss fails the gate.

    Columns: `group` (the category that loses, or `all`), `n` (its queries), `loss` (of
    recall_any@10), `noise`, `clustered` (whether the test knows the conversations), `pairs`,
    `power`, `low`, `high` (its 95 % interval).
    """
    rows = []
    for group in ("3", "1", "4", EVERYWHERE):
        n = sum(DATA.categories.values()) if group == EVERYWHERE else DATA.categories[group]
        for noise in (0.1, 0.3):
            for loss in LOSSES:
                hits = np.zeros(2, np.int64)
                for seed in range(pairs):
                    pair = simulated_pair(
                        DATA, seed=10_000 + seed, noise=noise, lost=lost_in(group, loss)
                    )
                    clusters = pair[0]["cluster"].to_list()
                    hits += [bool(failed(pair, TWO, each, seed)) for each in (clusters, None)]
                for clustered, count in zip((True, False), hits.tolist(), strict=True):
                    figures = rate(count, pairs)
                    rows.append(
                        {
                            "group": group,
                            "n": n,
                            "loss": loss,
                            "noise": noise,
                            "clustered": clustered,
                            "pairs": pairs,
                            "power": figures["rate"],
                            "low": figures["low"],
                            "high": figures["high"],
                        }
                    )
        said(f"power, loss in {group}: {pairs} pairs each")
    return pl.DataFrame(rows)


def planted(pairs: int) -> Iterator[dict[str, Any]]:
    """Yield how often 3 points lost in one category, and how often noise alone, fail the gate."""
    for rules in (TWO, FOUR):
        for loss in (0.03, 0.0):
            hits = right = 0
            for seed in range(pairs):
                a, b = simulated_pair(DATA, seed=50_000 + seed, noise=0.1, lost={"4": loss})
                found = compare(
                    a,
                    b,
                    names=("baseline", "change"),
                    measures=rules.measures,
                    apart=APART,
                    alternative="less",
                    alpha=rules.alpha,
                    resamples=rules.resamples,
                    seed=rules.seed,
                )
                groups = {
                    each.group
                    for each in found.contrasts
                    if each.p_adjusted < rules.alpha
                    and each.delta
                    < -(rules.margin if each.group == HEADLINE else rules.category_margin)
                }
                hits += bool(groups)
                right += "4" in groups
            yield {
                "measures": list(rules.measures),
                "loss": loss,
                "fails the gate": rate(hits, pairs),
                "names the category": rate(right, pairs),
            }
            said(f"a loss of {loss:.0%} planted, {len(rules.measures)} measures: {pairs} pairs")


def detectable(pairs: int) -> Iterator[dict[str, Any]]:
    """Yield the loss that each group can show, and how often such a loss is found indeed."""
    tests = len(TWO.measures) * (1 + len(DATA.categories))
    for group, n in DATA.categories.items():
        column = [HEADLINE, *DATA.categories].index(group)
        sizes = []
        for seed in range(5):
            found = compare(
                *simulated_pair(DATA, seed=90_000 + seed, noise=0.1),
                names=("a", "b"),
                measures=TWO.measures,
                apart=APART,
                alternative="less",
                resamples=200,
            )
            sizes += [
                each.mde
                for each in found.contrasts
                if (each.group, each.measure) == (group, TWO.measures[0])
            ]
        size, hits = sum(sizes) / len(sizes), 0
        for seed in range(pairs):
            pair = simulated_pair(DATA, seed=91_000 + seed, noise=0.1, lost={group: size})
            _, deltas = stacked(pair, TWO.measures[:1])
            clusters = pair[0]["cluster"].to_list()
            p = randomisation(
                deltas[:, [column]], clusters, alternative="less", resamples=RESAMPLES, seed=seed
            )[0].p
            hits += p < TWO.alpha / tests
        yield {"group": group, "n": n, "mde": size, "found": rate(hits, pairs)}
    said("losses of the size that is said to be detectable")


def problems(figures: Mapping[str, Any]) -> list[str]:
    """Return what is not as it must be."""
    found = []
    for each in figures["false alarms"]:
        if each["test"] == "queries, t over clusters":
            rates = each["one test"] | {
                "family": each["any of 24 after Holm"],
                "gate": each["gate"],
            }
            found += [
                f"{each['noise']}, {name}: {one['rate']:.3f} false alarms"
                for name, one in rates.items()
                if one["low"] > FOUR.alpha
            ]
    for each in figures["planted"]:
        share = each["fails the gate"]["rate"]
        if each["measures"] == list(TWO.measures) and each["loss"] and share < 0.9:  # noqa: PLR2004
            found.append(f"a loss of three points is found in {share:.2f} of the pairs")
        if not each["loss"] and share > FOUR.alpha:
            found.append(f"noise alone fails the gate in {share:.2f} of the pairs")
    return found


def said(line: str) -> None:
    """Tell how far it is."""
    print(line, file=sys.stderr, flush=True)


def main() -> int:
    """Simulate, print, and say by the exit code whether all is as it must be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--pairs", type=int, default=200, help="of each kind (default: 200)")
    parser.add_argument("--save", type=Path, metavar="FILE", help="keep the figures as JSON")
    chosen = parser.parse_args()
    figures: dict[str, Any] = {
        "command": f"python evals/simulations/gate.py --pairs {chosen.pairs}",
        "LoCoMo": LOCOMO,
        "false alarms": list(false_alarms(5 * chosen.pairs)),
        "found by test": list(found_by(chosen.pairs)),
        "planted": list(planted(chosen.pairs)),
        "detectable": list(detectable(chosen.pairs)),
        "power": power_frame(chosen.pairs).to_dicts(),
    }
    text = json.dumps(figures, indent=2, ensure_ascii=False) + "\n"
    print(text)
    if chosen.save is not None:
        chosen.save.write_text(text)
    wrong = problems(figures)
    for each in wrong:
        said(f"PROBLEM: {each}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
