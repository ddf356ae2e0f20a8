"""Facts that change: what held before, and what holds now; a number becomes smaller."""

from __future__ import annotations

from typing import Final

from engram_lab.evaluation.datasets.fiction.topics import Change

__all__ = ["CHANGES"]

CHANGES: Final = (
    Change(
        key="hens",
        kind="number",
        before=("I keep {old} hens behind the barn.", "Behind the barn I have {old} hens now."),
        after=(
            "We sold some of the hens, so it is {a}.",
            "Since the fox came by only {a} of the birds are left.",
        ),
        ask=("How many hens does {who} keep?", "What is the number of hens {who} has now?"),
    ),
    Change(
        key="market-day",
        kind="day",
        before=("My stall at the market is on {old}.", "I stand at the market on {old}."),
        after=(
            "They gave my pitch at the market away, so it is {a} from now on.",
            "They have moved all of us traders, I stand there on {a} instead.",
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
            "Change of plan: we will say our vows in {a}.",
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
            "I counted again: the tin for the piano holds {a} crowns.",
            "After the gutter bill there are {a} left in the tin.",
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
            "It did not work out with the quiz, {a} has taken over the buzzer.",
            "The others voted again and {a} is to press the buzzer for us.",
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
            "They had run out of that fabric, so I took {a}.",
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
            "My partner cannot make it, so we will be dancing on {a}.",
        ),
        ask=(
            "On which day does {who} do tango?",
            "On which day of the week can {who} be found at tango?",
        ),
    ),
    Change(
        key="guests",
        kind="number",
        before=(
            "We expect {old} guests at the anniversary party.",
            "{old} guests have said yes to the anniversary.",
        ),
        after=(
            "The list for the party has shrunk to {a} by now.",
            "So many cancelled, we will be {a} at the long table.",
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
            "The tenant left overnight; under the roof we have {a} now.",
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
            "The boy was so unhappy, now he learns his sums in {a}.",
        ),
        ask=("Where does {who}'s son go to school?", "In which town is the school of {who}'s son?"),
    ),
    Change(
        key="canoe",
        kind="money",
        before=(
            "I am asking {old} crowns for the canoe.",
            "The canoe is for sale at {old} crowns.",
        ),
        after=(
            "I have gone down to {a} crowns with the canoe.",
            "Nobody called, so the tag says {a} now.",
        ),
        ask=("How many crowns does {who} ask for the canoe?", "What price is {who}'s canoe?"),
    ),
    Change(
        key="hives",
        kind="number",
        before=("I have {old} beehives on the slope.", "There are {old} beehives on our slope."),
        after=(
            "Some swarms left, that makes {a} beehives.",
            "After the winter {a} of the boxes still hum.",
        ),
        ask=("How many beehives does {who} have?", "How many beehives are on {who}'s slope?"),
    ),
    Change(
        key="laundry",
        kind="person",
        before=("My laundry is done by {old}.", "{old} does my laundry these days."),
        after=(
            "Now {a} does my laundry, and starches everything.",
            "The iron burnt a hole in my cuff, so I bring it all to {a}.",
        ),
        ask=("Who does {who}'s laundry?", "To whom does {who} bring the laundry?"),
    ),
)
