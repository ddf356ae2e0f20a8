"""Dreams in processes of their own; see `serve.tenants.apart`.

The engine that the server has open follows the change log, so that it sees what was dreamt with its
next question.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from engram_lab.config import EngineConfig
from engram_lab.core.errors import DreamLockedError, EngramError, StoreError
from engram_lab.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from engram_lab.core.dreams import Change, DreamRun, UndoReport

__all__ = ["DreamTold", "Dreamt", "dream_all", "dream_one", "opened", "undo_one", "work_once"]

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Dreamt:
    """What came of the dream of one workspace.

    Attributes:
        changes: How many there were.
        fault: Why there was no dream, None where there was one.
    """

    workspace: str
    changes: int = 0
    fault: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DreamTold:
    """What is told of a dream: to take in all of a long report would hold up the whole server.

    Attributes:
        changes: The first of them.
        more: How many more there were.
    """

    run: DreamRun
    dry_run: bool
    changes: tuple[Change, ...]
    more: int


def dream_one(
    path: str, config: Mapping[str, Any], options: Mapping[str, Any], most: int
) -> DreamTold:
    """Let one workspace of a database dream; see `Engine.dream` for options and errors.

    Args:
        path: Of the database, which must exist.
        config: Of the engine, by section and by name.
        options: Of `Engine.dream`.
        most: How many changes are told.
    """
    with opened(path, config) as engine:
        report = engine.dream(**options)
    told = tuple(report.changes[:most])
    return DreamTold(
        run=report.run, dry_run=report.dry_run, changes=told, more=len(report) - len(told)
    )


def undo_one(
    path: str, config: Mapping[str, Any], run_id: str, options: Mapping[str, Any]
) -> UndoReport:
    """Undo a dream of a database; see `Engine.undo` for options and errors."""
    with opened(path, config) as engine:
        return engine.undo(run_id, **options)


def work_once(path: str, config: Mapping[str, Any], work: Callable[[Engine], T]) -> T:
    """Return what work returns over the engine of a database; it must be found by its name."""
    with opened(path, config) as engine:
        return work(engine)


def dream_all(path: str, config: Mapping[str, Any], options: Mapping[str, Any]) -> list[Dreamt]:
    """Let every workspace of a database dream, one after the other.

    A workspace whose dream would hide too much, or of which somebody else dreams, is left as it
    is; the others dream all the same.

    Args:
        path: Of the database, which must exist.
        config: Of the engine, by section and by name.
        options: Of `Engine.dream`.

    Raises:
        StoreError: The database cannot be used, or does not exist.
    """
    found = []
    with opened(path, config) as engine:
        for workspace in [each.name for each in engine.store.workspaces.all()]:
            try:
                report = engine.dream(workspace, **options)
            except DreamLockedError:
                found.append(Dreamt(workspace=workspace, fault="somebody else dreams of it"))
            except StoreError:
                raise
            except EngramError as error:
                found.append(Dreamt(workspace=workspace, fault=str(error)))
            else:
                found.append(Dreamt(workspace=workspace, changes=len(report)))
    return found


def opened(path: str, config: Mapping[str, Any], *, read_only: bool = False) -> Engine:
    """Open an engine over a database that exists.

    Raises:
        StoreError: There is none, or it cannot be used.
    """
    if not Path(path).is_file():  # which opening would make
        raise StoreError("the database is not there")
    return Engine.open(path, config=EngineConfig.from_dict(config), read_only=read_only)
