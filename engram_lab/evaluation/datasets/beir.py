"""Folders in the layout of BEIR: `corpus.jsonl`, `queries.jsonl`, `qrels/<split>.tsv`.

Source: Thakur et al., "BEIR: A Heterogeneous Benchmark for Zero-shot Evaluation of Information
Retrieval Models", NeurIPS 2021 Datasets and Benchmarks, §3.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from engram_lab.core.errors import DatasetMissingError
from engram_lab.evaluation.datasets.dataset import MEMORIES, QRELS, QUERIES, Dataset
from engram_lab.evaluation.datasets.reading import (
    check_options,
    data_file,
    existing,
    frame_of,
    json_lines,
    ordinal_where_needed,
    refused,
    text_lines,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["OPTIONS", "read_beir"]

OPTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "split": ("test",),
    "unit": ("document", "lines", "text"),
    "dangling": ("refuse", "drop"),
}
"""`split`: which file of `qrels/`. `unit`: what is remembered of a document: its title and text in
one, joined by a space as BEIR's own dense models read them; the two on lines of their own; or its
text alone. `dangling`: what happens to a judgement of a document or query that is not there."""

_HEADER: Final = ("query-id", "corpus-id", "score")


def read_beir(folder: Path, *, id: str, options: Mapping[str, str]) -> Dataset:  # noqa: A002
    """Read a folder in the layout of BEIR.

    Queries without a judgement in the split are left out; so are documents without any text, with
    their judgements, as there is nothing to remember. A score below 0 becomes 0: judged, and not
    relevant.

    Args:
        folder: Where the files lie.
        id: The name of the data set.
        options: See `OPTIONS`.

    Raises:
        DatasetMissingError: A file is not there.
        InvalidInputError: An option is unknown, or a file does not have this layout.
    """
    chosen = check_options(options, OPTIONS, reader="beir")
    left_out: Counter[str] = Counter()
    memories, empty = _documents(existing(folder, "corpus.jsonl"), chosen["unit"])
    left_out["documents without text"] += len(empty)
    queries = _queries(existing(folder, "queries.jsonl"))
    name = f"qrels/{chosen['split']}.tsv"
    judged = _judgements(_split(folder, name), left_out)
    names = ordinal_where_needed(list(queries), letter="q")
    places = ordinal_where_needed(list(memories), letter="d")
    kept: dict[tuple[str, str], int] = {}
    for (query_id, memory_id), (score, line) in judged.items():
        if memory_id in empty:
            left_out["judgements of documents without text"] += 1
        elif query_id in queries and memory_id in memories:
            kept[query_id, memory_id] = max(score, 0)
        elif chosen["dangling"] == "drop":
            left_out["judgements of what is not there"] += 1
        else:
            lost = query_id if query_id not in queries else memory_id
            where = "queries.jsonl" if query_id not in queries else "corpus.jsonl"
            raise refused(
                folder / name,
                line,
                f"judges {lost!r}, which is not in {where}: repair the file, "
                "or read it with the option dangling=drop",
            )
    asked = {query_id for query_id, _ in kept}
    left_out["queries without judgement"] += len(queries.keys() - asked)
    return Dataset(
        id=id,
        memories=frame_of(
            [
                {"id": places[key], "content": content, "source_id": key}
                for key, content in memories.items()
            ],
            MEMORIES,
        ),
        queries=frame_of(
            [
                {"id": names[key], "text": text, "source_id": key}
                for key, text in queries.items()
                if key in asked
            ],
            QUERIES,
        ),
        qrels=frame_of(
            [
                {"query_id": names[query], "memory_id": places[memory], "relevance": relevance}
                for (query, memory), relevance in kept.items()
            ],
            QRELS,
        ),
        variant=chosen,
        files=tuple(data_file(folder, each) for each in ("corpus.jsonl", "queries.jsonl", name)),
        left_out={reason: count for reason, count in left_out.items() if count},
    )


def _documents(path: Path, unit: str) -> tuple[dict[str, str], set[str]]:
    """Return what is remembered of each document, by id, and the ids of those without text."""
    memories: dict[str, str] = {}
    between = "\n" if unit == "lines" else " "
    empty: set[str] = set()
    for line, found in json_lines(path):
        key = _id(path, line, found)
        if key in memories or key in empty:
            raise refused(path, line, f"has the _id {key!r} of an earlier line")
        title = "" if unit == "text" else _text(path, line, found, "title")
        content = f"{title}{between}{_text(path, line, found, 'text')}".strip()
        if content:
            memories[key] = content
        else:
            empty.add(key)
    return memories, empty


def _queries(path: Path) -> dict[str, str]:
    queries: dict[str, str] = {}
    for line, found in json_lines(path):
        key = _id(path, line, found)
        if key in queries:
            raise refused(path, line, f"has the _id {key!r} of an earlier line")
        text = _text(path, line, found, "text").strip()
        if not text:
            raise refused(path, line, f"the query {key!r} has no text")
        queries[key] = text
    return queries


def _id(path: Path, line: int, found: dict[str, Any]) -> str:
    key = found.get("_id")
    if isinstance(key, bool) or not isinstance(key, str | int) or key == "":
        raise refused(path, line, f"has the _id {key!r}: it must be a text that is not empty")
    return str(key)


def _text(path: Path, line: int, found: dict[str, Any], field: str) -> str:
    # A title is optional, a text is not; either may be null where there is none.
    text = found.get(field, "" if field == "title" else None)
    if text is None and (field == "title" or field in found):
        return ""
    if not isinstance(text, str):
        raise refused(path, line, f"has the {field} {text!r}: it must be a text")
    return text


def _split(folder: Path, name: str) -> Path:
    try:
        return existing(folder, name)
    except DatasetMissingError as error:
        splits = sorted(each.stem for each in (folder / "qrels").glob("*.tsv"))
        raise DatasetMissingError(
            f"{error}: the splits there are {', '.join(splits) or 'none'}"
        ) from error


def _judgements(path: Path, left_out: Counter[str]) -> dict[tuple[str, str], tuple[int, int]]:
    """Return score and line by query and document; the same judgement twice is one."""
    judged: dict[tuple[str, str], tuple[int, int]] = {}
    headed = False
    for line, text in text_lines(path):
        fields = tuple(each.strip() for each in text.split("\t"))
        if not headed:
            if fields != _HEADER:
                raise refused(path, line, f"must be the header {'<tab>'.join(_HEADER)}")
            headed = True
            continue
        if len(fields) != len(_HEADER):
            raise refused(path, line, f"has {len(fields)} fields: it must have 3, tab-separated")
        query_id, memory_id, score = fields
        try:
            value = int(score.removesuffix(".0"))
        except ValueError as error:
            raise refused(path, line, f"has the score {score!r}: it must be whole") from error
        known = judged.setdefault((query_id, memory_id), (value, line))
        if known[1] == line:
            continue
        if known[0] != value:
            raise refused(
                path, line, f"contradicts line {known[1]} on {query_id!r} and {memory_id!r}"
            )
        left_out["repeated judgements"] += 1
    if not headed:
        raise refused(path, 1, f"must be the header {'<tab>'.join(_HEADER)}")
    return judged
