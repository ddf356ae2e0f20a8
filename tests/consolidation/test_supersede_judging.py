"""Which pairs of statements tell that something changed: one attribute, one value at a time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.consolidation.supersede.casing import known_from, recased
from engram_lab.consolidation.supersede.framing import frame_of
from engram_lab.consolidation.supersede.judging import judge

SURE = 0.7


def pairs(table: str) -> list[tuple[str, str]]:
    rows = (line.partition(" | ") for line in table.strip().splitlines())
    return [(one, other) for one, _, other in rows]


def sure(older: str, newer: str) -> float:
    return judge(frame_of(older), frame_of(newer)).sure


SILENT = pairs("""
Ada Holm lives in Lyon | Ada Holm lives in Nantes
Ada Holm's extension is 2611 | You reach Ada Holm under extension 1840
The door code of the Falconet museum is 2211 | 9034 is the door code of the Falconet museum
Project Heron is led by Ada Holm | Ben Okri leads Project Heron
The lead of Project Heron is Ada Holm | Project Heron is led by Ben Okri
Ada Holm's dentist is called Tom Weil | The dentist whom Ada Holm goes to is Ines Roth
Ben Okri mentors Ada Holm | Ada Holm's mentor is Tom Weil
Oslo is where Ada Holm lives | Bergen is where Ada Holm lives
Heron runs on the server Quillon | Heron runs on the server Osprey
The Falconet museum has 90 seats | The Falconet museum has 120 seats
The rent of Ada Holm's flat is 900 euros | Ada Holm pays a rent of 950 euros
Ada Holm's commute takes 20 minutes | The commute of Ada Holm is 35 minutes long
The review of Heron is on Mondays | The review of Heron is on Thursdays
The colour of the Falconet kiln is teal | The Falconet kiln has the colour ochre
Ada Holm has a job as a glazier | Ada Holm's job is that of a cooper
Ada Holm is afraid of geese | Ada Holm isn't afraid of geese
At lunch Ada Holm takes the dish with figs | At lunch Ada Holm takes the dish with okra
Ada Holm isn't coming to the regatta | Ada Holm is coming to the regatta
As a mentor Ada Holm has Ben Okri | As a mentor Ada Holm has Tom Weil
The deadline for Heron is 7 August 2033 | Heron has its deadline on 9 May 2034
The firmware of the Falconet drone is 2.0.1 | The Falconet drone has firmware 2.1.0
""")

TOLD = pairs("""
Ada Holm lives in Lyon | Ada Holm has moved from Lyon to Nantes
The wifi password of Falconet is tulip42 | Falconet's wifi no longer takes tulip42 but daisy77
Project Heron is led by Ada Holm | The lead of Project Heron has passed from Ada Holm to Ben Okri
Ada Holm's mentor is Ben Okri | It is Tom Weil who mentors Ada Holm, not Ben Okri
The fee of Falconet is 20 euros | Falconet charges a fee of 25 euros instead of 20 euros
The size of the team of Heron is 9 | The team of Heron has 12 members, not 9
Ada Holm's lunch is the one with okra | Ada Holm's lunch order has changed from okra to figs
Ada Holm's extension is 2611 | Correction: Ada Holm's extension is 1840. I said 2611.
The Falconet kiln is kept in the shed | Not the shed, sorry: the Falconet kiln is kept in the attic
Ada Holm has a job as a glazier | Ada Holm no longer has a job as a glazier but as a cooper
Ada Holm's mentor is Ben Okri | Ben Okri is no longer Ada Holm's mentor, Tom Weil is
The tenant of the loft Quillon is Okri | Okri isn't the tenant of the loft Quillon, Weil is
Heron runs on the server Osprey | Heron was moved from server Osprey to Quillon
Ada Holm owns the Heron barn | The ownership of the Heron barn passed from Ada Holm to Ben Okri
""")

CUED = pairs("""
Ada Holm lives in Lyon | Ada Holm has moved to Nantes
Ada Holm works at Halden Labs | Ada Holm joined Corvid
Ada Holm's dentist is Tom Weil | Ada Holm has a new dentist: Ines Roth
The colour of the Falconet van is teal | The Falconet van has been given a new colour, slate
Ada Holm keeps it in locker 20 at the pool | News: Ada Holm's locker at the pool is number 41
Ada Holm orders figs for lunch | Update: Ada Holm orders okra for lunch
The fee of the Falconet pool is 20 euros | The council gave the Falconet pool a new fee of 25 euros
You reach Falconet by ferry line 4 | I got the ferry to Falconet wrong, it is number 9
The crate of Heron is kept in bay 30 | Sorry, I mixed that up. The crate of Heron is kept in bay 85
""")

DAILY = pairs("""
Ada Holm has porridge for breakfast | Ada Holm has rye bread for breakfast
Ada Holm takes smoked trout for supper | For supper Ada Holm always takes the dish with lentils
Ada Holm's usual dinner is the one with leeks | At dinner, get Ada Holm something with trout
At breakfast, get Ada Holm a pear | Ada Holm's usual breakfast is the one with toast
At breakfast, get Ada Holm something with rye | At breakfast, get Ada Holm something with oats
""")
"""What is had at a meal: habits that one thing alone fills at a time."""

INSTRUCTIONS = pairs("""
To open the vault at Falconet, enter Tulip | To open the vault at Falconet, enter Daisy
You get into the intranet of Falconet with Tulip | You get into the intranet of Falconet with Daisy
You get into the intranet of Falconet with Tulip | To use the intranet of Falconet, enter Daisy
""")
"""How something is done: an instruction gives the way."""

NUMBERED = pairs("""
The Falconet mill is on bus line 3 | Bus 6 stops at the Falconet mill
Take ferry 8 to get to Falconet | Falconet is on ferry line 5
The ferry to Falconet has changed from line 4 to line 42 | The ferry to Falconet is number 43
There are 12 of us in the Heron crew | There are 9 of us in the Heron crew
The Heron crew has 12 members | There are 9 of us in the Heron crew
Ben Okri leads Heron, so ask there first | The lead of Heron is Ada Holm
""")
"""Numbers that name or count what both speak of, and a `first` that counts nothing."""

ELSEWHERE = pairs("""
Ben Okri has borrowed the Falconet cart | The Falconet cart isn't here, Ada Holm borrowed it
""")
"""What is denied is not what has changed, and `it` is what was spoken of."""

BOTH = pairs("""
Ada Holm plays the cello | Ada Holm plays the violin
Ada Holm owns Project Heron | Ada Holm owns Project Osprey
Ada Holm leads Project Heron | Ada Holm leads Project Osprey
Ada Holm lives in Oslo | Ben Okri lives in Oslo
Ben Okri is the dentist of Ada Holm | Ben Okri is the dentist of Tom Weil
The dentist whom Ada Holm goes to is Ines Roth | The dentist whom Ben Okri goes to is Ines Roth
Ada Holm visited Lisbon | Ada Holm visited Porto
Ada Holm ran 5 km on 3 May 2026 | Ada Holm ran 9 km on 8 June 2026
Ada Holm has run 5 km on 3 May 2026 | Ada Holm has run 9 km on 3 May 2026
Ada Holm paid 40 euros for a lamp | Ada Holm paid 70 euros for a lamp
One of Ada Holm's instruments is the harp | One of Ada Holm's instruments is the lute
The lute is something Ada Holm can play | The harp is something Ada Holm can play
There are rowing lessons at Falconet | There are judo lessons at Falconet
The Falconet drone can also be used by Ada Holm | The Falconet drone can also be used by Ben Okri
Ada Holm is on the list of guests of Falconet | Ben Okri is on the list of guests of Falconet
Ada Holm doesn't live in Oslo | Ada Holm lives in Bergen
Ada Holm plans to move to Oslo | Ada Holm lives in Lyon
Ada Holm isn't allergic to figs | Ada Holm's lunch is the one with figs
Ada Holm's brother lives in Oslo | Ada Holm's sister lives in Bergen
Ada Holm's favourite colour is teal | Ada Holm's favourite food is soup
Ada Holm's email is ada@holm.no | Ada Holm's work email is ada@corvid.no
The timeout of Falconet for reads is 30 seconds | The timeout of Falconet for writes is 60 seconds
The Falconet museum opens at 9:00 | The Falconet museum closes at 18:00
The team of Heron has 14 members | The Heron team has its room in house 2
Room 12 of Hotel Astra costs 90 euros | Room 14 of Hotel Astra costs 120 euros
The meeting on Monday with Ada Holm is at 9:00 | The meeting on Friday with Ada Holm is at 11:00
The weight of the Falconet pump is 30 kg | The temperature of the Falconet pump is 51 degrees
It has been raining in Oslo since Monday | It has been raining in Oslo since Friday
Don't go to Falconet on Monday, it's closed | Falconet is closed on Monday
Ben Okri lent Ada Holm a bicycle | Ada Holm borrowed a bicycle from Ben Okri
The colour of the Falconet van is teal | You know the Falconet van because it's teal
The team of Heron has 14 members | The Heron team moved into the attic of house 72
Ada Holm is scared of geese | Ada Holm is afraid of geese
The firm that Ada Holm works for is called Corvid | The firm that Ben Okri works for is Corvid
Home for Ada Holm is Oslo | Home for Ben Okri is Oslo
The owner of Falconet is Okri | The owner of Quillon is Okri
Blood pressure of Ada Holm on 3 May 2026: 152/76 | Blood pressure of Ada Holm on 3 May 2026: 116/92
Ada Holm's desk is in house 44 | Ada Holm's desk is no longer in house 53 but in house 44
Ada Holm is a member of the chess club | Ada Holm is a member of the rowing club
The client of Heron is Okri & Sons | The client of Osprey is Okri & Sons
Ada Holm has lunch with Ben Okri | Ada Holm has lunch with Tom Weil
Ada Holm has lunch with friends | Ada Holm has lunch with clients
Ada Holm has lunch in the park | Ada Holm has figs for lunch
Ada Holm has figs for lunch | Ada Holm has okra for supper
Ada Holm likes figs for lunch | Ada Holm orders okra for lunch
Ada Holm ordered figs for lunch | Ada Holm ordered okra for lunch
To see the harbour of Falconet, visit Okri | To see the harbour of Falconet, visit Weil
You sing at Falconet with Ada Holm | You sing at Falconet with Ben Okri
Ben Okri runs the app Heron | The app Heron runs on the server Quillon
The app Heron is sold in Oslo | The app Osprey is sold in Oslo
The owner of the Heron mill is Ada Holm | The Osprey mill is owned by Ada Holm
4415 unlocks the door of the Falconet mill | They charge 90 kr at the door of the Falconet mill
Heron says 12 on its display | Scratch what I said about teal. Heron weighs 15 kilograms
Ada Holm sings at the Falconet mill | The Falconet mill isn't open, Ben Okri owns it
Actually, Ada Holm plays the lute | Sorry, Ada Holm plays the harp
""")


@pytest.mark.parametrize(("older", "newer"), [*SILENT, *DAILY, *INSTRUCTIONS, *NUMBERED])
def test_another_value_of_what_has_but_one_is_an_update_either_way(older: str, newer: str) -> None:
    assert sure(older, newer) >= SURE
    assert sure(newer, older) >= SURE


@pytest.mark.parametrize(("older", "newer"), TOLD)
def test_what_the_newer_names_as_over_is_surely_over(older: str, newer: str) -> None:
    assert sure(older, newer) >= 0.85


@pytest.mark.parametrize(("older", "newer"), ELSEWHERE)
def test_a_denial_of_something_else_hides_no_change(older: str, newer: str) -> None:
    assert sure(older, newer) >= SURE


@pytest.mark.parametrize(("older", "newer"), CUED)
def test_what_a_telling_says_is_new_takes_the_place_of_what_was(older: str, newer: str) -> None:
    assert sure(older, newer) >= SURE


@pytest.mark.parametrize(("one", "other"), BOTH)
def test_what_can_both_hold_is_no_update(one: str, other: str) -> None:
    assert sure(one, other) < SURE
    assert sure(other, one) < SURE


@pytest.mark.parametrize(
    "opener",
    ["By the way, ", "As I said, ", "One more thing, ", "Note to self: ", "For the record, "],
)
def test_what_opens_a_telling_is_no_part_of_its_frame(opener: str) -> None:
    plain = frame_of("The rent of the Falconet flat is 900 euros")
    assert frame_of(f"{opener}the rent of the Falconet flat is 900 euros").text == plain.text
    assert plain.text == "the rent of the X flat is N euro"


def test_a_value_that_is_over_is_no_part_of_the_frame() -> None:
    told = frame_of("The rent of Falconet went from 900 to 950 euros")
    assert [each.value[0] for each in told.figures] == [950]
    assert [each.value[0] for each in told.were] == [900]
    assert told.text == "the rent of X went to N euro"


def test_the_subject_that_is_no_longer_so_held_until_another_is() -> None:
    told = frame_of("Ben Okri is no longer Ada Holm's mentor, Tom Weil is")
    assert [each.value for each in told.were] == [("ben", "okri")]
    assert [each.value for each in told.names] == [("ada", "holm"), ("tom", "weil")]


def test_who_is_told_not_to_do_something_is_not_put_right() -> None:
    assert not frame_of("Don't go to Falconet on a Monday").corrects
    assert frame_of("Falconet is open on Friday, not on Monday").corrects


def test_a_participle_behind_a_verb_of_the_present_is_not_past() -> None:
    assert not frame_of("Ada Holm sells used boats").past
    assert frame_of("Ada Holm joked about boats").past


def test_a_remark_names_no_former_value_by_words_of_telling() -> None:
    told = frame_of("Scratch what I said about teal. The Falconet van is blue.")
    assert [each.told for each in told.were] == ["teal"]


def test_a_text_of_one_case_is_read_as_others_write_its_words() -> None:
    texts = ["We met Ada Holm at the regatta.", "ADA HOLM LIVES AT THE LAKE.", "so does ada holm"]
    assert recased(texts) == [texts[0], "Ada Holm lives at the lake.", "So does Ada Holm"]
    assert recased(texts[:1]) == texts[:1]


def test_a_text_in_capitals_is_read_as_its_copy_that_was_merged() -> None:
    assert recased(["ADA SAW BO"], lambda: ["Ada saw Bo"]) == ["Ada saw Bo"]


def test_capitals_elsewhere_tell_whether_a_first_word_is_a_name() -> None:
    known = known_from(["It is mustard again.", "We went to Oslo by train."])
    assert frame_of("Mustard is the colour of Falconet", known).text == "mustard is the colour of X"
    assert frame_of("Oslo rents are high", known).text == "X rents are high"


SENTENCES = sorted({text for pair in (*SILENT, *TOLD, *CUED, *BOTH) for text in pair})


@given(st.one_of(st.sampled_from(SENTENCES), st.text(max_size=80)))
def test_a_statement_never_says_otherwise_than_itself(text: str) -> None:
    assert sure(text, text) == 0
    assert 0 <= sure(text, SENTENCES[0]) <= 1
