"""What a tenant may try against its plan, its scopes and the others."""

from __future__ import annotations

import io
import socket
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from engram_lab.config import BackupSettings
from engram_lab.core.errors import StoreError
from engram_lab.serve.idempotency import Answered
from engram_lab.serve.tenants import dreaming
from tests.serve.live import Live, live, settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx2


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live(settings(tmp_path_factory.mktemp("tenants"))) as made:
        yield made


def free(served: Live, slug: str) -> httpx2.Client:
    served.tenant(slug, "free")
    return served.of(slug)


def tool(client: httpx2.Client, name: str, **arguments: Any) -> Any:
    message = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": name, "arguments": arguments},
    }
    return client.post("/v1/mcp", json=message)


def arrow(rows: int) -> bytes:
    table, sink = pa.table({"content": [f"row {each}" for each in range(rows)]}), io.BytesIO()
    with pa.ipc.new_file(sink, table.schema) as out:
        out.write_table(table)
    return sink.getvalue()


ESCAPED = b"".join(b'{"c\\u006Fntent":"row %d"}\n' % each for each in range(1_200))


@pytest.mark.parametrize(
    ("name", "content"), [("a.jsonl", ESCAPED), ("a.arrow", arrow(1_200))], ids=["jsonl", "arrow"]
)
def test_no_way_to_write_a_file_passes_the_quota(served: Live, name: str, content: bytes) -> None:
    client = free(served, f"imports-{name[2:]}")
    refused = client.post("/v1/import", files={"file": (name, content)})
    assert (refused.status_code, refused.json()["error"]["code"]) == (402, "QUOTA_EXCEEDED")
    assert client.get("/v1/stats").json()["data"]["memories"] == 0


def test_the_path_of_a_file_here_is_never_told(served: Live) -> None:
    served.tenant("acme")
    client = served.of("acme")
    for name in ("a.json", "a.arrow", "a.parquet"):
        refused = client.post("/v1/import", files={"file": (name, b"nothing of the kind")})
        assert refused.status_code == 400
        assert "/" not in refused.json()["error"]["message"].replace("and/or", "")


def test_a_form_with_much_else_is_refused(served: Live) -> None:
    served.tenant("acme")
    client = served.of("acme")
    file = {"file": ("a.jsonl", b'{"content":"tea"}\n')}
    assert client.post("/v1/import", files=file, data={"x": "y"}).status_code == 200
    assert client.post("/v1/import", files=file, data={"x": "y" * 100_000}).status_code == 400
    many = {f"f{each}": (None, b"x") for each in range(50)}
    assert client.post("/v1/import", files={**many, **file}).status_code == 400


def test_many_batches_of_tools_at_once_pass_no_quota(served: Live) -> None:
    client = free(served, "batches")

    def batch(number: int) -> int:
        drafts = [{"content": f"{number} {each}"} for each in range(400)]
        return int(tool(client, "memory_create_batch", memories=drafts).status_code)

    with ThreadPoolExecutor(4) as threads:
        codes = sorted(threads.map(batch, range(4)))
    assert codes == [200, 200, 402, 402]


def test_many_invitations_at_once_pass_no_quota(served: Live) -> None:
    client = free(served, "invites")

    def invite(number: int) -> int:
        given = {"email": f"a{number}@example.com"}
        return int(client.post("/v1/invites", json=given).status_code)

    with ThreadPoolExecutor(8) as threads:
        codes = list(threads.map(invite, range(8)))
    assert codes.count(201) == 1
    assert codes.count(402) == 7


def test_a_full_database_grows_by_no_change(served: Live) -> None:
    client = free(served, "growing")
    kept = client.post("/v1/memories", json={"content": "tea"}).json()["data"]["id"]
    meter = served.running.services.meter
    meter.measured(served.tenant("growing").id, 1, 100_000_000)
    measure = served.running.services.quotas._measure
    served.running.services.quotas._measure = None  # so that what was measured last counts
    try:
        changed = client.patch(f"/v1/memories/{kept}", json={"metadata": {"a": "b"}})
        assert changed.status_code == 402
        assert tool(client, "memory_update", id=kept, content="b").status_code == 402
        assert client.post("/v1/feedback", json={"useful": [kept]}).status_code == 402
        assert client.delete(f"/v1/memories/{kept}").status_code == 200
    finally:
        served.running.services.quotas._measure = measure


def test_a_key_that_may_write_reads_nothing_by_a_hook(served: Live) -> None:
    served.tenant("hooks")
    served.of("hooks").post("/v1/memories", json={"content": "a secret", "importance": 1})
    writer = served.of("hooks", ("memories:write",))
    refused = tool(writer, "memory_hook", event="SessionStart", payload={"session_id": "a"})
    assert refused.status_code == 403
    assert "a secret" not in refused.text
    assert tool(writer, "memory_hook", event="Stop", payload={"session_id": "a"}).status_code == 200


