"""What is sent to each provider, and what its answer becomes."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engram_lab.core.errors import EmbedderError, InvalidInputError
from engram_lab.retrieval.embedders import EMBEDDERS, EmbedderOptions, resolve
from engram_lab.retrieval.embedders.provider import ProviderEmbedder

if TYPE_CHECKING:
    from tests.retrieval.embedders.providers.conftest import Asking, Provider

NAMES = ("cohere", "ollama", "openai", "voyage")
TEXTS = ["one", "two", "three", "vier ä", "五"]
PATHS = {
    "cohere": "/v2/embed",
    "ollama": "/api/embed",
    "openai": "/v1/embeddings",
    "voyage": "/v1/embeddings",
}


@pytest.mark.parametrize("name", NAMES)
def test_each_text_gets_its_own_unit_row(asking: Asking, name: str) -> None:
    rows = asking(name, model="m").embed(TEXTS, kind="document")

    assert rows.dtype == np.float32
    np.testing.assert_allclose(rows, asking.right(TEXTS), atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "kind", "body"),
    [
        ("openai", "query", {"model": "m", "input": ["x"], "dimensions": 8}),
        ("openai", "document", {"model": "m", "input": ["x"], "dimensions": 8}),
        ("ollama", "query", {"model": "m", "input": ["x"], "dimensions": 8}),
        (
            "voyage",
            "query",
            {"model": "m", "input": ["x"], "input_type": "query", "output_dimension": 8},
        ),
        (
            "voyage",
            "document",
            {"model": "m", "input": ["x"], "input_type": "document", "output_dimension": 8},
        ),
        (
            "cohere",
            "query",
            {
                "model": "m",
                "texts": ["x"],
                "input_type": "search_query",
                "embedding_types": ["float"],
                "output_dimension": 8,
            },
        ),
        (
            "cohere",
            "document",
            {
                "model": "m",
                "texts": ["x"],
                "input_type": "search_document",
                "embedding_types": ["float"],
                "output_dimension": 8,
            },
        ),
    ],
)
def test_the_request_is_what_the_provider_documents(
    asking: Asking, provider: Provider, name: str, kind: Any, body: dict[str, Any]
) -> None:
    asking(name, model="m", dim=8, api_key="k").embed(["x"], kind=kind)

    (asked,) = provider.requests
    assert asked.path == PATHS[name]
    assert asked.body == body
    assert asked.headers["authorization"] == "Bearer k"
    assert asked.headers["content-type"] == "application/json"


@pytest.mark.parametrize("name", NAMES)
def test_no_dimensions_are_asked_for_unless_wanted(
    asking: Asking, provider: Provider, name: str
) -> None:
    embedder = asking(name)

    assert embedder.dim == 8
    assert embedder.dim == 8
    (asked,) = provider.requests
    assert not {"dimensions", "output_dimension"} & set(asked.body)
    assert len(asked.texts) == 1


@pytest.mark.parametrize("name", NAMES)
def test_wanted_dimensions_cost_no_request(asking: Asking, provider: Provider, name: str) -> None:
    embedder = asking(name, model="m", dim=16)

    assert (embedder.dim, embedder.fingerprint) == (16, f"{name}:m@16")
    assert provider.requests == []
    assert embedder.embed(["x"], kind="query").shape == (1, 16)


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("cohere", "CO_API_KEY"),
        ("ollama", "OLLAMA_API_KEY"),
        ("openai", "OPENAI_API_KEY"),
        ("voyage", "VOYAGE_API_KEY"),
    ],
)
def test_the_key_comes_from_its_variable_unless_given(
    asking: Asking,
    provider: Provider,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    variable: str,
) -> None:
    asking(name).embed(["x"], kind="query")
    monkeypatch.setenv(variable, "from-the-variable\n")
    asking(name).embed(["x"], kind="query")
    asking(name, api_key="given").embed(["x"], kind="query")

    assert [asked.headers.get("authorization") for asked in provider.requests] == [
        None,
        "Bearer from-the-variable",
        "Bearer given",
    ]


@pytest.mark.parametrize("name", ["cohere", "openai", "voyage"])
def test_without_a_key_the_provider_itself_is_not_asked(asking: Asking, name: str) -> None:
    embedder = asking(name, url=None, dim=8)

    assert embedder.fingerprint.endswith("@8")
    with pytest.raises(EmbedderError, match=r"needs a key: set \w+_API_KEY or api_key$") as refused:
        embedder.embed(["x"], kind="query")
    assert not refused.value.retryable


@pytest.mark.parametrize(
    ("name", "given", "path"),
    [
        ("openai", "", "/v1/embeddings"),
        ("openai", "/", "/v1/embeddings"),
        ("openai", "/v1", "/v1/embeddings"),
        ("openai", "/v1/", "/v1/embeddings"),
        ("openai", "/v1/embeddings", "/v1/embeddings"),
        ("openai", "/v1beta/openai/", "/v1beta/openai/embeddings"),
        (
            "openai",
            "/openai/deployments/d?api-version=2024-02-01",
            "/openai/deployments/d/embeddings?api-version=2024-02-01",
        ),
        ("ollama", "", "/api/embed"),
        ("ollama", "/proxied/api", "/proxied/api/embed"),
        ("cohere", "", "/v2/embed"),
        ("voyage", "/v1", "/v1/embeddings"),
    ],
)
def test_the_url_is_where_the_path_begins(
    asking: Asking, provider: Provider, name: str, given: str, path: str
) -> None:
    asking(name, url=provider.url + given).embed(["x"], kind="query")

    assert provider.requests[0].path == path


def test_texts_go_out_in_batches_and_come_back_in_order(asking: Asking, provider: Provider) -> None:
    texts = [f"text {i}" for i in range(10)]

    rows = asking(batch=4).embed(texts, kind="document")

    assert provider.batches == [texts[:4], texts[4:8], texts[8:]]
    np.testing.assert_allclose(rows, asking.right(texts), atol=1e-6)


@pytest.mark.parametrize(
    ("name", "most"), [("cohere", 96), ("ollama", 512), ("openai", 2048), ("voyage", 1000)]
)
def test_no_batch_is_larger_than_the_provider_takes(
    asking: Asking, provider: Provider, name: str, most: int
) -> None:
    asking(name, batch=5000).embed(["x"] * (most + 1), kind="document")

    assert [len(batch) for batch in provider.batches] == [most, 1]


def test_a_text_without_content_is_not_sent_and_gets_zeros(
    asking: Asking, provider: Provider
) -> None:
    rows = asking().embed(["", "one", " \n\t", "two"], kind="document")

    assert provider.batches == [["one", "two"]]
    np.testing.assert_allclose(rows[[1, 3]], asking.right(["one", "two"]), atol=1e-6)
    assert not rows[[0, 2]].any()


def test_no_texts_give_no_rows(asking: Asking, provider: Provider) -> None:
    embedder = asking(dim=8)

    assert embedder.embed([], kind="query").shape == (0, 8)
    assert embedder.embed([" "], kind="query").tolist() == [[0.0] * 8]
    assert provider.requests == []


@pytest.mark.parametrize("texts", ["one text", [1], ["\ud800"], None])
def test_what_is_no_text_is_refused_before_anything_is_sent(
    asking: Asking, provider: Provider, texts: Any
) -> None:
    with pytest.raises(InvalidInputError):
        asking().embed(texts, kind="query")
    assert provider.requests == []


def test_an_unknown_kind_is_refused(asking: Asking, provider: Provider) -> None:
    with pytest.raises(InvalidInputError, match="kind is 'passage'"):
        asking().embed(["x"], kind="passage")  # type: ignore[arg-type]
    assert provider.requests == []


@pytest.mark.parametrize(
    ("model", "kind", "sent"),
    [
        ("nomic-embed-text", "query", "search_query: tea"),
        ("nomic-embed-text:v1.5", "document", "search_document: tea"),
        ("someone/nomic-embed-text:latest", "document", "search_document: tea"),
        ("embeddinggemma:300m", "document", "title: none | text: tea"),
        ("mxbai-embed-large", "document", "tea"),
        ("all-minilm", "query", "tea"),
    ],
)
def test_ollama_gets_the_prefix_that_its_model_was_trained_with(
    asking: Asking, provider: Provider, model: str, kind: Any, sent: str
) -> None:
    asking("ollama", model=model).embed(["tea"], kind=kind)

    assert provider.batches == [[sent]]


def test_a_fingerprint_tells_models_apart_but_not_urls(asking: Asking, provider: Provider) -> None:
    here, there = asking(), asking(url=f"{provider.url}/gateway/v1")

    assert here.fingerprint == there.fingerprint == "openai:text-embedding-3-small@8"
    apart = {
        asking(dim=16).fingerprint,
        asking(model="other").fingerprint,
        asking("voyage", model="other").fingerprint,
        asking("ollama", model="nomic-embed-text").fingerprint,
        here.fingerprint,
    }
    assert len(apart) == 5
    assert asking("ollama", model="nomic-embed-text").fingerprint.endswith("+prefix@8")


def test_the_connection_is_used_again(asking: Asking, provider: Provider) -> None:
    asking(batch=1).embed([str(i) for i in range(20)], kind="document")

    assert len(provider.requests) == 20
    assert provider.connections == 1


def test_threads_share_an_embedder(asking: Asking, provider: Provider) -> None:
    embedder = asking(batch=2)
    jobs = [[f"{job} {i}" for i in range(5)] for job in range(16)]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda texts: embedder.embed(texts, kind="document"), jobs))

    for texts, rows in zip(jobs, found, strict=True):
        np.testing.assert_allclose(rows, asking.right(texts), atol=1e-6)
    assert provider.connections <= 8


def test_threads_ask_once_for_the_dimensions(asking: Asking, provider: Provider) -> None:
    embedder = asking()

    with ThreadPoolExecutor(8) as pool:
        dims = list(pool.map(lambda _: embedder.dim, range(8)))

    assert dims == [8] * 8
    assert len(provider.requests) == 1


def test_nothing_is_asked_after_close(asking: Asking, provider: Provider) -> None:
    embedder = asking()
    embedder.embed(["x"], kind="query")

    embedder.close()
    embedder.close()

    with pytest.raises(EmbedderError, match="its embedder was closed: make a new one") as refused:
        embedder.embed(["x"], kind="query")
    assert not refused.value.retryable
    assert len(provider.requests) == 1


def test_closing_ends_a_request_under_way(asking: Asking, provider: Provider) -> None:
    provider.will(provider.silence)
    embedder = asking(timeout_s=20.0, retries=0)

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(embedder.embed, ["x"], kind="query")
        while not provider.requests:
            time.sleep(0.001)
        embedder.close()
        with pytest.raises(EmbedderError, match="its embedder was closed"):
            waiting.result(timeout=5)


def test_closing_amid_many_requests_lets_none_hang(asking: Asking, provider: Provider) -> None:
    embedder = asking(batch=1, retries=0)
    embedder.embed(["x"], kind="query")

    with ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(embedder.embed, [str(i)] * 50, kind="query") for i in range(8)]
        while len(provider.requests) < 20:
            time.sleep(0.001)
        embedder.close()
        for job in jobs:
            with pytest.raises(EmbedderError, match="its embedder was closed"):
                job.result(timeout=5)


def test_an_embedder_that_is_dropped_leaves_no_thread(asking: Asking, provider: Provider) -> None:
    embedder = resolve("openai:m", EmbedderOptions(url=provider.url))
    embedder.embed(["x"], kind="query")
    (thread,) = (each for each in threading.enumerate() if each.name == "engram-embedder")

    del embedder
    gc.collect()
    thread.join(5)

    assert not thread.is_alive()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_is_refused_and_does_not_hang(provider: Provider) -> None:
    program = f"""
