"""What was tuned on and what is held out: a list that only grows, and shows when it was edited."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from engram_lab.core.checksums import json_sha256
from engram_lab.core.clock import Clock, SystemClock
from engram_lab.core.errors import EvaluationError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["DataRef", "Entry", "Ledger", "default_ledger"]

Kind = Literal["held out", "tuned", "looked"]

_KINDS: Final[tuple[str, ...]] = get_args(Kind)
_FIRST: Final = "0" * 64
"""What the first entry names as the one before it."""

_LISTED: Final = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class DataRef:
    """Data, as the ledger knows them.

    Attributes:
        dataset: The id of the data set; the same conversations, read as turns or as sessions, have
            the same one.
        hash: See `Dataset.hash`.
    """

    dataset: str
    hash: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One line.

    Attributes:
        number: From 1.
        at: When, as ISO 8601 in UTC.
        kind: `held out`: from now on not to be tuned on. `tuned`: settings were chosen by these.
            `looked`: settings were scored on what is held out.
        dataset: See `DataRef`.
        data_hash: Likewise.
        units: Clusters, or single queries, sorted; see `folds.units`.
        by: The command.
        note: Such as what came out.
        previous: The hash of the entry before.
        hash: SHA-256 of all the rest.
    """

    number: int
    at: str
    kind: Kind
    dataset: str
    data_hash: str
    units: tuple[str, ...]
    by: str
    note: str
    previous: str
    hash: str


def default_ledger(out: Path) -> Path:
    """Return where the ledger of a search lies: `$ENGRAM_LEDGER`, else beside its folder."""
    named = os.environ.get("ENGRAM_LEDGER")
    return Path(named) if named else out.resolve().parent / "ledger.jsonl"


