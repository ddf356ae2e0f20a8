"""The memories of a store: how they are read, written, hidden and taken away."""

# ruff: noqa: A002 - `id` is the word users know

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from engram_lab.core.reports import (
        AggregateRow,
        CleanupReport,
        Page,
        PurgeReport,
        RememberReport,
        TextMatch,
    )
    from engram_lab.core.selection import Order, Selection
    from engram_lab.core.terms import Term
    from engram_lab.core.types import Dedup, Memory, Version

__all__ = ["Memories"]


class Memories(Protocol):
    """The memories of a store.

    Guarantees: every change of a memory is a new version, numbered from 1 without gaps, with its
    author, reason and time. A version's time is never before that of the one before it, though the
    clock be set back. No version is lost but by `purge` and `clean_up`.

    An agent writes under its own name, whatever `author` says; the owner's name is `owner` unless
    another is given. What a write returns is what it wrote, as it may be shown: also where the
    agent may write and not read.

    Not guaranteed: that an access counted by `Events.record` makes a version; it does not.
    """

    def get(
        self,
        id: str,
        *,
        as_of: datetime | None = None,
        forgotten: bool = False,
        private: bool = False,
    ) -> Memory:
        """Return a memory, archived ones too, as it is or as the store had it at `as_of`.

        Whether it was forgotten is judged at `as_of`, whether it has expired now and then.

        Raises:
            NotFoundError: There is none that may be seen, or it is forgotten and `forgotten` is
                False, or it has expired.
            AccessDeniedError: An agent asks for private sections.
        """
        ...

    def get_many(self, ids: Sequence[str], *, private: bool = False) -> list[Memory | None]:
        """Return the memories in the order of `ids`, all of one state of the store.

        None where `get` finds none; an id given twice is answered twice.

        Raises:
            AccessDeniedError: An agent asks for private sections.
        """
        ...

    def select(
        self,
        selection: Selection,
        *,
        order: Order = "id",
        descending: bool = False,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page:
        """Return one page of a selection; `cursor` is the `next_cursor` of the page before.

        A filter holds where `filters.matches` says so of the memory as it may be shown to all. Ties
        are in the order of ids, and by `event_at` a memory without one stands at `created_at`.
        Pages that follow one another hold every memory once.

        Not guaranteed: anything about memories that change between two pages.

        Raises:
            InvalidInputError: An unknown order, a limit outside 1 to 10000, or a cursor of another
                listing.
            AccessDeniedError: An agent asks for private sections.
        """
        ...

    def count(self, selection: Selection) -> int:
        """Return how many memories the pages of `select` would hold."""
        ...

    def aggregate(self, selection: Selection, by: str) -> list[AggregateRow]:
        """Return one row for each value of `by`, the largest group first, ties by the value.

        Args:
            selection: Of the present alone.
            by: `type`, `tag`, `workspace`, `scope`, `tier`, `lifecycle`, `source`, `agent`,
                `session`, or the `day`, `week` or `month` of its making. A memory counts once
                under each of its tags.

        Raises:
            InvalidInputError: An unknown `by`, or `as_of` in the selection.
        """
        ...

    def history(self, id: str, *, private: bool = False) -> list[Version]:
        """Return every version of a memory, oldest first, also of a forgotten one.

        Versions in scopes out of reach are left out.

        Raises:
            NotFoundError: There is none whose present state may be seen.
            AccessDeniedError: An agent asks for private sections.
        """
        ...

    def match_text(
        self,
        terms: Sequence[str | Term],
        selection: Selection,
        limit: int,
        *,
        highlight: bool = False,
    ) -> list[TextMatch]:
        """Return the memories whose text or tags hold any of the terms, best first, ties by id.

        A term is literal text: one of several words is a phrase, and nothing in it is syntax; a
        `Term` also says whether its last word may go on, and in which field it must stand. Words
        within private sections are never found. No terms find nothing. With `highlight` each match
        shows where.

        Not guaranteed: the same scores in another store.

        Raises:
            InvalidInputError: `as_of` in the selection; the words of the past are not indexed.
            AccessDeniedError: An agent asks for private sections.
        """
        ...

    def remember(
        self,
        draft: Mapping[str, Any],
        *,
        dedup: Dedup | None = None,
        author: str | None = None,
        reason: str | None = None,
    ) -> Memory:
        """Store one memory and return it, or the existing one that deduplication met.

        Memories are the same where workspace, scope and normalised content are, and neither is
        forgotten or expired. `skip` leaves the existing one as it is; `merge` adds the new tags and
        metadata to it and keeps the higher importance.

        Args:
            draft: Fields by name, see `drafts.DRAFT_FIELDS`; `content` at least. Without a scope it
                gets its workspace's, or the agent's own where that lies within.
            dedup: Else what the store's settings say.
            author: Whom the history names.
            reason: Why, for the history.

        Raises:
            InvalidInputError: The draft breaks a law; see `Drafter.draft`.
            DuplicateError: `dedup` is `reject` and the content is known.
            ConflictError: Its id is taken.
            AccessDeniedError: The scope may not be written.
        """
        ...

    def remember_many(
        self,
        drafts: Iterable[Mapping[str, Any]],
        *,
        dedup: Dedup | None = None,
        author: str | None = None,
        reason: str | None = None,
        keep_going: bool = False,
    ) -> RememberReport:
        """Store many memories in one transaction: all, or none.

        With `keep_going` a draft that is refused is reported and the others are stored. Drafts are
        taken one by one, and an error that their source raises stores none.

        Raises:
            InvalidInputError: A draft breaks a law; `row` says which.
            DuplicateError, ConflictError, AccessDeniedError: See `remember`.
        """
        ...

    def update(
        self,
        id: str,
        changes: Mapping[str, Any],
        *,
        version: int | None = None,
        author: str | None = None,
        reason: str | None = None,
    ) -> Memory:
        """Change fields of a memory and return its new version; None clears a field.

        Where nothing differs, nothing is written. New content drops the memory's vectors.

        Raises:
            VersionConflictError: `version` is given and is not the present one.
            NotFoundError: There is none that may be seen, or it is forgotten.
            AccessDeniedError: Its scope, or the one it moves to, may not be written.
            InvalidInputError: A field breaks a law; see `Drafter.revise`.
        """
        ...

    def forget(
        self,
        id: str,
        *,
        version: int | None = None,
        author: str | None = None,
        reason: str | None = None,
    ) -> None:
        """Hide a memory from every read that does not ask for forgotten ones; lose nothing of it.

        Its links, mentions and turns are hidden with it, and come back with it. What a dream
        derived from it (see `derived`) may quote it, and is forgotten too; it stays so until it is
        restored itself.

        Raises:
            NotFoundError, AccessDeniedError, VersionConflictError: See `update`.
        """
        ...

    def restore(
        self,
        id: str,
        *,
        version: int | None = None,
        author: str | None = None,
        reason: str | None = None,
    ) -> Memory:
        """Bring back a forgotten memory, or the state of an earlier version, as a new version.

        The count and time of its accesses stay what they are.

        Raises:
            NotFoundError: There is no such memory or version that may be seen.
            ConflictError: It is not forgotten, and no version was named.
            AccessDeniedError: Its scope, or the one it had then, may not be written.
            InvalidInputError: The state it would go back to has expired.
        """
        ...

    def purge(
        self, ids: Sequence[str], *, author: str | None = None, reason: str | None = None
    ) -> PurgeReport:
        """Remove memories for good, forgotten ones too: their versions and all that hangs on them.

        What dreams derived from them (see `derived`) goes with them: the report names it, too.

        The change log keeps that each id was purged, when, by whom and why, so that derived indexes
        can follow; the reasons of its earlier changes are blanked. Its links are logged as gone.
        No import brings a purged memory back.

        Not guaranteed: that no byte is left where it is kept, unless the report says `erased`.

        Raises:
            NotFoundError: One is not to be seen; nothing is purged then.
            AccessDeniedError: One lies in a scope without admin access; nothing is purged then.
        """
        ...

    def derived(self, ids: Sequence[str]) -> list[str]:
        """Return the ids of what dreams derived from memories, and from that in turn.

        That is what dreams made (its source begins with `dream:`) and linked `derived_from` to one
        of them, or made of them by their own journal. Such a memory may quote what it is made of.

        Raises:
            NotFoundError: One is not to be seen.
        """
        ...

    def clean_up(self) -> CleanupReport:
        """Purge what has expired, and forget what is beyond the policy of its workspace.

        What dreams derived from the purged goes with it; what is derived from the forgotten stays.

        Forgetting takes the least important, then the longest unchanged first, and never what is
        pinned; it can be undone with `restore`.

        Raises:
            AccessDeniedError: An agent asks.
        """
        ...
