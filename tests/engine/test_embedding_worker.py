"""Vectors follow the memories: whatever a model does, no write is held up, and none is lost."""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engram_lab.core.errors import EmbedderError, InvalidInputError, StoreBusyError
from engram_lab.engine import embedding as worker_module

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engram_lab import Engine, ManualClock
    from engram_lab.core.progress import Told
    from engram_lab.core.protocols import QueueCounts

    Opened = Callable[..., Engine]

LONG_S = 20.0
REFUSED = EmbedderError("the model is out of tea")
AWAY = EmbedderError("the provider is away", retryable=True)


def counts(engine: Engine) -> QueueCounts:
    return engine.store.embedding_queue.counts(engine.embedder.fingerprint)


def states(engine: Engine) -> tuple[int, int, int]:
    """Return how many are pending, complete, failed; none is being embedded."""
    found = counts(engine)
    assert found.processing == 0
    return found.pending, found.complete, found.failed


def until(condition: Callable[[], object]) -> None:
    """Wait for what a thread does."""
    end = time.monotonic() + LONG_S
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.005)


def raising(error: Exception, *, about: str = "") -> Callable[[Sequence[str]], None]:
    """Return a fault that is raised where any of the texts holds some text."""

    def fault(texts: Sequence[str]) -> None:
        if any(about in text for text in texts):
            raise error

    return fault


def waiting(event: Event) -> None:
    assert event.wait(LONG_S)


# At once


def test_what_is_written_has_its_vector_at_once(opened: Opened, words: Any) -> None:
    embedder = words()
    with opened(embedder=embedder) as engine:
        first = engine.remember("tea <private>and gin</private>")
        assert embedder.documents == ["tea "]
        (vector,) = engine.store.vectors.get("words/8", [first.id])
        assert vector is not None
        assert np.array_equal(vector.values, embedder.embed(["tea"], kind="document")[0])
        engine.remember_many([{"content": "milk"}, {"content": "sun"}])
        engine.update(first.id, content="cup")
        engine.update(first.id, tags=["taste"])
        assert embedder.documents[2:] == ["milk", "sun", "cup"]
        engine.restore(first.id, version=1)
        assert states(engine) == (0, 3, 0)


def test_what_an_agent_writes_is_embedded_too(opened: Opened, words: Any) -> None:
    with opened(embedder=words()) as engine:
        agent = engine.as_agent("ada", "global/org:a")
        memory = agent.remember("tea", scope="global/org:a")
        assert states(engine) == (0, 1, 0)
        assert [hit.id for hit in agent.recall("tea", strategy="semantic")] == [memory.id]


