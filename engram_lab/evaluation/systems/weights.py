"""The learned weights of a configuration: which they are, and others in their place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import orjson

from engram_lab.evaluation.shipped import shipped
from engram_lab.evaluation.systems.unseen import read_folds
from engram_lab.retrieval.learned import LearnedRecord
from engram_lab.retrieval.profiles import shipped_record

if TYPE_CHECKING:
    from engram_lab.config import EngineConfig
    from engram_lab.evaluation.systems.unseen import Record

__all__ = ["SHIPPED_FOLDS", "described", "records_of", "with_record"]

_LEARNED: Final = frozenset({"conversation", "auto"})
"""The profiles whose weights were learned."""

_ONE_ARM: Final = frozenset({"keyword", "semantic"})
"""Strategies that are an order by themselves."""

_NO_MODEL: Final = "none"

SHIPPED_FOLDS: Final = "conversation.folds.json"
"""Among the systems that come along: the weights that come along, then those of each fold."""


def records_of(config: EngineConfig) -> tuple[Record, ...]:
    """Return the records that a configuration may be judged with, the one it orders by first.

    Weights of its own are all that it may be judged with. In their place it may use those that come
    along, of which there are folds: so whoever leaves it at the default is judged without a leak.

    Returns:
        None where none have a say: under the profiles `neutral` and `by-hand`, where a single arm
        makes the order, and without vectors where weights were learned with these.

    Raises:
        InvalidInputError: What stands there is no record.
    """
    settings = config.retrieval
    if settings.profile not in _LEARNED or settings.strategy in _ONE_ARM:
        return ()
    if settings.learned is not None:
        return (LearnedRecord.from_json(settings.learned).to_dict(),)
    if config.embedding.model == _NO_MODEL and not shipped_record().fits(None):
        return ()
    return _coming_along()


def _coming_along() -> tuple[Record, ...]:
    whole = shipped_record().to_dict()
    file = shipped("systems") / SHIPPED_FOLDS
    folds = read_folds(file) if file.is_file() else ()
    return (whole, *(each for each in folds if each != whole))


def with_record(config: EngineConfig, record: Record) -> EngineConfig:
    """Return a configuration with other weights."""
    said = orjson.dumps(record, option=orjson.OPT_SORT_KEYS).decode()
    return replace(config, retrieval=replace(config.retrieval, learned=said))


def described(record: Record) -> str:
    """Return in a few words what a record was learned from, such as `locomo without conv-26`."""
    saw = record.get("saw")
    if not isinstance(saw, Mapping):
        return "set by hand"
    split = saw.get("split")
    parts = (saw.get("dataset"), None if split == "all" else split)
    return " ".join(str(part) for part in parts if part) or "it is not said what"
