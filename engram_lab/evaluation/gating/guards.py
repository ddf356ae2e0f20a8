"""Guards: what must hold exactly of an engine, whatever its quality.

They are tried on stores of their own, with canaries that share the words of the question, in every
way in which the engine can be asked. One that gets through is one too many.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, Literal

from engram_lab.core.errors import EmbedderError, EngramError, MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from engram_lab.config import EngineConfig
    from engram_lab.config.retrieval import Strategy
    from engram_lab.evaluation.gating.probes.rig import Opener, Rig
    from engram_lab.evaluation.systems import System, Workshop
    from engram_lab.retrieval.embedders import Embedder
    from engram_lab.retrieval.fusion import Fusion
    from engram_lab.retrieval.rerank import Reranker

__all__ = ["GUARDS", "GuardResult", "guard", "guard_config", "guards_of"]

GUARDS: Final = (
    "tenant leaks",
    "hidden stays hidden",
    "deleted stays deleted",
    "determinism",
)
"""The laws, in the order in which they are tried."""

_NO_MODEL: Final = "none"


@dataclass(frozen=True, kw_only=True, slots=True)
class GuardResult:
    """What a probe found.

    Attributes:
        name: Of the law.
        status: `skip` where it could not be tried.
        count: How often it was broken.
        said: One sentence.
    """

    name: str
    status: Literal["pass", "fail", "skip"]
    count: int
    said: str


def guard(open_: Opener, folder: Path, *, semantic: bool) -> tuple[GuardResult, ...]:
    """Return what each guard found.

    Args:
        open_: Opens the engine at a path, by a clock.
        folder: Where stores are made; it must exist.
        semantic: Whether memories get vectors, so that they can be asked by meaning too.
    """
    from engram_lab.evaluation.gating.probes.deleted import deleted_stays_deleted
    from engram_lab.evaluation.gating.probes.hidden import hidden_stays_hidden
    from engram_lab.evaluation.gating.probes.repeated import determinism
    from engram_lab.evaluation.gating.probes.rig import Rig
    from engram_lab.evaluation.gating.probes.tenants import tenant_leaks

    probes = (tenant_leaks, hidden_stays_hidden, deleted_stays_deleted, determinism)
    ways: tuple[Strategy | None, ...] = (None, "keyword")
    if semantic:
        ways = (*ways, "semantic", "hybrid")
    found = []
    for name, probe in zip(GUARDS, probes, strict=True):
        place = folder / name.replace(" ", "-")
        place.mkdir()
        found.append(_tried(name, probe, Rig(open=open_, folder=place, strategies=ways)))
    return tuple(found)


def guard_config(
    config: EngineConfig,
    folder: Path,
    *,
    embedder: Embedder | None = None,
    fusion: Fusion | None = None,
    rerankers: Mapping[str, Reranker] | None = None,
) -> tuple[GuardResult, ...]:
    """Return what each guard found of a configuration, with parts of your own where you have some.

    Args:
        config: The whole configuration.
        folder: Where stores are made; it must exist.
        embedder: See `Engine.open`.
        fusion: Likewise.
        rerankers: Likewise.
    """
    from engram_lab.engine import Engine
    from engram_lab.evaluation.gating.probes.rig import opener

    bare = replace(config, embedding=replace(config.embedding, cache=None))
    with Engine.open(":memory:", config=bare) as holder:  # keeps the model for all the stores
        if embedder is None and config.embedding.model != _NO_MODEL:
            try:
                embedder = holder.embedder
            except (EmbedderError, MissingDependencyError) as error:
                return tuple(_skip(name, f"there is no embedder: {error}") for name in GUARDS)
        open_ = opener(config, embedder=embedder, fusion=fusion, rerankers=rerankers)
        return guard(open_, folder, semantic=embedder is not None)


def guards_of(system: System, workshop: Workshop) -> dict[str, dict[str, Any]]:
    """Return what each guard found of a system, as `results.json` has it: by name.

    What is no engine has no stores to be probed, so all are skipped.

    Args:
        system: Whatever was evaluated.
        workshop: Has the model of the system, loaded.
    """
    from engram_lab.evaluation.systems.engine_system import EngineSystem

    if not isinstance(system, EngineSystem):
        found = tuple(_skip(name, "the system is no engine") for name in GUARDS)
    else:
        with TemporaryDirectory(prefix="engram-guards-") as folder:
            bare = _bare(system.config, workshop)
            found = guard_config(system.config, Path(folder), embedder=bare)
    return {each.name: {k: v for k, v in asdict(each).items() if k != "name"} for each in found}


def _tried(name: str, probe: Callable[[Rig], GuardResult], rig: Rig) -> GuardResult:
    """Return what a probe found; where it could not be finished, that is no pass."""
    try:
        return probe(rig)
    except EngramError as error:  # the disk is full, a provider does not answer
        return _skip(name, f"the probe could not be finished: {error}")
    except Exception as error:  # noqa: BLE001 - parts of a user's own may raise anything
        said = f"the engine broke under the probe: {type(error).__name__}: {error}"
        return GuardResult(name=name, status="fail", count=1, said=said)


def _bare(config: EngineConfig, workshop: Workshop) -> Embedder | None:
    """Return the model of an engine without the cache before it, which would hide what it does."""
    from engram_lab.retrieval.embedders.cached import CachedEmbedder

    if config.embedding.model == _NO_MODEL:
        return None
    held = workshop.embedder(config)
    return held.inner if isinstance(held, CachedEmbedder) else held


def _skip(name: str, said: str) -> GuardResult:
    return GuardResult(name=name, status="skip", count=0, said=said)
