"""What features are worth, learned from questions whose answers are known."""

from engram_lab.retrieval.learned.forest import Forest
from engram_lab.retrieval.learned.linear import LinearModel
from engram_lab.retrieval.learned.model import model_of, scores_of
from engram_lab.retrieval.learned.penalty import choose_penalty
from engram_lab.retrieval.learned.record import MODELS, LearnedRecord, Model, Saw, Scale
from engram_lab.retrieval.learned.softmax import LearningQuestion, learn_weights
from engram_lab.retrieval.learned.trees import Boosting, TreeModel, learn_trees

__all__ = [
    "MODELS",
    "Boosting",
    "Forest",
    "LearnedRecord",
    "LearningQuestion",
    "LinearModel",
    "Model",
    "Saw",
    "Scale",
    "TreeModel",
    "choose_penalty",
    "learn_trees",
    "learn_weights",
    "model_of",
    "scores_of",
]
