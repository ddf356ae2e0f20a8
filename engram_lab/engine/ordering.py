"""The order of hits as a configuration says it: which fusion, which rerankers, with what."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from engram_lab.core.errors import EmbedderError, InvalidInputError
from engram_lab.retrieval.conversation import Conversation
from engram_lab.retrieval.embedders import TokenEmbedder
from engram_lab.retrieval.features import FEATURES
from engram_lab.retrieval.fusion import FUSIONS, NORMALISERS
from engram_lab.retrieval.learned import LearnedRecord
from engram_lab.retrieval.lexical.analyser import Analyser
from engram_lab.retrieval.ordering import Ordering
from engram_lab.retrieval.rerank import (
    RERANKERS,
    Importance,
    Prior,
    Priors,
    Recency,
    Reranker,
)
from engram_lab.retrieval.spreading import Spreading
from engram_lab.retrieval.surroundings import Surroundings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engram_lab.config import RetrievalSettings
    from engram_lab.core.registry import Registry
    from engram_lab.retrieval.embedders import Embedder
    from engram_lab.retrieval.fusion import Fusion
    from engram_lab.retrieval.lexical.index import LexicalIndex

__all__ = ["Own", "check_names", "fusion_of", "ordering_of"]

_MMR: Final = "mmr"
_NONE: Final = "none"
_SET_BY: Final = MappingProxyType(
    {_MMR: "retrieval.mmr_lambda", "priors": "retrieval.recency_weight or importance_weight"}
)
"""Rerankers that have settings of their own, and take their turns beside a second look."""

_OF_NORMALISER: Final = MappingProxyType(
    # The least there can be: BM25 and activation are above 0; a turn's speaker counts for -0.25.
    {"tmm": {"least": {"keyword": 0.0, "semantic": -1.0, "links": 0.0, "context": -0.25}}}
)


def fusion_of(settings: RetrievalSettings) -> Fusion:
    """Return the fusion that a configuration names.

    Raises:
        InvalidInputError: An unknown fusion or normaliser, or one that a configuration cannot
            describe.
    """
    weights = {
        "keyword": 1.0 - settings.dense_share,
        "semantic": settings.dense_share,
        "links": settings.spread_share,
        "context": settings.context_share,
    }
    parameters: dict[str, Any] = {}
    if settings.fusion == "weighted":
        normaliser = _made(NORMALISERS, settings.normaliser, _OF_NORMALISER)
        parameters = {"weights": weights, "normaliser": normaliser}
    elif settings.fusion == "adaptive":
        parameters = {"weights": weights}
    elif settings.fusion == "rrf":
        parameters = {"k": settings.rrf_k}
    fusion: Fusion = _made(FUSIONS, settings.fusion, {settings.fusion: parameters})
    return fusion


def _made(registry: Registry[Any], name: str, parameters: Mapping[str, Mapping[str, Any]]) -> Any:
    make = registry.get(name)
    try:
        return make(**parameters.get(name, {}))
    except TypeError as error:
        raise InvalidInputError(
            f"the {registry.kind} {name!r} takes more than a configuration says ({error}): "
            "set another"
        ) from error


@dataclass(frozen=True, kw_only=True, slots=True)
class Own:
    """Parts of a user's own, instead of or beside what a configuration names.

    Attributes:
        embedder: Makes the vectors.
        fusion: Makes one ranking of several.
        rerankers: By name; they take their turns after those that are set, and before diversity.
    """

    embedder: Embedder | None = None
    fusion: Fusion | None = None
    rerankers: Mapping[str, Reranker] = field(default_factory=dict)


def check_names(settings: RetrievalSettings) -> None:
    """Refuse a misspelt name before anything is asked.

    Raises:
        InvalidInputError: There is no such fusion, normaliser, reranker, analyser or feature, or no
            record of learned weights.
    """
    FUSIONS.get(settings.fusion)
    NORMALISERS.get(settings.normaliser)
    if settings.rerank in _SET_BY:
        raise InvalidInputError(
            f"retrieval.rerank is {settings.rerank!r}, which stands beside a second look: "
            f"set {_SET_BY[settings.rerank]} instead"
        )
    if settings.rerank != _NONE:
        RERANKERS.get(settings.rerank)
    Analyser(name=settings.analyser)
    if settings.learned is not None:
        for name in LearnedRecord.from_json(settings.learned).features:
            FEATURES.get(name)


def ordering_of(
    settings: RetrievalSettings, lexical: LexicalIndex, embedder: Embedder | None, own: Own
) -> Ordering:
    """Return how arms become one order.

    Raises:
        InvalidInputError: An unknown fusion or normaliser.
        EmbedderError: A reranker is set that this embedder cannot serve.
    """
    rerankers: dict[str, Reranker] = {}
    if settings.rerank != _NONE:
        rerankers[settings.rerank] = _second_look(settings, lexical, embedder)
    priors: list[Prior] = []
    if settings.recency_weight:
        priors.append(
            Recency(weight=settings.recency_weight, half_life_days=settings.recency_half_life_days)
        )
    if settings.importance_weight:
        priors.append(Importance(weight=settings.importance_weight))
    if priors:
        rerankers["priors"] = Priors(priors=tuple(priors))
    rerankers |= own.rerankers
    if settings.mmr_lambda is not None:
        rerankers[_MMR] = RERANKERS.get(_MMR)(relevance_share=settings.mmr_lambda)
    return Ordering(
        fusion=own.fusion or fusion_of(settings),
        rerankers=rerankers,
        depth=settings.rerank_depth,
        wants_vectors=_MMR in rerankers,
        surroundings=Surroundings(
            spreading=Spreading(steps=settings.spread_steps) if settings.spread_share else None,
            conversation=Conversation() if settings.context_share else None,
        ),
    )


def _second_look(
    settings: RetrievalSettings, lexical: LexicalIndex, embedder: Embedder | None
) -> Reranker:
    parameters: dict[str, Any] = {}
    if settings.rerank == "cross-encoder":
        from engram_lab.retrieval.embedders.cross_encoder import CrossEncoderScorer

        if settings.rerank_model is None:
            raise EmbedderError(
                "retrieval.rerank is 'cross-encoder': name one, or its folder, as "
                "retrieval.rerank_model"
            )
        parameters = {
            "share": settings.rerank_share,
            "scorer": CrossEncoderScorer(settings.rerank_model),
        }
    elif settings.rerank == "late-interaction":
        if not isinstance(embedder, TokenEmbedder):
            raise EmbedderError(
                "retrieval.rerank is 'late-interaction', and the embedder gives no vectors of "
                "tokens: set embedding.model to minilm"
            )
        parameters = {
            "share": settings.rerank_share,
            "embedder": embedder,
            "frequency": partial(_frequency, lexical),
            "count": lambda: lexical.size,
        }
    reranker: Reranker = _made(RERANKERS, settings.rerank, {settings.rerank: parameters})
    return reranker


def _frequency(lexical: LexicalIndex, token: str) -> int:
    """Return in how many texts a token stands, by the word that it is, or is a piece of."""
    terms = lexical.analyser.terms(token.removeprefix("##"))
    return lexical.df(terms[0]) if terms else lexical.size
