"""What statements claim: which pairs give one attribute two values, and which both hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.consolidation.merge.statements import read
from engram_lab.consolidation.supersede.claims import claims

UPDATES = [
    tuple(line.split(" | "))
    for line in """
Mara Voss lives in Lyon | Mara Voss now lives in Nantes
Mara Voss lives in Lyon | Mara Voss has moved to Nantes
Mara Voss lives in Lyon | Mara Voss moved to Nantes in May 2026
Mara Voss's home is in Lyon | Mara Voss lives in Nantes
Mara Voss lives in Lyon | Mara Voss no longer lives in Lyon
Tomas Reik works at Halden Labs | Tomas Reik works for Corvid now
Tomas Reik works at Halden Labs | Tomas Reik joined Corvid
Project Heron is led by Ada Lindqvist | Project Heron is now led by Ben Okri
Project Heron is led by Ada Lindqvist | Ben Okri leads Project Heron
The lead of Project Heron is Ada Lindqvist | Ben Okri is the new lead of Project Heron
The deadline for the Quillon report is 12 May 2026 | The Quillon report is now due on 19 May 2026
The deadline of the report is 12 May 2026 | The deadline of the report was moved to 19 May 2026
The gym costs Mara Voss 40 euros a month | Mara Voss now pays 45 euros a month for the gym
The rent of the flat is 900 euros | The rent of the flat was raised from 900 to 950 euros
The timeout of Falconet is set to 30 seconds | The timeout of Falconet is set to 60 seconds
Soren Vale's phone number is +45 2233 4455 | Soren Vale's new phone number is +45 9988 7766
Soren Vale's email is soren@vale.dk | Soren Vale's email address is now s@corvid.dk
Ilse Brandt's favourite colour is teal | Ochre is Ilse Brandt's favourite colour
The status of Osprey is blocked | The status of Osprey is done
Ticket OPS-112 is open | Ticket OPS-112 is resolved
The meeting with Okoro is on Tuesday at 3 pm | The meeting with Okoro is on Thursday at 3 pm
Jonas Weil has two cats | Jonas Weil has three cats
Keiko Arlen doesn't eat meat | Keiko Arlen eats meat
Nadia Petrov likes coffee | Nadia Petrov dislikes coffee
The database of Quillon is PostgreSQL | The database of Quillon is now MySQL
""".strip().splitlines()
]

BOTH = [
    tuple(line.split(" | "))
    for line in """
Ada Holm likes tea | Ada Holm likes coffee
Ada Holm has a cat | Ada Holm has a dog
Ada Holm visited Lisbon in April | Ada Holm visited Lisbon in May
Ada Holm met Ben Okri on Tuesday | Ada Holm met Ben Okri on Friday
Ada Holm ran 5 km | Ada Holm ran 7 km
Ada Holm's brother is Tom | Ada Holm's brother is Ben
Ada Holm lives in Lyon | Ben Okri lives in Nantes
Ada Holm lives in Lyon | Ada Holm works in Nantes
Ada Holm lives in Lyon | Ada Holm's sister lives in Nantes
Ada Holm leads Project Heron | Ada Holm leads Project Osprey
Ada Holm plays the cello | Ada Holm plays the violin
Ada Holm paid 40 euros for dinner | Ada Holm paid 30 euros for dinner
Ada Holm is allergic to peanuts | Ada Holm is allergic to shellfish
The rent of the Elm flat is 900 euros | The rent of the Oak flat is 950 euros
The timeout of Falconet is 30 seconds | The timeout of Tundra is 60 seconds
Ada Holm's favourite colour is teal | Ada Holm's favourite food is soup
Ticket OPS-112 is open | Ticket OPS-121 is resolved
Ada Holm told Ben Okri about the plan | Ben Okri told Ada Holm about the plan
Ada Holm is a nurse | Ada Holm is a mother
Ada Holm plans to move to Oslo | Ada Holm lives in Lyon
Project Heron uses Redis | Project Heron uses PostgreSQL
Ada Holm wants a dog | Ada Holm doesn't want a cat
The contract with Okoro begins in 2027 | The contract with Okoro ends in 2029
""".strip().splitlines()
]


def surest(one: str, other: str) -> float:
    """Return how sure it is that two texts claim two values of one attribute."""
    return max(
        (
            min(ours.sure, theirs.sure)
            for ours in claims(read(one))
            for theirs in claims(read(other))
            if ours.key == theirs.key and ours.value != theirs.value
        ),
        default=0.0,
    )


@pytest.mark.parametrize(("older", "newer"), UPDATES)
def test_another_value_of_one_attribute_is_an_update(older: str, newer: str) -> None:
    assert surest(older, newer) >= 0.7
    assert surest(newer, older) >= 0.7


@pytest.mark.parametrize(("one", "other"), BOTH)
def test_what_can_both_hold_is_no_update(one: str, other: str) -> None:
    assert surest(one, other) < 0.7


TEXTS = sorted({text for pair in [*UPDATES, *BOTH] for text in pair})


@given(st.one_of(st.sampled_from(TEXTS), st.text(max_size=60)))
def test_a_statement_never_claims_two_values_of_one_key_surely(text: str) -> None:
    assert surest(text, text) < 0.7
    assert all(0 <= each.sure <= 1 for each in claims(read(text)))
