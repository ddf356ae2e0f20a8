"""LongMemEval: questions to a chat assistant, each over a history of its own."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from engram_lab.evaluation.datasets.dataset import MEMORIES, PARTS, QRELS, QUERIES, Dataset
from engram_lab.evaluation.datasets.published import each_of_list, find
from engram_lab.evaluation.datasets.reading import check_options, data_file, refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from engram_lab.evaluation.datasets.published import Place

__all__ = ["read_longmemeval"]

_FILES: Final = {
    "s": ("longmemeval_s_cleaned.json", "longmemeval_s.json"),
    "m": ("longmemeval_m_cleaned.json", "longmemeval_m.json"),
    "oracle": ("longmemeval_oracle.json",),
}
"""The names in the edition of September 2025, then in the first."""

_OPTIONS: Final = {
    "split": tuple(_FILES),
    "protocol": ("official", "user-evidence", "any-500"),
    "unit": ("session", "turn"),
    "roles": ("user", "both"),
}
_ROLES: Final = ("user", "assistant")
_DATE: Final = re.compile(r"(\d{4})/(\d\d?)/(\d\d?)(?: \(\w+\))? (\d\d?):(\d\d)")
_ABSTENTION: Final = "_abs"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Turn:
    place: int
    """From 1, counting both sides, as the published ids of turns do."""
    role: str
    text: str
    answers: bool | None
    """Whether it is marked to have the answer; None where it is not marked either way."""


@dataclass(kw_only=True, slots=True)
class _Rows:
    memories: list[pl.DataFrame] = field(default_factory=list)
    queries: list[tuple[Any, ...]] = field(default_factory=list)
    qrels: list[tuple[str, str, int]] = field(default_factory=list)
    parts: list[pl.DataFrame] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


def read_longmemeval(
    folder: Path,
    *,
    id: str,  # noqa: A002
    options: Mapping[str, str],
) -> Dataset:
    """Return LongMemEval as published: each question is asked of a corpus of its own.

    The protocols:

    - `official` drops the questions to abstain from (`…_abs`), as the authors' figures do, which
      leaves 470. All sessions named as evidence are relevant.
    - `user-evidence` is that of the authors' newest `run_retrieval`, which drops 51 more, none of
      whose evidence was said by the user, so that 419 are asked. A session is relevant where it is
      one of the evidence and a turn of the user in it has the answer; where no turn of a question
      is marked either way, as in no published file, its evidence counts as it stands.
    - `any-500` keeps all questions, as popular figures of `recall_any` do.

    The unit is a session or a turn; what is relevant among turns is what is marked to have the
    answer. Only what the user said is remembered, as in the authors' code; `roles` set to `both`
    adds the assistant's turns. A session is the user's turns joined by blanks, or with both roles a
    line `role: text` for each; `parts` tells its turns apart.

    Published ids of sessions tell which hold an answer. Ids here do not: session 12 of the 3rd
    question is `longmemeval-s-003-s012`, its 5th turn `longmemeval-s-003-s012-t005`, the question
    `longmemeval-s-003`; `source_id` has the question's published id, then the session's, then
    `_` and the place of the turn. Times name no zone and are taken as UTC; a turn has the time of
    its session and a second for each turn before it.

    The file is read one question at a time, and only the text of the memories is kept: with both
    roles that is nearly all of it, 2.7 GB for M.

    Source: Wu et al., "LongMemEval: Benchmarking Chat Assistants on Long-Term Interactive Memory"
    (ICLR 2025), and `src/retrieval` of its code.

    Args:
        folder: Where the file lies, such as `longmemeval_s_cleaned.json`.
        id: Of the data set.
        options: `split` is `s`, `m` or `oracle`; `protocol`; `unit` is `session` or `turn`;
            `roles` is `user` or `both`.

    Raises:
        DatasetMissingError: The folder holds no such file.
        InvalidInputError: No such option, or a file of another shape.
    """
    variant = check_options(options, _OPTIONS, reader="longmemeval")
    path = find(folder, *_FILES[variant["split"]])
    rows = _Rows()
    for number, question in enumerate(each_of_list(path), 1):
        _add(rows, question, corpus=f"longmemeval-{variant['split']}-{number:03d}", variant=variant)
    return Dataset(
        id=id,
        memories=pl.concat(rows.memories) if rows.memories else pl.DataFrame(schema=MEMORIES),
        queries=pl.DataFrame(rows.queries, schema=QUERIES, orient="row"),
        qrels=pl.DataFrame(rows.qrels, schema=QRELS, orient="row"),
        parts=pl.concat(rows.parts) if rows.parts else pl.DataFrame(schema=PARTS),
        variant=variant,
        files=(data_file(path.parent, path.name),),
        left_out=dict(sorted((+rows.left_out).items())),
    )


def _add(rows: _Rows, question: Place, *, corpus: str, variant: Mapping[str, str]) -> None:
    named = question.at("question_id").name()
    if variant["protocol"] != "any-500" and _ABSTENTION in named:
        rows.left_out["questions to abstain from"] += 1
        return
    evidence = {each.name() for each in question.at("answer_session_ids").each()}
    memories: list[tuple[Any, ...]] = []
    parts: list[tuple[Any, ...]] = []
    relevant: list[str] = []
    seen: Counter[str] = Counter()
    silent = 0
    sessions = list(_sessions(question))
    marked = any(turn.answers is not None for *_, turns in sessions for turn in turns)
    for place, (session, at, turns) in enumerate(sessions, 1):
        seen[session] += 1
        # A few sessions were used twice in a history, on different days.
        source = f"{named} {session}" + (f"#{seen[session]}" if seen[session] > 1 else "")
        key = f"{corpus}-s{place:03d}"
        row = (corpus, key, at, source)
        if variant["unit"] == "session":
            found = _session(turns, row, variant, evidence=session in evidence, marked=marked)
            parts += _parts(turns, row, variant) if found else []
        else:
            found = _turns(turns, row, variant, evidence=session in evidence)
        silent += not found
        memories += [memory for memory, _ in found]
        relevant += [memory[0] for memory, answers in found if answers]
    if not relevant:
        rows.left_out["questions without evidence among the memories"] += 1
        return
    rows.left_out["sessions without words"] += silent
    rows.left_out["evidence that is not in the history"] += len(evidence - seen.keys())
    date, kind = question.find("question_date"), question.find("question_type")
    words = question.at("question").text()
    if not words.strip():
        raise question.at("question").refused("a question")
    told = (kind.text() if kind else None, None, _time(date) if date else None)
    rows.memories.append(pl.DataFrame(memories, schema=MEMORIES, orient="row"))
    rows.parts.append(pl.DataFrame(parts, schema=PARTS, orient="row"))
    rows.queries.append((corpus, corpus, words, *told, named))
    rows.qrels += [(corpus, memory, 1) for memory in relevant]


def _sessions(question: Place) -> Iterator[tuple[str, datetime, list[_Turn]]]:
    """Yield the published id, the time and the turns of each session of a history."""
    ids = question.at("haystack_session_ids").each()
    dates = question.at("haystack_dates").each()
    sessions = question.at("haystack_sessions").each()
    if not len(ids) == len(dates) == len(sessions):
        raise refused(
            question.file,
            question.path,
            f"{len(ids)} haystack_session_ids, {len(dates)} haystack_dates and {len(sessions)} "
            "haystack_sessions: one of each is expected for a session",
        )
    for session, date, turns in zip(ids, dates, sessions, strict=True):
        yield (
            session.name(),
            _time(date),
            [_turn(turn, place) for place, turn in enumerate(turns.each(), 1)],
        )


def _turn(turn: Place, place: int) -> _Turn:
    role = turn.at("role")
    if role.text() not in _ROLES:
        raise role.refused("'user' or 'assistant'")
    marked, words = turn.find("has_answer"), turn.find("content")
    if words is None and "content" not in turn.names():
        words = turn.at("content")
    return _Turn(
        place=place,
        role=role.text(),
        text=words.text() if words else "",
        answers=marked.flag() if marked else None,
    )


def _session(
    turns: list[_Turn],
    row: tuple[str, str, datetime, str],
    variant: Mapping[str, str],
    *,
    evidence: bool,
    marked: bool,
) -> list[tuple[tuple[Any, ...], bool]]:
    """Return the memory of a session, and whether it answers; none where nothing was said."""
    corpus, key, at, source = row
    between, said = _said(turns, variant)
    content = between.join(before + turn.text for before, turn in said)
    if not content.strip():
        return []
    if variant["protocol"] == "user-evidence" and marked:
        evidence = evidence and any(turn.answers for turn in turns if turn.role == "user")
    return [((key, corpus, content, key, None, None, at, None, source), evidence)]


def _said(turns: list[_Turn], variant: Mapping[str, str]) -> tuple[str, list[tuple[str, _Turn]]]:
    """Return what stands between the turns of a session, and each with what stands before it."""
    if variant["roles"] == "both":
        return "\n", [(f"{turn.role}: ", turn) for turn in turns]
    return " ", [("", turn) for turn in turns if turn.role == "user"]


def _parts(
    turns: list[_Turn], row: tuple[str, str, datetime, str], variant: Mapping[str, str]
) -> Iterator[tuple[Any, ...]]:
    """Yield which characters of a session's memory are whose turn, those without words left out."""
    _, key, at, _ = row
    between, said = _said(turns, variant)
    start = 0
    for before, turn in said:
        start += len(before)
        end = start + len(turn.text)
        if turn.text.strip():
            spoken = at + timedelta(seconds=turn.place - 1)
            yield key, turn.place, turn.role, spoken, start, end
        start = end + len(between)


def _turns(
    turns: list[_Turn],
    row: tuple[str, str, datetime, str],
    variant: Mapping[str, str],
    *,
    evidence: bool,
) -> list[tuple[tuple[Any, ...], bool]]:
    """Return the memory of each turn, and whether it answers."""
    corpus, key, at, source = row
    by_user = variant["roles"] == "user"
    user_only = variant["protocol"] == "user-evidence"
    return [
        (
            (
                *(f"{key}-t{turn.place:03d}", corpus, turn.text, key, turn.place, turn.role),
                *(at + timedelta(seconds=turn.place - 1), None, f"{source}_{turn.place}"),
            ),
            evidence and turn.answers is True and (turn.role == "user" or not user_only),
        )
        for turn in turns
        if turn.text.strip() and (turn.role == "user" or not by_user)
    ]


def _time(date: Place) -> datetime:
    """Return the time that `2023/05/20 (Sat) 02:21` tells."""
    expected = "a date such as '2023/05/20 (Sat) 02:21'"
    match = _DATE.fullmatch(date.text())
    if match is None:
        raise date.refused(expected)
    return date.moment(*match.groups(), expected=expected)
