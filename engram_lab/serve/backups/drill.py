"""The rehearsal of a restore: does the newest backup answer questions, and how soon?"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from engram_lab.core.copies import verify_backup
from engram_lab.core.errors import BackupError, EngramError
from engram_lab.core.selection import EVERYTHING, Selection
from engram_lab.core.text import content_hash
from engram_lab.serve.backups.records import DrillReport
from engram_lab.serve.backups.watch import BackupStoppedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from engram_lab.engine import Engine
    from engram_lab.serve.backups.records import Backup, Label

__all__ = ["rehearse"]

_WORDS: Final = 8
_ASKED: Final = 20
_MAY_GROW: Final = frozenset({"recall_events", "vectors"})


def rehearse(
    backup: Backup,
    fetch: Callable[[Path], Label],
    open_engine: Callable[[Path], Engine],
    file: Path,
    *,
    age_s: float,
    timer: Callable[[], float],
) -> DrillReport:
    """Restore a backup to a file, open an engine on it, ask it something, and check what it holds.

    Args:
        backup: Which.
        fetch: Writes it to a file, verified.
        open_engine: As the server opens one.
        file: Where; in a folder that is removed afterwards.
        age_s: How old it is.
        timer: Measures, in seconds.
    """
    began = timer()
    fetched = opened = answered = began
    counts: dict[str, int] = {}
    checked, problems = 0, []
    try:
        label = fetch(file)
        fetched = opened = answered = timer()
        with open_engine(file) as engine:
            opened = answered = timer()
            problems += _unanswered(engine)
            answered = timer()
            checked, wrong = _unlike_their_hashes(engine)
            problems += wrong
            examined = engine.store.doctor.examine()
            problems += [f"{each.name}: {each.detail}" for each in examined if not each.ok]
        counts = dict(verify_backup(file).counts)
        problems += _miscounted(label, counts)
    except BackupStoppedError:
        raise
    except BackupError as error:
        problems.append(str(error))
    except EngramError as error:
        problems.append(f"{type(error).__name__}: {error}")
    return DrillReport(
        tenant_id=backup.tenant_id,
        name=backup.name,
        age_s=age_s,
        seconds=answered - began,
        fetch_s=fetched - began,
        open_s=opened - fetched,
        recall_s=answered - opened,
        counts=counts,
        checked=checked,
        problems=tuple(problems),
    )


def _unanswered(engine: Engine) -> list[str]:
    """Ask for memories by their own first words: one at least must bring an answer."""
    asked = engine.store.memories.select(Selection(), limit=_ASKED)
    for memory in asked:
        query = " ".join(islice(memory.content.split(), _WORDS))
        if query and len(engine.recall(query, 1, workspace=memory.workspace)):
            return []
    return [f"none of {len(asked)} questions was answered"] if asked else []


def _unlike_their_hashes(engine: Engine) -> tuple[int, list[str]]:
    """Return how many memories say what their hashes say, and a sentence about those that don't."""
    checked = wrong = 0
    columns = ("content", "content_hash")
    for batch in engine.store.tables.scan("memories", EVERYTHING):
        for content, digest in zip(*(batch[name].to_pylist() for name in columns), strict=True):
            same = content_hash(content) == digest
            checked, wrong = checked + same, wrong + (not same)
    return checked, [f"{wrong} memories say something else than their hashes"] if wrong else []


def _miscounted(label: Label, counts: Mapping[str, int]) -> list[str]:
    """Return what is fewer, or more, than when the backup was made.

    Asking leaves events, and an engine that was opened may embed what waited: those may be more.
    """
    return [
        f"{counts[name]} {name} were restored, of {told}"
        for name, told in label.counts.items()
        if counts[name] < told or (counts[name] > told and name not in _MAY_GROW)
    ]
