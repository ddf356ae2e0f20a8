"""What people say between the things they have to say."""

from __future__ import annotations

from typing import Final

__all__ = ["ASIDES", "CHATTER", "FAREWELLS", "GREETINGS", "OPENERS", "REACTIONS", "THANKS"]

GREETINGS: Final = (
    "Hello {you}, there you are. It has been a while.",
    "{you}! Come in, sit down, the kettle is on.",
    "Good to see you, {you}. How is everything?",
    "Hi, sorry I am late again.",
    "There you are. I was about to call.",
    "Morning. You look well.",
    "Well, what is new on your side?",
)

THANKS: Final = (
    "Likewise. A lot has happened, I will tell you.",
    "Thanks, {you}, I could do with a cup of something.",
    "Not bad, not bad at all. And with you?",
    "Hello! Busy weeks, but I cannot complain.",
    "Do not worry, I have only just sat down.",
)

FAREWELLS: Final = (
    "I must be off, {you}. Same time in a few weeks?",
    "Right, my bus. Take care of yourself.",
    "Time flies. Greetings to everyone at home.",
    "That was good. Until the next time.",
    "Look at the time. Write to me, {you}.",
)

ASIDES: Final = (
    "I have hardly slept.",
    "It has been one of those weeks.",
    "Sit down for this.",
    "Do not laugh.",
    "I meant to tell you ages ago.",
    "You will not believe it.",
    "Sorry, my mouth is full.",
    "Wait, the kettle.",
    "I cannot stop grinning.",
    "Where was I?",
    "Mind the puddle.",
    "It slipped out of my mind until now.",
    "The tea is cold, never mind.",
    "Hand me the sugar, would you?",
    "My ears are freezing.",
    "You may well frown.",
    "That clock is wrong, surely.",
    "I had to shout over the drill.",
    "Nobody else knows.",
    "It is quite a story.",
    "Is that rain?",
    "I am all thumbs today.",
    "Speak up, there is a lorry outside.",
    "My nose has been running since Easter.",
    "Look at that dog over there.",
    "The waiter has forgotten us, I think.",
    "These chairs are a torment.",
    "Whose hat is this?",
    "I had three sneezing fits on the way here.",
    "There is something in my shoe.",
    "Pass me a napkin, please.",
    "What was that bang?",
    "I left my umbrella on the hook.",
    "My hands are like ice.",
)
"""Said in one breath with something else, so that a turn is about more than one thing."""

OPENERS: Final = (
    "By the way:", "You know,", "Oh, and", "Listen,", "Funny thing:", "Before I forget:", "Anyway,",
    "So,", "Imagine,", "To be honest,", "Guess what,", "Between us,",
)  # fmt: skip

REACTIONS: Final = (
    "Ha, that is so like you.",
    "No! Really?",
    "That sounds about right.",
    "I would not have had the nerve.",
    "Good for you, honestly.",
    "You never told me that.",
    "Well, well. And I had no idea.",
    "I can just see it.",
    "Oh dear, and then?",
    "Lovely, I am glad.",
    "That is news to me.",
    "You should have called me.",
    "I laughed out loud just now.",
    "Some people have all the luck.",
    "It could be worse, I suppose.",
    "Say that again?",
    "My goodness.",
    "I am not surprised at all.",
    "We should drink to that.",
    "Remind me to write that down.",
)

CHATTER: Final = (
    "The fog has not lifted since breakfast.",
    "They are digging up the high street again.",
    "I have been humming the same four notes all day.",
    "The swallows are back, I saw two on the wire.",
    "My umbrella turned inside out at the corner.",
    "Everybody seems to have a cold this month.",
    "The baker has put the prices up once more.",
    "I lost a glove, and of course it was the left.",
    "There was a rainbow over the gasworks.",
    "The queue at the post office went round the block.",
    "I dreamt of a staircase that had no end.",
    "They play nothing but marches on the radio.",
    "The frost got into the pipes of the town hall.",
    "Somebody has painted a face on the letter box.",
    "The moon was enormous last night.",
    "My watch stops whenever I am in a hurry.",
    "There is a new bench by the pond, with a plaque.",
    "I forgot my glasses and read everything twice.",
    "The pigeons have taken over the bandstand.",
    "It smells of snow, mark my words.",
    "The evening paper is thinner every week.",
    "I found a coin from somewhere I cannot read.",
    "The lamp in our street flickers like a signal.",
    "All the good tea is gone from the shop.",
    "There were hailstones like peas this afternoon.",
    "Half the town was at the puppet show.",
    "The gulls woke me at four.",
    "I have a blister from these boots.",
    "They closed the bridge, I had to go round.",
    "The leaves come down faster than one can sweep.",
)
