"""The learned weights of a configuration: which they are, and others in their place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, Final

import orjson

from engram_lab.core.errors import InvalidInputError
from engram_lab.evaluation.shipped import shipped
from engram_lab.evaluation.systems.unseen import read_folds
from engram_lab.retrieval.profiles import shipped_record

if TYPE_CHECKING:
    from engram_lab.config import EngineConfig
    from engram_lab.evaluation.systems.unseen import Record

__all__ = ["SHIPPED_FOLDS", "described", "records_of", "with_record"]

# The one place that knows where a configuration keeps its learned weights.
_SETTING: Final = "learned"

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
        InvalidInputError: What stands there is a text, and no JSON object.
    """
    settings: Any = config.retrieval
    profile = getattr(settings, "profile", None)
    if profile is not None and (profile not in _LEARNED or settings.strategy in _ONE_ARM):
        return ()
    found: Any = getattr(settings, _SETTING, None)
    if isinstance(found, str) and found.strip():
        try:
            found = orjson.loads(found)
        except orjson.JSONDecodeError as error:
            raise InvalidInputError(
                f"retrieval.{_SETTING} is no JSON ({error}): it must be a record of learned weights"
            ) from None
        if not isinstance(found, dict):
            raise InvalidInputError(
                f"retrieval.{_SETTING} must be an object, a record of learned weights"
            )
    if isinstance(found, Mapping) and found:
        return (found,)
    if profile is None or (config.embedding.model == _NO_MODEL and not shipped_record().fits(None)):
        return ()
    return _coming_along()


def _coming_along() -> tuple[Record, ...]:
    whole = shipped_record().to_dict()
    file = shipped("systems") / SHIPPED_FOLDS
    folds = read_folds(file) if file.is_file() else ()
    return (whole, *(each for each in folds if each != whole))


def with_record(config: EngineConfig, record: Record) -> EngineConfig:
    """Return a configuration with other weights.

    Raises:
        InvalidInputError: Configurations have no place for them.
    """
    places = {each.name: each for each in fields(config.retrieval)}
    if _SETTING not in places:
        raise InvalidInputError(
            f"there is no setting retrieval.{_SETTING} to hold learned weights: leave out the folds"
        )
    as_text = "str" in str(places[_SETTING].type)
    said = orjson.dumps(record, option=orjson.OPT_SORT_KEYS).decode() if as_text else dict(record)
    changed: dict[str, Any] = {_SETTING: said}
    return replace(config, retrieval=replace(config.retrieval, **changed))


def described(record: Record) -> str:
    """Return in a few words what a record was learned from, such as `locomo without conv-26`."""
    saw = record.get("saw")
    if not isinstance(saw, Mapping):
        return "set by hand"
    split = saw.get("split")
    parts = (saw.get("dataset"), None if split == "all" else split)
    return " ".join(str(part) for part in parts if part) or "it is not said what"
