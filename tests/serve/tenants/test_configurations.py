from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from engram_lab.config import EngineConfig
from engram_lab.core.errors import (
    ConflictError,
    EmbedderError,
    InvalidInputError,
    NotFoundError,
    PromotionRefusedError,
)
from engram_lab.engine.bundle import Bundle
from engram_lab.retrieval.embedders import EMBEDDERS, resolve
from engram_lab.serve.errors import UnavailableError
from engram_lab.serve.tenants.configurations import Configurations
from engram_lab.serve.tenants.pool import EnginePool
from engram_lab.serve.tenants.served import settled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from engram_lab.core.clock import ManualClock
    from engram_lab.engine import Engine
    from engram_lab.retrieval.embedders import Embedder, EmbedderOptions
    from engram_lab.serve.control.records import Tenant
    from engram_lab.serve.tenants.places import Places

    MakeTenant = Callable[..., Tenant]


def hashing(dim: int, **more: dict[str, Any]) -> EngineConfig:
    return EngineConfig.from_dict({"embedding": {"model": "hashing", "dim": dim}, **more})


def fingerprint(dim: int) -> str:
    return resolve("hashing", replace_dim(dim)).fingerprint


def replace_dim(dim: int) -> EmbedderOptions:
    from engram_lab.retrieval.embedders.registry import EmbedderOptions

    return EmbedderOptions(dim=dim)


def bundle_of(config: EngineConfig, *, embedder: str | None = None, name: str = "tuned") -> Bundle:
    """A bundle as `read_bundle` returns it."""
    return Bundle(
        config=config,
        manifest={"system": name, "suite": "made-up", "embedder": embedder},
        evidence={
            "gate": {
                "verdict": "pass",
                "checks": [{"name": "recall@10", "status": "pass", "said": "up", "system": name}],
                "baseline": {"suite": "made-up", "path": "/secret/place"},
                "comparisons": {"private": "a query"},
            },
            "result": {"measures": {"recall@10": {"mean": 0.8}}},
        },
        record={"code": {"revision": "abc"}},
    )


@pytest.fixture
def made(places: Places, clock: ManualClock) -> Callable[..., Configurations]:
    def make(config: EngineConfig, **bundles: Bundle) -> Configurations:
        return Configurations(config, places=places, clock=clock, bundles=bundles)

    return make


def test_each_tenant_is_answered_by_the_configuration_that_it_is_assigned(
    made: Callable[..., Configurations], tenant_of: MakeTenant
) -> None:
    canary = hashing(64, retrieval={"rrf_k": 30})
    served = made(hashing(32), canary=bundle_of(canary, embedder=fingerprint(64)))
    own, trying = tenant_of("own"), tenant_of("trying", bundle="canary")
    with served.open(own) as one, served.open(trying) as two:
        assert one.embedder.fingerprint == fingerprint(32)
        assert two.embedder.fingerprint == fingerprint(64)
        assert two.config.content_hash == canary.content_hash
        assert two.config.retrieval.rrf_k == 30
    assert served.names == ("canary",)


def test_an_unknown_bundle_is_refused_and_never_another_configuration(
    made: Callable[..., Configurations], tenant_of: MakeTenant
) -> None:
    served = made(hashing(32))
    lost = tenant_of("lost", bundle="canary")
    for verb in (served.open, served.about, served.make):
        with pytest.raises(UnavailableError, match="not served here"):
            verb(lost)
    assert served.version(lost) != served.version(replace(lost, bundle=None))


def test_a_model_is_in_memory_once_for_all_engines(
    made: Callable[..., Configurations], tenant_of: MakeTenant
) -> None:
    same = hashing(32, retrieval={"rrf_k": 7})
    served = made(hashing(32), same=bundle_of(same, embedder=fingerprint(32)))
    engines = [served.open(tenant_of(f"t{number}")) for number in range(5)]
    engines.append(served.open(tenant_of("other", bundle="same")))
    inner = {id(_innermost(each)) for each in engines}
    for each in engines:
        each.close()
    assert len(inner) == 1


def _innermost(engine: Engine) -> object:
    found: Any = engine.embedder
    while (within := getattr(found, "_embedder", None)) is not None:
        found = within
    return found


def test_what_belongs_to_the_place_is_the_servers(places: Places) -> None:
    own = EngineConfig.from_dict(
        {
            "embedding": {
                "model": "openai:text-embedding-3-small",
                "url": "https://proxy.example",
                "api_key": "of-the-server",
                "cache": str(places.root / "cache.db"),
                "batch": 7,
            },
            "index": {"keep": False},
            "store": {"path": "/here/engram.db"},
            "retrieval": {"rrf_k": 99},
        }
    )
    theirs = EngineConfig.from_dict(
        {"embedding": {"model": "openai:text-embedding-3-large"}, "retrieval": {"rrf_k": 30}}
    )
    found = settled(theirs, own)
    assert found.content_hash == theirs.content_hash
    assert found.embedding.model == "openai:text-embedding-3-large"
    assert (found.embedding.url, found.embedding.api_key) == (
        "https://proxy.example",
        "of-the-server",
    )
    assert (found.embedding.batch, found.index.keep) == (7, False)
    assert found.embedding.cache == str(places.root / "cache.db")
    assert found.retrieval.rrf_k == 30


