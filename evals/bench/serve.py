"""What the server adds to an engine: throughput, latency, many tenants, a loop that is held up.

    python evals/bench/serve.py                 2,000 memories, 1,000 tenants
    python evals/bench/serve.py --quick         less of each, to see that all works
    python evals/bench/serve.py --save FILE     keep the figures as JSON

Everything is of one run on this machine's loopback, in processes of their own that are measured in
turn, so that what the machine did beside falls on all alike: an engine asked directly (t1, vectors
of questions by hashing), an empty route of FastAPI that reads the same body and sends as long an
answer (t2), and the server with a known key, its limits, usage, audit, log and metrics on. Requests
are sent by wrk. A search that comes by HTTP takes t1 + t2 at best: on average, as throughput is one
over an average. 0.7 of that throughput is asked for, and at most 1 ms more than t1 at the median.
How late the event loop was is told by a bell that it rings each 20 ms, which count as held up too.
Exit code 1 where a bar is missed.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from retrieval_figures import Figure, Report, progress, within
from serve_load import Child, Load, load

from engram_lab.retrieval.embedders.minilm import is_available

ROUNDS, QUICK_ROUNDS = 7, 2
SHARE_BAR, EXTRA_MS_BAR, GROWTH_BAR, LAG_MS_BAR = 0.7, 1.0, 1.05, 50.0
TOGETHER = (1, 4, 16)
"""So many connections at a time; the throughput is the best of these."""


def searching(report: Report, folder: Path, *, memories: int, rounds: int, seconds: float) -> None:
    """Measure a search directly, over an empty route, and through the server."""
    direct = Child("engine", folder, memories)
    body = folder / "questions.txt"
    with direct, Child("empty", folder) as empty, Child("server", folder) as server:
        t1: list[float] = []
        t1_median: list[float] = []
        t2: list[Load] = []
        alone: list[Load] = []
        many: dict[int, list[Load]] = {each: [] for each in TOGETHER}
        for number in range(rounds):
            progress(f"round {number + 1} of {rounds}")
            told = direct.ask("time")
            t1.append(float(told["seconds"]))
            t1_median.append(float(told["median_s"]))
            t2.append(load(empty, body, together=TOGETHER[-1], seconds=seconds))
            alone.append(load(server, body, together=1, seconds=seconds))
            for each in TOGETHER:
                many[each].append(load(server, body, together=each, seconds=seconds))
    recall, route = statistics.median(t1), 1 / statistics.median(each.rate for each in t2)
    typical = statistics.median(t1_median)
    best = max(statistics.median(each.rate for each in found) for found in many.values())
    allowed = 1 / (recall + route)
    report.add(
        Figure(
            name="searches a second, to what engine and empty route allow together",
            rows=memories,
            ours=best,
            floor=allowed,
            unit="/s",
            ratio=best / allowed,
            bar=f"≥ {SHARE_BAR:g}",
            met=best / allowed >= SHARE_BAR,
        ),
        within(
            "what the server adds to a search, at the median",
            memories,
            statistics.median(each.p50_ms for each in alone) - typical * 1e3,
            EXTRA_MS_BAR,
            unit="ms",
        ),
    )
    report.tell("a recall, asked directly, on average", memories, recall * 1e3, "ms")
    report.tell("a recall, asked directly, at the median", memories, typical * 1e3, "ms")
    report.tell("an empty route, on average", memories, route * 1e3, "ms")
    report.tell(
        "the throughput, to that of a median recall", memories, best * (typical + route), ""
    )
    report.tell(
        "a search over HTTP, p99", memories, statistics.median(e.p99_ms for e in alone), "ms"
    )
    for each, found in many.items():
        rate = statistics.median(one.rate for one in found)
        report.tell(f"searches a second, {each} at a time", memories, rate, "/s")


def tenants(report: Report, folder: Path, *, count: int) -> None:
    """Ask many tenants in turn with a small pool, and see whether memory grows."""
    with Child("tenants", folder, count) as child:
        rounds = [child.ask("round") for _ in range(4)]
    first, last = (float(rounds[place]["rss_mib"]) for place in (1, -1))
    report.add(
        Figure(
            name="memory after four rounds over all tenants, to that after two",
            rows=count,
            ours=last,
            floor=first,
            unit="MiB",
            ratio=last / first,
            bar=f"≤ {GROWTH_BAR:g}",
            met=last / first <= GROWTH_BAR,
        )
    )
    report.tell("databases open at most", count, float(rounds[-1]["open"]), "")
    report.tell("a request to a tenant that has to be opened", count, rounds[-1]["each_ms"], "ms")


HEAVY = {
    "nothing": "nothing goes on",
    "dream": "a dream goes on",
    "backup": "a backup is made",
    "embedding": "many memories are embedded",
}


def holding_up(
    report: Report, folder: Path, *, memories: int, role: str, works: tuple[str, ...]
) -> None:
    """See how late the event loop is while something large goes on."""
    with Child(role, folder, memories) as server:
        for work in works:
            told = server.ask(work)
            what = f"{HEAVY[work]}, by MiniLM" if role == "minilm" else HEAVY[work]
            name = f"the event loop was late at most, while {what}"
            report.add(within(name, memories, float(told["late_ms"]), LAG_MS_BAR, unit="ms"))
            if work != "nothing":
                report.tell(f"how long that took: {what}", memories, float(told["seconds"]), "s")


def main() -> int:
    """Measure, print, and tell by the exit code whether every bar was met."""
    parser = argparse.ArgumentParser(description="What the server adds to an engine.")
    parser.add_argument("--quick", action="store_true", help="less of everything")
    parser.add_argument("--json", action="store_true", help="print the record as JSON")
    parser.add_argument("--save", type=Path, metavar="FILE", help="keep the record as JSON")
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        print("wrk is not installed: apt install wrk", file=sys.stderr)
        return 2
    report, quick = Report(), options.quick
    with tempfile.TemporaryDirectory() as place:
        searching(
            report,
            Path(place) / "searching",
            memories=500 if quick else 2_000,
            rounds=QUICK_ROUNDS if quick else ROUNDS,
            seconds=0.5 if quick else 2.0,
        )
        tenants(report, Path(place) / "tenants", count=60 if quick else 1_000)
        held, many = Path(place) / "held", 500 if quick else 20_000
        holding_up(report, held, memories=many, role="server", works=tuple(HEAVY))
        if is_available(None):
            small = Path(place) / "held-by-minilm"
            holding_up(report, small, memories=100, role="minilm", works=("embedding",))
        else:
            report.remark("MiniLM's weights are not installed: embedding was by hashing alone")
    command = "python evals/bench/serve.py"
    if options.json:
        print(json.dumps(report.record(command), indent=2, ensure_ascii=False))
    else:
        report.show()
    if options.save is not None:
        report.save(options.save, command)
    return 0 if report.met else 1


if __name__ == "__main__":
    sys.exit(main())
