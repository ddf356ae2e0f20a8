"""Conversations through the command line: from a published file to the crosswalk of its figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Engram

WHOLE = """\
title = "words"
[settings.retrieval]
strategy = "keyword"
[settings.embedding]
model = "none"
"""

QUIET = ("--no-guards", "--no-cache")


@pytest.fixture
def systems(engram: Engram) -> tuple[str, ...]:
    """Return a system that remembers sessions, and one that remembers their turns."""
    Path("whole.toml").write_text(WHOLE, encoding="utf-8")
    Path("turns.toml").write_text(f'store_as = "turns"\n{WHOLE}', encoding="utf-8")
    return ("--system", "whole.toml", "--system", "turns.toml")


# LongMemEval, in its published shape

THINGS = ("boat", "kiln", "lamp", "oar", "sail", "tide", "crane", "choir")
FILLER = "we spoke of the weather and of nothing in particular"


def said(role: str, text: str, **marks: bool) -> dict[str, Any]:
    return {"role": role, "content": text, **marks}


def history(number: int, *, by: str = "user", abstain: bool = False) -> dict[str, Any]:
    """Return a question over 12 sessions, two of which say where a thing is, and was."""
    thing = THINGS[number]
    sessions, ids, dates = [], [], []
    for place in range(12):
        turns = [said("user", f"{FILLER} {place}"), said("assistant", "Indeed")]
        if place in {number, number + 3}:
            turns = [{**turn, "has_answer": False} for turn in turns]
            answer = f"My {thing} is in the place {place} of my {thing}s"
            turns += [said(by, answer, has_answer=True), said("assistant", "Noted")]
            # What else is said at length, so that the words of the answer weigh little.
            turns += [said("user", f"{FILLER} " * 40)]
        sessions.append(turns)
        dates.append(f"2023/05/{place + 1:02d} (Mon) 0{place % 10}:21")
        ids.append(f"{'answer' if len(turns) > 2 else 'chat'}_{number}_{place}")
    return {
        "question_id": f"q{number}" + ("_abs" if abstain else ""),
        "question_type": "multi-session" if number % 2 else "single-session-user",
        "question": f"Where is my {thing}?",
        "question_date": "2023/06/30 (Fri) 23:59",
        "answer": "in the place",
        "answer_session_ids": [each for each in ids if each.startswith("answer")],
        "haystack_session_ids": ids,
        "haystack_dates": [
            f"2023/05/{place + 1:02d} (Mon) 0{place % 10}:21" for place in range(12)
        ],
        "haystack_sessions": sessions,
    }


@pytest.fixture
def histories(engram: Engram) -> str:
    """Return a file of LongMemEval's shape: 6 questions, one to abstain from."""
    told = [history(number) for number in range(4)]
    told += [history(4, by="assistant"), history(5, abstain=True)]
    Path("mine.json").write_text(json.dumps(told), encoding="utf-8")
    return "mine.json"


def test_a_file_of_longmemeval_is_judged_by_one_command(
    engram: Engram, histories: str, systems: tuple[str, ...]
) -> None:
    told = engram(
        *("eval", "run", "longmemeval-s", "--data", histories, "--out", "out", *systems, *QUIET)
    )

    head = told.splitlines()[0].split()
    assert head[:4] == ["system", "recall_all@5", "recall_all@10", "recall_any@5"]
    results = json.loads(Path("out/results.json").read_bytes())
    assert results["record"]["dataset"]["left_out"] == {"questions to abstain from": 1}
    assert [each["name"] for each in results["systems"]] == ["whole", "turns"]
    found = {each["name"]: each["measures"]["recall_all@5"] for each in results["systems"]}
    # What the assistant alone said is evidence all the same, and no memory has it.
    assert (found["turns"]["n"], found["turns"]["mean"]) == (5, 0.8)
    for name in ("whole", "turns"):
        hits = pl.read_parquet(f"out/runs/{name}.parquet")["memory_id"]
        assert hits.str.contains(r"^longmemeval-s-\d{3}-s\d{3}$").all()


def rows_of(printed: Any, system: str, measure: str) -> dict[tuple[str, str], tuple[Any, int]]:
    return {
        (row["key"], row["questions"]): (row["mean"], row["n"])
        for row in printed["rows"]
        if (row["system"], row["measure"]) == (system, measure)
    }


