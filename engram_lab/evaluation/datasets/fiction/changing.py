"""Facts that change: what held before, and what holds now."""

from __future__ import annotations

from typing import Final

from engram_lab.evaluation.datasets.fiction.topics import Change

__all__ = ["CHANGES"]

CHANGES: Final = (
    Change(
        key="hens",
        kind="number",
        before=("I keep {old} hens behind the barn.", "Behind the barn I have {old} hens now."),
        after=("Since the fox came there are only {a} hens left.", "We sold some, so it is {a} hens now."),
        ask=("How many hens does {who} keep?", "What is the number of hens {who} has now?"),
    ),
    Change(
        key="market-day",
        kind="day",
        before=("My stall at the market is on {old}.", "I stand at the market on {old}."),
        after=(
            "They gave my pitch at the market away, so it is {a} from now on.",
            "The market has been shuffled, I sell on {a} instead.",
        ),
        ask=(
            "On which day of the week does {who} have the market stall?",
            "Which day does {who} sell at the market now?",
        ),
    ),
    Change(
        key="wedding",
        kind="town",
        before=(
            "The wedding will be in {old}, the hall is paid for.",
            "Our wedding is in {old}, in the big hall.",
        ),
        after=(
            "The hall burnt down, so the wedding moves to {a}.",
            "Change of plan for the wedding: everybody is to come to {a}.",
        ),
        ask=("Where will {who}'s wedding be?", "In which town is {who}'s wedding?"),
    ),
    Change(
        key="savings",
        kind="money",
        before=(
            "I have put aside {old} crowns for the piano.",
            "There are {old} crowns in the tin for the piano.",
        ),
        after=(
            "After the gutter bill the piano tin is down to {a} crowns.",
            "I counted again: the tin for the piano holds {a} crowns.",
        ),
        ask=(
            "How many crowns has {who} put aside for the piano by now?",
            "How much is in {who}'s tin for the piano?",
        ),
    ),
    Change(
        key="team",
        kind="person",
        before=(
            "{old} is going to captain our quiz team.",
            "We made {old} captain of the quiz team.",
        ),
        after=(
            "The quiz team voted again and {a} will lead us.",
            "It did not work out with the quiz, {a} has taken over the buzzer.",
        ),
        ask=("Who is captain of {who}'s quiz team?", "Who leads {who}'s quiz team now?"),
    ),
    Change(
        key="curtains",
        kind="colour",
        before=(
            "I ordered {old} curtains for the study.",
            "The curtains in the study will be {old}.",
        ),
        after=(
            "I sent those curtains back and took {a} ones, easier on the eyes.",
            "They had run out, so the study gets {a} fabric.",
        ),
        ask=(
            "What colour are the curtains in {who}'s study?",
            "Which curtains did {who} finally get for the study?",
        ),
    ),
    Change(
        key="dance-day",
        kind="day",
        before=("My tango evening is on {old}.", "We do our tango on {old}."),
        after=(
            "The tango hall is let to others, so we meet on {a}.",
            "My partner for the tango is only free on {a}.",
        ),
        ask=("On which day does {who} do tango?", "On which day of the week can {who} be found at tango?"),
    ),
    Change(
        key="guests",
        kind="number",
        before=(
            "We expect {old} guests at the anniversary party.",
            "{old} guests have said yes to the anniversary.",
        ),
        after=(
            "The list for the party has grown to {a} by now.",
            "Half of them cancelled, so the anniversary tables are for {a}.",
        ),
        ask=(
            "How many guests does {who} expect at the anniversary party?",
            "How many are coming to {who}'s anniversary party?",
        ),
    ),
    Change(
        key="lodger",
        kind="person",
        before=("{old} has rented our attic room.", "We let the attic room to {old}."),
        after=(
            "The attic is with {a} now, who at least pays.",
            "The old tenant of the attic left overnight; {a} got the key.",
        ),
        ask=("Who rents {who}'s attic room?", "Who lives in {who}'s attic now?"),
    ),
    Change(
        key="school",
        kind="town",
        before=(
            "My son goes to school in {old}, by bus.",
            "They found my son a school in {old}.",
        ),
        after=(
            "He was unhappy at that school, so we drive him to {a} in the mornings.",
            "My son changed, and his new classroom is in {a}.",
        ),
        ask=("Where does {who}'s son go to school?", "In which town is the school of {who}'s son?"),
    ),
)
