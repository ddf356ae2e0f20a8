from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from engram_lab.config import EngineConfig
from engram_lab.core.errors import BackupError, ConflictError, InvalidInputError
from engram_lab.core.schemas import SCHEMAS
from engram_lab.core.selection import EVERYTHING
from engram_lab.engine import Engine
from engram_lab.serve.tenants.configurations import Configurations
from engram_lab.serve.tenants.moving import export_tenant, import_tenant
from engram_lab.serve.tenants.pool import EnginePool
from engram_lab.serve.tenants.provisioning import Estate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engram_lab.core.clock import ManualClock
    from engram_lab.serve.control import ControlPlane
    from engram_lab.serve.tenants.places import Places

INTERCHANGE = sorted(SCHEMAS)


@pytest.fixture
def config() -> EngineConfig:
    return EngineConfig.from_dict({"embedding": {"model": "hashing", "dim": 16}})


@pytest.fixture
def estate(
    plane: ControlPlane, places: Places, config: EngineConfig, clock: ManualClock
) -> Iterator[Estate]:
    configurations = Configurations(config, places=places, clock=clock)
    pool = EnginePool(configurations.open, places=places, max_open=3, idle_close_s=60)
    yield Estate(plane=plane, places=places, configurations=configurations, clock=clock, pool=pool)
    assert pool.close() == 0


def fill(engine: Engine, clock: ManualClock) -> None:
    """Put something into every table."""
    first = engine.remember("the cat sat on the mat", tags=["cat"], metadata={"n": 1})
    clock.advance(minutes=1)
    engine.remember("a <private>secret</private> dog barked", workspace="dogs")
    engine.update(first.id, content="the cat lay on the mat", author="ada", reason="it moved")
    gone = engine.remember("soon forgotten")
    engine.forget(gone.id)
    purged = engine.remember("soon purged")
    engine.purge([purged.id])
    clock.advance(minutes=1)
    third = engine.remember("the cat slept on the mat")
    store = engine.store
    store.links.put(first.id, third.id, type="related_to", weight=0.5)
    store.sessions.start("talk", title="A talk", workspace="dogs")
    store.sessions.add_turns("talk", [{"speaker": "Ada", "content": "hello there"}])
    store.grants.allow("reader", "global/team:dogs", "read")
    store.identities.add("Ada Lovelace", aliases=["Ada"])
    store.entities.mention(first.id, "Cat", kind="animal")
    engine.recall("cat", k=2)
    engine.recall("cat mat", k=2)
    engine.flush()
    clock.advance(days=3)
    engine.dream(full=True, yes=True)
    engine.embed()  # the turn too, which came past the engine


def tables(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table that an export knows."""
    with engine.store.tables.snapshot() as scan:
        return {
            name: [
                row for batch in scan(name, EVERYTHING, batch_rows=100) for row in batch.to_pylist()
            ]
            for name in SCHEMAS
        }


def test_a_copy_carries_everything_to_the_last_bit(
    estate: Estate, config: EngineConfig, clock: ManualClock, tmp_path: Path
) -> None:
    here = tmp_path / "local.db"
    with Engine.open(here, config=config, clock=clock) as engine:
        fill(engine, clock)
        before, dreams = tables(engine), engine.dreams()
        mark = engine.store.changes.last()
        engine.backup(tmp_path / "moving.db")
    pool = estate.pool
    assert pool is not None
    tenant = estate.provision("acme").tenant
    counts = import_tenant(estate, pool, tenant, tmp_path / "moving.db")
    assert counts["versions"] + counts["memories"] == len(before["versions"])
    with pool.lease(tenant) as engine:
        assert tables(engine) == before
        assert engine.dreams() == dreams
        assert engine.store.changes.last() == mark
        assert all(check.ok for check in engine.store.doctor.examine())
        if dreams:
            engine.undo(dreams[0].id)
    export_tenant(pool, tenant, tmp_path / "back.db")
    with (
        Engine.open(tmp_path / "back.db", config=config, clock=clock) as engine,
        pool.lease(tenant) as hosted,
    ):
        assert tables(engine) == tables(hosted)
    left = sorted(each.name for each in estate.places.folder(tenant.id).iterdir())
    assert not [each for each in left if "before-restore" in each or "incoming" in each]


@pytest.mark.parametrize("name", ["export", "export.jsonl", "export.json"])
def test_an_export_carries_every_table_there_and_back(
    estate: Estate, config: EngineConfig, clock: ManualClock, tmp_path: Path, name: str
) -> None:
    with Engine.open(tmp_path / "local.db", config=config, clock=clock) as engine:
        fill(engine, clock)
        before = tables(engine)
        engine.export(tmp_path / name)
    assert [each for each in INTERCHANGE if not before[each]] == []
    pool = estate.pool
    assert pool is not None
    tenant = estate.provision("acme").tenant
    import_tenant(estate, pool, tenant, tmp_path / name)
    with pool.lease(tenant) as engine:
        after = tables(engine)
        for table in INTERCHANGE:
            assert after[table] == before[table], table
        ids = [each["id"] for each in before["memories"]]
        assert [len(engine.history(each)) for each in ids if each] == [
            sum(row["id"] == each for row in before["versions"]) for each in ids
        ]
    back = tmp_path / f"back-{name}"
    export_tenant(pool, tenant, back)
    with Engine.open(tmp_path / "again.db", config=config, clock=clock) as engine:
        engine.import_(back)
        assert tables(engine) == before


def test_a_copy_takes_the_place_of_nothing_that_was_used(
    estate: Estate, config: EngineConfig, clock: ManualClock, tmp_path: Path
) -> None:
    with Engine.open(tmp_path / "local.db", config=config, clock=clock) as engine:
        engine.remember("of the copy")
        engine.backup(tmp_path / "moving.db")
    pool = estate.pool
    assert pool is not None
    tenant = estate.provision("acme").tenant
    with pool.lease(tenant) as engine:
        engine.remember("of the tenant")
    with pytest.raises(ConflictError):
        import_tenant(estate, pool, tenant, tmp_path / "moving.db")
    with pool.lease(tenant) as engine:
        assert [each.content for each in engine.select()] == ["of the tenant"]


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100])
def test_what_is_no_copy_changes_nothing(estate: Estate, tmp_path: Path, content: bytes) -> None:
    bad = tmp_path / "bad.db"
    bad.write_bytes(content)
    pool = estate.pool
    assert pool is not None
    tenant = estate.provision("acme").tenant
    with pytest.raises(BackupError):
        import_tenant(estate, pool, tenant, bad)
    with pytest.raises(InvalidInputError):
        import_tenant(estate, pool, tenant, tmp_path / "absent.jsonl")
    with pool.lease(tenant) as engine:
        assert engine.count() == 0


def test_what_was_exported_is_not_overwritten_unasked(estate: Estate, tmp_path: Path) -> None:
    pool = estate.pool
    assert pool is not None
    tenant = estate.provision("acme").tenant
    for name, refusal in (("out.jsonl", InvalidInputError), ("out.db", BackupError)):
        export_tenant(pool, tenant, tmp_path / name)
        with pytest.raises(refusal):
            export_tenant(pool, tenant, tmp_path / name)
    export_tenant(pool, tenant, tmp_path / "out.jsonl", overwrite=True)
