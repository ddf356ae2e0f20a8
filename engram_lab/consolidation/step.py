"""What a step of a dream is: it looks, and says what it would change."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, runtime_checkable

from engram_lab.config import DreamSettings
from engram_lab.core.ids import IdSource
from engram_lab.core.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    import numpy as np
    from numpy.typing import NDArray

    from engram_lab.consolidation.view import View
    from engram_lab.core.dreams import Change
    from engram_lab.core.types import RecallEvent

__all__ = ["STEPS", "Near", "Nearest", "Scene", "Step", "StepFactory"]


class Near(NamedTuple):
    """The nearest of each of n memories by meaning, nearest first.

    Attributes:
        keys: int64 [n, k]; 0 where there are fewer.
        cosines: float32 [n, k]; 0 where there are fewer.
    """

    keys: NDArray[np.int64]
    cosines: NDArray[np.float32]


class Nearest(Protocol):
    """Finds the nearest by meaning, through the index of the engine: never all pairs."""

    def near(self, keys: NDArray[np.int64], k: int) -> Near:
        """Return for each memory up to `k` others whose vectors are nearest, itself left out.

        A memory without a vector has none. Those of other workspaces may be among them: a view
        tells which it holds.
        """
        ...

    def vectors(self, keys: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return the vectors of memories in order, float32 [n, dim], and whether each has one."""
        ...

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return vectors of length 1 of texts of one's own, float32 [n, dim], such as parts of one.

        It takes a model some milliseconds for each: ask for few, and for each once.

        Raises:
            EmbedderError: The model failed.
        """
        ...


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Scene:
    """What a step may go by, beside the memories themselves.

    Attributes:
        now: The moment for which all is planned, the same for all steps.
        focus: What changed since the last dream, int64 [n], rising; all memories in the first one.
            A step that compares need compare only these with all: the rest was compared before.
        events: The recalls since the last dream, oldest first.
        nearest: Finds the nearest by meaning; None where there are no vectors.
        seed: For whatever is drawn by lot.
        cursor: Seconds since 1970 of the last dream of this workspace; nan in the first one.
    """

    now: datetime
    focus: NDArray[np.int64]
    events: tuple[RecallEvent, ...] = ()
    nearest: Nearest | None = None
    seed: int = 0
    cursor: float = float("nan")

    @property
    def now_s(self) -> float:
        """Seconds since 1970 of `now`."""
        return self.now.timestamp()

    def new_id(self, *parts: str) -> str:
        """Return an id that depends on the moment, the seed and these words alone.

        So a dry run names what the run will make.
        """
        told = "\x1f".join((str(self.seed), *parts))
        return IdSource(hashlib.sha256(told.encode()).hexdigest()).new(self.now)


@runtime_checkable
class Step(Protocol):
    """One mechanism of a dream: a plug point.

    Guarantees: `plan` changes nothing, reads no clock and draws nothing by lot but by the seed. The
    same view and scene give the same changes in the same order. It plans no change of what a view
    holds to be protected (the dream refuses one), and none that joins workspaces or scopes. What it
    planned, once carried out, gives it nothing more to plan.

    A step that learns from `Scene.events` says so by an attribute `learns_from_events = True`: it
    is shown each event once, and what it plans is carried out whole or not at all.
    """

    @property
    def name(self) -> str:
        """Its registered name, under which changes and reports speak of it."""
        ...

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What it was set to, as plain JSON."""
        ...

    def plan(self, view: View, scene: Scene) -> Iterable[Change]:
        """Return what it would change, in order."""
        ...


StepFactory = Callable[[DreamSettings], Step]

STEPS: Final[Registry[StepFactory]] = Registry("dream step", group="engram_lab.dream_steps")
"""What `dream.steps` may name: each makes a step from the settings of dreams."""
