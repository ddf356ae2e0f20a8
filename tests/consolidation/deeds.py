"""Sentences of deeds and states, by templates, in words that no table of the dream knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ALIKE", "APART", "BESIDE", "CHANGED", "Two"]


class Two(NamedTuple):
    """Two sentences, the older first."""

    older: str
    newer: str


_WHO: Final = ("Ottla", "Bram Hesk", "Yusra", "Pellam", "Ines Korda", "Tove")
_VERBS: Final = (
    ("admires", "photographed"),
    ("varnished", "sketched"),
    ("polishes", "auctioned"),
    ("measured", "envies"),
    ("dusted", "insured"),
    ("dropped off", "catalogued"),
    ("praised", "scratched"),
    ("inherited", "despises"),
    ("weighed", "gilded"),
    ("unwrapped", "mislaid"),
)
_THINGS: Final = (
    "harpsichord",
    "copper kettle",
    "tapestry",
    "oak canoe",
    "marble bust",
    "brass sextant",
    "velvet armchair",
)
_OTHERS: Final = ("anvil", "porcelain vase", "accordion", "wicker basket", "telegraph")
_PLACES: Final = (
    "on the east mole",
    "beside the quarry",
    "behind the old foundry",
    "under the viaduct",
    "in the orangery",
)
_TIMES: Final = ("after the storm", "before the auction", "on Sunday", "during the eclipse")


class _Deed(NamedTuple):
    """What a template may speak of."""

    who: str
    does: str
    did: str
    thing: str
    other: str
    where: str
    there: str
    when: str
    room: int


def _deeds(count: int) -> Iterator[_Deed]:
    """Yield so many deeds; each runs through the lists at a pace of its own."""
    for at in range(count):
        does, did = _VERBS[at % len(_VERBS)]
        yield _Deed(
            _WHO[at % len(_WHO)],
            does,
            did,
            _THINGS[at % len(_THINGS)],
            _OTHERS[at % len(_OTHERS)],
            _PLACES[at % len(_PLACES)],
            _PLACES[(at + 2) % len(_PLACES)],
            _TIMES[at % len(_TIMES)],
            at + 3,
        )


def _filled(older: str, newer: str, count: int, *, skip: int = 0) -> list[Two]:
    """Return pairs by two patterns, of other deeds than the first ones."""
    told = list(_deeds(skip + count))[skip:]
    return [
        Two(older.format(**each._asdict()), newer.format(**each._asdict(), next=93 - each.room))
        for each in told
    ]


APART: Final = (
    Two(
        "Alice admires the old lighthouse on the east mole",
        "Alice photographed the old lighthouse on the east mole",
    ),
    Two(
        "Pia hates a wooden boat near the station in room 11",
        "Pia borrowed a wooden boat near the station in room 11",
    ),
    Two(
        "Finn borrowed the blue lamp after the storm in room 5",
        "Finn hates the blue lamp in the yard in room 5",
    ),
    Two("Ottla approved the budget of Falconet", "Ottla discussed the budget of Falconet"),
    Two("Tove wrote the report on the dam", "Tove reviewed the report on the dam"),
    Two("Yusra bought the mill in Lorn", "Yusra sold the mill in Lorn"),
    *_filled("{who} {does} the {thing} {where}.", "{who} {did} the {thing} {where}.", 20),
    *_filled(
        "{who} {does} the {thing} {where} in room {room}.",
        "{who} {did} the {thing} {where} in room {room}.",
        10,
        skip=3,
    ),
    *_filled(
        "{who} {does} the {thing} {when} in room {room}.",
        "{who} {did} the {thing} {where} in room {room}.",
        10,
        skip=5,
    ),
    *_filled("{who} {does} the {thing} {where}.", "{who} {does} the {other} {where}.", 10),
    *_filled("{who} {does} the {thing} {where}.", "{who} {does} the {thing} {there}.", 10),
    *_filled(
        "In room {room}, {who} {does} the {thing}.", "{who} {did} the {thing} in room {room}.", 8
    ),
    *_filled("{who} sketched the {thing} {where}.", "The {thing} was gilded by {who} {where}.", 7),
    *_filled("The {thing} was sketched by {who}.", "The {thing} was gilded by {who}.", 7),
    *_filled("The porter {does} the {thing} {where}.", "The porter {did} the {thing} {where}.", 6),
    *_filled("The porter {does} the {thing} {when}.", "The porter {did} the {thing} {where}.", 6),
)
"""What differs in the predicate, in the thing or in the place: never one statement."""

ALIKE: Final = (
    *_filled(
        "{who} {does} the {thing} {where}.", "By the way, {who} {does} the {thing} {where}.", 14
    ),
    *_filled(
        "In room {room}, {who} {does} the {thing}.", "{who} {does} the {thing} in room {room}.", 8
    ),
    *_filled("{who} sketched the {thing}.", "The {thing} was sketched by {who}.", 7),
    Two("Ottla varnished the harpsichord.", "The harpsichord was varnished by Ottla."),
    Two(
        "Bram Hesk repaired the kiln in the orangery.", "Bram Hesk fixed the kiln in the orangery."
    ),
    Two("Yusra purchased the oak canoe.", "Yusra bought the oak canoe."),
    Two("Pellam lives in Lorn.", "Pellam resides in Lorn."),
    Two("The locker of Tove has the number 417.", "Tove's locker is number 417."),
    Two("Ines Korda pays 900 crowns rent a month.", "Ines Korda's rent is 900 crowns a month."),
)
"""Two tellings of one statement."""


BESIDE: Final = (
    Two("Jana likes opera in room 83", "Jana borrowed the lamp in room 5"),
    Two(
        "Eva borrowed a wooden boat in the yard in room 16",
        "Eva hates an old violin on Sunday in room 60",
    ),
    Two("Eva hates meetings on Monday", "Eva likes meetings on Friday"),
    *_filled(
        "{who} {does} the {thing} in room {room}.", "{who} {did} the {other} in room {next}.", 9
    ),
    *_filled(
        "{who} {does} the {thing} in room {room}.", "{who} {does} the {other} in room {next}.", 9
    ),
    *_filled(
        "{who} {did} a {thing} {where} in room {room}.",
        "{who} {does} the {other} on Sunday in room {next}.",
        9,
    ),
    *_filled("{who} {does} the {thing} on Monday.", "{who} {did} the {thing} on Friday.", 9),
    *_filled("{who} {does} the {thing} at 9:30.", "{who} {did} the {other} at 17:15.", 9),
    *_filled("{who} sketched {room} of the {thing}s.", "{who} sketched {next} of the {thing}s.", 9),
    *_filled("{who} {does} the {thing} in Lorn.", "{who} {did} the {thing} in Oslo.", 9),
    *_filled(
        "{who} envies the {thing} in room {room}.", "{who} envies the {thing} in room {next}.", 9
    ),
    *_filled(
        "{who} borrowed the {thing} in room {room}.", "{who} owns a new {thing} in room {next}.", 9
    ),
)
"""What holds, or happened, beside the other: neither ends the other."""

CHANGED: Final = (
    Two("Ottla lives in Lorn.", "Ottla lives in Oslo."),
    Two("Bram Hesk works at Korda Ltd.", "Bram Hesk works at Tamsin Works."),
    Two("Yusra's office is room 12.", "Yusra's office is room 31."),
    Two("The rent of Pellam is 900 crowns a month.", "The rent of Pellam is 950 crowns a month."),
    Two("Tove's dentist is Doctor Hesk.", "Tove's dentist is Doctor Korda."),
    Two("The lead of Falconet is Ines Korda.", "The lead of Falconet is Bram Hesk."),
    Two("Ottla pays 40 crowns for the locker.", "Ottla pays 55 crowns for the locker."),
    Two("The deadline of Falconet is 5 May 2031.", "The deadline of Falconet is 9 June 2031."),
    Two("Yusra keeps the sextant in room 12.", "Yusra keeps the sextant in room 31."),
    Two("Falconet runs on version 2.4.1.", "Falconet runs on version 2.6.0."),
    Two("Pellam's extension is 4417.", "Pellam got a new extension: 4980."),
    Two("Bram Hesk lives in house 3.", "Bram Hesk lives in house 8."),
    Two("The choir of Tove meets on Monday.", "The choir of Tove meets on Thursday."),
    Two("The Kestrel library opens at 9:00.", "The Kestrel library opens at 10:30."),
)
"""Where the later value took the place of the earlier one."""
