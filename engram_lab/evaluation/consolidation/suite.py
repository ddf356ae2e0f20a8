"""What the benchmark is: its tasks, its measures, who is judged, and what each is held against."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from engram_lab.core.errors import InvalidInputError, shown
from engram_lab.evaluation.suite import Suite

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engram_lab.evaluation.consolidation.outcome import Task

__all__ = [
    "CEILINGS",
    "LEAST_SIZE",
    "MEASURES",
    "MOST_SIZE",
    "NAME",
    "PHASES",
    "PROPOSALS",
    "SIZE",
    "TASKS",
    "TITLES",
    "Phase",
    "check_size",
    "kind_of",
    "suite_of_seed",
    "tasks_named",
]

NAME: Final = "consolidation"

SIZE: Final = 1_000
LEAST_SIZE: Final = 200
MOST_SIZE: Final = 100_000

TASKS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "merging": "Merging",
        "updating": "Updating",
        "retaining": "Retaining",
        "lasting": "Lasting",
        "linking": "Linking",
        "forecasting": "Forecasting",
        "costing": "Costing",
    }
)
"""By name, in the order in which they run; what is named lies in the module of the task."""

MEASURES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "retention_auc": "facts that hold and are found, over the share of the store that is kept",
        "retention@50": "facts that hold and are found in half of the store",
        "retention_auc.prune": "the same area where pruning alone makes the store smaller",
        "retention@50.prune": "facts that hold and are found in half of the store, pruned alone",
        "retention_auc.tokens": "facts that hold and are found, over the share of the tokens kept",
        "retention.merge": "facts that hold and are found in what merging alone leaves",
        "merge_precision": "pairs that were merged and say the same, of those merged",
        "merge_recall": "pairs that say the same and were merged, of those that say the same",
        "near_miss_overmerge": "near misses that were merged, of all; less is better",
        "b3_f1": "how well the group of a memory agrees with the true one: F1 of B-cubed",
        "current@1": "questions answered first by what holds now",
        "stale@1": "questions answered first by what was replaced; less is better",
        "as_of_accuracy": "questions of a day answered first by what held on it",
        "merge_precision.reworded": "merge_precision where facts are told in free words",
        "merge_recall.reworded": "merge_recall where facts are told in free words",
        "near_miss_overmerge.reworded": "near_miss_overmerge in free words; less is better",
        "current@1.reworded": "current@1 where facts are told in free words",
        "stale@1.reworded": "stale@1 where facts are told in free words; less is better",
        "as_of_accuracy.reworded": "as_of_accuracy where facts are told in free words",
        "wrongly_closed": "facts that nothing replaced and that were closed; less is better",
        "survival@30": "what must be kept and is found after thirty nights without news",
        "hebbian_lift": "how much more often the other of a hidden pair is among ten hits",
        "partner_recall@10": "how often the other of a hidden pair is among ten hits",
        "popular_wrong@1": "how often a popular memory that answers nothing comes first; less is "
        "better",
        "named@1": "how often the memory that a question names comes first",
        "reaccess_log_loss": "-ln of the chance that was given to what came; less is better",
    }
)
"""What each says: shares, but for the last. These are tested; a task may bring others."""

TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "dream": "our dreams, as they are set",
        "no_dream": "null: nothing done",
        "random_drop": "placebo: as many memories hidden, by lot",
        "lru": "placebo: as many hidden, those used longest ago",
        "recency": "placebo: as many hidden, the oldest",
        "ttl": "placebo: as many hidden, by an age for each type",
        "exact_hash": "null: equal words are merged",
        "random_pairs": "null: as many merged, by lot",
        "cosine_90": "null: all above a cosine of 0.9 are merged",
        "cosine_same_recall": "null: all above the cosine that gives the recall of the dream",
        "supersede_alone": "our dreams with the step supersede alone",
        "fade": "our dreams with the steps fade and prune",
        "abstract": "our dreams with the steps abstract and prune",
        "recency_rerank": "null: the same hits, ranked by time as well",
        "cosine_latest": "null: of the hits alike, the latest first",
        "no_edges": "null: no links",
        "content_edges": "null: as many links, by cosine",
        "hebbian": "links learned from what is asked for together",
        "shuffled_hebbian": "null: the learned links rewired, as many at each memory",
        "counting_hebbian": "null: links by counting alone, as simple systems learn them",
        "oracle": "ceiling: the links that were planted",
        "exponential": "a law of forgetting: exponential, fitted",
        "power": "a law of forgetting: a power of time, fitted",
        "act-r": "a law of forgetting: ACT-R's base level from what a store keeps, fitted",
        "act-r-exact": "a law of forgetting: ACT-R's base level from every use, fitted",
        "ebbinghaus": "a law of forgetting: Ebbinghaus' own curve, fitted",
        "base_rate": "null: the same chance for everything",
        "true_law": "ceiling: the law by which the trace came",
    }
)

PROPOSALS: Final = (
    *("dream", "supersede_alone", "fade", "abstract", "hebbian"),
    *("exponential", "power", "act-r", "act-r-exact", "ebbinghaus"),
)
"""What is judged. Whatever is neither one of these nor a ceiling is there to be beaten."""

CEILINGS: Final = ("oracle", "true_law")
"""What knows the truth: nothing can be better, but for chance."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Phase:
    """A step of a dream, and what it must beat its nulls in to be on by default.

    Attributes:
        name: Of the step.
        system: Which stands for it.
        measures: In each of which it must be better than each null that was run.
        against: What is no null elsewhere, and must be beaten too.
        unharmed: Measures in which it must be worse than no null.
        told: Measures that decide nothing, and of which the verdict says where nulls are as good.
    """

    name: str
    system: str
    measures: tuple[str, ...]
    against: tuple[str, ...] = ()
    unharmed: tuple[str, ...] = ()
    told: tuple[str, ...] = ()


