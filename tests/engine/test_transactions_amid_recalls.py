"""A recall and a transaction of another thread, which recalls too, do not wait for each other."""

from __future__ import annotations

from threading import Event, Thread, current_thread
from time import monotonic
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

SOON_S = 5.0  # well below the ten seconds that a store waits for another thread


@pytest.mark.parametrize("index", ["lexical", "dense"])
def test_a_recall_within_a_transaction_and_one_beside_it_both_end(
    opened: Callable[..., Any], words: Any, monkeypatch: pytest.MonkeyPatch, index: str
) -> None:
    with opened(embedder=words()) as engine:
        engine.remember("tea")
        engine.recall("tea")
        engine.remember("bread")  # for the indexes to take in
        looking, inside = Event(), Event()
        errors: list[BaseException] = []

        def ask() -> None:
            try:
                engine.recall("tea", strategy="keyword" if index == "lexical" else "semantic")
            except BaseException as error:  # noqa: BLE001 - of whatever kind
                errors.append(error)

        beside = Thread(target=ask)
        corpus = type(engine.store.corpus)
        head = corpus.head
        # The index of vectors looks before it takes its lock, and again when it has it.
        looks = {"lexical": 1, "dense": 3}[index]

        def look(self: Any) -> Any:
            nonlocal looks
            if current_thread() is beside:
                looks -= 1
                if looks == 0:
                    looking.set()
                    inside.wait(0.5)
            return head(self)

        monkeypatch.setattr(corpus, "head", look)
        began = monotonic()
        beside.start()
        assert looking.wait(10)
        with engine.store.transaction():
            inside.set()
            engine.remember("milk")
            assert engine.recall("milk", strategy="keyword")[0].memory.content == "milk"
            assert engine.recall("milk", strategy="semantic")[0].memory.content == "milk"
        beside.join(30)
        assert errors == []
        assert monotonic() - began < SOON_S
