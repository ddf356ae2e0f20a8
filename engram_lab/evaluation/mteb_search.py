"""Any configuration of the engine as a search model of MTEB, and so of LMEB."""

from __future__ import annotations

import hashlib
import itertools
import tempfile
from collections.abc import Iterable, Sized
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from engram_lab.config import config_of
from engram_lab.core.clock import ManualClock
from engram_lab.core.errors import EvaluationError, InvalidInputError
from engram_lab.retrieval.embedders.torch_models import import_on_torch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from engram_lab.config import EngineConfig, LoadedConfig
    from engram_lab.engine import Engine
    from engram_lab.retrieval.embedders import Embedder

__all__ = ["EngramSearch"]

_BATCH: Final = 10_000
_LONGEST_DOCUMENT: Final = 10_000_000
_LONGEST_QUERY: Final = 10_000
"""Characters that a question may have; MTEB has documents as queries, whose beginning is asked."""

_TYPES: Final = {"keyword": "sparse", "semantic": "dense"}


class EngramSearch:
    """An engine that MTEB evaluates: it stores the corpus of a task, and recalls for each query.

        model = EngramSearch(config)
        mteb.evaluate(model, mteb.get_tasks(tasks=["SciFact"]))

    A document is remembered as its title and text, a query is asked as its text and instruction, as
    MTEB gives both to other models. Where a task names candidates for each query, as those of LMEB
    do, nothing else is found. Documents that are empty cannot be remembered and are never found.

    Args:
        config: See `Engine.open`; else the defaults. Where the store lies is ours to say.
        name: What MTEB calls it: `engram-lab/NAME`.
        depth: How many hits are given at most; else as many as MTEB asks for, which is 1000. Each
            arm looks as deep, so that scores of hybrid search depend on it.
        embedder: One of your own, instead of what `embedding.model` names.

    Raises:
        ConfigError: `config` is none, or a value is refused.
        InvalidInputError: `depth` is below 1.
    """

    def __init__(
        self,
        config: EngineConfig | LoadedConfig | Mapping[str, Any] | None = None,
        *,
        name: str = "engine",
        depth: int | None = None,
        embedder: Embedder | None = None,
    ) -> None:
        if depth is not None and depth < 1:
            raise InvalidInputError(f"depth is {depth}: give 1 or more, or None")
        self.config = _prepared(config_of(config))
        self.name = name
        self.depth = depth
        self.left_out: tuple[str, ...] = ()
        self._embedder = embedder
        self._engine: Engine | None = None
        self._place: tempfile.TemporaryDirectory[str] | None = None
        self._document_of: dict[str, str] = {}
        self._memory_of: dict[str, str] = {}
        self._key = ""
        if find_spec("mteb") is not None:
            _mteb()  # before it imports Sentence Transformers by itself, and so torchvision

    @property
    def mteb_model_meta(self) -> Any:
        """What MTEB keeps of a model: its name, and the hash of the configuration as revision.

        Raises:
            MissingDependencyError: MTEB is not installed.
        """
        return _mteb().models.ModelMeta(
            loader=None,
            name=f"engram-lab/{self.name}",
            revision=self.config.content_hash,
            release_date=None,
            languages=None,
            n_parameters=None,
            memory_usage_mb=None,
            max_tokens=None,
            embed_dim=None,
            license="mit",
            open_weights=True,
            public_training_code=None,
            public_training_data=None,
            framework=[],
            similarity_fn_name=None,
            use_instructions=False,
            training_datasets=None,
            model_type=[_TYPES.get(self.config.retrieval.strategy, "hybrid")],
        )

    def index(self, corpus: Iterable[Mapping[str, Any]], **_: Any) -> None:
        """Store a corpus, in place of the one before, unless it is the same.

        The parts of a task often ask the same corpus, which is then stored and embedded once.

        Args:
            corpus: Rows with `id`, `text`, and perhaps `title`.
            **_: What else MTEB says of the task; a search must not depend on it.

        Raises:
            EmbedderError: No vectors can be made.
        """
        from engram_lab.engine import Engine

        corpus = corpus if isinstance(corpus, Sized) else list(corpus)
        key = _hash(corpus)
        if key == self._key:
            return
        self.close()
        self._place = tempfile.TemporaryDirectory(prefix="engram-mteb-")
        self._engine = Engine.open(
            Path(self._place.name) / "corpus.db",
            config=self.config,
            clock=ManualClock(),
            embedder=self._embedder,
        )
        left_out: list[str] = []
        rows = ((str(row["id"]), _document(row)) for row in corpus)
        for batch in _batches(rows, _BATCH):
            left_out += self._remember(self._engine, batch)
        self.left_out = tuple(left_out)
        self._memory_of = {document: memory for memory, document in self._document_of.items()}
        if self._embedder is not None or self.config.embedding.model != "none":
            self._engine.embed()
        self._key = key

    def search(
        self,
        queries: Iterable[Mapping[str, Any]],
        *,
        top_k: int,
        top_ranked: Mapping[str, Sequence[str]] | None = None,
        **_: Any,
    ) -> dict[str, dict[str, float]]:
        """Return for each query the documents that were found, with their scores.

        Args:
            queries: Rows with `id`, `text` (or the turns of a conversation), and perhaps
                `instruction`.
            top_k: How many documents at most.
            top_ranked: The candidates of each query; a query that is not in it has all.
            **_: What else MTEB says of the task; a search must not depend on it.

        Raises:
            EvaluationError: There is no corpus yet.
        """
        if self._engine is None:
            raise EvaluationError("there is nothing to search in: index a corpus first")
        k = top_k if self.depth is None else min(top_k, self.depth)
        found: dict[str, dict[str, float]] = {}
        for row in queries:
            query = str(row["id"])
            candidates = None if top_ranked is None else top_ranked.get(query)
            found[query] = self._ask(self._engine, _question(row), k, candidates)
        return found

    def close(self) -> None:
        """Forget the corpus."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None
        if self._place is not None:
            self._place.cleanup()
            self._place = None
        self._document_of, self._memory_of, self.left_out, self._key = {}, {}, (), ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _remember(self, engine: Engine, batch: list[tuple[str, str]]) -> list[str]:
        """Store documents, and return the ids of those that cannot be."""
        report = engine.remember_many(
            [{"content": text} for _, text in batch], keep_going=True, defer_embedding=False
        )
        refused = {each.row for each in report.refused}
        stored = [id_ for row, (id_, _) in enumerate(batch) if row not in refused]
        self._document_of.update(zip(report.ids, stored, strict=True))
        return [batch[row][0] for row in sorted(refused)]

    def _ask(
        self, engine: Engine, text: str, k: int, candidates: Sequence[str] | None
    ) -> dict[str, float]:
        if not text.strip():
            return {}
        chosen: dict[str, Any] = {}
        if candidates is not None:
            known = [self._memory_of[each] for each in candidates if each in self._memory_of]
            if not known:
                return {}
            if len(known) < len(self._memory_of):
                chosen = {"filter": {"id": {"in": known}}}
        hits = engine.recall(text, k, **chosen)
        return {self._document_of[hit.id]: hit.score for hit in hits}


def _mteb() -> Any:
    return import_on_torch("mteb", package="mteb", feature="a search model of MTEB", extra="mteb")


def _prepared(config: EngineConfig) -> EngineConfig:
    """Return the configuration as an evaluation needs it: it refuses little and repeats itself."""
    store = replace(
        config.store,
        max_content_chars=max(config.store.max_content_chars, _LONGEST_DOCUMENT),
        synchronous="normal",
        dedup="allow",
        seed=0 if config.store.seed is None else config.store.seed,
    )
    learning = replace(config.learning, record_recalls=False)
    return replace(config, store=store, learning=learning)


def _hash(corpus: Iterable[Mapping[str, Any]]) -> str:
    digest = hashlib.sha256()
    for row in corpus:
        digest.update(f"{row['id']}\0{_document(row)}\0".encode(errors="surrogatepass"))
    return digest.hexdigest()


def _batches(rows: Iterator[tuple[str, str]], size: int) -> Iterator[list[tuple[str, str]]]:
    while batch := list(itertools.islice(rows, size)):
        yield batch


def _document(row: Mapping[str, Any]) -> str:
    """Return what is remembered of a document: title and text in one line, as MTEB has them."""
    return f"{row.get('title') or ''} {row.get('text') or ''}".strip()


def _question(row: Mapping[str, Any]) -> str:
    """Return what is asked: text before instruction, but instruction before a conversation."""
    text, instruction = row.get("text"), row.get("instruction") or ""
    if isinstance(text, str) or text is None:
        asked = f"{text or ''} {instruction}"
    else:
        asked = f"{instruction} {'; '.join(map(_turn, text))}"
    return asked.strip()[:_LONGEST_QUERY]


def _turn(turn: str | Mapping[str, Any]) -> str:
    return turn if isinstance(turn, str) else f"{turn['role']}: {turn['content']}"
