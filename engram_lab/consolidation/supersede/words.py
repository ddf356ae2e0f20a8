"""English words that tell whether an attribute holds one value at a time, and that it changed.

Tables of our own, of closed classes as far as there are any: a word that is missing costs an
update, not a memory.
"""

from __future__ import annotations

from typing import Final

from engram_lab.consolidation.merge.roots import stem

__all__ = [
    "ASIDE",
    "BOUND_STATES",
    "CHANGE",
    "ENDED",
    "FRESH",
    "GENERIC",
    "HABITS",
    "OLD_MARKERS",
    "PARTITIVES",
    "PLURAL_RELATIONS",
    "REPLACING",
    "REPLACING_PHRASES",
]


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


def _stems(words: str) -> frozenset[str]:
    return frozenset(stem(word) for word in words.split())


ASIDE: Final = _set(
    "way fyi btw record say says said saying know knows mention mentioned told tell remember "
    "remind reminder reminded note noted self update updated correction corrected corrects earlier "
    "thing things case forget forgot forgotten wondered wondering completeness entry old late new "
    "news changed change changes wrong right mistake mistaken sorry actually well listen heard hear "
    "info information heads attention please again before more so was gave give given asked noticed "
    "turns out apparently anyway oh ok okay ps true false longer important quick short post meant "
    "incorrect error erratum fix instead now today recently lately meanwhile latest previously far "
    "also incidentally basically clear worth good repeat come think here ago i you me my we it that "
    "this what one there as for in to of by the a an and or is are be been have has had did do does "
    "just never not if never-mind"
)
"""Words of which remarks about a telling are made: such a clause says nothing of its subject."""

CHANGE: Final = _set(
    "now moved changed switched switches updated became becomes become rescheduled postponed raised "
    "rose risen increased decreased dropped fell lowered reduced correction corrected instead since "
    "transferred replaced replaces extended shortened recently anymore longer new latest renamed "
    "relocated promoted swapped meanwhile henceforth nowadays onwards grew grown shrunk gone went "
    "up down wrong mistaken onward starting update news taken over left passed handed succeeded "
    "succeeds quit resigned upgraded downgraded converted turned cut doubled halved reassigned "
    "repainted refitted brought changes shifted"
)
"""Words by which a telling says that something is not as it was; weak ones count with more."""

FRESH: Final = _set(
    "now instead anymore longer new latest correction corrected changed switched moved replaced "
    "replaces since became rescheduled postponed raised lowered reduced increased renamed relocated "
    "transferred wrong updated update news repainted henceforth nowadays"
)
"""Those of them that say so by themselves."""

OLD_MARKERS: Final = _set("from than replaces replaced replacing succeeds succeeded after left quit")
"""Words right before what held until now, where what holds is told as well."""

ENDED: Final = _set("anymore longer formerly previously once ex wrong mistaken incorrect gave ended")
"""Words of a clause that tells what held until now."""

REPLACING: Final = _set("replaced replaces replacing succeeded succeeds supersedes superseded")
REPLACING_PHRASES: Final = (("taken", "over"), ("took", "over"), ("takes", "over"))

PARTITIVES: Final = _set(
    "also too among amongst another other others some several various include includes included "
    "including contain contains comprise comprises consist consists list lists besides additionally "
    "either both many few each every any all more further part parts member members example "
    "examples such"
)
"""Words by which a telling says that there may be more of what it tells."""

HABITS: Final = _stems(
    "like love enjoy adore hate dislike loathe play speak sing know knows own visit travel trip "
    "collect read watch see seen meet attend sell offer host exhibit show shows teach study learn "
    "course class practise practice recommend beat win lose lend borrow buy cook bake drink eat "
    "grow help talk mention want wish hope plan try avoid fear use stock allergic support include "
    "train sport hobby instrument language tongue permission allow"
)
"""Stems of what one may do with several things at a time."""

PLURAL_RELATIONS: Final = _stems(
    "brother sister friend son daughter child kid cousin colleague hobby pet language skill "
    "interest member example part uncle aunt neighbour neighbor cat dog idea reason problem "
    "advantage step ingredient feature customer partner student employee book film song trip visit "
    "allergy symptom sibling grandchild nephew niece fan package library instrument exhibit thing "
    "town city one"
)
"""Stems of what one may have several of."""

GENERIC: Final = _stems(
    "number name time value date day kind way thing place people person man woman team new old "
    "current currently now house say call use get go come take have has make made do need put set "
    "keep want year week month hour minute today always usual usually known"
)
"""Stems that name no attribute by themselves."""

BOUND_STATES: Final = _stems(
    "live reside work based base belong report stay stand stands located situated kept stored keep "
    "park parked moor moored lodge home employ employed employer assign assigned register registered "
    "married engaged lead led manage managed own owned run headed head chair build built deploy "
    "deployed host hosted rent lent loan borrow contract mentor coach supervise responsible"
)
"""Stems of how things stand by place, post or bond: with a preposition before the other side."""
