"""What is measured of the conversation profile: recalls, embedding, and what is kept of a turn."""

from __future__ import annotations

import gc
import time
import tracemalloc
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from conversation_turns import SEED
from retrieval_figures import Timings, at_most, within

from engram_lab.retrieval.conversation import PeopleIndex, TurnIndex
from engram_lab.retrieval.times.following import TimesIndex
from engram_lab.retrieval.tokens import SavedTokens, TokenTable, keeping_tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from conversation_turns import Talk
    from retrieval_figures import Report

    from engram_lab import Engine
    from engram_lab.retrieval.embedders import Embedder

K = 10
RATIO_BAR, P95_BAR_MS, INDEX_BAR = 3.0, 60.0, 2.0
CHUNK, CHUNKS = 128, 6
NAMES = ("conversation", "neutral")


def mean_length(talk: Talk) -> float:
    """Return how many characters a turn has on average."""
    return float(np.mean([len(row["content"]) for row in talk.corpus.memories]))


def sample(talk: Talk, count: int) -> list[str]:
    """Return some of the questions, the same in every run."""
    rng = np.random.default_rng(SEED)
    count = min(count, len(talk.questions))
    chosen = rng.choice(len(talk.questions), count, replace=False)
    return [talk.questions[at] for at in sorted(chosen.tolist())]


def recalls(
    report: Report, talk: Talk, engines: Mapping[str, Engine], *, questions: int, rounds: int
) -> None:
    """Ask every question of each engine in turn; the first round warms up.

    Raises:
        SystemExit: Another profile made an order than the one that is measured.
    """
    wall = {name: Timings() for name in NAMES}
    busy = {name: Timings() for name in NAMES}
    asked = sample(talk, questions)
    for turn in range(rounds + 1):
        for number, text in enumerate(asked):
            for name in NAMES if (turn + number) % 2 else NAMES[::-1]:
                began, at_work = time.perf_counter_ns(), time.process_time_ns()
                hits = engines[name].recall(text, K)
                took, worked = time.perf_counter_ns() - began, time.process_time_ns() - at_work
                if hits.profile != name:
                    raise SystemExit(f"{text!r} was answered by {hits.profile!r}, not by {name!r}")
                if turn:
                    wall[name].add(number, took)
                    busy[name].add(number, worked)
    size = len(talk.corpus.memories)
    ours, floor = wall["conversation"], wall["neutral"]
    p50 = partial(at_most, unit="µs", bar=RATIO_BAR)
    report.add(
        p50(f"{talk.name}: recall by conversation to hybrid, p50", size, ours.p50, floor.p50),
        within(f"{talk.name}: recall, p95", size, ours.p95 / 1e3, P95_BAR_MS, unit="ms"),
    )
    for name in NAMES:
        cells = {
            "wall p50": wall[name].p50 / 1e3,
            "wall p95": wall[name].p95 / 1e3,
            "cpu p50": busy[name].p50 / 1e3,
            "cpu p95": busy[name].p95 / 1e3,
        }
        report.row("a recall, ms", store=talk.name, profile=name, **cells)
    ratio = busy["conversation"].p50 / busy["neutral"].p50
    report.tell(f"{talk.name}: the same ratio in CPU time", size, ratio, "times")


def index_time(report: Report, talk: Talk, embedder: Embedder) -> None:
    """Embed turns with their tokens and without, chunk by chunk in turn; the first warms up."""
    texts = [row["content"] for row in talk.corpus.memories][: CHUNK * (CHUNKS + 1)]
    keeping = keeping_tokens(embedder, TokenTable(embedder))  # type: ignore[arg-type]
    took: dict[str, list[float]] = {"tokens": [], "plain": []}
    for number, start in enumerate(range(0, len(texts), CHUNK)):
        some = texts[start : start + CHUNK]
        sides: dict[str, Callable[[], object]] = {
            "tokens": partial(keeping.embed, some, kind="document"),
            "plain": partial(embedder.embed, some, kind="document"),
        }
        for side in sides if number % 2 else reversed(sides):
            began = time.perf_counter()
            sides[side]()
            if number:
                took[side].append((time.perf_counter() - began) / len(some) * 1e6)
    ours, floor = (float(np.median(took[side])) for side in ("tokens", "plain"))
    title = f"{talk.name}: embedding with tokens to without"
    report.add(at_most(title, len(texts), ours, floor, unit="µs/turn", bar=INDEX_BAR))


def kept(report: Report, talk: Talk, engine: Engine, folder: Path) -> None:
    """Tell what the profile keeps of a turn: in memory, and on the disk."""
    corpus, size = engine.store.corpus, len(talk.corpus.memories)
    half = engine._indexes.dense()  # noqa: SLF001
    assert half is not None  # noqa: S101 - an embedder is given
    assert half.tokens is not None  # noqa: S101 - it gives tokens
    held = half.tokens.held_bytes / size
    report.tell(f"{talk.name}: tokens in memory", size, held, "B/turn")
    apart = folder / "apart"
    saved = SavedTokens(
        half.tokens,
        corpus,
        folder=apart,
        embedder=f"{half.embedder.fingerprint} apart",
        dim=half.embedder.dim,
    )
    half.tokens.detach()  # what lies in a file already would not be written again
    saved.save()
    written = sum(file.stat().st_size for file in apart.iterdir()) / size
    report.tell(f"{talk.name}: tokens on the disk", size, written, "B/turn")
    tracemalloc.start()
    turns = TurnIndex(corpus).catch_up()
    sizes = [traced()]
    people = PeopleIndex().follow(turns, engine.store.identities.all())
    sizes.append(traced())
    times = TimesIndex().follow(turns)
    sizes.append(traced())
    tracemalloc.stop()
    del people, times  # held until their sizes were read
    for name, start, stop in zip(("turns", "names", "times"), [0, *sizes], sizes, strict=False):
        report.tell(f"{talk.name}: {name} in memory", size, (stop - start) / size, "B/turn")


def traced() -> int:
    """Return the bytes that are held, without what only waits to be freed."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0]