@pytest.mark.parametrize(
    "error",
    [
        REFUSED,
        AWAY,
        InvalidInputError("no such text"),
        ValueError("what"),
        ConnectionError("away"),
        MemoryError(),
    ],
)
def test_a_write_returns_though_the_embedder_fails(
    opened: Opened, words: Any, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    embedder = words(fault=raising(error))
    with opened(embedder=embedder) as engine:
        memory = engine.remember("tea")
        assert engine.get(memory.id) == memory
        assert [hit.id for hit in engine.recall("tea", strategy="keyword")] == [memory.id]
        away = getattr(error, "retryable", False) or isinstance(error, OSError)
        assert states(engine) == ((1, 0, 0) if away else (0, 0, 1))
        assert str(error) in (engine.store.embedding_queue.last_error("words/8") or "")
        embedder.fault = lambda _: None
        if away:
            engine._clock.advance(seconds=2)  # type: ignore[attr-defined]
        assert engine.embed().complete == 1
        assert states(engine) == (0, 1, 0)
    assert "Traceback" not in caplog.text


def test_one_text_that_is_refused_keeps_no_other_from_its_vector(
    opened: Opened, words: Any
) -> None:
    embedder = words(fault=raising(REFUSED, about="poison"))
    with opened(embedder=embedder) as engine:
        texts = [f"tea {number}" for number in range(50)]
        texts[17] = texts[33] = "poison"
        engine.remember_many({"content": text} for text in texts)
        assert states(engine) == (0, 48, 2)
        assert engine.store.embedding_queue.last_error("words/8") == str(REFUSED)
        assert len(engine.recall("tea", 100, strategy="semantic")) == 48
        engine.remember("milk")  # what failed for good is left alone
        assert embedder.documents.count("poison") == 0
        assert states(engine) == (0, 49, 2)
        embedder.fault = lambda _: None
        assert engine.embed().complete == 51


def test_an_embedder_that_refuses_everything_is_not_asked_for_each_text(
    opened: Opened, words: Any
) -> None:
    calls: list[int] = []

    def fault(texts: Sequence[str]) -> None:
        calls.append(len(texts))
        raise REFUSED

    with opened(embedder=words(fault=fault)) as engine:
        engine.remember_many({"content": f"tea {number}"} for number in range(500))
        assert len(calls) <= 3
        assert states(engine) == (0, 0, 500)


def test_one_text_that_is_nothing_but_nan_keeps_no_other_from_its_vector(
    opened: Opened, words: Any
) -> None:
    def bend(values: Any) -> Any:
        bent = values.copy()
        bent[~values.any(axis=1)] = np.nan  # a text without words has zeros
        return bent

    with opened(embedder=words(bend=bend)) as engine:
        engine.remember_many([{"content": "tea"}, {"content": "🍵"}, {"content": "milk"}])
        assert states(engine) == (0, 2, 1)
        assert "NaN" in (engine.store.embedding_queue.last_error("words/8") or "")


@pytest.mark.parametrize(
    ("bend", "said"),
    [
        (lambda values: values[:, 1:], "vectors of the shape [1, 7] instead of [1, 8]"),
        (lambda values: values[:0], "vectors of the shape [0, 8] instead of [1, 8]"),
        (lambda values: values * np.inf, "NaN or infinity"),
        (lambda _: "vectors", "no table of numbers"),
    ],
)
def test_what_is_no_vector_is_never_stored(
    opened: Opened, words: Any, bend: Callable[[Any], Any], said: str
) -> None:
    with np.errstate(all="ignore"), opened(embedder=words(bend=bend)) as engine:
        engine.remember("tea")
        assert states(engine) == (0, 0, 1)
        assert said in (engine.store.embedding_queue.last_error("words/8") or "")
        assert engine.recall("tea", strategy="keyword").strategy == "keyword"


# Again


def test_what_failed_for_a_while_is_tried_again_each_time_later(
    opened: Opened, words: Any, clock: ManualClock
) -> None:
    asked: list[Any] = []

    def fault(_texts: Sequence[str]) -> None:
        asked.append(clock.now())
        raise AWAY

    embedder = words(fault=fault)
    with opened(clock=clock, embedder=embedder, embedding={"retries": 3}) as engine:
        start = clock.now()
        engine.remember("tea")
        for _ in range(40):
            clock.advance(seconds=0.5)
            engine.embed()
        assert [(at - start).total_seconds() for at in asked[:4]] == [0, 1, 3, 7]
        # Beyond its retries it has failed; `embed` tries even that again.
        embedder.fault = lambda _: None
        clock.advance(seconds=10)
        engine.embed()
        assert states(engine) == (0, 1, 0)


def test_after_so_many_retries_it_is_left_alone(
    opened: Opened, words: Any, clock: ManualClock
) -> None:
    embedder = words(fault=raising(AWAY))
    with opened(clock=clock, embedder=embedder, embedding={"retries": 2}) as engine:
        engine.remember("tea")
        for wait, wanted in ((1, (1, 0, 0)), (2, (0, 0, 1))):
            clock.advance(seconds=wait)
            engine.forget(engine.remember("milk").id)  # a write tries what is due
            assert states(engine) == wanted


def test_a_provider_that_asks_for_patience_is_given_it(
    opened: Opened, words: Any, clock: ManualClock
) -> None:
    slow = EmbedderError("too many requests", retryable=True, retry_after_s=60)
    embedder = words(fault=raising(slow))
    with opened(clock=clock, embedder=embedder) as engine:
        engine.remember("tea")
        embedder.fault = lambda _: None
        clock.advance(seconds=59)
        assert engine.embed().pending == 1
        clock.advance(seconds=1)
        assert engine.embed().complete == 1


def test_progress_is_told(opened: Opened, words: Any) -> None:
    with opened(embedder=words(), embedding={"defer": "always"}) as engine:
        engine.store.memories.remember_many([{"content": f"tea {n}"} for n in range(1500)])
        told: list[Told] = []
        assert engine.embed(progress=told.append).complete == 1500
    assert {(each.task, each.total, each.unit) for each in told[1:]} == {
        ("embedding", 1500, "memories")
    }
    assert (told[0].done, told[-1].done, told[-1].standing) == (0, 1500, "done")


# In the background


def test_a_deferred_write_does_not_wait_for_the_embedder(opened: Opened, words: Any) -> None:
    go = Event()
    embedder = words(fault=lambda _: waiting(go))
    with opened(embedder=embedder, embedding={"defer": "always"}) as engine:
        memory = engine.remember("tea")
        engine.remember_many([{"content": "milk"}])
        assert embedder.documents == []
        assert [hit.id for hit in engine.recall("tea", strategy="keyword")] == [memory.id]
        go.set()
        until(lambda: counts(engine).complete == 2)
        assert len(engine.recall("tea", strategy="semantic")) == 2


def test_a_single_write_may_be_deferred_or_not(opened: Opened, words: Any) -> None:
    go = Event()
    embedder = words(fault=lambda _: waiting(go))
    with opened(embedder=embedder) as engine:
        engine.remember("tea", defer_embedding=True)
        engine.remember_many([{"content": "sun"}], defer_embedding=True)
        go.set()
        until(lambda: counts(engine).complete == 2)
    with opened(embedder=words(), embedding={"defer": "always"}) as engine:
        engine.remember("tea", defer_embedding=False)
        assert states(engine) == (0, 1, 0)


def test_the_background_goes_on_after_a_failure(
    opened: Opened, words: Any, monkeypatch: pytest.MonkeyPatch, clock: ManualClock
) -> None:
    monkeypatch.setattr(worker_module, "_LOOK_AGAIN_S", 0.01)
    embedder = words(fault=raising(AWAY))
    with opened(clock=clock, embedder=embedder, embedding={"defer": "always"}) as engine:
        engine.remember("tea")
        until(lambda: engine.store.embedding_queue.last_error("words/8"))
        embedder.fault = lambda _: None
        clock.advance(seconds=2)
        until(lambda: counts(engine).complete == 1)


def test_the_background_survives_a_store_that_is_busy(
    opened: Opened, words: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "_LOOK_AGAIN_S", 0.01)
    with opened(embedder=words(), embedding={"defer": "always"}) as engine:
        queue = type(engine.store.embedding_queue)
        claim, busy = queue.claim, iter([True, True])

        def refuse(self: Any, embedder: str, **options: Any) -> Any:
            if next(busy, False):
                raise StoreBusyError("another writer held its lock")
            return claim(self, embedder, **options)

        monkeypatch.setattr(queue, "claim", refuse)
        engine.remember("tea")
        until(lambda: counts(engine).complete == 1)


def test_a_store_that_is_busy_when_a_vector_is_kept_loses_no_write(
    opened: Opened, words: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with opened(embedder=words()) as engine:
        queue = type(engine.store.embedding_queue)

        def refuse(*_: Any, **__: Any) -> Any:
            raise StoreBusyError("another writer held its lock")

        with monkeypatch.context() as patched, caplog.at_level(logging.WARNING):
            patched.setattr(queue, "complete", refuse)
            memory = engine.remember("tea")
        assert "their vectors wait: another writer held its lock" in caplog.text
        assert engine.get(memory.id) == memory
        assert states(engine) == (1, 0, 0)
        assert engine.embed().complete == 1


def test_an_interrupted_embedding_gives_back_what_it_took(opened: Opened, words: Any) -> None:
    def interrupt(_texts: Sequence[str]) -> None:
        raise KeyboardInterrupt

    embedder = words(fault=interrupt)
    with opened(embedder=embedder) as engine:
        with pytest.raises(KeyboardInterrupt):
            engine.remember("tea")
        embedder.fault = lambda _: None
        assert states(engine) == (1, 0, 0)
        assert engine.embed().complete == 1


def test_closing_does_not_wait_long_for_an_embedder_that_hangs(
    opened: Opened, words: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(worker_module, "_PATIENCE_S", 0.05)
    busy, go = Event(), Event()

    def hang(_texts: Sequence[str]) -> None:
        busy.set()
        go.wait(LONG_S)

    engine = opened(
        tmp_path / "notes.db", embedder=words(fault=hang), embedding={"defer": "always"}
    )
    memory = engine.remember("tea")
    assert busy.wait(LONG_S)
    thread = engine._indexes.worker._thread
    start = time.monotonic()
    engine.close()
    assert time.monotonic() - start < LONG_S / 2
    go.set()
    assert thread is not None
    thread.join(LONG_S)
    assert not thread.is_alive()
    with opened(tmp_path / "notes.db", embedder=words()) as again:
        assert again.get(memory.id) == memory
        assert counts(again).complete == 0
        again._clock.advance(seconds=601)  # type: ignore[attr-defined]
        assert again.embed().complete == 1


KILLED = """
import sys
from datetime import UTC, datetime
import numpy as np
from engram_lab import Engine, EngineConfig, ManualClock

class Slow:
    fingerprint, dim, done = "words/8", 8, 0
    def embed(self, texts, *, kind):
        if Slow.done >= 1024:
            print("busy", flush=True)
            sys.stdin.read()
        Slow.done += len(texts)
        values = np.zeros((len(texts), 8), np.float32)
        values[:, 0] = 1
        return values

clock = ManualClock(datetime(2026, 1, 1, 12, tzinfo=UTC))
engine = Engine.open(sys.argv[1], embedder=Slow(), clock=clock)
engine.remember_many([{"content": f"tea {number}"} for number in range(1500)])
"""


def test_a_process_that_is_killed_while_it_embeds_loses_nothing(
    opened: Opened, words: Any, tmp_path: Path, clock: ManualClock
) -> None:
    place = tmp_path / "notes.db"
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(place)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == b"busy"
        process.kill()
    embedder = words()
    with opened(place, clock=clock, embedder=embedder) as engine:
        assert engine.count() == 1500
        assert counts(engine) == (0, 476, 1024, 0)
        clock.advance(seconds=601)  # what the dead process took is free again
        assert states(engine) == (476, 1024, 0)
        assert engine.embed().complete == 1500
        assert len(embedder.documents) == 476


def test_a_model_gets_no_more_texts_in_one_call_than_is_set(opened: Opened, words: Any) -> None:
    sizes: list[int] = []
    embedder = words(fault=lambda texts: sizes.append(len(texts)))
    with opened(embedder=embedder, embedding={"batch": 32}) as engine:
        engine.remember_many([{"content": f"tea {number}"} for number in range(70)])
        assert counts(engine).complete == 70
    assert sizes == [32, 32, 6]
