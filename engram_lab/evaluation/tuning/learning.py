"""Learning what features are worth from the judgements of a suite, and from all but each part."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from engram_lab.core.errors import EvaluationError, InvalidInputError
from engram_lab.core.progress import task
from engram_lab.evaluation.systems.corpora import corpora_of
from engram_lab.evaluation.systems.engine_system import EngineSystem, config_of
from engram_lab.evaluation.systems.unseen import corpus_hash, has_seen_hash
from engram_lab.evaluation.systems.workshop import Workshop
from engram_lab.evaluation.tuning.folds import make_folds
from engram_lab.evaluation.tuning.learner import Learner, model_of_vectors
from engram_lab.evaluation.tuning.ledger import Ledger
from engram_lab.evaluation.tuning.parts import Parts
from engram_lab.retrieval.learned import LearnedRecord, LearningQuestion, Saw

if TYPE_CHECKING:
    from os import PathLike

    from engram_lab.config import EngineConfig
    from engram_lab.core.clock import Clock
    from engram_lab.core.progress import Progress
    from engram_lab.evaluation.datasets.dataset import Dataset
    from engram_lab.evaluation.suite import Suite
    from engram_lab.evaluation.systems.filling import StoreAs

__all__ = ["Gathered", "Learned", "Taught", "gather", "learn_suite"]

_LISTED: Final = 5
"""Clusters that a record names; more are counted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Taught:
    """A question with its features, and where it comes from."""

    query: str
    corpus: str
    question: LearningQuestion


@dataclass(frozen=True, kw_only=True, slots=True)
class Gathered:
    """All that is learned from.

    Attributes:
        dataset: Its id.
        data: Its hash.
        taught: The questions, in the order of the data.
        corpora: By name, what each corpus that was asked is known again by.
        embedder: What made the vectors; see `LearnedRecord.embedder`.
    """

    dataset: str
    data: str
    taught: tuple[Taught, ...]
    corpora: dict[str, str]
    embedder: str | None

    def learn(
        self, learner: Learner, *, without: Collection[str] = (), split: str, **more: LearnedRecord
    ) -> LearnedRecord:
        """Return what the questions teach, some of them left out; see `Learner.learn`.

        Raises:
            EvaluationError: Nothing can be learned from them.
        """
        used = [each for each in self.taught if each.query not in without]
        known = {each.corpus for each in used}
        saw = Saw(
            dataset=self.dataset,
            data=self.data,
            corpora={name: self.corpora[name] for name in sorted(known)},
            split=split,
            questions=sum(each.question.teaches for each in used),
        )
        questions = [each.question for each in used]
        try:
            return learner.learn(questions, saw=saw, embedder=self.embedder, **more)
        except InvalidInputError as error:
            raise EvaluationError(
                f"nothing can be learned from {self.dataset!r} ({split}): {error}"
            ) from error


@dataclass(frozen=True, kw_only=True, slots=True)
class Learned:
    """What was learned.

    Attributes:
        record: On everything that may be used.
        folds: On everything but one part, each part in turn.
        how: How the parts were made, in words.
        config: The configuration whose weights they are.
        used: Clusters, or single queries, that were learned from.
        held_out: Those that must not be.
        corpora: By name, what each corpus that was learned from is known again by.
        warnings: What a reader must know.
    """

    record: LearnedRecord
    folds: tuple[LearnedRecord, ...]
    how: str
    config: EngineConfig
    used: tuple[str, ...] = ()
    held_out: tuple[str, ...] = ()
    corpora: Mapping[str, str] = field(default_factory=dict, hash=False)
    warnings: tuple[str, ...] = ()

    @property
    def unjudged(self) -> tuple[str, ...]:
        """The corpora that all of the folds saw: no figure on them would be honest."""
        records = [each.to_dict() for each in self.folds]
        return tuple(
            name
            for name, sketch in self.corpora.items()
            if all(has_seen_hash(each, sketch) is not None for each in records)
        )


