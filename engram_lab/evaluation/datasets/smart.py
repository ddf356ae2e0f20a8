"""The classic collections in the format of SMART: Cranfield, CISI, MED.

A record begins with `.I <number>`; `.T` is followed by its title, `.A` by its authors, `.B` by
where it appeared, `.W` by its text, `.X` by cross-references.

Source: the collections as the University of Glasgow distributes them; Cleverdon, "The Cranfield
tests on index language devices", Aslib Proceedings 19(6), 1967.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from engram_lab.core.errors import DatasetMissingError, InvalidInputError
from engram_lab.evaluation.datasets.dataset import MEMORIES, QRELS, QUERIES, Dataset
from engram_lab.evaluation.datasets.reading import (
    check_options,
    data_file,
    existing,
    frame_of,
    refused,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["COLLECTIONS", "OPTIONS", "Collection", "read_smart"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Collection:
    """How one collection is published.

    Attributes:
        documents: The name of the file of documents.
        queries: The name of the file of queries.
        qrels: The name of the file of judgements.
        columns: How many columns the judgements have.
        document: The column of the document, counted from 0; that of the query is the first.
        relevance: The column of the relevance; None where every line means relevant.
        ordinal: Whether judgements name a query by its position, counted from 1, and not by its
            number.
    """

    documents: str
    queries: str
    qrels: str
    columns: int
    document: int
    relevance: int | None = None
    ordinal: bool = False


COLLECTIONS: Final[Mapping[str, Collection]] = {
    # The numbers in `cran.qry` run to 365 with gaps; those in `cranqrel` are positions, 1 to 225.
    "cranfield": Collection(
        documents="cran.all.1400",
        queries="cran.qry",
        qrels="cranqrel",
        columns=3,
        document=1,
        relevance=2,
        ordinal=True,
    ),
    # The third and fourth columns of `CISI.REL` are 0 everywhere, and say nothing.
    "cisi": Collection(
        documents="CISI.ALL", queries="CISI.QRY", qrels="CISI.REL", columns=4, document=1
    ),
    # `MED.REL` has the columns of TREC: query, 0, document, 1.
    "med": Collection(
        documents="MED.ALL",
        queries="MED.QRY",
        qrels="MED.REL",
        columns=4,
        document=2,
        relevance=3,
    ),
}
"""The collections that are known, by name."""

OPTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "collection": ("any", *COLLECTIONS),
    "grades": ("binary", "graded"),
}
"""`collection`: needed where a folder holds several. `grades`: Cranfield judges from 1, a complete
answer, to 4, of minimum interest; binary makes all of them 1, graded makes them 4 to 1."""

_RECORD: Final = re.compile(r"\.I\s+(\d+)\s*")
_FIELD: Final = re.compile(r"\.([TABWXNKC])\s*")
_BEST: Final = 5
"""Cranfield's code for no interest; the files say -1 where there is none."""


def read_smart(folder: Path, *, id: str, options: Mapping[str, str]) -> Dataset:  # noqa: A002
    """Read a collection in the format of SMART.

    A memory is title and text in one, joined by a space; so is a query. White space counts as one
    space. Authors, places and cross-references are left out. Documents without any text, and
    queries without judgement, are left out and counted; of a pair that is judged twice, the higher
    relevance counts.

    Args:
        folder: Where the files lie.
        id: The name of the data set.
        options: See `OPTIONS`.

    Raises:
        DatasetMissingError: A file is not there.
        InvalidInputError: An option is unknown, or a file does not have this format.
    """
    chosen = check_options(options, OPTIONS, reader="smart")
    name = _collection(folder, chosen["collection"])
    known = COLLECTIONS[name]
    left_out: Counter[str] = Counter()
    memories, empty = _memories(existing(folder, known.documents))
    left_out["documents without text"] += len(empty)
    queries = _queries(existing(folder, known.queries), known)
    judged: dict[tuple[str, str], int] = {}
    path = existing(folder, known.qrels)
    for line, query_id, memory_id, relevance in _judgements(path, known, chosen["grades"]):
        if memory_id in empty:
            left_out["judgements of documents without text"] += 1
            continue
        for key, there, where in (
            (query_id, queries, known.queries),
            (memory_id, memories, known.documents),
        ):
            if key not in there:
                raise refused(path, line, f"judges {key!r}, which is not in {where}")
        if (query_id, memory_id) in judged:
            left_out["repeated judgements"] += 1
        judged[query_id, memory_id] = max(relevance, judged.get((query_id, memory_id), 0))
    asked = {query_id for query_id, _ in judged}
    left_out["queries without judgement"] += len(queries.keys() - asked)
    return Dataset(
        id=id,
        memories=frame_of(list(memories.values()), MEMORIES),
        queries=frame_of([row for key, row in queries.items() if key in asked], QUERIES),
        qrels=frame_of(
            [
                {"query_id": query_id, "memory_id": memory_id, "relevance": relevance}
                for (query_id, memory_id), relevance in judged.items()
            ],
            QRELS,
        ),
        variant={**chosen, "collection": name},
        files=tuple(
            data_file(folder, each) for each in (known.documents, known.queries, known.qrels)
        ),
        left_out={reason: count for reason, count in left_out.items() if count},
    )


