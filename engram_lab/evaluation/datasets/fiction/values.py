"""What fills the gaps of sentences: lists of our own, and names from `names`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from engram_lab.evaluation.datasets.fiction.dice import Dice
    from engram_lab.evaluation.datasets.fiction.names import Names

__all__ = ["LISTS", "Values"]

LISTS: Final = {
    "instrument": (
        "zither", "hurdy-gurdy", "oboe", "marimba", "bagpipes", "mandolin", "dulcimer", "bassoon",
        "cello", "accordion", "clavichord", "lute", "viola", "tin whistle", "banjo", "harp",
    ),
    "animal": (
        "donkey", "ferret", "tortoise", "goat", "parrot", "hedgehog", "whippet", "rabbit", "mule",
        "gecko", "lurcher", "magpie", "alpaca", "budgerigar", "poodle", "newt",
    ),
    "food": (
        "pickled herring", "lentils", "aubergines", "blue cheese", "coriander", "beetroot", "figs",
        "marzipan", "anchovies", "parsnips", "liquorice", "okra", "celery", "sauerkraut",
        "chestnuts", "rhubarb",
    ),
    "trade": (
        "locksmith", "bookbinder", "beekeeper", "glazier", "translator", "surveyor", "optician",
        "cooper", "piano tuner", "cartographer", "thatcher", "dental nurse", "upholsterer",
        "crane driver", "ferryman", "seed merchant",
    ),
    "colour": (
        "mustard", "lilac", "brick red", "sage green", "turquoise", "ivory", "maroon", "cobalt",
        "apricot", "charcoal", "rust", "lemon", "crimson", "teal", "ochre", "slate",
    ),
    "object": (
        "barometer", "sewing machine", "telescope", "typewriter", "weather vane", "rocking horse",
        "grandfather clock", "microscope", "tapestry", "snow globe", "sundial", "coffee grinder",
        "music box", "sextant", "lantern", "compass",
    ),
    "plant": (
        "quinces", "gooseberries", "artichokes", "sunflowers", "pumpkins", "hops", "leeks",
        "dahlias", "asparagus", "foxgloves", "lavender", "sweet peas", "redcurrants", "tulips",
        "fennel", "radishes",
    ),
    "sport": (
        "fencing", "rowing", "badminton", "archery", "curling", "judo", "croquet", "bouldering",
        "water polo", "squash", "handball", "ice skating", "orienteering", "table tennis",
        "netball", "trampolining",
    ),
    "day": (
        "Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays",
    ),
    "when": (
        "yesterday", "last Tuesday", "two days ago", "the day before yesterday", "on Saturday",
        "last Thursday", "three days ago", "a week ago today", "last Monday", "five days ago",
        "the Friday before last", "a fortnight ago",
    ),
    "fear": (
        "spiders", "thunder", "heights", "lifts", "needles", "moths", "deep water", "the dark",
        "geese", "clowns", "tunnels", "wasps", "ladders", "fireworks", "mice", "escalators",
    ),
    "subject": (
        "marine biology", "Sanskrit", "metallurgy", "hydrology", "fresco painting", "soil science",
        "musicology", "meteorology", "nautical history", "phonetics", "topology", "ceramics",
        "toxicology", "heraldry", "optics", "numismatics",
    ),
}  # fmt: skip

_MONEY_STEP: Final = 10


class Values:
    """Gives the values of one conversation, each once.

    Args:
        dice: What decides.
        names: Where names come from; they are given once over all conversations.
    """

    def __init__(self, dice: Dice, names: Names) -> None:
        self._dice = dice
        self._names = names
        self._left = {kind: dice.under(kind).shuffled(LISTS[kind]) for kind in sorted(LISTS)}
        self._numbers: set[int] = set()

    def new(self, kind: str) -> str:
        """Return another value of a kind: a list, `person`, `town`, `coined`, `number`, `money`."""
        if kind in {"number", "money"}:
            return self._number(kind)
        if kind not in LISTS:
            return self._names.new(kind)
        if not self._left[kind]:  # used up: a conversation that takes this many may say one again
            self._left[kind] = self._dice.under(kind).shuffled(LISTS[kind])
        return self._left[kind].pop()

    def _number(self, kind: str) -> str:
        while True:
            number = 12 + self._dice.below(86)
            if number not in self._numbers:
                self._numbers.add(number)
                return str(number if kind == "number" else number * _MONEY_STEP)
