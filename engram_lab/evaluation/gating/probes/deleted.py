"""Deleted stays deleted: whatever is done afterwards, what was forgotten or purged is not back.

Afterwards others are updated, the indexes made anew, the store is cleaned up, closed, opened and
exported, and the export is taken in again, here and into an empty store. What was purged is not in
any file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engram_lab.evaluation.gating.probes.rig import guard_result

if TYPE_CHECKING:
    from pathlib import Path

    from engram_lab.engine import Engine
    from engram_lab.evaluation.gating.guards import GuardResult
    from engram_lab.evaluation.gating.probes.rig import Rig

__all__ = ["DELETED", "deleted_stays_deleted"]

DELETED: Final = "deleted stays deleted"

_QUESTION: Final = "who feeds the lighthouse cat"
_FORGOTTEN: Final = "marzipanotter"
_PURGED: Final = "kryptonwalrus"
_TRACE: Final = _PURGED[2:10].encode()
"""Of its bytes: an index may share the beginning with a neighbour, a stemmer cut the end."""

_VECTOR_BYTES: Final = 64


def deleted_stays_deleted(rig: Rig) -> GuardResult:
    """Return after how many deeds something deleted was shown, or left in a file."""
    clock = rig.clock()
    broken: list[str] = []
    with rig.engine("deleted", clock) as engine:
        ids, traces = _fill(rig, engine)
        there = all(_lies_in(rig.folder, trace) for trace in traces)
        _delete(engine, ids)
        broken += _seen(rig, engine, ids, "deleting")
        broken += _left(rig.folder, traces, "deleting")
        for n, other in enumerate(ids["others"]):
            engine.update(other, content=f"{_QUESTION}: number {n} does", importance=0.9)
        broken += _seen(rig, engine, ids, "updating others")
        engine.reindex()
        broken += _seen(rig, engine, ids, "reindexing")
        clock.advance(days=3)
        engine.clean_up()
        broken += _seen(rig, engine, ids, "cleaning up")
    broken += _left(rig.folder, traces, "closing")
    export = rig.folder / "export.jsonl"
    with rig.engine("deleted", clock) as engine:
        broken += _seen(rig, engine, ids, "opening again")
        engine.export(export)
        engine.import_(export)
        broken += _seen(rig, engine, ids, "taking an export in again")
    with rig.engine("elsewhere", clock) as engine:
        engine.import_(export)
        broken += _seen(rig, engine, ids, "taking the export in elsewhere")
    broken += _left(rig.folder, traces, "exporting")
    if not there and not broken:
        said = "what is purged could not be seen in the files before, so that nothing can be said"
        return guard_result(DELETED, 0, said, tried=False)
    what = f": {'; '.join(dict.fromkeys(broken))}" if broken else ""
    said = f"what was deleted came back {len(broken)} times; allowed is 0{what}"
    return guard_result(DELETED, len(broken), said)


def _fill(rig: Rig, engine: Engine) -> tuple[dict[str, list[str]], list[bytes]]:
    """Store what will be deleted and what stays; return ids, and bytes that a purge must end."""
    others = [engine.remember(f"{_QUESTION}: the keeper's {n}. child").id for n in range(6)]
    gone = {
        "forgotten": engine.remember(f"{_QUESTION}: {_FORGOTTEN}", tags=["canary"]).id,
        "purged": engine.remember(f"{_QUESTION}: {_PURGED}", tags=["canary"]).id,
    }
    engine.update(gone["purged"], content=f"{_QUESTION}: {_PURGED} himself")
    engine.link(gone["purged"], others[0])
    engine.link(others[1], gone["forgotten"])
    engine.reindex()
    traces = [_TRACE]
    if rig.semantic:
        (vector,) = engine.store.vectors.get(engine.embedder.fingerprint, [gone["purged"]])
        if vector is not None:
            traces.append(vector.values.tobytes()[:_VECTOR_BYTES])
    return {"others": others, **{name: [id_] for name, id_ in gone.items()}}, traces


def _delete(engine: Engine, ids: dict[str, list[str]]) -> None:
    engine.forget(ids["forgotten"][0])
    engine.purge(ids["purged"])


def _seen(rig: Rig, engine: Engine, ids: dict[str, list[str]], deed: str) -> list[str]:
    """Return what was shown after a deed."""
    gone = {ids["forgotten"][0], ids["purged"][0]}
    found = []
    for question in (_QUESTION, f"{_QUESTION} {_FORGOTTEN}", f"{_QUESTION} {_PURGED}"):
        for hits in rig.ask(engine, question):
            texts = "\n".join(hit.memory.content for hit in hits)
            if gone & {hit.id for hit in hits} or _FORGOTTEN in texts or _PURGED in texts:
                found.append(f"shown after {deed}")
    return found[:1]


def _left(folder: Path, traces: list[bytes], deed: str) -> list[str]:
    """Return what a purge left in the files after a deed."""
    return [
        f"bytes of the {kind} left after {deed}"
        for kind, trace in zip(("text", "vector"), traces, strict=False)
        if _lies_in(folder, trace)
    ]


def _lies_in(folder: Path, trace: bytes) -> bool:
    return any(trace in each.read_bytes() for each in sorted(folder.rglob("*")) if each.is_file())