def test_the_protocols_of_longmemeval_are_the_keys_of_its_crosswalk(
    engram: Engram, histories: str, systems: tuple[str, ...]
) -> None:
    run = ("eval", "run", "--data", histories, *systems[2:], *QUIET)
    engram(*run, "longmemeval-s", "--out", "official")
    engram(*run, "longmemeval-s-any", "--out", "any")

    strict = engram.json("eval", "crosswalk", "official", "--data", histories)
    wide = engram.json("eval", "crosswalk", "any", "--data", histories)

    assert rows_of(strict, "turns", "recall_all@5") == {
        ("official", "all"): (0.8, 5),
        ("user-evidence", "all"): (1.0, 4),
    }
    (note,) = strict["notes"]
    assert note == (
        "protocol any-500 is left out: it asks 1 question that this run was not asked: run the "
        "suite with protocol = any-500"
    )
    assert list(rows_of(wide, "turns", "recall_any@5")) == [
        ("any-500", "all"),
        ("official", "all"),
        ("user-evidence", "all"),
    ]
    assert rows_of(wide, "turns", "recall_all@5")["any-500", "all"] == (pytest.approx(5 / 6), 6)
    assert wide["notes"] == []


# LoCoMo, with its published key and another


def conversation() -> dict[str, Any]:
    sessions = {
        f"session_{number}": [
            {
                "speaker": "Ada" if place % 2 else "Ben",
                "dia_id": f"D{number}:{place}",
                "text": f"The {THINGS[number]} has the number {place}",
            }
            for place in range(1, 4)
        ]
        for number in range(1, 7)
    }
    dates = {f"{each}_date_time": f"1:56 pm on {each[8:]} May, 2021" for each in sessions}
    return {"speaker_a": "Ada", "speaker_b": "Ben", **sessions, **dates}


def asked(text: str, *evidence: str, category: int = 4) -> dict[str, Any]:
    return {"question": text, "answer": "x", "evidence": list(evidence), "category": category}


OFFICIAL = [
    asked("What has the kiln?", "D1:1"),
    asked("What of the lamp?", "D2:1"),
    asked("And the oar?", "D3:1"),
    asked("Which sail?", "D1:2"),
    asked("How is the crane?", "D6:1"),
    asked("Whose tide is it?", "D5:1", category=5),
]
CORRECTED = [
    OFFICIAL[0],
    # The second is dropped, so that all after it have other numbers.
    OFFICIAL[2],
    asked("Which sail?", "D4:2"),
    asked("How is the green crane?", "D6:1"),
    OFFICIAL[5],
]


@pytest.fixture
def two_keys(engram: Engram) -> str:
    """Return a folder with LoCoMo's two files, of one small conversation."""
    folder = Path("locomo")
    folder.mkdir()
    for name, questions in (("locomo10", OFFICIAL), ("locomo10_corrected", CORRECTED)):
        sample = {"sample_id": "conv-1", "conversation": conversation(), "qa": questions}
        (folder / f"{name}.json").write_text(json.dumps([sample]), encoding="utf-8")
    return "locomo"


@pytest.fixture
def judged(engram: Engram, two_keys: str, systems: tuple[str, ...]) -> tuple[str, ...]:
    """Return the crosswalk of a run of LoCoMo's sessions."""
    changed = ("--data", two_keys, "--allow-changed")
    engram("eval", "run", "locomo-session", *changed, "--out", "out", *systems, *QUIET)
    return ("eval", "crosswalk", "out", *changed)


def test_both_keys_with_and_without_what_is_apart(engram: Engram, judged: tuple[str, ...]) -> None:
    printed = engram.json(*judged, "-k", "1", "--system", "turns")

    # The official key wants session 1 of a question about session 4, which no words lead to.
    assert rows_of(printed, "turns", "recall_any@1") == {
        ("official", "all"): (pytest.approx(5 / 6), 6),
        ("official", "without adversarial"): (0.8, 5),
        ("corrected", "all"): (1.0, 4),
        ("corrected", "without adversarial"): (1.0, 3),
    }
    assert {row["system"] for row in printed["rows"]} == {"turns"}
    assert {row["measure"] for row in printed["rows"]} == {
        each["measure"] for each in printed["conventions"]
    }
    assert all(each["says"] and each["published"] for each in printed["conventions"])
    assert printed["notes"] == [
        "key corrected: 1 of its 5 questions is worded otherwise, was not asked, and is left out"
    ]


