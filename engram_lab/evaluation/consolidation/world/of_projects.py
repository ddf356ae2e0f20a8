"""What may be told of a project."""

from __future__ import annotations

from typing import Final

from engram_lab.evaluation.consolidation.world.phrases import Attribute, Liking

__all__ = ["PROJECT", "PROJECT_MANY"]

PROJECT: Final = (
    Attribute(
        key="deadline",
        kind="date",
        says=(
            "The deadline for {who} is {a}.",
            "{who} has to be finished by {a}.",
            "{who} is due on {a}.",
            "We promised to deliver {who} on {a}.",
            "By {a} everything on {who} must be handed over.",
        ),
        asks=("When is {who} due?", "What is the deadline for {who}?"),
        changes=(
            "The deadline for {who} has been pushed to {a}.",
            "{who} isn't due on {old} any more, they gave us {a}.",
        ),
    ),
    Attribute(
        key="budget",
        kind="money",
        says=(
            "{who} has a budget of {a}.",
            "For {who} we may spend {a} in total.",
            "The board approved {a} for {who}.",
            "{a} is all the money there is for {who}.",
        ),
        asks=("What is the budget of {who}?", "How much money is there for {who}?"),
        changes=(
            "Finance set the budget of {who} to {a}.",
            "The money for {who} was changed from {old} to {a}.",
        ),
    ),
    Attribute(
        key="lead",
        kind="person",
        says=(
            "{a} leads {who}.",
            "{who} is led by {a}.",
            "The project lead on {who} is {a}.",
            "On {who}, {a} is in charge.",
            "{a} runs {who}, so ask there first.",
        ),
        asks=("Who leads {who}?", "Who is in charge of {who}?"),
        changes=(
            "{a} has taken over {who}.",
            "{old} handed {who} over to {a}.",
        ),
    ),
    Attribute(
        key="standup",
        kind="clock",
        says=(
            "The stand-up of {who} is at {a}.",
            "The {who} team meets daily at {a}.",
            "At {a} there's the daily of {who}.",
            "{who} has its short morning call at {a}.",
        ),
        asks=("At what time is the stand-up of {who}?", "When does the {who} team meet daily?"),
        changes=(
            "The {who} stand-up is at {a} from now on.",
            "{who} moved its daily from {old} to {a}.",
        ),
    ),
    Attribute(
        key="release",
        kind="version",
        says=(
            "{who} is at version {a} in production.",
            "Version {a} of {who} is the one that is live.",
            "Customers of {who} run {a} at the moment.",
            "What's deployed of {who} is release {a}.",
        ),
        asks=("Which version of {who} is live?", "What release of {who} is in production?"),
        changes=(
            "We shipped {who} {a}.",
            "{who} went from {old} to {a} in production.",
        ),
    ),
    Attribute(
        key="host",
        kind="coined",
        says=(
            "{who} runs on the server {a}.",
            "The machine that hosts {who} is {a}.",
            "{a} is the box on which {who} is installed.",
            "You'll find {who} deployed on {a}.",
        ),
        asks=("On which server does {who} run?", "Which machine hosts {who}?"),
        changes=(
            "{who} was migrated to {a}.",
            "We moved {who} off {old}, it runs on {a}.",
        ),
    ),
    Attribute(
        key="team",
        kind="small",
        says=(
            "{a} people work on {who}.",
            "The team of {who} has {a} members.",
            "{who} is staffed with {a} people.",
            "There are {a} of us on {who}.",
        ),
        asks=("How many people work on {who}?", "How big is the team of {who}?"),
        changes=(
            "The {who} team is {a} people strong now.",
            "{who} went from {old} people to {a}.",
        ),
    ),
    Attribute(
        key="client",
        kind="firm",
        says=(
            "The client of {who} is {a}.",
            "We're building {who} for {a}.",
            "{a} commissioned {who}.",
            "{who} was ordered by {a}.",
        ),
        asks=("Who is the client of {who}?", "For whom are we building {who}?"),
        changes=(
            "{a} has bought {who} and is the client now.",
            "The contract for {who} passed from {old} to {a}.",
        ),
    ),
    Attribute(
        key="review",
        kind="weekday",
        says=(
            "The weekly review of {who} is on {a}s.",
            "Every {a} we go through {who} with everybody.",
            "{a} is review day for {who}.",
            "{who} gets reviewed each {a}.",
        ),
        asks=("On which day is the review of {who}?", "When is {who} reviewed each week?"),
        changes=(
            "The review of {who} happens on {a} instead.",
            "{who}: the review goes from {old} to {a}.",
        ),
    ),
    Attribute(
        key="room",
        kind="room",
        says=(
            "The {who} team sits in {a}.",
            "{a} is the office of {who}.",
            "You'll find the people of {who} in {a}.",
            "{who} was given {a} as its project room.",
        ),
        asks=("Where does the {who} team sit?", "Which room does {who} have?"),
        changes=(
            "The {who} team moved into {a}.",
            "{who} had to leave {old} and sits in {a}.",
        ),
    ),
    Attribute(
        key="port",
        kind="number4",
        says=(
            "{who} listens on port {a}.",
            "The service of {who} is reached through port {a}.",
            "In the firewall, {a} is open for {who}.",
            "Connect to {who} on {a}.",
        ),
        asks=("On which port does {who} listen?", "What is the port of {who}?"),
        changes=(
            "The port of {who} was changed to {a}.",
            "{who} doesn't listen on {old} any longer but on {a}.",
        ),
    ),
)

PROJECT_MANY: Final = (
    Liking(
        key="uses",
        kind="coined",
        says=(
            "{who} uses the library {a}.",
            "{who} depends on {a}.",
            "One of the packages in {who} is {a}.",
            "{a} is part of what {who} is built with.",
        ),
        asks=("Which libraries does {who} use?",),
    ),
    Liking(
        key="tester",
        kind="person",
        says=(
            "{a} is a tester on {who}.",
            "{who} is tested by {a}, among others.",
            "{a} helps out with testing {who}.",
            "We have {a} on the list of {who}'s testers.",
        ),
        asks=("Who tests {who}?",),
    ),
    Liking(
        key="market",
        kind="town",
        says=(
            "{who} is sold in {a}.",
            "We have customers for {who} in {a}.",
            "{a} is one of the places where {who} is in use.",
            "{who} is on the market in {a}.",
        ),
        asks=("In which towns is {who} in use?",),
    ),
)
