from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2
import pytest

from engram_lab.engine import Engine
from engram_lab.serve.hosts import HostRules
from engram_lab.serve.mcp.http import McpEndpoint
from tests.serve.mcp.standin import HASHING, StandIn, app_of, as_tenant, listening

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[StandIn]:
    engines = {
        name: Engine.open(tmp_path / f"{name}.db", config=HASHING) for name in ("ada", "bob")
    }
    try:
        yield StandIn(engines)
    finally:
        for engine in engines.values():
            engine.close()


@pytest.fixture
def endpoint(gate: StandIn) -> McpEndpoint:
    return McpEndpoint(gate, hosts=HostRules(), body_limit=200_000, version="9.9")


@pytest.fixture
def site(endpoint: McpEndpoint) -> Iterator[str]:
    with listening(app_of(endpoint)) as address:
        yield address


@pytest.fixture
def ada(site: str) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=site, headers=as_tenant("ada")) as client:
        yield client
