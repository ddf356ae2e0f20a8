"""What happens to a text before it is stored: cleaned, hashed, and its private parts known."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Final

from engram_lab.core.errors import InvalidInputError

__all__ = [
    "CHARS_PER_TOKEN",
    "clean_text",
    "content_hash",
    "estimated_tokens",
    "has_private",
    "normalise",
    "public_text",
]

CHARS_PER_TOKEN: Final = 4
"""How many characters of English a token has, as makers of language models tell their users."""

# Every Unicode control character (Cc) but tab, line feed and carriage return.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_PRIVATE_TAG = re.compile(r"<(/?)private\b[^>]*>", re.IGNORECASE)


def clean_text(text: object, *, field: str) -> str:
    """Return the text without control characters (tab and line breaks stay).

    Raises:
        InvalidInputError: It is no text, or holds lone surrogates, which no UTF-8 file can hold.
    """
    if not isinstance(text, str):
        raise InvalidInputError(f"{field} is a {type(text).__name__}: give a text")
    if text.isprintable():  # the fast path: such a text has neither controls nor surrogates
        return text
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidInputError(
            f"{field} holds a lone surrogate at position {error.start}, which cannot be stored: "
            "decode the text with errors='replace' first"
        ) from None
    return _CONTROL.sub("", text)


def normalise(text: object) -> str:
    """Return the text as compared for duplicates and aliases: NFC, case-folded, spaces collapsed.

    Idempotent: `normalise(normalise(x)) == normalise(x)`.

    Raises:
        InvalidInputError: It is no text.
    """
    if not isinstance(text, str):
        raise InvalidInputError(f"a {type(text).__name__} is no text")
    if text.isascii():
        return " ".join(text.lower().split())
    folded = unicodedata.normalize("NFC", text).casefold()
    # Folding can undo composition (Unicode 3.13, D145), so compose again and fold what that made.
    return " ".join(unicodedata.normalize("NFC", folded).casefold().split())


def content_hash(text: str) -> str:
    """Return the SHA-256 of the normalised text, as 64 hexadecimal digits."""
    return hashlib.sha256(normalise(text).encode()).hexdigest()


def has_private(text: str) -> bool:
    """Tell whether the text holds a `<private>` mark."""
    return "<" in text and _PRIVATE_TAG.search(text) is not None


def public_text(text: str) -> str:
    """Return the text without its `<private>…</private>` sections.

    Sections may nest. One that is never closed hides all that follows: where the author's wish
    is unclear, nothing is shown.
    """
    kept: list[str] = []
    depth = position = 0
    for tag in _PRIVATE_TAG.finditer(text):
        if depth == 0:
            kept.append(text[position : tag.start()])
        depth = max(0, depth - 1) if tag.group(1) else depth + 1
        position = tag.end()
    if depth == 0:
        kept.append(text[position:])
    return "".join(kept)


def estimated_tokens(text: str) -> int:
    """Return how many tokens a text will be: one for every four characters, rounded up.

    An estimate that needs no tokenizer; texts in other scripts than Latin may take more.
    """
    return -(-len(text) // CHARS_PER_TOKEN)
