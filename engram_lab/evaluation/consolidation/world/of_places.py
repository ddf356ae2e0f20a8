"""What may be told of a place to go to."""

from __future__ import annotations

from typing import Final

from engram_lab.evaluation.consolidation.world.phrases import Attribute, Liking

__all__ = ["PLACE", "PLACE_MANY"]

PLACE: Final = (
    Attribute(
        key="opens",
        kind="clock",
        says=(
            "{who} opens at {a}.",
            "The doors of {who} open at {a}.",
            "You can't get into {who} before {a}.",
            "From {a} on {who} is open.",
        ),
        asks=("When does {who} open?", "At what time can I get into {who}?"),
        changes=(
            "{who} has new opening hours and opens at {a}.",
            "{who} used to open at {old}, it's {a} now.",
        ),
    ),
    Attribute(
        key="closed",
        kind="weekday",
        says=(
            "{who} is closed on {a}s.",
            "Don't go to {who} on a {a}, it's shut.",
            "{a} is the day off at {who}.",
            "{who} takes every {a} off.",
        ),
        asks=("On which day is {who} closed?", "When is {who}'s day off?"),
        changes=(
            "{who} now closes on {a} instead.",
            "{who} has moved its day off from {old} to {a}.",
        ),
    ),
    Attribute(
        key="fee",
        kind="money",
        says=(
            "Admission to {who} costs {a}.",
            "They charge {a} at the door of {who}.",
            "A ticket for {who} is {a}.",
            "You pay {a} to get into {who}.",
        ),
        asks=("How much is the admission to {who}?", "What does a ticket for {who} cost?"),
        changes=(
            "The price of a ticket for {who} went to {a}.",
            "{who} charges {a} instead of {old} at the door.",
        ),
    ),
    Attribute(
        key="keeper",
        kind="person",
        says=(
            "{a} owns {who}.",
            "{who} is the property of {a}.",
            "The owner of {who} is {a}.",
            "{who} belongs to {a}.",
        ),
        asks=("To whom does {who} belong?", "Who owns {who}?"),
        changes=(
            "{a} has bought {who}.",
            "{old} sold {who} to {a}.",
        ),
    ),
    Attribute(
        key="distance",
        kind="km",
        says=(
            "{who} is {a} from the station.",
            "From the station it's {a} to {who}.",
            "It takes a ride of {a} to get from the railway to {who}.",
            "{who} lies {a} away from the train.",
        ),
        asks=("How far is {who} from the station?", "What is the way from the train to {who}?"),
        changes=(
            "Since the station was moved, {who} is {a} from it.",
            "By the new road it's {a} from the station to {who} and not {old}.",
        ),
    ),
    Attribute(
        key="door",
        kind="number4",
        says=(
            "The door code of {who} is {a}.",
            "To get into {who} after hours, type {a}.",
            "{a} unlocks the side door of {who}.",
            "At {who}'s keypad you enter {a}.",
        ),
        asks=("What is the door code of {who}?", "Which code opens {who}?"),
        changes=(
            "They changed the code at {who} to {a}.",
            "{old} doesn't work at {who} any more, use {a}.",
        ),
    ),
    Attribute(
        key="seats",
        kind="number3",
        says=(
            "{who} has {a} seats.",
            "There's room for {a} people at {who}.",
            "{who} can seat {a}.",
            "Up to {a} guests fit into {who}.",
        ),
        asks=("How many people fit into {who}?", "How many seats does {who} have?"),
        changes=(
            "After the works {who} has {a} seats.",
            "{who} went from {old} to {a} seats.",
        ),
    ),
    Attribute(
        key="wifi",
        kind="coined",
        says=(
            "The wifi password at {who} is {a}.",
            "At {who} you log on with {a}.",
            "{a} gets you online at {who}.",
            "For the internet at {who} you need the word {a}.",
        ),
        asks=("What is the wifi password at {who}?", "How do I get online at {who}?"),
        changes=(
            "{who} has a new wifi password: {a}.",
            "The wifi at {who} doesn't take {old} any more, it wants {a}.",
        ),
    ),
    Attribute(
        key="tram",
        kind="small",
        says=(
            "Tram {a} stops at {who}.",
            "To get to {who} take the {a} tram.",
            "{who} is on line {a}.",
            "The line that goes past {who} is the {a}.",
        ),
        asks=("Which tram goes to {who}?", "What line is {who} on?"),
        changes=(
            "The trams were renumbered: for {who} it's line {a}.",
            "Line {old} doesn't stop at {who} any more, take the {a}.",
        ),
    ),
)

PLACE_MANY: Final = (
    Liking(
        key="sells",
        kind="plant",
        says=(
            "{who} sells {a}.",
            "You can buy {a} at {who}.",
            "{who} has {a} on offer.",
            "They've got {a} at {who}.",
        ),
        asks=("What can I buy at {who}?",),
    ),
    Liking(
        key="shows",
        kind="object",
        says=(
            "There's an old {a} on show at {who}.",
            "{who} exhibits a {a}.",
            "In the back room of {who} stands a {a}.",
            "A {a} is among the exhibits of {who}.",
        ),
        asks=("What is there to see at {who}?",),
    ),
    Liking(
        key="hosts",
        kind="sport",
        says=(
            "{who} offers {a}.",
            "One can do {a} at {who}.",
            "There are {a} lessons at {who}.",
            "{who} has a group for {a}.",
        ),
        asks=("What sports can one do at {who}?",),
    ),
)
