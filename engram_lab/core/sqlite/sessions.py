"""Sessions and their turns. The words of a turn are a memory; the turn says who spoke, and when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import orjson

from engram_lab.core.checks import check_label, check_workspace
from engram_lab.core.clock import from_us, parse_time, to_us
from engram_lab.core.errors import ConflictError, InvalidInputError, NotFoundError
from engram_lab.core.metadata import check_metadata
from engram_lab.core.scopes import check_scope
from engram_lab.core.sqlite.conditions import Where, readable
from engram_lab.core.sqlite.rows import fetch, optional_time, optional_us
from engram_lab.core.sqlite.workspaces import default_scope
from engram_lab.core.types import Session, Turn

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from engram_lab.core.sqlite.context import Context
    from engram_lab.core.sqlite.erasing import ErasableMemories

__all__ = ["Sessions"]

_COLUMNS: Final = (
    "m.id, m.workspace, m.scope, m.agent_id, m.title, m.started_at, m.ended_at, m.metadata"
)


_OF_THE_SESSION: Final = frozenset({"workspace", "scope", "session_id"})


class Sessions:
    """The sessions of the store."""

    def __init__(self, context: Context, memories: ErasableMemories) -> None:
        self._context = context
        self._memories = memories

    def start(
        self,
        session_id: str | None = None,
        *,
        workspace: str = "default",
        scope: str | None = None,
        title: str | None = None,
        started_at: datetime | str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Session:
        """Begin a session, now unless told; its id may be one of your own.

        Raises:
            ConflictError: There already is a session of this id.
            InvalidInputError: A malformed id, workspace, scope, title, time or metadata.
            AccessDeniedError: The scope may not be written.
        """
        context = self._context
        at = context.now()
        id_ = context.ids.new(at) if session_id is None else check_label(session_id, field="id")
        check_workspace(workspace)
        began = at if started_at is None else parse_time(started_at, field="started_at")
        principal = context.access.principal
        rest = (
            None if principal is None else principal.agent_id,
            None if title is None else check_label(title, field="title", limit=1024),
            to_us(began),
            None,
            check_metadata(metadata or {}, limit=context.settings.max_metadata_bytes),
        )
        with context.database.write() as connection:
            inherited = default_scope(context, connection, workspace, at=at)
            own = inherited if scope is None else check_scope(scope)
            context.check_scope(connection, own, "write")
            if connection.execute("SELECT 1 FROM sessions WHERE id = ?", (id_,)).get:
                raise ConflictError(f"there already is a session {id_!r}: give it another id")
            connection.execute(
                "INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (id_, workspace, own, *rest)
            )
            # Also for an agent that may write there and not read.
            return _session_of((id_, workspace, own, *rest))

    def add_turns(self, session_id: str, turns: Iterable[Mapping[str, Any]]) -> list[Turn]:
        """Add turns at the end of a session, in one transaction.

        Each turn has a `speaker` and a `content`, perhaps `spoken_at`, and any further field of a
        memory. It becomes a memory (of type `transcript_chunk` unless told) in the workspace and
        scope of the session.

        Raises:
            NotFoundError: There is no such session that may be seen.
            InvalidInputError: A turn without a speaker, or see `remember`; `row` says which.
            AccessDeniedError: The scope may not be written.
        """
        context = self._context
        with context.database.write() as connection:
            session = self.get(session_id)
            position: int = connection.execute(
                "SELECT coalesce(max(position) + 1, 0) FROM turns WHERE session_id = ?",
                (session_id,),
            ).get
            given = [_split(number, turn) for number, turn in enumerate(turns)]
            base = {
                "type": "transcript_chunk",
                "workspace": session.workspace,
                "scope": session.scope,
                "session_id": session.id,
            }
            drafts = ({**base, "event_at": spoken, **rest} for _, spoken, rest in given)
            ids = self._memories.remember_many(drafts, dedup="allow").ids
            connection.executemany(
                "INSERT INTO turns VALUES (?, ?, ?, (SELECT pk FROM memories WHERE id = ?), ?)",
                (
                    (session_id, number, speaker, id_, optional_us(spoken))
                    for number, (id_, (speaker, spoken, _)) in enumerate(
                        zip(ids, given, strict=True), position
                    )
                ),
            )
            return [turn for turn in self.turns(session_id) if turn.position >= position]

    def end(self, session_id: str, *, at: datetime | None = None) -> Session:
        """End a session, now unless told.

        Raises:
            NotFoundError: There is no such session that may be seen.
            InvalidInputError: It would end before it began.
            AccessDeniedError: Its scope may not be written.
        """
        ends = self._context.now() if at is None else parse_time(at, field="at")
        with self._context.database.write() as connection:
            session = self.get(session_id)
            self._context.check_scope(connection, session.scope, "write")
            if ends < session.started_at:
                raise InvalidInputError(f"the session began at {session.started_at}, after {ends}")
            connection.execute(
                "UPDATE sessions SET ended_at = ? WHERE id = ?", (to_us(ends), session_id)
            )
        return self.get(session_id)

    def get(self, session_id: str) -> Session:
        """Return a session.

        Raises:
            NotFoundError: There is none that may be seen.
        """
        found = self._select("m.id = ?", session_id)
        if not found:
            raise NotFoundError(f"there is no session {session_id!r} that you may see")
        return found[0]

    def all(self, *, workspace: str | None = None) -> list[Session]:
        """Return the sessions in the order in which they began."""
        return self._select("(?1 IS NULL OR m.workspace = ?1)", workspace)

    def turns(self, session_id: str) -> list[Turn]:
        """Return the turns of a session in order; those of forgotten memories are left out.

        Raises:
            NotFoundError: There is no such session that may be seen.
        """
        self.get(session_id)
        where = Where()
        where.add("t.session_id = ? AND m.forgotten_at IS NULL", session_id)
        where.add("(m.expires_at IS NULL OR m.expires_at > ?)", to_us(self._context.now()))
        readable(where, self._context.access)
        with self._context.database.read() as connection:
            rows = fetch(
                connection,
                "SELECT t.session_id, t.position, t.speaker, m.id, t.spoken_at FROM turns AS t "
                f"JOIN memories AS m ON m.pk = t.pk WHERE {where.sql} ORDER BY t.position",
                where.values,
            )
        return [
            Turn(
                session_id=row[0],
                position=row[1],
                speaker=row[2],
                memory_id=row[3],
                spoken_at=optional_time(row[4]),
            )
            for row in rows
        ]

    def _select(self, sql: str, *values: Any) -> list[Session]:
        where = Where()
        where.add(sql, *values)
        readable(where, self._context.access)
        with self._context.database.read() as connection:
            rows = fetch(
                connection,
                f"SELECT {_COLUMNS} FROM sessions AS m WHERE {where.sql} "
                "ORDER BY m.started_at, m.id",
                where.values,
            )
        return [_session_of(row) for row in rows]


def _session_of(row: tuple[Any, ...]) -> Session:
    return Session(
        id=row[0],
        workspace=row[1],
        scope=row[2],
        agent_id=row[3],
        title=row[4],
        started_at=from_us(row[5]),
        ended_at=optional_time(row[6]),
        metadata=orjson.loads(row[7]),
    )


def _check_turn(turn: object) -> None:
    if not isinstance(turn, Mapping):
        raise InvalidInputError(
            f"a turn is an object with 'speaker' and 'content', not a {type(turn).__name__}"
        )
    for field in _OF_THE_SESSION.intersection(turn):
        raise InvalidInputError(f"{field} of a turn is that of its session: leave it out")


def _split(number: int, turn: Mapping[str, Any]) -> tuple[str, datetime | None, dict[str, Any]]:
    """Return the speaker, the time, and what is the memory's."""
    try:
        _check_turn(turn)
        rest = dict(turn)
        speaker = check_label(rest.pop("speaker", None), field="speaker")
        spoken = rest.pop("spoken_at", None)
        return speaker, None if spoken is None else parse_time(spoken, field="spoken_at"), rest
    except InvalidInputError as error:
        raise error.at_row(number) from None
