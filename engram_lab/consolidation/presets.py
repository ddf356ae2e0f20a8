"""Other systems' constants as settings of dreams: to compare with, not to believe in."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from engram_lab.config import DreamSettings
from engram_lab.core.errors import InvalidInputError, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PRESETS", "Preset", "preset"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Preset:
    """Values of `DreamSettings`, and where they are from.

    Attributes:
        about: What it stands for, in a sentence.
        values: Settings that differ from ours.
        sources: Where the values are from, by setting, or by the beginning that several share.
        left_out: What of the system is not carried over, and why.
    """

    about: str
    values: Mapping[str, Any]
    sources: Mapping[str, str]
    left_out: tuple[str, ...] = ()

    def settings(self) -> DreamSettings:
        """Return the settings: these values, and ours for the rest."""
        return DreamSettings(**self.values)


_RUST: Final = Preset(
    about="The Rust engram: counting links, 30 and 90 days, half a life in 14 days.",
    values=MappingProxyType(
        {
            "steps": "hebbian,link-semantic,link-temporal,merge,supersede,abstract,fade",
            "hebbian_rule": "counting",
            "hebbian_rate": 0.1,
            "hebbian_floor": 0.01,
            "hebbian_half_life_days": None,
            "link_cosine": 0.75,
            "link_most": 5,
            "link_window_s": 1800.0,
            "merge_cosine": 0.92,
            "decay_law": "exponential",
            "decay_half_life_days": 14.0,
            "decay_per_use": 0.0,
            "salience_recency": 0.3,
            "salience_frequency": 0.2,
            "salience_importance": 0.3,
            "salience_feedback": 0.2,
            "salience_full_count": 100,
            "fade_stale_days": 30.0,
            "fade_archive_days": 90.0,
            "fade_importance": 3.0,
            "fade_frequency": 0.0,
            "fade_most_days": 365.0,
            "fade_archives": "unused",
            "abstract_by": "cosine",
            "abstract_min_days": 1.0,
            "abstract_most": 10,
            "abstract_importance": 0.8,
            "lock_s": 300.0,
        }
    ),
    sources=MappingProxyType(
        {
            "steps": "its dream phase: consolidation, digest, then policy; its auto-linker",
            "hebbian": "coactivation: s to min(1, s + 0.1 (1 - s)) for each pair, below 0.01 gone",
            "link": "auto-linker: cosine 0.75, at most 5 a memory; in time within 30 minutes",
            "merge": "dream worker, semantic dedup: cosine 0.92",
            "decay": "salience: recency 0.5^(days / 14)",
            "salience": "salience: .30, .20, .30, .20; frequency ln(count + 1) / ln 101",
            "fade": "canonical lifecycle: idle days from the last access, times 1 + 3 importance, "
            "stale from 30, archived from 90, at most 365",
            "abstract": "offline consolidation: age from 24 h, groups to 10; digest importance 0.8",
            "lock": "dream phase: lock of 300 s",
        }
    ),
    left_out=(
        "weakening of unused links by a share at each pass: it adds up by how often it passes",
        "groups by Jaccard 0.3, and merging by cosine alone: here guards keep apart what differs",
        "merged text that is kept where no search finds it: here a gist is a memory like others",
        "archiving that overwrites the type of a memory, so that undoing makes it a note",
        "pruning and merging that cannot be undone",
        "0.1 for the frequency of what was never read, a floor of 0.05: both order nothing",
        "idle days that do not see an update: here a change is a use",
    ),
)

_PYTHON: Final = Preset(
    about="The Python engram: e^(-0.03 days / (1 + 0.1 accesses)), groups from three on.",
    values=MappingProxyType(
        {
            "steps": "merge,abstract",
            "merge_cosine": 0.85,
            "decay_law": "exponential",
            "decay_half_life_days": math.log(2.0) / 0.03,
            "decay_per_use": 0.1,
            "salience_recency": 0.35,
            "salience_frequency": 0.15,
            "salience_importance": 0.0,
            "salience_feedback": 0.0,
            "abstract_by": "cosine",
            "abstract_least": 3,
        }
    ),
    sources=MappingProxyType(
        {
            "steps": "scheduler: cleanup of duplicates, consolidation",
            "merge": "cleanup of duplicates: cosine 0.85",
            "decay": "recall score: e^(-decay days / (1 + 0.1 accesses)), decay 0.03",
            "salience": "recall score without similarity: .2 for decay and .15 for age count as "
            "recency, .15 for accesses as frequency",
            "abstract": "consolidation: at least 3 members",
        }
    ),
    left_out=(
        "confidence that grows by 0.1 with each recall and then ranks: the often-recalled win",
        "feedback that deletes after three bad words: what a dream takes away can be brought back",
        "groups by union-find over entities and tags: a chain binds strangers, a star does not",
    ),
)

_ACT_R: Final = Preset(
    about="ACT-R: base-level learning orders, association by co-use; nothing is merged.",
    values=MappingProxyType(
        {
            "steps": "hebbian,fade,prune",
            "decay_law": "act-r",
            "decay_exponent": 0.5,
            "decay_threshold": 0.0,
            "decay_noise": 0.4,
            "decay_form": "hybrid",
            "salience_recency": 1.0,
            "salience_frequency": 0.0,
            "salience_importance": 0.0,
            "salience_feedback": 0.0,
            "fade_importance": 0.0,
        }
    ),
    sources=MappingProxyType(
        {
            "steps": "base level and association; ACT-R forgets nothing, it fails to find",
            "decay": "Anderson, Bothell, Lebiere and Matessa (1998): d = 0.5; noise within the 0.2 "
            "to 0.8 that models use; threshold at a single use a day ago, our unit of time",
            "decay_form": "Petrov (2006): one use exactly, the others in the mean",
            "salience": "base level alone: it has recency and frequency in one",
            "fade": "importance is no part of the theory",
        }
    ),
    left_out=("spreading activation and partial matching: these belong to recall",),
)

_EBBINGHAUS: Final = Preset(
    about="Ebbinghaus: savings by the time since the last use, and nothing else.",
    values=MappingProxyType(
        {
            "steps": "fade,prune",
            "decay_law": "ebbinghaus",
            "salience_recency": 1.0,
            "salience_frequency": 0.0,
            "salience_importance": 0.0,
            "salience_feedback": 0.0,
            "fade_importance": 0.0,
            "fade_frequency": 0.0,
        }
    ),
    sources=MappingProxyType(
        {
            "steps": "forgetting alone",
            "decay": "Über das Gedächtnis (1885), §29: k = 1.84, c = 1.25",
            "salience": "the time since the last use alone",
            "fade": "neither importance nor frequency enters",
        }
    ),
    left_out=("e^(-t / S), which is often told under his name and is not his",),
)

_NONE: Final = Preset(
    about="No dream: the null that every other must beat.",
    values=MappingProxyType({"steps": "nothing"}),
    sources=MappingProxyType({"steps": "the null"}),
)

PRESETS: Final[Mapping[str, Preset]] = MappingProxyType(
    {
        "act-r": _ACT_R,
        "ebbinghaus": _EBBINGHAUS,
        "engram-python": _PYTHON,
        "engram-rust": _RUST,
        "none": _NONE,
    }
)
"""Sets of settings by name."""


def preset(name: str) -> DreamSettings:
    """Return the settings of a preset.

    Raises:
        InvalidInputError: There is none of that name; lists those that there are.
    """
    if name not in PRESETS:
        raise InvalidInputError(f"there is no preset {shown(name)}: give {', '.join(PRESETS)}")
    return PRESETS[name].settings()
