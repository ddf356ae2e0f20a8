"""What a dream does, as frozen records: planned changes, the run that made them, the way back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from engram_lab.core.errors import InvalidInputError, shown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

__all__ = [
    "CHANGEABLE",
    "CHANGE_ACTIONS",
    "Change",
    "ChangeAction",
    "DreamLock",
    "DreamRun",
    "DreamStatus",
    "Injection",
    "StepRun",
    "UndoReport",
]

ChangeAction = Literal["remember", "update", "forget", "link", "unlink"]
DreamStatus = Literal["planned", "applied", "undone"]

CHANGE_ACTIONS: Final[tuple[ChangeAction, ...]] = get_args(ChangeAction)

CHANGEABLE: Final = frozenset(
    {"importance", "lifecycle", "metadata", "tags", "valid_from", "valid_to"}
)
"""What a dream may change of a memory. Never its words: they are what was remembered."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One planned alteration: by which step, of what, to what, and why.

    Attributes:
        step: The step that plans it.
        action: `remember` makes a memory, `update` changes fields of one, `forget` hides one;
            `link` makes or changes a link, `unlink` removes one.
        id: Of the memory or of the link, also where it is new.
        fields: Of a memory to be remembered: its draft without id, workspace included. Of an
            update: new values of fields in `CHANGEABLE`. Of a link: `from_id`, `to_id`, `type`,
            `weight`, perhaps `confidence`, `source`, `context`, `valid_from`, `valid_to`. Else
            none.
        reason: Why, in one clause that quotes no memory.
        sources: The memories that it rests on.
        seen: What it was planned for: the version of the memory, or `updated_at` of the link. It is
            carried out only where that still holds. None for what is new.

    Raises:
        InvalidInputError: An unknown action, or an update of what a dream may not change.
    """

    step: str
    action: ChangeAction
    id: str
    fields: Mapping[str, Any] = field(default_factory=dict, hash=False)
    reason: str
    sources: tuple[str, ...] = ()
    seen: int | datetime | None = None

    def __post_init__(self) -> None:
        if self.action not in CHANGE_ACTIONS:
            raise InvalidInputError(
                f"action is {shown(self.action)}: allowed are {', '.join(CHANGE_ACTIONS)}"
            )
        if self.action == "update" and (others := sorted(set(self.fields) - CHANGEABLE)):
            raise InvalidInputError(
                f"a dream would change {', '.join(others)} of {self.id}: "
                f"it may change {', '.join(sorted(CHANGEABLE))} alone"
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class StepRun:
    """What one step of a dream did: a row of `consolidation_runs`.

    Attributes:
        step: Its name.
        order: Its place in the dream, from 0.
        parameters: What it was set to.
        counts: How many changes of each action were carried out.
        skipped: How many were planned and not carried out, as their memory changed meanwhile.
        seconds: How long it planned, by the injected clock.
        stopped: Why it ended before it was through, as a clause; None where it was through.
    """

    step: str
    order: int
    parameters: Mapping[str, Any] = field(default_factory=dict, hash=False)
    counts: Mapping[str, int] = field(default_factory=dict, hash=False)
    skipped: int = 0
    seconds: float = 0.0
    stopped: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DreamRun:
    """One dream: a row of `dream_runs`.

    Attributes:
        id: Its name, by which it is undone.
        workspace: What it dreamt of.
        status: `planned` for a dry run, which is stored nowhere; `undone` also where an undo kept
            what was changed since (`keep_later`), of which the `UndoReport` tells alone.
        author: Who let it dream.
        config_hash: Of the settings of the dream: another hash starts from the beginning.
        started_at: By the injected clock, as the moment for which all was planned.
        ended_at: When it was through.
        undone_at: When it was undone.
        steps: In the order in which they ran.
        memories_before: Memories that a recall may find, before it.
        memories_after: The same, after it.
        tokens_before: Tokens of their texts, by `core.text.estimated_tokens`.
        tokens_after: The same, after it.
        state: Where the next dream goes on: plain JSON, opaque to the store.
        stopped: Why it did not come to its end, as a clause; None where it did.
    """

    id: str
    workspace: str
    status: DreamStatus = "planned"
    author: str = "dream"
    config_hash: str
    started_at: datetime
    ended_at: datetime
    undone_at: datetime | None = None
    steps: tuple[StepRun, ...] = ()
    memories_before: int = 0
    memories_after: int = 0
    tokens_before: int = 0
    tokens_after: int = 0
    state: Mapping[str, Any] = field(default_factory=dict, hash=False)
    stopped: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DreamLock:
    """Who dreams of a workspace, and until when others leave it to them."""

    workspace: str
    owner: str
    taken_at: datetime
    expires_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class UndoReport:
    """What an undo put back.

    Attributes:
        run_id: The dream that was undone.
        memories: How many memories are as they were.
        links: How many links are as they were.
        kept: Ids of what a later write had touched, and was left as it is.
    """

    run_id: str
    memories: int
    links: int
    kept: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Injection:
    """A text that waits to be put before an agent of a workspace, once."""

    id: str
    workspace: str
    content: str
    source: str | None = None
    created_at: datetime
    expires_at: datetime | None = None
