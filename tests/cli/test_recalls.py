"""How `recall`, `suggest` and `reindex` speak to people."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Engram

HASHED = ("--set", "embedding.model=hashing")
BROKEN = ("--set", "embedding.model=openai")


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


@pytest.fixture
def tea(engram: Engram) -> str:
    engram.remember("the tide turns at six", *HASHED)
    return engram.remember("Ada drinks black tea\nwith milk", "--tag", "taste", *HASHED)


def on_a_terminal(
    engram: Engram, monkeypatch: pytest.MonkeyPatch, columns: int, *args: str
) -> list[str]:
    """Return the lines that a terminal of so many columns gets, its codes included."""
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return engram(*args).splitlines()


def plain(line: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", line)


def test_an_explained_answer_says_which_arms_and_what_made_the_vectors(
    engram: Engram, tea: str
) -> None:
    first, second, third, fourth, *others = engram(
        "recall", "black tea", "--explain", "-k", "1", *HASHED
    ).splitlines()
    assert first == "hybrid: both arms have something to say"
    assert second == "vectors by hashing"
    assert re.fullmatch(r"1\.00  Ada drinks \*\*black\*\* \*\*tea\*\*", third)
    assert fourth == "      with milk"
    assert others[0] == f"      {tea}  note  #taste"
    assert re.fullmatch(r"      = 0\.5  keyword   #1 with \S+", others[1])
    assert re.fullmatch(r"      \+ 0\.5  semantic  #1 with \S+", others[2])
    assert len(others) == 3


def test_each_reranker_has_a_line(engram: Engram, tea: str) -> None:
    settings = ("--set", "retrieval.importance_weight=0.5")
    lines = engram("recall", "tea", "--explain", "-k", "1", *HASHED, *settings).splitlines()
    assert re.fullmatch(
        r"      then priors: \S+ = \S+ relevance \N{MULTIPLICATION SIGN} \S+ importance", lines[-1]
    )


@pytest.mark.parametrize(
    ("query", "settings", "why"),
    [
        ("tea", BROKEN, "keyword arm alone: OpenAI needs a key"),
        ('"black tea"', HASHED, "keyword arm alone: words in quotes"),
        ("blak", HASHED, "semantic arm alone (hashing): none of the words finds anything"),
    ],
)
def test_an_answer_of_one_arm_says_why(
    engram: Engram, tea: str, query: str, settings: tuple[str, str], why: str
) -> None:
    assert engram("recall", query, *settings).splitlines()[-1].startswith(why)
    assert "arm alone" not in engram("recall", query, "--strategy", "keyword", *settings)
    assert "arm alone" not in engram("recall", query, "--explain", *settings)


def test_an_answer_without_an_embedder_by_choice_says_nothing_of_it(
    engram: Engram, tea: str
) -> None:
    assert "arm alone" not in engram("recall", "tea", "--set", "embedding.model=none")


def test_memories_without_a_vector_are_told_of_and_none_at_all_are_not(
    engram: Engram, tea: str
) -> None:
    settings = ("--set", "embedding.model=hashing", "--set", "embedding.dim=64")
    why = "keyword arm alone: no memory that is asked for has a vector; `engram reindex` makes"
    for query in ("tea", "whisky"):
        assert engram("recall", query, *settings).splitlines()[-1].startswith(why)
    assert engram("recall", "tea", "--workspace", "empty", *settings) == "nothing found\n"
    engram("reindex", *settings)
    assert "arm alone" not in engram("recall", "tea", *settings)


def test_a_budget_that_nothing_fits_is_told(engram: Engram, tea: str) -> None:
    printed = engram("recall", "tea", "--token-budget", "1", "-k", "1", *HASHED)
    assert printed == "nothing fits: 1 hit left out by the token budget\n"
    printed = engram("recall", "tea", "--token-budget", "9", *HASHED)
    assert printed.splitlines()[-1] == "1 hit left out by the token budget"


def test_compact_hits_are_whole_lines_for_a_program(engram: Engram) -> None:
    memory = engram.remember("word " * 15 + "\nmore", *HASHED)
    printed = engram("recall", "word", "--compact", *HASHED)
    assert re.fullmatch(rf"\d\.\d\d  {memory}  (word ?){{15}}\n", printed)


@pytest.mark.parametrize(("columns", "lines_of_each"), [(50, 2), (60, 2), (80, 1), (120, 1)])
def test_compact_hits_fit_a_terminal(
    engram: Engram, monkeypatch: pytest.MonkeyPatch, columns: int, lines_of_each: int
) -> None:
    memory = engram.remember("word " * 30, *HASHED)
    args = ("recall", "word", "--compact", *HASHED)
    lines = [plain(line) for line in on_a_terminal(engram, monkeypatch, columns, *args)]
    assert len(lines) == lines_of_each
    assert max(map(len, lines)) <= columns
    assert memory in "".join(lines)
    assert "…" in lines[0]


def test_a_terminal_shows_the_words_of_the_question_in_bold(
    engram: Engram, monkeypatch: pytest.MonkeyPatch, tea: str
) -> None:
    args = ("recall", "tea", "--explain", "-k", "1", *HASHED)
    lines = on_a_terminal(engram, monkeypatch, 80, *args)
    assert any("black \x1b[1mtea\x1b[0m" in line for line in lines)
    assert not any("**" in line for line in lines)


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
def test_explained_hits_fit_a_terminal(
    engram: Engram, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    engram.remember("tea " * 100, *HASHED)
    settings = ("--set", "retrieval.importance_weight=0.5", "--set", "retrieval.mmr_lambda=0.5")
    args = ("recall", "tea", "--explain", *HASHED, *settings)
    lines = on_a_terminal(engram, monkeypatch, columns, *args)
    assert max(len(plain(line)) for line in lines) <= columns


@pytest.mark.parametrize("option", ["--explain", "--compact"])
def test_no_way_of_showing_a_hit_lets_its_text_steer_the_terminal(
    engram: Engram, option: str
) -> None:
    engram.remember("evil \x1b[31mred\x1b[0m\x1b]0;title\x07 true\rfalse", *HASHED)
    printed = engram("recall", "evil", option, *HASHED)
    assert not set(printed) & {"\x1b", "\x07", "\r"}


def test_suggestions_are_offered_with_how_often_they_stand(engram: Engram, tea: str) -> None:
    assert engram("suggest", "mylk blak", *HASHED).splitlines() == [
        "mylk → milk (1 memory)",
        "blak → black (1 memory)",
    ]
    assert engram("suggest", "black", *HASHED) == "nothing to suggest\n"
    printed = engram("recall", "blak tea", "--strategy", "keyword", *HASHED)
    assert printed.splitlines()[-1] == "did you mean: blak → black"


def test_reindexing_says_what_made_the_vectors(engram: Engram, tea: str) -> None:
    assert engram("reindex", *HASHED).splitlines() == [
        "2 memories indexed",
        "2 vectors by hashing",
    ]
    assert engram("reindex", "--set", "embedding.model=none") == "2 memories indexed\n"
    told = engram.json("reindex", *HASHED)
    assert (told["memories"], told["embedder"]) == (2, "hashing/1/1024")
    assert told["vectors"]["complete"] == 2


def test_reindexing_without_an_embedder_that_works_is_refused(engram: Engram, tea: str) -> None:
    assert "OpenAI needs a key" in engram.refused("reindex", *BROKEN)


def test_the_doctor_says_for_which_embedders_there_are_vectors(engram: Engram, tea: str) -> None:
    (vectors,) = [each for each in engram.json("doctor") if each["name"] == "vectors"]
    assert vectors["detail"] == "no memory waits for 'hashing/1/1024'"
