"""What is done to a whole database takes as long as it takes, and no search waits behind it."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from engram_lab.config import BackupSettings, ServeSettings
from engram_lab.serve.call import Call
from engram_lab.serve.pipeline.bounds import Bounds
from tests.serve.live import Live, live, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx2

    from engram_lab.serve.workers import Workers

TIMEOUT_S = 1.5


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("data")
    kept = BackupSettings(place=str(folder / "kept"), key_file=str(folder / "key"), keep=1)
    serve = ServeSettings(threads=2, timeout_s=TIMEOUT_S)
    with live(settings(folder, backups=kept, serve=serve)) as found:
        yield found


def filled(served: Live, slug: str) -> httpx2.Client:
    client = served.of(slug)
    rows = [{"content": "Ada likes green tea"}, {"content": "Ada likes green tea."}]
    assert client.post("/v1/memories:batch", json={"memories": rows}).status_code == 201
    return client


@contextmanager
def busy(workers: Workers, threads: int) -> Iterator[threading.Event]:
    """Keep all threads of a kind at work until the block, or whoever sets the event, ends it."""
    done, begun = threading.Event(), threading.Semaphore(0)

    def work() -> None:
        begun.release()
        done.wait(30)

    async def all_of_them() -> None:
        await asyncio.gather(*(workers.run(work) for _ in range(threads)))

    waiting = threading.Thread(target=lambda: asyncio.run(all_of_them()))
    waiting.start()
    try:
        for _ in range(threads):
            assert begun.acquire(timeout=10)
        yield done
    finally:
        done.set()
        waiting.join()


@pytest.mark.parametrize("what", ["make", "verify", "undo"])
def test_long_work_needs_no_thread_that_searches(served: Live, what: str) -> None:
    client = filled(served, f"apart-{what}")
    path, wanted = asked(client, what)
    with busy(served.running.services.engines, 2):
        assert client.post(path).status_code == wanted


@pytest.mark.parametrize("what", ["make", "verify"])
def test_it_is_not_cut_off(served: Live, what: str) -> None:
    client = filled(served, f"whole-{what}")
    path, wanted = asked(client, what)
    with busy(served.running.services.copies, 2) as done:
        timer = threading.Timer(TIMEOUT_S + 0.5, done.set)
        timer.start()
        assert client.post("/v1/search", json={"query": "tea"}).status_code == 200
        assert client.get("/v1/backups").status_code == 200
        assert client.post(path).status_code == wanted
        assert done.is_set()  # it had to wait for longer than others may


def asked(client: httpx2.Client, what: str) -> tuple[str, int]:
    """Return the address of some long work, which can be done now, and the status of success."""
    if what == "undo":
        told = client.post("/v1/dream", json={"steps": ["merge"]}).json()["data"]
        return f"/v1/dream/{told['run']['id']}/undo", 200
    if what == "verify":
        name = client.post("/v1/backups").json()["data"]["name"]
        return f"/v1/backups/{name}/verify", 200
    return "/v1/backups", 201


def test_retries_at_once_make_no_more_copies_than_may_lie_there(served: Live) -> None:
    client = filled(served, "retries")
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda: answers.append(client.post("/v1/backups").status_code))
        for _ in range(5)
    ]
    with busy(served.running.services.copies, 2) as done:
        for each in threads:
            each.start()
        while len(answers) < 2:  # beyond three at a time they are refused at once
            assert any(each.is_alive() for each in threads)
        done.set()
        for each in threads:
            each.join()
    assert sorted(answers) == [201, 201, 409, 429, 429]
    assert len(client.get("/v1/backups").json()["data"]) == 2


@pytest.mark.parametrize(
    ("path", "is_long"),
    [
        ("/v1/backups", True),
        ("/v1/backups/of-today/verify", True),
        ("/v1/dream", True),
        ("/v1/dream/some-run/undo", True),
        ("/v1/admin/tenants/acme/export", True),
        ("/v1/search", False),
        ("/v1/backups/of-today", False),
        ("/v1/dream/a/b/undo", False),
        ("/v1/import/x", False),
        ("/x/v1/import", False),
    ],
)
def test_only_what_is_long_may_take_as_long_as_it_takes(path: str, is_long: bool) -> None:  # noqa: FBT001 - pytest gives it
    told: dict[str, Any] = dict.fromkeys(Call.__dataclass_fields__, None)
    call = Call(**{**told, "path": path, "method": "POST", "headers": {}})
    assert (Bounds(ServeSettings(timeout_s=7)).seconds(call) is None) is is_long
