"""Suites by name: read from TOML, so that what is judged is data that anybody can look at."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from engram_lab.core.errors import InvalidInputError
from engram_lab.evaluation.declared import check_keys, declared_names, read_declared
from engram_lab.evaluation.suite import GateRules, Suite

__all__ = ["load_suite", "suite_names", "suite_of"]


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
    if (content.get("dataset") is None) == (content.get("reader") is None):
        raise InvalidInputError(
            f"{where} must name a dataset, or the reader of data that are given with --data"
        )
    gate = dict(content.get("gate", {}))
    check_keys(gate, {each.name for each in fields(GateRules)}, where=f"the gate of {where}")
    measures = _names(content["measures"], where=f"measures of {where}")
    gate["measures"] = _names(gate.get("measures", measures[:1]), where=f"the gate of {where}")
    if strange := sorted(set(gate["measures"]) - set(measures)):
        raise InvalidInputError(
            f"the gate of {where} tests {strange[0]!r}, which the suite does not measure: add it "
            "to its measures"
        )
    rest = {
        **content,
        "measures": measures,
        "apart": _names(content.get("apart", ()), where=f"apart of {where}"),
        "gate": GateRules(**gate),
    }
    return Suite(id=id_, **{"dataset": None, **rest})


def _names(value: object, *, where: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        raise InvalidInputError(f"{where} are {value!r}: give a list of names")
    if len(set(value)) < len(value):
        raise InvalidInputError(f"{where} name something twice: {', '.join(value)}")
    return tuple(value)
