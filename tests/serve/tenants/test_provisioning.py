from __future__ import annotations

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from engram_lab.core.errors import ConflictError, InvalidInputError, NotFoundError
from engram_lab.serve.errors import UnavailableError

if TYPE_CHECKING:
    from engram_lab.core.clock import ManualClock
    from engram_lab.core.ids import IdSource
    from engram_lab.serve.control import ControlPlane
    from engram_lab.serve.tenants.places import Places
    from engram_lab.serve.tenants.pool import EnginePool
    from engram_lab.serve.tenants.provisioning import Estate


def test_a_tenant_comes_with_a_database_and_its_owner(
    estate: Estate, plane: ControlPlane, places: Places, pool: EnginePool
) -> None:
    made = estate.provision("acme", name="Acme", plan="pro", owner="ada", email="ada@acme.example")
    assert made.made
    assert plane.tenant_by_slug("acme") == made.tenant
    assert (made.tenant.name, made.tenant.plan, made.tenant.state) == ("Acme", "pro", "active")
    assert plane.within(made.tenant.id).members() == [made.owner]
    assert made.owner is not None
    assert (made.owner.role, made.owner.email) == ("owner", "ada@acme.example")
    assert places.exists(made.tenant.id)
    with pool.lease(made.tenant) as engine:
        assert engine.count() == 0


def test_a_name_is_given_once(estate: Estate, places: Places) -> None:
    first = estate.provision("acme", owner="ada")
    with pytest.raises(ConflictError):
        estate.provision("acme", owner="eve")
    with pytest.raises(ConflictError):
        estate.provision("acme")
    assert places.all() == [first.tenant.id]


def test_of_many_at_once_one_gets_the_name(
    estate: Estate, places: Places, plane: ControlPlane
) -> None:
    def attempt(_: int) -> str | None:
        try:
            return estate.provision("acme").tenant.id
        except ConflictError:
            return None

    with ThreadPoolExecutor(4) as threads:
        got = [each for each in threads.map(attempt, range(8)) if each]
    assert len(got) == 1
    assert places.all() == got
    assert [each.id for each in plane.as_operator().tenants()] == got


@pytest.mark.parametrize(
    ("slug", "more"),
    [
        ("www", {}),
        ("A", {}),
        ("acme", {"name": ""}),
        ("acme", {"name": "a\nb"}),
        ("acme", {"name": "x" * 201}),
        ("acme", {"plan": "gold"}),
    ],
)
def test_bad_input_leaves_nothing(
    estate: Estate, places: Places, plane: ControlPlane, slug: str, more: dict[str, str]
) -> None:
    with pytest.raises(InvalidInputError):
        estate.provision(slug, **more)  # type: ignore[arg-type]
    assert places.all() == []
    assert plane.as_operator().tenants() == []


def test_a_bundle_that_is_not_served_leaves_nothing(estate: Estate, places: Places) -> None:
    with pytest.raises(UnavailableError):
        estate.provision("acme", bundle="canary")
    assert places.all() == []


def test_a_suspended_tenant_keeps_everything_and_comes_back(
    estate: Estate, pool: EnginePool, places: Places
) -> None:
    tenant = estate.provision("acme").tenant
    with pool.lease(tenant) as engine:
        engine.remember("it stays")
    assert estate.suspend(tenant.id).state == "suspended"
    assert not pool.is_open(tenant.id)
    assert places.exists(tenant.id)
    assert estate.resume(tenant.id).state == "active"
    with pool.lease(tenant) as engine:
        assert engine.count() == 1


def test_a_deleted_tenant_can_be_brought_back_until_it_is_purged(
    estate: Estate, pool: EnginePool, clock: ManualClock
) -> None:
    tenant = estate.provision("acme").tenant
    deleted = estate.delete(tenant.id)
    assert (deleted.state, deleted.deleted_at) == ("deleted", clock.now())
    clock.advance(days=1)
    assert estate.delete(tenant.id) == deleted  # the first time counts
    assert not pool.is_open(tenant.id)
    with pytest.raises(ConflictError):
        estate.suspend(tenant.id)
    with pytest.raises(ConflictError):
        estate.provision("acme")
    assert estate.resume(tenant.id).state == "active"
    clock.advance(days=60)
    assert estate.due_for_purge() == []
    with pytest.raises(ConflictError):
        estate.purge(tenant.id, at_once=True)


def test_a_purge_waits_and_then_leaves_nothing(
    estate: Estate, plane: ControlPlane, places: Places, clock: ManualClock
) -> None:
    gone, other = estate.provision("acme", owner="ada").tenant, estate.provision("other").tenant
    purged: list[str] = []
    estate._purged = purged.append
    estate.delete(gone.id)
    clock.advance(days=29)
    with pytest.raises(ConflictError):
        estate.purge(gone.id)
    clock.advance(days=1)
    assert [each.id for each in estate.due_for_purge()] == [gone.id]
    estate.purge(gone.id)
    assert purged == [gone.id]
    assert plane.tenant(gone.id) is None
    assert plane.member(gone.id, "ada") is None
    assert places.all() == [other.id]
    with pytest.raises(NotFoundError):
        estate.purge(gone.id)
    assert estate.provision("acme").made  # the name is free again


