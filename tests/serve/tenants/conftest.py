from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from engram_lab.config import EngineConfig
from engram_lab.config.serving import ControlSettings
from engram_lab.core.clock import ManualClock
from engram_lab.core.ids import IdSource
from engram_lab.serve.control import open_control_plane
from engram_lab.serve.control.records import Tenant
from engram_lab.serve.tenants.configurations import Configurations
from engram_lab.serve.tenants.places import Places
from engram_lab.serve.tenants.pool import EnginePool
from engram_lab.serve.tenants.provisioning import Estate

if TYPE_CHECKING:
    from engram_lab.serve.control import ControlPlane


@pytest.fixture
def config() -> EngineConfig:
    """A configuration without vectors: what these tests try is who has which engine."""
    return EngineConfig.from_dict({"embedding": {"model": "none"}})


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def ids() -> IdSource:
    return IdSource(7)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path / "data")


@pytest.fixture
def configurations(config: EngineConfig, places: Places, clock: ManualClock) -> Configurations:
    return Configurations(config, places=places, clock=clock)


@pytest.fixture
def plane(places: Places, clock: ManualClock) -> Iterator[ControlPlane]:
    plane = open_control_plane(ControlSettings(), places.root, clock=clock)
    yield plane
    plane.close()


@pytest.fixture
def pool(places: Places, configurations: Configurations) -> Iterator[EnginePool]:
    pool = EnginePool(
        configurations.open,
        places=places,
        max_open=3,
        idle_close_s=60,
        version=configurations.version,
        wait_s=5.0,
    )
    yield pool
    assert pool.close() == 0


@pytest.fixture
def estate(
    plane: ControlPlane,
    places: Places,
    configurations: Configurations,
    clock: ManualClock,
    pool: EnginePool,
    ids: IdSource,
) -> Estate:
    return Estate(
        plane=plane,
        places=places,
        configurations=configurations,
        clock=clock,
        pool=pool,
        ids=ids,
    )


@pytest.fixture
def tenant_of(
    places: Places, configurations: Configurations, clock: ManualClock, ids: IdSource
) -> Callable[..., Tenant]:
    """Make a tenant with a database, and no row."""

    def make(slug: str = "acme", *, bundle: str | None = None) -> Tenant:
        now = clock.now()
        tenant = Tenant(id=ids.new(now), slug=slug, name=slug, created_at=now, bundle=bundle)
        places.make(tenant.id)
        configurations.make(Tenant(id=tenant.id, slug=slug, name=slug, created_at=now))
        return tenant

    return make
