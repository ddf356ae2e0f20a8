"""What a dream closed, and by what it says it was replaced: how much of that is so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engram_lab.evaluation.consolidation.asking import WORKSPACE
from engram_lab.evaluation.consolidation.outcome import Observed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engram_lab.evaluation.consolidation.asking import Standing
    from engram_lab.evaluation.consolidation.filling import Play
    from engram_lab.evaluation.consolidation.world.told import Fact

__all__ = ["SUPERSEDES", "closed", "replaced"]

SUPERSEDES: Final = "supersedes"
"""The type of the links from what holds to what held."""

_LASTING: Final = ("single", "beside", "occasion", "bond", "deed")
_CHANGING: Final = ("version", "leaning")


def closed(play: Play, stands: Standing, *, system: str) -> Iterator[Observed]:
    """Yield whether a fact that holds was closed: whether no memory of it is open any more.

    `wrongly_closed` is of all facts that nothing replaced, `wrongly_closed.beside` of those that
    hold beside others of their kind, `wrongly_closed.deed` of what people do to things, and so on
    by sort.
    """
    columns = play.engine.store.dreams.columns(WORKSPACE)
    ended = columns.valid_to < play.world.now.timestamp()
    open_ = {
        id_
        for id_, over, hidden in zip(columns.ids, ended, columns.archived, strict=True)
        if not over and not hidden
    }
    for key, tellings in play.world.tellings().items():
        fact = play.world.facts[key]
        if fact.sort not in _LASTING or not fact.holds:
            continue
        ids = {play.ids[each.key] for each in tellings}
        value = float(not any(stands.survivor(id_) in open_ for id_ in ids))
        yield Observed(system, "wrongly_closed", key, fact.entity, value)
        yield Observed(system, f"wrongly_closed.{fact.sort}", key, fact.entity, value)


def replaced(play: Play, *, system: str) -> Iterator[Observed]:
    """Yield which of the links from newer to older are right, and which outdated memories have one.

    `supersede_precision` is by link: right where both tell of one thing that changes and the newer
    tells what held later, or what was put right. `supersede_recall` is by memory that tells what
    ceased to hold: whether a right link ends at it, or it is hidden.
    """
    dreams = play.engine.store.dreams
    columns = dreams.columns(WORKSPACE)
    keys = {id_: key for key, id_ in play.ids.items()}
    key_of = {
        place: keys.get(id_) for place, id_ in zip(columns.keys.tolist(), columns.ids, strict=True)
    }
    fact_of = {each.key: play.world.facts[each.fact] for each in play.world.told}
    hidden = {id_ for id_, gone in zip(columns.ids, columns.archived, strict=True) if gone}
    links = dreams.links(WORKSPACE, types=(SUPERSEDES,))
    done: set[str] = set()
    for start, end in zip(links.from_keys.tolist(), links.to_keys.tolist(), strict=True):
        newer, older = key_of[start], key_of[end]
        if newer is None or older is None:
            continue
        right = _replaces(fact_of[newer], fact_of[older])
        unit = f"{newer}>{older}"
        yield Observed(system, "supersede_precision", unit, fact_of[older].entity, float(right))
        if right:
            done.add(older)
    for told in play.world.told:
        fact = fact_of[told.key]
        if fact.sort in _CHANGING and not fact.holds:
            value = float(told.key in done or play.ids[told.key] in hidden)
            yield Observed(system, "supersede_recall", told.key, told.entity, value)


def _replaces(newer: Fact, older: Fact) -> bool:
    """Tell whether one fact took the place of another, at once or by those between them."""
    if newer.slot != older.slot or newer.sort not in _CHANGING or older.ends is None:
        return False
    return newer.key != older.key and newer.begins >= older.ends
