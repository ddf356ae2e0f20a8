"""What may be told of a person, with the word by which one would ask for it in every telling."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from engram_lab.evaluation.consolidation.world.phrases import Plain

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["OF_PEOPLE"]

_EVERYDAY: Final = {
    "extension": Plain(
        words=("extension",),
        says=(
            "{who}'s phone extension is {a}.",
            "{a} is the extension of {who}.",
            "You can reach {who} on extension {a}.",
            "The extension at which {who} picks up is {a}.",
            "If you need {who} on the phone, dial extension {a}.",
        ),
        changes=(
            "{who}'s extension is now {a}.",
            "{who} has a new extension: {a}.",
            "The extension of {who} has changed from {old} to {a}.",
            "{who} is no longer on extension {old} but on {a}.",
        ),
        fixes=(
            "I got {who}'s extension wrong, it is {a}.",
            "{who}'s extension is {a}, not {old} as I told you.",
        ),
    ),
    "home": Plain(
        words=("live", "living"),
        says=(
            "{who} lives in {a}.",
            "{a} is where {who} lives.",
            "The town that {who} lives in is {a}.",
            "{who} has a flat in {a} and lives there.",
            "{who} is living in {a}, in case we want to send something by post.",
        ),
        changes=(
            "{who} lives in {a} now.",
            "{who} has moved from {old} to {a} and lives there.",
            "{who} no longer lives in {old} but in {a}.",
            "Since the move {who} has been living in {a}.",
        ),
        fixes=("I was wrong about where {who} lives, it is {a}.", "{who} lives in {a}, not {old}."),
    ),
    "trade": Plain(
        words=("job",),
        says=(
            "{who} has a job as a {a}.",
            "{who}'s job is that of a {a}.",
            "Being a {a} is {who}'s job.",
            "The job that {who} does for a living is that of a {a}.",
            "As for the job, {who} is a {a}.",
        ),
        changes=(
            "{who}'s job is now that of a {a}.",
            "{who} has found a new job as a {a}.",
            "{who} has changed jobs, from {old} to {a}.",
            "{who} no longer has a job as a {old} but as a {a}.",
        ),
        fixes=(
            "I mixed up {who}'s job, it is that of a {a}.",
            "{who}'s job is that of a {a}, not of a {old}.",
        ),
    ),
    "employer": Plain(
        words=("employ",),
        says=(
            "{who} is employed at {a}.",
            "{a} employs {who}.",
            "The employer of {who} is called {a}.",
            "{a} is {who}'s employer.",
            "As an employer {who} has {a}.",
        ),
        changes=(
            "{who}'s employer is now {a}.",
            "{who} has changed employers and went from {old} to {a}.",
            "{who} is no longer employed at {old} but at {a}.",
            "Since last month {who} has been employed by {a}.",
        ),
        fixes=(
            "I named the wrong employer for {who}, it is {a}.",
            "{who}'s employer is {a} and not {old}.",
        ),
    ),
    "mentor": Plain(
        words=("mentor",),
        says=(
            "{who} is mentored by {a}.",
            "{a} mentors {who}.",
            "The mentor of {who} is {a}.",
            "As a mentor {who} has {a}.",
            "{a} is the person who acts as {who}'s mentor.",
        ),
        changes=(
            "{a} is now {who}'s mentor.",
            "{who} has got a new mentor: {a}.",
            "{who}'s mentor has changed from {old} to {a}.",
            "{who} is no longer mentored by {old} but by {a}.",
        ),
        fixes=("I got {who}'s mentor wrong, it is {a}.", "It's {a} who mentors {who}, not {old}."),
    ),
    "commute": Plain(
        words=("commut",),
        says=(
            "{who}'s commute takes {a}.",
            "{who} has a commute of {a} each way.",
            "The commute of {who} is {a} long.",
            "{a} is what {who} needs for the commute.",
            "{who} commutes for {a} to get to the office.",
        ),
        changes=(
            "{who}'s commute now takes {a}.",
            "{who}'s commute went from {old} to {a}.",
            "The commute of {who} no longer takes {old} but {a}.",
            "Since the new tram line opened, {who} has a commute of {a}.",
        ),
        fixes=(
            "I was wrong about {who}'s commute, it is {a}.",
            "{who}'s commute takes {a}, not {old}.",
        ),
    ),
    "rent": Plain(
        words=("rent",),
        says=(
            "{who} pays {a} rent a month.",
            "The monthly rent of {who}'s flat comes to {a}.",
            "{who}'s rent is {a} a month.",
            "{a} is the rent that {who} has to pay every month.",
            "{who} rents a flat for {a} a month.",
        ),
        changes=(
            "{who}'s rent is now {a} a month.",
            "{who}'s rent has changed from {old} to {a} a month.",
            "{who} no longer pays {old} of rent but {a}.",
            "Since the new contract {who} has been paying {a} rent a month.",
        ),
        fixes=(
            "I got {who}'s rent wrong, it is {a}.",
            "{who}'s rent is {a} a month and not {old}.",
        ),
    ),
}

_ROUTINES: Final = {
    "locker": Plain(
        words=("locker",),
        says=(
            "{who}'s locker at the pool is number {a}.",
            "At the pool {who} has locker {a}.",
            "{a} is the number of {who}'s pool locker.",
            "{who} keeps the swimming things in locker {a} at the pool.",
            "The pool locker with number {a} belongs to {who}.",
        ),
        changes=(
            "{who}'s locker at the pool is now number {a}.",
            "{who} was given a new pool locker: {a}.",
            "{who} swapped pool locker {old} for locker {a}.",
            "{who} no longer uses locker {old} at the pool but {a}.",
        ),
        fixes=(
            "I got the number of {who}'s locker wrong, it is {a}.",
            "{who}'s pool locker is {a}, not {old}.",
        ),
    ),
    "dentist": Plain(
        words=("dentist",),
        says=(
            "{who}'s dentist is called {a}.",
            "{a} is {who}'s dentist.",
            "The dentist whom {who} goes to is {a}.",
            "For check-ups {who} sees the dentist {a}.",
            "{who} has {a} as a dentist.",
        ),
        changes=(
            "{who}'s dentist is now {a}.",
            "{who} has a new dentist: {a}.",
            "{who} changed dentists, from {old} to {a}.",
            "{old} is no longer {who}'s dentist, {a} is.",
        ),
        fixes=("I got {who}'s dentist wrong, it is {a}.", "{who}'s dentist is {a} and not {old}."),
    ),
    "gym-day": Plain(
        words=("gym",),
        says=(
            "{who} goes to the gym on {a}s.",
            "{a} is {who}'s gym day.",
            "Every {a} you find {who} at the gym.",
            "{who} hits the gym once a week, on {a}.",
            "The day that {who} spends at the gym is {a}.",
        ),
        changes=(
            "{who} now goes to the gym on {a}s.",
            "{who} has moved the gym from {old} to {a}.",
            "{who} no longer goes to the gym on {old}s but on {a}s.",
            "From this week on, {who}'s gym day is {a}.",
        ),
        fixes=("I got {who}'s gym day wrong, it is {a}.", "{who}'s gym day is {a}, not {old}."),
    ),
    "lunch-order": Plain(
        words=("lunch",),
        says=(
            "{who}'s usual lunch is the one with {a}.",
            "For lunch, {who} always takes the dish with {a}.",
            "{who} orders {a} for lunch.",
            "At lunch, get {who} something with {a}.",
            "The lunch that {who} wants is one with {a}.",
        ),
        changes=(
            "{who} now orders {a} for lunch.",
            "{who} has a new usual lunch, the one with {a}.",
            "{who}'s lunch order has changed from {old} to {a}.",
            "{who} no longer takes {old} for lunch but {a}.",
        ),
        fixes=(
            "I was wrong about {who}'s lunch, it is the one with {a}.",
            "{who} takes {a} for lunch, not {old}.",
        ),
    ),
    "shift": Plain(
        words=("shift",),
        says=(
            "{who}'s shift begins at {a}.",
            "The shift of {who} starts at {a}.",
            "{a} is when {who}'s shift begins.",
            "{who} goes on shift at {a}.",
            "{who} works a shift that starts at {a}.",
        ),
        changes=(
            "{who}'s shift now begins at {a}.",
            "{who}'s shift has been moved from {old} to {a}.",
            "The shift of {who} no longer starts at {old} but at {a}.",
            "From this week on, {who} goes on shift at {a}.",
        ),
        fixes=(
            "I got the beginning of {who}'s shift wrong, it is {a}.",
            "{who}'s shift begins at {a}, not at {old}.",
        ),
    ),
    "parking": Plain(
        words=("park",),
        says=(
            "{who} parks in bay {a}.",
            "{who}'s parking bay is number {a}.",
            "The parking space of {who} has number {a}.",
            "{a} is the number of the bay where {who} parks.",
            "Parking bay {a} is reserved for {who}.",
        ),
        changes=(
            "{who} now parks in bay {a}.",
            "{who} has been given a new parking bay, {a}.",
            "{who}'s parking bay has changed from {old} to {a}.",
            "{who} no longer parks in bay {old} but in {a}.",
        ),
        fixes=(
            "I got {who}'s parking bay wrong, it is {a}.",
            "{who} parks in bay {a} and not in {old}.",
        ),
    ),
}

_MANY: Final = {
    "likes": Plain(
        words=("like",),
        says=(
            "{who} likes {a}.",
            "{who} likes to eat {a}.",
            "One of the things {who} likes is {a}.",
            "What {who} also likes: {a}.",
            "{who} would like some {a} any time.",
        ),
    ),
    "owns": Plain(
        words=("own",),
        says=(
            "{who} owns a {a}.",
            "{who} is the owner of a {a}.",
            "One of the things {who} owns is a {a}.",
            "{who} has a {a} of their own.",
            "A {a} is owned by {who}.",
        ),
    ),
    "visited": Plain(
        words=("visit",),
        says=(
            "{who} visited {a}.",
            "{who} has paid a visit to {a}.",
            "{a} is one of the towns {who} has visited.",
            "Among the towns visited by {who} is {a}.",
            "{who} made a trip to visit {a}.",
        ),
    ),
    "plays": Plain(
        words=("play",),
        says=(
            "{who} plays the {a}.",
            "{who} knows how to play the {a}.",
            "One of the instruments {who} plays is the {a}.",
            "The {a} is something {who} can play.",
            "{who} is a {a} player.",
        ),
    ),
    "studied": Plain(
        words=("stud",),
        says=(
            "{who} studied {a}.",
            "{who} once studied some {a}.",
            "One of the subjects {who} has studied is {a}.",
            "{a} is among what {who} studied.",
            "{who} was a student of {a}.",
        ),
    ),
}

OF_PEOPLE: Final[Mapping[str, Plain]] = MappingProxyType(_EVERYDAY | _ROUTINES | _MANY)
"""By the key of what is told."""
