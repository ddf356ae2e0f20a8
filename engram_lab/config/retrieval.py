"""The settings of retrieval: how texts become vectors, which indexes hold them, how hits rank."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

from engram_lab.core.settings import check_section, setting

__all__ = [
    "DEFER_MODES",
    "LEXICALS",
    "PROFILES",
    "STRATEGIES",
    "DeferMode",
    "EmbeddingSettings",
    "IndexSettings",
    "Lexical",
    "Profile",
    "RetrievalSettings",
    "Strategy",
]

Strategy = Literal["auto", "keyword", "semantic", "hybrid"]
Lexical = Literal["bm25", "fts5"]
Profile = Literal["auto", "conversation", "by-hand", "neutral"]
DeferMode = Literal["auto", "always", "never"]

STRATEGIES: Final[tuple[Strategy, ...]] = get_args(Strategy)
LEXICALS: Final[tuple[Lexical, ...]] = get_args(Lexical)
PROFILES: Final[tuple[Profile, ...]] = get_args(Profile)
DEFER_MODES: Final[tuple[DeferMode, ...]] = get_args(DeferMode)


@dataclass(frozen=True, kw_only=True, slots=True)
class RetrievalSettings:
    """How memories are found."""

    k: int = setting(10, help="how many hits recall returns unless told", ge=1, le=1000)
    strategy: Strategy = setting(  # noqa: RUF009 - declares a field
        "auto", help="which arms search; auto decides by evidence and says so", choices=STRATEGIES
    )
    profile: Profile = setting(  # noqa: RUF009 - declares a field
        "auto",
        help="what makes the order: auto takes conversation for turns with speakers, else neutral",
        choices=PROFILES,
    )
    learned: str | None = setting(
        None, help="learned weights of features, as JSON, in place of those that come along"
    )
    depth: int = setting(100, help="how many candidates each arm gives", ge=1, le=10_000)
    lexical: Lexical = setting(  # noqa: RUF009 - declares a field
        "bm25", help="who answers the keyword arm: our bm25, or SQLite's fts5", choices=LEXICALS
    )
    analyser: str = setting("english", help="how texts become words: english or simple")
    bm25_k1: float = setting(1.2, help="BM25: how soon a repeated word counts no more", ge=0, le=10)
    bm25_b: float = setting(0.75, help="BM25: how far long texts count less", ge=0, le=1)
    fusion: str = setting(
        "adaptive", help="how the arms become one ranking: adaptive, weighted or rrf"
    )
    normaliser: str = setting("min-max", help="how weighted fusion makes scores comparable")
    dense_share: float = setting(0.5, help="weight of the semantic arm in fusion", ge=0, le=1)
    rrf_k: int = setting(60, help="constant of reciprocal rank fusion", ge=0, le=10_000)
    rerank: str = setting(
        "none", help="second look at the best candidates: late-interaction, cross-encoder, or yours"
    )
    rerank_model: str | None = setting(None, help="the cross-encoder, by name or path")
    rerank_depth: int = setting(50, help="how many candidates are looked at again", ge=1, le=1000)
    rerank_share: float = setting(0.5, help="weight of the second look", ge=0, le=1)
    mmr_lambda: float | None = setting(
        None, help="diversity: 1 is relevance alone, 0 difference alone, none is off", ge=0, le=1
    )
    recency_weight: float = setting(0.0, help="most that age changes a score", ge=0, le=0.9)
    recency_half_life_days: float = setting(
        30.0, help="age at which recency is halved", ge=0.001, le=100_000
    )
    importance_weight: float = setting(
        0.0, help="most that importance changes a score", ge=0, le=0.9
    )
    spread_share: float = setting(
        0.0, help="weight of activation that spreads over links", ge=0, le=1
    )
    spread_steps: int = setting(2, help="how far activation spreads", ge=1, le=5)
    context_share: float = setting(
        0.0, help="weight of the neighbouring turns of a conversation", ge=0, le=1
    )

    def __post_init__(self) -> None:
        check_section("retrieval", self)


@dataclass(frozen=True, kw_only=True, slots=True)
class EmbeddingSettings:
    """How texts become vectors."""

    model: str = setting(
        "auto", help="a registered embedder; auto: minilm where found, else hashing; none: off"
    )
    path: str | None = setting(None, help="name or folder of the model, for those that need one")
    url: str | None = setting(None, help="base address of the provider", identity=False)
    api_key: str | None = setting(
        None, help="credential of the provider", secret=True, identity=False
    )
    dim: int | None = setting(
        None, help="numbers in a vector, where the model lets you choose", ge=1
    )
    batch: int = setting(32, help="texts embedded at once", ge=1, le=10_000, identity=False)
    threads: int = setting(1, help="threads of a local model", ge=1, le=256, identity=False)
    timeout_s: float = setting(
        30.0, help="longest wait for a provider", ge=0.01, le=3600, identity=False
    )
    retries: int = setting(5, help="attempts after a failure", ge=0, le=100, identity=False)
    requests_per_minute: int | None = setting(
        None, help="most requests to a provider", ge=1, identity=False
    )
    cache: str | None = setting(
        None, help="file that keeps vectors across databases", identity=False
    )
    defer: DeferMode = setting(  # noqa: RUF009 - declares a field
        "auto",
        help="embed after the write, in the background; auto: where a provider is asked",
        choices=DEFER_MODES,
        identity=False,
    )

    def __post_init__(self) -> None:
        check_section("embedding", self)


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexSettings:
    """Which indexes hold the vectors."""

    kind: str = setting(
        "auto", help="how vectors are searched; auto: exact while few, then hnsw, then ivf"
    )
    hnsw_links: int = setting(32, help="HNSW: links of a node", ge=4, le=256)
    hnsw_build: int = setting(64, help="HNSW: candidates while building", ge=8, le=10_000)
    hnsw_search: int = setting(128, help="HNSW: candidates while searching", ge=8, le=10_000)
    ivf_probes: int = setting(32, help="IVF: cells looked into", ge=1, le=100_000)
    keep: bool = setting(
        default=True, help="keep the indexes in files beside the database", identity=False
    )

    def __post_init__(self) -> None:
        check_section("index", self)
