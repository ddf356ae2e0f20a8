"""What may be told of a device, a vehicle or another thing with a name."""

from __future__ import annotations

from typing import Final

from engram_lab.evaluation.consolidation.world.phrases import Attribute, Liking

__all__ = ["THING", "THING_MANY"]

THING: Final = (
    Attribute(
        key="kept",
        kind="room",
        says=(
            "{who} is kept in {a}.",
            "We store {who} in {a}.",
            "{a} is where {who} stands.",
            "If you look for {who}, it's in {a}.",
        ),
        asks=("Where is {who}?", "Where do we keep {who}?"),
        changes=(
            "{who} was carried over to {a}.",
            "{who} isn't in {old} any more, we put it in {a}.",
        ),
    ),
    Attribute(
        key="borrower",
        kind="person",
        says=(
            "{a} has {who} at the moment.",
            "{who} is with {a}.",
            "We lent {who} to {a}.",
            "{who} was borrowed by {a}.",
        ),
        asks=("Who has {who}?", "Who has borrowed {who}?"),
        changes=(
            "{a} has picked up {who}.",
            "{who} went from {old} to {a}.",
        ),
    ),
    Attribute(
        key="service",
        kind="date",
        says=(
            "The next service of {who} is on {a}.",
            "{who} has to go to the workshop on {a}.",
            "{a} is when {who} will be serviced.",
            "{who} is booked in for maintenance on {a}.",
        ),
        asks=("When is {who} serviced?", "When does {who} go to the workshop?"),
        changes=(
            "The service of {who} was rebooked for {a}.",
            "The workshop can't take {who} on {old}, so it's {a}.",
        ),
    ),
    Attribute(
        key="price",
        kind="money",
        says=(
            "{who} is insured for {a}.",
            "The insurance sum for {who} is {a}.",
            "If {who} is lost, the insurance pays {a}.",
            "{a} is what the policy says for {who}.",
        ),
        asks=("For how much is {who} insured?", "What does the insurance pay for {who}?"),
        changes=(
            "We had {who} revalued, it's insured for {a}.",
            "The cover of {who} was changed from {old} to {a}.",
        ),
    ),
    Attribute(
        key="weight",
        kind="kg",
        says=(
            "{who} weighs {a}.",
            "Put on the scales, {who} comes to {a}.",
            "The weight of {who} is {a}.",
            "You have to lift {a} to carry {who}.",
        ),
        asks=("How heavy is {who}?", "What does {who} weigh?"),
        changes=(
            "With the new frame {who} weighs {a}.",
            "{who} went from {old} to {a} after the rebuild.",
        ),
    ),
    Attribute(
        key="battery",
        kind="hours",
        says=(
            "The battery of {who} lasts {a}.",
            "{who} runs for {a} on one charge.",
            "You get {a} out of {who} before it needs the socket.",
            "After {a} {who} has to be charged.",
        ),
        asks=("How long does the battery of {who} last?", "How long does {who} run on a charge?"),
        changes=(
            "With the new battery {who} runs for {a}.",
            "{who}'s battery is down from {old} to {a}.",
        ),
    ),
    Attribute(
        key="firmware",
        kind="version",
        says=(
            "{who} has firmware {a}.",
            "The software on {who} is version {a}.",
            "{who} runs release {a}.",
            "On the display of {who} it says v{a}.",
        ),
        asks=("Which firmware is on {who}?", "What software version does {who} run?"),
        changes=(
            "{who} was flashed with {a}.",
            "{who} was updated from {old} to {a}.",
        ),
    ),
    Attribute(
        key="pin",
        kind="number4",
        says=(
            "The PIN of {who} is {a}.",
            "{who} unlocks with {a}.",
            "Enter {a} to start {who}.",
            "{a} is the code you need for {who}.",
        ),
        asks=("What is the PIN of {who}?", "Which code unlocks {who}?"),
        changes=(
            "The PIN of {who} was reset to {a}.",
            "{who} doesn't take {old} any longer, the PIN is {a}.",
        ),
    ),
    Attribute(
        key="colour",
        kind="colour",
        says=(
            "{who} is painted {a}.",
            "The colour of {who} is {a}.",
            "{who} comes in {a}.",
            "You'll recognise {who} because it's {a}.",
        ),
        asks=("What colour is {who}?", "How do I recognise {who}?"),
        changes=(
            "{who} was repainted in {a}.",
            "{who} isn't {old} any more, it's {a}.",
        ),
    ),
    Attribute(
        key="temperature",
        kind="degrees",
        says=(
            "{who} is set to {a}.",
            "The thermostat of {who} stands at {a}.",
            "We run {who} at {a}.",
            "The setting of {who} is {a}.",
        ),
        asks=("To what temperature is {who} set?", "At what temperature do we run {who}?"),
        changes=(
            "We turned {who} to {a}.",
            "{who} was too hot at {old}, it runs at {a}.",
        ),
    ),
)

THING_MANY: Final = (
    Liking(
        key="part",
        kind="coined",
        says=(
            "{who} contains a {a} module.",
            "One of the parts in {who} is a {a}.",
            "There's a {a} built into {who}.",
            "{who} was fitted with a {a}.",
        ),
        asks=("What parts are in {who}?",),
    ),
    Liking(
        key="allowed",
        kind="person",
        says=(
            "{a} may use {who}.",
            "{who} can also be used by {a}.",
            "{a} has permission to use {who}.",
            "{a} is on the list of those who may use {who}.",
        ),
        asks=("Who may use {who}?",),
    ),
)
