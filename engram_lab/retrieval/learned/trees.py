"""Boosted trees as a model of relevance: grown by LightGBM, read without it.

Source: LambdaMART, as in Burges, "From RankNet to LambdaRank to LambdaMART: An Overview" (Microsoft
Research MSR-TR-2010-82), section 7.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from engram_lab.core.errors import InvalidInputError, shown
from engram_lab.core.packages import optional
from engram_lab.retrieval.fusion.pool import Pool
from engram_lab.retrieval.learned.forest import LEAF, Forest
from engram_lab.retrieval.learned.linear import scaled
from engram_lab.retrieval.learned.softmax import teaching
from engram_lab.retrieval.ranking import Ranking

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engram_lab.retrieval.fusion.protocol import Fused
    from engram_lab.retrieval.learned.record import LearnedRecord
    from engram_lab.retrieval.learned.softmax import LearningQuestion

__all__ = ["Boosting", "TreeModel", "learn_trees"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Boosting:
    """How trees are grown.

    Attributes:
        trees: How many.
        leaves: The most that each has.
        rate: The share of what a tree learns that is kept.
        least: The fewest candidates in a leaf.
        l2: The penalty of what a leaf gives.
        depth: How many of the best of a question count in each step.
        seed: Of what is drawn by chance.

    Raises:
        InvalidInputError: A number is out of bounds.
    """

    trees: int = 150
    leaves: int = 4
    rate: float = 0.1
    least: int = 50
    l2: float = 10.0
    depth: int = 20
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("trees", 1), ("leaves", 2), ("least", 1), ("depth", 1), ("seed", 0)):
            if (given := getattr(self, name)) < least:
                raise InvalidInputError(f"`{name}` of boosting is {given}: give {least} or more")
        if not 0 < self.rate <= 1 or not 0 <= self.l2 < float("inf"):
            raise InvalidInputError(
                f"boosting has the rate {self.rate} and l2 {self.l2}: give a rate above 0, up to "
                "1, and an l2 from 0"
            )

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of LightGBM: the same trees on every run."""
        return {
            "objective": "lambdarank",
            "num_leaves": self.leaves,
            "learning_rate": self.rate,
            "min_data_in_leaf": self.least,
            "lambda_l2": self.l2,
            "lambdarank_truncation_level": self.depth,
            "seed": self.seed,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": 1,
            "use_missing": False,
            "verbosity": -1,
        }


def learn_trees(
    questions: Sequence[LearningQuestion],
    names: Sequence[str],
    *,
    boosting: Boosting | None = None,
) -> Forest:
    """Return trees that put relevant candidates first.

    Of each feature its mean over the candidates of a question is taken away before.

    Args:
        questions: Those that teach nothing are left out.
        names: Of the features, in the order of the columns.
        boosting: How they are grown.

    Raises:
        InvalidInputError: The columns are not as many as the names, no question teaches anything,
            or too few candidates for any tree to part them.
        MissingDependencyError: LightGBM is not installed.
    """
    chosen = boosting or Boosting()
    lightgbm = optional("lightgbm", package="lightgbm", feature="learning trees", extra="trees")
    taught = teaching(questions, names)
    values = np.concatenate([each.features - each.features.mean(axis=0) for each in taught])
    data = lightgbm.Dataset(
        values,
        np.concatenate([each.relevant for each in taught]).astype(np.int32),
        group=[len(each.relevant) for each in taught],
        params=chosen.parameters(),
    )
    grown = lightgbm.train(chosen.parameters(), data, num_boost_round=chosen.trees)
    return forest_of(grown.dump_model(), names)


def forest_of(dumped: Mapping[str, Any], names: Sequence[str]) -> Forest:
    """Return the trees of a model that LightGBM has dumped, those without any split left out.

    Raises:
        InvalidInputError: None has a split.
    """
    reading = _Reading()
    for tree in dumped["tree_info"]:
        if "split_feature" in tree["tree_structure"]:
            reading.starts.append(len(reading.split))
            reading.read(tree["tree_structure"])
    if not reading.starts:
        raise InvalidInputError(
            "no tree could part the candidates: give more questions, or ask for fewer candidates "
            "in a leaf"
        )
    return Forest(
        names=tuple(names),
        starts=tuple(reading.starts),
        split=tuple(reading.split),
        threshold=tuple(reading.threshold),
        right=tuple(reading.right),
        value=tuple(reading.value),
    )


class _Reading:
    """The nodes of trees, as they are met from left to right."""

    def __init__(self) -> None:
        self.starts: list[int] = []
        self.split: list[int] = []
        self.threshold: list[float] = []
        self.right: list[int] = []
        self.value: list[float] = []

    def read(self, node: Mapping[str, Any]) -> int:
        """Take in a node and all below it; return how many rows came there."""
        at = len(self.split)
        leaf = "leaf_value" in node
        self.split.append(LEAF if leaf else int(node["split_feature"]))
        self.threshold.append(0.0 if leaf else float(node["threshold"]))
        self.right.append(0)
        self.value.append(float(node["leaf_value"]) if leaf else 0.0)
        if leaf:
            return int(node["leaf_count"])
        if node["decision_type"] != "<=":
            raise InvalidInputError(
                f"a tree asks {shown(node['decision_type'])} of a feature: only <= is read"
            )
        before = self.read(node["left_child"])
        self.right[at] = len(self.split)
        after = self.read(node["right_child"])
        left, right = self.value[at + 1], self.value[self.right[at]]
        self.value[at] = (before * left + after * right) / (before + after)
        return before + after


@dataclass(frozen=True, kw_only=True, slots=True)
class TreeModel:
    """Score(d) = Σ over trees of the leaf that the scaled features of d lead to, less the root.

    A fusion as `LinearModel` is one: what a feature adds is what the score changed by whenever that
    feature parted the way. The mean of all, which every candidate shares, is left out. A feature
    that the scene cannot tell stands at 0 for all candidates.

    Attributes:
        record: The trees.
        forest: The same.
    """

    record: LearnedRecord
    forest: Forest

    def fuse(self, rankings: Mapping[str, Ranking]) -> Fused:
        """Return the fusion of features, each a ranking of all candidates; see `Fusion.fuse`."""
        nothing = Ranking.of([], [])
        pool = Pool.of({name: rankings.get(name, nothing) for name in self.forest.used})
        columns = [self.forest.names.index(arm) for arm in pool.arms]
        values = np.zeros((len(pool.keys), len(self.forest.names)))
        for column, ranking, places in zip(columns, pool.rankings, pool.places, strict=True):
            values[places, column] = scaled(ranking.scores, self.record.scale)
        given = self.forest.contributions(values)
        return pool.fused(np.ascontiguousarray(given[:, columns].T))
