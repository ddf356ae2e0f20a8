"""What words are compared by here: rows of like words, but for such as have too many meanings."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from engram_lab.consolidation.merge.roots import root as row_of
from engram_lab.consolidation.merge.roots import stem

__all__ = ["root"]

_AMBIGUOUS: Final = frozenset(
    {"run", "runs", "running", "state", "states", "set", "sets", "stand", "stands", "sit", "sits"}
    | {"phone", "telephone", "name", "names", "called", "named"}
)
"""Words of too many meanings to be put into one row with others; see `merge.roots`."""
_BEING: Final = "ership"
"""How a word ends that says of what somebody is that it is so: `ownership` of an owner."""
_IRREGULAR: Final = {
    form: verb
    for verb, *forms in (
        row.split()
        for row in """
        keep kept
        sell sold
        hold held
        stand stood
        lend lent
        leave left
        know known knew
        see seen saw
        take taken took
        give given gave
        find found
        run ran
        hang hung
        sit sat
        bring brought
        sleep slept
        wear worn wore
        drive driven drove
        lie lay lain
        lose lost
        win won
        break broken broke
        pay paid
        sing sung sang
        swim swam
        fly flown flew
        ride ridden rode
        steal stolen stole
        catch caught
        """.strip().splitlines()
    )
    for form in forms
}
"""Forms of some verbs that have no stem in common with them."""


@lru_cache(maxsize=65_536)
def root(word: str) -> str:
    """Return what a word is compared by, in whatever form it stands."""
    word = _IRREGULAR.get(word, word)
    if word.endswith(_BEING):
        word = word.removesuffix("ship")
    return stem(word) if word in _AMBIGUOUS else row_of(word)
