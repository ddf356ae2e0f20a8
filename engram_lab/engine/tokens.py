"""The token vectors of the turns of a store: made as they are embedded, kept beside the database.

Of turns alone: the others are no candidates for an order by features, and 5 kB a text is much.
"""

from __future__ import annotations

from contextlib import contextmanager
from threading import RLock, local
from typing import TYPE_CHECKING

from engram_lab.retrieval.embedders import TokenEmbedder
from engram_lab.retrieval.tokens import TokenTable, keeping_tokens, table_of
from engram_lab.retrieval.tokens.saved import SavedTokens
from engram_lab.retrieval.tokens.table import AT_A_TIME

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from engram_lab.core.protocols import Corpus, Waiting
    from engram_lab.retrieval.embedders import Embedder

__all__ = ["TurnTokens"]


class TurnTokens:
    """The token vectors of the turns of a store. Threads may share it.

    Args:
        corpus: The memories, as the owner of the store sees them.
        folder: Where they are kept; None for nowhere.
    """

    def __init__(self, corpus: Corpus, *, folder: Path | None) -> None:
        self._corpus = corpus
        self._folder = folder
        self._embedder: Embedder | None = None
        self._held: TokenTable | None = None
        self._saved: SavedTokens | None = None
        self._lock = RLock()
        self._batch = _Batch()

    def kept_by(self, embedder: Embedder) -> Embedder:
        """Return an embedder that keeps the tokens of turns as it embeds, if it gives any.

        One that keeps tokens in a table of its own goes on doing so, of whatever it embeds: others
        may use that table too, so it is not put into files here.
        """
        if not isinstance(embedder, TokenEmbedder):
            return embedder
        self._embedder = embedder
        own = table_of(embedder)
        if own is not None:
            self._folder = None
            self._held = own
            return embedder
        self._held = TokenTable(embedder)
        return keeping_tokens(embedder, self._held, wanted=self._batch.holds)

    @property
    def holds_any(self) -> bool:
        """Whether anything is held that a purge may concern."""
        return self._held is not None and len(self._held) > 0

    def table(self) -> TokenTable | None:
        """Return what is held, and what was kept in former times; None without such an embedder.

        Raises:
            StoreError: The store cannot be read.
        """
        self._ready()
        return self._held

    def _ready(self) -> SavedTokens | None:
        """Return the files, which are read the first time."""
        table, embedder = self._held, self._embedder
        if self._saved is None and table is not None and embedder is not None:
            with self._corpus.held(), self._lock:
                if self._saved is None:
                    self._saved = SavedTokens(
                        table,
                        self._corpus,
                        folder=self._folder,
                        embedder=embedder.fingerprint,
                        dim=int(embedder.dim),
                    )
        return self._saved

    @contextmanager
    def keeping(self, batch: Sequence[Waiting]) -> Iterator[None]:
        """Keep the tokens of those of a batch that are turns, as the block embeds them."""
        if self._ready() is None:
            yield
            return
        places = self._corpus.turns(self._corpus.find([each.memory_id for each in batch]))
        known = zip(batch, places, strict=True)
        self._batch.texts = frozenset(each.content for each, place in known if place is not None)
        try:
            yield
        finally:
            self._batch.texts = frozenset()

    def fill(self, texts: Sequence[str]) -> None:
        """Make what is missing of some texts, from the last one on, as far as there is room.

        Raises:
            EmbedderError: The embedder failed.
        """
        table = self.table()
        if table is None:
            return
        for stop in range(len(texts), 0, -AT_A_TIME):
            some = dict.fromkeys(texts[max(0, stop - AT_A_TIME) : stop])
            missing = [text for text in some if text not in table]
            before = len(table)
            table.of(missing)
            if len(table) < before + len(missing):  # some left to make room
                return

    def remove(self, texts: Sequence[str]) -> None:
        """Forget texts, and the files if they hold one of them.

        Raises:
            OSError: A file cannot be removed.
        """
        if (saved := self._saved) is not None:
            saved.remove(texts)

    def erase(self, texts: Sequence[str] | None = None) -> None:
        """Let go of what was purged; see `SavedTokens.erase`."""
        if (saved := self._saved) is not None:
            saved.erase(texts)

    def save(self) -> None:
        """Keep what came since it was kept; see `SavedTokens.save`."""
        if (saved := self._saved) is not None:
            saved.save()


class _Batch(local):
    """The texts of turns that this thread is about to embed."""

    texts: frozenset[str] = frozenset()

    def holds(self, text: str) -> bool:
        return text in self.texts
