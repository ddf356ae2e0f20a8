"""The turns of a store by column, as they are put together and taken apart."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from engram_lab.core.protocols import SpokenTurns
from engram_lab.retrieval.conversation.said import Said

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


__all__ = ["Columns"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Columns:
    """Turns by rising key, sessions and speakers as numbers in lists of names.

    Attributes:
        keys: int64 [n], as of all others the first axis.
        sessions: The number of the session of each, int32.
        positions: Its place there, int64.
        speakers: The number of who said it, int32.
        session_ids: The names of sessions in the order of their first keys.
        speaker_names: Likewise.
        spoken_at: float64, nan where unknown.
        log_length: float32; see `Said`, as of the others.
        question: bool.
        image: bool.
        texts: object.
        contents: object; as stored.
    """

    keys: NDArray[np.int64]
    sessions: NDArray[np.int32]
    positions: NDArray[np.int64]
    speakers: NDArray[np.int32]
    session_ids: tuple[str, ...]
    speaker_names: tuple[str, ...]
    spoken_at: NDArray[np.float64]
    log_length: NDArray[np.float32]
    question: NDArray[np.bool_]
    image: NDArray[np.bool_]
    texts: NDArray[np.object_]
    contents: NDArray[np.object_]

    @classmethod
    def empty(cls) -> Columns:
        """Return none."""
        none = np.zeros(0, np.int64)
        return cls.read(SpokenTurns(none, [], none, [], none.astype(float), none.astype(bool), []))

    @classmethod
    def read(cls, spoken: SpokenTurns) -> Columns:
        """Return turns as the store gives them."""
        said = [
            Said.of(content, speaker)
            for content, speaker in zip(spoken.contents, spoken.speakers, strict=True)
        ]
        session_ids, sessions = _numbered(spoken.session_ids)
        speaker_names, speakers = _numbered(spoken.speakers)
        texts = np.empty(len(said), np.object_)
        texts[:] = [each.text for each in said]
        contents = np.empty(len(said), np.object_)
        contents[:] = spoken.contents
        return cls(
            keys=spoken.keys,
            sessions=sessions,
            positions=spoken.positions,
            speakers=speakers,
            session_ids=session_ids,
            speaker_names=speaker_names,
            spoken_at=spoken.spoken_at,
            log_length=np.array([each.log_length for each in said], np.float32),
            question=np.array([each.question for each in said], np.bool_),
            image=np.array([each.image for each in said], np.bool_) | spoken.media,
            texts=texts,
            contents=contents,
        )

    def only(self, kept: NDArray[np.bool_]) -> Columns:
        """Return those turns that are kept: bool [n]."""
        return replace(self, **{name: getattr(self, name)[kept] for name in _PER_TURN})

    def joined(self, new: Columns) -> Columns:
        """Return both, by rising key; names that none uses any more are left out."""
        session_ids, sessions = _renumbered(self.session_ids, new.session_ids)
        speaker_names, speakers = _renumbered(self.speaker_names, new.speaker_names)
        more = replace(new, sessions=sessions[new.sessions], speakers=speakers[new.speakers])
        both = {
            name: np.concatenate((getattr(self, name), getattr(more, name))) for name in _PER_TURN
        }
        order = np.argsort(both["keys"], kind="stable")  # quick where they are mostly in order
        joined = {name: values[order] for name, values in both.items()}
        session_ids, joined["sessions"] = _in_order_of_keys(joined["sessions"], session_ids)
        speaker_names, joined["speakers"] = _in_order_of_keys(joined["speakers"], speaker_names)
        return Columns(session_ids=session_ids, speaker_names=speaker_names, **joined)


def _numbered(names: Sequence[str]) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """Return the distinct names as they first come, and the number of each."""
    numbers: dict[str, int] = {}
    of_each = [numbers.setdefault(name, len(numbers)) for name in names]
    return tuple(numbers), np.array(of_each, np.int32)


def _renumbered(
    names: tuple[str, ...], more: tuple[str, ...]
) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """Return both lists as one, and the number of each of `more` in it."""
    numbers = {name: number for number, name in enumerate(names)}
    of_more = [numbers.setdefault(name, len(numbers)) for name in more]
    return tuple(numbers), np.array(of_more, np.int32)


def _in_order_of_keys(
    numbers: NDArray[np.int32], names: tuple[str, ...]
) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """Return the names that are used as they first come, and their new numbers, int32 [n]."""
    first = np.full(len(names), len(numbers))
    np.minimum.at(first, numbers, np.arange(len(numbers)))
    order = np.argsort(first, kind="stable")
    used = order[first[order] < len(numbers)]
    new = np.zeros(len(names), np.int32)
    new[used] = np.arange(len(used))
    return tuple(names[number] for number in used.tolist()), new[numbers]


_PER_TURN: Final = tuple(
    each.name for each in fields(Columns) if each.name not in {"session_ids", "speaker_names"}
)
