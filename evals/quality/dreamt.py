"""What dreams do to retrieval: LoCoMo before and after, through the gate.

    ENGRAM_DATA=DIR python evals/quality/dreamt.py               print the figures
    ENGRAM_DATA=DIR python evals/quality/dreamt.py --save FILE   keep them

The same systems answer the same questions, once as they are and once after a dream: with what is on
by default, which leaves turns of conversations as they are; with these steps, turns being merged as
well; and with every step there is. What they answer as they are is the baseline of a gate whose
margin is a point. Exit code 1 where the gate fails, or the interval of a difference reaches beyond
the margin, after a dream by default.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from engram_lab.core.errors import DatasetMissingError
from engram_lab.evaluation.datasets.catalogue import cache_folder
from engram_lab.evaluation.gating.baseline import baseline_of
from engram_lab.evaluation.gating.gate import judge
from engram_lab.evaluation.running.evaluate import dataset_of, run_suite
from engram_lab.evaluation.suite import GateRules
from engram_lab.evaluation.suites import load_suite
from engram_lab.evaluation.systems import SystemSpec, load_system

SUITE: Final = "locomo-turn"
SYSTEMS: Final = ("neutral", "by-hand")
MARGIN: Final = 0.01
EVERY_STEP: Final = (
    "hebbian,merge,supersede,abstract,link-semantic,link-temporal,link-sessions,fade"
)
DREAMS: Final[dict[str, dict[str, Any]]] = {
    "by default": {},
    "by default, turns merged too": {"merge_turns": True},
    "every step": {"steps": EVERY_STEP, "merge_turns": True},
}
"""The settings of each dream."""


def dreamt(spec: SystemSpec, settings: dict[str, Any]) -> SystemSpec:
    """Return a system that dreams once before it is asked."""
    return replace(spec, dreams=1, settings={**spec.settings, "dream": settings})


def evaluated(out: Path) -> dict[str, Any]:
    """Return what each dream did to each system, and on which data."""
    suite = load_suite(SUITE)
    dataset = dataset_of(suite)
    specs = [load_system(name) for name in SYSTEMS]

    def run(name: str, systems: list[SystemSpec]) -> Any:
        return run_suite(
            suite,
            systems,
            out=out / name.replace(" ", "-"),
            dataset=dataset,
            cache=cache_folder().parent / "vectors.db",
            fresh=True,
            guards=False,
        )

    baseline = baseline_of(run("awake", specs))
    rules = GateRules(measures=suite.gate.measures, margin=MARGIN, categories=False)
    found: dict[str, Any] = {}
    for name, settings in DREAMS.items():
        report = judge(run(name, [dreamt(spec, settings) for spec in specs]), baseline, rules)
        found[name] = {
            "verdict": report.verdict,
            "checks": [
                {
                    "system": check.system,
                    "measure": check.name,
                    "status": check.status,
                    "before": check.contrast.mean_a,
                    "after": check.contrast.mean_b,
                    "low": check.contrast.low,
                    "high": check.contrast.high,
                }
                for check in report.checks
                if check.contrast is not None
            ],
        }
    command = "python evals/quality/dreamt.py"
    return {"command": command, "data": dataset.hash, "margin": MARGIN, "dreams": found}


def met(found: dict[str, Any]) -> bool:
    """Tell whether a dream by default is no worse: by the gate, and by the interval."""
    told = found["dreams"]["by default"]
    return told["verdict"] == "pass" and all(each["low"] >= -MARGIN for each in told["checks"])


def main() -> int:
    """Evaluate, print, and say whether the bar was met."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--save", type=Path, metavar="FILE", help="keep the figures")
    parser.add_argument("--out", type=Path, metavar="DIR", default=Path("runs/quality/dreamt"))
    chosen = parser.parse_args()
    try:
        found = evaluated(chosen.out)
    except DatasetMissingError as error:
        print(f"skipped: {error}", file=sys.stderr)
        return 0
    for name, told in found["dreams"].items():
        print(f"{name}: {told['verdict']}")
        for each in told["checks"]:
            before, after = 100 * each["before"], 100 * each["after"]
            print(
                f"  {each['system']:10}{each['measure']:16}{before:6.1f} → {after:5.1f}"
                f"  [{100 * each['low']:+.2f}, {100 * each['high']:+.2f}]"
            )
    if chosen.save is not None:
        chosen.save.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0 if met(found) else 1


if __name__ == "__main__":
    sys.exit(main())
