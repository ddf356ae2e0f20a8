"""Questions that take several turns, each of which says one thing, in whatever order they come."""

from __future__ import annotations

from typing import Final

from engram_lab.evaluation.datasets.fiction.topics import Chain

__all__ = ["CHAINS"]

CHAINS: Final = (
    Chain(
        key="sister-ferry",
        kind="day",
        says=(
            "My sister has settled in {town}, of all places.",
            "The ferry to {town} goes on {a} only, I asked at the pier.",
        ),
        ask="On which day can {who} cross over to the sister?",
        near="The ferry to {town2} goes on {b}, if it goes at all.",
    ),
    Chain(
        key="godchild-gift",
        kind="object",
        says=(
            "My godchild is called {person}, after nobody in particular.",
            "For {person}'s birthday I have hidden a {a} in the shed.",
        ),
        ask="What is {who}'s godchild going to get?",
        near="For {person2}'s birthday we all chipped in and got a {b}.",
    ),
    Chain(
        key="tea-room",
        kind="person",
        says=(
            "I write my letters at the {coined} tea room, the corner by the stove.",
            "The {coined} tea room belongs to {a} these days.",
        ),
        ask="Who owns the tea room where {who} writes letters?",
        near="The {coined2} tea room belongs to {b}, the cakes are dry.",
    ),
    Chain(
        key="train-platform",
        kind="number",
        says=(
            "My new post is in {town}, three days a week.",
            "The train to {town} takes {a} minutes, with a change at the quarry.",
        ),
        ask="How long is {who} on the train to the new post?",
        near="The train to {town2} takes {b} minutes and has no heating.",
    ),
    Chain(
        key="band-song",
        kind="coined",
        says=(
            "{person} and I have a band, two of us and a washboard.",
            "{person} wrote the song {a} on a napkin, in one go.",
        ),
        ask="What did the other one in {who}'s band write?",
        near="{person2} wrote the song {b}, the one they whistle everywhere.",
    ),
    Chain(
        key="dog-vet",
        kind="money",
        says=(
            "I take the old spaniel to the practice of {person}.",
            "{person} charges {a} crowns for looking at one paw.",
        ),
        ask="How much does it cost {who} to have the spaniel seen?",
        near="{person2} charges {b} crowns for clipping claws.",
    ),
    Chain(
        key="recipe-cousin",
        kind="food",
        says=(
            "The dumplings are from a recipe of my aunt {person}.",
            "Aunt {person} always put {a} in, and never told a soul.",
        ),
        ask="What is the secret of {who}'s dumplings?",
        near="Aunt {person2} never cooked without {b}.",
    ),
    Chain(
        key="market-sales",
        kind="number",
        says=(
            "At the wool fair I sold {a} baskets.",
            "The cattle fair was slow, {b} baskets and a cold.",
            "At the church fair {c} baskets went, even the crooked ones.",
        ),
        ask="How many baskets did {who} sell at the fairs altogether?",
        near="{other} sold {d} baskets at the fair, all of them dyed.",
    ),
    Chain(
        key="rooms",
        kind="colour",
        says=(
            "My ladder went to the bathroom: {a} tiles, all the way up.",
            "The pantry door I did in {b}, with the small brush.",
        ),
        ask="Which colours did {who} use for the bathroom tiles and the pantry door?",
        near="{other} has {c} tiles in the bathroom and likes them.",
    ),
    Chain(
        key="pen-friend",
        kind="plant",
        says=(
            "I have a pen friend in {town} since we were twelve.",
            "{town} is known for its {a}, they have a whole festival.",
        ),
        ask="What is the place where {who} has a pen friend known for?",
        near="{town2} is known for its {b}, and for nothing else.",
    ),
    Chain(
        key="eye-drops",
        kind="day",
        says=(
            "The drops for my eyes are made by old {person}.",
            "{person} shuts the shop on {a}, so plan ahead.",
        ),
        ask="On which days can {who} get no eye drops?",
        near="{person2} shuts the shop whenever the sun is out.",
    ),
    Chain(
        key="play",
        kind="town",
        says=(
            "I have a ticket for the play they call {coined}.",
            "{coined} is on in {a} all month, in a tent.",
        ),
        ask="Where will {who} see the play?",
        near="{coined2} is on in {b}, and nobody goes.",
    ),
    Chain(
        key="chair",
        kind="number",
        says=(
            "My armchair came from the workshop of {person}.",
            "{person} has a waiting list of {a} weeks by now.",
        ),
        ask="How long would one wait for an armchair like {who}'s?",
        near="{person2} has a waiting list of {b} weeks, and only makes stools.",
    ),
    Chain(
        key="picnic",
        kind="food",
        says=(
            "For the picnic I am bringing {a}.",
            "I can carry {b} to the picnic, there is plenty at home.",
        ),
        ask="What is {who} bringing to the picnic?",
        near="{other} brings {c} to every picnic.",
    ),
)
