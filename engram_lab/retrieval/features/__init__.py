"""Features: what tells, of each memory that may answer a question, how well it does.

One family a file; `scene` holds what they look at, `gathering` puts it together.
"""

from engram_lab.retrieval.features import late, links, meaning, times, turns, words  # they register
from engram_lab.retrieval.features.registry import FEATURES, Feature, FeatureTable, features_of
from engram_lab.retrieval.features.scene import Scene

__all__ = [
    "FEATURES",
    "Feature",
    "FeatureTable",
    "Scene",
    "features_of",
    "late",
    "links",
    "meaning",
    "times",
    "turns",
    "words",
]