def test_a_purge_that_was_cut_short_is_taken_again(
    estate: Estate, plane: ControlPlane, places: Places
) -> None:
    tenant = estate.provision("acme").tenant
    estate.delete(tenant.id)

    def fail(_: str) -> None:
        raise OSError("the storage is away")

    estate._purged = fail
    with pytest.raises(OSError, match="away"):
        estate.purge(tenant.id, at_once=True)
    found = plane.tenant(tenant.id)
    assert found is not None
    assert found.state == "deleted"
    with pytest.raises(NotFoundError):
        estate.resume(tenant.id)  # its memories are gone
    estate._purged = lambda _: None
    estate.purge(tenant.id, at_once=True)
    assert plane.tenant(tenant.id) is None
    assert places.all() == []


def test_a_tenant_in_use_is_not_purged(estate: Estate, pool: EnginePool, places: Places) -> None:
    tenant = estate.provision("acme").tenant
    pool._wait_s = 0.02
    with pool.lease(tenant) as engine:
        estate.delete(tenant.id)
        with pytest.raises(UnavailableError):
            estate.purge(tenant.id, at_once=True)
        engine.remember("still here")
    estate.purge(tenant.id, at_once=True)
    assert places.all() == []


def test_folders_of_nobody_are_swept_but_never_memories(
    estate: Estate, places: Places, clock: ManualClock, ids: IdSource
) -> None:
    tenant = estate.provision("acme").tenant
    empty, unmade, used = (ids.new(clock.now()) for _ in range(3))
    for each in (empty, used):
        places.make(each)
        estate.configurations.make(replace(tenant, id=each))
    places.make(unmade)
    with estate.configurations.open(replace(tenant, id=used)) as engine:
        engine.remember("whose am I?")
    assert estate.sweep() == []  # their rows may be about to come
    clock.advance(hours=2)
    assert sorted(estate.sweep()) == sorted([empty, unmade])
    assert places.all() == sorted([tenant.id, used])


def test_a_lost_database_is_not_made_anew_by_provisioning(estate: Estate, places: Places) -> None:
    tenant = estate.provision("acme").tenant
    places.remove(tenant.id)
    with pytest.raises(ConflictError):
        estate.provision("acme")
    assert not places.exists(tenant.id)


def test_of_somebody_unknown_nothing_can_be_done(estate: Estate, ids: IdSource) -> None:
    nobody = ids.new(estate._clock.now() + timedelta(1))
    for verb in (estate.suspend, estate.resume, estate.delete, estate.purge):
        with pytest.raises(NotFoundError):
            verb(nobody)


KILLED = """
import os, signal, sys
from pathlib import Path
from engram_lab.config import EngineConfig
from engram_lab.config.serving import ControlSettings
from engram_lab.core.clock import ManualClock
from engram_lab.core.ids import IdSource
from engram_lab.serve.control import open_control_plane
from engram_lab.serve.tenants.configurations import Configurations
from engram_lab.serve.tenants.places import Places
from engram_lab.serve.tenants.provisioning import Estate

root, step = Path(sys.argv[1]), sys.argv[2]
clock, places = ManualClock(), Places(root)
config = EngineConfig.from_dict({"embedding": {"model": "none"}})
estate = Estate(
    plane=open_control_plane(ControlSettings(), places.root, clock=clock),
    places=places,
    configurations=Configurations(config, places=places, clock=clock),
    clock=clock,
    ids=IdSource(99),
)
die = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)
if step == "before the database":
    estate.configurations.make = die
elif step == "before the row":
    estate.plane.as_operator = die
elif step == "before the owner":
    estate._owned = die
elif step == "before the folder goes":
    estate.delete(estate.provision("acme", owner="ada").tenant.id)
    estate.places.remove = die
elif step == "before the rows go":
    estate.delete(estate.provision("acme", owner="ada").tenant.id)
    estate._purged = die
if "go" in step:
    estate.purge(estate.plane.tenant_by_slug("acme").id, at_once=True)
else:
    estate.provision("acme", owner="ada")
"""


def killed(root: str, step: str) -> None:
    """Carry out a part in another process, which is killed at a step."""
    done = subprocess.run([sys.executable, "-c", KILLED, root, step], check=False)
    assert done.returncode == -signal.SIGKILL


@pytest.mark.parametrize("step", ["before the database", "before the row", "before the owner"])
def test_provisioning_that_was_killed_is_taken_again(
    estate: Estate, plane: ControlPlane, places: Places, clock: ManualClock, step: str
) -> None:
    killed(str(places.root), step)
    made = estate.provision("acme", owner="ada")
    assert made.made == (step != "before the owner")
    assert plane.within(made.tenant.id).members() == [made.owner]
    assert places.exists(made.tenant.id)
    clock.advance(hours=2)
    estate.sweep()
    assert places.all() == [made.tenant.id]
    with pytest.raises(ConflictError):
        estate.provision("acme", owner="ada")


@pytest.mark.parametrize("step", ["before the folder goes", "before the rows go"])
def test_a_purge_that_was_killed_is_taken_again(
    estate: Estate, plane: ControlPlane, places: Places, clock: ManualClock, step: str
) -> None:
    killed(str(places.root), step)
    tenant = plane.tenant_by_slug("acme")
    assert tenant is not None
    assert tenant.state == "deleted"
    clock.advance(days=31)
    for each in estate.due_for_purge():
        estate.purge(each.id)
    assert plane.tenant_by_slug("acme") is None
    assert places.all() == []
