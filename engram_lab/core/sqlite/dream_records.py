"""Between the rows that dreams leave and the records of what they did."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any, Final

import orjson

from engram_lab.core.clock import from_us, parse_time, to_us
from engram_lab.core.dreams import CHANGE_ACTIONS, Change, DreamRun, StepRun
from engram_lab.core.errors import InvalidInputError
from engram_lab.core.sqlite.rows import fetch, optional_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    import apsw

__all__ = ["RUN_COLUMNS", "as_json", "change_of", "journal_row", "run_of", "write_steps"]

RUN_COLUMNS: Final = (
    "number, id, workspace, status, author, config_hash, started_at, ended_at, undone_at, "
    "memories_before, memories_after, tokens_before, tokens_after, state, stopped"
)
_STEPS: Final = (
    "SELECT place, step, parameters, remembered, updated, forgotten, linked, unlinked, skipped, "
    "seconds, stopped FROM consolidation_runs WHERE run = ? ORDER BY place"
)
_INSERT_STEP: Final = "INSERT INTO consolidation_runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_TIMES: Final = frozenset(
    {"event_at", "valid_from", "valid_to", "expires_at", "snapshot_loaded_at"}
)


def as_json(value: Any, *, field: str) -> str:
    """Return a value as JSON; numbers of numpy are numbers, sets are sorted lists.

    Raises:
        InvalidInputError: It holds what JSON cannot.
    """
    try:
        return orjson.dumps(value, _plain, orjson.OPT_SERIALIZE_NUMPY).decode()
    except TypeError as error:
        raise InvalidInputError(f"{field} cannot be written as JSON: {error}") from None


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, AbstractSet):
        return sorted(value)
    if isinstance(value, tuple):  # of a class of its own; by names where it has some
        return value._asdict() if hasattr(value, "_asdict") else list(value)
    raise TypeError(f"a {type(value).__name__} is no JSON")


def run_of(connection: apsw.Connection, row: Sequence[Any]) -> DreamRun:
    """Return the run of a row of `RUN_COLUMNS`, with its steps."""
    return DreamRun(
        id=row[1],
        workspace=row[2],
        status=row[3],
        author=row[4],
        config_hash=row[5],
        started_at=from_us(row[6]),
        ended_at=from_us(row[7]),
        undone_at=optional_time(row[8]),
        steps=tuple(_step_of(each) for each in fetch(connection, _STEPS, (row[0],))),
        memories_before=row[9],
        memories_after=row[10],
        tokens_before=row[11],
        tokens_after=row[12],
        state=orjson.loads(row[13]),
        stopped=row[14],
    )


def _step_of(row: Sequence[Any]) -> StepRun:
    return StepRun(
        step=row[1],
        order=row[0],
        parameters=orjson.loads(row[2]),
        counts={
            action: count for action, count in zip(CHANGE_ACTIONS, row[3:8], strict=True) if count
        },
        skipped=row[8],
        seconds=row[9],
        stopped=row[10],
    )


def write_steps(connection: apsw.Connection, run: int, steps: Sequence[StepRun]) -> None:
    """Store what each step of a run did."""
    connection.executemany(
        _INSERT_STEP,
        (
            (
                run,
                step.order,
                step.step,
                as_json(step.parameters, field="parameters"),
                *(step.counts.get(action, 0) for action in CHANGE_ACTIONS),
                step.skipped,
                float(step.seconds),
                step.stopped,
            )
            for step in steps
        ),
    )


def journal_row(change: Change) -> tuple[str, str | None, int | None]:
    """Return what a journal keeps of a plan: its fields, but for words, its sources, and `seen`."""
    fields, of_link = change.fields, change.action in {"link", "unlink"}
    if "content" in fields:
        fields = {name: value for name, value in fields.items() if name != "content"}
    ends = (fields.get("from_id"), fields.get("to_id"))
    told = None
    if not of_link or tuple(change.sources) != ends:
        told = as_json(change.sources, field="sources")
    seen: Any = change.seen
    if seen is not None and of_link:
        seen = to_us(seen)
    return as_json(fields, field="fields"), told, seen


def change_of(row: Sequence[Any]) -> Change:
    """Return the change of `step, action, id, fields, reason, sources, seen, content`."""
    step, action, id_, told, reason, sources, seen, content = row
    fields: dict[str, Any] = {} if told is None else orjson.loads(told)
    for name in _TIMES & fields.keys():
        if fields[name] is not None:
            fields[name] = parse_time(fields[name], field=name)
    if isinstance(fields.get("tags"), list):
        fields["tags"] = tuple(fields["tags"])
    if action == "remember" and content is not None:
        fields = {"content": content, **fields}
    of_link = action in {"link", "unlink"}
    return Change(
        step=step,
        action=action,
        id=id_,
        fields=fields,
        reason=reason,
        sources=(fields["from_id"], fields["to_id"])
        if sources is None
        else tuple(orjson.loads(sources)),
        seen=from_us(seen) if of_link and seen is not None else seen,
    )
