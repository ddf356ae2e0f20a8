"""One side of the benchmark of the server: an engine, an empty route, a server, or many tenants.

    python evals/bench/serve_child.py ROLE FOLDER SIZE

Says in JSON that it is ready, then answers each word of its input with a line of JSON.
"""

from __future__ import annotations

import json
import os
import socket
import statistics
import sys
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, Final

import httpx2
from fastapi import FastAPI, Request
from fastapi.responses import Response
from retrieval_workload import chunk_texts, common_queries

from engram_lab import Engine
from engram_lab.config import (
    AuthSettings,
    BackupSettings,
    EmbeddingSettings,
    EngineConfig,
    LimitSettings,
    ScheduleSettings,
    ServerConfig,
    ServeSettings,
    TenancySettings,
)
from engram_lab.core.clock import SystemClock
from engram_lab.serve.app import create_app
from engram_lab.serve.control.records import SCOPES
from engram_lab.serve.making import Making
from engram_lab.serve.routes.search import Question  # noqa: TC001 - FastAPI reads it
from engram_lab.serve.running import Running
from engram_lab.serve.server import uvicorn_server
from engram_lab.serve.tenants.keys import make_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from engram_lab.serve.control.records import Tenant

    Asks = dict[str, Callable[[], dict[str, Any]]]

ENGINE: Final = EngineConfig(embedding=EmbeddingSettings(model="hashing"))
QUESTIONS, K, TENANT = 200, 10, "bench"
BLOCK = 1_000


def config(folder: Path, *, port: int = 0) -> ServerConfig:
    """Return the settings of the server that is measured: all is on, but no rate is met."""
    return ServerConfig(
        serve=ServeSettings(port=port, import_limit_bytes=10**9, body_limit_bytes=10**8),
        tenancy=TenancySettings(data=str(folder / "data"), max_open=50),
        auth=AuthSettings(enabled=True),
        limits=LimitSettings(per_minute=10**7, burst=10**7),
        schedule=ScheduleSettings(enabled=False),
        backups=BackupSettings(place=str(folder / "kept"), key_file=str(folder / "key")),
    )


def contents(count: int, *, first: int = 0) -> list[str]:
    """Return made-up texts."""
    return [" ".join(words) for words in chunk_texts(0)[first : first + count]]


def filled(folder: Path, size: int) -> None:
    """Make the tenant with its memories, its key, and the questions that are asked."""
    with ExitStack() as stack:
        made = Making(
            config(folder), ENGINE, clock=SystemClock(), timer=time.perf_counter, stack=stack
        )
        tenant = made.estate.provision(TENANT, plan="dedicated").tenant
        view = made.plane.within(tenant.id)
        key = make_key(
            view,
            made.minting,
            tenant_id=tenant.id,
            name=TENANT,
            environment="test",
            scopes=SCOPES,
            created_by="bench",
        )
        with made.pool.lease(tenant) as engine:
            for first in range(0, size, BLOCK):
                part = contents(min(BLOCK, size - first), first=first % 9_000)
                engine.remember_many([{"content": f"{each} {first}"} for each in part])
    (folder / "secret").write_text(key.secret)
    (folder / "database").write_text(str(made.places.database(tenant.id)))
    asked = [{"query": each, "k": K} for each in common_queries(QUESTIONS)]
    (folder / "questions.txt").write_text("".join(f"{json.dumps(each)}\n" for each in asked))


def engine(folder: Path, size: int) -> Asks:
    """Ask an engine directly."""
    filled(folder, size)
    asked = [json.loads(line)["query"] for line in (folder / "questions.txt").open()]
    opened = Engine.open((folder / "database").read_text(), config=ENGINE)
    for each in asked:
        opened.recall(each, K)

    def timed() -> dict[str, Any]:
        seconds = []
        for each in asked * 2:
            began = time.perf_counter()
            opened.recall(each, K)
            seconds.append(time.perf_counter() - began)
        return {"seconds": statistics.fmean(seconds), "median_s": statistics.median(seconds)}

    return {"time": timed}


def empty(folder: Path, _: int) -> Asks:
    """Serve a route that reads the same body, and sends an answer as large as that of a search."""
    opened = Engine.open((folder / "database").read_text(), config=ENGINE)
    hits = opened.recall(common_queries(1)[0], K)
    opened.close()
    from engram_lab.serve.answers import as_json
    from engram_lab.serve.routes.search import hit_rows

    content = as_json({"data": hit_rows(hits, explain=False), "meta": {"request_id": "0" * 36}})
    app = FastAPI()

    @app.post("/v1/search")
    async def search(request: Request, body: Question) -> Response:  # noqa: ARG001 - as ours has
        return Response(content, media_type="application/json")

    return serving(folder, app, ServeSettings(port=free_port()))


