"""Requests to tell of, and a timer that goes when told to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from engram_lab.serve.call import Actor, Call, Needs
from engram_lab.serve.control.records import Tenant

START = datetime(2026, 6, 1, 12, tzinfo=UTC)
SEARCH = Needs(route="POST /v1/search", scope="search")
TENANT = Tenant(id="01890a5d-ac96-774b-bcce-b302099a8057", slug="acme", name="A", created_at=START)
KEY = Actor(kind="key", id="01890a5d-ac96-774b-bcce-b302099a8059")


@pytest.fixture
def made_call() -> Callable[..., Call]:
    def make(**given: Any) -> Call:
        fields: dict[str, Any] = {
            "request_id": "01890a5d-ac96-774b-bcce-b302099a8058",
            "method": "POST",
            "path": "/v1/search",
            "headers": {},
            "client": "10.0.0.1",
            "secure": False,
            "at": START,
            "began": 0.0,
            "needs": SEARCH,
            "tenant": TENANT,
            "actor": KEY,
            "admitted": True,
        }
        return Call(**{**fields, **given})

    return make


class Timer:
    """Seconds that go by when told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def timer() -> Timer:
    return Timer()
