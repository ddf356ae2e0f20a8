"""A suite with its stores kept, so that one configuration after another can be tried quickly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import polars as pl

from engram_lab.evaluation.running.asking import ask
from engram_lab.evaluation.runs.run import Run
from engram_lab.evaluation.runs.writing import Judgements, values_of
from engram_lab.evaluation.systems import SystemSpec, Workshop, corpora_of, make_system

if TYPE_CHECKING:
    from collections.abc import Collection
    from os import PathLike

    from engram_lab.config import EngineConfig
    from engram_lab.evaluation.datasets.dataset import Dataset
    from engram_lab.evaluation.suite import Suite

__all__ = ["Bench"]


class Bench:
    """Evaluates configurations on a suite, and keeps nothing but what makes the next one quicker.

    Stores are filled once for all configurations that embed and store alike.

    Args:
        suite: Which measures count.
        dataset: The data of the suite.
        queries: Ask these alone; all unless given.
        cache: A file that keeps vectors from one evaluation to the next.
    """

    def __init__(
        self,
        suite: Suite,
        dataset: Dataset,
        *,
        queries: Collection[str] | None = None,
        cache: str | PathLike[str] | None = None,
    ) -> None:
        self.suite = suite
        asked = dataset.queries
        if queries is not None:
            asked = asked.filter(pl.col("id").is_in(list(queries)))
        self._judgements = Judgements(
            queries=asked,
            qrels=dataset.qrels.filter(pl.col("query_id").is_in(asked["id"].implode())),
            memories=dataset.memories,
        )
        known = set(asked["id"])
        self._corpora = [
            (corpus, kept)
            for corpus, questions in corpora_of(dataset)
            if (kept := [each for each in questions if each.id in known])
        ]
        self._workshop = Workshop(cache=cache)

    def per_query(self, config: EngineConfig, *, name: str = "tuned") -> pl.DataFrame:
        """Return the rows of `per_query.parquet` of an engine with a configuration.

        Raises:
            EmbedderError: Its model cannot be loaded.
            MissingDependencyError: It needs an optional package.
        """
        spec = SystemSpec(name=name, settings=config.to_dict())
        system = make_system(spec, seed=self.suite.seed, store=self.suite.store)
        rankings = [
            pair
            for corpus, questions in self._corpora
            for pair in ask(
                system,
                corpus,
                questions,
                self._workshop,
                depth=self.suite.depth,
                timed=False,
                told=_nobody,
            ).rankings
        ]
        return values_of(Run.of(name, rankings), self._judgements, self.suite)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._workshop.__exit__(*exception)


def _nobody() -> None:
    """Hear of an answer."""