def test_the_table_has_a_block_for_each_system(engram: Engram, judged: tuple[str, ...]) -> None:
    told = engram(*judged)

    first, second = told.index("whole"), told.index("turns")
    assert first < second
    assert told.count("recall_all@5 ") >= 2
    assert "elsewhere: recall_any@k of LongMemEval, hit rate" in " ".join(told.split())


def test_a_key_whose_file_is_absent_is_left_out_and_said(
    engram: Engram, judged: tuple[str, ...]
) -> None:
    Path("locomo/locomo10_corrected.json").unlink()

    printed = engram.json(*judged)

    assert {row["key"] for row in printed["rows"]} == {"official"}
    (note,) = printed["notes"]
    assert note.startswith("key corrected is left out: there is no file locomo10_corrected.json")


def test_a_run_by_the_corrected_key_is_shown_by_the_official_one_too(
    engram: Engram, two_keys: str, systems: tuple[str, ...]
) -> None:
    corrected = ("--data", f"{two_keys}/locomo10_corrected.json", "--allow-changed")
    engram("eval", "run", "locomo-session", *corrected, "--out", "out", *systems, *QUIET)

    printed = engram.json("eval", "crosswalk", "out", *corrected, "-k", "1", "--system", "turns")

    keys = [each for each, _ in rows_of(printed, "turns", "R@1")]
    assert list(dict.fromkeys(keys)) == ["corrected", "official"]
    assert rows_of(printed, "turns", "R@1")["official", "all"] == (0.75, 4)


def test_data_of_ones_own_are_judged_by_what_the_run_holds(engram: Engram) -> None:
    folder = Path("mine")
    folder.mkdir()
    (folder / "memories.jsonl").write_text('{"id": "m", "content": "a tide"}\n', encoding="utf-8")
    (folder / "queries.jsonl").write_text('{"id": "q", "text": "tide"}\n', encoding="utf-8")
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq\tm\t1\n", encoding="utf-8")
    engram("eval", "run", "frames", "--data", "mine", "--system", "bm25", "--out", "out", *QUIET)
    for file in folder.iterdir():
        file.unlink()

    printed = engram.json("eval", "crosswalk", "out")

    assert {(row["key"], row["questions"]) for row in printed["rows"]} == {("as judged", "all")}
    assert rows_of(printed, "bm25", "R@10") == {("as judged", "all"): (1.0, 1)}


def test_without_its_data_there_is_nothing_to_judge(
    engram: Engram, judged: tuple[str, ...]
) -> None:
    Path("nowhere").mkdir()
    ran = engram.run("eval", "crosswalk", "out", "--data", "nowhere", "--json")

    assert (ran.code, ran.err) == (3, "")
    assert ran.json["suite"] == "locomo-session"
    assert "locomo10.json not found in nowhere" in ran.json["skipped"]


MISTAKES = {
    "nowhere": "holds no results.json",
    "out --data locomo --allow-changed --system none": "has no system 'none': it has whole, turns",
    "out --data locomo --allow-changed -k 0": "a cut-off of 0 leaves nothing",
    "out --data locomo --allow-changed -k 500": "the run asked for 100 hits",
    "out --data locomo": "is not the published one",
}


def test_a_mistake_is_one_sentence(engram: Engram, judged: tuple[str, ...]) -> None:
    said = {words: engram.refused("eval", "crosswalk", *words.split()) for words in MISTAKES}

    assert {words: MISTAKES[words] in told for words, told in said.items()} == dict.fromkeys(
        MISTAKES, True
    )


def test_other_data_than_those_of_the_run_are_refused(
    engram: Engram, judged: tuple[str, ...]
) -> None:
    sample = {"sample_id": "conv-1", "conversation": conversation(), "qa": OFFICIAL[1:]}
    Path("locomo/locomo10.json").write_text(json.dumps([sample]), encoding="utf-8")

    assert "out was judged by other questions or answers" in engram.refused(*judged)
