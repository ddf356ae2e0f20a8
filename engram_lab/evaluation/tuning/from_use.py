"""Learning from use: what users asked, and which memories they said were of use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import orjson

from engram_lab.core.errors import InvalidInputError, shown
from engram_lab.core.progress import task
from engram_lab.evaluation.tuning.learner import Learner, model_of_vectors
from engram_lab.evaluation.tuning.worth import Worth, worth_of
from engram_lab.retrieval.learned import LearnedRecord, LearningQuestion, Saw, scores_of
from engram_lab.retrieval.profiles import BY_HAND, Profiles, shipped_record

if TYPE_CHECKING:
    from pathlib import Path

    from engram_lab.config import EngineConfig
    from engram_lab.core.progress import Progress
    from engram_lab.engine import Engine

__all__ = ["FEWEST", "LearnedFromUse", "learn_from_use", "read_feedback"]

FEWEST: Final = 10
"""Questions that teach: fewer tell more of chance than of what is of use."""

_PAGE: Final = 1000
_KEYS: Final = frozenset({"event", "query", "memory", "workspace"})


@dataclass(frozen=True, kw_only=True, slots=True)
class LearnedFromUse:
    """What was learned from use.

    Attributes:
        record: The weights.
        config: The configuration of the engine, with these.
        questions: How many different questions there were.
        missed: In how many of these nothing that was of use is among the candidates, so that they
            teach nothing.
        worth: What to expect of it.
    """

    record: LearnedRecord
    config: EngineConfig
    questions: int
    missed: int
    worth: Worth


class _Asked(NamedTuple):
    query: str
    workspace: str | None


def read_feedback(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a file of feedback, a JSON object a line.

    Raises:
        InvalidInputError: It is not there, or a line is no object.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise InvalidInputError(f"{path}: it cannot be read ({why}): give JSON Lines") from None
    rows = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise InvalidInputError(f"{path}, line {number} is no JSON: {error}") from None
        if not isinstance(row, dict):
            raise InvalidInputError(
                f"{path}, line {number} is {shown(row)}: give an object with `memory`, and with "
                "`event` or `query`"
            )
        rows.append(row)
    return rows


def learn_from_use(
    engine: Engine,
    useful: Iterable[Mapping[str, Any]],
    *,
    learner: Learner | None = None,
    progress: Progress | None = None,
) -> LearnedFromUse:
    """Return weights learned from what users of an engine said was of use.

    Where the questions do not say otherwise the weights are those that come along, if these are for
    the same model: a handful of questions can correct them, and not make new ones. How far they may
    is found out by cross-validation.

    Args:
        engine: Their store, as it is now.
        useful: Rows with `memory`, the id of a memory that was of use, and with `event`, the id of
            the recall event, or `query`, the question itself, which may have a `workspace`.
        learner: Which features, and which model.
        progress: Told how many questions are done.

    Raises:
        InvalidInputError: A row lacks what it needs, an event is unknown, too few questions have
            something to teach, or the profile of the engine is `neutral`.
        EmbedderError: The model that makes the vectors cannot be loaded.
        MissingDependencyError: Trees were asked for, and LightGBM is not installed.
    """
    if engine.config.retrieval.profile == "neutral":
        raise InvalidInputError(
            "an engine of the profile neutral keeps nothing for features to look at: set "
            "retrieval.profile to conversation, and open it again"
        )
    chosen = learner or Learner()
    answers = _answers(engine, list(useful))
    model = model_of_vectors(engine)
    if model is not None and not engine.read_only:
        engine.embed()  # what still waits for a vector would be taken for far from every question
    before = _in_use(engine)
    names = tuple(dict.fromkeys((*chosen.names, *before.features)))
    questions, known = [], []
    told = task("learning", total=len(answers), unit="questions", progress=progress)
    with told as counting:
        for (query, workspace), right in counting.over(answers.items()):
            table = engine.features(query, names, workspace=workspace)
            mark = np.array([id_ in right for id_ in table.ids], np.bool_)
            features = table.values[:, : len(chosen.names)]
            question = LearningQuestion(features=features, relevant=mark)
            if question.teaches:
                questions.append(question)
                known.append(scores_of(before, table.values, names))
    missed = len(answers) - len(questions)
    if len(questions) < FEWEST:
        also = f"; in {missed} nothing of use is among the candidates" if missed else ""
        raise InvalidInputError(
            f"the feedback has {len(questions)} questions to learn from{also}: give {FEWEST} or "
            "more"
        )
    saw = Saw(dataset="feedback", data=engine.store.corpus.head()[1], questions=len(questions))
    ours = shipped_record()
    learns = partial(
        chosen.learn,
        saw=saw,
        embedder=model,
        towards=ours if ours.trees is None and ours.embedder == model else None,
    )
    record = learns(questions)
    retrieval = replace(engine.config.retrieval, profile="conversation", learned=record.to_json())
    return LearnedFromUse(
        record=record,
        config=replace(engine.config, retrieval=retrieval),
        questions=len(answers),
        missed=missed,
        worth=worth_of(questions, known, chosen.names, learns),
    )


def _in_use(engine: Engine) -> LearnedRecord:
    """Return the weights that an engine orders turns with speakers by as it is."""
    vectors = engine.config.embedding.model != "none"
    found = Profiles(engine.config.retrieval).choose(
        found=1, turns=1, embedder=engine.embedder.fingerprint if vectors else None
    )
    return found.record or BY_HAND


def _answers(engine: Engine, rows: list[Mapping[str, Any]]) -> dict[_Asked, set[str]]:
    """Return which memories were of use, by what was asked, in the order of the rows."""
    for number, row in enumerate(rows, 1):
        named = [row.get(key) for key in ("event", "query") if row.get(key) is not None]
        texts = [row.get("memory"), *named, *([row["workspace"]] if row.get("workspace") else [])]
        sound = all(isinstance(each, str) and each for each in texts)
        if len(named) != 1 or not sound or set(row) - _KEYS:
            raise InvalidInputError(
                f"row {number} of the feedback is {shown(dict(row))}: give the id of a `memory`, "
                "and either the `event` of a recall or the `query` itself"
            )
    wanted = {row["event"] for row in rows if row.get("event")}
    events = dict(_events(engine, wanted)) if wanted else {}
    answers: dict[_Asked, set[str]] = {}
    for number, row in enumerate(rows, 1):
        asked: _Asked | None = _Asked(row.get("query", ""), row.get("workspace"))
        if row.get("event"):
            asked = events.get(row["event"])
        if asked is None:
            raise InvalidInputError(
                f"row {number} of the feedback names the recall event {shown(row['event'])}, which "
                "is not stored here: name another, or give the `query`"
            )
        answers.setdefault(asked, set()).add(row["memory"])
    return answers


def _events(engine: Engine, wanted: set[str]) -> Iterator[tuple[str, _Asked]]:
    """Yield what was asked in events, by their ids."""
    engine.flush()
    last = ""
    while page := engine.store.events.since(last, limit=_PAGE):
        for event in page:
            if event.id in wanted:
                yield event.id, _Asked(event.query, event.workspace)
        last = page[-1].id
