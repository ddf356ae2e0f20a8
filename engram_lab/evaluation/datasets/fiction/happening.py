"""Things that happened once, told with a date that counts from the day of the telling."""

from __future__ import annotations

from typing import Final

from engram_lab.evaluation.datasets.fiction.topics import Happening

__all__ = ["HAPPENINGS"]

HAPPENINGS: Final = (
    Happening(
        key="flood",
        say=(
            "{When} a pipe burst and the cellar stood under water.",
            "The cellar filled up {when}, a pipe had burst.",
        ),
        ask="When did the pipe burst in {who}'s cellar?",
        mean="On what date did {who} have a flood in the basement?",
        later=("I am still carrying buckets up the stairs.", "The insurance wants photographs."),
    ),
    Happening(
        key="licence",
        say=(
            "I passed my driving test {when}, at the third attempt.",
            "{When} I passed the driving test, and the examiner laughed.",
        ),
        ask="When did {who} pass the driving test?",
        mean="On what date did {who} obtain a licence for the car?",
        later=("The driving test feels like ages ago, and I already have a dent.",),
    ),
    Happening(
        key="theft",
        say=(
            "Somebody stole my bicycle {when}, lock and all.",
            "{When} my bicycle was stolen outside the library.",
        ),
        ask="When was {who}'s bicycle stolen?",
        mean="On what date did a thief take {who}'s bike?",
        later=("Without the bicycle I see much more of the town, at least.",),
    ),
    Happening(
        key="birth",
        say=(
            "{When} my niece arrived, seven pounds and furious.",
            "My niece came into the world {when}, furious and pink.",
        ),
        ask="When did {who}'s niece arrive?",
        mean="On what date was the baby in {who}'s family born?",
        later=("My niece has the loudest voice of us all.",),
    ),
    Happening(
        key="operation",
        say=(
            "They took my tonsils out {when}, I can only eat ice.",
            "{When} I had my tonsils out, do not make me laugh.",
        ),
        ask="When did {who} have the tonsils out?",
        mean="On what date did {who} undergo surgery?",
        later=("Without tonsils I sing half a tone lower.",),
    ),
    Happening(
        key="speech",
        say=(
            "{When} I gave my talk at the guild and nobody fell asleep.",
            "I gave my talk at the guild {when}, with shaking knees.",
        ),
        ask="When did {who} give the talk at the guild?",
        mean="On what date did {who} deliver a speech?",
        later=("People still come up to me about the talk.",),
    ),
    Happening(
        key="tree",
        say=(
            "The old pear tree came down {when}, right across the lane.",
            "{When} the storm laid our pear tree across the lane.",
        ),
        ask="When did {who}'s pear tree come down across the lane?",
        mean="On what date did the wind damage {who}'s garden?",
        later=("The pear tree gave us firewood for two winters.",),
    ),
    Happening(
        key="reunion",
        say=(
            "I met my brother again {when}, after nine years.",
            "{When} my brother stood at the door, after nine years.",
        ),
        ask="When did {who} meet the brother again after nine years?",
        mean="On what date did {who} have a reunion with a sibling?",
        later=("My brother and I still do not know what to talk about.",),
    ),
    Happening(
        key="kitchen-fire",
        say=(
            "{When} the frying pan caught fire, the curtains are gone.",
            "The frying pan caught fire {when}, I smell of smoke still.",
        ),
        ask="When did {who}'s frying pan catch fire?",
        mean="On what date was there a blaze in {who}'s kitchen?",
        later=("That frying pan hangs on the wall now, as a warning.",),
    ),
    Happening(
        key="award",
        say=(
            "My marrow took first prize at the show {when}.",
            "{When} I won first prize at the show, with a marrow.",
        ),
        ask="When did {who}'s marrow take first prize at the show?",
        mean="On what date did {who}'s vegetable get an award?",
        later=("The marrow from the show is soup by now.",),
    ),
    Happening(
        key="moving",
        say=(
            "I got the keys to the mill cottage {when} and slept on the floor.",
            "{When} they handed me the keys to the mill cottage.",
        ),
        ask="When did {who} get the keys to the mill cottage?",
        mean="On what date did {who} move to a new home?",
        later=("The mill cottage creaks at night like a ship.",),
    ),
    Happening(
        key="council",
        say=(
            "{When} I gave up my seat on the parish council, just like that.",
            "I gave up the parish council {when}, they will survive.",
        ),
        ask="When did {who} give up the seat on the parish council?",
        mean="On what date did {who} resign from local politics?",
        later=("Nobody from the parish council has written since.",),
    ),
    Happening(
        key="wrist",
        say=(
            "I broke my wrist {when}, on the ice by the pump.",
            "{When} I slipped on the ice and broke my wrist.",
        ),
        ask="When did {who} slip on the ice and break the wrist?",
        mean="On what date did {who} have a fracture?",
        later=("With the wrist in plaster I write like a child.",),
    ),
    Happening(
        key="wallet",
        say=(
            "I lost my wallet {when}, somewhere on the dunes.",
            "{When} I lost my wallet on the dunes, notes and all.",
        ),
        ask="When did {who} lose the wallet on the dunes?",
        mean="On what date did {who}'s purse go missing?",
        later=("A boy brought the wallet back, without the notes.",),
    ),
    Happening(
        key="journalist",
        say=(
            "{When} a journalist rang and asked me about the mine.",
            "A journalist rang me {when}, about the mine.",
        ),
        ask="When did the journalist ring {who} about the mine?",
        mean="On what date was {who} contacted by the press?",
        later=("The journalist printed half of what I said.",),
    ),
    Happening(
        key="minister",
        say=(
            "I shook hands with the minister {when}, at the new lock.",
            "{When} the minister shook hands with me at the lock.",
        ),
        ask="When did {who} shake hands with the minister at the lock?",
        mean="On what date did {who} encounter a politician?",
        later=("The minister has fingers like cold fish, since you ask.",),
    ),
)