def test_a_credential_never_goes_to_another_provider() -> None:
    own = EngineConfig.from_dict(
        {"embedding": {"model": "openai", "url": "https://one.example", "api_key": "secret"}}
    )
    for model in ("cohere", "voyage:voyage-3", "minilm", "auto"):
        found = settled(EngineConfig.from_dict({"embedding": {"model": model}}), own)
        assert (found.embedding.url, found.embedding.api_key) == (None, None)


def test_a_bundle_of_another_model_is_refused(
    made: Callable[..., Configurations], tenant_of: MakeTenant
) -> None:
    served = made(hashing(32))
    good = bundle_of(hashing(64), embedder=fingerprint(64))
    bad = bundle_of(hashing(64), embedder="another model")
    with pytest.raises(PromotionRefusedError):
        served.add("canary", bad)
    assert served.names == ()
    served.add("canary", good)
    with pytest.raises(PromotionRefusedError):
        served.replace("canary", bad)
    with served.open(tenant_of("trying", bundle="canary")) as engine:  # the former one stays
        assert engine.embedder.fingerprint == fingerprint(64)


@pytest.mark.parametrize("name", ["", "-", "Canary", "a b", "a/b", "x" * 65, "canary\n", "."])
def test_a_bundle_has_a_plain_name(made: Callable[..., Configurations], name: str) -> None:
    with pytest.raises(InvalidInputError):
        made(hashing(32)).add(name, bundle_of(hashing(64)))


def test_names_are_given_once_and_taken_back(
    made: Callable[..., Configurations], tenant_of: MakeTenant
) -> None:
    served = made(hashing(32))
    bundle = bundle_of(hashing(64))
    with pytest.raises(NotFoundError):
        served.replace("canary", bundle)
    with pytest.raises(NotFoundError):
        served.remove("canary")
    served.add("canary", bundle)
    with pytest.raises(ConflictError):
        served.add("canary", bundle)
    trying = tenant_of("trying", bundle="canary")
    before = served.version(trying)
    served.remove("canary")
    assert served.version(trying) != before
    served.add("canary", bundle)
    assert served.version(trying) != before  # it may be another one of the same name


@pytest.fixture
def swapping(places: Places, clock: ManualClock) -> Iterator[tuple[Configurations, EnginePool]]:
    served = Configurations(
        hashing(32, embedding={"model": "hashing", "dim": 32}), places=places, clock=clock
    )
    pool = EnginePool(
        served.open, places=places, max_open=3, idle_close_s=60, version=served.version
    )
    yield served, pool
    assert pool.close() == 0


def test_a_swap_is_seen_by_the_next_request_and_vectors_of_both_stay(
    swapping: tuple[Configurations, EnginePool], tenant_of: MakeTenant
) -> None:
    served, pool = swapping
    tenant = tenant_of("acme")
    words = ["the cat sat", "a dog ran", "the fish swam"]
    with pool.lease(tenant) as engine:
        ids = [engine.remember(each).id for each in words]
        assert None not in engine.store.vectors.get(fingerprint(32), ids)
    served.add("canary", bundle_of(hashing(64), embedder=fingerprint(64)))
    trying = replace(tenant, bundle="canary")
    with pool.lease(trying) as engine:
        _until(lambda: None not in engine.store.vectors.get(fingerprint(64), ids))
        assert engine.store.vectors.embedders() == {fingerprint(32): 32, fingerprint(64): 64}
        found = engine.recall("cat", strategy="semantic", k=1)
        assert [each.memory.content for each in found] == ["the cat sat"]
        new = engine.remember("a bird sang").id
    with pool.lease(tenant) as engine:  # and back
        _until(lambda: None not in engine.store.vectors.get(fingerprint(32), [*ids, new]))
        found = engine.recall("bird", strategy="semantic", k=1)
        assert [each.memory.content for each in found] == ["a bird sang"]


def test_a_replacement_drains_and_drops_nothing(
    swapping: tuple[Configurations, EnginePool], tenant_of: MakeTenant
) -> None:
    served, pool = swapping
    served.add("canary", bundle_of(hashing(32, retrieval={"rrf_k": 1})))
    tenant = tenant_of("acme", bundle="canary")
    with pool.lease(tenant) as former:
        served.replace("canary", bundle_of(hashing(32, retrieval={"rrf_k": 2})))
        with pool.lease(tenant) as latter:
            assert latter.config.retrieval.rrf_k == 2
            latter.remember("said to the new one")
        assert former.config.retrieval.rrf_k == 1
        assert former.count() == 1
    served.remove("canary")
    with pytest.raises(UnavailableError), pool.lease(tenant):
        pass
    served.add("canary", bundle_of(hashing(32, retrieval={"rrf_k": 3})))
    with pool.lease(tenant) as engine:  # not remembered as broken
        assert (engine.config.retrieval.rrf_k, engine.count()) == (3, 1)