def _collection(folder: Path, asked: str) -> str:
    if asked in COLLECTIONS:
        return asked
    found = [name for name, each in COLLECTIONS.items() if (folder / each.documents).is_file()]
    if not found:
        names = ", ".join(each.documents for each in COLLECTIONS.values())
        raise DatasetMissingError(f"there is none of {names} in {folder}")
    if len(found) > 1:
        raise InvalidInputError(
            f"{folder} holds several collections: say which with the option "
            f"collection={' or collection='.join(found)}"
        )
    return found[0]


def _memories(path: Path) -> tuple[dict[str, dict[str, Any]], set[str]]:
    """Return a memory a document, by its number, and the numbers of documents without text."""
    memories: dict[str, dict[str, Any]] = {}
    empty: set[str] = set()
    for line, number, content in _records(path):
        key = str(int(number))
        if key in memories or key in empty:
            raise refused(path, line, f"is a second document {key}")
        if content:
            memories[key] = {"id": key, "content": content, "source_id": number}
        else:
            empty.add(key)
    if not memories:
        raise refused(path, 1, "must begin a document with .I and its number")
    return memories, empty


def _queries(path: Path, known: Collection) -> dict[str, dict[str, Any]]:
    queries: dict[str, dict[str, Any]] = {}
    for position, (line, number, text) in enumerate(_records(path), start=1):
        key = str(position if known.ordinal else int(number))
        if key in queries:
            raise refused(path, line, f"is a second query {key}")
        if not text:
            raise refused(path, line, f"the query {number} has no text")
        queries[key] = {"id": key, "text": text, "source_id": number}
    if not queries:
        raise refused(path, 1, "must begin a query with .I and its number")
    return queries


def _records(path: Path) -> Iterator[tuple[int, str, str]]:
    """Yield line, number, and title and text of each record."""
    number, begun, letter = "", 0, ""
    parts: dict[str, list[str]] = {"T": [], "W": []}
    for line, text in enumerate(_decoded(path).splitlines(), start=1):
        if match := _RECORD.fullmatch(text):
            if number:
                yield begun, number, _joined(parts)
            number, begun, letter = match[1], line, ""
            parts = {"T": [], "W": []}
        elif match := _FIELD.fullmatch(text):
            letter = match[1]
        elif not text.strip():
            continue
        elif not number or not letter:
            raise refused(path, line, f"{text[:40]!r} stands before .I and the letter of a field")
        elif letter in parts:
            parts[letter].append(text)
    if number:
        yield begun, number, _joined(parts)


def _joined(parts: Mapping[str, list[str]]) -> str:
    return " ".join(" ".join((*parts["T"], *parts["W"])).split())


def _decoded(path: Path) -> str:
    data = path.read_bytes()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")  # the collections are older than Unicode


def _judgements(path: Path, known: Collection, grades: str) -> Iterator[tuple[int, str, str, int]]:
    """Yield line, query, document and relevance of each judgement."""
    for line, text in enumerate(_decoded(path).splitlines(), start=1):
        fields = text.split()
        if not fields:
            continue
        if len(fields) != known.columns:
            raise refused(
                path, line, f"has {len(fields)} columns: {path.name} must have {known.columns}"
            )
        try:
            query_id, memory_id = int(fields[0]), int(fields[known.document])
            code = 1 if known.relevance is None else int(fields[known.relevance])
        except ValueError as error:
            raise refused(path, line, f"{text.strip()!r} must hold whole numbers") from error
        if code < 1 or (known.ordinal and code >= _BEST):
            relevance = 0
        else:
            relevance = _BEST - code if grades == "graded" and known.ordinal else 1
        yield line, str(query_id), str(memory_id), relevance