def server(folder: Path, size: int, model: str = "hashing") -> Asks:
    """Serve the tenant, and do large things meanwhile."""
    if size:
        filled(folder, size)
    settings = config(folder, port=free_port())
    log = (folder / "log").open("w")
    engine = EngineConfig(embedding=EmbeddingSettings(model=model))
    running = Running(settings, engine, log_to=log)
    asks = serving(folder, create_app(running), settings.serve)
    headers = {
        "Authorization": f"Bearer {(folder / 'secret').read_text()}",
        "X-Engram-Tenant": TENANT,
    }
    url = f"http://127.0.0.1:{settings.serve.port}"
    client = httpx2.Client(base_url=url, headers=headers, timeout=1_800)

    def late(work: Callable[[], object]) -> Callable[[], dict[str, Any]]:
        def watched() -> dict[str, Any]:
            running.watch.reset()
            began = time.perf_counter()
            work()
            seconds = time.perf_counter() - began
            return {"late_ms": running.watch.at_most_s * 1e3, "seconds": seconds}

        return watched

    texts = contents(9_000 if model == "hashing" else 500)
    rows = "".join(json.dumps({"content": f"new {each}"}) + "\n" for each in texts)

    def embedded() -> None:
        client.post("/v1/import", files={"file": ("rows.jsonl", rows)}).raise_for_status()
        tenant = running.services.plane.tenant_by_slug(TENANT)
        if tenant is None:
            raise RuntimeError("the tenant is not there")
        with running.services.pool.lease(tenant, quiet=True) as opened:
            queue, fingerprint = opened.store.embedding_queue, opened.embedder.fingerprint
            while queue.counts(fingerprint).pending:
                time.sleep(0.5)
        asked()

    def asked() -> None:
        client.post("/v1/search", json={"query": "what is new?"}).raise_for_status()

    def dreamt() -> None:
        client.post("/v1/dream", json={"full": True, "yes": True}).raise_for_status()
        asked()

    return asks | {
        "nothing": late(lambda: time.sleep(5)),
        "dream": late(dreamt),
        "backup": late(lambda: client.post("/v1/backups").raise_for_status()),
        "embedding": late(embedded),
    }


def tenants(folder: Path, count: int) -> Asks:
    """Ask many tenants in turn, with room for fifty."""
    stack = ExitStack()
    made = Making(config(folder), ENGINE, clock=SystemClock(), timer=time.perf_counter, stack=stack)
    known: list[Tenant] = []
    for number in range(count):
        tenant = made.estate.provision(f"t-{number}", plan="dedicated").tenant
        with made.pool.lease(tenant) as opened:
            opened.remember(f"tenant {number} takes tea at {number % 24}")
        known.append(tenant)

    def round_() -> dict[str, Any]:
        most, began = 0, time.perf_counter()
        for each in known:
            with made.pool.lease(each) as opened:
                opened.recall("tea", 3)
            most = max(most, made.pool.open_count)
        seconds = time.perf_counter() - began
        return {"rss_mib": rss_mib(), "open": most, "each_ms": seconds / count * 1e3}

    return {"round": round_}


def serving(folder: Path, app: FastAPI, settings: ServeSettings) -> Asks:
    """Serve an application in a thread, and tell where once it answers."""
    made = uvicorn_server(app, settings)
    Thread(target=made.run, daemon=True).start()
    while not made.started:
        time.sleep(0.01)
    about = {"url": f"http://127.0.0.1:{settings.port}", "key": (folder / "secret").read_text()}
    return {"": lambda: about}


def rss_mib() -> float:
    """Return how much memory this process holds: MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


ROLES: Final[dict[str, Callable[[Path, int], Asks]]] = {
    "engine": engine,
    "empty": empty,
    "server": server,
    "minilm": partial(server, model="minilm"),
    "tenants": tenants,
}


def main() -> None:
    """Be what was asked for until the input ends."""
    role, folder, size = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    asks = ROLES[role](folder, size)
    print(json.dumps(asks.get("", dict)()), flush=True)
    for word in sys.stdin:
        print(json.dumps(asks[word.strip()]()), flush=True)


if __name__ == "__main__":
    main()
    os._exit(0)  # its threads and servers have nothing to lose
