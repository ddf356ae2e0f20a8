"""What a server keeps when it is killed, when the disk is full, when files go, when clocks jump.

Figures are logged: `pytest -o log_cli=true --log-cli-level=INFO tests/serve/test_faults*.py`.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing
from datetime import timedelta
from itertools import count
from signal import SIGKILL, SIGTERM
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from engram_lab.config import LimitSettings, ServeSettings, UsageSettings
from engram_lab.core.clock import ManualClock
from tests.serve.child import Child, child
from tests.serve.live import live, settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_log = logging.getLogger(__name__)


class Writer:
    """Writes memories one after the other, and knows which of them were acknowledged."""

    def __init__(self, server: Child, slug: str) -> None:
        self.slug = slug
        self.kept: dict[str, str] = {}
        self.requests: set[str] = set()
        self.sent = 0
        self._server = server
        self._name = f"{slug} {id(self)}"
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def _write(self) -> None:
        with self._server.client(self.slug) as client:
            for number in count():
                if self._ends.is_set():
                    return
                content = f"{self._name} {number}"
                self.sent += 1
                try:
                    answer = client.post("/v1/memories", json={"content": content})
                except httpx2.TransportError:
                    return
                if answer.status_code == 201:
                    self.kept[answer.json()["data"]["id"]] = content
                    self.requests.add(answer.json()["meta"]["request_id"])

    def end(self) -> None:
        self._ends.set()
        self._thread.join(30)
        assert not self._thread.is_alive()


def held(server: Child, slug: str) -> dict[str, str]:
    """Return the memories that a tenant has."""
    found: dict[str, str] = {}
    params: dict[str, Any] = {"limit": 1000}
    with server.client(slug) as client:
        while True:
            page = client.get("/v1/memories", params=params).json()
            found |= {each["id"]: each["content"] for each in page["data"]}
            params["cursor"] = page["meta"]["next_cursor"]
            if params["cursor"] is None:
                return found


def counted(server: Child, slug: str) -> list[str]:
    """Return the ids of the requests that were counted for a tenant, when all was told."""
    with server.opened() as services:
        services.meter.flush()
        assert services.plane.as_operator().broken_chain(server.ids[slug]) is None
    with closing(sqlite3.connect(server.folder / "data" / "control.db")) as control:
        rows = control.execute(
            "SELECT request_id FROM usage_events WHERE tenant_id = ?", (server.ids[slug],)
        )
        return [each for (each,) in rows]


def served(folder: Path, **sections: Any) -> AbstractContextManager[Child]:
    """Return a server that can be started, over a folder of its own."""
    return child(settings(folder / "data", **sections), folder)


def test_what_was_acknowledged_outlives_kill_9(tmp_path: Path) -> None:
    usage = UsageSettings(flush_s=0.2)
    with served(tmp_path, usage=usage) as server:
        writers: list[Writer] = []
        for _ in range(2):
            server.start()
            writers += [Writer(server, slug) for slug in ("acme", "acme", "other", "other")]
            sleep(1.0)
            server.end(SIGKILL)
            for each in writers:
                each.end()
        server.start()
        for slug in ("acme", "other"):
            own = [each for each in writers if each.slug == slug]
            there = held(server, slug)
            for each in own:
                assert each.kept
                assert each.kept.items() <= there.items()
            assert len(there) <= sum(each.sent for each in own)
        server.end(SIGTERM)
        for slug in ("acme", "other"):
            own = [each for each in writers if each.slug == slug]
            found = counted(server, slug)
            assert len(found) == len(set(found))
            assert {id_ for each in own for id_ in each.requests} <= set(found)
            assert len(found) <= sum(each.sent for each in own) + 100  # and the pages of `held`
        _log.info("%d writes were acknowledged", sum(len(each.kept) for each in writers))


# Told to stop


def test_who_is_told_to_stop_answers_what_was_begun(tmp_path: Path) -> None:
    with served(tmp_path, serve=ServeSettings(drain_s=5)) as server:
        server.start()
        rows = [{"content": f"row {number} of a batch that takes a while"} for number in range(400)]

        def ask(_: int) -> int:
            with server.client() as client:
                answer = client.post("/v1/memories:batch", json={"memories": rows})
                status: int = answer.status_code
                return status

        silent, stalled = server.connected(), server.connected()
        silent.sendall(b"GET /health HT")
        stalled.sendall(server.head("POST", "/v1/memories", "Content-Length: 100") + b"{")
        with ThreadPoolExecutor(8) as pool:
            asked = [pool.submit(ask, number) for number in range(8)]
            while not any(each.done() for each in asked):
                sleep(0.005)
            assert not all(each.done() for each in asked)
            began = monotonic()
            code = server.end(SIGTERM)
            took = monotonic() - began
            assert [each.result() for each in asked] == [201] * 8
        silent.close()
        stalled.close()
        assert code in {0, -SIGTERM}
        assert took < 5 + 4  # who stalls in a body is waited for that long, and no longer
        server.start()
        assert len(held(server, "acme")) == 8 * 400
        began = monotonic()
        assert server.end(SIGTERM) in {0, -SIGTERM}
        assert monotonic() - began < 4  # nobody is there: it goes at once


# A disk that is full


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 12 MB, which takes root to make."""
    place = tmp_path / "disk"
    place.mkdir()
    making = ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(place)]
    try:
        made = subprocess.run(making, check=False, capture_output=True, text=True)
    except OSError as error:
        pytest.skip(f"no disk can be made here: {error}")
    if made.returncode:
        pytest.skip(f"no disk can be made here: {made.stderr}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_loses_nothing_and_room_is_used_again(small_disk: Path) -> None:
    with served(small_disk, usage=UsageSettings(flush_s=0.2)) as server:
        server.start()
        filler = small_disk / "filler"
        with server.client() as client, server.client("other") as other:
            client.post("/v1/memories", json={"content": "before"}).raise_for_status()
            other.post("/v1/memories", json={"content": "before"}).raise_for_status()
            free = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize
            filler.write_bytes(b"x" * (free - 400_000))
            kept, counts, told = {}, [], set()
            for number in range(300):
                body = {"content": f"{number} " + "words " * 600}
                answer = client.post("/v1/memories", json=body)
                told.add(answer.status_code)
                if answer.status_code == 201:
                    counts.append(answer.json()["meta"]["request_id"])
                    kept[answer.json()["data"]["id"]] = body["content"]
                elif len(told) > 1 and number > 200:
                    break
            assert told <= {201, 503, 507}
            assert 201 in told
            assert 507 in told
            assert client.get("/v1/memories", params={"limit": 5}).status_code == 200
            assert other.get("/v1/memories").status_code == 200
            assert client.get("/health").status_code == 200
            assert client.get("/health/ready").json()["data"]["checks"]["data"]["status"] != "ok"
            filler.unlink()
            for each in (client, other):
                after = each.post("/v1/memories", json={"content": "after"})
                assert after.status_code == 201, after.text
            kept[after.json()["data"]["id"]] = "after"
        for _ in range(2):
            there = held(server, "acme")
            assert {n: text for n, text in kept.items() if text != "after"}.items() <= there.items()
            server.end(SIGKILL)
            server.start()
        server.end(SIGTERM)
        found = counted(server, "acme")
        assert set(counts) <= set(found)
        assert len(found) == len(set(found))


# Files that go, or are damaged


ASKS = (
    ("GET", "/v1/memories", None),
    ("POST", "/v1/search", {"query": "kept"}),
    ("GET", "/v1/export", None),
)


def test_a_database_that_is_gone_is_its_tenants_matter_alone(tmp_path: Path) -> None:
    with live(settings(tmp_path)) as found:
        clients = {slug: found.of(slug) for slug in ("gone", "torn", "well")}
        for each in clients.values():
            each.post("/v1/memories", json={"content": "kept"}).raise_for_status()
        places = found.running.services.places
        file, torn = (places.database(found.tenant(slug).id) for slug in ("gone", "torn"))
        for slug in ("gone", "torn"):
            found.running.services.pool.close_tenant(found.tenant(slug).id)
        saved = {each: each.read_bytes() for each in (file, torn)}
        clients["gone"].get("/v1/memories").raise_for_status()  # open again, and then it goes
        for part in file.parent.glob("engram.db*"):
            if part.is_file():
                part.unlink()
        torn.write_bytes(b"no database " * 1_000)
        for _ in range(3):
            for slug, status in (("gone", 503), ("torn", 503), ("well", 200)):
                for method, path, body in ASKS:
                    answer = clients[slug].request(method, path, json=body)
                    assert answer.status_code == status, (slug, answer.text)
                    assert str(tmp_path) not in answer.text
            made = clients["gone"].post("/v1/memories", json={"content": "into nothing"})
            assert made.status_code == 503
            assert not file.exists()
        assert clients["well"].get("/health/ready").status_code == 200
        for place, content in saved.items():
            place.parent.mkdir(exist_ok=True)  # which went with the last of it
            place.write_bytes(content)
        for slug in ("gone", "torn"):
            back = clients[slug].get("/v1/memories").json()["data"]
            assert [each["content"] for each in back] == ["kept"]


def test_damage_in_the_middle_of_a_file_ends_nobody_else(tmp_path: Path) -> None:
    with live(settings(tmp_path)) as found:
        torn, well = found.of("torn"), found.of("well")
        rows = [{"content": f"memory {number} " + "of words " * 50} for number in range(300)]
        for each in (torn, well):
            each.post("/v1/memories:batch", json={"memories": rows}).raise_for_status()
        services = found.running.services
        tenant = found.tenant("torn")
        services.pool.close_tenant(tenant.id)
        file = services.places.database(tenant.id)
        content = bytearray(file.read_bytes())
        for place in range(8_192, len(content), 8_192):
            content[place : place + 2_048] = b"\xa5" * 2_048
        file.write_bytes(content)
        said = set()
        for number in range(20):
            said.add(torn.get("/v1/memories", params={"limit": 1000}).status_code)
            answer = torn.post("/v1/search", json={"query": f"memory {number}"})
            said |= {answer.status_code, torn.get("/v1/export").status_code}
            assert "malformed" not in answer.text
            assert well.post("/v1/search", json={"query": "memory"}).status_code == 200
        assert said <= {200, 503}
        assert 503 in said


# Time that jumps


def test_a_clock_that_jumps_breaks_no_limit_key_or_lease(tmp_path: Path) -> None:
    clock = ManualClock()
    limits = LimitSettings(per_minute=60, burst=10)
    with live(settings(tmp_path, limits=limits), clock=clock) as found:
        client = found.of("acme")
        at = clock.now()
        asked = {"name": "for an hour", "expires_at": (at + timedelta(hours=1)).isoformat()}
        secret = client.post("/v1/keys", json=asked).json()["data"]["secret"]
        brief = found.client(Authorization=f"Bearer {secret}", X_Engram_Tenant="acme")
        versions = []
        made = client.post("/v1/memories", json={"content": "Ada lives in Paris"}).json()["data"]
        for moved in (timedelta(days=2), timedelta(days=-3), timedelta(days=40)):
            clock.advance(days=moved.days)
            expired = clock.now() >= at + timedelta(hours=1)
            assert brief.get("/v1/stats").status_code == (401 if expired else 200)
            place = f"/v1/memories/{made['id']}"
            versions.append(client.patch(place, json={"pinned": moved.days > 0}).json()["data"])
            key = {"Idempotency-Key": f"k{moved.days}"}
            body = {"content": f"said after {moved}"}
            one, again = (client.post("/v1/memories", json=body, headers=key) for _ in range(2))
            assert one.json()["data"] == again.json()["data"]
            assert client.post("/v1/dream", json={"steps": ["merge"]}).status_code == 200
        assert [each["version"] for each in versions] == [2, 3, 4]
        drawn = [client.get("/v1/memories").status_code for _ in range(13)]
        assert drawn == [200] * 10 + [429] * 3
        clock.advance(days=1)  # a bucket fills by time that passed, no other
        assert client.get("/v1/memories").status_code == 429
        clock.advance(days=-5)
        sleep(1.2)
        assert client.get("/v1/memories").status_code == 200
        found.running.services.meter.flush()
        found.running.services.audit.flush()
        tenant = found.tenant("acme").id
        assert found.running.services.plane.as_operator().broken_chain(tenant) is None
