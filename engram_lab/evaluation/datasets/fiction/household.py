"""Topics of the household: pets, food, the house, and what is in it."""

from __future__ import annotations

from typing import Final

from engram_lab.evaluation.datasets.fiction.topics import Topic, Variant

__all__ = ["HOUSEHOLD"]

HOUSEHOLD: Final = (
    Topic(
        key="pet",
        kind="animal",
        variants=(
            Variant(
                say="We took in a {a} from the shelter, and it sleeps on my shoes.",
                ask="What did {who} take in from the shelter?",
                mean="What kind of pet has {who} rescued?",
            ),
            Variant(
                say="A {a} from the shelter has moved in with us and already rules the kitchen.",
                ask="What moved in with {who} from the shelter?",
                mean="Which animal has {who} adopted?",
            ),
        ),
        natural="What did {who} get from the shelter?",
        lure="That is a pet theory of some kind, adopted and rescued from an animal fable.",
        lead=("What is that on your sleeve, hair?", "You sound out of breath."),
        near=("{other} has a {a} as well, and it bites.",),
    ),
    Topic(
        key="dislike",
        kind="food",
        variants=(
            Variant(
                say="Just keep the {a} away from me, one bite and I feel sick.",
                ask="What should be kept away from {who}, who feels sick after one bite?",
                mean="Which food does {who} dislike?",
            ),
            Variant(
                say="They put {a} in everything at that inn, and it always makes me sick.",
                ask="What do they put in everything at the inn that makes {who} sick?",
                mean="Which ingredient can {who} not stand?",
            ),
        ),
        natural="What food makes {who} sick?",
        lure="There is a food stand by the pier now, and I dislike the noise it makes.",
        lead=("Shall I cook something for you on Friday?", "You hardly touched your lunch."),
        near=("{other} would live on {a} alone if you let it happen.",),
    ),
    Topic(
        key="walls",
        kind="colour",
        variants=(
            Variant(
                say="The hallway is {a} now, two coats, and there are drips on the skirting.",
                ask="What is {who}'s hallway now after two coats?",
                mean="Which colour did {who} paint the corridor?",
            ),
            Variant(
                say="We did the hallway in {a} over the weekend, my arms still ache.",
                ask="In what did {who} do the hallway over the weekend?",
                mean="What shade of paint did {who} choose for the entrance?",
            ),
        ),
        natural="What colour is {who}'s hallway?",
        lure="Choose the clinic's other entrance, in the shade; the paint in the corridor is wet.",
        lead=("You have something on your ear.", "Is the house finished yet?"),
        near=("At {other}'s the hallway is {a}, and you feel it in your teeth.",),
    ),
    Topic(
        key="heirloom",
        kind="object",
        variants=(
            Variant(
                say="Grandmother left me her {a}, it stands by the window and gathers dust.",
                ask="What did {who}'s grandmother leave that stands by the window?",
                mean="What did {who} inherit?",
            ),
            Variant(
                say="The {a} that was grandmother's has found its place by our window.",
                ask="What was grandmother's and has its place by {who}'s window?",
                mean="Which heirloom does {who} own?",
            ),
        ),
        natural="What did {who} get from grandmother?",
        lure="From that old count one would inherit debts, every heirloom of his is pawned.",
        lead=("How was it, clearing out the old house?", "Your room looks different."),
        near=("{other} sold a {a} last month, for far too little.",),
    ),
    Topic(
        key="rent",
        kind="money",
        variants=(
            Variant(
                say="They want {a} crowns a month for my flat from now on, with that boiler.",
                ask="How many crowns a month do they want for {who}'s flat?",
                mean="How much rent does {who} pay?",
            ),
            Variant(
                say="The landlord raised the flat to {a} crowns a month, and it is damp.",
                ask="To how many crowns a month did the landlord raise {who}'s flat?",
                mean="How expensive is {who}'s apartment?",
            ),
        ),
        natural="How many crowns a month is {who}'s flat?",
        lure="I had to pay so much for a canoe to rent by the hour, an expensive afternoon.",
        lead=("Bad news in the post?", "Are you still thinking of moving?"),
        near=("{other} pays {a} crowns a month and has a balcony.",),
    ),
    Topic(
        key="jam",
        kind="number",
        variants=(
            Variant(
                say="I bottled {a} jars of plum jam and my kitchen floor is still sticky.",
                ask="How many jars of plum jam did {who} bottle?",
                mean="How much fruit preserve did {who} make?",
            ),
            Variant(
                say="There are {a} jars of plum jam in my cellar, so please take some.",
                ask="How many jars of plum jam are in {who}'s cellar?",
                mean="What quantity of preserved fruit does {who} have in storage?",
            ),
        ),
        natural="How much jam did {who} make?",
        lure="The fruit stall has a shed for storage now, in what quantity do they sell?",
        lead=("It smells wonderful in here.", "What have you been stirring all day?"),
        near=("{other} brought {a} jars of plum jam to the fete.",),
    ),
    Topic(
        key="stove",
        kind="coined",
        variants=(
            Variant(
                say="I ended up with a {a} stove, the one with the green enamel.",
                ask="Which stove with green enamel did {who} end up with?",
                mean="What brand is {who}'s cooker?",
            ),
            Variant(
                say="The {a} stove came on a cart and would not go through my door.",
                ask="Which stove would not go through {who}'s door?",
                mean="Which make of oven did {who} buy?",
            ),
        ),
        natural="Which stove does {who} have?",
        lure="Never buy a brand of anything that they make so much noise about.",
        lead=("Is the kitchen usable again?", "What did you decide on in the end?"),
        near=("{other} swears by a {a} stove, but that one burns coal.",),
    ),
    Topic(
        key="breakfast",
        kind="food",
        variants=(
            Variant(
                say="Toast with {a} before seven, every day, or I am good for nothing.",
                ask="With what does {who} have toast before seven every day?",
                mean="What does {who} eat for breakfast?",
            ),
            Variant(
                say="My toast needs {a} on it, the doctor may say what she likes.",
                ask="What does {who}'s toast need on it?",
                mean="What is {who}'s favourite thing to eat in the morning?",
            ),
        ),
        natural="What does {who} like on toast?",
        lure="My favourite thing about the morning is that nobody calls before breakfast.",
        lead=("You are cheerful so early.", "Coffee first, or something else?"),
        near=("{other} puts {a} on toast and calls it a meal.",),
    ),
    Topic(
        key="neighbour",
        kind="person",
        variants=(
            Variant(
                say="The flat above mine went to someone called {a}, who walks about in clogs.",
                ask="Who walks about in clogs in the flat above {who}'s?",
                mean="What is the name of {who}'s noisy upstairs neighbour?",
            ),
            Variant(
                say="{a} from the flat above mine has bought a drum, so good night to sleep.",
                ask="Who from the flat above {who}'s has bought a drum?",
                mean="Which neighbour upstairs keeps {who} awake?",
            ),
        ),
        natural="Who lives in the flat above {who}?",
        lure="A noisy pigeon keeps me awake, so I gave it a name.",
        lead=("You have rings under your eyes.", "Is the house quiet now?"),
        near=("Below us lives {a}, as quiet as a fish.",),
    ),
)
