"""What the neutral profile is asked, and what its arms found."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from neutral_probe import dense_share
from neutral_rules import Pair

from engram_lab.config import EngineConfig
from engram_lab.evaluation.datasets.catalogue import cache_folder, load_dataset
from engram_lab.evaluation.measures.scoring import score
from engram_lab.evaluation.running.evaluate import run_suite
from engram_lab.evaluation.runs.run import Run
from engram_lab.evaluation.suites import load_suite
from engram_lab.evaluation.systems import Workshop, load_system
from engram_lab.retrieval.embedders.minilm import find_minilm
from engram_lab.retrieval.embedders.tokenizing import encode, load_tokenizer
from engram_lab.retrieval.ranking import Ranking

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from engram_lab.evaluation.datasets.dataset import Dataset
    from engram_lab.evaluation.runs.results import RunFolder

__all__ = ["ARMS", "SETS", "SYSTEMS", "Asked", "Found", "found_of"]

SYSTEMS: Final = ("bm25", "dense", "rrf", "weighted", "neutral")

ARMS: Final = ("bm25", "dense")

SEEN: Final = 256
"""Tokens of a text that MiniLM sees."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A set of questions.

    Attributes:
        suite: What it is run as.
        dataset: What is read.
        unit: Of LoCoMo.
        measure: The headline.
        documents: Whether the profile is meant for it.
    """

    suite: str
    dataset: str
    measure: str = "nDCG@10"
    unit: str | None = None
    documents: bool = False

    def read(self) -> Dataset:
        """Return the data.

        Raises:
            DatasetMissingError: They are not on this machine.
        """
        data = load_dataset(self.dataset, options={"unit": self.unit} if self.unit else None)
        # In quotation marks a question asks for words to the letter; MADial's questions are whole
        # dialogues, in which they say that somebody speaks.
        if self.dataset != "madial":
            return data
        unquoted = pl.col("text").str.replace_all('"', " ", literal=True)
        return replace(data, queries=data.queries.with_columns(unquoted))


SETS: Final = {
    "SciFact": Asked(suite="beir", dataset="scifact", documents=True),
    "Cranfield": Asked(suite="beir", dataset="cranfield", documents=True),
    "MuSiQue-100": Asked(suite="beir", dataset="musique-100", measure="R@5", documents=True),
    "HotpotQA-100": Asked(suite="beir", dataset="hotpotqa-100", measure="R@5", documents=True),
    "MADial": Asked(suite="beir", dataset="madial"),
    "LoCoMo turns": Asked(suite="locomo-turn", dataset="locomo", unit="turn"),
    "LoCoMo sessions": Asked(suite="locomo-session", dataset="locomo", unit="session"),
}


@dataclass(frozen=True, kw_only=True)
class Found:
    """What was found of a set.

    Attributes:
        asked: The set.
        folder: What the systems found.
        pairs: What both arms found, by question of the headline.
        names: The id of each memory by its key in the pairs.
        probed: By question, the dense share that self-queries to its corpus choose.
        seen: By question, how much of a memory of its corpus the dense arm has seen on average.
    """

    asked: Asked
    folder: RunFolder
    pairs: Mapping[str, Pair]
    names: Sequence[str]
    probed: Mapping[str, float]
    seen: Mapping[str, float]

    def of(self, system: str) -> NDArray[np.float64]:
        """Return the measure of a system for each question."""
        rows = self.folder.of(system)
        known = dict(zip(rows["query_id"], rows[self.asked.measure], strict=True))
        return np.array([known[query] for query in self.pairs])

    def by(self, fuse: Callable[[str, Pair], Ranking]) -> NDArray[np.float64]:
        """Return the measure of a fusion for each question."""
        run = Run.of(
            "rule", ((query, self._hits(fuse(query, pair))) for query, pair in self.pairs.items())
        )
        scored = score(run, self.folder.qrels, [self.asked.measure], queries=list(self.pairs))
        return scored[self.asked.measure].to_numpy()

    def _hits(self, ranking: Ranking) -> list[tuple[str, float]]:
        best = ranking.top(10)
        # Places in a row, as single precision may make equal what was not.
        return [(self.names[key], float(-at)) for at, key in enumerate(best.keys.tolist())]


def found_of(asked: Asked, out: Path) -> Found:
    """Ask the systems, and the corpora about themselves."""
    data, cache = asked.read(), cache_folder().parent / "vectors.db"
    suite = load_suite(asked.suite)
    folder = run_suite(
        suite,
        [load_system(name) for name in SYSTEMS],
        out=out,
        dataset=data,
        cache=cache,
        fresh=True,
        guards=False,
    )
    keys = {name: key for key, name in enumerate(sorted(data.memories["id"]))}
    arms = [rankings_of(folder.run(name), keys) for name in ARMS]
    kept = folder.queries.filter(~pl.col("category").fill_null("").is_in(list(suite.apart)))
    empty = Ranking.empty()
    pairs = {
        query: Pair(keyword=arms[0].get(query, empty), semantic=arms[1].get(query, empty))
        for query in kept["query_id"]
    }
    corpora = dict(data.memories.group_by("corpus").agg("content").iter_rows())
    with Workshop(cache=cache) as workshop:
        embedder = workshop.embedder(EngineConfig())
        probed = {name: dense_share(texts, embedder) for name, texts in corpora.items()}
    seen = {name: share_seen(texts) for name, texts in corpora.items()}
    corpus_of = dict(zip(data.queries["id"], data.queries["corpus"], strict=True))
    return Found(
        asked=asked,
        folder=folder,
        pairs=pairs,
        names=list(keys),
        probed={query: probed[corpus_of[query]] for query in pairs},
        seen={query: seen[corpus_of[query]] for query in pairs},
    )


def share_seen(texts: Sequence[str]) -> float:
    """Return how much of a text MiniLM sees before it cuts it off: the mean over texts."""
    folder = find_minilm()
    if folder is None:
        return 1.0
    tokenizer = load_tokenizer(folder / "tokenizer.json", max_length=None)
    counts = np.array([len(each) for each in encode(tokenizer, texts)])
    return float(np.minimum(1.0, SEEN / counts).mean())


def rankings_of(run: Run, keys: Mapping[str, int]) -> dict[str, Ranking]:
    """Return what a run found for each question."""
    grouped = run.hits.group_by("query_id", maintain_order=True).agg("memory_id", "score")
    return {
        query: Ranking.of([keys[name] for name in memories], scores)
        for query, memories, scores in grouped.iter_rows()
    }
