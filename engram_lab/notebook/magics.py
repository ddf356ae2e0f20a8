"""`%engram`, `%%recall` and `%%sql`, over the engine that the notebook calls `engine`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from IPython.core.error import UsageError

from engram_lab.engine import Engine
from engram_lab.notebook.arguments import FORMS, named, one_sentence, refused, words_of
from engram_lab.notebook.querying import Queries

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from engram_lab.retrieval import Hits

__all__ = ["EngramMagics", "Shell"]

ENGINE: Final = "engine"
"""The variable that the magics bind and ask."""

HITS: Final = "hits"

_MEMORY: Final = ":memory:"
_CLOSED: Final = "no engine is open: %engram open PATH opens one"


class Shell(Protocol):
    """What is needed of an IPython."""

    user_ns: dict[str, Any]
    Completer: Any
    magics_manager: Any
    events: Any
    input_transformers_post: Any

    def push(self, variables: Mapping[str, Any]) -> None:
        """Give the notebook variables."""
        ...

    def drop_by_id(self, variables: Mapping[str, Any]) -> None:
        """Take variables away, where they still are the same objects."""
        ...


class EngramMagics:
    """The magics of this project.

    They ask whatever the notebook calls `engine`, whoever opened it. One `%engram open` closes what
    the one before it opened, and nothing else.

    Args:
        shell: Where they are used.
    """

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._opened: Engine | None = None
        self._queries = Queries()

    def engram(self, line: str) -> Engine | None:
        """Open a memory database as `engine`, close it, or say what is open.

        Write `%engram open PATH [--config FILE] [--read-only]`, which makes the database where it
        is missing, `%engram close`, or `%engram` alone.
        """
        words = words_of("engram", line)
        if words.verb == "open":
            if words.path is None:
                raise refused("engram", "%engram open names no PATH")
            with one_sentence():
                return self._open(words.path, config=words.config, read_only=words.read_only)
        if words.path or words.config or words.read_only:
            said = "%engram close" if words.verb else "%engram without open"
            raise refused("engram", f"{said} takes nothing more")
        if words.verb == "close":
            with one_sentence():
                self._close()
            return None
        return self._say_what_is_open()

    def _open(self, path: str, *, config: str | None, read_only: bool) -> Engine:
        from engram_lab.config import load_config

        place = path if path == _MEMORY else str(Path(path).expanduser())
        settings = load_config(config).config
        is_new = place == _MEMORY or not Path(place).exists()
        engine = Engine.open(place, config=settings, read_only=read_only)
        self.close()  # after what may fail
        self._opened = engine
        self._shell.push({ENGINE: engine})
        print(f"{'made' if is_new else 'opened'} {place} as `{ENGINE}`")  # noqa: T201
        return engine

    def _close(self) -> None:
        engine = self._engine()
        self.close()
        engine.close()  # which may be one that the notebook itself opened
        self._shell.drop_by_id({ENGINE: engine})
        print(f"closed {engine.path}")  # noqa: T201

    def _say_what_is_open(self) -> Engine | None:
        engine = self._shell.user_ns.get(ENGINE)
        if not isinstance(engine, Engine):
            print(_CLOSED)  # noqa: T201
            return None
        print("\n".join([f"{engine.path} is open as `{ENGINE}`", *FORMS.values()]))  # noqa: T201
        return engine

    def close(self) -> None:
        """Close what `%engram open` opened; a second call does nothing."""
        self._queries.close()
        engine, self._opened = self._opened, None
        if engine is not None:
            engine.close()

    def _engine(self) -> Engine:
        engine = self._shell.user_ns.get(ENGINE)
        if not isinstance(engine, Engine):
            raise UsageError(_CLOSED)
        return engine

    def recall(self, line: str, cell: str | None = None) -> Hits:
        """Recall what answers the question below; the hits are also in `_` and in `hits`.

        Write `%%recall [-k N] [--explain] [NAME=]` with the question below. `--explain` marks the
        words of the question; `NAME=` binds another variable than `hits`.
        """
        words = words_of("recall", line)
        name = named("recall", words.target) or HITS
        if not (cell or "").strip():
            raise refused("recall", "there is no question")
        engine = self._engine()
        with one_sentence():
            hits = engine.recall(str(cell).strip(), words.k, explain=words.explain)
        self._shell.push({name: hits})
        return hits

    def sql(self, line: str, cell: str | None = None) -> pl.DataFrame | None:
        """Query the tables of `engine` by DuckDB, and frames of the notebook by their names.

        Write `%%sql [NAME=]` with the query below; `NAME=` keeps the frame that it finds.
        """
        words = words_of("sql", line)
        name = named("sql", words.target)
        if not (cell or "").strip():
            raise refused("sql", "there is no query")
        engine = self._engine()
        with one_sentence():
            frame = self._queries.frame(engine, str(cell), variables=self._shell.user_ns)
        if name is not None:
            self._shell.push({name: frame})
        return frame
