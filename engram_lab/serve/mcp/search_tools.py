"""The tools that find: by a question, and along links."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from engram_lab.serve.mcp.answers import (
    ContextAnswer,
    LinkAnswer,
    Outcome,
    PathAnswer,
    RelatedAnswer,
    SearchAnswer,
)
from engram_lab.serve.mcp.context import context_block
from engram_lab.serve.mcp.other_arguments import (
    ContextArguments,
    LinkArguments,
    PathArguments,
    RelatedArguments,
    SearchArguments,
)
from engram_lab.serve.mcp.records import link_record, memory_record, said
from engram_lab.serve.mcp.tool import MemoryTool

if TYPE_CHECKING:
    from engram_lab.engine import Engine

__all__ = ["SEARCH_TOOLS"]

_SEARCHED: Final = {"searches": 1}
_FOLLOWING: Final = ("min_weight", "direction", "types", "valid_at")


def _search(engine: Engine, given: SearchArguments, author: str) -> Outcome:  # noqa: ARG001
    hits = engine.recall(
        given.query,
        given.k,
        token_budget=given.token_budget,
        strategy=given.strategy,
        explain=given.explain,
        filter=given.filter,
        workspace=given.workspace,
        scope=given.scope,
        as_of=given.as_of,
        archived=given.archived,
    )
    found: list[dict[str, Any]] = [
        {"rank": hit.rank, "score": hit.score, "id": hit.id} for hit in hits
    ]
    if given.compact:
        for record, short in zip(found, hits.compact(), strict=True):
            record.update(
                title=short.title, tags=list(short.tags), created_at=said(short.created_at)
            )
    else:
        for record, hit in zip(found, hits, strict=True):
            record["memory"] = memory_record(hit.memory)
    if given.explain:
        for record, hit in zip(found, hits, strict=True):
            record["why"] = str(hit.explanation)
    answer = {
        "query": hits.query,
        "strategy": hits.strategy,
        "reason": hits.reason,
        "hits": found,
        "left_out": hits.left_out,
        "suggestions": [] if hits else [str(each) for each in hits.suggestions],
    }
    return Outcome(record=answer, used=_SEARCHED, workspace=given.workspace)


def _context(engine: Engine, given: ContextArguments, author: str) -> Outcome:  # noqa: ARG001
    block = context_block(
        engine,
        given.query,
        token_budget=given.token_budget,
        k=given.k,
        filter=given.filter,
        workspace=given.workspace,
        scope=given.scope,
    )
    record = {
        "text": block.text,
        "tokens": block.tokens,
        "ids": list(block.ids),
        "left_out": block.left_out,
    }
    return Outcome(record=record, text=block.text, used=_SEARCHED, workspace=given.workspace)


def _link(engine: Engine, given: LinkArguments, author: str) -> Outcome:  # noqa: ARG001
    fields = given.told("type", "weight", "context", "valid_from", "valid_to")
    link = engine.link(given.from_id, given.to_id, exclusive=given.exclusive, **fields)
    return Outcome(record={"link": link_record(link)}, target=link.id)


def _related(engine: Engine, given: RelatedArguments, author: str) -> Outcome:  # noqa: ARG001
    found = engine.neighbours(
        given.id, depth=given.depth, limit=given.limit, **given.told(*_FOLLOWING)
    )
    related = [
        {
            "memory": memory_record(each.memory),
            "link": link_record(each.link),
            "depth": each.depth,
            "weight": each.weight,
        }
        for each in found
    ]
    return Outcome(record={"related": related})


def _path(engine: Engine, given: PathArguments, author: str) -> Outcome:  # noqa: ARG001
    found = engine.paths(
        given.from_id,
        given.to_id,
        max_depth=given.max_depth,
        limit=given.limit,
        **given.told(*_FOLLOWING),
    )
    paths = [
        {
            "memories": [memory_record(memory) for memory in each.memories],
            "links": [link_record(link) for link in each.links],
            "weight": each.weight,
        }
        for each in found
    ]
    return Outcome(record={"paths": paths})


SEARCH_TOOLS: Final = (
    MemoryTool(
        name="memory_search",
        title="Search memories",
        description=(
            "Find the memories that answer a question, best first, by words and by meaning. Use it "
            "before you answer from what was said in the past; memory_context gives the same as a "
            "block of text that fits a prompt."
        ),
        arguments=SearchArguments,
        answer=SearchAnswer,
        work=_search,
        scope="search",
        meter="searches",
    ),
    MemoryTool(
        name="memory_context",
        title="Context for a prompt",
        description=(
            "Return what is remembered of a question as one block of text that takes at most "
            "token_budget tokens, best first."
        ),
        arguments=ContextArguments,
        answer=ContextAnswer,
        work=_context,
        scope="search",
        meter="searches",
    ),
    MemoryTool(
        name="memory_link",
        title="Link two memories",
        description=(
            "Link a memory to another, with a type and a weight. An open link of the same type is "
            "changed, not doubled."
        ),
        arguments=LinkArguments,
        answer=LinkAnswer,
        work=_link,
        effect="changes",
        again=True,
        scope="memories:write",
        audited="link.create",
    ),
    MemoryTool(
        name="memory_related",
        title="Related memories",
        description="Return the memories that links lead to, the nearest first, then the heaviest.",
        arguments=RelatedArguments,
        answer=RelatedAnswer,
        work=_related,
    ),
    MemoryTool(
        name="memory_path",
        title="Paths between memories",
        description="Return how two memories are joined by links, the heaviest path first.",
        arguments=PathArguments,
        answer=PathAnswer,
        work=_path,
    ),
)
