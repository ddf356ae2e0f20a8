"""A statement is put simply, and says what it said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.consolidation.merge.simplified import simplified


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("By the way, Mara Voss lives in Oslo.", "Mara Voss lives in Oslo."),
        ("Reminder: Mara Voss lives in Oslo.", "Mara Voss lives in Oslo."),
        ("Note to self: by the way, Mara Voss lives in Oslo.", "Mara Voss lives in Oslo."),
        ("MARA VOSS LIVES IN OSLO.", "Mara voss lives in oslo."),
        ("  Mara   Voss lives in Oslo.\n", "Mara Voss lives in Oslo."),
        ("Mara Voss lives in Oslo, so ring there.", "Mara Voss lives in Oslo"),
        ("Mara Voss lives in Oslo, in case we write.", "Mara Voss lives in Oslo"),
        ("If you need Mara Voss, dial 118.", "When you need Mara Voss, dial 118."),
        ("The oven runs at 200 °C.", "The oven runs at 200 degrees."),
        ("It runs v2.4.1.", "It runs 2.4.1."),
        ("The rent rose from 900 to 950 euros.", "The rent rose to 950 euros."),
        ("Kestrel no longer runs on 2.4.1 but on 3.0.0.", "Kestrel runs on 3.0.0."),
        ("The door is no longer green but red.", "The door is red."),
        ("The fee is 12 euros. What I said before (10) was wrong.", "The fee is 12 euros."),
        ("The one who leads Kestrel is Mara Voss.", "Mara Voss leads Kestrel"),
        ("The person that Mara Voss reports to is Pim Otter.", "Mara Voss reports to Pim Otter"),
        ("Pim Otter is the one to whom Mara Voss reports.", "Mara Voss reports to Pim Otter"),
        ("It was Mara Voss who lent the bicycle.", "Mara Voss lent the bicycle."),
        ("Mara Voss has Pim Otter as a mentor.", "Pim Otter is Mara Voss's mentor"),
        ("As a mentor Mara Voss has Pim Otter.", "Pim Otter is Mara Voss's mentor"),
        ("The dentist whom Mara Voss goes to is Pim Otter.", "Pim Otter is Mara Voss's dentist"),
    ],
)
def test_what_says_nothing_of_its_own_is_left_out(text: str, left: str) -> None:
    assert simplified(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "For Mara Voss: call the dentist before noon.",
        "Not coming to the fair: Mara Voss.",
        "At 8:15 the Kestrel office opens.",
        "The train runs from Oslo to Bergen.",
        "If it rains, the fair is off.",
        "FYI",
        "",
    ],
)
def test_what_says_something_stays(text: str) -> None:
    assert simplified(text) == text


@given(st.text(max_size=80))
def test_any_text_can_be_put_simply(text: str) -> None:
    assert isinstance(simplified(text), str)
    assert simplified(text) or not text.strip()


@given(st.sampled_from(["Reminder: ", "By the way, ", "As I said, ", "FYI: "]))
def test_it_is_the_same_with_a_remark_and_without(remark: str) -> None:
    told = "Mara Voss pays 40 euros a month for the gym."
    assert simplified(remark + told) == simplified(told)
