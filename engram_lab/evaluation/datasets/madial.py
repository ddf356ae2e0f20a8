"""MADial-Bench: what an assistant should remember at a point of a dialogue with a child."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import orjson
import polars as pl

from engram_lab.evaluation.datasets.dataset import MEMORIES, QRELS, QUERIES, Dataset
from engram_lab.evaluation.datasets.published import Place
from engram_lab.evaluation.datasets.reading import (
    check_options,
    data_file,
    existing,
    json_lines,
    refused,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

__all__ = ["read_madial"]

_MEMORIES: Final = "MADial-Bench-en-memory.json"
_DIALOGUES: Final = "MADial-Bench-en-dialogue.json"
_OPTIONS: Final = {"query": ("dialogue", "last"), "text": ("event", "all")}
_USERS: Final = {1: "Bart", 2: "Lisa"}
"""The files name the users of the dialogues by number, and those of the memories in their text."""

_DATE: Final = re.compile(r"(\d{4})-(\d\d?)-(\d\d?)")


def read_madial(
    folder: Path,
    *,
    id: str,  # noqa: A002
    options: Mapping[str, str],
) -> Dataset:
    """Return the English MADial-Bench as published: 160 memories, 160 dialogues, 405 judgements.

    The corpora are those of the two users. As in the authors' code a query is the dialogue up to,
    and without, the first turn in which the assistant should remember.

    Source: He et al., "MADial-Bench: Towards Real-world Evaluation of Memory-Augmented Dialogue
    Generation" (NAACL 2025), and `Embedding.py` of its code.

    Args:
        folder: Where `MADial-Bench-en-memory.json` and `MADial-Bench-en-dialogue.json` lie.
        id: Of the data set.
        options: `query` is `dialogue`, or `last` for the user's last words; `text` is `event`, or
            `all` for scene, emotion and event.

    Raises:
        DatasetMissingError: The folder does not hold both files.
        InvalidInputError: No such option, or a file of another shape.
    """
    variant = check_options(options, _OPTIONS, reader="madial")
    memories = [_memory(*each, variant["text"]) for each in _memories(folder)]
    known = {source: (key, corpus) for key, corpus, *_, source in memories}
    queries: list[tuple[Any, ...]] = []
    qrels: list[tuple[str, str, int]] = []
    for number, dialogue in _lines(existing(folder, _DIALOGUES)):
        key, corpus = f"madial-q{number:03d}", _corpus(dialogue.at("user-id"))
        words = _asked(dialogue, variant["query"])
        queries.append((key, corpus, words, None, None, None, str(number)))
        for each in dialogue.at("relevant-id").each():
            memory = known.get(str(each.number()))
            if memory is None or memory[1] != corpus:
                raise each.refused("the id of a memory of the same user")
            qrels.append((key, memory[0], 1))
    return Dataset(
        id=id,
        memories=pl.DataFrame(memories, schema=MEMORIES, orient="row"),
        queries=pl.DataFrame(queries, schema=QUERIES, orient="row"),
        qrels=pl.DataFrame(qrels, schema=QRELS, orient="row").unique(maintain_order=True),
        variant=variant,
        files=(data_file(folder, _MEMORIES), data_file(folder, _DIALOGUES)),
    )


def _lines(path: Path) -> Iterator[tuple[int, Place]]:
    for number, value in json_lines(path):
        yield number, Place(value=value, file=path, step=f"line {number}")


def _memories(folder: Path) -> Iterator[tuple[str, Place]]:
    for _, line in _lines(existing(folder, _MEMORIES)):
        for name in line.names():
            yield name, line.at(name)


def _memory(name: str, memory: Place, text: str) -> tuple[Any, ...]:
    event = memory.at("event").text()
    about = [user for user, called in _USERS.items() if called in event]
    if len(about) != 1 or not name.isdecimal():
        raise memory.refused(f"a numbered memory of {' or of '.join(_USERS.values())}")
    said = {part: memory.at(part).text() for part in ("scene", "emotion")}
    content = event if text == "event" else f"{said['scene']}, {said['emotion']}: {event}"
    key, corpus = f"madial-m{int(name):03d}", f"madial-{about[0]}"
    at = _time(memory.at("time"))
    fields = orjson.dumps({"metadata": said}).decode()
    return (key, corpus, content, None, None, None, at, fields, name)


def _corpus(user: Place) -> str:
    if user.number() not in _USERS:
        raise user.refused("1 or 2")
    return f"madial-{user.value}"


def _asked(dialogue: Place, query: str) -> str:
    turns = [turn.text() for turn in dialogue.at("dialogue").each()]
    tested = [turn.number() for turn in dialogue.at("test-turn").each()]
    # The first line says that the dialogue begins.
    if not tested or not 1 < tested[0] < len(turns):
        raise refused(dialogue.file, dialogue.path, "test-turn must be a place after two turns")
    before = turns[: tested[0]]
    if query == "dialogue":
        return "".join(before).strip()
    spoken = [turn for turn in before if turn.startswith("<") and ">:" in turn]
    mine = [turn for turn in spoken if not turn.startswith("<Assistant>")]
    return (mine or before)[-1].partition(">:")[2].strip().strip('"')


def _time(date: Place) -> datetime:
    expected = "a date such as '2023-12-25'"
    match = _DATE.fullmatch(date.text())
    if match is None:
        raise date.refused(expected)
    return date.moment(*match.groups(), expected=expected)
