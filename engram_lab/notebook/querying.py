"""SQL over the tables of an engine and over the frames of a notebook."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import duckdb
import polars as pl
import pyarrow as pa

from engram_lab.core.errors import InvalidInputError
from engram_lab.core.schemas import SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engram_lab.core.interchange import LiveDuckDB
    from engram_lab.engine import Engine

__all__ = ["Queries", "frames_of"]

_WORD: Final = re.compile(r"[^\W\d]\w*")
_FRAMES: Final = (pl.DataFrame, pl.LazyFrame, pa.Table)


def frames_of(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return the frames that a query can name as tables: those that have no name of a table."""
    return {
        name: value
        for name, value in dict(variables).items()
        if isinstance(value, _FRAMES) and not name.startswith("_") and name not in SCHEMAS
    }


class Queries:
    """A live DuckDB connection over one engine at a time, kept from one query to the next."""

    def __init__(self) -> None:
        self._engine: Engine | None = None
        self._live: LiveDuckDB | None = None

    def frame(
        self, engine: Engine, query: str, *, variables: Mapping[str, Any]
    ) -> pl.DataFrame | None:
        """Return what a query finds; None for one that finds nothing by its nature.

        Args:
            engine: Whose tables.
            query: SQL of DuckDB; several statements are run in order.
            variables: Frames among them can be named as tables, where no table has that name.

        Raises:
            InvalidInputError: DuckDB refuses it; says why.
            StoreError: The engine is closed.
            KeyboardInterrupt: It was interrupted.
        """
        live = self._over(engine)
        words = set(_WORD.findall(query)) - SCHEMAS.keys()
        frames = [name for name in words if isinstance(variables.get(name), _FRAMES)]
        try:
            for name in frames:
                live.register(name, variables[name])
            return live.frame(query)
        except duckdb.Error as error:
            raise InvalidInputError(f"DuckDB refuses the query: {error}") from None
        finally:
            for name in frames:
                live.unregister(name)

    def _over(self, engine: Engine) -> LiveDuckDB:
        if self._live is None or self._engine is not engine:
            self.close()
            self._live, self._engine = engine.duckdb(), engine
        return self._live

    def close(self) -> None:
        """Close the connection; a second call does nothing."""
        if self._live is not None:
            self._live.close()
        self._live = self._engine = None
