"""What may not differ between two tellings of one statement, and what may."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.consolidation.merge.guards import difference
from engram_lab.consolidation.merge.pairs import compare
from engram_lab.consolidation.merge.statements import read

ALIKE = [
    tuple(line.split(" | "))
    for line in """
Mara Voss pays 40 euros a month for the gym | The gym costs Mara Voss 40 euros monthly
Mara Voss lives in Lyon | Mara Voss's home is in Lyon
Tomas Reik was born on 5 March 1984 | Tomas Reik's birthday is March 5th, 1984
Project Heron is led by Ada Lindqvist | Ada Lindqvist leads Project Heron
The lead of Project Heron is Ada Lindqvist | Ada Lindqvist is in charge of Project Heron
The deadline for the Quillon report is 12 May 2026 | The Quillon report is due on May 12, 2026
Ilse Brandt is allergic to peanuts | Ilse Brandt has a peanut allergy
Ilse Brandt's favourite colour is teal | Teal is the colour Ilse Brandt likes best
The meeting with Okoro Partners is on Tuesday at 3 pm | We meet Okoro Partners on Tuesday at 15:00
The API timeout of Falconet is set to 30 seconds | Falconet's API has a timeout of 30 seconds
Rosa Imani moved to Oslo in June 2024 | In June 2024, Rosa Imani relocated to Oslo
The budget of the Marlin project is 1.5 million dollars | Marlin has a budget of $1,500,000
Pavel Struk speaks Finnish and Korean | Pavel Struk can speak Korean and Finnish
Dr. Amara Oduya is Lena Fitz's dentist | Lena Fitz's dentist is Dr. Amara Oduya
The office in Bern closes at 6 pm on Fridays | On Fridays the Bern office shuts at 18:00
Keiko Arlen doesn't eat meat | Keiko Arlen does not eat meat
Falconet 2.3.1 was released on 2026-02-11 | Falconet 2.3.1 came out on 11 February 2026
Bram Osei manages the design team at Corvid | The design team at Corvid is managed by Bram Osei
Bram Osei borrowed the projector from Mia Tran | Mia Tran lent Bram Osei the projector
Rent for the Elm Street flat is 950 euros a month | The Elm Street flat rents for 950 euros monthly
Vera Holt is married to Dario Kent | Dario Kent and Vera Holt are married
Ole Grant bought a cello for 3,200 dollars | Ole Grant purchased a cello for $3200
Ole Grant weighs 82 kg | Ole Grant's weight is 82 kilograms
Ines Calder founded Brightloom in 2015 | Brightloom was founded by Ines Calder in 2015
An interview is being granted by the man | The man is granting an interview
A dog, which is brown, is jumping in the air | A brown dog is jumping in the air
""".strip().splitlines()
]  # fmt: skip

APART = [
    tuple(line.split(" | "))
    for line in """
