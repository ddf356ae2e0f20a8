"""What the conversation profile costs: against the plain hybrid recall on the same store.

    python evals/bench/conversation.py                6,000 made-up turns, then LoCoMo's if there
    python evals/bench/conversation.py --quick        1,000 made-up turns, to see that all works
    python evals/bench/conversation.py --save FILE    keep the figures as JSON

Both recalls embed the question, one thread each, and take turns; the time of a question is the
median of its rounds. Ratios are the gate, and one plain time (exit code 1 where a bar is missed);
what is kept of a turn is told. It needs the weights of MiniLM. LoCoMo is read from `ENGRAM_DATA`.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from conversation_costs import index_time, kept, mean_length, recalls
from conversation_turns import fictional, locomo
from retrieval_figures import Report, progress

from engram_lab import Engine
from engram_lab.config import EngineConfig
from engram_lab.config.retrieval import RetrievalSettings
from engram_lab.core.clock import ManualClock
from engram_lab.evaluation.systems.filling import fill
from engram_lab.retrieval.embedders import EmbedderOptions, resolve

if TYPE_CHECKING:
    from conversation_turns import Talk

    from engram_lab.config.retrieval import Profile
    from engram_lab.retrieval.embedders import Embedder

TURNS, QUICK = 6_000, 1_000
QUESTIONS = 120
ROUNDS = 3


def opened(file: Path, talk: Talk, embedder: Embedder, profile: Profile) -> Engine:
    """Return an engine over a store, with one profile, that asks when the last turn was said."""
    settings = RetrievalSettings(profile=profile, strategy="hybrid", fusion="weighted")
    config = replace(EngineConfig(), retrieval=settings)
    clock = ManualClock(talk.corpus.moment)
    return Engine.open(file, config=config, clock=clock, embedder=embedder)


def measure(report: Report, talk: Talk, embedder: Embedder, options: argparse.Namespace) -> None:
    """Put the figures of one store into the report."""
    size = len(talk.corpus.memories)
    progress(f"{talk.name}: {size:,} turns, {len(talk.questions):,} questions that name speakers")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        file = Path(folder) / "store.db"
        conversation = stack.enter_context(opened(file, talk, embedder, "conversation"))
        fill(conversation, talk.corpus)
        neutral = stack.enter_context(opened(file, talk, embedder, "neutral"))
        engines = {"conversation": conversation, "neutral": neutral}
        recalls(report, talk, engines, questions=options.questions, rounds=options.rounds)
        kept(report, talk, conversation, Path(folder))


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="What the conversation profile costs.")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK:,} made-up turns alone")
    parser.add_argument("--questions", type=int, default=QUESTIONS, help="how many are asked")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="turns of each question")
    parser.add_argument("--json", action="store_true", help="print the record as JSON")
    parser.add_argument("--save", type=Path, metavar="FILE", help="keep the record as JSON")
    return parser.parse_args()


def main() -> int:
    """Measure, print, and tell by the exit code whether every bar was met."""
    options = arguments()
    report = Report()
    embedder = resolve("minilm", EmbedderOptions())
    talks = [fictional(QUICK if options.quick else TURNS)]
    if not options.quick:
        talks += [talk for talk in (locomo(),) if talk is not None]
    for talk in talks:
        report.remark(f"{talk.name}: {mean_length(talk):.0f} characters a turn")
        index_time(report, talk, embedder)
        measure(report, talk, embedder, options)
    if not options.quick and len(talks) == 1:
        report.remark("LoCoMo was not asked: ENGRAM_DATA does not hold it")
    command = "python evals/bench/conversation.py"
    if options.json:
        print(json.dumps(report.record(command), indent=2, ensure_ascii=False))
    else:
        report.show()
    if options.save is not None:
        report.save(options.save, command)
    return 0 if report.met else 1


if __name__ == "__main__":
    sys.exit(main())
