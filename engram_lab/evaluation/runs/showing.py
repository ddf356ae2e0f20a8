"""How an evaluation and the record of it are shown to people in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engram_lab.core.markup import shortened, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from engram_lab.evaluation.runs.results import RunFolder

__all__ = ["RunRecord", "page_of"]


class RunRecord(dict[str, Any]):
    """All that it takes to do an evaluation again, as plain JSON; see `record.begin_record`."""

    def _repr_html_(self) -> str:
        return table(f"Record {shortened(self.get('id', ''), most=13)}", _rows_of(self))


def _rows_of(record: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """Yield what a person asks of a record; a record of elsewhere may lack any of it."""
    data, code, machine = (_part(record, name) for name in ("dataset", "code", "environment"))
    systems = _part(record, "systems")
    said = {
        "suite": _part(record, "suite").get("id"),
        "data set": data.get("id"),
        "memories": data.get("memories"),
        "queries": data.get("queries"),
        "systems": ", ".join(map(str, systems)),
        "seed": record.get("seed"),
        "began": record.get("began_at"),
        "command": record.get("command"),
        "version": code.get("version"),
        "revision": f"{code.get('revision') or ''}{' with changes' * bool(code.get('dirty'))}",
        "machine": ", ".join(
            str(each) for each in machine.values() if isinstance(each, str | int | float)
        ),
    }
    yield from ((name, each) for name, each in said.items() if each not in (None, ""))


def _part(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = record.get(name)
    return found if isinstance(found, dict) else {}


def page_of(folder: RunFolder) -> str:
    """Return a finished evaluation as HTML: each measure of each system, with its interval."""
    systems = folder.results["systems"]
    measures = list(dict.fromkeys(name for each in systems for name in _part(each, "measures")))
    rows = [
        (name, *(_said(_part(each, "measures").get(name)) for each in systems)) for name in measures
    ]
    head = ("measure", *(each["name"] for each in systems))
    return table(f"Run of {folder.suite} in {folder.path}", rows, head=head)


def _said(found: Any) -> str:
    if not isinstance(found, dict) or not isinstance(found.get("mean"), int | float):
        return ""
    match found.get("ci"):
        case [int() | float() as low, int() | float() as high]:
            return f"{found['mean']:.3f} [{low:.3f}, {high:.3f}]"
    return f"{found['mean']:.3f}"
