from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from time import sleep
from typing import TYPE_CHECKING, Any

import anyio
import httpx2
import pytest

from tests.serve.mcp.standin import StandIn, as_tenant, asked, speaking, tool

if TYPE_CHECKING:
    from collections.abc import Callable

READS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("memory_search", {"query": "canary of ada and bob"}),
    ("memory_context", {"query": "canary of ada and bob"}),
    ("memory_list", {}),
    ("memory_stats", {}),
)
RECALL = {"name": "recall-context", "arguments": {"query": "canary"}}


def furnish(gate: StandIn) -> dict[str, str]:
    return {
        name: engine.remember(f"canary-of-{name}: the word is canary", tags=[f"canary-{name}"]).id
        for name, engine in gate.engines.items()
    }


def other_of(name: str) -> str:
    return "bob" if name == "ada" else "ada"


@pytest.mark.anyio
@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_two_tenants_at_once_never_see_each_other(
    site: str, gate: StandIn, mode: str
) -> None:
    ids = furnish(gate)
    gate.before = lambda: sleep(0.002)  # so that requests overlap
    seen: dict[str, list[str]] = {"ada": [], "bob": []}

    async def session(name: str) -> None:
        async with speaking(site, name, mode=mode) as client:
            for _ in range(3):
                for each, arguments in READS:
                    answer = await client.call_tool(each, arguments)
                    seen[name].append(answer.model_dump_json())
                gone = await client.call_tool("memory_get", {"id": ids[other_of(name)]})
                assert gone.is_error
                linked = {"from_id": ids[name], "to_id": ids[other_of(name)]}
                assert (await client.call_tool("memory_link", linked)).is_error
                recent = await client.read_resource("memories://recent")
                seen[name].append(recent.model_dump_json())
                made = await client.call_tool("memory_create", {"content": f"canary-{name} more"})
                seen[name].append(made.model_dump_json())

    async with anyio.create_task_group() as tasks:
        for name in ("ada", "bob") * 4:
            tasks.start_soon(session, name)
    for name, texts in seen.items():
        assert len(texts) == 4 * 3 * 6
        assert all(f"canary-{other_of(name)}" not in text for text in texts)
        assert all(f"canary-of-{other_of(name)}" not in text for text in texts)
        assert sum(f"canary-of-{name}" in text for text in texts) >= 4 * 3 * 3
        assert gate.engines[name].count() == 1 + 4 * 3
    assert {call.within.slug for call in gate.over} == {"ada", "bob"}


def test_bare_calls_and_batches_of_two_tenants_stay_apart(site: str, gate: StandIn) -> None:
    ids = furnish(gate)
    gate.before = lambda: sleep(0.001)

    def ask(turn: int) -> tuple[str, str]:
        name = ("ada", "bob")[turn % 2]
        parts: list[Callable[[], dict[str, Any]]] = [
            lambda: tool("memory_list"),
            lambda: tool("memory_get", id=ids[other_of(name)]),
            lambda: asked("resources/read", {"uri": f"memory://{ids[other_of(name)]}"}),
            lambda: asked(
                "prompts/get", {"name": "recall-context", "arguments": {"query": "canary"}}
            ),
        ]
        with httpx2.Client(base_url=site, headers=as_tenant(name)) as client:
            single = client.post("/mcp", json=parts[turn % 4]()).text
            return name, single + client.post("/v1/mcp/batch", json=[each() for each in parts]).text

    with ThreadPoolExecutor(8) as pool:
        for name, text in pool.map(ask, range(48)):
            assert f"canary-of-{other_of(name)}" not in text
            assert f"canary-of-{name}" in text


def test_a_cursor_of_one_tenant_opens_nothing_of_another(site: str, gate: StandIn) -> None:
    for engine in gate.engines.values():
        engine.remember_many([{"content": f"{number}"} for number in range(3)])
    with httpx2.Client(base_url=site) as client:
        page = client.post(
            "/v1/mcp", json=tool("memory_list", limit=1), headers=as_tenant("ada")
        ).json()
        cursor = page["result"]["structuredContent"]["next_cursor"]
        other = client.post(
            "/v1/mcp", json=tool("memory_list", limit=10, cursor=cursor), headers=as_tenant("bob")
        ).json()["result"]
    theirs = {each.id for each in gate.engines["ada"].select()}
    shown = other.get("structuredContent", {}).get("memories", [])
    assert theirs.isdisjoint(each["id"] for each in shown)
