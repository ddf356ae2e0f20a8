"""Searching the text index: terms in, the best memories by BM25 out."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import apsw

from engram_lab.core.checks import check_limit
from engram_lab.core.errors import InvalidInputError, shown
from engram_lab.core.reports import TextMatch
from engram_lab.core.sqlite.conditions import Where, of_selection
from engram_lab.core.sqlite.rows import fetch, memory_of, select_columns
from engram_lab.core.terms import Term

if TYPE_CHECKING:
    from engram_lab.core.selection import Selection
    from engram_lab.core.sqlite.context import Context

__all__ = ["match_text"]

_BEST: Final = (
    "SELECT m.pk AS pk, m.id AS id, -bm25(memories_fts) AS score "
    "FROM memories_fts JOIN memories AS m ON m.pk = memories_fts.rowid "
    "WHERE {where} ORDER BY score DESC, m.id LIMIT ?"
)
_SNIPPETS: Final = (
    "SELECT rowid, snippet(memories_fts, 0, '**', '**', '…', 32) "
    "FROM memories_fts WHERE memories_fts MATCH ? AND {rowid} IN (SELECT value FROM carray(?))"
)


def match_text(
    context: Context,
    terms: Sequence[str | Term],
    selection: Selection,
    limit: int,
    *,
    highlight: bool,
) -> list[TextMatch]:
    """Return the memories that hold any of the terms, best BM25 first, ties by id.

    Only the few that are returned are read whole, and only their passages are looked for.

    Raises:
        InvalidInputError: `as_of` in the selection, as the words of the past are not indexed; terms
            that are none, or a limit below 1.
        AccessDeniedError: An agent asks for private sections.
    """
    if selection.private:
        context.access.check_owner("read private sections")
    if selection.as_of is not None:
        raise InvalidInputError("words are searched in the present: leave out as_of")
    check_limit(limit)
    query = _query(terms)
    if not query:
        return []
    where = Where()
    where.add("memories_fts MATCH ?", query)
    narrowed = of_selection(selection, context.access, context.now())
    where.add(narrowed.sql, *narrowed.values)
    columns = select_columns("m", private=selection.private)
    database = context.database
    with database.snapshot() if highlight else database.read() as connection:
        rows = fetch(
            connection,
            f"SELECT {columns}, best.score, best.pk FROM ({_BEST.format(where=where.sql)}) AS best "
            "CROSS JOIN memories AS m ON m.pk = best.pk ORDER BY best.score DESC, best.id",
            (*where.values, limit),
        )
        passages: dict[int, str] = {}
        if highlight and rows:
            keys = array("q", (row[-1] for row in rows))
            # A prefix is looked up anew for each row that is asked for: then one pass is quicker.
            rowid = "+rowid" if any(isinstance(t, Term) and t.prefix for t in terms) else "rowid"
            snippets = _SNIPPETS.format(rowid=rowid)
            passages = dict(fetch(connection, snippets, (query, apsw.carray(keys))))
    return [
        TextMatch(memory=memory_of(row), score=row[-2], highlights=passages.get(row[-1]))
        for row in rows
    ]


def _query(terms: Sequence[str | Term]) -> str:
    """Return what FTS5 is asked: texts in quotes, which hold nothing but words."""
    given: Any = terms
    is_list = isinstance(given, Sequence) and not isinstance(given, str)
    if not is_list or not all(isinstance(term, str | Term) for term in given):
        raise InvalidInputError(f"terms is {shown(terms)}: give a list of texts or Terms")
    return " OR ".join(map(_phrase, terms))


def _phrase(term: str | Term) -> str:
    if isinstance(term, str):
        term = Term(term)
    quoted = '"' + term.text.replace('"', '""').replace("\x00", " ") + '"'
    within = "" if term.field is None else f"{term.field} : "
    return f"{within}{quoted}{' *' if term.prefix else ''}"
