"""What there is to evaluate: suites, systems and data sets, as `engram eval list` shows them."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from engram_lab.core.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich.table import Table

__all__ = ["described", "lines", "listing", "tables"]


def listing() -> dict[str, list[dict[str, Any]]]:
    """Return suites, systems and data sets, each with its name and a line about it."""
    from engram_lab.evaluation.consolidation.suite import suite_of_seed
    from engram_lab.evaluation.datasets.catalogue import manifests, status
    from engram_lab.evaluation.suites import load_suite, suite_names
    from engram_lab.evaluation.systems import ladder

    data = [
        {"name": each.id, "title": each.title, "state": status(each.id, thorough=False).state}
        for each in manifests()
    ]
    states = {each["name"]: each["state"] for each in data}
    suites = [load_suite(name) for name in suite_names()]
    made = suite_of_seed()
    return {
        "suites": [
            {
                "name": each.id,
                "title": each.title,
                "dataset": each.dataset,
                "state": "give --data"
                if each.dataset is None
                else states.get(each.dataset, "unknown"),
            }
            for each in suites
        ]
        + [{"name": made.id, "title": made.title, "dataset": None, "state": "makes its own"}],
        "systems": [{"name": each.name, "title": each.title} for each in ladder()],
        "datasets": data,
    }


def tables(found: Mapping[str, list[dict[str, Any]]]) -> Iterator[Table]:
    """Yield a table for each kind of thing."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    for kind, rows in found.items():
        table = Table(box=SIMPLE_HEAD, pad_edge=False)
        table.add_column(kind, no_wrap=True, style="bold")
        table.add_column("")
        if "state" in rows[0]:
            table.add_column("data", no_wrap=True)
        for row in rows:
            table.add_row(row["name"], row["title"], *([row["state"]] if "state" in row else []))
        yield table


def described(name: str) -> dict[str, Any]:
    """Return all that is known of a suite, a system or a data set.

    Raises:
        InvalidInputError: There is nothing of this name.
    """
    from engram_lab.evaluation.consolidation import suite as consolidation
    from engram_lab.evaluation.datasets.catalogue import manifest, manifests, status
    from engram_lab.evaluation.suites import load_suite, suite_names
    from engram_lab.evaluation.systems import load_system, system_names

    found: dict[str, Any] = {}
    if name == consolidation.NAME:
        found["suite"] = asdict(consolidation.suite_of_seed())
        found["measures"] = dict(consolidation.MEASURES)
        found["tasks"] = list(consolidation.TASKS)
        found["size"] = {"least": consolidation.LEAST_SIZE, "most": consolidation.MOST_SIZE}
    if name in suite_names() or name.endswith(".toml"):
        found["suite"] = asdict(load_suite(name))
    if name in system_names():
        found["system"] = asdict(load_system(name))
    ids = [each.id for each in manifests()]
    if name in ids:
        state = status(name)
        found["dataset"] = {
            **asdict(manifest(name)),
            "state": state.state,
            "where": None if state.where is None else str(state.where),
            "looked_in": [str(each) for each in state.looked_in],
            "changes": list(state.changes),
        }
    if not found:
        raise InvalidInputError(
            f"there is no suite, system or data set {name!r}: `engram eval list` has all names"
        )
    return found


def lines(found: Mapping[str, Any], *, indent: str = "") -> str:
    """Return nested values as lines to read, without what is empty."""
    return "\n".join(_lines(found, indent))


def _lines(found: Mapping[str, Any], indent: str) -> Iterator[str]:
    for name, value in found.items():
        if value in (None, "", (), [], {}):
            continue
        if isinstance(value, dict):
            yield f"{indent}{name}"
            yield from _lines(value, f"{indent}  ")
        elif isinstance(value, list | tuple) and any(isinstance(each, dict) for each in value):
            for each in value:
                yield f"{indent}{name}"
                yield from _lines(each, f"{indent}  ")
        elif isinstance(value, list | tuple):
            yield f"{indent}{name}: {', '.join(map(str, value))}"
        else:
            yield f"{indent}{name}: {value}"
