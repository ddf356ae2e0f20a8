"""What OpenAPI promises, tried with whatever it allows: no 5xx, and no answer of another shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.serve.live import Live, live
from tests.serve.live import settings as served_with

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live(served_with(tmp_path_factory.mktemp("data"))) as found:
        yield found


@pytest.fixture(scope="module")
def headers(served: Live) -> dict[str, str]:
    return {"Authorization": f"Bearer {served.key('acme')}", "X-Engram-Tenant": "acme"}


@pytest.fixture(scope="module")
def api(served: Live) -> Any:
    return schemathesis.openapi.from_url(f"{served.url}/openapi.json")


schema = schemathesis.pytest.from_fixture("api")


@schema.parametrize()
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_route_keeps_its_promise(case: Any, headers: dict[str, str]) -> None:
    case.call_and_validate(headers=headers, checks=list(CHECKS))
