"""Votes on memories: what was of use, and what was not, kept with the memory itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from engram_lab.core.errors import InvalidInputError
from engram_lab.core.text import clean_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engram_lab.engine import Engine

__all__ = ["FEEDBACK_FIELD", "Voted", "note_feedback"]

FEEDBACK_FIELD: Final = "feedback"
"""The field of metadata that holds how often a memory was of use, and how often it was not."""

_LONGEST_QUERY: Final = 200


class Voted(NamedTuple):
    """The votes of a memory, with those that were just given."""

    id: str
    useful: int
    irrelevant: int


def note_feedback(
    engine: Engine,
    *,
    useful: Sequence[str] = (),
    irrelevant: Sequence[str] = (),
    query: str | None = None,
    author: str | None = None,
) -> list[Voted]:
    """Add votes to memories, all of them or none, and return where they stand.

    They are counted in `metadata.feedback`; the question stands in the reason of the new version,
    so that the history says which memory answered which question.

    Args:
        engine: Whose memories.
        useful: Ids of those that were of use; one that is named twice counts once.
        irrelevant: Ids of those that were of none.
        query: What was asked.
        author: Who is recorded.

    Raises:
        InvalidInputError: No id, or one that is called both.
        NotFoundError: There is no such memory that may be seen.
    """
    if both := sorted(set(useful) & set(irrelevant)):
        raise InvalidInputError(f"memory {both[0]!r} is called useful and irrelevant: choose one")
    votes = dict.fromkeys(useful, "useful") | dict.fromkeys(irrelevant, "irrelevant")
    if not votes:
        raise InvalidInputError("no memory was voted on: give ids in useful or in irrelevant")
    asked = "" if query is None else f" for: {_shortened(query)}"
    found = []
    with engine.store.transaction():
        for id_, vote in votes.items():
            memory = engine.get(id_)
            counts = _counts(memory.metadata)
            counts[vote] += 1
            changed = {**memory.metadata, FEEDBACK_FIELD: counts}
            engine.store.memories.update(
                id_, {"metadata": changed}, author=author, reason=f"{vote}{asked}"
            )
            found.append(Voted(id_, **counts))
    return found


def _counts(metadata: Mapping[str, Any]) -> dict[str, int]:
    told = metadata.get(FEEDBACK_FIELD)
    known = told if isinstance(told, dict) else {}
    counts = {}
    for name in ("useful", "irrelevant"):
        count = known.get(name, 0)
        counts[name] = count if type(count) is int and count >= 0 else 0
    return counts


def _shortened(query: str) -> str:
    return " ".join(clean_text(query, field="query").split())[:_LONGEST_QUERY]
