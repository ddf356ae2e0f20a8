"""Determinism: the same memories, configuration, seed and clock give the same run, to the byte."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engram_lab.evaluation.gating.probes.rig import guard_result

if TYPE_CHECKING:
    from engram_lab.engine import Engine
    from engram_lab.evaluation.gating.guards import GuardResult
    from engram_lab.evaluation.gating.probes.rig import Rig

__all__ = ["DETERMINISM", "determinism"]

DETERMINISM: Final = "determinism"

_WHO: Final = ("Mirela", "Tobias", "Ingrid", "Paolo", "the keeper", "the crane driver")
_DID: Final = ("painted", "sold", "repaired", "found", "photographed")
_WHAT: Final = ("the blue door", "an old violin")
_QUESTIONS: Final = (
    "who painted the blue door",
    "what did Ingrid repair",
    "who sold an old violin to whom",
    "where is the keeper now",
    "crane driver",
    "violin violin violin",
)


def determinism(rig: Rig) -> GuardResult:
    """Return how many questions were answered otherwise the second time."""
    runs = []
    for name in ("first", "second"):
        clock = rig.clock()
        with rig.engine(name, clock) as engine:
            _fill(engine, semantic=rig.semantic)
            runs += [_run(rig, engine), _run(rig, engine)]
        with rig.engine(name, clock) as engine:
            runs.append(_run(rig, engine))
    first = runs[0]
    if not any(first):
        return guard_result(DETERMINISM, 0, "nothing was found at all", tried=False)
    count = sum(any(run[place] != answer for run in runs[1:]) for place, answer in enumerate(first))
    said = (
        f"{count} of {len(first)} answers differ, asked again, after opening again or from a "
        "store filled anew; allowed is 0"
    )
    return guard_result(DETERMINISM, count, said)


def _fill(engine: Engine, *, semantic: bool) -> None:
    texts = [f"{who} {did} {what}" for who in _WHO for did in _DID for what in _WHAT]
    engine.remember_many(
        {
            "content": text,
            "importance": (place % 10) / 10,
            "event_at": f"2025-01-{place % 28 + 1:02}",
        }
        for place, text in enumerate(texts)
    )
    if semantic:
        engine.embed()


def _run(rig: Rig, engine: Engine) -> list[bytes]:
    """Return each answer as bytes: ids in order, with every bit of their scores."""
    return [
        "\n".join(f"{hit.id} {hit.rank} {hit.score.hex()}" for hit in hits).encode()
        for question in _QUESTIONS
        for hits in rig.ask(engine, question)
    ]