PHASES: Final = (
    Phase(
        name="merge",
        system="dream",
        measures=("b3_f1", "retention.merge"),
        unharmed=("near_miss_overmerge",),
        told=("merge_recall.reworded", "near_miss_overmerge.reworded"),
    ),
    Phase(
        name="supersede",
        system="dream",
        measures=("current@1", "stale@1"),
        told=("current@1.reworded", "stale@1.reworded"),
    ),
    Phase(
        name="hebbian",
        system="hebbian",
        measures=("hebbian_lift",),
        unharmed=("popular_wrong@1", "named@1"),
    ),
    # A gist is one memory and may hold many facts, so that at equal numbers it has an easy game.
    Phase(name="abstract", system="abstract", measures=("retention_auc.tokens",)),
    Phase(name="fade", system="fade", measures=("retention_auc.prune",), against=("dream",)),
    Phase(name="prune", system="dream", measures=("retention_auc.prune", "retention@50.prune")),
)


def kind_of(system: str) -> str:
    """Return what a system is there for: `proposal`, `ceiling` or `null`."""
    if system in CEILINGS:
        return "ceiling"
    return "proposal" if system in PROPOSALS else "null"


def suite_of_seed(seed: int = 0, measures: Sequence[str] = tuple(MEASURES)) -> Suite:
    """Return the suite as records hold it.

    Args:
        seed: Of the world, the streams and all that is drawn.
        measures: Those that were taken, in order.
    """
    return Suite(
        id=NAME,
        title="what dreams keep, merge, supersede and link, in worlds that never were",
        measures=tuple(measures),
        depth=100,
        resamples=2_000,
        seed=seed,
    )


def check_size(size: int, seed: int) -> None:
    """Refuse a world that is too small to say anything, or too large.

    Raises:
        InvalidInputError: The size is out of its bounds, or the seed is below 0.
    """
    if type(size) is not int or not LEAST_SIZE <= size <= MOST_SIZE:
        raise InvalidInputError(
            f"the size is {size!r}: give a whole number of memories from {LEAST_SIZE} to "
            f"{MOST_SIZE}"
        )
    if type(seed) is not int or not 0 <= seed < 2**63:
        raise InvalidInputError(f"the seed is {seed!r}: give a whole number from 0")


def tasks_named(names: Sequence[str] = ()) -> tuple[Task, ...]:
    """Return tasks in the order in which they run; all of them unless named.

    Raises:
        InvalidInputError: One is unknown, or named twice.
    """
    if strange := [each for each in names if each not in TASKS]:
        raise InvalidInputError(
            f"there is no task {shown(strange[0])} of the benchmark: known are {', '.join(TASKS)}"
        )
    if len(set(names)) < len(names):
        raise InvalidInputError(f"a task is named twice in {', '.join(names)}: name it once")
    chosen = [name for name in TASKS if not names or name in names]
    package = f"{__package__}.tasks"
    return tuple(getattr(import_module(f"{package}.{name}"), TASKS[name])() for name in chosen)
