"""The tools that keep: statistics, dreams, feedback, hooks."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from engram_lab.serve.feedback import note_feedback
from engram_lab.serve.mcp.answers import (
    DreamAnswer,
    FeedbackAnswer,
    HookAnswer,
    Outcome,
    StatsAnswer,
    UndoAnswer,
)
from engram_lab.serve.mcp.other_arguments import (
    DreamArguments,
    FeedbackArguments,
    HookArguments,
    StatsArguments,
    UndoArguments,
)
from engram_lab.serve.mcp.records import dream_record
from engram_lab.serve.mcp.tool import MemoryTool

if TYPE_CHECKING:
    from engram_lab.engine import Engine

__all__ = ["UPKEEP_TOOLS", "stats_of"]

_MOST_TAGS: Final = 50
_MOST_DREAMS: Final = 5
_MOST_CHANGES: Final = 50


def stats_of(engine: Engine, workspace: str | None = None) -> dict[str, Any]:
    """Return how many memories there are, by what, and the latest dreams."""

    def by(what: str) -> dict[str, int]:
        rows = engine.aggregate(what, workspace=workspace)
        return {each.key: each.count for each in rows if each.key is not None}

    tags = sorted(by("tag").items(), key=lambda each: (-each[1], each[0]))
    active = engine.count(workspace=workspace)
    return {
        "memories": active,
        "archived": engine.count(workspace=workspace, archived=True) - active,
        "by_type": by("type"),
        "by_tier": by("tier"),
        "by_workspace": by("workspace"),
        "by_tag": dict(tags[:_MOST_TAGS]),
        "dreams": [
            dream_record(run) for run in engine.dreams(workspace=workspace, limit=_MOST_DREAMS)
        ],
    }


def _stats(engine: Engine, given: StatsArguments, author: str) -> Outcome:  # noqa: ARG001
    return Outcome(record=stats_of(engine, given.workspace))


def _dream(engine: Engine, given: DreamArguments, author: str) -> Outcome:
    report = engine.dream(
        given.workspace,
        dry_run=given.dry_run,
        full=given.full,
        steps=given.steps,
        yes=given.yes,
        max_changes=given.max_changes,
        max_seconds=given.max_seconds,
        author=author,
    )
    first = [
        {"step": each.step, "action": each.action, "id": each.id, "reason": each.reason}
        for each in report.changes[:_MOST_CHANGES]
    ]
    record = {**report.to_dict(), "first_changes": first}
    return Outcome(record=record, target=report.run_id, workspace=given.workspace)


def _undo(engine: Engine, given: UndoArguments, author: str) -> Outcome:
    report = engine.undo(given.run_id, keep_later=given.keep_later, author=author)
    record = {**asdict(report), "kept": list(report.kept)}
    return Outcome(record=record, target=report.run_id)


def _feedback(engine: Engine, given: FeedbackArguments, author: str) -> Outcome:
    voted = note_feedback(
        engine,
        useful=given.useful,
        irrelevant=given.irrelevant,
        query=given.query,
        author=author,
    )
    return Outcome(record={"votes": [each._asdict() for each in voted]})


def _hook(engine: Engine, given: HookArguments, author: str) -> Outcome:  # noqa: ARG001
    answer = engine.hook(given.event, given.payload, workspace=given.workspace)
    record: dict[str, Any] = {
        "event": answer.event,
        "workspace": answer.workspace,
        "text": answer.text,
        "shown": list(answer.shown),
        "remembered": list(answer.remembered),
    }
    if answer.session_id is not None:
        record["session_id"] = answer.session_id
    used = {"memories_created": len(answer.remembered)} if answer.remembered else {}
    return Outcome(
        record=record,
        text=answer.text,
        used=used,
        target=answer.session_id,
        workspace=answer.workspace,
    )


UPKEEP_TOOLS: Final = (
    MemoryTool(
        name="memory_stats",
        title="Statistics",
        description=(
            "Count the memories by type, tier, workspace and tag, and list the latest dreams."
        ),
        arguments=StatsArguments,
        answer=StatsAnswer,
        work=_stats,
    ),
    MemoryTool(
        name="memory_dream",
        title="Dream",
        description=(
            "Let what is remembered settle: learn from use, merge what is double, let go of what "
            "is outdated. It is carried out unless dry_run is true, which only tells what it would "
            "do; memory_undo takes it back by its run_id."
        ),
        arguments=DreamArguments,
        answer=DreamAnswer,
        work=_dream,
        long=True,
        effect="removes",
        scope="admin",
        audited="dream.run",
    ),
    MemoryTool(
        name="memory_undo",
        title="Undo a dream",
        description="Put everything back as it was before a dream, by its run_id.",
        arguments=UndoArguments,
        answer=UndoAnswer,
        work=_undo,
        long=True,
        effect="removes",
        scope="admin",
        audited="dream.undo",
    ),
    MemoryTool(
        name="memory_feedback",
        title="Feedback",
        description=(
            "Say which memories were of use for a question, and which were not. Votes are counted "
            "in metadata.feedback of each."
        ),
        arguments=FeedbackArguments,
        answer=FeedbackAnswer,
        work=_feedback,
        effect="changes",
        scope="memories:write",
        audited="memory.feedback",
    ),
    MemoryTool(
        name="memory_hook",
        title="Lifecycle hook",
        description=(
            "Answer a lifecycle hook of a coding agent: what it should know as a session starts, "
            "and what is kept as one ends."
        ),
        arguments=HookArguments,
        answer=HookAnswer,
        work=_hook,
        effect="adds",
        scope="memories:write",
        audited="hook.run",
    ),
)
