"""How a statement is cut into words and figures."""

from __future__ import annotations

import pytest

from engram_lab.consolidation.merge.tokens import tokens


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("40", "number", 40.0),
        ("3,200", "number", 3200.0),
        ("twenty-five", "number", 25.0),
        ("three hundred and two", "number", 302.0),
        ("1.5 million", "number", 1.5e6),
        ("40k", "number", 40_000.0),
        ("a dozen", "number", 12.0),
        ("3rd", "ordinal", 3.0),
        ("third", "ordinal", 3.0),
        ("2026-03-05", "date", (2026, 3, 5)),
        ("5 March 2026", "date", (2026, 3, 5)),
        ("March 5th, 2026", "date", (2026, 3, 5)),
        ("the 5th of March", "date", (0, 3, 5)),
        ("in March 2026", "date", (2026, 3, 0)),
        ("17:30", "time", 1050.0),
        ("5:30 pm", "time", 1050.0),
        ("12 am", "time", 0.0),
    ],
)
def test_figures_are_told_by_their_value(text: str, kind: str, value: object) -> None:
    assert [each.value for each in tokens(text) if each.kind == kind] == [value]


@pytest.mark.parametrize(
    "code", ["v2.3.1", "OPS-112", "soren@vale.dk", "+45 2233 4455", "GPT4", "10/12/2026"]
)
def test_codes_stay_whole(code: str) -> None:
    assert [(each.kind, each.text) for each in tokens(f"see {code}")][-1] == ("code", code.lower())


def test_words_that_may_be_months_are_words_where_no_date_is() -> None:
    assert {each.kind for each in tokens("it may march on")} == {"word"}


def test_what_is_shortened_is_written_out() -> None:
    told = [each.text for each in tokens("It isn't Mara\u2019s, can't be")]
    assert told == ["it", "is", "not", "mara", ",", "can", "not", "be"]
