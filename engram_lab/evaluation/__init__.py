"""The judge: data sets, measures, runs, statistics, gates and tuning. Names no winner.

A run of two systems, from a notebook:

    from engram_lab.evaluation import Dataset, Suite, compare, load_system, run_suite, write_report

    data = Dataset.from_frames(memories=memories, queries=queries, qrels=qrels, id="mine")
    suite = Suite(id="mine", measures=("R@10", "nDCG@10"))
    run = run_suite(suite, [load_system("bm25"), load_system("rrf")], out=Path("run"), dataset=data)
    run.per_query
    found = compare(run.of("bm25"), run.of("rrf"), measures=suite.measures)
    write_report(run, "report.html", comparison=found)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from engram_lab.evaluation.consolidation.benchmark import run_benchmark
    from engram_lab.evaluation.datasets.catalogue import load_dataset
    from engram_lab.evaluation.datasets.dataset import Dataset
    from engram_lab.evaluation.gating.baseline import (
        Baseline,
        baseline_of,
        read_baseline,
        update_baseline,
    )
    from engram_lab.evaluation.gating.gate import judge
    from engram_lab.evaluation.gating.gate_file import write_gate_report
    from engram_lab.evaluation.gating.promotion import promote
    from engram_lab.evaluation.gating.verdict import GateReport
    from engram_lab.evaluation.measures.measure import Measure
    from engram_lab.evaluation.measures.parsing import parse_measure
    from engram_lab.evaluation.measures.scoring import score
    from engram_lab.evaluation.protocols import crosswalk
    from engram_lab.evaluation.reports.html import write_report
    from engram_lab.evaluation.running.evaluate import run_suite
    from engram_lab.evaluation.runs.results import RunFolder, read_results
    from engram_lab.evaluation.runs.run import Run
    from engram_lab.evaluation.runs.trec import read_qrels, read_run, write_qrels, write_run
    from engram_lab.evaluation.statistics.comparing import compare
    from engram_lab.evaluation.statistics.contrast import Comparison, Contrast
    from engram_lab.evaluation.suite import GateRules, Suite
    from engram_lab.evaluation.suites import load_suite
    from engram_lab.evaluation.systems.registry import SystemSpec, load_system
    from engram_lab.evaluation.tuning.on_suite import base_of, tune_suite
    from engram_lab.evaluation.tuning.space import read_space
    from engram_lab.evaluation.tuning.tune import Plan

__all__ = [
    "Baseline",
    "Comparison",
    "Contrast",
    "Dataset",
    "GateReport",
    "GateRules",
    "Measure",
    "Plan",
    "Run",
    "RunFolder",
    "Suite",
    "SystemSpec",
    "base_of",
    "baseline_of",
    "compare",
    "crosswalk",
    "judge",
    "load_dataset",
    "load_suite",
    "load_system",
    "parse_measure",
    "promote",
    "read_baseline",
    "read_qrels",
    "read_results",
    "read_run",
    "read_space",
    "run_benchmark",
    "run_suite",
    "score",
    "tune_suite",
    "update_baseline",
    "write_gate_report",
    "write_qrels",
    "write_report",
    "write_run",
]

_HOMES: Final = {
    "Baseline": "gating.baseline",
    "Comparison": "statistics.contrast",
    "Contrast": "statistics.contrast",
    "Dataset": "datasets.dataset",
    "GateReport": "gating.verdict",
    "GateRules": "suite",
    "Measure": "measures.measure",
    "Plan": "tuning.tune",
    "Run": "runs.run",
    "RunFolder": "runs.results",
    "Suite": "suite",
    "SystemSpec": "systems.registry",
    "base_of": "tuning.on_suite",
    "baseline_of": "gating.baseline",
    "compare": "statistics.comparing",
    "crosswalk": "protocols",
    "judge": "gating.gate",
    "load_dataset": "datasets.catalogue",
    "load_suite": "suites",
    "load_system": "systems.registry",
    "parse_measure": "measures.parsing",
    "promote": "gating.promotion",
    "read_baseline": "gating.baseline",
    "read_qrels": "runs.trec",
    "read_results": "runs.results",
    "read_run": "runs.trec",
    "read_space": "tuning.space",
    "run_benchmark": "consolidation.benchmark",
    "run_suite": "running.evaluate",
    "score": "measures.scoring",
    "tune_suite": "tuning.on_suite",
    "update_baseline": "gating.baseline",
    "write_gate_report": "gating.gate_file",
    "write_qrels": "runs.trec",
    "write_report": "reports.html",
    "write_run": "runs.trec",
}


def __getattr__(name: str) -> Any:
    """Import a public name at its first use, so that one part does not need the packages of all."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return list(__all__)
