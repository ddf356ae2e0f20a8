"""A plan bounds how many workspaces there are, whichever way they are made."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from engram_lab.config import EmbeddingSettings, EngineConfig
from engram_lab.config.serving import LimitSettings
from engram_lab.engine import Engine
from engram_lab.serve.errors import QuotaExceededError
from engram_lab.serve.limits import Rooms
from engram_lab.serve.limits.rooms import all_or_none
from tests.serve.live import live, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import httpx2

    from engram_lab.serve.control.records import Tenant
    from tests.serve.live import Live

FULL = ["a", "b", "default"]
NONE = EngineConfig(embedding=EmbeddingSettings(model="none"))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live(settings(tmp_path_factory.mktemp("rooms"))) as made:
        yield made


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine.open(":memory:", config=NONE) as opened:
        yield opened


def names(engine: Engine) -> list[str]:
    return [each.name for each in engine.store.workspaces.all()]


def full(served: Live, slug: str) -> httpx2.Client:
    """Return a client of a free tenant that has as many workspaces as it may."""
    served.tenant(slug, "free")
    client = served.of(slug)
    for name in ("a", "b"):
        made = client.post("/v1/memories", json={"content": name, "workspace": name})
        assert made.status_code == 201
    return client


def tool(client: httpx2.Client, name: str, **arguments: Any) -> Any:
    params = {"name": name, "arguments": arguments}
    asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    return client.post("/v1/mcp", json=asked)


def file_of(*rows: dict[str, str]) -> dict[str, tuple[str, bytes]]:
    return {"file": ("rows.jsonl", b"\n".join(json.dumps(each).encode() for each in rows))}


ROWS = [{"content": "x", "workspace": "a"}, {"content": "y", "workspace": "one-more"}]
WAYS: dict[str, Callable[[httpx2.Client], Any]] = {
    "put": lambda client: client.put("/v1/workspaces/one-more", json={}),
    "one": lambda client: client.post("/v1/memories", json=ROWS[1]),
    "many": lambda client: client.post(
        "/v1/memories:batch", json={"memories": ROWS, "keep_going": True}
    ),
    "file": lambda client: client.post("/v1/import?keep_going=true", files=file_of(*ROWS)),
    "file into": lambda client: client.post(
        "/v1/import?workspace=one-more", files=file_of({"content": "x"})
    ),
    "tool": lambda client: tool(client, "memory_create", **ROWS[1]),
    "tool for many": lambda client: tool(client, "memory_create_batch", memories=ROWS),
    "hook": lambda client: tool(
        client,
        "memory_hook",
        event="SessionStart",
        payload={"session_id": "s"},
        workspace="one-more",
    ),
    "change": lambda client: tool(
        client,
        "memory_update",
        id=client.get("/v1/memories").json()["data"][0]["id"],
        workspace="one-more",
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_no_way_to_make_a_workspace_passes_the_plan(served: Live, way: str) -> None:
    client = full(served, f"full-{way.replace(' ', '-')}")
    before = client.get("/v1/memories").json()["data"]
    refused = WAYS[way](client)
    told = refused.json()["error"]
    assert refused.status_code == 402, told
    assert told.get("data", told)["code"] == "QUOTA_EXCEEDED"
    assert told.get("data", told)["details"] == {
        "metric": "workspaces",
        "current": 3,
        "limit": 3,
        "plan": "free",
    }
    assert [each["name"] for each in client.get("/v1/workspaces").json()["data"]] == FULL
    assert client.get("/v1/memories").json()["data"] == before


@pytest.mark.parametrize("way", WAYS)
def test_where_there_is_room_the_workspace_is_made(served: Live, way: str) -> None:
    client = full(served, f"room-{way.replace(' ', '-')}")
    served.running.services.plane.as_operator().update_tenant(
        served.tenant(f"room-{way.replace(' ', '-')}").id, plan="pro"
    )
    assert WAYS[way](client).is_success
    there = {each["name"] for each in client.get("/v1/workspaces").json()["data"]}
    assert there == {*FULL, "one-more"}


def test_what_is_there_is_written_to_however_full_a_plan_is(served: Live) -> None:
    client = full(served, "known")
    known = {"content": "x", "workspace": "b"}
    assert client.post("/v1/memories", json=known).status_code == 201
    assert client.post("/v1/memories:batch", json={"memories": [known]}).status_code == 201
    assert client.post("/v1/import", files=file_of(known)).status_code == 200
    assert client.put("/v1/workspaces/b", json={"max_memories": 9}).status_code == 200
    assert tool(client, "memory_create", **known).status_code == 200


def test_an_empty_workspace_makes_room_for_another(served: Live) -> None:
    client = full(served, "tidied")
    (memory,) = client.get("/v1/memories", params={"workspace": "b"}).json()["data"]
    held = client.delete("/v1/workspaces/b")
    assert (held.status_code, held.json()["error"]["code"]) == (409, "CONFLICT")
    assert "holds 1 memories" in held.json()["error"]["message"]
    client.delete(f"/v1/memories/{memory['id']}", params={"purge": True})
    assert client.delete("/v1/workspaces/b").json()["data"] == {"name": "b"}
    assert client.delete("/v1/workspaces/b").status_code == 404
    assert client.delete("/v1/workspaces/default").status_code == 409
    assert client.put("/v1/workspaces/c", json={}).status_code == 200
    assert client.delete("/v1/workspaces/c").status_code == 200  # one that is on the list
    assert client.put("/v1/workspaces/c", json={}).status_code == 200
    again = client.post("/v1/memories", json={"content": "x", "workspace": "b"})
    assert again.status_code == 402  # as it was removed, it is one more
    assert "remove one that is empty" in again.json()["error"]["message"]
    assert served.audit("tidied").count("workspace.remove ok") == 2


def test_an_export_with_too_many_workspaces_is_not_taken_in(served: Live) -> None:
    served.tenant("large", "pro")
    large = served.of("large")
    for name in ("a", "b", "c"):
        large.post("/v1/memories", json={"content": name, "workspace": name})
    client = full(served, "small")
    sent = {"file": ("export.jsonl", large.get("/v1/export").content)}
    assert client.post("/v1/import", files=sent).status_code == 402
    assert [each["name"] for each in client.get("/v1/workspaces").json()["data"]] == FULL
    assert client.get("/v1/stats").json()["data"]["memories"] == 2


def test_of_many_at_once_those_pass_that_there_is_room_for(served: Live) -> None:
    served.tenant("rush", "free")
    client = served.of("rush")

    def make(number: int) -> int:
        row = {"content": "x", "workspace": f"w{number}"}
        return client.post("/v1/memories", json=row).status_code

    with ThreadPoolExecutor(8) as threads:
        codes = list(threads.map(make, range(16)))
    assert sorted(codes) == [201] * 2 + [402] * 14


def test_nothing_is_asked_where_the_workspace_is_known(
    engine: Engine, tenant_of: Callable[..., Tenant], monkeypatch: pytest.MonkeyPatch
) -> None:
    rooms, tenant = Rooms(LimitSettings()), tenant_of("free")
    rooms.within(tenant, engine, ["default"], names)
    monkeypatch.setattr(engine.store, "workspaces", None)
    assert rooms.within(tenant, engine, ["default"], lambda _: "done") == "done"
    with pytest.raises(AttributeError):  # where it is not known, it is asked
        rooms.within(tenant, engine, ["other"], lambda _: "done")


def test_a_name_that_came_to_nothing_is_not_taken_for_known(
    engine: Engine, tenant_of: Callable[..., Tenant]
) -> None:
    rooms, tenant = Rooms(LimitSettings()), tenant_of("free")
    for name in "abcd":
        rooms.within(tenant, engine, [name], lambda _: None)
    rooms.within(tenant, engine, ["a", "b"], lambda e: [e.store.workspaces.put(n) for n in "ab"])
    with pytest.raises(QuotaExceededError):
        rooms.within(tenant, engine, ["c"], lambda e: e.store.workspaces.put("c"))
    with pytest.raises(QuotaExceededError, match="so 2 more do not fit"):
        rooms.within(tenant_of("free"), engine, ["c", "d"], lambda e: e.store.workspaces.put("c"))
    assert names(engine) == FULL


def test_plans_without_a_bound_and_limits_that_are_off_refuse_nothing(
    engine: Engine, tenant_of: Callable[..., Tenant]
) -> None:
    many = [f"w{number}" for number in range(200)]
    assert Rooms(LimitSettings()).within(tenant_of("dedicated"), engine, many, lambda _: 1) == 1
    off = Rooms(LimitSettings(enabled=False))
    assert off.within(tenant_of("free"), engine, many, lambda _: 1) == 1
    assert not off.bounds(tenant_of("free"))


def test_a_block_that_made_too_many_is_undone_as_a_whole(
    tmp_path: Path, tenant_of: Callable[..., Tenant]
) -> None:
    def write(engine: Engine, tenant: Tenant | None) -> None:
        with all_or_none(engine, tenant):
            for name in ("a", "b", "c"):
                engine.remember(name, workspace=name)

    with Engine.open(tmp_path / "engram.db", config=NONE) as engine:
        with pytest.raises(QuotaExceededError):
            write(engine, tenant_of("free"))
        assert (names(engine), engine.count()) == (["default"], 0)
        write(engine, tenant_of("pro"))
        assert engine.count() == 3
        write(engine, None)
        assert engine.count() == 6