class Ledger:
    """A file of entries, each of which holds the hash of the one before it.

    Whoever edits, removes or inserts a line breaks the chain, and is told so at the next reading.
    Lines that were cut off the end leave a whole chain: `check` misses them where `last` was noted
    elsewhere, as a search does in its own folder.

    Args:
        path: A JSON Lines file, made with the first entry.
        clock: Tells the time.
    """

    def __init__(self, path: Path, *, clock: Clock | None = None) -> None:
        self.path = path
        self._clock = clock or SystemClock()

    def entries(self) -> tuple[Entry, ...]:
        """Return all entries, the oldest first.

        Raises:
            EvaluationError: A line was edited, or is none of ours.
        """
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return ()
        entries: list[Entry] = []
        for number, line in enumerate(lines, 1):
            entry = self._parsed(line, number)
            before = entries[-1].hash if entries else _FIRST
            if (entry.number, entry.previous, entry.hash) != (number, before, _hash(entry)):
                raise EvaluationError(
                    f"line {number} of the ledger {self.path} was edited, or one before it: take "
                    "the file back from where it is kept, as nothing after it can be trusted"
                )
            entries.append(entry)
        return tuple(entries)

    def held_out(self, data: DataRef) -> frozenset[str]:
        """Return the units of these data that are not to be tuned on."""
        return self._units("held out", data)

    def tuned(self, data: DataRef) -> frozenset[str]:
        """Return the units of these data that settings were chosen by."""
        return self._units("tuned", data)

    def looks(self, data: DataRef) -> int:
        """Return how often settings were scored on what is held out of these data."""
        return sum(_concerns(each, data) for each in self.entries() if each.kind == "looked")

    def hold_out(self, data: DataRef, units: Iterable[str], *, by: str) -> Entry | None:
        """Note what must not be tuned on from now on; None where all of it was noted before.

        Raises:
            EvaluationError: Some of it was tuned on, so that it can tell nothing any more.
        """
        asked = frozenset(units)
        if not asked - self.held_out(data):
            return None
        if used := asked & self.tuned(data):
            raise EvaluationError(
                f"{_listed(used)} of {data.dataset!r} cannot be held out, as settings were tuned "
                f"on it (ledger {self.path}): hold out what was never tuned on"
            )
        return self._append("held out", data, asked, by=by)

    def refuse(self, data: DataRef, units: Iterable[str]) -> None:
        """Refuse to tune on what is held out.

        Raises:
            EvaluationError: Some of the units are.
        """
        asked, held = frozenset(units), self.held_out(data)
        if common := asked & held:
            rest = _listed(asked - held) or "nothing"
            raise EvaluationError(
                f"{_listed(common)} of {data.dataset!r} must not be tuned on, as it is held out "
                f"(ledger {self.path}); of what was given, {rest} may be"
            )

    def note_tuned(
        self, data: DataRef, units: Iterable[str], *, by: str, note: str = ""
    ) -> Entry | None:
        """Note what settings are chosen by; None where the last such entry says the same.

        Raises:
            EvaluationError: It is held out.
        """
        asked = frozenset(units)
        self.refuse(data, asked)
        last = next((each for each in reversed(self.entries()) if _concerns(each, data)), None)
        same = (data.hash, tuple(sorted(asked)), by, note)
        if (
            last
            and last.kind == "tuned"
            and (last.data_hash, last.units, last.by, last.note) == same
        ):
            return None
        return self._append("tuned", data, asked, by=by, note=note)

    def note_look(self, data: DataRef, units: Iterable[str], *, by: str, note: str = "") -> int:
        """Note that settings are scored on what is held out, and return how often that was done.

        Raises:
            EvaluationError: Some of it is not held out.
        """
        asked = frozenset(units)
        if loose := asked - self.held_out(data):
            raise EvaluationError(
                f"{_listed(loose)} of {data.dataset!r} is not held out: declare it before looking"
            )
        self._append("looked", data, asked, by=by, note=note)
        return self.looks(data)

    def last(self) -> dict[str, Any]:
        """Return where the ledger stands, to be noted elsewhere: `{path, entries, hash}`."""
        entries = self.entries()
        return {
            "path": str(self.path),
            "entries": len(entries),
            "hash": entries[-1].hash if entries else _FIRST,
        }

    def check(self, noted: dict[str, Any]) -> None:
        """Check that the ledger still holds what it held when `last` was noted.

        Raises:
            EvaluationError: It does not.
        """
        hashes = [_FIRST, *(each.hash for each in self.entries())]
        if noted["entries"] >= len(hashes) or hashes[noted["entries"]] != noted["hash"]:
            raise EvaluationError(
                f"the ledger {self.path} no longer holds the {noted['entries']} entries that it had"
            )

    def _units(self, kind: Kind, data: DataRef) -> frozenset[str]:
        found = [each for each in self.entries() if each.kind == kind and _concerns(each, data)]
        return frozenset().union(*(each.units for each in found))

    def _append(
        self, kind: Kind, data: DataRef, units: Iterable[str], *, by: str, note: str = ""
    ) -> Entry:
        entries = self.entries()
        bare: dict[str, Any] = {
            "number": len(entries) + 1,
            "at": self._clock.now().isoformat(timespec="seconds"),
            "kind": kind,
            "dataset": data.dataset,
            "data_hash": data.hash,
            "units": tuple(sorted(units)),
            "by": by,
            "note": note,
            "previous": entries[-1].hash if entries else _FIRST,
        }
        entry = Entry(**bare, hash=_hash(Entry(**bare, hash="")))
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8", newline="\n") as file:
            file.write(json.dumps(asdict(entry)) + "\n")
            file.flush()
            os.fsync(file.fileno())
        return entry

    def _parsed(self, line: str, number: int) -> Entry:
        try:
            content = json.loads(line)
            entry = Entry(**{**content, "units": tuple(content["units"])})
        except (ValueError, TypeError, KeyError):
            raise EvaluationError(
                f"line {number} of the ledger {self.path} is no entry: take the file back from "
                "where it is kept"
            ) from None
        return entry


def _hash(entry: Entry) -> str:
    content = {name: value for name, value in asdict(entry).items() if name != "hash"}
    return json_sha256(content)


def _concerns(entry: Entry, data: DataRef) -> bool:
    """Tell whether an entry speaks of the same conversations, however they were read."""
    return data.dataset == entry.dataset or data.hash == entry.data_hash


def _listed(units: Iterable[str]) -> str:
    names = sorted(units)
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(map(repr, names[:_LISTED])) + more