def test_the_servers_own_can_be_replaced(
    swapping: tuple[Configurations, EnginePool], tenant_of: MakeTenant
) -> None:
    served, pool = swapping
    tenant = tenant_of("acme")
    with pool.lease(tenant) as engine:
        assert engine.embedder.fingerprint == fingerprint(32)
    served.replace_own(hashing(128))
    with pool.lease(tenant) as engine:
        assert engine.embedder.fingerprint == fingerprint(128)


def test_what_is_told_of_an_engine(
    made: Callable[..., Configurations], tenant_of: MakeTenant
) -> None:
    served = made(hashing(32), canary=bundle_of(hashing(64), embedder=fingerprint(64)))
    own = served.about(tenant_of("own"))
    assert own.config_hash == hashing(32).content_hash
    assert (own.bundle, own.system, own.suite, own.evidence) == (None, None, None, None)
    assert own.embedder == fingerprint(32)
    assert set(own.versions) == {"engram_lab", "schema", "sqlite"}
    trying = served.about(tenant_of("trying", bundle="canary"))
    assert (trying.bundle, trying.system, trying.suite) == ("canary", "tuned", "made-up")
    assert trying.embedder == fingerprint(64)
    assert trying.evidence == {
        "verdict": "pass",
        "baseline": "made-up",
        "checks": [{"name": "recall@10", "status": "pass", "said": "up"}],
        "measures": {"recall@10": {"mean": 0.8}},
        "code": "abc",
    }


class Away:
    """An embedder whose provider is away until it is back."""

    def __init__(self) -> None:
        self.back = False

    def __call__(self, options: EmbedderOptions) -> Embedder:
        if not self.back:
            raise EmbedderError("nobody answers", retryable=True)
        return resolve("hashing", options)


@pytest.fixture
def away() -> Iterator[Away]:
    embedder = Away()
    EMBEDDERS.add("away", embedder)
    yield embedder
    EMBEDDERS._known.pop("away")


def test_a_provider_that_is_away_leaves_words(
    made: Callable[..., Configurations], tenant_of: MakeTenant, away: Away, clock: ManualClock
) -> None:
    served = made(EngineConfig.from_dict({"embedding": {"model": "away", "dim": 32}}))
    tenant = tenant_of()
    with served.open(tenant) as engine:
        engine.remember("the cat sat")
        assert [each.memory.content for each in engine.recall("cat")] == ["the cat sat"]
        assert served.about(tenant).embedder is None
        away.back = True
        clock.advance(minutes=1)
        engine.remember("the dog ran")
        assert served.about(tenant).embedder == fingerprint(32)
        assert len(engine.recall("cat", strategy="semantic", k=2)) == 2


def test_a_bundle_whose_provider_is_away_is_served_once_it_is_back(
    made: Callable[..., Configurations],
    tenant_of: MakeTenant,
    away: Away,
    clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    served = made(hashing(32))
    config = EngineConfig.from_dict({"embedding": {"model": "away", "dim": 32}})
    with caplog.at_level(logging.WARNING):
        served.add("canary", bundle_of(config, embedder=fingerprint(32)))
    assert "cannot be had yet" in caplog.text
    tenant = tenant_of(bundle="canary")
    with pytest.raises(UnavailableError):
        served.open(tenant)
    away.back = True
    clock.advance(minutes=1)
    with served.open(tenant) as engine:
        assert engine.embedder.fingerprint == fingerprint(32)


def test_what_asks_a_provider_is_left_to_the_background(
    made: Callable[..., Configurations], tenant_of: MakeTenant
) -> None:
    served = made(EngineConfig.from_dict({"embedding": {"model": "openai", "api_key": "x"}}))
    assert served.of(tenant_of()).config.embedding.defer == "always"
    assert made(hashing(32)).of(tenant_of("two")).config.embedding.defer == "auto"


def test_a_database_that_nothing_was_written_to_is_unused(
    made: Callable[..., Configurations], tenant_of: MakeTenant, places: Places
) -> None:
    served = made(hashing(32))
    tenant, absent = tenant_of("one"), tenant_of("two")
    assert served.is_unused(tenant.id)
    with served.open(tenant) as engine:
        memory = engine.remember("once")
        engine.purge([memory.id])
    assert not served.is_unused(tenant.id)
    places.remove(absent.id)
    assert served.is_unused(absent.id)
    assert not places.exists(absent.id)
    places.database(tenant.id).write_bytes(b"damaged, and perhaps somebody's" * 40)
    assert not served.is_unused(tenant.id)


def _until(holds: Callable[[], bool]) -> None:
    for _ in range(3_000):
        if holds():
            return
        time.sleep(0.001)
    raise AssertionError("it did not come to be")
