"""What may be told of a person."""

from __future__ import annotations

from typing import Final

from engram_lab.evaluation.consolidation.world.phrases import Attribute, Leaning, Liking

__all__ = ["LEANINGS", "PERSON", "PERSON_MANY"]

PERSON: Final = (
    Attribute(
        key="extension",
        kind="number4",
        says=(
            "{who}'s phone extension is {a}.",
            "To ring {who} at the office, dial {a}.",
            "You reach {who} internally under {a}.",
            "{a} is the number to call when you want {who} on the line at work.",
            "{who} picks up on extension {a}.",
        ),
        asks=("What is {who}'s extension?", "Which number do I dial to reach {who} at work?"),
        changes=(
            "{who} got a new extension: {a}.",
            "{who} no longer answers on {old}, it's {a} these days.",
        ),
    ),
    Attribute(
        key="home",
        kind="town",
        says=(
            "{who} lives in {a}.",
            "{a} is where {who} has a flat.",
            "Home for {who} is {a}.",
            "{who} is based in {a}, in case we want to send something by post.",
            "If you visit {who}, you need to travel to {a}.",
        ),
        asks=("Where does {who} live?", "In which town is {who} at home?"),
        changes=(
            "{who} has moved to {a}.",
            "{who} gave up the flat in {old} and went to {a}.",
        ),
    ),
    Attribute(
        key="trade",
        kind="trade",
        says=(
            "{who} works as a {a}.",
            "{who} earns a living as a {a}.",
            "By profession {who} is a {a}.",
            "What {who} does for work: {a}.",
            "Professionally speaking, we have a {a} in {who}.",
        ),
        asks=("What does {who} do for a living?", "What is {who}'s job?"),
        changes=(
            "{who} changed careers and is a {a} now.",
            "{who} quit as a {old} and retrained as a {a}.",
        ),
    ),
    Attribute(
        key="employer",
        kind="firm",
        says=(
            "{who} is employed at {a}.",
            "{a} pays {who}'s salary.",
            "{who} is on the staff of {a}.",
            "The company that {who} works for is called {a}.",
            "{who} has a contract with {a}.",
        ),
        asks=("Which company does {who} work for?", "Who is {who}'s employer?"),
        changes=("{who} started at {a}.", "{who} left {old} and joined {a}."),
    ),
    Attribute(
        key="mentor",
        kind="person",
        says=(
            "{who} is mentored by {a}.",
            "{a} mentors {who}.",
            "As a mentor {who} has {a}.",
            "The one who coaches {who} is {a}.",
            "{a} has taken {who} under their wing.",
        ),
        asks=("Who mentors {who}?", "Who is {who}'s mentor?"),
        changes=(
            "{a} has taken over as {who}'s mentor.",
            "{who} was handed on from {old} to {a} for mentoring.",
        ),
    ),
    Attribute(
        key="commute",
        kind="minutes",
        says=(
            "{who}'s commute takes {a}.",
            "It is {a} from door to desk for {who}.",
            "{who} needs {a} to get to work.",
            "Getting to the office costs {who} {a} each way.",
        ),
        asks=("How long is {who}'s commute?", "How long does {who} take to get to work?"),
        changes=(
            "With the new tram line {who}'s way to work is down to {a}.",
            "{who}'s commute went from {old} to {a}.",
        ),
    ),
    Attribute(
        key="rent",
        kind="money",
        says=(
            "{who} pays {a} rent a month.",
            "The monthly rent of {who}'s flat comes to {a}.",
            "{who}'s landlord gets {a} every month.",
            "{a} a month is what the flat costs {who}.",
        ),
        asks=("How much rent does {who} pay?", "What does {who}'s flat cost a month?"),
        changes=(
            "{who}'s rent was changed to {a}.",
            "The landlord has moved {who}'s rent from {old} to {a}.",
        ),
    ),
    Attribute(
        key="locker",
        kind="number3",
        says=(
            "{who}'s locker at the pool is number {a}.",
            "At the pool {who} keeps everything in locker {a}.",
            "{who} rents locker {a} down at the swimming pool.",
            "The swimming things of {who} hang in locker {a}.",
        ),
        asks=("Which locker has {who} at the pool?", "What is {who}'s locker number?"),
        changes=(
            "{who} was given another pool locker, {a}.",
            "{who} swapped locker {old} for {a}.",
        ),
    ),
    Attribute(
        key="dentist",
        kind="person",
        says=(
            "{who} goes to {a} for dental check-ups.",
            "{who}'s dentist is called {a}.",
            "{a} looks after {who}'s teeth.",
            "For toothache {who} sees Dr {a}.",
        ),
        asks=("Who is {who}'s dentist?", "Which dentist does {who} go to?"),
        changes=(
            "{who} changed dentists and sees {a} now.",
            "{who} is no longer a patient of {old}, {a} does the teeth.",
        ),
    ),
    Attribute(
        key="gym-day",
        kind="weekday",
        says=(
            "{who} trains on {a}s.",
            "{a} is {who}'s gym day.",
            "Every {a} you find {who} at the gym.",
            "{who} works out once a week, on {a}.",
        ),
        asks=("On which day does {who} go to the gym?", "When in the week does {who} train?"),
        changes=(
            "{who} has shifted the gym to {a}.",
            "Instead of {old}, {who} trains on {a} from here on.",
        ),
    ),
    Attribute(
        key="lunch-order",
        kind="food",
        says=(
            "{who}'s usual lunch order is the one with {a}.",
            "For lunch, {who} always takes the dish with {a}.",
            "When we order in, get {who} something with {a}.",
            "The canteen knows it: {a} for {who}.",
        ),
        asks=("What does {who} usually order for lunch?", "What should I get {who} for lunch?"),
        changes=(
            "{who} has a new favourite at the canteen, the one with {a}.",
            "{who} can't stand {old} any more and orders {a} at lunch.",
        ),
    ),
    Attribute(
        key="shift",
        kind="clock",
        says=(
            "{who}'s shift begins at {a}.",
            "{who} starts work at {a}.",
            "From {a} on {who} is on duty.",
            "{who} clocks in at {a}.",
        ),
        asks=("When does {who} start work?", "At what time does {who}'s shift begin?"),
        changes=(
            "{who}'s shift has been put at {a}.",
            "They shifted {who} from {old} to {a}.",
        ),
    ),
    Attribute(
        key="parking",
        kind="number3",
        says=(
            "{who} parks in bay {a}.",
            "Bay {a} in the car park is reserved for {who}.",
            "{who}'s car is usually in space {a}.",
            "The parking space of {who} has number {a}.",
        ),
        asks=("Where does {who} park?", "Which parking bay is {who}'s?"),
        changes=(
            "{who} was assigned bay {a} in the car park.",
            "{who} gave bay {old} back and parks in {a}.",
        ),
    ),
)

