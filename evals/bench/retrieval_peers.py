"""The peers: txtai, LanceDB and Chroma, each in a process of their own environment.

Their environment is apart from ours (they pull half a machine-learning stack) and is made once, in
the cache folder, with pip; on Linux, PyTorch's CPU index in `PIP_EXTRA_INDEX_URL` spares 3 GB of
CUDA.
Ours and the peer are asked the same question in turn, and who comes first alternates.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from retrieval_figures import Report, Timings, at_most, progress

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from retrieval_workload import Workload

    # Answers a question by its number: the nanoseconds that it took, and the rows it found.
    Ask = Callable[[int], tuple[int, list[int]]]

WORKER = Path(__file__).with_name("retrieval_peer_worker.py")
PINS = ("txtai==9.14.0", "lancedb==0.40.0", "chromadb==1.5.9")
CONSTRAINT = "torch==2.13.0"  # txtai needs some torch
PEERS = tuple(pin.split("==")[0] for pin in PINS)
BUILD_LIMIT_S = 900.0
ASK_LIMIT_S = 120.0
BUDGET_S = 60.0
ROUNDS = 3
K = 10

# What of a peer ours has to be ahead of; the others are informational.
RIVALS = {
    "txtai": ("hybrid",),
    "lancedb": ("hybrid, no vector index", "hybrid, IVF_HNSW_SQ"),
    "chromadb": ("vectors, $contains rarest word",),
}


class PeerError(Exception):
    """A peer did not finish; the message says what it was at."""


def environment(cache: Path) -> Path:
    """Return the Python of the peers' environment, which is made where it is missing."""
    folder = cache / "peers"
    python, done = folder / "bin" / "python", folder / ".installed"
    pins = "\n".join([*PINS, CONSTRAINT])
    if done.exists() and done.read_text() == pins:
        return python
    progress(f"installing {', '.join(PINS)} into {folder} (once)")
    folder.mkdir(parents=True, exist_ok=True)
    constraints = folder / "constraints.txt"
    constraints.write_text(CONSTRAINT + "\n")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)  # noqa: S603
    install = [str(python), "-m", "pip", "install", "--quiet", "-c", str(constraints), *PINS]
    subprocess.run(install, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
    done.write_text(pins)
    return python


@dataclass(frozen=True, kw_only=True)
class Ready:
    """What a peer says when its index stands."""

    version: str
    ways: tuple[str, ...]
    build_s: float
    resident_mib: float


class Peer:
    """A peer's process; a context manager that ends it.

    Raises:
        PeerError: It died, or took longer than it was given.
    """

    def __init__(self, python: Path, name: str, data: Workload, folder: Path) -> None:
        self._errors = (folder / f"{name}.log").open("w+")
        command = [str(python), str(WORKER), name, str(data.folder), str(data.rows)]
        # Telemetry and hubs are out of reach on many machines, and cost seconds where they are not.
        quiet = {"HF_HUB_OFFLINE": "1", "LANCE_LOG": "error", "ANONYMIZED_TELEMETRY": "False"}
        self._process = subprocess.Popen(  # noqa: S603
            [*command, str(folder / name)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            # Not our path: the folder `datasets` would stand in the way of a package of that name.
            env={
                name: value
                for name, value in {**os.environ, **quiet}.items()
                if name != "PYTHONPATH"
            },
        )
        try:
            said = self._line(BUILD_LIMIT_S)
        except PeerError:
            self.close()
            raise
        self.ready = Ready(**{**said, "ways": tuple(said["ways"])})

    def _line(self, limit_s: float) -> dict[str, Any]:
        assert self._process.stdout is not None  # noqa: S101 - it was asked for
        if not select.select([self._process.stdout], [], [], limit_s)[0]:
            raise PeerError(f"did not finish within {limit_s:,.0f} s")
        answer = self._process.stdout.readline()
        if not answer:
            self._errors.seek(0)
            raise PeerError("died: " + self._errors.read()[-600:].strip())
        return json.loads(answer)  # type: ignore[no-any-return]

    def ask(self, question: int) -> dict[str, dict[str, Any]]:
        """Return for each way of asking the nanoseconds and the rows found."""
        assert self._process.stdin is not None  # noqa: S101 - it was asked for
        wanted = {"ways": self.ready.ways, "question": question, "k": K}
        self._process.stdin.write(json.dumps(wanted).encode() + b"\n")
        self._process.stdin.flush()
        return self._line(ASK_LIMIT_S)

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        self._errors.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


@dataclass(frozen=True, kw_only=True)
class Side:
    """The times of one side, and how often it found the row that a question is about."""

    times: Timings
    found: set[int]

    def hit_rate(self, questions: int) -> float:
        """Return the share of questions whose row is in the best 10, in %."""
        return 100 * len(self.found) / questions


def take_turns(peer: Peer, ours: Ask | None, data: Workload) -> dict[str, Side]:
    """Ask all questions of both sides, in turn; the first round warms up and is left out."""
    sides = {way: Side(times=Timings(), found=set()) for way in ("ours", *peer.ready.ways)}
    start = time.perf_counter()
    for turn in range(ROUNDS + 1):
        for number, question in enumerate(data.questions):
            first = ours is not None and (number + turn) % 2 == 0
            answers: dict[str, tuple[int, list[int]]] = {}
            if ours is not None and first:
                answers["ours"] = ours(number)
            told = peer.ask(number)
            answers |= {way: (each["ns"], each["found"]) for way, each in told.items()}
            if ours is not None and not first:
                answers["ours"] = ours(number)
            for way, (nanoseconds, found) in answers.items():
                if turn:
                    sides[way].times.add(number, nanoseconds)
                if question.about in found:
                    sides[way].found.add(number)
        if turn and time.perf_counter() - start > BUDGET_S:
            break
    if ours is None:
        del sides["ours"]
    return sides


def compare(report: Report, name: str, sides: dict[str, Side], data: Workload) -> None:
    """Put the figures of one peer into the report."""
    for way, side in sides.items():
        report.row(
            f"hybrid at {data.rows:,} rows",
            who="ours" if way == "ours" else name,
            way="beside " + name if way == "ours" else way,
            p50_ms=side.times.p50 / 1e3,
            p95_ms=side.times.p95 / 1e3,
            found=side.hit_rate(len(data.questions)),
        )
    if "ours" not in sides:
        return
    mine = sides["ours"].times
    for way in RIVALS[name]:
        times = sides[way].times
        for which, left, right in (("p50", mine.p50, times.p50), ("p95", mine.p95, times.p95)):
            title = f"{which} against {name} ({way})"
            report.add(at_most(title, data.rows, left, right, unit="µs", bar=1, strict=True))


def measure(
    report: Report,
    data: Workload,
    ours: Ask | None,
    *,
    cache: Path,
    raw: dict[str, Any],
    names: Sequence[str] = PEERS,
) -> None:
    """Build each peer, ask it beside ours, and end it before the next.

    Args:
        report: Takes the figures.
        data: What is searched.
        ours: Our side; None to measure the peers alone.
        cache: Holds the peers' environment.
        raw: Takes all times, by peer and way.
        names: Which peers.
    """
    python = environment(cache)
    for name in names:
        progress(f"{name}: building the index of {data.rows:,} rows")
        with tempfile.TemporaryDirectory() as folder:
            try:
                with Peer(python, name, data, Path(folder)) as peer:
                    label = f"{name} {peer.ready.version}"
                    report.tell(f"{label}: index build", data.rows, peer.ready.build_s, "s")
                    memory = peer.ready.resident_mib
                    report.tell(f"{label}: memory after the build", data.rows, memory, "MiB")
                    sides = take_turns(peer, ours, data)
            except PeerError as error:
                report.remark(f"{name} at {data.rows:,} rows: {error}")
                continue
        compare(report, name, sides, data)
        raw[f"{name} {data.rows}"] = {way: side.times.raw() for way, side in sides.items()}
