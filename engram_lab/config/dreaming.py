"""The settings of dreams: which steps run, how much they may do, and what each goes by."""

from __future__ import annotations

from dataclasses import dataclass

from engram_lab.core.settings import check_section, setting

__all__ = ["DreamSettings"]


@dataclass(frozen=True, kw_only=True, slots=True)
class DreamSettings:
    """What a dream does."""

    steps: str = setting("hebbian,merge,supersede", help="steps of a dream, in order, by commas")
    protect_importance: float = setting(
        0.9, help="memories from this importance on are never changed; above 1 none", ge=0, le=2
    )
    most_removed: float = setting(
        0.25,
        help="share of memories that one dream may hide, or end the validity of, without --yes",
        ge=0,
        le=1,
    )
    max_changes: int | None = setting(
        None, help="most changes of one dream; the next one goes on", ge=1
    )
    max_seconds: float | None = setting(
        None, help="seconds after which a dream begins no further step or batch", ge=0.001
    )
    lock_s: float = setting(
        300.0, help="how long a dream keeps others off, unless it ends before", ge=1, le=86_400
    )
    seed: int = setting(0, help="for whatever is drawn by lot")

    hebbian_rule: str = setting(
        "concordance",
        help="law by which co-recall makes links; counting binds to what is in every answer",
        choices=("concordance", "counting"),
    )
    hebbian_rate: float = setting(0.2, help="how fast links are learned", ge=0.000001, le=1)
    hebbian_prior: float = setting(
        10.0, help="recalls that count as seen without the memories in question", ge=0
    )
    hebbian_least: float = setting(
        0.2, help="a bond of two memories below it counts as chance", ge=0, le=1
    )
    hebbian_hits: int = setting(10, help="how many of the best of a recall count", ge=2, le=100)
    hebbian_slope: float = setting(
        0.5, help="how fast a hit counts for less with its rank; 0 not at all", ge=0, le=4
    )
    hebbian_score_share: float = setting(
        0.5, help="how much scores count beside ranks; 0 not at all", ge=0, le=4
    )
    hebbian_half_life_days: float | None = setting(
        60.0, help="days after which an unused link is worth half", ge=0.001
    )
    hebbian_refresh: float = setting(
        0.2, help="share of its weight that a link loses before that is written", ge=0.001, le=1
    )
    hebbian_floor: float = setting(0.01, help="learned links below it go", ge=0, le=1)
    hebbian_most: int = setting(10, help="most learned links of a memory", ge=1, le=1000)

    link_cosine: float = setting(
        0.75, help="least cosine of memories linked by meaning", ge=0, le=1
    )
    link_most: int = setting(5, help="most links by meaning, or by time, of a memory", ge=1, le=100)
    link_window_s: float = setting(
        1800.0, help="seconds within which memories are linked by time", ge=0.001
    )
    link_session_weight: float = setting(
        0.5, help="weight of the links between what follows in a session", ge=0.001, le=1
    )

    decay_law: str = setting(
        "power", help="law by which unused memories fade: power, exponential, act-r, ebbinghaus"
    )
    decay_half_life_days: float = setting(
        14.0, help="exponential: days after which half is left", ge=0.001
    )
    decay_exponent: float = setting(
        0.5, help="power and act-r: how steep; act-r must stay below 1", ge=0.001, le=10
    )
    decay_scale_days: float = setting(
        1.0, help="power: days after which the fading begins in earnest", ge=0.000001
    )
    decay_per_use: float = setting(
        0.1, help="exponential and power: by what share each use slows the fading", ge=0, le=100
    )
    decay_threshold: float = setting(
        0.0, help="act-r: base level (lags in days) at which half is left", ge=-100, le=100
    )
    decay_noise: float = setting(
        1.0, help="act-r: how gently it fades around the threshold", ge=0.001, le=100
    )
    decay_form: str = setting(
        "hybrid",
        help="act-r: how the sum over uses is had from their number, the first and the last",
        choices=("hybrid", "optimised"),
    )

    salience_recency: float = setting(0.3, help="weight of how present by the law", ge=0, le=100)
    salience_frequency: float = setting(0.2, help="weight of how often recalled", ge=0, le=100)
    salience_importance: float = setting(0.3, help="weight of the importance", ge=0, le=100)
    salience_feedback: float = setting(0.2, help="weight of the feedback", ge=0, le=100)
    salience_full_count: int = setting(
        100, help="so many recalls are as frequent as it gets", ge=1, le=1_000_000
    )

    fade_stale_days: float = setting(
        30.0, help="days unused after which an unimportant memory is stale", ge=0.001
    )
    fade_archive_days: float | None = setting(
        90.0, help="days unused after which a stale one is archived; none never", ge=0.001
    )
    fade_importance: float = setting(
        3.0, help="these days are stretched by 1 + this x importance", ge=0, le=100
    )
    fade_frequency: float = setting(
        1.0, help="these days are stretched by 1 + this x frequency", ge=0, le=100
    )
    fade_most_days: float | None = setting(
        None, help="days unused after which nothing stretches any more", ge=0.001
    )
    fade_archives: str = setting(
        "closed",
        help="what fading may archive: what no longer holds, or all that is unused",
        choices=("closed", "unused"),
    )

    prune_most_memories: int | None = setting(
        None, help="memories of a workspace that recall may find; none for any number", ge=1
    )
    prune_most_tokens: int | None = setting(
        None, help="tokens of the texts that recall may find; none for any number", ge=1
    )
    prune_forgets: bool = setting(
        default=False, help="forget what is beyond the budget, not archive it"
    )

    abstract_by: str = setting(
        "session,link,cosine", help="what makes a group of memories, in order, by commas"
    )
    abstract_summariser: str = setting("extractive", help="who tells the gist of a group")
    abstract_min_days: float = setting(
        30.0, help="age in days from which memories are summed up", ge=0
    )
    abstract_least: int = setting(4, help="least memories of a group", ge=2, le=1000)
    abstract_most: int = setting(16, help="most memories of a group", ge=2, le=1000)
    abstract_cosine: float = setting(
        0.6, help="least cosine of memories that are of one group", ge=0, le=1
    )
    abstract_near: int = setting(
        10, help="how many nearest of each memory are looked at", ge=1, le=100
    )
    abstract_link_weight: float = setting(
        0.3, help="least weight of links that form a group", ge=0, le=1
    )
    abstract_chars: int = setting(600, help="most characters of a gist", ge=1, le=10_000)
    abstract_importance: float = setting(0.5, help="importance of a gist", ge=0, le=1)
    abstract_archives: bool = setting(default=False, help="archive what a gist stands for")

    merge_score: float = setting(
        0.6, help="least likelihood that two memories are one statement", ge=0, le=1
    )
    merge_cosine: float = setting(
        0.8, help="least cosine of memories that are compared at all", ge=0, le=1
    )
    merge_named_cosine: float = setting(
        0.5, help="the same where they share a name, and are compared without it", ge=0, le=1
    )
    merge_near: int = setting(24, help="nearest of each memory that are compared", ge=1, le=64)
    merge_most_chars: int = setting(
        600, help="longer memories are merged where they are the same to the letter alone", ge=0
    )
    merge_turns: bool = setting(default=False, help="merge turns of conversations too")

    supersede_cosine: float = setting(
        0.4, help="least cosine of a changed memory to those it may update", ge=0, le=1
    )
    supersede_near: int = setting(
        24, help="nearest of each changed memory that it may update", ge=1, le=64
    )
    supersede_confidence: float = setting(
        0.7, help="least confidence at which validity is closed", ge=0, le=1
    )
    supersede_doubtful: float = setting(
        0.5, help="least confidence at which a contradiction is linked", ge=0, le=1
    )

    def __post_init__(self) -> None:
        check_section("dream", self)
