"""What was learned, as plain numbers that a configuration keeps, and what it was learned from."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, Self, get_args

import orjson

from engram_lab.core.errors import InvalidInputError, shown
from engram_lab.retrieval.learned.forest import Forest

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MODELS", "SCALES", "LearnedRecord", "Model", "Saw", "Scale"]

Model = Literal["linear", "trees"]
MODELS: Final[tuple[Model, ...]] = get_args(Model)

Scale = Literal["centred", "unit-range"]
SCALES: Final[tuple[Scale, ...]] = get_args(Scale)

_FIELDS: Final = frozenset({"model", "scale", "weights", "trees", "embedder", "saw"})
_OF_SAW: Final = {"dataset": str, "data": str, "corpora": dict, "split": str, "questions": int}


@dataclass(frozen=True, kw_only=True, slots=True)
class Saw:
    """What weights were learned from.

    Attributes:
        dataset: Its id.
        data: Its hash.
        corpora: By the name of each corpus, what it is known again by; see
            `evaluation.systems.unseen.corpus_hash`.
        split: `all`, or what was left out, such as `without locomo-03`.
        questions: How many questions had anything to teach.
    """

    dataset: str
    data: str
    corpora: Mapping[str, str] = field(default_factory=dict, hash=False)
    split: str = "all"
    questions: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "dataset": self.dataset,
            "data": self.data,
            "corpora": dict(self.corpora),
            "split": self.split,
            "questions": self.questions,
        }

    @classmethod
    def from_dict(cls, given: Any) -> Self:
        """Return what `to_dict` gave.

        Raises:
            InvalidInputError: It is nothing of the kind.
        """
        if (
            not isinstance(given, dict)
            or set(given) - _OF_SAW.keys()
            or not {"dataset", "data"} <= given.keys()
            or not all(isinstance(value, _OF_SAW[name]) for name, value in given.items())
        ):
            raise InvalidInputError(
                f"what learned weights saw is {shown(given)}: give an object with "
                f"{', '.join(sorted(_OF_SAW))}"
            )
        return cls(**given)


@dataclass(frozen=True, kw_only=True, slots=True)
class LearnedRecord:
    """Weights of features, or trees over them.

    Attributes:
        weights: By the name of the feature, in its own unit; none where there are trees.
        scale: `centred`: of each feature its mean over the candidates is taken away. `unit-range`:
            each is brought from 0 to 1 over the candidates, whatever its unit.
        embedder: The beginning of the fingerprint of what makes the vectors that the weights fit;
            None for any.
        saw: What they were learned from; None where they were set by hand.
        trees: What makes the order in place of weights.

    Raises:
        InvalidInputError: There are neither weights nor trees, or both, a weight is no finite
            number, or the scale is unknown.
    """

    weights: Mapping[str, float] = field(default_factory=dict, hash=False)
    scale: Scale = "centred"
    embedder: str | None = None
    saw: Saw | None = None
    trees: Forest | None = None

    def __post_init__(self) -> None:
        if self.scale not in SCALES:
            raise InvalidInputError(
                f"the scale of weights is {shown(self.scale)}: choose {' or '.join(SCALES)}"
            )
        if not self.weights and self.trees is None:
            raise InvalidInputError("there are no weights: give one of a feature at least")
        if self.weights and self.trees is not None:
            raise InvalidInputError("there are both weights and trees: give one of them")
        if self.embedder is not None and not isinstance(self.embedder, str):
            raise InvalidInputError(
                f"the embedder of weights is {shown(self.embedder)}: give the beginning of a "
                "fingerprint, or nothing"
            )
        checked: dict[str, float] = {}
        given: Mapping[str, Any] = self.weights
        for name, weight in given.items():
            number = isinstance(weight, int | float) and not isinstance(weight, bool)
            if not number or not math.isfinite(weight):
                raise InvalidInputError(
                    f"the weight of {name!r} is {shown(weight)}: give a finite number"
                )
            checked[name] = float(weight)
        object.__setattr__(self, "weights", MappingProxyType(checked))

    @property
    def model(self) -> Model:
        """What makes the order."""
        return "linear" if self.trees is None else "trees"

    @property
    def features(self) -> tuple[str, ...]:
        """The features that count."""
        if self.trees is not None:
            return self.trees.used
        return tuple(name for name, weight in self.weights.items() if weight)

    def fits(self, fingerprint: str | None) -> bool:
        """Tell whether the weights are for vectors of this embedder; None is no vectors at all."""
        if self.embedder is None:
            return True
        return fingerprint is not None and fingerprint.startswith(self.embedder)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        numbers: dict[str, Any] = {"weights": dict(sorted(self.weights.items()))}
        if self.trees is not None:
            numbers = {"trees": self.trees.to_dict()}
        return {
            "model": self.model,
            "scale": self.scale,
            **numbers,
            "embedder": self.embedder,
            "saw": None if self.saw is None else self.saw.to_dict(),
        }

    def to_json(self) -> str:
        """Return it as the text that `retrieval.learned` holds."""
        return orjson.dumps(self.to_dict(), option=orjson.OPT_SORT_KEYS).decode()

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Self:
        """Return the record of `to_dict`.

        Raises:
            InvalidInputError: It is none.
        """
        if strange := sorted(set(given) - _FIELDS):
            raise InvalidInputError(
                f"a record of learned weights has {shown(strange[0])}: it may have "
                f"{', '.join(sorted(_FIELDS))}"
            )
        model = given.get("model", "linear")
        if model not in MODELS:
            raise InvalidInputError(
                f"a record of learned weights is of the model {shown(model)}: give "
                f"{' or '.join(MODELS)}"
            )
        place = "weights" if model == "linear" else "trees"
        numbers, saw = given.get(place), given.get("saw")
        if not isinstance(numbers, dict):
            raise InvalidInputError(f"a record of learned weights has no {place}: give an object")
        return cls(
            weights={} if model == "trees" else numbers,
            trees=Forest.from_dict(numbers) if model == "trees" else None,
            scale=given.get("scale", "centred"),
            embedder=given.get("embedder"),
            saw=None if saw is None else Saw.from_dict(saw),
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the record of `to_json`.

        Raises:
            InvalidInputError: It is none.
        """
        try:
            given = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise InvalidInputError(
                f"retrieval.learned is no JSON ({error}): give a record of learned weights"
            ) from None
        if not isinstance(given, dict):
            raise InvalidInputError(
                f"retrieval.learned is {shown(given)}: give an object, a record of learned weights"
            )
        return cls.from_dict(given)
