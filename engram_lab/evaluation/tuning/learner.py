"""How features become an order: which of them, and the model that is learned over them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from engram_lab.core.errors import InvalidInputError, shown
from engram_lab.retrieval.features import FEATURES
from engram_lab.retrieval.learned import (
    MODELS,
    Boosting,
    LearnedRecord,
    Model,
    choose_penalty,
    learn_trees,
    learn_weights,
)
from engram_lab.retrieval.profiles import shipped_record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engram_lab.engine import Engine
    from engram_lab.retrieval.learned import LearningQuestion, Saw

__all__ = ["Learner", "model_of_vectors"]

_FREE: Final = 3.0
"""The penalty where nothing is known: near it the figures of LoCoMo hardly change."""

_MODEL: Final = 2
"""How many parts of a fingerprint name the model: the rest may change with its files."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Learner:
    """What is learned, and how.

    Attributes:
        features: By name; none for those of the weights that come along.
        model: `linear`: a weight for each feature. `trees`: LightGBM's trees.
        l2: Of the linear model; see `learn_weights`. None for 3, or where known weights are to be
            corrected for what `choose_penalty` says.
        boosting: Of the trees.

    Raises:
        InvalidInputError: A feature or the model is unknown, a feature is named twice, or l2 is not
            above 0.
    """

    features: tuple[str, ...] = ()
    model: Model = "linear"
    l2: float | None = None
    boosting: Boosting = field(default_factory=Boosting)

    def __post_init__(self) -> None:
        if self.model not in MODELS:
            raise InvalidInputError(
                f"the model to learn is {shown(self.model)}: choose {' or '.join(MODELS)}"
            )
        if self.l2 is not None and not 0 < self.l2 < math.inf:
            raise InvalidInputError(f"l2 is {shown(self.l2)}: give a finite number above 0")
        for name in self.features:
            FEATURES.get(name)
            if self.features.count(name) > 1:
                raise InvalidInputError(f"the feature {name!r} is named twice: name each once")

    @property
    def names(self) -> tuple[str, ...]:
        """The features that are learned from."""
        return self.features or shipped_record().features

    def learn(
        self,
        questions: Sequence[LearningQuestion],
        *,
        saw: Saw,
        embedder: str | None,
        start: LearnedRecord | None = None,
        towards: LearnedRecord | None = None,
    ) -> LearnedRecord:
        """Return what questions teach.

        Args:
            questions: With the features of `names`.
            saw: What they are, for the record.
            embedder: What made the vectors; see `LearnedRecord.embedder`.
            start: Weights to begin from.
            towards: Weights that stand where the questions do not say otherwise.

        Raises:
            InvalidInputError: Nothing can be learned from them.
            MissingDependencyError: Trees were asked for, and LightGBM is not installed.
        """
        if self.model == "trees":
            trees = learn_trees(questions, self.names, boosting=self.boosting)
            return LearnedRecord(trees=trees, embedder=embedder, saw=saw)
        known = None if towards is None else towards.weights
        free = _FREE if known is None else choose_penalty(questions, self.names, known)
        weights = learn_weights(
            questions,
            self.names,
            l2=free if self.l2 is None else self.l2,
            start=None if start is None else start.weights,
            towards=known,
        )
        return LearnedRecord(weights=weights, embedder=embedder, saw=saw)


def model_of_vectors(engine: Engine) -> str | None:
    """Return the model that makes the vectors of an engine, as records name it; None without one.

    Raises:
        EmbedderError: It cannot be loaded.
    """
    if engine.config.embedding.model == "none":
        return None
    return "/".join(engine.embedder.fingerprint.split("/")[:_MODEL])
