"""The verbs of an engine that answer questions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Self, Unpack

import numpy as np

from engram_lab.core.errors import NotFoundError
from engram_lab.core.recorder import Recorder
from engram_lab.core.scopes import GLOBAL_SCOPE
from engram_lab.core.selection import Selection, check_words
from engram_lab.core.types import RecallEvent
from engram_lab.engine.indexes import Indexes
from engram_lab.engine.whole_graph import WholeGraphVerbs

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import ArrayLike

    from engram_lab.config import EngineConfig
    from engram_lab.config.retrieval import Strategy
    from engram_lab.core.clock import Clock
    from engram_lab.core.keywords import Chosen
    from engram_lab.core.protocols import Store
    from engram_lab.core.types import Memory
    from engram_lab.retrieval import Hits, Suggestion
    from engram_lab.retrieval.embedders import Embedder
    from engram_lab.retrieval.features import FeatureTable

__all__ = ["RecallVerbs"]


_OWN_WORDS: Final = ("k", "agent", "token_budget", "strategy", "explain", "vector")
"""What `recall` takes beside the words of a selection."""


class RecallVerbs(WholeGraphVerbs):
    """Ask in plain words; ask as an agent; see what was meant.

    Args:
        store: Where the memories are; owned, and closed with the engine.
        config: See `EngineConfig`.
        clock: Tells the time.
        read_only: Record no recalls, embed nothing, keep no index files.
        indexes: What finds the memories; else one of its own, which keeps no files.
        recorder: Takes the recall events; else one of its own.
        path: Where the database lies, for people to see.
    """

    def __init__(
        self,
        store: Store,
        *,
        config: EngineConfig,
        clock: Clock,
        read_only: bool = False,
        indexes: Indexes | None = None,
        recorder: Recorder | None = None,
        path: str | None = None,
    ) -> None:
        super().__init__(store, config.interchange)
        self.config = config
        self.path = path
        self.read_only = read_only
        self._config_hash = config.content_hash
        self._clock = clock
        self._indexes = indexes or Indexes(store, config, clock=clock)
        self._recorder = recorder or Recorder(store, batch=config.learning.event_batch)

    def as_agent(self, agent_id: str, scope: str) -> Self:
        """Return this engine as an agent sees it: its own scope, those above, and its grants.

        Raises:
            AccessDeniedError: This already is an agent's view.
            InvalidInputError: A malformed agent or scope.
        """
        return type(self)(
            self.store.as_agent(agent_id, scope),
            config=self.config,
            clock=self._clock,
            read_only=self.read_only,
            indexes=self._indexes,
            recorder=self._recorder,
            path=self.path,
        )

    @property
    def embedder(self) -> Embedder:
        """What makes the vectors, loaded the first time.

        Raises:
            EmbedderError: It cannot be loaded, or `embedding.model` is `none`.
        """
        return self._indexes.embedder()

    def recall(
        self,
        query: str,
        k: int | None = None,
        *,
        agent: str | None = None,
        token_budget: int | None = None,
        strategy: Strategy | None = None,
        explain: bool = False,
        vector: ArrayLike | None = None,
        **chosen: Unpack[Chosen],
    ) -> Hits:
        """Return the memories that answer a question, best first.

        Reading changes nothing; what was asked and what came back is kept as an event where
        `learning.record_recalls` says so.

        Args:
            query: Free text; nothing in it is syntax, but `"words in quotes"` and a `begin*` are
                looked for as a phrase and a beginning, whatever the endings of words.
            k: How many at most; else `retrieval.k`.
            agent: Ask as this agent, who stands in `scope` (`global` unless given) and reads
                there, above, and what it was granted.
            token_budget: Leave out what goes beyond so many tokens, at four characters each.
            strategy: `keyword`, `semantic`, `hybrid`, or `auto`; else `retrieval.strategy`.
            explain: Also show where the words of the question stand.
            vector: What to look for by meaning, [dim], instead of what the text means: such as
                that of an image, made by `engine.embedder`. The words are still looked for, but
                under `semantic`.
            **chosen: Which memories are asked: `filter`, `workspace`, `scope`, `as_of` (of what the
                store held then), `valid_at`, `archived`, `private`; see `Selection`.

        Raises:
            InvalidInputError: An unknown word; a bad query, `k`, budget, strategy, vector,
                filter or scope.
            EmbedderError: Vectors were asked for by name, and none can be made of the question.
        """
        check_words(chosen, verb="recall", own=_OWN_WORDS)
        if agent is not None:
            scope = chosen.pop("scope", None) or GLOBAL_SCOPE
            return self.as_agent(agent, scope).recall(
                query,
                k,
                token_budget=token_budget,
                strategy=strategy,
                explain=explain,
                vector=vector,
                **chosen,
            )
        selection = Selection.of(**chosen).also(forgotten=False)
        hits = self._indexes.recaller.recall(
            self.store,
            query,
            self.config.retrieval.k if k is None else k,
            selection,
            strategy=strategy,
            token_budget=token_budget,
            explain=explain,
            vector=vector,
        )
        if self.config.learning.record_recalls and not self.read_only:
            event = RecallEvent(
                id=self.store.new_id(),
                at=self._clock.now(),
                query=hits.query,
                hits=hits.recalled(),
                workspace=selection.workspace,
                strategy=hits.strategy,
                config_hash=self._config_hash,
            )
            self._recorder.add(event, through=self.store)
        return hits

    def features(
        self, query: str, names: Sequence[str] | None = None, **chosen: Unpack[Chosen]
    ) -> FeatureTable:
        """Return what features tell of each memory that may answer a question, to learn from.

        Args:
            query: See `recall`.
            names: Which features; all that are registered unless given.
            **chosen: See `Selection`, of the present.

        Raises:
            InvalidInputError: A bad query, filter or scope, or an unknown feature.
        """
        from engram_lab.retrieval.features import FEATURES, FeatureTable, features_of

        wanted = FEATURES.names() if names is None else tuple(names)
        selection = Selection.of(**chosen).also(forgotten=False)
        scene = self._indexes.recaller.scene(self.store, query, selection)
        if scene is None:
            return FeatureTable((), wanted, np.zeros((0, len(wanted))))
        told = features_of(scene, wanted)
        nothing = np.zeros(len(scene))
        memories = self.store.corpus.fetch(scene.keys, selection)
        there = [place for place, memory in enumerate(memories) if memory is not None]
        values = np.column_stack([told.get(name, nothing) for name in wanted])
        ids = tuple(memory.id for memory in memories if memory is not None)
        return FeatureTable(ids, wanted, values[there])

    def expand(self, hits: Iterable[Any]) -> list[Memory]:
        """Return the whole memories of hits in short, or of ids, in order.

        Raises:
            NotFoundError: One is not to be seen.
        """
        ids = [each if isinstance(each, str) else each.id for each in hits]
        found = self.get_many(ids)
        if missing := [id_ for id_, memory in zip(ids, found, strict=True) if memory is None]:
            raise NotFoundError(f"there is no memory {missing[0]!r} that you may see")
        return [memory for memory in found if memory is not None]

    def suggest(self, query: str, **chosen: Unpack[Chosen]) -> tuple[Suggestion, ...]:
        """Return known words for those of a question that no memory holds; nothing is applied.

        Args:
            query: See `recall`.
            **chosen: Words are taken from these memories alone.
        """
        return self._indexes.recaller.suggest(self.store, query, Selection.of(**chosen))
