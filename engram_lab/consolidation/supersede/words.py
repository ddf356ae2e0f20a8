"""English words that tell whether an attribute holds one value at a time, and that it changed.

Tables of our own, of closed classes as far as there are any: a word that is missing costs an
update, not a memory.
"""

from __future__ import annotations

from typing import Final

from engram_lab.consolidation.merge.words import PAST
from engram_lab.consolidation.supersede.forms import root

__all__ = [
    "ASIDE",
    "BOUND_STATES",
    "CHANGE",
    "CORRECTING",
    "ENDED",
    "FRESH",
    "GENERIC",
    "HABITS",
    "HAPPENED",
    "MORE",
    "OLD_MARKERS",
    "PARTITIVES",
    "PLURAL_RELATIONS",
    "QUALIFIERS",
    "REPLACING",
    "REPLACING_PHRASES",
    "SETTLING",
    "WRONG",
]


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


def _roots(words: str) -> frozenset[str]:
    return frozenset(root(word) for word in words.split())


ASIDE: Final = _set(
    "up way fyi btw record say says said saying know knows mention mentioned told tell remember "
    "remind reminder reminded note noted self update updated correction corrected corrects "
    "earlier thing things case forget forgot forgotten wondered wondering completeness entry "
    "old late new news changed change changes wrong right mistake mistaken sorry actually well "
    "listen heard hear info information heads attention please again before more so was gave "
    "give given asked noticed turns out apparently anyway oh ok okay ps true false longer "
    "important quick short post meant incorrect error erratum fix instead now today recently "
    "lately meanwhile latest previously far also incidentally basically clear worth good repeat "
    "come think here ago i you me my we it that this what one there as for in to of by the a an "
    "and or is are be been have has had did do does just never not if scratch mixed mix "
    "misheard misread typo strike oops apologies confused found letter notes diary going "
    "through reading mail message about disregard ignore got plan plans"
)
"""Words of which remarks about a telling are made: such a clause says nothing of its subject."""

CHANGE: Final = _set(
    "now moved changed switched switches updated became becomes become rescheduled postponed "
    "raised rose risen increased decreased dropped fell lowered reduced correction corrected "
    "instead since transferred replaced replaces extended shortened recently anymore longer new "
    "latest renamed relocated promoted swapped meanwhile henceforth nowadays onwards grew grown "
    "shrunk gone went up down wrong mistaken onward starting update news taken over left passed "
    "handed succeeded succeeds quit resigned upgraded downgraded converted turned cut doubled "
    "halved reassigned repainted refitted changes shifted"
)
"""Words by which a telling says that something is not as it was; weak ones count with more."""

FRESH: Final = _set(
    "now instead anymore longer new latest correction corrected changed switched moved replaced "
    "replaces since became rescheduled postponed raised lowered reduced increased renamed "
    "relocated transferred wrong updated update news repainted henceforth nowadays change given "
    "swapped exchanged passed handed reset renewed promoted taken reassigned upgraded "
    "downgraded went switches moves"
)
"""Those of them that say so by themselves."""

SETTLING: Final = _set(
    "joined approved agreed fixed appointed assigned scheduled decided promised settled borrowed "
    "named elected set registered painted dyed"
)
"""Verbs of the past that tell what holds since then."""

CORRECTING: Final = _set(
    "correction corrected correct corrects wrong mistake mistaken sorry actually scratch mixed "
    "error erratum incorrect misheard misread typo strike oops apologies confused disregard "
    "ignore retract"
)
"""Words by which a telling puts right what was told before, of whatever time that was."""

OLD_MARKERS: Final = _set(
    "from than replaces replaced replacing succeeds succeeded after left quit"
)
"""Words right before what held until now, where what holds is told as well."""

ENDED: Final = _set("anymore longer formerly previously once ex ended")
"""Words of a clause that tells what held until now."""

WRONG: Final = _set("wrong mistaken incorrect")
"""Words of a clause whose figures never held."""

REPLACING: Final = _set("replaced replaces replacing succeeded succeeds supersedes superseded")
REPLACING_PHRASES: Final = (("taken", "over"), ("took", "over"), ("takes", "over"))

PARTITIVES: Final = _set(
    "also too among amongst another other others some several various include includes included "
    "including contain contains comprise comprises consist consists list lists besides "
    "additionally many few example examples such"
)
"""Words by which a telling says that there may be more of what it tells."""

MORE: Final = _set("also too another additionally besides moreover furthermore")
"""Those of them that say so of the whole telling."""

HAPPENED: Final = PAST | _set(
    "brought beat bit blew bred built burnt caught clung crept dealt dug drew dreamt dwelt fed "
    "fought fled flung forbade forgave froze ground hid hung knelt laid leant leapt learnt lit "
    "meant overcame paid proved rang read rid rose sought shook shone shot shrank slid smelt "
    "sped spelt spilt spun split spoilt sprang stank stuck stung struck swore swept swung tore "
    "thrust trod wept withdrew wound drank sank swam shut sewed showed drove"
) - _set("built shut split ground read rid rose meant wound left")
"""Irregular verbs of what happened."""

HABITS: Final = _roots(
    "like love enjoy adore hate dislike loathe play speak sing know visit travel trip test "
    "review collect read watch see seen meet attend sell offer host exhibit show shows teach "
    "study learn course class practise practice recommend beat win lose buy bought see watch "
    "cook bake drink eat grow help talk mention want wish hope plan try avoid fear use stock "
    "allergic support include train sport hobby instrument language tongue permission allow"
)
"""Roots of what one may do with several things at a time."""

PLURAL_RELATIONS: Final = _roots(
    "brother sister friend son daughter child kid cousin colleague hobby pet language skill "
    "interest member example part uncle aunt neighbour neighbor cat dog idea reason problem "
    "advantage step ingredient feature customer partner student book film song allergy symptom "
    "sibling grandchild nephew niece fan package library instrument exhibit"
)
"""Roots of what one may have several of."""

GENERIC: Final = _roots(
    "number name time value date day kind way thing place people person man woman new old "
    "current currently now say call use get go come take make made do need put want year week "
    "month hour minute today always usual usually known yes"
)
"""Roots that name no attribute by themselves."""

QUALIFIERS: Final = _set(
    "work private personal business office mobile landline spare backup emergency second "
    "third secondary primary maximum minimum max min average gross net upper lower inner outer "
    "front rear left right junior senior former future"
)
"""Words before an attribute that make it another one."""

BOUND_STATES: Final = _roots(
    "live reside work based base belong report stay stand stands located situated kept stored "
    "keep park parked moor moored lodge home employ employed employer assign assigned register "
    "registered married engaged lead led manage managed own owned run headed head chair build "
    "built deploy deployed host hosted rent lent loan borrow contract mentor coach supervise "
    "responsible"
)
"""Roots of how things stand by place, post or bond: with a preposition before the other side."""
