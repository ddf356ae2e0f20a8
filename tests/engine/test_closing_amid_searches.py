"""An engine that is closed while others search gives no wrong answer."""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from engram_lab.core.errors import EngramError, StoreClosedError
from engram_lab.retrieval.dense import DenseIndex
from engram_lab.retrieval.lexical.index import LexicalIndex

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_who_has_an_index_finds_what_is_in_it_after_the_engine_was_closed(
    opened: Callable[..., Any], words: Any, tmp_path: Path
) -> None:
    engine = opened(tmp_path / "memory.db", embedder=words())
    engine.remember("tea")
    vector = engine.embedder.embed(["tea"], kind="query")[0]
    lexical, dense = engine._indexes.lexical(), engine._indexes.dense().index
    engine.close()
    assert len(lexical.search(["tea"], 1)) == 1
    assert len(dense.search(vector, 1)) == 1
    with pytest.raises(StoreClosedError):
        engine.recall("tea")


@pytest.mark.parametrize("index", [LexicalIndex, DenseIndex])
def test_a_close_between_two_steps_of_a_recall_is_an_error_of_ours(
    opened: Callable[..., Any],
    words: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    index: Any,
) -> None:
    engine = opened(tmp_path / "memory.db", embedder=words())
    engine.remember("tea")
    engine.recall("tea")
    catch_up = index.catch_up
    closed: list[bool] = []

    def close_after(self: Any) -> Any:
        found = catch_up(self)
        if not closed:
            closed.append(True)
            engine.close()
        return found

    monkeypatch.setattr(index, "catch_up", close_after)
    with pytest.raises(StoreClosedError):
        engine.recall("tea", strategy="hybrid")


def test_threads_that_search_find_what_is_there_until_they_are_told_that_it_is_closed(
    opened: Callable[..., Any], words: Any, tmp_path: Path
) -> None:
    wrong: list[Any] = []
    for turn in range(5):
        engine = opened(tmp_path / f"memory-{turn}.db", embedder=words())
        engine.remember("tea")

        def search(engine: Any = engine) -> None:
            while True:
                for strategy in ("keyword", "semantic", "auto"):
                    try:
                        if not engine.recall("tea", strategy=strategy):
                            wrong.append(strategy)
                    except EngramError:
                        return
                    except BaseException as error:  # noqa: BLE001 - of whatever kind
                        wrong.append(error)
                        return

        threads = [Thread(target=search) for _ in range(4)]
        for thread in threads:
            thread.start()
        engine.close()
        for thread in threads:
            thread.join(30)
        assert not any(thread.is_alive() for thread in threads)
    assert wrong == []
