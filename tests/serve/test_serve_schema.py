"""What OpenAPI promises, tried with whatever it allows: no 5xx, and no answer of another shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given
from hypothesis import settings as trying
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from engram_lab.config import BackupSettings
from tests.serve.live import Live, live, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)
OPERATIONS = 50
"""At least so many, so that none goes missing unseen."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("data")
    kept = BackupSettings(place=str(folder / "kept"), key_file=str(folder / "key"))
    with live(settings(folder, backups=kept)) as found:
        yield found


def test_every_route_keeps_its_promise(served: Live, subtests: pytest.Subtests) -> None:
    # Credentials are ours: a made-up one beside them would have every request refused as two.
    ours = schemathesis.Config.from_dict({"generation": {"with-security-parameters": False}})
    api = schemathesis.openapi.from_url(f"{served.url}/openapi.json", config=ours)
    tenant = {"Authorization": f"Bearer {served.key('acme')}", "X-Engram-Tenant": "acme"}
    operator = {"Authorization": served.operator.headers["Authorization"]}
    operations = [each.ok() for each in api.get_all_operations() if isinstance(each, Ok)]
    assert len(operations) >= OPERATIONS
    for operation in operations:
        headers = operator if operation.path.startswith("/v1/admin") else tenant
        with subtests.test(operation.label):
            keeps_its_promise(operation, headers)


def test_a_key_goes_with_whatever_json_can_say(served: Live) -> None:
    client = served.of("odd")
    for number, odd in enumerate(("1887975104081177769672704", '"\\ud800"', "1e400")):
        row = f'{{"content": "x", "metadata": {{"odd": {odd}}}}}'
        for path, body in (("", row), (":batch", f'{{"memories": [{row}], "keep_going": true}}')):
            told = {"Content-Type": "application/json", "Idempotency-Key": f"{number}{path}"}
            first, again = (
                client.post(f"/v1/memories{path}", content=body, headers=told) for _ in range(2)
            )
            assert first.status_code < 500, (odd, path, first.text)
            assert again.status_code == first.status_code


def keeps_its_promise(operation: Any, headers: dict[str, str]) -> None:
    @given(case=operation.as_strategy())
    @trying(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
    def keeps(case: Any) -> None:
        case.call_and_validate(headers=headers, checks=list(CHECKS))

    keeps()
