"""Tenant leaks: nobody sees what lies out of reach, whatever is asked and however.

Two agents stand in sibling scopes of which one name begins like the other, and each scope has
memories in two workspaces. All of them hold the words of the question, links lead from one tenant
to the other, and one word is known to a single tenant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from engram_lab.core.scopes import ancestors
from engram_lab.evaluation.gating.probes.rig import guard_result

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engram_lab.core.types import Memory
    from engram_lab.engine import Engine
    from engram_lab.evaluation.gating.guards import GuardResult
    from engram_lab.evaluation.gating.probes.rig import Rig

__all__ = ["TENANT_LEAKS", "tenant_leaks"]

TENANT_LEAKS: Final = "tenant leaks"

_QUESTION: Final = "which code opens the harbour crane"
_SCOPES: Final = ("global/tenant:a", "global/tenant:ab")
_WORKSPACES: Final = ("left", "right")
_RARE: Final = ("zanzibarquay", "wanderlustig")
"""A word that each tenant alone knows."""

_MISSPELT: Final = ("zanzibarquai", "wanderlustik")
_TAG: Final = "canary"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asker:
    """Whoever asks, and what may be shown then.

    Attributes:
        who: As a report calls it.
        reach: How the engine is told.
        scopes: Only memories of these may be shown; None for all.
        workspace: Only memories of this one may be shown; None for all.
    """

    who: str
    reach: dict[str, Any]
    scopes: tuple[str, ...] | None = None
    workspace: str | None = None

    def may_see(self, memory: Memory) -> bool:
        """Tell whether a memory may be shown."""
        return (self.scopes is None or memory.scope in self.scopes) and (
            self.workspace is None or memory.workspace == self.workspace
        )


def tenant_leaks(rig: Rig) -> GuardResult:
    """Return how many memories of others were shown, and words that only others know."""
    clock = rig.clock()
    leaked: set[tuple[str, str]] = set()
    answers = blind = 0
    with rig.engine("tenants", clock) as engine:
        _fill(engine, semantic=rig.semantic)
        for asker in _askers():
            for narrow in (
                {},
                {"filter": {"tags": {"contains": _TAG}}},
                {"as_of": clock.now()},
            ):
                for hits in rig.ask(engine, _QUESTION, **asker.reach, **narrow):
                    answers += 1
                    blind += not len(hits)
                    strange = (hit.id for hit in hits if not asker.may_see(hit.memory))
                    leaked.update((asker.who, each) for each in strange)
        leaked.update(_words_of_others(engine))
    if blind:
        said = f"{blind} of {answers} answers were empty, so that nothing could be seen in them"
        return guard_result(TENANT_LEAKS, len(leaked), said, tried=False)
    said = f"{len(leaked)} memories or words of others shown in {answers} answers; allowed is 0"
    return guard_result(TENANT_LEAKS, len(leaked), said)


def _fill(engine: Engine, *, semantic: bool) -> None:
    ids: dict[str, list[str]] = {}
    for scope, rare in zip(_SCOPES, _RARE, strict=True):
        for workspace in _WORKSPACES:
            engine.store.sessions.start(f"{scope} {workspace}", scope=scope, workspace=workspace)
            turns = engine.store.sessions.add_turns(
                f"{scope} {workspace}",
                [
                    {"speaker": f"s{n}", "content": f"{_QUESTION}? {scope} {n}", "tags": [_TAG]}
                    for n in range(3)
                ],
            )
            report = engine.remember_many(
                {
                    "content": f"{_QUESTION}: {rare} {workspace} {n}",
                    "scope": scope,
                    "workspace": workspace,
                    "tags": [_TAG],
                    "importance": 1.0 - 0.3 * n,
                }
                for n in range(3)
            )
            ids.setdefault(scope, []).extend([*report.ids, *(turn.memory_id for turn in turns)])
    for one, other in zip(*ids.values(), strict=True):
        engine.link(one, other, weight=1.0)
    own = ids[_SCOPES[0]]
    for one, other in zip(own, reversed(own), strict=True):  # from workspace to workspace
        if one != other:
            engine.link(one, other, weight=0.9)
    if semantic:
        engine.embed()


def _askers() -> Iterator[_Asker]:
    for scope in _SCOPES:
        reach: dict[str, Any] = {"agent": f"agent of {scope}", "scope": scope}
        above = ancestors(scope)
        yield _Asker(who=scope, reach=reach, scopes=above)
        yield _Asker(who=f"owner within {scope}", reach={"scope": scope}, scopes=(scope,))
        for place in _WORKSPACES:
            within = {**reach, "workspace": place}
            yield _Asker(who=f"{scope} in {place}", reach=within, scopes=above, workspace=place)
    for place in _WORKSPACES:
        yield _Asker(who=f"owner in {place}", reach={"workspace": place}, workspace=place)


def _words_of_others(engine: Engine) -> Iterator[tuple[str, str]]:
    """Yield each word offered to a tenant that no memory within reach holds."""
    for scope, own in zip(_SCOPES, _RARE, strict=True):
        agent = engine.as_agent(f"agent of {scope}", scope)
        for misspelt in _MISSPELT:
            for offered in agent.suggest(misspelt):
                if offered.replacement[:8] != own[:8]:
                    yield scope, offered.replacement
