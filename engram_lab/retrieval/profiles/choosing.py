"""Which profile makes the order: as told, or by whether turns with speakers were found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from engram_lab.retrieval.learned.record import LearnedRecord
from engram_lab.retrieval.profiles.by_hand import BY_HAND
from engram_lab.retrieval.profiles.shipped import shipped_record

if TYPE_CHECKING:
    from engram_lab.config import RetrievalSettings
    from engram_lab.config.retrieval import Profile

__all__ = ["NEUTRAL", "ChosenProfile", "Profiles"]

_MOSTLY: Final = 0.5
_NO_FEATURES: Final = "features are of the present, of both arms, and not of phrases and beginnings"


@dataclass(frozen=True, kw_only=True, slots=True)
class ChosenProfile:
    """What makes the order of one recall.

    Attributes:
        name: `conversation`, `by-hand` or `neutral`.
        record: The weights of features; None for a fusion of the arms alone.
        reason: Why.
    """

    name: Profile
    record: LearnedRecord | None
    reason: str


NEUTRAL: Final = ChosenProfile(name="neutral", record=None, reason="")
"""The arms as they are fused, without a word about it."""


class Profiles:
    """The profiles of one configuration.

    Args:
        settings: See `RetrievalSettings`.

    Raises:
        InvalidInputError: `retrieval.learned` holds no record of learned weights.
    """

    def __init__(self, settings: RetrievalSettings) -> None:
        self._wanted: Profile = settings.profile
        text = settings.learned
        self._own = None if text is None else LearnedRecord.from_json(text)

    @property
    def looks_at_turns(self) -> bool:
        """Whether any of them may be for conversations."""
        return self._wanted != "neutral"

    def choose(self, *, found: int, turns: int, embedder: str | None) -> ChosenProfile:
        """Return the profile of one recall.

        Args:
            found: How many memories the arms found. What lies out of sight decides nothing.
            turns: How many of these are turns with speakers.
            embedder: The fingerprint of what makes the vectors; None without any.
        """
        if self._wanted == "neutral":
            return NEUTRAL
        if self._wanted == "auto":
            if not turns:
                return NEUTRAL
            said = f"{turns} of {found} found are turns with speakers"
            if turns < _MOSTLY * found:
                return ChosenProfile(name="neutral", record=None, reason=f"neutral profile: {said}")
        else:
            said = "as told"
        if self._wanted == "by-hand":
            return ChosenProfile(name="by-hand", record=BY_HAND, reason=f"by-hand profile: {said}")
        record = self._own or shipped_record()
        if not record.fits(embedder):
            why = "those learned are for another embedder" if embedder else "there are no vectors"
            said = f"{said}; weights set by hand, as {why}"
            return ChosenProfile(name="by-hand", record=BY_HAND, reason=f"by-hand profile: {said}")
        return ChosenProfile(
            name="conversation", record=record, reason=f"conversation profile: {said}"
        )

    def passed_over(self) -> ChosenProfile:
        """Return the profile of a recall that no feature takes part in, and why if one was told."""
        if self._wanted in {"auto", "neutral"}:
            return NEUTRAL
        return ChosenProfile(name="neutral", record=None, reason=f"neutral profile: {_NO_FEATURES}")
