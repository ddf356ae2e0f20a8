"""The tools for single memories: make, read, change, delete, bring back, list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from engram_lab.core.clock import parse_time
from engram_lab.serve.errors import InvalidRequestError
from engram_lab.serve.mcp.answers import (
    BatchAnswer,
    CreateAnswer,
    DeleteAnswer,
    HistoryAnswer,
    ListAnswer,
    MemoryAnswer,
    Outcome,
)
from engram_lab.serve.mcp.memory_arguments import (
    CreateArguments,
    CreateBatchArguments,
    DeleteArguments,
    GetArguments,
    HistoryArguments,
    ListArguments,
    RestoreArguments,
    UpdateArguments,
)
from engram_lab.serve.mcp.records import memory_record, version_record
from engram_lab.serve.mcp.tool import MemoryTool

if TYPE_CHECKING:
    from engram_lab.engine import Engine

__all__ = ["MEMORY_TOOLS"]

_MEETS_KNOWN: Final = frozenset({"skip", "merge"})


def _create(engine: Engine, given: CreateArguments, author: str) -> Outcome:
    fields = given.fields()
    dedup = given.dedup or engine.config.store.dedup
    if dedup in _MEETS_KNOWN:  # a report tells what was new
        report = engine.remember_many([fields], dedup=dedup, author=author, reason=given.reason)
        (id_,) = (*report.ids, *report.skipped, *report.merged)
        memory, made = engine.get(id_), bool(report.ids)
    else:
        memory = engine.remember(**fields, dedup=dedup, author=author, reason=given.reason)
        made = True
    return Outcome(
        record={"memory": memory_record(memory), "created": made},
        used={"memories_created": 1} if made else {},
        target=memory.id,
        workspace=memory.workspace,
    )


def _create_batch(engine: Engine, given: CreateBatchArguments, author: str) -> Outcome:
    report = engine.remember_many(
        [each.fields() for each in given.memories],
        dedup=given.dedup,
        author=author,
        reason=given.reason,
        keep_going=given.keep_going,
    )
    record: dict[str, Any] = {
        "ids": list(report.ids),
        "skipped": list(report.skipped),
        "merged": list(report.merged),
        "refused": [{"row": each.row, "reason": each.reason} for each in report.refused],
    }
    return Outcome(record=record, used={"memories_created": len(report.ids)})


def _get(engine: Engine, given: GetArguments, author: str) -> Outcome:  # noqa: ARG001
    as_of = None if given.as_of is None else parse_time(given.as_of, field="as_of")
    return Outcome(record={"memory": memory_record(engine.get(given.id, as_of=as_of))})


def _update(engine: Engine, given: UpdateArguments, author: str) -> Outcome:
    changes = given.changes()
    if not changes:
        raise InvalidRequestError(
            "nothing to change was given: give content, tags, importance or another field"
        )
    memory = engine.update(
        given.id, version=given.version, author=author, reason=given.reason, **changes
    )
    return Outcome(record={"memory": memory_record(memory)}, target=memory.id)


def _delete(engine: Engine, given: DeleteArguments, author: str) -> Outcome:
    engine.forget(given.id, author=author, reason=given.reason)
    return Outcome(record={"id": given.id, "deleted": True}, target=given.id)


def _restore(engine: Engine, given: RestoreArguments, author: str) -> Outcome:
    memory = engine.restore(given.id, version=given.version, author=author, reason=given.reason)
    return Outcome(record={"memory": memory_record(memory)}, target=memory.id)


def _history(engine: Engine, given: HistoryArguments, author: str) -> Outcome:  # noqa: ARG001
    versions = engine.history(given.id)
    latest = versions[-given.limit :]
    record = {"versions": [version_record(each) for each in latest], "total": len(versions)}
    return Outcome(record=record)


def _list(engine: Engine, given: ListArguments, author: str) -> Outcome:  # noqa: ARG001
    page = engine.select(
        order=given.order,
        descending=given.descending,
        limit=given.limit,
        cursor=given.cursor,
        filter=given.filter,
        workspace=given.workspace,
        scope=given.scope,
        as_of=given.as_of,
        archived=given.archived,
        forgotten=given.forgotten,
    )
    record: dict[str, Any] = {"memories": [memory_record(each) for each in page]}
    if page.next_cursor is not None:
        record["next_cursor"] = page.next_cursor
    return Outcome(record=record)


MEMORY_TOOLS: Final = (
    MemoryTool(
        name="memory_create",
        title="Remember",
        description=(
            "Store one memory, durably, and answer it with its id. Write one fact, decision or "
            "preference a memory, in words that will be understood without this conversation."
        ),
        arguments=CreateArguments,
        answer=CreateAnswer,
        work=_create,
        effect="adds",
        scope="memories:write",
        adds_memories=True,
        audited="memory.create",
    ),
    MemoryTool(
        name="memory_create_batch",
        title="Remember many",
        description=(
            "Store up to 500 memories in one transaction: all of them or, unless keep_going is "
            "set, none. Answers their ids in order."
        ),
        arguments=CreateBatchArguments,
        answer=BatchAnswer,
        work=_create_batch,
        effect="adds",
        scope="memories:write",
        adds_memories=True,
        audited="memory.create_batch",
    ),
    MemoryTool(
        name="memory_get",
        title="Get a memory",
        description="Return one memory by its id, as it is or as it was stored at a moment.",
        arguments=GetArguments,
        answer=MemoryAnswer,
        work=_get,
    ),
    MemoryTool(
        name="memory_update",
        title="Change a memory",
        description=(
            "Change fields of a memory; those that are not named stay, null clears one. Answers "
            "the new version; earlier ones are kept, see memory_history. With `version` it is "
            "refused where somebody changed the memory since you read it."
        ),
        arguments=UpdateArguments,
        answer=MemoryAnswer,
        work=_update,
        effect="changes",
        scope="memories:write",
        audited="memory.update",
    ),
    MemoryTool(
        name="memory_delete",
        title="Forget a memory",
        description=(
            "Hide a memory from every search and list. It is kept: memory_restore brings it back."
        ),
        arguments=DeleteArguments,
        answer=DeleteAnswer,
        work=_delete,
        effect="removes",
        scope="memories:write",
        audited="memory.delete",
    ),
    MemoryTool(
        name="memory_restore",
        title="Bring back a memory",
        description=(
            "Bring back a deleted memory, or the state of an earlier version, as a new version."
        ),
        arguments=RestoreArguments,
        answer=MemoryAnswer,
        work=_restore,
        effect="changes",
        scope="memories:write",
        audited="memory.restore",
    ),
    MemoryTool(
        name="memory_history",
        title="History of a memory",
        description="Return the versions of a memory, oldest first: when, who and why.",
        arguments=HistoryArguments,
        answer=HistoryAnswer,
        work=_history,
    ),
    MemoryTool(
        name="memory_list",
        title="List memories",
        description=(
            "List memories by conditions, a page at a time, the newest first unless told. To find "
            "what answers a question, use memory_search."
        ),
        arguments=ListArguments,
        answer=ListAnswer,
        work=_list,
    ),
)
