"""Suites by name: read from TOML, so that what is judged is data that anybody can look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from engram_lab.core.errors import InvalidInputError
from engram_lab.evaluation.declared import (
    LOSS,
    SHARE,
    TABLE,
    TEXT,
    TEXTS,
    TRUTH,
    check_keys,
    check_values,
    declared_names,
    read_declared,
    whole,
)
from engram_lab.evaluation.suite import GateRules, Suite

__all__ = ["load_suite", "rules_of", "suite_names", "suite_of"]

_OF_A_SUITE: Final = {
    "title": TEXT,
    "dataset": TEXT,
    "reader": TEXT,
    "options": TEXTS,
    "depth": whole(least=1),
    "store": TABLE,
    "gate": TABLE,
    "level": SHARE,
    "resamples": whole(least=1),
    "seed": whole(least=0),
}
_OF_A_GATE: Final = {
    "alpha": SHARE,
    "margin": LOSS,
    "category_margin": LOSS,
    "categories": TRUTH,
    "resamples": whole(least=1),
    "seed": whole(least=0),
}


def suite_names() -> tuple[str, ...]:
    """Return the names of the suites that the project ships."""
    return declared_names("suites")


def load_suite(name: str) -> Suite:
    """Return the suite of a name, or of a TOML file.

    Raises:
        InvalidInputError: There is none, or it declares what means nothing.
    """
    return suite_of(*read_declared("suites", name))


def suite_of(id_: str, content: dict[str, Any]) -> Suite:
    """Return the suite that a table declares.

    Raises:
        InvalidInputError: A key is unknown or missing, or a value is of the wrong kind.
    """
    where = f"the suite {id_!r}"
    check_keys(content, {each.name for each in fields(Suite)} - {"id"}, where=where)
    if missing := sorted({"title", "measures"} - set(content)):
        raise InvalidInputError(f"{where} has no {' and no '.join(missing)}: declare them")
    told = {name: value for name, value in content.items() if value is not None}
    check_values(told, _OF_A_SUITE, where=where)
    if (content.get("dataset") is None) == (content.get("reader") is None):
        raise InvalidInputError(
            f"{where} must name a dataset, or the reader of data that are given with --data"
        )
    measures = _names(content["measures"], where=f"the measures of {where}")
    if not measures:
        raise InvalidInputError(f"{where} has no measures: name one or more, such as nDCG@10")
    _check_depth(content.get("depth"), measures, where=where)
    gate = rules_of(
        {"measures": measures[:1], **content.get("gate", {})}, where=f"the gate of {where}"
    )
    if strange := sorted(set(gate.measures) - set(measures)):
        raise InvalidInputError(
            f"the gate of {where} tests {strange[0]!r}, which the suite does not measure: add it "
            "to its measures"
        )
    rest = {
        **content,
        "measures": measures,
        "apart": _names(content.get("apart", ()), where=f"the categories apart of {where}"),
        "gate": gate,
    }
    return Suite(id=id_, **{"dataset": None, **rest})


def _check_depth(depth: int | None, measures: tuple[str, ...], *, where: str) -> None:
    """Refuse a measure that looks at more hits than are asked for: it would look at those alone."""
    for name in measures:
        _, _, cutoff = name.rpartition("@")
        if depth is not None and cutoff.isdecimal() and int(cutoff) > depth:
            raise InvalidInputError(
                f"{where} asks for {depth} hits, and {name} looks at more: raise its depth"
            )


def rules_of(content: Mapping[str, Any], *, where: str) -> GateRules:
    """Return the rules that a table declares.

    Args:
        content: The table; `measures` must be there.
        where: What an error calls it.

    Raises:
        InvalidInputError: A key is unknown, or a value is of the wrong kind or out of bounds.
    """
    check_keys(content, {each.name for each in fields(GateRules)}, where=where)
    check_values(content, _OF_A_GATE, where=where)
    measures = _names(content.get("measures", ()), where=f"the measures of {where}")
    return GateRules(**{**content, "measures": measures})


def _names(value: object, *, where: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        raise InvalidInputError(f"{where} are {value!r}: give a list of names")
    if len(set(value)) < len(value):
        raise InvalidInputError(f"{where} name something twice: {', '.join(value)}")
    return tuple(value)
