"""The ledger: what is held out stays so, and an edited line is noticed."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from engram_lab.core.clock import ManualClock
from engram_lab.core.errors import EvaluationError
from engram_lab.evaluation.tuning.ledger import DataRef, Ledger, default_ledger

DATA = DataRef(dataset="locomo", hash="a" * 64)
OTHER = DataRef(dataset="realtalk", hash="b" * 64)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "deep" / "ledger.jsonl", clock=ManualClock(tick=timedelta(hours=1)))


def test_what_is_held_out_cannot_be_tuned_on(ledger: Ledger) -> None:
    ledger.hold_out(DATA, ["c9", "c8"], by="engram eval tune")
    ledger.note_tuned(DATA, ["c1", "c2"], by="engram eval tune")
    with pytest.raises(
        EvaluationError, match=r"'c9' of 'locomo' must not be tuned on.*'c1' may be"
    ):
        ledger.note_tuned(DATA, ["c1", "c9"], by="engram eval tune")
    with pytest.raises(EvaluationError, match="nothing may be"):
        ledger.refuse(DATA, ["c8"])
    ledger.refuse(OTHER, ["c8"])
    assert ledger.held_out(DATA) == {"c8", "c9"}
    assert ledger.tuned(DATA) == {"c1", "c2"}
    assert [each.kind for each in ledger.entries()] == ["held out", "tuned"]


def test_the_same_conversations_read_in_another_way_are_still_held_out(ledger: Ledger) -> None:
    ledger.hold_out(DATA, ["c9"], by="x")
    with pytest.raises(EvaluationError, match="c9"):
        ledger.refuse(DataRef(dataset="locomo", hash="c" * 64), ["c9"])
    with pytest.raises(EvaluationError, match="c9"):
        ledger.refuse(DataRef(dataset="my-copy", hash=DATA.hash), ["c9"])


def test_what_was_tuned_on_cannot_be_held_out_any_more(ledger: Ledger) -> None:
    ledger.note_tuned(DATA, ["c1", "c2"], by="x")
    with pytest.raises(EvaluationError, match="'c1' of 'locomo' cannot be held out"):
        ledger.hold_out(DATA, ["c1", "c3"], by="x")


def test_every_look_is_counted(ledger: Ledger) -> None:
    ledger.hold_out(DATA, ["c8", "c9"], by="x")
    assert ledger.looks(DATA) == 0
    assert ledger.note_look(DATA, ["c9"], by="x", note="R@10 .61") == 1
    assert ledger.note_look(DATA, ["c8", "c9"], by="x") == 2
    assert ledger.looks(OTHER) == 0
    with pytest.raises(EvaluationError, match="'c1' of 'locomo' is not held out"):
        ledger.note_look(DATA, ["c1"], by="x")


def test_saying_the_same_again_adds_nothing(ledger: Ledger) -> None:
    assert ledger.hold_out(DATA, ["c8", "c9"], by="x") is not None
    assert ledger.hold_out(DATA, ["c9"], by="x") is None
    assert ledger.note_tuned(DATA, ["c1"], by="x", note="a") is not None
    assert ledger.note_tuned(DATA, ["c1"], by="x", note="a") is None
    assert ledger.note_tuned(DATA, ["c1"], by="x", note="b") is not None


def test_entries_say_when_by_what_and_with_which_data(ledger: Ledger) -> None:
    ledger.hold_out(DATA, ["c9"], by="engram eval tune locomo-turn --hold-out c9")
    ledger.note_look(DATA, ["c9"], by="y")
    first, second = ledger.entries()
    assert (first.number, first.at) == (1, "2026-01-01T00:00:00+00:00")
    assert (second.number, second.at) == (2, "2026-01-01T01:00:00+00:00")
    assert first.by == "engram eval tune locomo-turn --hold-out c9"
    assert (first.dataset, first.data_hash, first.units) == ("locomo", "a" * 64, ("c9",))
    assert second.previous == first.hash


def edited(line: str, **change: Any) -> str:
    return json.dumps({**json.loads(line), **change})


def test_an_edited_removed_or_inserted_line_is_noticed(ledger: Ledger) -> None:
    ledger.hold_out(DATA, ["c8", "c9"], by="x")
    for cluster in ("c1", "c2", "c3"):
        ledger.note_tuned(DATA, [cluster], by="x")
    lines = ledger.path.read_text().splitlines()
    forged = [
        [edited(lines[0], units=["c8"]), *lines[1:]],
        [lines[0], edited(lines[1], at="2020-01-01T00:00:00+00:00"), *lines[2:]],
        [lines[0], *lines[2:]],
        [lines[0], lines[2], lines[1], lines[3]],
        [*lines, lines[-1]],
        lines[1:],
    ]
    for content in forged:
        ledger.path.write_text("\n".join(content) + "\n")
        with pytest.raises(EvaluationError, match="was edited"):
            ledger.entries()
    for broken in ("no json", "3", '{"number": 1}', edited(lines[0], more=1)):
        ledger.path.write_text(broken + "\n")
        with pytest.raises(EvaluationError, match=r"line 1 .* is no entry"):
            ledger.refuse(DATA, ["c1"])


def test_lines_cut_off_the_end_are_missed_where_the_end_was_noted(ledger: Ledger) -> None:
    ledger.check(ledger.last())
    ledger.hold_out(DATA, ["c9"], by="x")
    ledger.note_look(DATA, ["c9"], by="x")
    noted = ledger.last()
    ledger.note_look(DATA, ["c9"], by="x")
    ledger.check(noted)
    first = ledger.path.read_text().splitlines()[0]
    ledger.path.write_text(first + "\n")
    assert len(ledger.entries()) == 1
    with pytest.raises(EvaluationError, match="no longer holds the 2 entries"):
        ledger.check(noted)


def test_a_ledger_lies_beside_the_searches_or_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ENGRAM_LEDGER", raising=False)
    assert default_ledger(tmp_path / "runs" / "one") == tmp_path / "runs" / "ledger.jsonl"
    monkeypatch.setenv("ENGRAM_LEDGER", str(tmp_path / "mine.jsonl"))
    assert default_ledger(tmp_path / "runs" / "one") == tmp_path / "mine.jsonl"