number | Mara Voss pays 40 euros a month for the gym | Mara Voss pays 45 euros a month for the gym
number | The API timeout of Falconet is 30 seconds | The API timeout of Falconet is 30 minutes
number | Jonas Weil has two cats | Jonas Weil has three cats
number | The contract with Okoro ends in 2027 | The contract with Okoro ends in 2028
rhythm | Mara Voss pays 40 euros a month for the gym | Mara Voss pays 40 euros a year for the gym
rhythm | Backups of Quillon run daily | Backups of Quillon run weekly
frame | Mara Voss pays 40 euros a month for the gym | Mara Voss pays 40 euros a month for the phone
frame | Mara Voss lives in Lyon | Mara Voss works in Lyon
frame | Ole Grant plays the cello | Ole Grant plays the violin
frame | Jonas Weil's favourite book is Emma | Jonas Weil's favourite film is Emma
name | Mara Voss lives in Lyon | Mara Voss lives in Nantes
name | Mara Voss lives in Lyon | Mara Vogt lives in Lyon
name | Project Heron uses PostgreSQL | Project Heron uses MySQL
kind | Mara Voss lives in Lyon | Mara Voss's sister lives in Lyon
kind | Rosa Imani drives a blue Volvo | Rosa Imani drives a red Volvo
kind | Nadia Petrov likes tea | Nadia Petrov likes coffee
kind | The meeting with Okoro is on Tuesday | The meeting with Okoro is on Thursday
negation | Mara Voss lives in Lyon | Mara Voss no longer lives in Lyon
negation | Keiko Arlen eats meat | Keiko Arlen doesn't eat meat
modality | Mara Voss lives in Lyon | Mara Voss used to live in Lyon
modality | Mara Voss lives in Lyon | Mara Voss wants to live in Lyon
modality | Vera Holt might visit Lisbon | Vera Holt visited Lisbon
modality | Lena Fitz only drinks decaf | Lena Fitz drinks decaf
quantity | All Corvid employees got a bonus | Some Corvid employees got a bonus
date | Tomas Reik was born on 5 March 1984 | Tomas Reik was born on 6 March 1984
date | The launch of Osprey is in May 2026 | The launch of Osprey is in June 2026
time | The meeting with Okoro is at 3 pm | The meeting with Okoro is at 4 pm
code | Soren Vale's phone number is +45 2233 4455 | Soren Vale's phone number is +45 2233 4456
code | Ticket OPS-112 is resolved | Ticket OPS-121 is resolved
code | Version 2.3.1 of Falconet was released | Version 2.3.2 of Falconet was released
opposite | Corvid approved the budget for Kestrel | Corvid rejected the budget for Kestrel
opposite | The Kestrel release is before the audit | The Kestrel release is after the audit
opposite | The cabin door is locked | The cabin door is unlocked
opposite | Three men are jumping on a wall | Three men are jumping off a wall
order | Tomas Reik told Ada Holm about the plan | Ada Holm told Tomas Reik about the plan
order | Tomas Reik told Ada Holm about the plan | Tomas Reik was told about the plan by Ada Holm
order | Bram Osei borrowed a book from Mia Tran | Mia Tran borrowed a book from Bram Osei
frame | Bram Osei lent the projector to Mia Tran | Bram Osei borrowed the projector from Mia Tran
order | Dana Kerr flew from Lyon to Oslo | Dana Kerr flew from Oslo to Lyon
order | The cat chased the dog | The dog chased the cat
order | The price rose from 40 to 50 euros | The price rose from 50 to 40 euros
tense | Tomas Reik works at Corvid | Tomas Reik worked at Corvid
""".strip().splitlines()
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_tellings_of_one_statement_are_not_kept_apart(one: str, other: str) -> None:
    assert difference(read(one), read(other)) is None


@pytest.mark.parametrize(("guard", "one", "other"), APART)
def test_near_misses_are_kept_apart_both_ways(guard: str, one: str, other: str) -> None:
    assert difference(read(one), read(other)) == guard
    assert difference(read(other), read(one)) == guard
    assert compare(read(one), read(other), 1.0).score == 0


TEXTS = [text for pair in ALIKE for text in pair] + [each for _, *two in APART for each in two]
anything = st.one_of(
    st.sampled_from(TEXTS),
    st.lists(
        st.sampled_from(sorted({word for text in TEXTS for word in text.split()})), max_size=9
    ).map(" ".join),
    st.text(max_size=40),
)


@given(anything, anything)
def test_the_order_of_a_pair_makes_no_difference(one: str, other: str) -> None:
    a, b = read(one), read(other)
    assert difference(a, b) == difference(b, a)
    assert compare(a, b, 0.9) == compare(b, a, 0.9)


@given(anything)
def test_a_text_never_differs_from_itself(text: str) -> None:
    assert difference(read(text), read(text)) is None


@given(st.sampled_from(TEXTS), st.integers(1, 8))
def test_a_text_with_one_not_more_is_another(text: str, place: int) -> None:
    words = text.split()
    denied = " ".join([*words[:place], "not", *words[place:]])
    assert difference(read(text), read(denied)) is not None


WITH_DIGITS = [text for text in TEXTS if re.search(r"\d", text)]


@given(st.sampled_from(WITH_DIGITS), st.data())
def test_a_text_with_one_digit_changed_is_another(text: str, data: st.DataObject) -> None:
    place = data.draw(st.sampled_from([each.start() for each in re.finditer(r"\d", text)]))
    digit = data.draw(st.sampled_from(sorted(set("0123456789") - {text[place]})))
    changed = f"{text[:place]}{digit}{text[place + 1 :]}"
    assert difference(read(text), read(changed)) is not None
