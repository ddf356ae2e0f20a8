"""Topics of this and that: what people wear, drive, write, and where they sleep."""

from __future__ import annotations

from typing import Final

from engram_lab.evaluation.datasets.fiction.topics import Topic, Variant

__all__ = ["SUNDRY"]

SUNDRY: Final = (
    Topic(
        key="tattoo",
        kind="animal",
        variants=(
            Variant(
                say="I had a small {a} tattooed on my ankle, and my mother must not know.",
                ask="What did {who} have tattooed on the ankle?",
                mean="Which creature is inked on {who}'s skin?",
            ),
            Variant(
                say="The {a} tattooed on my ankle itches like mad.",
                ask="What is tattooed on the ankle of {who} and itches?",
                mean="What picture does {who} have in ink on the leg?",
            ),
        ),
        natural="What does the ankle of {who} show?",
        lure="The picture of the week shows some creature with one leg, all done in ink.",
        lead=("Why are you walking like that?", "Long socks, in this heat?"),
        near=("{other} has a {a} tattooed on one shoulder.",),
    ),
    Topic(
        key="costume",
        kind="trade",
        variants=(
            Variant(
                say="For the carnival I am going as a {a}, the hat is borrowed.",
                ask="As what is {who} going to the carnival in a borrowed hat?",
                mean="As what does {who} want to dress up?",
            ),
            Variant(
                say="I am a {a} at the carnival, even if it pinches.",
                ask="What is {who} at the carnival, even if it pinches?",
                mean="Which disguise has {who} picked?",
            ),
        ),
        natural="As what does {who} go to the carnival?",
        lure="They want to dress the shop window up; I would have picked another disguise.",
        lead=("What are the scissors for?", "Will you come to the parade?"),
        near=("{other} went to the carnival as a {a} and froze.",),
    ),
    Topic(
        key="inn",
        kind="coined",
        variants=(
            Variant(
                say="We stayed at the {a} Inn, in a room that looked out on the bins.",
                ask="At which inn did {who} stay in a room that looked out on the bins?",
                mean="What was {who}'s hotel called?",
            ),
            Variant(
                say="They gave us the room under the stairs at the {a} Inn.",
                ask="At which inn did they give {who} the room under the stairs?",
                mean="Which hotel did {who} sleep at?",
            ),
        ),
        natural="At which inn did {who} have a room?",
        lure="Nobody can sleep for what they called a hotel, and it is only scaffolding.",
        lead=("Was the trip worth it?", "You have your suitcase with you."),
        near=("{other} was bitten by something at the {a} Inn.",),
    ),
    Topic(
        key="van",
        kind="colour",
        variants=(
            Variant(
                say="My van is {a}, you will not miss me at the crossing.",
                ask="Which van of {who}'s will one not miss at the crossing?",
                mean="What is the appearance of {who}'s vehicle?",
            ),
            Variant(
                say="I had the van sprayed {a}, so at least it looks cared for.",
                ask="How did {who} have the van sprayed?",
                mean="Which shade is {who}'s vehicle?",
            ),
        ),
        natural="What colour is {who}'s van?",
        lure="Any vehicle that is left in the shade keeps its appearance, says the dealer.",
        lead=("How shall I find you on Sunday?", "Did you drive here?"),
        near=("{other} drives a {a} van, rather badly.",),
    ),
    Topic(
        key="limericks",
        kind="number",
        variants=(
            Variant(
                say="I wrote {a} limericks this winter, and some of them are decent.",
                ask="How many limericks did {who} write this winter?",
                mean="How much humorous verse has {who} composed?",
            ),
            Variant(
                say="My limericks fill two exercise books: {a}, I checked.",
                ask="How many limericks fill two exercise books of {who}'s?",
                mean="How large is the body of funny poems by {who}?",
            ),
        ),
        natural="How many limericks are by {who}?",
        lure="It is funny how large a body of verse that mayor composed, all humorous poems.",
        lead=("What are you scribbling there?", "How do you spend the winter evenings?"),
        near=("{other} knows {a} limericks by heart, none fit to print.",),
    ),
)
