"""Promoting a system whose gate passed: its configuration becomes a bundle, with the evidence.

promote("runs/today", "rrf", "tuned.bundle")
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from engram_lab.config.model import EngineConfig
from engram_lab.config.sections import nest
from engram_lab.core.errors import (
    ConflictError,
    InvalidRunError,
    PromotionRefusedError,
)
from engram_lab.engine.bundle import bundled
from engram_lab.evaluation.gating.finished import AnyRun, data_of, finished, result_of
from engram_lab.evaluation.gating.gate import NO_GUARDS
from engram_lab.evaluation.gating.gate_file import (
    GATE_FILE,
    changed_since_gate,
    read_gate_report,
    report_as_json,
)
from engram_lab.evaluation.gating.guards import GUARDS
from engram_lab.evaluation.gating.sealed import plain
from engram_lab.evaluation.runs.files import replacing
from engram_lab.evaluation.runs.masking import without_secrets

if TYPE_CHECKING:
    from engram_lab.evaluation.gating.verdict import GateReport
    from engram_lab.evaluation.runs.results import RunFolder

__all__ = ["promote"]

_OF_THE_EVALUATION: Final = (
    "store.path",
    "store.seed",
    "store.synchronous",
    "embedding.cache",
    "embedding.defer",
    "learning.record_recalls",
)
"""Set by an evaluation for its own needs. None of these changes what a recall finds."""


def promote(
    run: AnyRun, system: str, out: str | os.PathLike[str], *, overwrite: bool = False
) -> Path:
    """Write the bundle of a system whose gate passed.

    Args:
        run: A run, or its folder, in which `gate.json` lies.
        system: One of its engines.
        out: The file to write.
        overwrite: Replace a file that is there.

    Raises:
        PromotionRefusedError: No verdict lies beside the run, it is no pass for this system, the
            results changed since, a guard was not tried, or the system is no engine.
        InvalidInputError: The run has no such system.
        InvalidRunError: The run cannot be read.
        ConflictError: The file exists, and `overwrite` is False.
    """
    run = finished(run)
    spec = result_of(run, system).get("spec") or {}
    config = _promoted(system, spec)
    report = _passed(run, system)
    target = Path(out)
    if target.exists() and not overwrite:
        raise ConflictError(f"{target} exists: name another file, or say that it is to be replaced")
    about = {"system": system, "suite": run.suite, "embedder": spec.get("embedder")}
    content = bundled(
        config,
        about,
        evidence=_evidence(run, system, report),
        record=without_secrets(run.record),
    )
    with replacing(target) as file:
        file.write(content)
    return target


def _passed(run: RunFolder, system: str) -> GateReport:
    """Return the verdict, where it is a pass over this system and over these results."""
    advice = "judge the run with `engram eval gate`, and promote it then"
    if not (run.path / GATE_FILE).is_file():
        raise PromotionRefusedError(f"no verdict lies beside the run: {advice}")
    try:
        report, changed = read_gate_report(run.path), changed_since_gate(run.path)
    except InvalidRunError as error:
        raise PromotionRefusedError(f"the verdict cannot be relied on: {error}") from None
    if changed:
        raise PromotionRefusedError(
            f"{' and '.join(changed)} changed since the gate passed judgement: {advice}"
        )
    if system not in report.systems:
        why = report.skipped.get(system, "it was not judged")
        raise PromotionRefusedError(f"the gate did not judge {system!r} ({why}): {advice}")
    if (verdict := report.verdict_of(system)) != "pass":
        reasons = [each.said for each in report.failed if each.system == system]
        reasons += [report.incomparable[system]] if system in report.incomparable else []
        said = "; ".join(reasons) or "nothing could be compared"
        raise PromotionRefusedError(f"the verdict over {system!r} is {verdict}: {said}")
    checks = [e for e in report.checks if e.system == system and e.name in {NO_GUARDS, *GUARDS}]
    if open_ := [f"{each.name}: {each.said}" for each in checks if each.status != "pass"]:
        raise PromotionRefusedError(
            f"not every guard of {system!r} was tried ({'; '.join(open_)}): run the suite with its "
            "guards"
        )
    return report


def _promoted(system: str, spec: Mapping[str, Any]) -> EngineConfig:
    """Return the configuration that was evaluated, without what belongs to that occasion."""
    if spec.get("kind") != "engine" or not isinstance(spec.get("settings"), Mapping):
        raise PromotionRefusedError(
            f"the system {system!r} is no engine, so there is no configuration to promote"
        )
    evaluated = EngineConfig.from_dict(spec["settings"])
    if evaluated.content_hash != spec.get("config_hash"):
        raise PromotionRefusedError(
            f"the settings of {system!r} do not fit the hash of the configuration that was "
            "evaluated: run the suite again with this version"
        )
    defaults = EngineConfig().flat()
    declared, _ = EngineConfig.flatten(spec.get("declared") or {})
    values = evaluated.flat()
    for name in _OF_THE_EVALUATION:
        values[name] = declared.get(name, defaults[name])
    for name, setting in EngineConfig.settings().items():
        value = values[name]
        if isinstance(value, str) and setting.masked(value) != value:
            values[name] = defaults[name]
    values["store.path"], values["embedding.cache"] = defaults["store.path"], None
    return EngineConfig.from_dict(nest(values))


def _evidence(run: RunFolder, system: str, report: GateReport) -> dict[str, Any]:
    ours = replace(
        report,
        checks=tuple(each for each in report.checks if each.system == system),
        comparisons={k: each for k, each in report.comparisons.items() if k == system},
        skipped={},
        incomparable={},
    )
    result = without_secrets(plain(dict(result_of(run, system))))
    found = {"suite": run.suite, "data": data_of(run), "result": result}
    return found | {"gate": report_as_json(ours)}
