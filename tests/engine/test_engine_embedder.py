"""Which embedder an engine has, and what becomes of one that cannot be had."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from engram_lab.core.errors import EmbedderError, InvalidInputError
from engram_lab.engine import loading

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engram_lab import Engine, ManualClock

    Opened = Callable[..., Engine]


def states(engine: Engine) -> tuple[int, int, int]:
    """Return how many memories are pending, complete, failed."""
    found = engine.store.embedding_queue.counts(engine.embedder.fingerprint)
    return found.pending, found.complete, found.failed


def test_an_embedder_of_one_s_own_stands_for_the_one_that_is_set(
    opened: Opened, words: Any
) -> None:
    for model in ("auto", "none", "openai"):
        embedder = words()
        with opened(embedder=embedder, embedding={"model": model}) as engine:
            engine.remember("tea")
            assert engine.embedder is embedder
            assert states(engine) == (0, 1, 0)


def test_a_misspelt_embedder_is_refused_at_once(opened: Opened, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"no embedder 'hashin' \(did you mean 'hashing'"):
        opened(tmp_path / "notes.db", embedding={"model": "hashin"})


@pytest.mark.parametrize(
    "embedding",
    [
        {"model": "onnx", "path": "no-such-folder"},
        {"model": "minilm", "path": "no-such-folder"},
        {"model": "hashing", "dim": 70_000},
        {"model": "hashing:large"},
    ],
)
def test_an_embedder_that_cannot_be_loaded_stops_no_write_and_says_why(
    opened: Opened, embedding: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    with opened(embedding=embedding) as engine:
        memory = engine.remember("tea")
        assert "their vectors wait" in caplog.text
        hits = engine.recall("tea")
        assert ([hit.id for hit in hits], hits.strategy) == ([memory.id], "keyword")
        for act in (
            lambda: engine.embedder,
            engine.embed,
            engine.reindex,
            lambda: engine.recall("tea", strategy="semantic"),
        ):
            with pytest.raises(EmbedderError) as error:
                act()
            assert str(error.value) == hits.reason


def test_a_model_folder_without_a_tokenizer_is_an_error(opened: Opened, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"no model")
    (tmp_path / "config.json").write_text("{}")
    with opened(embedding={"model": "onnx", "path": str(tmp_path)}) as engine:
        engine.remember("tea")
        with pytest.raises(EmbedderError, match=r"tokenizer\.json"):
            engine.recall("tea", strategy="semantic")


def test_an_embedder_that_was_away_when_it_was_loaded_is_asked_again(
    opened: Opened, words: Any, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def load(model: str, _options: Any) -> Any:
        made.append(model)
        if len(made) == 1:
            raise EmbedderError("the provider is away", retryable=True)
        return words()

    monkeypatch.setattr(loading, "resolve", load)
    with opened(clock=clock, embedding={"model": "hashing"}) as engine:
        engine.remember("tea")
        engine.remember("milk")
        assert len(made) == 1  # nobody else waits for what is away
        clock.advance(seconds=31)
        engine.remember("sun")
        assert states(engine) == (0, 3, 0)


def test_a_change_of_model_leaves_all_waiting_and_finds_them_when_embedded(
    opened: Opened, words: Any, tmp_path: Path
) -> None:
    with opened(tmp_path / "notes.db", embedder=words()) as engine:
        engine.remember_many({"content": text} for text in ("tea", "milk"))
    with opened(tmp_path / "notes.db", embedder=words(name="other")) as engine:
        assert engine.recall("tea").strategy == "keyword"
        assert states(engine) == (2, 0, 0)
        assert engine.embed().complete == 2
        assert len(engine.recall("tea", strategy="semantic")) == 2
    with opened(tmp_path / "notes.db", embedder=words()) as engine:
        assert states(engine) == (0, 2, 0)