def test_a_key_for_administration_alone_reads_and_writes_no_memory(served: Live) -> None:
    served.tenant("admins")
    client = served.of("admins", ("admin",))
    assert client.get("/v1/export").status_code == 403
    file = {"file": ("a.jsonl", b'{"content":"tea"}\n')}
    assert client.post("/v1/import", files=file).status_code == 403
    assert client.put("/v1/members/me", json={"role": "admin"}).status_code == 403
    invited = client.post("/v1/invites", json={"email": "a@example.com", "role": "viewer"})
    assert invited.status_code == 403


def test_what_was_purged_is_in_no_answer_to_a_key(served: Live) -> None:
    served.tenant("purged")
    client = served.of("purged")
    key = {"Idempotency-Key": "once"}
    made = client.post("/v1/memories", json={"content": "a secret"}, headers=key).json()["data"]
    client.delete(f"/v1/memories/{made['id']}?purge=true")
    kept = served.running.services.answered.kept.values()
    told = [each.answer.result() for each in kept]
    assert not [each for each in told if each is not None and made["id"].encode() in each.body]


def test_answers_to_keys_take_a_bounded_room() -> None:
    answered = Answered(monotonic)
    assert answered.kept.maxsize <= 100_000_000
    assert answered.kept.getsizeof is not None


def test_odd_times_are_refused_in_a_sentence(served: Live) -> None:
    served.tenant("acme")
    client = served.of("acme")
    naive = client.post("/v1/keys", json={"name": "a", "expires_at": "2090-01-01T00:00:00"})
    assert naive.status_code == 400
    assert client.get("/v1/usage?until=9999-12-31").status_code == 200
    assert client.get("/v1/usage?until=0001-01-01").status_code == 200


def test_dreams_of_one_tenant_hold_up_no_other(
    served: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    served.tenant("dreamer")
    served.tenant("awake")
    dreamer, awake = served.of("dreamer"), served.of("awake")
    awake.get("/v1/stats")
    begun = Event()

    def held(*_: Any, **__: Any) -> Any:
        begun.set()
        sleep(1.5)
        raise StoreError("it was only a test")

    monkeypatch.setattr(served.running.services.apart, "run", held)
    with ThreadPoolExecutor(6) as threads:
        dreams = [threads.submit(dreamer.post, "/v1/dream", json={}) for _ in range(6)]
        assert begun.wait(5)
        began = monotonic()
        assert awake.get("/v1/stats").status_code == 200
        assert awake.get("/v1/audit").status_code == 200
        assert monotonic() - began < 1
        codes = [each.result().status_code for each in dreams]
    assert codes.count(429) == 3


def test_a_dream_by_a_tool_is_done_in_a_process_of_its_own(
    served: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    served.tenant("tools")
    apart, asked = served.running.services.apart, []
    run = apart.run

    def noted(work: Any, *args: Any, **kwargs: Any) -> Any:
        asked.append(work)
        return run(work, *args, **kwargs)

    monkeypatch.setattr(apart, "run", noted)
    dreamt = tool(served.of("tools"), "memory_dream", dry_run=True)
    assert dreamt.json()["result"]["structuredContent"]["run_id"]
    assert asked == [dreaming.work_once]


def test_an_export_that_nobody_waits_for_leaves_nothing(served: Live) -> None:
    served.tenant("gone")
    client = served.of("gone")
    client.post("/v1/memories", json={"content": "tea"})
    port = int(served.url.rpartition(":")[2])
    head = (
        "GET /v1/export HTTP/1.1\r\nHost: x\r\nX-Engram-Tenant: gone\r\n"
        f"Authorization: {client.headers['authorization']}\r\n\r\n"
    )
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", port)) as asking:
            asking.sendall(head.encode())
            sleep(0.05)
    scratch, ends = served.running.services.scratch, monotonic() + 10
    while (list(scratch.iterdir()) or served.running.services.turns.going_on) and (
        monotonic() < ends
    ):
        sleep(0.05)
    assert not list(scratch.iterdir())
    assert not served.running.services.turns.going_on
    assert client.get("/v1/export").status_code == 200


def test_what_a_purge_from_elsewhere_took_is_not_written_again(tmp_path: Path) -> None:
    with live(settings(tmp_path)) as served:
        tenant = served.tenant("purged")
        client = served.of("purged")
        client.post("/v1/memories", json={"content": "a secret word"})
        client.post("/v1/search", json={"query": "secret"})
        services = served.running.services
        services.places.remove(tenant.id)  # as `engram tenant purge` does, in another process
        folder = services.places.database(tenant.id).parent
    assert not folder.exists()


def test_copies_made_by_hand_have_a_bound(tmp_path: Path) -> None:
    place = BackupSettings(place=str(tmp_path / "kept"), key_file=str(tmp_path / "key"), keep=1)
    with live(settings(tmp_path / "data", backups=place)) as served:
        served.tenant("acme")
        client = served.of("acme")
        assert [client.post("/v1/backups").status_code for _ in range(3)] == [201, 201, 409]
