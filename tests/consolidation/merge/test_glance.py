"""What shows at a glance never keeps apart what care would not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.consolidation.merge.framed import kept_apart
from engram_lab.consolidation.merge.glance import Glance, NameGlance, seen
from engram_lab.consolidation.merge.simplified import simplified
from engram_lab.consolidation.merge.statements import read
from tests.consolidation.worlds import Held, World

TELLINGS = (
    "Mara Voss pays 40 euros a month for the gym",
    "The gym costs Mara Voss 45 euros monthly",
    "The rent of Mara Voss went from 900 to 950 euros",
    "Mara Voss's rent is 950 euros",
    "The Kestrel office opens at 8:15",
    "The Kestrel office opens at 8.15 am",
    "Pim Otter was here on 3 May 2026",
    "Pim Otter was here on 2026-05-03",
    "The review of Kestrel is on Monday",
    "A man is playing a guitar",
    "Pim Otter has two cats",
    "Pim Otter has 2 cats",
)


def apart(one: str, other: str) -> bool:
    glance = Glance(World([Held(content=one), Held(content=other)]).view())
    glance.look([0, 1])
    return glance.apart(0, 1)


@pytest.mark.parametrize(
    ("one", "other", "are"),
    [
        (TELLINGS[0], TELLINGS[1], True),
        (TELLINGS[0], "Orla Voss pays 40 euros a month for the gym", False),
        (TELLINGS[0], "Mara Otter pays 40 euros a month for the gym, says Mara Otter", True),
        (TELLINGS[2], TELLINGS[3], False),
        (TELLINGS[4], TELLINGS[5], False),
        (TELLINGS[6], TELLINGS[7], False),
        (TELLINGS[10], TELLINGS[11], False),
        ("We met at Café Otter", "In Café Otter we met", False),
    ],
)
def test_other_figures_and_other_names_show(one: str, other: str, *, are: bool) -> None:
    assert apart(one, other) is are


@given(st.sampled_from(TELLINGS), st.sampled_from(TELLINGS))
def test_what_shows_at_a_glance_a_guard_sees_too(one: str, other: str) -> None:
    assert apart(one, other) == apart(other, one)
    if apart(one, other):
        assert kept_apart(read(simplified(one)), read(simplified(other))) is not None


def test_days_and_months_are_no_names() -> None:
    assert seen("They met on Monday, the 3rd of May, with Ada").names == {"ada"}


@pytest.mark.parametrize(
    ("one", "other", "are"),
    [
        (TELLINGS[0], TELLINGS[3], False),
        (TELLINGS[0], "MARA VOSS HAS LEFT", False),
        (TELLINGS[0], TELLINGS[4], True),
        (TELLINGS[9], "A man has a guitar", False),
    ],
)
def test_a_name_in_common_shows_also_without_capitals(one: str, other: str, *, are: bool) -> None:
    glance = NameGlance(World([Held(content=one), Held(content=other)]).view())
    glance.look([0, 1])
    assert glance.apart(0, 1) is are
