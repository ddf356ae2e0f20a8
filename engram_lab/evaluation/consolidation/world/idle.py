"""Small talk and notes of a day: what is told, and seldom asked for again."""

from __future__ import annotations

from typing import Final

__all__ = ["AGAIN", "CUES", "FIXES", "IDLE", "OLDER", "OPENERS"]

IDLE: Final = (
    "Had {food} for lunch with {person}, nothing special.",
    "{person} was late again, the tram from {town} had broken down.",
    "Watched a film called {coined} last night, fell asleep halfway.",
    "It has been raining in {town} since {weekday}.",
    "Somebody left a {object} in the hallway, probably {person}.",
    "{person} told the joke about the {animal} again.",
    "The printer in {room} is out of paper.",
    "Slept badly, a {animal} was making noise until {clock}.",
    "Could you remind me to buy {plant} on {weekday}?",
    "The coffee machine made a noise like a {instrument} today.",
    "Met {person} on the stairs, we talked about {subject}.",
    "There was a queue of {small} people at the post office in {town}.",
    "Tried on a {colour} jumper and did not buy it.",
    "{person} says hello.",
    "Long call with {person} about nothing in particular, {minutes} at least.",
    "The bus to {town} smelled of {food}.",
    "Saw a {animal} on the way to work and thought of {person}.",
    "Thinking about signing up for {sport}, but probably won't.",
    "The window in {room} won't close properly in this wind.",
    "{person} brought {food} to the office, all gone by noon.",
    "My neighbour is practising the {instrument} again.",
    "The lift was stuck for {minutes} this morning.",
    "Dreamt that I was a {trade} in {town}, no idea why.",
    "Bought {plant} at the market, {money} for the lot.",
    "Heard a talk about {subject}, the speaker was {person}, rather dull.",
    "{weekday} was quiet, only {small} mails.",
    "There is a new poster for {sport} lessons in {town}.",
    "Lost {money} betting against {person} on the weather.",
    "Finished the book {coined}, the ending was weak.",
    "The heating in {room} is at {degrees} and everybody complains.",
)
"""Each with names enough that two of them are never one."""

OPENERS: Final = (
    "", "", "", "", "", "", "Just so you know: ", "For the record, ", "Note to self: ",
    "Please remember: ",
    "By the way, ", "FYI, ", "Before I forget: ", "One more thing, ",
)  # fmt: skip
"""Before a first telling."""

AGAIN: Final = (
    "", "", "", "", "As I said, ", "Did I mention it? ", "In case you forgot: ", "Again: ",
    "Reminder: ",
)  # fmt: skip
"""Before what was told before in other words."""

CUES: Final = (
    "Update: {says}", "Change of plan: {says}", "News: {says}", "This is new: {says}",
    "Things have changed. {says}",
)  # fmt: skip
"""Around what has changed, in the words that would first have told it."""

FIXES: Final = (
    "Correction: {says} What I said before ({old}) was wrong.",
    "Sorry, I mixed that up. {says}",
    "I got it wrong earlier, not {old}. {says}",
    "Scratch what I said about {old}. {says}",
)
"""Around what was never so."""

OLDER: Final = (
    "Going through old notes, from {month}: {says}",
    "For completeness, this was so as of {month}: {says}",
    "Found in a letter of {month}: {says}",
    "An old entry of {month} that I never gave you: {says}",
)
"""Around what is told late."""
