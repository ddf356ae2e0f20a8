"""Whether a text can be read as English, and what in it denies in another language.

All that is known of words here is English. In a text of another language a word that no table knows
may be the one that turns all round, so there the words must be the same. And a word that denies, of
whatever common language, is asked for by itself: few are needed, they are of a closed class, and
nothing else shows so surely that two texts are not one statement.

Source: W. B. Cavnar and J. M. Trenkle, "N-Gram-Based Text Categorization" (1994), of the most
frequent words as a sign of the language; M. Haspelmath et al., "The World Atlas of Language
Structures" (2005), chapter 112, of words that deny.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from engram_lab.consolidation.merge.alike import LIGHT, SAME
from engram_lab.consolidation.merge.apart import CLASSES, OPPOSITES
from engram_lab.consolidation.merge.roots import is_known, stem
from engram_lab.consolidation.merge.words import (
    COMMON_OPENERS,
    FREQUENCIES,
    FUNCTION_WORDS,
    MARKERS,
    MODALITIES,
    NEGATIONS,
    PAST,
    QUANTIFIERS,
    UNITS,
    WEEKDAYS,
)

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["denials", "is_english"]


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_DENYING: Final = _set(
    # German, Dutch, Danish, Norwegian, Swedish, Icelandic
    "nicht nichts nie niemals niemand nirgends kein keine keinen keinem keiner keines weder ohne "
    "niet niets nooit niemand nergens geen noch zonder ikke ikkje aldri aldrig ingen intet "
    "ingenting inte icke inga inget utan uden uten ekki "
    # French, Italian, Spanish, Portuguese, Catalan, Romanian, Latin
    "ne pas jamais rien personne aucun aucune ni sans non mai niente nulla nessuno nessuna senza "
    "né nunca jamás nada nadie ningún ninguno ninguna tampoco sin não jamais ninguém nenhum "
    "nenhuma sem mai ningú cap sense nu niciodată nimeni nimic fără "
    # Polish, Czech, Slovak, Croatian, Slovene, Hungarian, Finnish, Estonian, Turkish
    "nie nigdy nikt nic żaden żadna bez není nikdy nikdo nic žádný nema nije nisu nikada niko nič "
    "nem nincs soha senki semmi ei emme ette eivät älä ilman eikä mitte değil yok "
    "hay\u0131r asla "
    # Russian, Ukrainian, Bulgarian, Greek, Indonesian, Vietnamese
    "не нет ни никогда никто ничего нельзя без ні немає ніколи няма никога δεν μη μην όχι ποτέ "
    "χωρίς tidak bukan jangan tanpa không"
) - _set("cap sense personne nu sin")  # fmt: skip
"""Words that deny, but for such as are something else too often."""
_DENYING_SIGNS: Final = (
    "不",
    "没",
    "沒",
    "无",
    "無",
    "未",
    "ない",
    "ません",
    "なかった",
    "않",
    "없",
    "못",
    "아니",
    "नहीं",
    "ไม่",
    "لا",
    "ليس",
    "لم",
    "לא",
    "אין",
)
"""What denies where words are not set apart, or joined to others."""

_FOREIGN: Final = _set(
    "der die das ein eine einen einem einer des dem den und ist sind war waren hat haben wird "
    "werden mit von zu zum zur im am auf für bei aus nach über auch sich er sie es ich du wir "
    "ihr mein dein sein unser wohnt arbeitet "
    "le la les un une du et est sont était a ont avec pour dans sur chez qui que il elle nous vous "
    "mon ma mes son sa ses au aux ce cette "
    "il lo gli i una di del della dei delle è sono era ha hanno con per nel nella che lui lei mio "
    "suo al alla "
    "el los las unos y es son está fue tiene por para en como su sus mi de que se lo "
    "o os as um uma e é são foi tem com não do da dos das no na ao seu sua meu "
    "de het een en van is zijn was heeft met voor op bij uit naar ook hij zij ik wij jij mijn "
    "och är var har med för på av till ett den det som han hon jag vi min sin "
    "og er til av et jeg hun hans hendes "
    "i w z na do się jest są był ma o jak to ten ta je se ve v že si byl má jsou u"
) - _set(
    "a i an am do no me so in on to is was war as at he who on man die der den del son fin per pro "
    "ten sin min as do van o y e u w z v la el ma il se si du es est en de das des os um"
)  # fmt: skip
"""Frequent words of other languages that are no English words, and mostly in no English name."""
_SHORT: Final = 4
_ENDINGS: Final = ("s", "ed", "ing", "ly")
"""Endings of English verbs of one person, of the past, of what goes on; and of adverbs."""
_SHARED: Final = _set("a an in i am no me so per do he die war")
"""English words that are words of other languages as well, and show nothing by themselves."""


@lru_cache(maxsize=1)
def _english() -> frozenset[str]:
    """Return the words that are known to be English."""
    tables = (
        LIGHT,
        CLASSES,
        COMMON_OPENERS,
        FREQUENCIES,
        FUNCTION_WORDS,
        MARKERS,
        MODALITIES,
        NEGATIONS,
        PAST,
        QUANTIFIERS,
        UNITS,
        WEEKDAYS,
    )
    found = {word for table in tables for word in table if len(word) > 1}
    found.update(word for row in SAME for word in row)
    found.update(word for pair in OPPOSITES for side in pair for word in side)
    return frozenset(found) - _SHARED


@lru_cache(maxsize=65_536)
def _looks_english(word: str) -> bool:
    """Tell whether a word is known as English, by itself or its stem, or has an English ending."""
    if word in _SHARED or not word.isascii():
        return False
    if word in _english() or is_known(word) or is_known(stem(word)):
        return True
    return len(word) > _SHORT and word.endswith(_ENDINGS) and not word.endswith("ss")


def is_english(words: Collection[str]) -> bool:
    """Tell whether some words, in small letters and no names, show that a text is English.

    They do where more of them look English than are words of other languages.
    """
    others = (_FOREIGN | _DENYING).intersection(words) - _english()
    return sum(map(_looks_english, set(words) - others)) > len(others)


def denials(text: str, words: Collection[str]) -> frozenset[str]:
    """Return what denies in a text in another language than English.

    Args:
        text: In small letters.
        words: Its words.
    """
    found = _DENYING.intersection(words)
    return found if text.isascii() else found.union(e for e in _DENYING_SIGNS if e in text)
