"""Everything that learns or forgets: it plans changes, and a dream carries them out.

`view` and `step` say what a step is shown and what it may plan; each mechanism is one of them, and
`dream` runs them in order, within `limits`, from where `progress` says that they left off.
"""

from engram_lab.consolidation import (  # they register
    abstract,
    fade,
    hebbian,
    links,
    merge,
    nothing,
    prune,
    supersede,
)
from engram_lab.consolidation.dream import Dreamer
from engram_lab.consolidation.report import DreamReport
from engram_lab.consolidation.step import STEPS, Near, Nearest, Scene, Step
from engram_lab.consolidation.steps import steps_of
from engram_lab.consolidation.view import View

__all__ = [
    "STEPS",
    "DreamReport",
    "Dreamer",
    "Near",
    "Nearest",
    "Scene",
    "Step",
    "View",
    "abstract",
    "fade",
    "hebbian",
    "links",
    "merge",
    "nothing",
    "prune",
    "steps_of",
    "supersede",
]
