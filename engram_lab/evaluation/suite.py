"""A suite: which data are asked what, which measures count, and what a gate demands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

__all__ = ["HEADLINE", "GateRules", "Suite", "apart_of"]

HEADLINE = ""
"""The group of all queries that are not set apart."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GateRules:
    """When a run is worse than its baseline.

    A measure fails where its loss is significant after Holm's correction over all that is tested,
    and its mean loss is beyond the margin.

    Attributes:
        measures: Names of the measures that are tested; as part of a suite, its first where none is
            named.
        alpha: Family-wise error rate.
        margin: The largest mean loss that is accepted, in the measure's own unit.
        category_margin: Likewise in one category.
        categories: Whether each category is tested by itself.
        resamples: Of the randomisation test, where it cannot be exact.
        seed: Of the same.
    """

    measures: tuple[str, ...] = ()
    alpha: float = 0.05
    margin: float = 0.01
    category_margin: float = 0.02
    categories: bool = True
    resamples: int = 10_000
    seed: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Suite:
    """What is evaluated, and how.

    Attributes:
        id: Its name.
        measures: Names of the measures, the first is the one to look at.
        title: One line.
        dataset: The id of a manifest; None where the data are given, with `--data` or as a value.
        gate: See `GateRules`.
        reader: The format to read, where `dataset` is None.
        options: How the data are read: unit, key, split.
        depth: How many hits are asked for.
        apart: Categories that are no part of the headline, as LoCoMo's adversarial questions.
        store: Settings of the store that the data need, such as `max_content_chars`.
        level: Of the confidence intervals.
        resamples: Of the bootstrap.
        seed: Of everything random.
    """

    id: str
    measures: tuple[str, ...]
    title: str = ""
    dataset: str | None = None
    gate: GateRules = field(default_factory=GateRules)
    reader: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    depth: int = 100
    apart: tuple[str, ...] = ()
    store: Mapping[str, Any] = field(default_factory=dict)
    level: float = 0.95
    resamples: int = 10_000
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.gate.measures:
            object.__setattr__(self, "gate", replace(self.gate, measures=self.measures[:1]))


def apart_of(record: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the categories that are no part of the headline, as a record says of its suite."""
    suite = record.get("suite")
    return tuple(suite.get("apart") or ()) if isinstance(suite, Mapping) else ()
