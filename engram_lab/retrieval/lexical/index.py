"""The lexical index: BM25 over the memories of a store, as they are at this moment."""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING, Final

import numpy as np

from engram_lab.core.errors import InvalidInputError
from engram_lab.core.progress import task
from engram_lab.retrieval.lexical import files
from engram_lab.retrieval.lexical.analyser import Analyser
from engram_lab.retrieval.lexical.bm25 import K1, B, check_parameters, idf
from engram_lab.retrieval.lexical.digest import digest, marks_of, searched_text
from engram_lab.retrieval.lexical.holdings import Holdings
from engram_lab.retrieval.lexical.maxscore import Scorer, TermList, looked_up
from engram_lab.retrieval.lexical.pairs import Pairs
from engram_lab.retrieval.lexical.segment import Rows, Segment
from engram_lab.retrieval.lexical.vocabulary import Vocabulary
from engram_lab.retrieval.purges import purged_since
from engram_lab.retrieval.ranking import Ranking

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from engram_lab.core.protocols import Corpus, TextChanges

__all__ = ["LexicalIndex"]

_WORTH_SAVING: Final = 16  # where 1 in so many texts changed, writing a file pays
_NEW: Final = -1


class LexicalIndex:
    """Finds memories by their words: content and tags, as one bag of terms.

    Guarantees: scores are those of BM25 over what may be searched at the change `number`, with the
    counts and the average length of that moment; the same store gives the same scores to the bit,
    however the index came about. `search` asks the store nothing: call `catch_up` before it.
    Threads may share an index. Processes have one each, and share the file.

    Args:
        corpus: The store, as its owner sees it.
        analyser: Makes terms of texts; the English one unless told.
        k1: See `bm25.saturation`.
        b: See `bm25.saturation`.
        folder: Where the index is kept between runs; None for nowhere.

    Raises:
        InvalidInputError: k1 or b is out of range.
    """

    def __init__(
        self,
        corpus: Corpus,
        *,
        analyser: Analyser | None = None,
        k1: float = K1,
        b: float = B,
        folder: Path | None = None,
    ) -> None:
        check_parameters(k1=k1, b=b)
        self.analyser: Final = analyser or Analyser()
        self.path: Final = None if folder is None else files.file_of(folder, self.analyser)
        self._corpus = corpus
        self._k1 = k1
        self._b = b
        self._lock = RLock()
        self._scorer = Scorer()
        self._erasures = 0
        self._clear()

    def _clear(self) -> None:
        self._holdings = Holdings()
        self._vocabulary = Vocabulary()
        self._pairs = Pairs(k1=self._k1, b=self._b)
        self._number = _NEW
        self._stamp = ""
        self._saved = _NEW  # the number of our file

    @property
    def number(self) -> int:
        """The newest change that is taken into account; 0 before the first `catch_up`."""
        return max(self._number, 0)

    @property
    def size(self) -> int:
        """How many texts are in it."""
        return self._holdings.count

    def catch_up(self) -> int:
        """Take in what changed, and return how many texts were added, replaced or taken out.

        The first time it is loaded from its file, or built from all texts. Where the store has
        another history than the index, it is built anew.

        Raises:
            AccessDeniedError: The corpus is not that of the owner.
        """
        with self._lock:
            last, stamp = self._corpus.head()
            if last == self._number and stamp == self._stamp:  # one undone gave its number away
                return 0
            taken = 0
            if self._number == _NEW:
                self._load()
            if self._number == _NEW or self._corpus.stamp(self._number) != self._stamp:
                taken = self._build()
            while self._number < last:
                taken += self._follow()
            return taken

    def search(
        self, terms: Sequence[str], k: int, *, allowed: NDArray[np.int64] | None = None
    ) -> Ranking:
        """Return the best `k` texts that have any of the terms, ties by rising key.

        Args:
            terms: As `analyser.query_terms` makes them; one that comes twice counts once.
            k: How many, from 1.
            allowed: int64, rising: find these keys alone; their scores are the same.

        Raises:
            InvalidInputError: `k` is below 1.
        """
        if k < 1:
            raise InvalidInputError(f"k is {k}: give a whole number from 1")
        with self._lock:
            lists = self._lists(terms)
            if not lists:
                return Ranking.empty()
            holdings = self._holdings
            if allowed is None:
                slots, scores = self._scorer.best(
                    lists, k, dead=holdings.dead, buried=holdings.buried
                )
            else:
                slots = holdings.allowed_slots(allowed)
                scores = self._scorer.among(lists, slots, size=len(holdings.keys))
                found = scores.nonzero()[0]
                slots, scores = slots[found], scores[found]
            return _ranked(holdings.keys.take(slots), scores, k)

    def scores_by_term(
        self, terms: Sequence[str], keys: NDArray[np.int64], *, k1: float, b: float
    ) -> NDArray[np.float64]:
        """Return what each term gives to the scores of some texts: float64 [n, terms].

        Args:
            terms: As `analyser.query_terms` makes them, each once.
            keys: int64 [n], in any order; zeros for what is not in the index.
            k1: See `bm25.saturation`; in place of the index's own.
            b: Likewise.

        Raises:
            InvalidInputError: k1 or b is out of range.
        """
        check_parameters(k1=k1, b=b)
        given = np.zeros((len(keys), len(terms)))
        with self._lock:
            order = np.argsort(keys, kind="stable")
            slots = self._holdings.slots_of(keys[order])
            rising = np.argsort(slots, kind="stable")
            rising = rising[slots[rising] >= 0]
            slots, places = slots[rising], order[rising]
            for column, term in enumerate(terms):
                for each in self._lists((term,), k1=k1, b=b):
                    given[places, column] = looked_up(each, slots)
        return given

    def df(self, term: str) -> int:
        """Return in how many texts a term stands."""
        with self._lock:
            return self._holdings.df(self._vocabulary.find(term))

    def vocabulary(self) -> dict[str, int]:
        """Return all terms, and in how many texts each stands."""
        with self._lock:
            counts = self._holdings.frequencies().tolist()
            terms = self._vocabulary.terms()
            return {term: df for term, df in zip(terms, counts, strict=False) if df}

    def rebuild(self) -> None:
        """Build the index anew from all texts."""
        with self._lock:
            self._build()

    def save(self, *, always: bool = False) -> bool:
        """Bring the index up to date, write it to its file, and return whether that was done.

        Few changes are not worth it: the next run follows them in less time than it takes to
        write. A purge always is. Searches go on meanwhile.

        Args:
            always: Write it if anything changed at all.

        Raises:
            OSError: The file cannot be written.
        """
        with self._lock:
            if self.path is None or self._number == _NEW:
                return False
            behind = self._corpus.last() - self._saved
            if self._saved != _NEW and (behind * _WORTH_SAVING < self.size and not always):
                return False
            self.catch_up()  # what was purged meanwhile shall not be written
            if self._number == self._saved:
                return False
            number, stamp, holdings = self._number, self._stamp, self._holdings
            parts, generation = holdings.snapshot(), holdings.generation
            vocabulary, pairs = self._vocabulary, self._pairs.arrays()
            erasures = self._erasures
        files.store(
            self.path,
            parts,
            number=number,
            stamp=stamp,
            analyser=self.analyser,
            vocabulary=vocabulary,
            pairs=pairs,
        )
        with self._lock:
            if erasures != self._erasures or purged_since(self._corpus, number):
                self.path.unlink(missing_ok=True)
                self._saved = _NEW
                return False
            if holdings is self._holdings and generation == holdings.generation:
                self._load()
        return True

    def erase(self) -> None:
        """Delete the file: it may hold words of what was purged. `save` writes it anew."""
        with self._lock:
            self._saved = _NEW
            self._erasures += 1
            if self.path is not None:
                self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of everything; a second call does nothing. Used again, it begins anew."""
        with self._lock:
            self._clear()
            self._scorer = Scorer()

    def _lists(
        self, terms: Sequence[str], *, k1: float | None = None, b: float | None = None
    ) -> list[TermList]:
        """Return the terms that stand anywhere, the rarest first; with other parameters if told."""
        holdings, find = self._holdings, self._vocabulary.find
        found = []
        for term in dict.fromkeys(terms):
            number = find(term)
            if df := holdings.df(number):
                found.append((df, term, number))
        if not found:
            return []
        found.sort()  # an order that the store alone decides, as sums depend on it
        average = holdings.total / holdings.count
        if k1 is None or b is None:
            table, greatest = self._pairs.table(average)
        else:
            table, greatest = self._pairs.computed(average, k1=k1, b=b)
        weighed = [(idf(df, holdings.count), number) for df, _, number in found]
        return [
            TermList(weight * table, holdings.chunks(number), weight * greatest)
            for weight, number in weighed
        ]

    def _load(self) -> None:
        if self.path is None:
            return
        stored = files.load(self.path, analyser=self.analyser, k1=self._k1, b=self._b)
        if stored is None or self._corpus.stamp(stored.number) != stored.stamp:
            return
        if stored.number < self._number:
            return
        self._holdings = Holdings(stored.segment)
        self._vocabulary, self._pairs = stored.vocabulary, stored.pairs
        self._number = self._saved = stored.number
        self._stamp = stored.stamp

    def _build(self) -> int:
        self._clear()
        parts = []
        number = 0
        with task("indexing words", unit="memories") as counting:
            for changes in self._corpus.all_texts():
                number = changes.number
                if len(changes.keys):
                    parts.append(self._rows(changes.keys, _texts(changes)))
                    counting.advance(len(changes.keys))
        if parts:
            self._holdings = Holdings(Segment.of(Rows.joined(parts)))
        self._number, self._stamp = number, self._corpus.stamp(number) or ""
        return self.size

    def _follow(self) -> int:
        changes = self._corpus.text_changes(self._number)
        holdings = self._holdings
        gone = holdings.slots_of(changes.gone)
        gone = gone[gone >= 0]
        holdings.bury(gone)
        taken = len(gone)
        if changes.purged:
            live = holdings.live_keys
            purged = live[~np.isin(live, self._corpus.alive(), assume_unique=True)]
            holdings.bury(holdings.slots_of(purged))
            taken += len(purged)
            self._saved = _NEW
        if len(changes.keys):
            texts = _texts(changes)
            old = holdings.slots_of(changes.keys)
            changed = holdings.marks_of(old) != marks_of(texts)
            new = (changed | (old < 0)).nonzero()[0]  # other changes leave the text the same
            if len(new):
                rows = self._rows(changes.keys[new], [texts[place] for place in new])
                holdings.put(rows, old=old[new])
            taken += len(new)
        self._number, self._stamp = changes.number, self._corpus.stamp(changes.number) or ""
        return taken

    def _rows(self, keys: NDArray[np.int64], texts: Sequence[str]) -> Rows:
        return digest(
            keys, texts, analyser=self.analyser, vocabulary=self._vocabulary, pairs=self._pairs
        )


def _texts(changes: TextChanges) -> list[str]:
    return list(map(searched_text, changes.contents, changes.tags))


def _ranked(keys: NDArray[np.int64], scores: NDArray[np.float64], k: int) -> Ranking:
    """Return the best `k`, ties by rising key."""
    if len(scores) > 4 * k:  # leave out what is not among them before sorting
        last = np.partition(scores, len(scores) - k)[len(scores) - k]
        above, level = (scores > last).nonzero()[0], (scores == last).nonzero()[0]
        wanted = k - len(above)
        if len(level) > wanted:
            level = level[np.argpartition(keys[level], wanted - 1)[:wanted]]
        kept = np.concatenate((above, level))
        keys, scores = keys[kept], scores[kept]
    order = np.lexsort((keys, -scores))[:k]
    keys, scores = keys.take(order), scores.take(order)
    keys.flags.writeable = False
    scores.flags.writeable = False
    return Ranking(keys, scores)
