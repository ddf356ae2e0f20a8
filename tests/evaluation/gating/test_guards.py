"""The guards, each on an engine that keeps the law and on one that was sabotaged to break it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engram_lab.config import EngineConfig
from engram_lab.core.errors import EngramError, StoreFullError
from engram_lab.engine import Engine
from engram_lab.evaluation.gating.guards import GUARDS, GuardResult, guard, guard_config, guards_of
from engram_lab.evaluation.gating.probes.deleted import deleted_stays_deleted
from engram_lab.evaluation.gating.probes.hidden import hidden_stays_hidden
from engram_lab.evaluation.gating.probes.repeated import determinism
from engram_lab.evaluation.gating.probes.rig import Rig, opener
from engram_lab.evaluation.gating.probes.tenants import tenant_leaks
from engram_lab.evaluation.systems import SystemSpec, Workshop, make_system
from engram_lab.retrieval.embedders import EmbedderOptions, resolve
from engram_lab.retrieval.rerank.building import made_of, scores_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engram_lab.core.clock import Clock
    from engram_lab.retrieval.embedders.protocol import Kind
    from engram_lab.retrieval.rerank import Candidate, Reranked, RerankQuery

HASHING = EngineConfig.from_dict({"embedding": {"model": "hashing", "dim": 64}})
WORDS_ALONE = EngineConfig.from_dict({"embedding": {"model": "none"}})

Probe = Callable[[Rig], GuardResult]


def bench_of(folder: Path, kind: type[Engine] = Engine, config: EngineConfig = WORDS_ALONE) -> Rig:
    """Return a rig over engines of a class, perhaps one that breaks a law."""

    def open_(path: Path, clock: Clock) -> Engine:
        made = opener(config)(path, clock)
        made.__class__ = kind
        return made

    ways: Any = (None, "keyword")
    if config.embedding.model != "none":
        ways = (*ways, "semantic", "hybrid")
    return Rig(open=open_, folder=folder, strategies=ways)


@pytest.mark.parametrize(
    "sections",
    [
        {"embedding": {"model": "none"}, "retrieval": {"lexical": "fts5"}},
        {
            "embedding": {"model": "hashing", "dim": 64},
            "retrieval": {
                "fusion": "rrf",
                "spread_share": 0.4,
                "context_share": 0.4,
                "recency_weight": 0.3,
                "mmr_lambda": 0.7,
            },
            "store": {"dedup": "merge"},
        },
    ],
    ids=["words", "everything"],
)
def test_our_engine_keeps_every_law(sections: dict[str, Any], tmp_path: Path) -> None:
    found = guard_config(EngineConfig.from_dict(sections), tmp_path)

    assert [each.name for each in found] == list(GUARDS)
    assert {(each.status, each.count) for each in found} == {("pass", 0)}


class OneForAll(Engine):
    """Forgets who asks."""

    def as_agent(self, agent_id: str, scope: str) -> Any:
        return self


class BlindToWorkspaces(Engine):
    def recall(self, query: str, k: int | None = None, **chosen: Any) -> Any:
        chosen.pop("workspace", None)
        return super().recall(query, k, **chosen)


class UnreachableWhenFiltered(Engine):
    """Drops the reach of an agent as soon as there is a filter."""

    def recall(self, query: str, k: int | None = None, **chosen: Any) -> Any:
        if chosen.get("filter") is not None:
            chosen.pop("agent", None)
            chosen.pop("scope", None)
        return super().recall(query, k, **chosen)


class PrefixMatch(Engine):
    """Takes the scope of who has a longer name for its own."""

    def recall(self, query: str, k: int | None = None, **chosen: Any) -> Any:
        if chosen.get("scope") == "global/tenant:a":
            chosen["scope"] = "global/tenant:ab"
        return super().recall(query, k, **chosen)


class TellsWords(Engine):
    """Offers the words of everybody."""

    def as_agent(self, agent_id: str, scope: str) -> Any:
        view: Any = super().as_agent(agent_id, scope)
        view.suggest = self.suggest
        return view


@pytest.mark.parametrize(
    "kind", [OneForAll, BlindToWorkspaces, UnreachableWhenFiltered, PrefixMatch, TellsWords]
)
def test_a_leak_between_tenants_is_found(kind: type[Engine], tmp_path: Path) -> None:
    found = tenant_leaks(bench_of(tmp_path, kind))

    assert found.status == "fail"
    assert found.count > 0
    assert f"{found.count} memories or words of others shown" in found.said


class Mute(Engine):
    def recall(self, query: str, k: int | None = None, **chosen: Any) -> Any:
        return super().recall("zzzz", k, **chosen)


@pytest.mark.parametrize("probe", [tenant_leaks, hidden_stays_hidden, determinism])
def test_an_engine_that_finds_nothing_passes_nothing(probe: Probe, tmp_path: Path) -> None:
    assert probe(bench_of(tmp_path, Mute)).status == "skip"


class ShowsArchived(Engine):
    def recall(self, query: str, k: int | None = None, **chosen: Any) -> Any:
        return super().recall(query, k, **{**chosen, "archived": True})


class ShowsPrivate(Engine):
    def recall(self, query: str, k: int | None = None, **chosen: Any) -> Any:
        return super().recall(query, k, **{**chosen, "private": True})


class ForgetsNothing(Engine):
    def forget(self, id: str, **_: Any) -> None:  # noqa: A002
        self.get(id)


@pytest.mark.parametrize(
    ("kind", "way"),
    [
        (ShowsArchived, "archived"),
        (ShowsPrivate, "private"),
        (ForgetsNothing, "forgotten"),
    ],
)
def test_something_hidden_that_is_shown_is_found(
    kind: type[Engine], way: str, tmp_path: Path
) -> None:
    found = hidden_stays_hidden(bench_of(tmp_path, kind))

    assert (found.status, found.count) == ("fail", 1)
    assert found.said == f"1 of 5 hidden memories shown; allowed is 0: {way}"


def test_something_expired_that_is_shown_is_found(tmp_path: Path) -> None:
    class NeverLater:
        """Stands still."""

        def __init__(self, clock: Clock) -> None:
            self._moment = clock.now()

        def now(self) -> Any:
            return self._moment

    def open_(path: Path, clock: Clock) -> Engine:
        return opener(WORDS_ALONE)(path, NeverLater(clock))

    found = hidden_stays_hidden(Rig(open=open_, folder=tmp_path, strategies=(None,)))

    assert found.said.endswith("allowed is 0: expired")


def test_an_old_version_that_is_shown_is_found(tmp_path: Path) -> None:
    class KeepsTheOld(Engine):
        def update(self, id: str, **changes: Any) -> Any:  # noqa: A002
            return self.get(id)

    found = hidden_stays_hidden(bench_of(tmp_path, KeepsTheOld))

    assert found.said.endswith("allowed is 0: superseded")


class PurgesHalf(Engine):
    """Takes a memory out of the tables and leaves the files of the indexes."""

    def purge(self, ids: Sequence[str], **_: Any) -> Any:
        return self.store.memories.purge(ids)


class HidesInsteadOfPurging(Engine):
    def purge(self, ids: Sequence[str], **_: Any) -> Any:
        for each in ids:
            super().forget(each)


class BringsBack(Engine):
    """Restores what was forgotten whenever something else is done."""

    gone: str = ""

    def forget(self, id: str, **_: Any) -> None:  # noqa: A002
        type(self).gone = id
        super().forget(id)

    def _again(self) -> None:
        try:
            self.restore(self.gone)
        except EngramError:  # it is there already, or is not of this store
            return


class BringsBackByUpdating(BringsBack):
    def update(self, id: str, **changes: Any) -> Any:  # noqa: A002
        if self.gone:
            self._again()
        return super().update(id, **changes)


class BringsBackByReindexing(BringsBack):
    def reindex(self, **options: Any) -> None:
        if self.gone:
            self._again()
        super().reindex(**options)


class BringsBackByImporting(BringsBack):
    def import_(self, path: Any, **options: Any) -> Any:
        report = super().import_(path, **options)
        self._again()
        return report


@pytest.mark.parametrize(
    ("kind", "deed"),
    [
        (ForgetsNothing, "shown after deleting"),
        (PurgesHalf, "bytes of the text left after deleting"),
        (HidesInsteadOfPurging, "bytes of the text left after deleting"),
        (BringsBackByUpdating, "shown after updating others"),
        (BringsBackByReindexing, "shown after reindexing"),
        (BringsBackByImporting, "shown after taking an export in again"),
    ],
)
def test_something_deleted_that_comes_back_is_found_and_when(
    kind: type[Engine], deed: str, tmp_path: Path
) -> None:
    kind.gone = ""  # type: ignore[attr-defined]

    found = deleted_stays_deleted(bench_of(tmp_path, kind))

    assert found.status == "fail"
    assert found.count > 0
    assert found.said.split(": ", 1)[1].startswith(deed)


def test_a_vector_that_outlives_its_purge_is_found(tmp_path: Path) -> None:
    class KeepsVectors(Engine):
        def purge(self, ids: Sequence[str], **options: Any) -> Any:
            (vector,) = self.store.vectors.get(self.embedder.fingerprint, ids)
            assert vector is not None
            (tmp_path / "kept.bin").write_bytes(vector.values.tobytes())
            return super().purge(ids, **options)

    found = deleted_stays_deleted(bench_of(tmp_path, KeepsVectors, HASHING))

    assert "bytes of the vector left after deleting" in found.said
    assert "bytes of the text" not in found.said


class Noisy:
    """An embedder that never says the same twice."""

    fingerprint = "noisy"
    dim = 16

    def __init__(self) -> None:
        self._chance = np.random.default_rng(1)

    def embed(self, texts: Sequence[str], *, kind: Kind) -> NDArray[np.float32]:
        values = self._chance.normal(size=(len(texts), self.dim)).astype(np.float32)
        values /= np.linalg.norm(values, axis=1, keepdims=True)
        return values


class Restless:
    """A reranker that counts how often it was asked."""

    def __init__(self) -> None:
        self._asked = 0

    def rerank(self, query: RerankQuery, candidates: Sequence[Candidate]) -> Reranked:
        self._asked += 1
        scores = scores_of(candidates)
        return made_of(candidates, {"mood": scores + self._asked * 1e-9}, how="sum")


@pytest.mark.parametrize(
    "own",
    [{"embedder": Noisy()}, {"rerankers": {"restless": Restless()}}],
    ids=["noisy", "restless"],
)
def test_an_engine_that_answers_otherwise_the_second_time_is_found(
    own: dict[str, Any], tmp_path: Path
) -> None:
    found = {each.name: each for each in guard_config(WORDS_ALONE, tmp_path, **own)}

    assert found["determinism"].status == "fail"
    assert found["determinism"].count > 0
    assert found["tenant leaks"].status == "pass"


class Breaks(Engine):
    error: Exception = IndexError("tuple index out of range")

    def recall(self, query: str, k: int | None = None, **chosen: Any) -> Any:
        raise self.error


class DiskFull(Breaks):
    error = StoreFullError("the disk is full")


def test_a_probe_that_cannot_be_finished_is_no_pass(tmp_path: Path) -> None:
    broken = guard(bench_of(tmp_path, Breaks).open, made(tmp_path / "a"), semantic=False)
    full = guard(bench_of(tmp_path, DiskFull).open, made(tmp_path / "b"), semantic=False)

    assert {(each.status, each.count) for each in broken} == {("fail", 1)}
    assert all("IndexError: tuple index out of range" in each.said for each in broken)
    assert {each.status for each in full} == {"skip"}
    assert all("the disk is full" in each.said for each in full)


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_without_a_model_they_are_skipped_and_say_why(tmp_path: Path) -> None:
    missing = EngineConfig.from_dict({"embedding": {"model": "onnx", "path": "/nowhere"}})

    found = guard_config(missing, tmp_path)

    assert {each.status for each in found} == {"skip"}
    assert all("no embedder" in each.said for each in found)


def test_what_is_no_engine_is_skipped() -> None:
    system = make_system(SystemSpec(name="random", kind="random"), seed=1, store={})
    with Workshop() as workshop:
        found = guards_of(system, workshop)

    assert list(found) == list(GUARDS)
    assert {each["status"] for each in found.values()} == {"skip"}
    assert {each["said"] for each in found.values()} == {"the system is no engine"}


def test_a_system_is_guarded_with_the_model_that_is_loaded_and_not_its_cache(
    tmp_path: Path,
) -> None:
    settings = {"embedding": {"model": "hashing", "dim": 64}}
    system = make_system(SystemSpec(name="e", settings=settings), seed=1, store={})
    cache = tmp_path / "cache.db"
    with Workshop(cache=cache) as workshop:
        found = guards_of(system, workshop)

    assert {each["status"] for each in found.values()} == {"pass"}
    assert list(found["determinism"]) == ["status", "count", "said"]
    assert b"canary" not in cache.read_bytes()
    assert cache_rows(cache) == 0


def cache_rows(cache: Path) -> int:
    """Return how many of the texts that a probe embeds a cache knows."""
    from engram_lab.core.registry import open_embedding_cache
    from engram_lab.retrieval.embedders.cached import cache_key

    model = resolve("hashing", EmbedderOptions(dim=64))
    opened = open_embedding_cache(str(cache))
    try:
        key = cache_key("which code opens the harbour crane", kind="query")
        return sum(each is not None for each in opened.get(model.fingerprint, [key]))
    finally:
        opened.close()


@pytest.fixture(autouse=True)
def no_trace_of_sabotage() -> Iterator[None]:
    yield
    BringsBack.gone = ""


def test_guards_can_be_tried_on_any_engine_that_can_be_opened(tmp_path: Path) -> None:
    found = guard(opener(WORDS_ALONE), tmp_path, semantic=False)

    assert {each.status for each in found} == {"pass"}
