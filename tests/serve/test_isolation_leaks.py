"""That a leak would be noticed: each is made on purpose, and has to be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from fastapi import Request  # noqa: TC002 - FastAPI reads it from the signature

from engram_lab.config import BackupSettings
from engram_lab.serve.answers import answer as answered
from engram_lab.serve.app import create_app
from engram_lab.serve.errors import AbsentError, ForbiddenError
from engram_lab.serve.idempotency import Answered
from engram_lab.serve.routes.guarded import GuardedRoute, needs, of
from engram_lab.serve.services import Services
from engram_lab.serve.tenants.express import Express
from engram_lab.serve.tenants.reports import ImportReports
from tests.serve.aviary import aviary_of, tried
from tests.serve.live import live, settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def a_route_for_everybody(found: pytest.MonkeyPatch) -> str:
    """Add a route that gives whatever memory is named, whoever asks."""

    @needs("memories:read")
    async def peek(request: Request, anything: str) -> Any:
        call, services = of(request)
        for tenant in services.plane.as_operator().tenants():
            with services.pool.lease(tenant) as engine:
                for memory in engine.get_many([anything]):
                    if memory is not None:
                        return answered(call, memory)
        raise AbsentError("there is nothing of this id")

    def made(running: Any) -> Any:
        app = create_app(running)
        app.router.routes.append(GuardedRoute("/v1/peek/{anything}", peek, methods=["GET"]))
        return app

    found.setattr("tests.serve.live.create_app", made)
    return "GET /v1/peek/{anything}"


def an_engine_of_another(found: pytest.MonkeyPatch) -> str:
    """Let who searches meet the engine of whoever came first."""
    used, last = Services._used, []

    def leaky(self: Services, call: Any, tenant: Any, work: Any, **how: Any) -> Any:
        last.append(tenant)
        return used(self, call, last[0] if call.path == "/v1/search" else tenant, work, **how)

    found.setattr(Services, "_used", leaky)
    return "POST /v1/search with"


def an_answer_at_once_of_another(found: pytest.MonkeyPatch) -> str:
    """Let who is answered on the event loop meet the engine of whoever came first."""
    answered, last = Express.answer, []

    def leaky(self: Express, tenant: Any, work: Any) -> Any:
        last.append(tenant)
        return answered(self, last[0], work)

    found.setattr(Express, "answer", leaky)
    return "POST /v1/search with"


def answers_by_key_alone(found: pytest.MonkeyPatch) -> str:
    """Keep what was answered to idempotency keys for all tenants together."""

    class Together(dict[Any, Any]):
        def get(self, place: Any, default: Any = None) -> Any:
            return super().get(place[1:], default)

        def __setitem__(self, place: Any, kept: Any) -> None:
            super().__setitem__(place[1:], kept)

    def begun(self: Answered, timer: Any) -> None:
        self.kept = Together()  # type: ignore[assignment]

    found.setattr(Answered, "__init__", begun)
    return "POST /v1/memories with '' said the shared memory of"


def a_refusal_that_knows(found: pytest.MonkeyPatch) -> str:
    """Tell who has a memory from who has not."""
    read = ImportReports.read

    def told(self: ImportReports, tenant_id: str, import_id: str) -> Any:
        if list(self._places.root.glob(f"tenants/*/imports/{import_id}.*.json")):
            found_there = read(self, tenant_id, import_id)
            if found_there is None:
                raise ForbiddenError("this import is another's")
            return found_there
        return read(self, tenant_id, import_id)

    found.setattr(ImportReports, "read", told)
    return "GET /v1/imports/{id} tells that"


@pytest.mark.parametrize(
    "leak",
    [
        a_route_for_everybody,
        an_engine_of_another,
        an_answer_at_once_of_another,
        answers_by_key_alone,
        a_refusal_that_knows,
    ],
)
def test_a_leak_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, leak: Callable[[pytest.MonkeyPatch], str]
) -> None:
    kept = BackupSettings(place=str(tmp_path / "kept"), key_file=str(tmp_path / "key"))
    sign = leak(monkeypatch)
    with live(settings(tmp_path, backups=kept)) as served:
        found = aviary_of(served)
        faults = tried(
            found, found.ada, found.bob, only=sign.partition(" with")[0].partition(" tells")[0]
        )
    assert [each for each in faults if sign in each]
