"""Who does what is told: the subject of an active, the agent of a passive, or who is called so.

"Ada leads Heron", "Heron is led by Ada" and "Ada is Heron's lead" have one doer, though the names
stand in another order. A noun in `-ee` names whom something is done to: "Bo is Ada's trainee".

Source: D. Dowty, "Thematic Proto-Roles and Argument Selection", Language 67 (1991).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engram_lab.consolidation.merge.roots import stem

if TYPE_CHECKING:
    from engram_lab.consolidation.merge.stated import Statement

__all__ = ["doer", "doers_differ", "is_undergone", "same_doer"]

_DONE_TO: Final = "ee"
_HAVING: Final = frozenset({"has", "have", "had"})
_OF_CLAUSES: Final = frozenset(
    {
        "that",
        "which",
        "who",
        "whom",
        "whose",
        "where",
        "when",
        "while",
        "because",
        "he",
        "him",
        "his",
        "she",
        "her",
        "they",
        "them",
        "their",
        "it",
        "its",
        "but",
        "if",
        "although",
    }
)
"""Words of another clause, or of somebody who was named before."""


def doer(told: Statement) -> frozenset[str]:
    """Return the roots of the name of whoever does what is told; none where it does not show."""
    if told.passive:
        return _entity(told, told.agent)
    if told.copula >= 0:
        return _called(told)
    if "as" in told.words and told.words & _HAVING:
        return frozenset()  # whoever has another as something may be done to by that one
    first = next((each for each in told.bare if each in told.named), "")
    if not first or (told.roots and told.roots[0] not in _entity(told, first) | {first}):
        return frozenset()
    return _entity(told, first)


def _called(told: Statement) -> frozenset[str]:
    """Return who is called something of somebody: `Ada` in `Ada is the lead of Heron`."""
    owners = [_entity(told, each) for each in told.named if told.marked.get(each) == "of"]
    if not owners or any(told.marked.get(each, "of") != "of" for each in told.named):
        return frozenset()
    rest = [entity for entity in _entities(told) if not any(entity & owner for owner in owners)]
    return rest[0] if len(rest) == 1 else frozenset()


def _entities(told: Statement) -> list[frozenset[str]]:
    return [frozenset(map(stem, each)) for each in told.entities]


def _entity(told: Statement, root: str) -> frozenset[str]:
    found = [each for each in _entities(told) if root in each]
    return found[0] if found else frozenset({root} if root else ())


def _swapped(a: Statement, b: Statement) -> bool:
    """Tell whether one names whom the deed of the other is done to: `trainee`, `trains`."""
    return any(
        word.endswith(_DONE_TO) and stem(word.removesuffix(_DONE_TO)) in other.stems - one.stems
        for one, other in ((a, b), (b, a))
        for word in one.words
    )


def doers_differ(a: Statement, b: Statement) -> bool:
    """Tell whether the doers of both show, and are others, of names that both have."""
    ours, theirs = doer(a), doer(b)
    if not ours or not theirs or not ours <= b.content or not theirs <= a.content:
        return False
    return _is_one(ours, theirs) == _swapped(a, b)


def _is_one(name: frozenset[str], other: frozenset[str]) -> bool:
    """Tell whether two are one name, be it in part: a family has one name in common."""
    return name <= other or other <= name


def same_doer(a: Statement, b: Statement) -> bool:
    """Tell whether the doers of both show, in a clause without another in it, and are the same."""
    if (a.words | b.words) & _OF_CLAUSES:
        return False
    ours, theirs = doer(a), doer(b)
    return bool(ours and theirs) and _is_one(ours, theirs) and not _swapped(a, b)


def is_undergone(passive: Statement, active: Statement) -> bool:
    """Tell whether the first of one undergoes what another does in the other.

    "Bo is employed at Heron" and "Heron employs Bo": no agent is told, but the verb is the same,
    and who comes first is not who does it.
    """
    done = passive.undergone & active.stems
    if passive.agent or not done or active.undergone or active.passive or active.copula >= 0:
        return False
    ours = _entity(passive, next((each for each in passive.bare if each in passive.named), ""))
    theirs = doer(active)
    return bool(ours and theirs) and ours.isdisjoint(theirs) and theirs <= passive.content
