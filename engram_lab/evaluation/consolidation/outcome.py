"""What a task of the benchmark gives back: values by unit, curves for plots, costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from engram_lab.config import EngineConfig
    from engram_lab.retrieval.embedders import Embedder

__all__ = ["Curve", "Observed", "Outcome", "Setting", "Task"]


class Observed(NamedTuple):
    """One value: what a measure gave for one system at one unit (a query, a pair, a memory).

    Attributes:
        system: `dream`, a placebo, an edge system, a law of decay.
        measure: Its name, such as `stale@1`.
        unit: What was judged, the same over all systems, so that they can be paired.
        cluster: Units of one cluster are not independent: a person, a project, a day.
        value: A number; a mean over units is what is reported.
    """

    system: str
    measure: str
    unit: str
    cluster: str
    value: float


class Curve(NamedTuple):
    """A line of a plot: `y` over `x`, with the ends of an interval where there are any."""

    plot: str
    system: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What one task found.

    Attributes:
        task: Its name.
        observed: Values by system, measure and unit.
        curves: For plots.
        facts: What is known exactly and has no interval: counts, seconds, bytes; by name.
    """

    task: str
    observed: tuple[Observed, ...] = ()
    curves: tuple[Curve, ...] = ()
    facts: tuple[tuple[str, float], ...] = ()


def _silently(_: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """Under what the tasks run.

    Attributes:
        size: About how many memories a world has.
        seed: The same seed gives the same world, the same streams and the same draws.
        config: Of the engines that dream.
        embedder: Shared by all engines of a run; None for what `config` names.
        say: Told what is being done, as a short clause.
    """

    size: int
    seed: int
    config: EngineConfig
    embedder: Embedder | None = None
    say: Callable[[str], None] = _silently


class Task(Protocol):
    """One task of the benchmark."""

    @property
    def name(self) -> str:
        """How it is called."""
        ...

    def run(self, setting: Setting) -> Outcome:
        """Do it, and say what was found."""
        ...
