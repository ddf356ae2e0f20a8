"""What the store answers beside the nouns: pages, groups, and what became of a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from engram_lab.core.brief import brief, counted, counts, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from engram_lab.core.types import Memory

__all__ = [
    "AggregateRow",
    "BackupReport",
    "CheckResult",
    "CleanupReport",
    "ImportReport",
    "Page",
    "PurgeReport",
    "RefusedRow",
    "RememberReport",
    "RestoreReport",
    "TextMatch",
]


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Page:
    """Some memories in order, and the cursor of what follows (`None` at the end)."""

    memories: tuple[Memory, ...]
    next_cursor: str | None

    def __iter__(self) -> Iterator[Memory]:
        return iter(self.memories)

    def __len__(self) -> int:
        return len(self.memories)

    def __repr__(self) -> str:
        follows = f"next_cursor={quoted(self.next_cursor)}" if self.next_cursor else "the last"
        return brief(self, counted(len(self), "memory", "memories"), follows)


@dataclass(frozen=True, kw_only=True, slots=True)
class AggregateRow:
    """One group of an aggregate."""

    key: str | None
    count: int
    mean_importance: float
    total_accesses: int
    first_created_at: datetime
    last_created_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class TextMatch:
    """One keyword match.

    Attributes:
        memory: What matches.
        score: BM25, higher is nearer.
        highlights: The passage of its content that matches best, each word found between `**`;
            None unless asked for. Never of private sections.
    """

    memory: Memory
    score: float
    highlights: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RefusedRow:
    """A row that was not taken, and why."""

    row: int
    reason: str
    table: str = "memories"


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class RememberReport:
    """What became of many memories: each input row is in exactly one of the four lists.

    `ids` holds the new ones, `skipped` and `merged` the existing memories met, in input order.
    """

    ids: tuple[str, ...]
    skipped: tuple[str, ...] = ()
    merged: tuple[str, ...] = ()
    refused: tuple[RefusedRow, ...] = ()

    def __repr__(self) -> str:
        lists = ("new", self.ids), ("skipped", self.skipped), ("merged", self.merged)
        told = [(len(each), word) for word, each in (*lists, ("refused", self.refused))]
        return brief(self, *counts(told))


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class PurgeReport:
    """What a purge removed.

    `erased` is False while another process still reads an older state of the file, and inside a
    transaction: the bytes go from the write-ahead log with the next purge, clean-up or close.
    """

    ids: tuple[str, ...]
    erased: bool

    def __repr__(self) -> str:
        purged = counted(len(self.ids), "memory purged", "memories purged")
        return brief(self, purged, f"erased={self.erased}")


@dataclass(frozen=True, kw_only=True, slots=True)
class CleanupReport:
    """What a clean-up did: expired rows purged, and rows beyond a workspace's policy forgotten."""

    expired: int
    aged_out: int
    over_limit: int


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class ImportReport:
    """What an import wrote, table by table; `unchanged` rows were already there, identical."""

    imported: Mapping[str, int]
    unchanged: int
    refused: tuple[RefusedRow, ...]

    @property
    def total(self) -> int:
        """How many rows the input held."""
        return sum(self.imported.values()) + self.unchanged + len(self.refused)

    def __repr__(self) -> str:
        taken = [(count, name) for name, count in self.imported.items()]
        others = [(self.unchanged, "unchanged"), (len(self.refused), "refused")]
        return brief(self, *counts([*others, *taken]))


@dataclass(frozen=True, kw_only=True, slots=True)
class BackupReport:
    """A verified backup: where it is, how large, of which schema, and how many rows it holds."""

    path: str
    sha256: str
    size_bytes: int
    schema: int
    last_change: int
    counts: Mapping[str, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class RestoreReport:
    """A backup put in place; `kept` is where the former file now is."""

    backup: BackupReport
    path: str
    kept: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckResult:
    """One finding of the doctor."""

    name: str
    ok: bool
    detail: str

    @classmethod
    def of(cls, name: str, problems: Sequence[str], otherwise: str) -> Self:
        """Return the finding: sound where there are no problems."""
        return cls(name=name, ok=not problems, detail="; ".join(problems) or otherwise)
