"""Token vectors of texts in few bytes: made once, kept beside the database, compared by MaxSim."""

from engram_lab.retrieval.tokens.codec import HalfFloats, SmallCodes, TokenCodec
from engram_lab.retrieval.tokens.keeping import TokenKeepingEmbedder, keeping_tokens, table_of
from engram_lab.retrieval.tokens.maxsim import inverse_frequencies, nearest, weighted_mean
from engram_lab.retrieval.tokens.saved import SavedTokens
from engram_lab.retrieval.tokens.table import TokenTable

__all__ = [
    "HalfFloats",
    "SavedTokens",
    "SmallCodes",
    "TokenCodec",
    "TokenKeepingEmbedder",
    "TokenTable",
    "inverse_frequencies",
    "keeping_tokens",
    "nearest",
    "table_of",
    "weighted_mean",
]
