"""Which arms search: as told, or by what they have to say."""

from __future__ import annotations

from typing import Any

import pytest

from engram_lab.core.errors import EmbedderError, InvalidInputError
from engram_lab.retrieval.lexical.analyser import Analyser
from engram_lab.retrieval.question import Question
from engram_lab.retrieval.strategy import Evidence, check_strategy, choose

BOTH = Evidence(found=1, vectors=1)


def asked(text: str) -> Question:
    return Question.of(text, Analyser())


@pytest.mark.parametrize("wanted", ["keyword", "semantic", "hybrid"])
@pytest.mark.parametrize("evidence", [BOTH, Evidence(), Evidence(found=1), Evidence(vectors=1)])
@pytest.mark.parametrize("text", ["tea", "the", '"green tea"'])
def test_what_was_told_is_done(wanted: Any, evidence: Evidence, text: str) -> None:
    chosen = choose(wanted, asked(text), evidence)
    assert (chosen.strategy, chosen.reason) == (wanted, "as told")


@pytest.mark.parametrize(
    ("text", "evidence", "strategy", "reason"),
    [
        ("tea", BOTH, "hybrid", "both arms have something to say"),
        ("tea", Evidence(vectors=1), "semantic", "none of the words"),
        ("tea", Evidence(found=1), "keyword", "has a vector"),
        ("tea", Evidence(), "keyword", "has a vector"),
        ("the", BOTH, "semantic", "no word of it tells much"),
        ("🍵", Evidence(vectors=1), "semantic", "no word of it tells much"),
        ('"green tea"', BOTH, "keyword", "a phrase"),
        ("tea*", BOTH, "keyword", "a phrase"),
        ("tea", Evidence(found=1, vectors=1, obstacle="it is down"), "keyword", "it is down"),
        ("tea*", Evidence(found=1, obstacle="it is down"), "keyword", "a phrase"),
    ],
)
def test_auto_is_decided_by_evidence(
    text: str, evidence: Evidence, strategy: str, reason: str
) -> None:
    chosen = choose("auto", asked(text), evidence)
    assert chosen.strategy == strategy
    assert reason in chosen.reason


@pytest.mark.parametrize("wanted", ["semantic", "hybrid"])
def test_vectors_that_were_asked_for_by_name_and_cannot_be_had_are_an_error(wanted: Any) -> None:
    with pytest.raises(EmbedderError, match=f"strategy is '{wanted}', but it is down"):
        choose(wanted, asked("tea"), Evidence(found=1, obstacle="it is down"))


@pytest.mark.parametrize("wanted", ["nonsense", "", "AUTO", None, 7, ["auto"]])
def test_an_unknown_strategy_is_refused(wanted: Any) -> None:
    with pytest.raises(InvalidInputError, match="allowed are auto, keyword, semantic, hybrid"):
        check_strategy(wanted)


@pytest.mark.parametrize("wanted", ["auto", "keyword", "semantic", "hybrid"])
def test_a_strategy_is_one(wanted: str) -> None:
    check_strategy(wanted)
