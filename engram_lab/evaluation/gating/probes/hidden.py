"""Hidden stays hidden: what is expired, private, forgotten, archived or superseded is not shown."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from engram_lab.evaluation.gating.probes.rig import guard_result

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engram_lab.core.clock import ManualClock
    from engram_lab.engine import Engine
    from engram_lab.evaluation.gating.guards import GuardResult
    from engram_lab.evaluation.gating.probes.rig import Rig

__all__ = ["HIDDEN", "hidden_stays_hidden"]

HIDDEN: Final = "hidden stays hidden"

_QUESTION: Final = "which code opens the harbour crane"
_WORDS: Final = {
    "expired": "quagmirefox",
    "private": "xyloquartz",
    "forgotten": "jumblewharf",
    "archived": "vexingkelp",
    "superseded": "oblongpixie",
}
"""A word that stands nowhere else, for each way of being hidden."""


def hidden_stays_hidden(rig: Rig) -> GuardResult:
    """Return in how many ways something hidden was shown."""
    clock = rig.clock()
    with rig.engine("hidden", clock) as engine:
        ids = _fill(engine, clock)
        shown = _shown(rig, engine, ids)
        engine.reindex()
        shown |= _shown(rig, engine, ids)
    with rig.engine("hidden", clock) as engine:
        shown |= _shown(rig, engine, ids)
    if "nothing" in shown:
        said = "not even what everybody may see was found, so that nothing can be said"
        return guard_result(HIDDEN, 0, said, tried=False)
    what = f": {', '.join(sorted(shown))}" if shown else ""
    said = f"{len(shown)} of {len(_WORDS)} hidden memories shown; allowed is 0{what}"
    return guard_result(HIDDEN, len(shown), said)


def _fill(engine: Engine, clock: ManualClock) -> dict[str, str]:
    """Store a memory that is hidden in each way and two that are not, and return ids by way."""

    def put(way: str, text: str | None = None, **fields: Any) -> str:
        content = text or f"{_QUESTION}: {_WORDS[way]}"
        return engine.remember(content, tags=["canary"], **fields).id

    engine.remember(f"{_QUESTION}: ask the crane driver")
    engine.remember("the ferry leaves at noon")
    ids = {
        "expired": put("expired", expires_at=clock.now() + timedelta(hours=1)),
        "archived": put("archived", lifecycle="archived"),
        "forgotten": put("forgotten"),
        "superseded": put("superseded"),
        "private": put("private", f"{_QUESTION} <private>{_WORDS['private']}</private>"),
    }
    engine.forget(ids["forgotten"])
    engine.update(ids["superseded"], content=f"{_QUESTION}: a newer one")
    clock.advance(hours=2)
    return ids


def _shown(rig: Rig, engine: Engine, ids: Mapping[str, str]) -> set[str]:
    """Return the ways in which something hidden was shown."""
    hidden = {ids[way]: way for way in ("expired", "archived", "forgotten")}
    shown: set[str] = set()
    for question in (_QUESTION, *(f"{_QUESTION} {word}" for word in _WORDS.values())):
        for chosen in ({}, {"filter": {"tags": {"contains": "canary"}}}, {"explain": True}):
            for hits in rig.ask(engine, question, **chosen):
                if not len(hits):
                    shown.add("nothing")
                shown |= {hidden[hit.id] for hit in hits if hit.id in hidden}
                texts = "\n".join(
                    f"{hit.memory.content}\n{hit.explanation.words or ''}" for hit in hits
                )
                shown |= {way for way, word in _WORDS.items() if word in texts}
    return shown | _found_by_word(engine, ids)


def _found_by_word(engine: Engine, ids: Mapping[str, str]) -> set[str]:
    """Return the ways in which a hidden word leads to the memory that hides it."""
    return {
        way
        for way, word in _WORDS.items()
        if ids[way] in {hit.id for hit in engine.recall(word, strategy="keyword")}
    }