import os, warnings
from engram_lab.core.errors import EmbedderError
from engram_lab.retrieval.embedders import EmbedderOptions, resolve
warnings.simplefilter("ignore", DeprecationWarning)  # of forking beside threads
embedder = resolve("openai:m", EmbedderOptions(url={provider.url!r}))
embedder.embed(["x"], kind="query")
child = os.fork()
try:
    embedder.embed(["x"], kind="query")
    print("answered")
except EmbedderError as error:
    print(error)
if child:
    os.waitpid(child, 0)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30
    )

    assert sorted(done.stdout.splitlines()) == [
        "OpenAI is not asked by a forked child: make a new embedder there",
        "answered",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_the_registry_knows_each_by_name(provider: Provider, name: str) -> None:
    embedder = resolve(f"{name}:m", EmbedderOptions(url=provider.url, api_key="k", dim=8))

    assert name in EMBEDDERS.names()
    assert isinstance(embedder, ProviderEmbedder)
    with embedder:
        assert embedder.fingerprint == f"{name}:m@8"
        assert embedder.embed(["x"], kind="query").shape == (1, 8)
    assert provider.requests[0].path == PATHS[name]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"url": "ftp://127.0.0.1"}, "the url of OpenAI is no address"),
        ({"url": "127.0.0.1:8000"}, "the url of OpenAI is no address"),
        ({"url": "http://"}, "the url of OpenAI is no address"),
        ({"url": "http://me:hidden@127.0.0.1"}, "holds a user name or a password"),
        ({"api_key": "hidden key"}, "api_key holds spaces"),
        ({"api_key": "hidden\nkey"}, "api_key holds spaces"),
        ({"api_key": "hiddén"}, "letters beyond ASCII"),
        ({"batch": 0}, "batch is '0'"),
        ({"dim": 0}, "dim is '0'"),
        ({"retries": -1}, "retries is -1"),
        ({"timeout_s": 0.0}, r"timeout_s is 0\.0"),
        ({"timeout_s": float("nan")}, "timeout_s is nan"),
        ({"requests_per_minute": 0.0}, r"requests_per_minute is 0\.0"),
    ],
)
def test_an_option_that_cannot_be_used_is_refused_at_once(
    asking: Asking, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidInputError, match=said) as refused:
        asking(**options)
    assert "hidd" not in str(refused.value)
