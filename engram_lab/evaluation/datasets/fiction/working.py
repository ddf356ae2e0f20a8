"""Topics of work, journeys, family and health."""

from __future__ import annotations

from typing import Final

from engram_lab.evaluation.datasets.fiction.topics import Topic, Variant

__all__ = ["WORKING"]

WORKING: Final = (
    Topic(
        key="trade",
        kind="trade",
        variants=(
            Variant(
                say="I earn my bread as a {a} now, and the hands show it.",
                ask="As what does {who} earn the bread now?",
                mean="What is {who}'s job?",
            ),
            Variant(
                say="They hired me as a {a}; I earn little and nobody has complained.",
                ask="As what was {who} hired?",
                mean="What does {who} do for a living?",
            ),
        ),
        natural="How does {who} earn money?",
        lure="Clearing the living room is a job for two, I will do it in autumn.",
        lead=("Did anything come of that letter you wrote?", "You look smart today."),
        near=("My cousin {other} trained as a {a} and then went to sea.",),
    ),
    Topic(
        key="boss",
        kind="person",
        variants=(
            Variant(
                say="{a} runs our office since spring and counts the paper clips.",
                ask="Who runs {who}'s office since spring?",
                mean="What is the name of {who}'s boss?",
            ),
            Variant(
                say="Our office has been handed over to {a}, so no more long lunches.",
                ask="To whom has {who}'s office been handed over?",
                mean="Who is {who}'s new manager?",
            ),
        ),
        natural="Who is in charge of {who}'s office?",
        lure="The new manager of the cinema forgot his own name on the stage.",
        lead=("Why the long face?", "How are things at the firm?"),
        near=("The depot is run by {a}, who lets everybody go at four.",),
    ),
    Topic(
        key="born",
        kind="town",
        variants=(
            Variant(
                say="I was born in {a}, in the house behind the tannery.",
                ask="Where was {who} born, in the house behind the tannery?",
                mean="Which town does {who} come from originally?",
            ),
            Variant(
                say="{a}, behind the tannery, that is where I was born.",
                ask="Behind the tannery of which place was {who} born?",
                mean="Where did {who} spend early childhood?",
            ),
        ),
        natural="Where was {who} born?",
        lure="They come to town to spend their wages, it was not planned that way originally.",
        lead=("You never say much about the early days.", "Was that an accent just now?"),
        near=("{other} was born in {a} too, or says so.",),
    ),
    Topic(
        key="commute",
        kind="number",
        variants=(
            Variant(
                say="It is {a} minutes on the tram each way, so I have taken up knitting.",
                ask="How many minutes is it on the tram each way for {who}?",
                mean="How long is {who}'s commute?",
            ),
            Variant(
                say="The tram needs {a} minutes from my door, if nobody faints.",
                ask="How many minutes does the tram need from {who}'s door?",
                mean="How much time does {who} spend travelling to the office?",
            ),
        ),
        natural="How long is {who} on the tram?",
        lure="The tax office had such a long queue, I spend more time there than anywhere.",
        lead=("You are always the last to arrive.", "How far out do you live now?"),
        near=("{other} sits on the tram for {a} minutes and sleeps.",),
    ),
    Topic(
        key="holiday",
        kind="town",
        variants=(
            Variant(
                say="We booked a fortnight in {a}, a cabin with a stove and no wires.",
                ask="Where has {who} booked a fortnight in a cabin?",
                mean="What is {who}'s holiday destination?",
            ),
            Variant(
                say="A cabin at {a} for a fortnight, that is what all the saving was for.",
                ask="Where will {who} have a cabin for a fortnight?",
                mean="Where is {who} going on vacation?",
            ),
        ),
        natural="Where is {who}'s cabin?",
        lure="My letter is going to the wrong destination, they take a holiday at the depot.",
        lead=("You deserve some rest.", "Any plans for the warm months?"),
        near=("{other} had a cabin at {a} for a week and saw only rain.",),
    ),
    Topic(
        key="doctor",
        kind="person",
        variants=(
            Variant(
                say="For my back I went to see {a}, who pressed twice and it cracked.",
                ask="Whom did {who} go to see for the back?",
                mean="Which physiotherapist treated {who}'s spine?",
            ),
            Variant(
                say="My back is in the hands of {a} at the moment, every Thursday at noon.",
                ask="In whose hands is {who}'s back at the moment?",
                mean="Who is treating {who}'s spinal pain?",
            ),
        ),
        natural="Who takes care of {who}'s back?",
        lure="It was a pain to hear how that clerk treated the old man.",
        lead=("You are sitting very straight.", "Can you lift that, or shall I?"),
        near=("For teeth I would not go to anyone but {a}.",),
    ),
    Topic(
        key="boat",
        kind="coined",
        variants=(
            Variant(
                say="We painted {a} on the bow in white letters and the dinghy floats.",
                ask="What did {who} paint on the bow of the dinghy in white letters?",
                mean="What name did {who} give to the boat?",
            ),
            Variant(
                say="The dinghy is in the water at last, {a} she is called, and hardly leaks.",
                ask="What is {who}'s dinghy called that hardly leaks?",
                mean="What is the name of {who}'s boat?",
            ),
        ),
        natural="What is {who}'s dinghy called?",
        lure="I forget the name of everyone who ever missed the last boat.",
        lead=("Your hands are full of tar.", "Was that you at the quay?"),
        near=("{other}'s dinghy, the {a}, went down at the mooring.",),
    ),
    Topic(
        key="raffle",
        kind="number",
        variants=(
            Variant(
                say="My raffle ticket was number {a}, and I missed the ham by one.",
                ask="Which number was {who}'s raffle ticket?",
                mean="Which figure did {who} draw in the lottery?",
            ),
            Variant(
                say="Number {a} in the raffle, and all I got for it was a candle.",
                ask="With which number in the raffle did {who} get a candle?",
                mean="What figure was on the lottery coupon of {who}?",
            ),
        ),
        natural="Which raffle number did {who} have?",
        lure="I tried to draw a figure in the sand, it was a lottery of lines.",
        lead=("So, did luck find you?", "What was all that cheering about?"),
        near=("Raffle number {a} won the ham, that was {other} of course.",),
    ),
    Topic(
        key="teacher",
        kind="person",
        variants=(
            Variant(
                say="{a} taught me all I know about sums, with a ruler and peppermints.",
                ask="Who taught {who} sums with a ruler and peppermints?",
                mean="Which person was {who}'s mathematics instructor at school?",
            ),
            Variant(
                say="All my sums I owe to {a}, who gave out peppermints for a right answer.",
                ask="To whom does {who} owe all sums, and got peppermints?",
                mean="What was {who}'s maths teacher named?",
            ),
        ),
        natural="Who taught {who} to do sums?",
        lure="That school is named after a person nobody remembers, some teacher of hygiene.",
        lead=("You added that up in your head?", "Who ever had patience with us?"),
        near=("Handwriting I had with {a}, and it did not help.",),
    ),
    Topic(
        key="exam",
        kind="subject",
        variants=(
            Variant(
                say="My daughter wants to read {a} at university, of all things.",
                ask="What does {who}'s daughter want to read at university?",
                mean="Which degree is {who}'s child planning to take?",
            ),
            Variant(
                say="It will be {a} for my daughter, she got her place at the university.",
                ask="For what did {who}'s daughter get a place at the university?",
                mean="What field has {who}'s child decided to study?",
            ),
        ),
        natural="What does {who}'s daughter study at university?",
        lure="They are planning to take the field behind the mill and study the moles there.",
        lead=("How are the children?", "She must be done with school by now."),
        near=("{other} failed in {a} and opened a pub.",),
    ),
)
