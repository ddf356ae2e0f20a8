"""The irregular verbs of English, by form: a closed class."""

from __future__ import annotations

from typing import Final

__all__ = ["IRREGULAR", "PASTS"]

_ROWS: Final = """
arise arose arisen
beat beat beaten
become became become
begin began begun
bend bent bent
bite bit bitten
bleed bled bled
blow blew blown
break broke broken
breed bred bred
bring brought brought
build built built
burn burnt burnt
buy bought bought
catch caught caught
choose chose chosen
cling clung clung
come came come
creep crept crept
deal dealt dealt
dig dug dug
draw drew drawn
dream dreamt dreamt
drink drank drunk
drive drove driven
eat ate eaten
fall fell fallen
feed fed fed
feel felt felt
fight fought fought
flee fled fled
fly flew flown
forbid forbade forbidden
forget forgot forgotten
forgive forgave forgiven
freeze froze frozen
get got gotten
give gave given
go went gone
grow grew grown
hang hung hung
hear heard heard
hide hid hidden
hold held held
keep kept kept
kneel knelt knelt
know knew known
lay laid laid
learn learnt learnt
leave left left
lend lent lent
lose lost lost
make made made
mean meant meant
meet met met
pay paid paid
ride rode ridden
ring rang rung
run ran run
say said said
see saw seen
seek sought sought
sell sold sold
send sent sent
shake shook shaken
shine shone shone
shoot shot shot
show showed shown
shrink shrank shrunk
sing sang sung
sink sank sunk
sit sat sat
sleep slept slept
slide slid slid
speak spoke spoken
spend spent spent
spin spun spun
stand stood stood
steal stole stolen
stick stuck stuck
sting stung stung
strike struck struck
swear swore sworn
sweep swept swept
swim swam swum
swing swung swung
take took taken
teach taught taught
tear tore torn
tell told told
think thought thought
throw threw thrown
understand understood understood
wake woke woken
wear wore worn
weave wove woven
weep wept wept
win won won
write wrote written
"""
_VERBS: Final = tuple(tuple(row.split()) for row in _ROWS.strip().splitlines())

IRREGULAR: Final = {form: verb for verb, *forms in _VERBS for form in forms if form != verb}
"""By form of the past, the verb; without such as are mostly another word."""

PASTS: Final = frozenset(past for verb, past, _ in _VERBS if past != verb)
"""Forms that tell of what was by themselves."""
