"""A table of token codes that is kept beside the database, and forgets what is purged."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Final

from engram_lab.retrieval.purges import purged_since
from engram_lab.retrieval.tokens.files import TokenFiles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from engram_lab.core.protocols import Corpus
    from engram_lab.retrieval.tokens.table import TokenTable

__all__ = ["SavedTokens"]

_MOST_FILES: Final = 8
"""So many files lie side by side; then all become one."""

_MOST_WASTE: Final = 2
"""The same where files take so many times what is held: the rest left the table meanwhile."""


class SavedTokens:
    """Keeps a table in a folder. Threads may share it.

    Codes are known by what the text says, not by whose it is, and any of them can be made anew, so
    the table follows no change of the store but one: who purges wants a text gone everywhere.

    Several processes may keep theirs in one folder: each adds files, and removes only those whose
    codes it holds itself.

    Args:
        table: What is kept; it takes in what the folder holds.
        corpus: The memories, as the owner of the store sees them.
        folder: Where it is kept; None for nowhere.
        embedder: The fingerprint of the embedder whose vectors they are.
        dim: How many numbers a vector has.
        spelt: Returns the texts whose codes may be held for a memory, by its content; the content
            alone unless given.
    """

    def __init__(
        self,
        table: TokenTable,
        corpus: Corpus,
        *,
        folder: Path | None,
        embedder: str,
        dim: int,
        spelt: Callable[[str], Iterable[str]] | None = None,
    ) -> None:
        self._table = table
        self._corpus = corpus
        self._spelt = spelt
        self._files = (
            None
            if folder is None
            else TokenFiles(folder, embedder=embedder, dim=dim, codec=table.codec)
        )
        self._lock = Lock()
        self._seen = corpus.head()  # the newest change, and its stamp
        self._names: list[str] = []  # of the files whose codes are held
        self._load()

    @property
    def table(self) -> TokenTable:
        """What is kept."""
        return self._table

    def _load(self) -> None:
        if self._files is None:
            return
        names = self._files.names()
        # The newest first, and each as older than what is held.
        for file in reversed(self._files.read(names)):
            self._table.attach(file.entries)
        self._names = names  # damaged ones included: they go when all become one

    def save(self) -> None:
        """Keep what came since it was kept, in one more file; or all in one, where that is due.

        Raises:
            OSError: It cannot be written.
            StoreError: The store cannot be read.
        """
        with self._corpus.held(), self._lock:
            self._forget_purged_since()
            if self._files is not None:
                self._write(self._files)
                self._forget_purged_since()

    def _write(self, files: TokenFiles) -> None:
        held = self._table.entries()
        fresh = {digest: codes for digest, codes in held.items() if isinstance(codes, bytes)}
        if not fresh:
            return
        as_one = (
            len(fresh) == len(held)
            or len(self._names) >= _MOST_FILES
            or files.bytes_of(self._names) > _MOST_WASTE * self._table.held_bytes
        )
        written = files.write(held if as_one else fresh)
        former, self._names = self._names, [] if as_one else self._names
        self._names = [*self._names, written.name]
        self._table.attach(written.entries)
        if as_one:
            files.remove(former)

    def remove(self, texts: Iterable[str]) -> None:
        """Forget texts, and the files if they hold one of them.

        Raises:
            OSError: A file cannot be removed.
        """
        with self._lock:
            if self._table.remove(texts):
                self._remove_files()

    def erase(self, texts: Sequence[str] | None = None) -> None:
        """Let go of what was purged: remove the files, and forget it.

        Codes of other texts stay in memory, and are kept again when next saved.

        Args:
            texts: The contents that were purged, where they are known; else all that no memory has
                is forgotten, for which the whole store is read.

        Raises:
            OSError: A file cannot be removed.
            StoreError: The store cannot be read.
        """
        with self._corpus.held(), self._lock:
            if texts is None:
                self._seen = self._corpus.head()
                self._forget_purged()
                return
            try:  # what others purged is seen when it is next saved
                self._table.remove(self._all_spelt(texts))
            finally:
                self._remove_files()

    def _forget_purged_since(self) -> None:
        """Forget what other processes purged; all the same where a transaction was undone."""
        number, stamp = self._seen
        head = self._corpus.head()
        if self._corpus.stamp(number) != stamp or purged_since(self._corpus, number):
            self._forget_purged()
        self._seen = head

    def _forget_purged(self) -> None:
        try:
            self._table.keep(self._texts())
        except BaseException:
            self._table.clear()
            raise
        finally:
            self._remove_files()

    def _texts(self) -> Iterator[str]:
        for batch in self._corpus.all_texts():
            yield from self._all_spelt(batch.contents)

    def _all_spelt(self, contents: Iterable[str]) -> Iterator[str]:
        for content in contents:
            yield content
            if self._spelt is not None:
                yield from self._spelt(content)

    def _remove_files(self) -> None:
        self._table.detach()  # what is mapped would keep a removed file on the disk
        self._names = []
        if self._files is not None:
            self._files.remove_all()
