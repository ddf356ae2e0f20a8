"""The features of all candidates of LoCoMo's questions, and what orders made of them are worth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from engram_lab.config import EngineConfig
from engram_lab.evaluation.datasets.catalogue import cache_folder
from engram_lab.evaluation.measures.scoring import score
from engram_lab.evaluation.runs.run import Run
from engram_lab.evaluation.tuning.learning import gather
from engram_lab.retrieval.features import FEATURES
from engram_lab.retrieval.learned import LearningQuestion, learn_weights
from engram_lab.retrieval.learned.linear import scaled

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from engram_lab.evaluation.datasets.dataset import Dataset
    from engram_lab.evaluation.suite import Suite

__all__ = ["MEASURES", "Material", "Scores", "families", "gathered", "variants"]

MEASURES: Final = ("recall_any@10", "R@10", "nDCG@10")

DEPTH: Final = 10

Scores = list["NDArray[np.float64]"]
"""Of each question, what each of its candidates is worth: float64 [n]."""


def _family(feature: str) -> str:
    """Return the family of a feature: the module that it is told by."""
    return FEATURES.get(feature).__module__.rpartition(".")[2]


def families(names: Sequence[str]) -> dict[str, list[str]]:
    """Return features by family."""
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(_family(name), []).append(name)
    return found


def variants(names: Sequence[str], known: Sequence[str]) -> Iterator[tuple[str, str, list[str]]]:
    """Yield each table, row and set of features that is learned beside the whole."""
    for left in names:
        yield "without a feature", left, [name for name in names if name != left]
    for family, members in families(names).items():
        yield "without a family", family, [name for name in names if name not in members]
    for family, members in families(names).items():
        yield "a family alone", family, members
    for name in known:
        if name not in names:
            yield "with one more", name, [*names, name]


@dataclass(frozen=True, kw_only=True)
class Material:
    """All that the rows are made of.

    Attributes:
        names: Of the features, in the order of the columns.
        queries: `query_id`, `category` and `cluster`, in the order of the questions.
        questions: Their candidates, with every feature.
        wanted: How many memories answer each question, candidates or not: int64 [questions].
    """

    names: tuple[str, ...]
    queries: pl.DataFrame
    questions: tuple[LearningQuestion, ...]
    wanted: NDArray[np.int64]

    @cached_property
    def found(self) -> NDArray[np.int64]:
        """How many of the memories that answer are candidates: int64 [questions]."""
        return np.array([np.count_nonzero(each.relevant) for each in self.questions])

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """How many candidates there are: int64 [questions]."""
        return np.array([len(each.relevant) for each in self.questions])

    def varies(self, feature: str) -> float:
        """Return in which share of the questions a feature tells candidates apart."""
        at = self.names.index(feature)
        return float(np.mean([np.ptp(each.features[:, at]) > 0 for each in self.questions]))

    def learned(
        self, names: Sequence[str], start: Mapping[str, float] | None = None
    ) -> tuple[Scores, dict[str, float]]:
        """Return what candidates are worth by weights that never saw their conversation.

        Each conversation is left out in turn.

        Args:
            names: Of the features that are learned from.
            start: Weights to begin from; they do not change what comes out.

        Returns:
            The scores, and the weights learned from all questions.
        """
        columns = [self.names.index(name) for name in names]
        taught = [
            LearningQuestion(features=each.features[:, columns], relevant=each.relevant)
            for each in self.questions
        ]
        whole = learn_weights(taught, names, start=start)
        clusters = self.queries["cluster"].to_list()
        scores: Scores = [np.zeros(0)] * len(taught)
        for left in sorted(set(clusters)):
            others = [each for each, at in zip(taught, clusters, strict=True) if at != left]
            weights = np.array(list(learn_weights(others, names, start=whole).values()))
            for place, (each, at) in enumerate(zip(taught, clusters, strict=True)):
                if at == left:
                    scores[place] = each.features @ weights
        return scores, whole

    def weighed(self, weights: Mapping[str, float], *, unit_range: bool) -> Scores:
        """Return what candidates are worth by weights that are given."""
        columns = [self.names.index(name) for name in weights]
        of_each = np.array(list(weights.values()))
        if not unit_range:
            return [each.features[:, columns] @ of_each for each in self.questions]
        return [
            np.column_stack([scaled(each.features[:, at], "unit-range") for at in columns])
            @ of_each
            for each in self.questions
        ]

    def judged(self, scores: Scores) -> pl.DataFrame:
        """Return the measures of each question, with `query_id`, `category` and `cluster`."""
        ids = self.queries["query_id"].to_list()
        run = Run.of("row", zip(ids, map(_best, scores), strict=True))
        found = score(run, self._qrels, MEASURES, queries=ids)
        return self.queries.join(found, on="query_id", maintain_order="left")

    @cached_property
    def _qrels(self) -> pl.DataFrame:
        """Judgements of candidates by their place, and of answers that are no candidates."""
        rows = [
            (query, name)
            for query, each, wanted, found in zip(
                self.queries["query_id"], self.questions, self.wanted, self.found, strict=True
            )
            for name in (
                *map(str, np.flatnonzero(each.relevant).tolist()),
                *(f"absent-{number}" for number in range(wanted - found)),
            )
        ]
        frame = pl.DataFrame(rows, schema=["query_id", "memory_id"], orient="row")
        return frame.with_columns(relevance=pl.lit(1, pl.Int32))

    def by_chance(self) -> pl.DataFrame:
        """Return what each measure of each question is on average over all orders."""
        sizes, found = self.sizes.astype(np.float64), self.found
        depth = np.minimum(DEPTH, self.sizes)
        places = np.arange(DEPTH)
        others = np.maximum(0.0, (sizes - found)[:, None] - places) / np.maximum(
            1.0, sizes[:, None] - places
        )
        discounts = np.append(0.0, np.cumsum(1 / np.log2(places + 2)))
        gain = found / sizes * discounts[depth] / discounts[np.minimum(DEPTH, self.wanted)]
        return self.queries.with_columns(
            pl.Series(MEASURES[0], 1 - np.where(places < depth[:, None], others, 1.0).prod(axis=1)),
            pl.Series(MEASURES[1], found / self.wanted * depth / sizes),
            pl.Series(MEASURES[2], gain),
        )

    def permuted(self, seed: int = 0) -> Material:
        """Return the same with answers that are drawn among the candidates of each question."""
        chance = np.random.default_rng(seed)
        drawn = tuple(
            LearningQuestion(features=each.features, relevant=chance.permutation(each.relevant))
            for each in self.questions
        )
        return Material(names=self.names, queries=self.queries, questions=drawn, wanted=self.wanted)


def _best(scores: NDArray[np.float64]) -> Iterable[tuple[str, float]]:
    """Yield the first candidates by name; of equal ones, what was made first."""
    order = np.argsort(-scores, kind="stable")[:DEPTH]
    return ((str(place), float(-rank)) for rank, place in enumerate(order.tolist()))


def gathered(suite: Suite, dataset: Dataset, file: Path, *, reuse: bool) -> Material:
    """Return the features of all candidates, and keep them in a file.

    Args:
        suite: What is asked.
        dataset: Its data.
        file: Where they are kept.
        reuse: Take what lies there, if it is of the same data and features.
    """
    names = FEATURES.names()
    kept: Any = np.load(file) if reuse and file.exists() else None
    if kept is None or tuple(kept["names"]) != names or str(kept["data"]) != dataset.hash:
        kept = _gather(suite, dataset, names)
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(file, **kept)
    ends = np.cumsum(kept["sizes"])
    values, relevant = kept["values"], kept["relevant"]
    questions = tuple(
        LearningQuestion(features=values[start:end], relevant=relevant[start:end])
        for start, end in zip(ends - kept["sizes"], ends, strict=True)
    )
    ids = pl.DataFrame({"query_id": kept["queries"].tolist()})
    known = dataset.queries.select("category", "cluster", query_id="id")
    counts = dataset.qrels.filter(pl.col("relevance") > 0).group_by("query_id").len("wanted")
    queries = ids.join(known, on="query_id", maintain_order="left")
    wanted = ids.join(counts, on="query_id", maintain_order="left")["wanted"].to_numpy()
    return Material(names=names, queries=queries, questions=questions, wanted=wanted.astype(int))


def _gather(suite: Suite, dataset: Dataset, names: tuple[str, ...]) -> dict[str, Any]:
    cache = cache_folder().parent / "vectors.db"
    found = gather(suite, dataset, names, config=EngineConfig(), cache=cache)
    tables = [each.question for each in found.taught]
    return {
        "names": np.array(names),
        "data": np.array(found.data),
        "queries": np.array([each.query for each in found.taught]),
        "sizes": np.array([len(each.relevant) for each in tables]),
        "values": np.concatenate([each.features for each in tables]),
        "relevant": np.concatenate([each.relevant for each in tables]),
    }