PERSON_MANY: Final = (
    Liking(
        key="likes",
        kind="food",
        says=(
            "{who} likes {a}.",
            "{who} is fond of {a}.",
            "You can make {who} happy with {a}.",
            "{who} has a soft spot for {a}.",
        ),
        asks=("What food does {who} like?",),
    ),
    Liking(
        key="owns",
        kind="object",
        says=(
            "{who} owns a {a}.",
            "A {a} belongs to {who}.",
            "{who} is the owner of a {a}.",
            "Among {who}'s things is a {a}.",
        ),
        asks=("What does {who} own?",),
    ),
    Liking(
        key="visited",
        kind="town",
        says=(
            "{who} has been to {a}.",
            "{who} made a trip to {a}.",
            "{a} is one of the towns {who} has seen.",
            "{who} visited {a}.",
        ),
        asks=("Which towns has {who} visited?",),
    ),
    Liking(
        key="plays",
        kind="instrument",
        says=(
            "{who} plays the {a}.",
            "{who} can play {a}.",
            "{who} knows how to play the {a}.",
            "One of {who}'s instruments is the {a}.",
        ),
        asks=("Which instruments does {who} play?",),
    ),
    Liking(
        key="studied",
        kind="subject",
        says=(
            "{who} took a course in {a}.",
            "{who} attended a course on {a}.",
            "{who} has done a class in {a}.",
            "A course in {a} is something that {who} has done.",
        ),
        asks=("What has {who} studied?",),
    ),
)

LEANINGS: Final = (
    Leaning(
        key="allergic",
        kind="food",
        says=("{who} is allergic to {a}.", "{a} gives {who} a rash, it's an allergy."),
        denies=("{who} is not allergic to {a}.", "{who} has no allergy to {a}."),
    ),
    Leaning(
        key="afraid",
        kind="fear",
        says=("{who} is afraid of {a}.", "{who} is scared of {a}."),
        denies=("{who} isn't afraid of {a}.", "{who} is not scared of {a} at all."),
    ),
    Leaning(
        key="invited",
        kind="event",
        says=("{who} is coming to the {a}.", "{who} said yes to the {a}."),
        denies=("{who} isn't coming to the {a}.", "{who} won't come to the {a}."),
    ),
    Leaning(
        key="paid",
        kind="event",
        says=("{who} has paid for the {a}.", "We have {who}'s money for the {a}."),
        denies=("{who} hasn't paid for the {a}.", "{who} has not yet paid for the {a}."),
    ),
)
