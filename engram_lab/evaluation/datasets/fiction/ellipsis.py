"""Answers that say nothing without the turn before them."""

from __future__ import annotations

from typing import Final

from engram_lab.evaluation.datasets.fiction.topics import Elliptic

__all__ = ["ELLIPSES", "REPLIES"]

REPLIES: Final = {
    "when": (
        "Yes, {a}, and for less than I feared.",
        "It did, {a}, would you believe it.",
        "Oh yes, {a}. I slept like a stone after that.",
        "{A}, after all that fuss.",
        "It is done, {a}, touch wood.",
        "{A}. I had almost stopped hoping.",
    ),
    "person": (
        "{a}, who else.",
        "That was {a}, bless those hands.",
        "In the end {a} did.",
        "Nobody but {a}, believe it or not.",
        "{a}, and would take nothing for it.",
        "You know who: {a}.",
    ),
    "town": (
        "All the way in {a}.",
        "In {a}, you would never guess.",
        "Somewhere near {a}, it was raining.",
        "{a}, and I would go again.",
        "Over in {a}, behind everything.",
    ),
    "number": (
        "{a}, if you can believe it.",
        "Only {a}, I had hoped for more.",
        "More than you think: {a}.",
        "{a}, and that was plenty.",
        "I stopped at {a}.",
    ),
}
"""What is answered, by the kind of the value."""

ELLIPSES: Final = (
    Elliptic(
        key="roof",
        kind="when",
        lead="Did anyone ever mend the roof of your boathouse?",
        ask=("When was {who}'s boathouse roof mended?", "When was {who}'s boat shed repaired?"),
    ),
    Elliptic(
        key="chimney",
        kind="when",
        lead="Has the sweep been to your chimney yet?",
        ask=("When did the sweep come to {who}'s chimney?", "When was {who}'s flue cleaned?"),
    ),
    Elliptic(
        key="visa",
        kind="when",
        lead="Did your passport arrive in the post?",
        ask=("When did {who}'s passport arrive?", "When were {who}'s travel papers delivered?"),
    ),
    Elliptic(
        key="piano",
        kind="when",
        lead="Was the organ in your chapel finally tuned?",
        ask=("When was the organ in {who}'s chapel tuned?", "When was {who}'s organ fixed?"),
    ),
    Elliptic(
        key="well",
        kind="when",
        lead="And the new well, did they strike water at your place?",
        ask=("When did they strike water at {who}'s new well?",),
    ),
    Elliptic(
        key="portrait",
        kind="person",
        lead="Who took that portrait of you with the oar?",
        ask=("Who took the portrait of {who} with the oar?", "Who photographed {who}?"),
    ),
    Elliptic(
        key="tent",
        kind="person",
        lead="Who lent you the tent for the island?",
        ask=("Who lent {who} the tent?", "From whom did {who} borrow camping gear?"),
    ),
    Elliptic(
        key="coat",
        kind="person",
        lead="Who sewed that red coat you wear?",
        ask=("Who sewed {who}'s red coat?", "Which tailor made {who}'s jacket?"),
    ),
    Elliptic(
        key="drive",
        kind="person",
        lead="Who drove you to the hospital that night?",
        ask=("Who drove {who} to the hospital?", "Who gave {who} a lift to the clinic?"),
    ),
    Elliptic(
        key="ring",
        kind="person",
        lead="And who found your grandfather's ring in the sand?",
        ask=("Who found the ring of {who}'s grandfather?",),
    ),
    Elliptic(
        key="lens",
        kind="town",
        lead="Where on earth did you find a lens for that camera?",
        ask=("Where did {who} find a lens for the camera?",),
    ),
    Elliptic(
        key="honey",
        kind="town",
        lead="Where does the heather honey on your shelf come from?",
        ask=("Where does {who}'s heather honey come from?", "Where was {who}'s honey bought?"),
    ),
    Elliptic(
        key="storm",
        kind="town",
        lead="Where did you shelter when the hail came?",
        ask=("Where did {who} shelter from the hail?", "Where did {who} wait out bad weather?"),
    ),
    Elliptic(
        key="degree",
        kind="town",
        lead="Where was it that you learnt to weld?",
        ask=("Where did {who} learn to weld?", "Where was {who} trained in joining metal?"),
    ),
    Elliptic(
        key="mackerel",
        kind="number",
        lead="How many mackerel did you catch on that trip?",
        ask=("How many mackerel did {who} catch?", "How many fish were on {who}'s hooks?"),
    ),
    Elliptic(
        key="stairs",
        kind="number",
        lead="How many steps are there in your lighthouse?",
        ask=("How many steps are in {who}'s lighthouse?",),
    ),
    Elliptic(
        key="letters",
        kind="number",
        lead="How many postcards did you get when you retired?",
        ask=("How many postcards did {who} get on retiring?",),
    ),
    Elliptic(
        key="laps",
        kind="number",
        lead="How many laps did you swim for the hospice?",
        ask=("How many laps did {who} swim for the hospice?",),
    ),
    Elliptic(
        key="sink",
        kind="when",
        lead="Did the plumber come about that gurgling sink?",
        ask=(
            "When did the plumber come about {who}'s sink?",
            "When was {who}'s drain unblocked?",
        ),
    ),
    Elliptic(
        key="trick",
        kind="person",
        lead="Who taught you that card trick?",
        ask=("Who taught {who} the card trick?", "From whom did {who} learn conjuring?"),
    ),
    Elliptic(
        key="motorcycle",
        kind="town",
        lead="Where did you get stuck with the motorcycle?",
        ask=("Where did {who} get stuck with the motorcycle?", "Where did {who} break down?"),
    ),
    Elliptic(
        key="bricks",
        kind="number",
        lead="How many bricks went into that wall of yours?",
        ask=("How many bricks went into {who}'s wall?",),
    ),
)