def learn_suite(
    suite: Suite,
    dataset: Dataset,
    *,
    config: EngineConfig,
    learner: Learner | None = None,
    store_as: StoreAs = "memories",
    hold_out: Sequence[str] | float = (),
    on: Sequence[str] | None = None,
    seed: int = 0,
    ledger: str | PathLike[str] | None = None,
    clock: Clock | None = None,
    cache: str | PathLike[str] | None = None,
    progress: Progress | None = None,
    command: str = "engram eval tune --learn",
) -> Learned:
    """Return weights learned on the judgements of a suite, and on all but each of its folds.

    Questions of categories that are apart teach as well: a model that never saw them is too sure.

    Args:
        suite: What is asked.
        dataset: Its data.
        config: Of the engine that gathers candidates.
        learner: Which features, and which model.
        store_as: See `filling.fill`.
        hold_out: See `Parts.divided`.
        on: Likewise.
        seed: Likewise.
        ledger: The file that knows what is held out, and is told what was learned from; without
            one, what is held out is so for this once.
        clock: Tells the ledger the time; else the machine's.
        cache: A file that keeps vectors from one run to the next.
        progress: Told how many questions are done.
        command: As it was given, for the ledger.

    Raises:
        EmbedderError: The model of the configuration cannot be loaded.
        EvaluationError: No question has both relevant and other candidates, there are too few of
            them, or what is held out was to be learned from.
        InvalidInputError: There is no such cluster.
        MissingDependencyError: Trees were asked for, and LightGBM is not installed.
    """
    chosen = learner or Learner()
    parts = Parts(dataset)
    book = None if ledger is None else Ledger(Path(ledger), clock=clock)
    used, held = parts.divided(book, hold_out=hold_out, on=on, seed=seed, by=command)
    if book is not None:
        note = f"the {chosen.model} model over {len(chosen.names)} features"
        book.note_tuned(parts.data, used, by=command, note=note)
    asked = parts.of(used)
    found = gather(
        suite, dataset, chosen.names, config=config, queries=asked, store_as=store_as,
        cache=cache, progress=progress,
    )  # fmt: skip
    folds = make_folds(parts.queries.filter(pl.col("query_id").is_in(asked)), seed=seed)
    left_out = tuple(sorted(parts.units - set(used)))
    whole = found.learn(chosen, split=_split(left_out))
    return Learned(
        record=whole,
        folds=tuple(
            found.learn(
                chosen,
                without=frozenset(fold.queries),
                split=_split((fold.name, *left_out)),
                start=whole,
            )
            for fold in folds.folds
        ),
        how=folds.how,
        config=replace(
            config,
            retrieval=replace(config.retrieval, profile="conversation", learned=whole.to_json()),
        ),
        used=used,
        held_out=held,
        corpora=found.corpora,
        warnings=folds.warnings,
    )


def _split(left_out: Sequence[str]) -> str:
    """Return in words what weights did not see."""
    if not left_out:
        return "all"
    more = len(left_out) - _LISTED
    also = f" and {more} more" if more > 0 else ""
    return f"without {', '.join(left_out[:_LISTED])}{also}"


def gather(
    suite: Suite,
    dataset: Dataset,
    names: Sequence[str],
    *,
    config: EngineConfig,
    queries: Collection[str] | None = None,
    store_as: StoreAs = "memories",
    cache: str | PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Gathered:
    """Return the features of all candidates of all questions of a suite.

    Args:
        suite: What is asked.
        dataset: Its data.
        names: Which features.
        config: Of the engine that gathers candidates.
        queries: Ask these alone; all unless given.
        store_as: See `filling.fill`.
        cache: A file that keeps vectors from one run to the next.
        progress: Told how many questions are done.
    """
    # Weights that are there already have no say in what is learned, yet features must be kept.
    plain = replace(config, retrieval=replace(config.retrieval, profile="by-hand", learned=None))
    settings = config_of(plain.to_dict(), seed=suite.seed, store=suite.store)
    system = EngineSystem(settings, store_as=store_as)
    relevant = _relevant(dataset)
    wanted = frozenset(dataset.queries["id"] if queries is None else queries)
    taught: list[Taught] = []
    hashes: dict[str, str] = {}
    embedder: str | None = None
    telling = task("learning", total=len(wanted), unit="questions", progress=progress)
    with telling as counting, Workshop(cache=cache) as workshop:
        for corpus, questions in corpora_of(dataset):
            some = [each for each in questions if each.id in wanted]
            if not some:
                continue
            counting.say(corpus.name)
            hashes[corpus.name] = corpus_hash(corpus)
            with system.open(corpus, workshop) as asked:
                for each in some:
                    table = asked.engine.features(each.text, names, workspace="default")
                    right = relevant.get(each.id, set())
                    mark = np.array([asked.ids[id_] in right for id_ in table.ids], np.bool_)
                    question = LearningQuestion(features=table.values, relevant=mark)
                    taught.append(Taught(query=each.id, corpus=corpus.name, question=question))
                    counting.advance()
                embedder = model_of_vectors(asked.engine)
            workshop.forget(corpus)
    return Gathered(
        dataset=dataset.id,
        data=dataset.hash,
        taught=tuple(taught),
        corpora=hashes,
        embedder=embedder,
    )


def _relevant(dataset: Dataset) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    judged = dataset.qrels.filter(pl.col("relevance") > 0)
    for query, memory in judged.select("query_id", "memory_id").iter_rows():
        found.setdefault(query, set()).add(memory)
    return found
