"""What a turn says, apart from who says it: its length, whether it asks, whether it shows."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

__all__ = ["Said"]

_WORD: Final = re.compile(r"\w+")
_ASKS: Final = re.compile("[?\u061f\u2047\uff1f]\\W*$")
_SHOWN: Final = (
    r"\b(?:images?|photos?|photographs?|pictures?|pics?|screenshots?|gifs?|videos?|attachments?)\b"
)
_MARKER: Final = re.compile(
    rf"(?:\[[^\[\]]*{_SHOWN}[^\[\]]*\]"  # [shares image: a cat], [photo]
    rf"|\(\s*(?:(?:shares?|sends?|attach\w*)\s+)?(?:an?\s+)?{_SHOWN}\s*:[^()]*\)"  # (photo: a cat)
    rf"|<[^<>]*(?:{_SHOWN}|\bmedia\b)[^<>]*>"  # <image omitted>, <Media omitted>
    r"|!\[[^\[\]]*\]\([^()\s]*\)"  # ![a cat](cat.png)
    r"|https?://\S+\.(?:png|jpe?g|gif|webp|mp4|mov)(?:\?\S*)?)\s*$",
    re.IGNORECASE,
)
"""What stands at the end of a turn for an image that goes with it, as programs write it."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a turn says.

    Attributes:
        text: Without the name of its speaker before it.
        log_length: ln(1 + words).
        question: Whether it ends with a question mark, apart from an image.
        image: Whether a mark at its end says that it shares an image.
    """

    text: str
    log_length: float
    question: bool
    image: bool

    @classmethod
    def of(cls, content: str, speaker: str) -> Said:
        """Return what a turn says.

        Args:
            content: The memory, `Speaker: text` or the text alone.
            speaker: Who said it.
        """
        text = _without_speaker(content, speaker)
        spoken = cls.spoken_of(text)
        return cls(
            text=text,
            log_length=math.log1p(len(_WORD.findall(text))),
            question=_ASKS.search(spoken[-_TAIL:]) is not None,
            image=len(spoken) < len(text),
        )

    @staticmethod
    def spoken_of(text: str) -> str:
        """Return a text without the mark of an image at its end."""
        marker = _MARKER.search(text) if text[-1:] in _ENDS or "http" in text else None
        return text if marker is None else text[: marker.start()]


_ENDS: Final = frozenset("])>")
_TAIL: Final = 40
"""So far from its end the question mark may stand: what follows it is no word."""


def _without_speaker(content: str, speaker: str) -> str:
    """Return the content without `Speaker:` before it; whole where nothing else is in it."""
    begins = content[: len(speaker)].casefold() == speaker.casefold()
    head, colon, rest = content[len(speaker) :].partition(":")
    said = rest.strip()
    return said if begins and colon and not head.strip() and said else content.strip()
