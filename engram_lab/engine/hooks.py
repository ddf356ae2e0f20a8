"""Lifecycle hooks: what a coding agent is told as a session starts, and what it leaves behind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from engram_lab.core.checks import check_choice, check_label, check_workspace
from engram_lab.core.errors import NotFoundError
from engram_lab.core.scopes import ancestors
from engram_lab.core.text import public_text
from engram_lab.engine.hook_texts import digest_of, read_payload, start_text, tool_text
from engram_lab.engine.recalls import RecallVerbs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engram_lab.core.dreams import Injection
    from engram_lab.core.types import Memory, Session
    from engram_lab.engine.hook_texts import Payload

__all__ = ["HOOK_EVENTS", "HookAnswer", "HookEvent", "HookVerbs"]

HookEvent = Literal["SessionStart", "SessionEnd", "PostToolUse", "Stop"]
HOOK_EVENTS: Final[tuple[HookEvent, ...]] = get_args(HookEvent)

_SOURCE: Final = "hook:{event}"
_MOST_TAKEN: Final = 20
_MOST_SHOWN: Final = 50
_MOST_DIGESTED: Final = 1_000
_DAY_S: Final = 86_400.0
_TOOL_IMPORTANCE: Final = 0.3
_DEFAULT_WORKSPACE: Final = "default"


@dataclass(frozen=True, kw_only=True, slots=True)
class HookAnswer:
    """What came of a hook.

    Attributes:
        event: Which hook.
        workspace: Where.
        session_id: Of which session; None where the payload named none.
        text: To be put before the agent; empty where there is nothing to say.
        taken: What had waited, and is in the text: nobody gets it again.
        shown: Ids of the memories in the text.
        remembered: Ids of the memories that were made.
        left: What was left for the next session.
    """

    event: str
    workspace: str
    session_id: str | None = None
    text: str = ""
    taken: tuple[Injection, ...] = ()
    shown: tuple[str, ...] = ()
    remembered: tuple[str, ...] = ()
    left: Injection | None = None


class HookVerbs(RecallVerbs):
    """Answer the lifecycle hooks of coding agents. For the owner, who lets agents be told."""

    def hook(
        self, event: str, payload: Mapping[str, Any], *, workspace: str | None = None
    ) -> HookAnswer:
        """Answer a hook, in the shape that coding agents send: one object, its names in snake case.

        `SessionStart` starts the session if it is new, takes what waits for this workspace (first
        in, first out, at most 20 texts) and tells it with pinned and important memories.
        `SessionEnd` ends the session and leaves a digest of what was remembered since it started
        for the next one. `PostToolUse` remembers what a tool answered, if `hooks.remember_tools`
        says so. `Stop` stores what waits to be stored.

        What is told and digested are memories whose scope all of the workspace may read, without
        private sections.

        Args:
            event: One of the four.
            payload: What the agent sent. Known are `hook_event_name`, `session_id`, `cwd`,
                `source`, `tool_name`, `tool_input` and `tool_response`; others are ignored.
            workspace: Where; else that of the session, else `default`.

        Raises:
            InvalidInputError: An unknown event, or a payload that is malformed or of another event.
            AccessDeniedError: An agent asks for what only the owner may hand out.
        """
        check_choice(event, field="event", choices=HOOK_EVENTS)
        given = read_payload(payload, event=event)
        session = self._session(given.session_id)
        if workspace is not None:
            place = check_workspace(workspace)
        else:
            place = _DEFAULT_WORKSPACE if session is None else session.workspace
        answers = {
            "SessionStart": self._session_start,
            "SessionEnd": self._session_end,
            "PostToolUse": self._tool_used,
            "Stop": self._stopped,
        }
        return answers[event](given, place, session)

    def _session_start(self, given: Payload, workspace: str, session: Session | None) -> HookAnswer:
        settings = self.config.hooks
        with self.store.transaction():  # what is taken is lost only where it is told
            if session is None:
                session = self._start(given, workspace)
            taken = self.store.injections.take(workspace=workspace, limit=_MOST_TAKEN)
            known = self._worth_knowing(workspace)
            text, shown = start_text(
                [public_text(each.content).strip() for each in taken],
                known,
                budget=settings.start_budget,
            )
        return HookAnswer(
            event="SessionStart",
            workspace=workspace,
            session_id=session.id,
            text=text,
            taken=tuple(taken),
            shown=shown,
        )

    def _session_end(self, given: Payload, workspace: str, session: Session | None) -> HookAnswer:
        settings = self.config.hooks
        left = None
        with self.store.transaction():
            if session is None:  # it began before anybody asked
                session = self._start(given, workspace)
            told = digest_of(
                self._made_in(session, workspace),
                budget=settings.digest_budget,
                ended_at=self._clock.now(),
            )
            self.store.sessions.end(session.id)
            if told:
                left = self.store.injections.put(
                    told,
                    workspace=workspace,
                    source=_SOURCE.format(event="SessionEnd"),
                    ttl_s=settings.digest_days * _DAY_S,
                )
        self.flush()
        return HookAnswer(event="SessionEnd", workspace=workspace, session_id=session.id, left=left)

    def _tool_used(self, given: Payload, workspace: str, session: Session | None) -> HookAnswer:
        settings = self.config.hooks
        answer = HookAnswer(event="PostToolUse", workspace=workspace, session_id=given.session_id)
        if not settings.remember_tools or given.tool_name is None:
            return answer
        draft = {
            "content": tool_text(given, most=settings.tool_chars),
            "type": "episodic",
            "tier": "daily",
            "importance": _TOOL_IMPORTANCE,
            "tags": ["tool"],
            "metadata": {"tool": given.tool_name},
            "workspace": workspace,
            "session_id": given.session_id,
            "source": _SOURCE.format(event="PostToolUse"),
        }
        if session is not None and session.workspace == workspace:
            draft["scope"] = session.scope
        memory = self.store.memories.remember(draft, dedup="skip")
        self._indexes.embed_new()
        return HookAnswer(
            event="PostToolUse",
            workspace=workspace,
            session_id=given.session_id,
            remembered=(memory.id,),
        )

    def _stopped(self, given: Payload, workspace: str, session: Session | None) -> HookAnswer:
        self.flush()
        id_ = given.session_id if session is None else session.id
        return HookAnswer(event="Stop", workspace=workspace, session_id=id_)

    def _session(self, session_id: str | None) -> Session | None:
        if session_id is None:
            return None
        check_label(session_id, field="session_id")
        try:
            return self.store.sessions.get(session_id)
        except NotFoundError:
            return None

    def _start(self, given: Payload, workspace: str) -> Session:
        about = {name: each for name in ("cwd", "source") if (each := getattr(given, name))}
        return self.store.sessions.start(given.session_id, workspace=workspace, metadata=about)

    def _common_scopes(self, workspace: str) -> list[str]:
        """Return the scopes that all of a workspace may read."""
        return list(ancestors(self.store.workspaces.get(workspace).scope))

    def _worth_knowing(self, workspace: str) -> list[Memory]:
        """Return pinned memories, then important ones, each the most important first."""
        if self.config.hooks.start_budget == 0:
            return []
        scopes = self._common_scopes(workspace)
        found: dict[str, Memory] = {}
        for condition in (
            {"pinned": True},
            {"importance": {"gte": self.config.hooks.start_importance}},
        ):
            page = self.select(
                filter={**condition, "scope": {"in": scopes}},
                workspace=workspace,
                valid_at=self._clock.now(),
                order="importance",
                descending=True,
                limit=_MOST_SHOWN,
            )
            for memory in page:
                found.setdefault(memory.id, memory)
        return list(found.values())

    def _made_in(self, session: Session, workspace: str) -> list[Memory]:
        """Return what was remembered in a session, and not told as it ended before; newest first.

        That is what names this session, and what names none and came after its start.
        """
        ended = session.ended_at
        later: dict[str, Any] = {} if ended is None else {"created_at": {"gt": ended.isoformat()}}
        start = {"created_at": {"gte": session.started_at.isoformat()}}
        page = self.select(
            filter={
                **later,
                "scope": {"in": self._common_scopes(workspace)},
                "or": [
                    {"session_id": session.id},
                    {"session_id": {"exists": False}, **start},
                ],
            },
            workspace=workspace,
            order="created_at",
            descending=True,
            limit=_MOST_DIGESTED,
        )
        return list(page)
