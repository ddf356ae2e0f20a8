"""Whether something fills its place alone: what is told of it cannot hold of another too.

Who is told by a definite description holds alone ("the lead of Heron is Ada", "Ada's dentist is
Okri"), and so does what stands in a predicate of state, with its preposition ("Ada lives in Lyon").
The objects of a verb may be several ("Ada plays the cello"), and so may those of whom something
indefinite is said ("Ada is a member").

Source: B. Russell, "On Denoting", Mind 14 (1905): a definite description denotes one thing alone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from engram_lab.consolidation.supersede.forms import root
from engram_lab.consolidation.supersede.words import (
    BOUND_STATES,
    FRESH,
    HABITS,
    PLURAL_RELATIONS,
)

if TYPE_CHECKING:
    from engram_lab.consolidation.supersede.frames import Filler, Frame
    from engram_lab.consolidation.supersede.pairs import Pair

__all__ = ["described", "name_alone", "of_many", "stands_by_itself", "words_alone"]

_PLACING: Final = frozenset(
    {"in", "at", "on", "for", "to", "with", "from", "near", "into", "under", "as"}
)
_CALLED: Final = frozenset({root("name"), root("called")})
_OWNED: Final = frozenset({root("property")})
_JOINED: Final = root("join")
_IDENTIFIES: Final = re.compile(r"X is (?:where|what|who|when|the) ")
_AIMS: Final = re.compile(r"to [a-z]+ ")
_GETS_IN: Final = re.compile(
    r"(?:you|we|one) (?:can )?"
    r"(?:(?:get|log|sign|go) (?:in|into|onto|to)|open|unlock|enter|access|reach|connect) "
)
_MEANS: Final = frozenset({"with", "by", "under", "through", "via"})
_SURE: Final = 0.8
_DOUBTFUL: Final = 0.6


def name_alone(frame: Frame, pair: Pair, side: int) -> float:
    """Return how sure it is that the only other name of a frame fills its place alone, 0 to 1.

    Args:
        frame: Which.
        pair: In which it stands.
        side: 0 if it is the older, 1 if it is the newer.
    """
    told = (pair.names_a, pair.names_b)[side]
    if len(told) != 1 or frame.exists:
        return 0.0
    value, topics = told[0], [each[side] for each in pair.shared]
    if of_many(frame) or value.role == "owner" or value.indefinite:
        return 0.0
    of_others = value.role == "marked" and not value.late and all(each.late for each in topics)
    the_only = _as_only_one(frame, value, topics) & pair.older.content & pair.newer.content
    if the_only or value.beside & _CALLED:
        return _SURE
    told_may = frame.may and not pair.cued and value.role not in {"subject", "complement"}
    if of_others or told_may:
        return 0.0  # `the home of Ada is Oslo`, and of others; `can be used by Ada`, and by others
    return _SURE if _instructed(frame, value) else _by_part(frame, value, topics)


def _by_part(frame: Frame, value: Filler, topics: list[Filler]) -> float:
    """Return how sure it is by the part that the name plays."""
    if value.role == "marked":
        return _marked_alone(frame, value, topics)
    alone = {"subject": _subject_alone, "object": _object_alone}.get(value.role)
    return _SURE if alone is None or alone(frame, value, topics) else 0.0


def _as_only_one(frame: Frame, value: Filler, topics: list[Filler]) -> frozenset[str]:
    """Return what a name is called that tells it as the only one: `the dentist Okri`.

    That something is called a library, as in `the Okri library`, or is the app that is sold in
    some place, does not say that there is no other.
    """
    if value.role == "subject" and all(each.role == "marked" for each in topics):
        return frozenset()
    return value.beside - {root(word) for word in frame.beside_names}


def _instructed(frame: Frame, value: Filler) -> bool:
    """Tell whether it says how something is done or got into, and the value is what does it.

    An instruction gives the way: "to open the vault, press the button", "you get into it with a
    key". What is only worth doing is none: "to see the harbour, visit the tower".
    """
    here = {word for each in frame.runs if each.clause == value.clause for word in each.value}
    if value.role not in {"object", "marked"} or here & HABITS:
        return False
    aims = _AIMS.match(frame.text) and value.clause > 0 and value.role == "object"
    return bool(aims or (value.marker in _MEANS and _GETS_IN.match(frame.text)))


def of_many(frame: Frame) -> bool:
    """Tell whether it speaks of what one may have several of, and not of a thing of that sort."""
    sorts = {root(word) for word in frame.beside_names}
    return bool((frame.content - sorts) & PLURAL_RELATIONS)


def _is_owned(topics: list[Filler]) -> bool:
    return any(each.role == "owner" or each.marker == "of" for each in topics)


def _subject_alone(frame: Frame, value: Filler, topics: list[Filler]) -> bool:
    """Tell whether a subject does alone what is told: leads, owns, mentors; not likes, lives in."""
    if stands_by_itself(frame, value):
        return bool(frame.cues & FRESH)  # `Ada has a new dentist: Okri`
    if _as_what(frame) and not frame.copula:
        return False  # `as a lead, Ada has Okri`
    if frame.copula and value is frame.names[0] and _IDENTIFIES.match(frame.text):
        return True  # `Oslo is where Ada lives`
    if _is_owned(topics):
        return True
    if all(each.late for each in topics):
        return False  # `whom Ada works for is Okri`: of several that is so
    return any(each.role == "object" for each in topics) and not frame.content & HABITS


def _object_alone(frame: Frame, value: Filler, topics: list[Filler]) -> bool:
    """Tell whether there is but one object: who is called so, had as something, or joined."""
    if all(each.late for each in topics) and not value.late:
        return False
    if _as_what(frame) and frame.names[-1] is value:
        return True  # `Heron has Okri as its lead`
    if _JOINED in frame.content:
        return True
    return _is_owned(topics) and frame.copula and not frame.content & HABITS


def _marked_alone(frame: Frame, value: Filler, topics: list[Filler]) -> float:
    """Return how sure it is that what a preposition marks holds alone."""
    if value.marker == "by":
        return 0.85
    if value.marker == "of":
        owned = frame.copula and frame.content & _OWNED  # `is the property of Okri`
        return 0.75 if owned and not _is_owned(topics) else 0.0
    if value.marker not in _PLACING:
        return 0.0
    if frame.content & BOUND_STATES:
        return 0.85
    if value.marker == "to" and frame.cues & FRESH:
        return _SURE
    return 0.0 if frame.content & HABITS else _DOUBTFUL


def words_alone(frame: Frame, value: Filler) -> bool:
    """Tell whether a run of words fills its place alone."""
    if frame.cues & FRESH and stands_by_itself(frame, value):
        return True
    if value.definite and len(value.value) > 1 and value.role == "object":
        return True  # `has the colour teal`
    if value.marker == "with" and _follows_definite(frame, value):
        return True  # `takes the dish with figs`
    if not frame.copula:
        return value.role == "marked" and bool(frame.content & BOUND_STATES)
    return value.role in {"complement", "subject"} or (
        value.role == "marked" and value.marker in _PLACING | {"by", "of"}
    )


def _follows_definite(frame: Frame, value: Filler) -> bool:
    at = next(at for at, each in enumerate(frame.runs) if each is value)
    return at > 0 and frame.runs[at - 1].definite and frame.runs[at - 1].clause == value.clause


def described(frame: Frame, value: Filler) -> bool:
    """Tell whether it says what something definite is: `the job of Ada is`, `Ada's job is`."""
    places = {"subject", "marked"}
    return frame.copula and (
        any(each.role == "owner" or each.marker == "of" for each in frame.names)
        or any(each.definite and each.role in places and each is not value for each in frame.runs)
    )


def stands_by_itself(frame: Frame, value: Filler) -> bool:
    """Tell whether a clause has nothing but this in it."""
    rest = (*frame.names, *frame.figures, *frame.runs)
    return sum(each.clause == value.clause for each in rest) == 1


def _as_what(frame: Frame) -> bool:
    return any(each.marker == "as" for each in frame.runs)
