"""What was undone after it was recalled is in no later answer, even where nothing tells it apart.

The clock stands still here, so that a change that follows one which was undone has its number, its
moment, its memory and its version.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engram_lab import Engine


class _UndoneError(Exception):
    """What a transaction raises to be undone."""


@pytest.fixture(params=[":memory:", "memory.db"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    name: str = request.param
    return name if name == ":memory:" else str(tmp_path / name)


def found(engine: Engine, query: str, strategy: Any) -> list[str]:
    return [
        hit.memory.content
        for hit in engine.recall(query, strategy=strategy)
        if hit.score > 0.9 or strategy == "keyword"
    ]


@pytest.mark.parametrize("strategy", ["keyword", "semantic"])
def test_an_update_is_found_that_takes_the_place_of_one_that_was_undone(
    opened: Callable[..., Engine], words: Any, place: str, strategy: Any
) -> None:
    with opened(place, embedder=words()) as engine:
        memory = engine.remember("first")
        engine.recall("first", strategy=strategy)
        with suppress(_UndoneError), engine.store.transaction():
            engine.update(memory.id, content="alpha")
            assert found(engine, "alpha", strategy) == ["alpha"]
            raise _UndoneError
        engine.update(memory.id, content="beta")
        assert found(engine, "beta", strategy) == ["beta"]
        assert found(engine, "alpha", strategy) == []


@pytest.mark.parametrize("strategy", ["keyword", "semantic"])
def test_an_update_is_found_that_takes_the_place_of_an_inner_step_that_was_undone(
    opened: Callable[..., Engine], words: Any, place: str, strategy: Any
) -> None:
    with opened(place, embedder=words()) as engine:
        memory = engine.remember("first")
        with engine.store.transaction():
            with suppress(_UndoneError), engine.store.transaction():
                engine.update(memory.id, content="alpha")
                assert found(engine, "alpha", strategy) == ["alpha"]
                raise _UndoneError
            engine.update(memory.id, content="beta")
            assert found(engine, "beta", strategy) == ["beta"]
        assert found(engine, "beta", strategy) == ["beta"]
        assert found(engine, "alpha", strategy) == []


def test_files_of_an_index_that_saw_what_was_undone_are_not_believed(
    opened: Callable[..., Engine], words: Any, tmp_path: Path
) -> None:
    place = tmp_path / "memory.db"
    with opened(place, embedder=words()) as engine:
        memory = engine.remember("first")
        with suppress(_UndoneError), engine.store.transaction():
            engine.update(memory.id, content="alpha")
            engine.recall("alpha")
            raise _UndoneError
        engine.update(memory.id, content="beta")
    with opened(place, embedder=words()) as engine:
        for strategy in ("keyword", "semantic"):
            assert found(engine, "beta", strategy) == ["beta"]
            assert found(engine, "alpha", strategy) == []
