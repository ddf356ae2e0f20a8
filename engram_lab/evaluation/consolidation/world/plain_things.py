"""What may be told of a thing, with the word by which one would ask for it in every telling."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from engram_lab.evaluation.consolidation.world.phrases import Plain

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["OF_THINGS"]

_ONE: Final = {
    "kept": Plain(
        words=("keep", "kept"),
        says=(
            "{who} is kept in {a}.",
            "We keep {who} in {a}.",
            "{a} is where {who} is kept.",
            "The place where we keep {who} is {a}.",
            "If you look for {who}, it's kept in {a}.",
        ),
        changes=(
            "{who} is now kept in {a}.",
            "We moved {who} from {old} to {a} and keep it there.",
            "{who} is no longer kept in {old} but in {a}.",
            "Since the clean-up we have kept {who} in {a}.",
        ),
        fixes=(
            "I was wrong about where {who} is kept, it is {a}.",
            "We keep {who} in {a}, not {old}.",
        ),
    ),
    "borrower": Plain(
        words=("borrow",),
        says=(
            "{a} has borrowed {who}.",
            "{who} was borrowed by {a}.",
            "The borrower of {who} is {a}.",
            "{who} isn't here, {a} borrowed it.",
            "The person who has borrowed {who} is {a}.",
        ),
        changes=(
            "{a} is now the borrower of {who}.",
            "{who} has a new borrower: {a}.",
            "{who} is no longer borrowed by {old} but by {a}.",
            "The borrower of {who} has changed from {old} to {a}.",
        ),
        fixes=(
            "I got the borrower of {who} wrong, it is {a}.",
            "It's {a} who borrowed {who}, not {old}.",
        ),
    ),
    "service": Plain(
        words=("servic",),
        says=(
            "The next service of {who} is on {a}.",
            "{who} will be serviced on {a}.",
            "{a} is when {who} is due for service.",
            "{who} is booked in for its service on {a}.",
            "The service date of {who} is {a}.",
        ),
        changes=(
            "The next service of {who} is now on {a}.",
            "The service of {who} has been moved from {old} to {a}.",
            "{who} is no longer due for service on {old} but on {a}.",
            "There's a new service date for {who}: {a}.",
        ),
        fixes=(
            "I got the service date of {who} wrong, it is {a}.",
            "{who} will be serviced on {a}, not on {old}.",
        ),
    ),
    "price": Plain(
        words=("insur",),
        says=(
            "{who} is insured for {a}.",
            "The insurance sum for {who} is {a}.",
            "{a} is what {who} is insured for.",
            "If {who} is lost, the insurance pays {a}.",
            "We have an insurance of {a} on {who}.",
        ),
        changes=(
            "{who} is now insured for {a}.",
            "The insurance sum of {who} was changed from {old} to {a}.",
            "{who} is no longer insured for {old} but for {a}.",
            "Since the revaluation {who} has been insured for {a}.",
        ),
        fixes=(
            "I got the insurance sum for {who} wrong, it is {a}.",
            "{who} is insured for {a}, not for {old}.",
        ),
    ),
    "weight": Plain(
        words=("weigh",),
        says=(
            "{who} weighs {a}.",
            "The weight of {who} is {a}.",
            "{who} has a weight of {a}.",
            "{a} is what {who} weighs.",
            "Put on the scales, {who} comes to a weight of {a}.",
        ),
        changes=(
            "{who} now weighs {a}.",
            "The weight of {who} went from {old} to {a}.",
            "{who} no longer weighs {old} but {a}.",
            "Since the rebuild {who} has had a weight of {a}.",
        ),
        fixes=("I got the weight of {who} wrong, it is {a}.", "{who} weighs {a}, not {old}."),
    ),
    "battery": Plain(
        words=("batter",),
        says=(
            "The battery of {who} lasts {a}.",
            "{who} has a battery life of {a}.",
            "{who}'s battery is good for {a}.",
            "{a} is how long the battery of {who} lasts.",
            "After {a} the battery of {who} has to be charged.",
        ),
        changes=(
            "The battery of {who} now lasts {a}.",
            "{who}'s battery life went from {old} to {a}.",
            "The battery of {who} no longer lasts {old} but {a}.",
            "Since the repair {who} has had a battery life of {a}.",
        ),
        fixes=(
            "I got the battery life of {who} wrong, it is {a}.",
            "The battery of {who} lasts {a}, not {old}.",
        ),
    ),
    "firmware": Plain(
        words=("firmware",),
        says=(
            "{who} has firmware {a}.",
            "The firmware on {who} is version {a}.",
            "{who} runs on firmware {a}.",
            "{a} is the firmware of {who}.",
            "On the display of {who} it says firmware v{a}.",
        ),
        changes=(
            "{who} now has firmware {a}.",
            "The firmware of {who} was updated from {old} to {a}.",
            "{who} no longer runs on firmware {old} but on {a}.",
            "There's a new firmware on {who}: {a}.",
        ),
        fixes=(
            "I got the firmware of {who} wrong, it is {a}.",
            "The firmware on {who} is {a}, not {old}.",
        ),
    ),
    "pin": Plain(
        words=("pin",),
        says=(
            "The PIN of {who} is {a}.",
            "{a} is the PIN for {who}.",
            "{who} unlocks with the PIN {a}.",
            "Enter the PIN {a} to start {who}.",
            "{who} has a PIN, and it's {a}.",
        ),
        changes=(
            "The PIN of {who} is now {a}.",
            "The PIN of {who} was reset from {old} to {a}.",
            "{who} no longer takes the PIN {old} but {a}.",
            "{who} has a new PIN: {a}.",
        ),
        fixes=("I got the PIN of {who} wrong, it is {a}.", "The PIN of {who} is {a}, not {old}."),
    ),
    "colour": Plain(
        words=("colour",),
        says=(
            "The colour of {who} is {a}.",
            "{who} has the colour {a}.",
            "{a} is the colour of {who}.",
            "{who} was painted in the colour {a}.",
            "{who} is {a} in colour, you'll recognise it.",
        ),
        changes=(
            "The colour of {who} is now {a}.",
            "The colour of {who} was changed from {old} to {a}.",
            "{who} is no longer {old} in colour but {a}.",
            "{who} has been given a new colour, {a}.",
        ),
        fixes=(
            "I got the colour of {who} wrong, it is {a}.",
            "The colour of {who} is {a} and not {old}.",
        ),
    ),
    "temperature": Plain(
        words=("temperature",),
        says=(
            "{who} is set to a temperature of {a}.",
            "The temperature of {who} stands at {a}.",
            "We run {who} at a temperature of {a}.",
            "{a} is the temperature to which {who} is set.",
            "{who} needs a temperature of {a}.",
        ),
        changes=(
            "{who} is now set to a temperature of {a}.",
            "The temperature of {who} was changed from {old} to {a}.",
            "We no longer run {who} at a temperature of {old} but of {a}.",
            "Since this morning {who} has been at a temperature of {a}.",
        ),
        fixes=(
            "I got the temperature of {who} wrong, it is {a}.",
            "The temperature of {who} is {a}, not {old}.",
        ),
    ),
}

_MANY: Final = {
    "part": Plain(
        words=("contain",),
        says=(
            "{who} contains a {a} module.",
            "A {a} module is contained in {who}.",
            "One of the modules that {who} contains is a {a}.",
            "Open {who} and you'll see that it contains a {a} module.",
            "Among what {who} contains is a {a}.",
        ),
    ),
    "allowed": Plain(
        words=("use",),
        says=(
            "{a} may use {who}.",
            "{who} may be used by {a}.",
            "{a} has permission to use {who}.",
            "One of those who may use {who} is {a}.",
            "{a} is on the list of the users of {who}.",
        ),
    ),
}

OF_THINGS: Final[Mapping[str, Plain]] = MappingProxyType(_ONE | _MANY)
"""By the key of what is told."""
