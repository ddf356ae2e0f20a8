"""What people do to things, and feel for them: deeds side by side, alike but for what is done.

Two deeds of one person with one thing, in one room, are two statements however near their words
are; and what is done in one room ends nothing that is done in another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from engram_lab.evaluation.consolidation.world.stories import DAYS, moment
from engram_lab.evaluation.consolidation.world.wording import sentence

if TYPE_CHECKING:
    from engram_lab.evaluation.consolidation.world.stories import Draft, Teller

__all__ = ["deeds"]


class _Deed(NamedTuple):
    """A verb, as it stands in an active and in a passive."""

    does: str
    is_done: str


_DEEDS: Final = tuple(
    _Deed(*row.split(","))
    for row in (
        "admires,is admired",
        "photographed,was photographed",
        "mended,was mended",
        "despises,is despised",
        "dusted,was dusted",
        "weighed,was weighed",
        "misses,is missed",
        "scratched,was scratched",
        "praised,was praised",
        "covets,is coveted",
        "sketched,was sketched",
        "auctioned,was auctioned",
        "polishes,is polished",
        "mislaid,was mislaid",
        "inspects,is inspected",
        "varnished,was varnished",
    )
)
_THINGS: Final = (
    "the harpsichord", "the oak canoe", "a brass sextant", "the marble bust", "an old tapestry",
    "the anvil", "a porcelain vase", "the wicker basket", "the velvet armchair", "a copper kettle",
    "the telegraph", "an ivory flute", "the sledge", "a stuffed heron", "the stone lantern",
    "the wooden crib",
)  # fmt: skip
_WHERE: Final = (
    "beside the quarry", "behind the old foundry", "under the viaduct", "after the storm",
    "before the raffle", "next to the orchard", "during the eclipse", "opposite the mill",
)  # fmt: skip
_SAYS: Final = (
    "{who} {does} {thing} {where} in room {room}.",
    "{who} {does} {thing} {where}, in room {room}.",
    "In room {room}, {who} {does} {thing} {where}.",
    "{thing} {is_done} by {who} {where} in room {room}.",
)


def deeds(teller: Teller) -> None:
    """Tell of two deeds with one thing in one room, and of another with another thing elsewhere."""
    dice = teller.dice.under("deeds")
    first, second, third = dice.shuffled(_DEEDS)[:3]
    thing, other = dice.shuffled(_THINGS)[:2]
    here, there = dice.shuffled(_WHERE)[:2]
    room = 2 + dice.below(90)
    day = dice.below(DAYS - 40)
    dated = dice.holds(50)
    told: list[Draft] = []
    for place, (deed, what, where, number) in enumerate(
        (
            (first, thing, here, room),
            (second, thing, there if dice.holds(40) else here, room),
            (third, other, there, room + 1 + dice.below(9)),
        )
    ):
        happened = day + (0 if place < 2 else 1 + dice.below(30))  # noqa: PLR2004 - on one day
        at = moment(happened) if dated else None
        fact = teller.fact(f"deed-{deed.does}", "deed", None, begins=moment(happened))
        gaps = {
            "who": teller.name,
            "thing": what,
            "where": where,
            "room": str(number),
            "does": deed.does,
            "is_done": deed.is_done,
        }
        words = dice.below(len(_SAYS) - 1)
        draft = teller.tell(sentence(_SAYS[words], **gaps), fact, happened, at)
        told.append(draft)
        if dice.holds(40):
            again = (words + 1 + dice.below(len(_SAYS) - 1)) % len(_SAYS)
            teller.tell(sentence(_SAYS[again], **gaps), fact, happened + 1 + dice.below(8), at)
    teller.book.near.append((told[0], told[1], "deed"))
