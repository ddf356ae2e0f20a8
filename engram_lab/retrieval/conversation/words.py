"""Words that stand before names, where names would, or are names and words at once."""

from __future__ import annotations

from typing import Final

__all__ = ["ALSO_WORDS", "CALLS", "GREETINGS", "NO_NAMES", "ROLES", "TITLES"]

_GREETINGS: Final = """
hey hi hello hiya heya howdy yo dear morning afternoon evening hallo hola salut bonjour ciao
welcome
"""
_OTHER_CALLS: Final = """
thanks thank thx ty you sorry congrats congratulations bye goodbye night goodnight cheers danke
gracias merci grazie
"""

# A line or two each: pronouns, and words that ask or point; conjunctions and prepositions; what is
# cried out; what people call each other who have names; times; courtesies; adverbs that begin a
# sentence; praise; verbs; roles.
_NO_NAMES: Final = """
i you he she it we they me us them my your his her our their this that these those here there who
what when where why how which and but or so if then than as at by for from in into of off on out
over to up with without a an the not no nope nah yes yep yeah yup ya ok okay okey sure right true
really well wow whoa woah ooh oh ah aha aw aww ahh hmm hm mm huh ha haha hahaha hehe lol lmao omg
btw fyi tbh imo idk asap oops ouch yay yikes phew ugh gosh god lord jesus goodness heck damn man
men bro brother bruh dude dudes guy guys girl girls boy boys gal buddy bud pal mate friend friends
folks team everyone everybody all both y'all yall anyone someone somebody nobody people sis sister
hon honey babe baby bae dear darling love sweetie sweetheart sweetpea kiddo son mom mum mommy mama
ma mother dad daddy papa pa father grandma grandpa granny boss chief captain doc doctor coach
professor champ legend star hero king queen again too also plus still now soon later today
tomorrow tonight yesterday monday tuesday wednesday thursday friday saturday sunday january
february march july september october november december christmas easter halloween thanksgiving
spring summer autumn fall winter please thanks thank thankyou congrats congratulations cheers
sorry bye goodbye hey hi hello morning evening night goodnight welcome absolutely definitely
totally exactly indeed certainly obviously honestly actually basically seriously literally
personally hopefully luckily fortunately unfortunately sadly anyway anyways anyhow maybe perhaps
probably cool great awesome amazing nice good fine perfect wonderful fantastic excellent brilliant
lovely sweet beautiful gorgeous impressive interesting exciting glad happy sad proud agreed
correct deal done yessir hooray bravo kudos first second third next last finally lastly however
although though because since while meanwhile besides otherwise instead overall speaking looking
just like even only always never sometimes usually often once remember imagine guess look see
listen wait hold come go let's lets keep take have got get do same ditto likewise nothing almost
don't did does is are was were will would can could should might must woohoo
woo yess yasss argh meh pfft shh psst nada touché bingo jackpot
"""

_ALSO_WORDS: Final = """
april art august autumn bill brook buck carol chance chase chip christian clay cliff daisy dale
dawn dean dot drew eve faith fern frank gene glen grace grant harmony hazel heath heather holly
hope iris ivy jack jade jasmine jay jean jewel joy june kit lance laurel lily mark max may melody
miles misty nick norm olive pat pearl penny pierce poppy rain ray reed rich rob robin rocky rose
ruby rusty sandy skip sky sterling sue summer sunny tanner trip tucker victor violet wade ward
wayne will willow woody
"""

GREETINGS: Final = frozenset(_GREETINGS.split())
"""Words that greet whoever is named after them."""

CALLS: Final = GREETINGS | frozenset(_OTHER_CALLS.split())
"""Words that stand before the name of somebody who is called."""

TITLES: Final = frozenset(
    {"aunt", "auntie", "dr", "madam", "miss", "mr", "mrs", "ms", "prof", "sir", "uncle"}
)
"""What stands before a name, and is none alone."""

ROLES: Final = frozenset(
    {"agent", "assistant", "bot", "customer", "guest", "member", "participant", "person"}
    | {"speaker", "user"}
)
"""What a speaker with a number is called, as in `speaker_1`."""

NO_NAMES: Final = frozenset(_NO_NAMES.split())
"""Words that stand where a name would, and are none."""

ALSO_WORDS: Final = NO_NAMES | frozenset(_ALSO_WORDS.split())
"""Names that are words too: in a question these count only where a capital letter says so."""
