"""A provider that misbehaves: what is tried again, what is not, and what the error says."""

from __future__ import annotations

import logging
import pickle
import socket
import subprocess
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engram_lab.core.errors import EmbedderError, MissingDependencyError

if TYPE_CHECKING:
    from tests.retrieval.embedders.providers.conftest import Asked, Asking, Handler, Provider, Waits

SECRET = "sk-very-secret"  # noqa: S105 - what must never be seen
PRIVATE = "my private words"
NAMES = ("cohere", "ollama", "openai", "voyage")


def refused(asking: Asking, texts: list[str] | None = None, **options: Any) -> EmbedderError:
    """Return the error of an embedder that is asked for a text."""
    with pytest.raises(EmbedderError) as raised:
        asking(**{"api_key": SECRET, **options}).embed(texts or [PRIVATE], kind="document")
    said = "".join(traceback.format_exception(raised.value))
    assert SECRET not in said
    assert PRIVATE not in said
    assert "\n" not in str(raised.value)
    return raised.value


# Statuses.


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 529])
def test_a_fault_that_passes_is_tried_again(
    asking: Asking, provider: Provider, waits: Waits, status: int
) -> None:
    provider.will(provider.status(status), provider.status(status))

    rows = asking().embed(["x"], kind="query")

    np.testing.assert_allclose(rows, asking.right(["x"]), atol=1e-6)
    assert len(provider.requests) == 3
    assert len(waits.slept) == 2


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 529])
def test_a_fault_that_stays_is_given_up_as_retryable(
    asking: Asking, provider: Provider, status: int
) -> None:
    provider.always(provider.status(status))

    error = refused(asking, retries=3)

    assert len(provider.requests) == 4
    assert error.retryable
    assert f"OpenAI answered {status}" in str(error)
    assert "(after 4 attempts): try again later" in str(error)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (400, "OpenAI answered 400 Bad Request: check the model 'm', the dimensions"),
        (401, "OpenAI answered 401 Unauthorized: check the key in api_key or OPENAI_API_KEY"),
        (403, "OpenAI answered 403 Forbidden: check that the key in api_key or OPENAI_API_KEY may"),
        (404, "OpenAI answered 404 Not Found: check the url and the model 'm'"),
        (405, "OpenAI answered 405 Method Not Allowed: check the url"),
        (413, ": shorten the texts"),
        (422, ": check the model 'm', the dimensions"),
        (418, ": check the url"),
        (499, "OpenAI answered 499: check the url"),
        (204, "OpenAI answered 204 No Content: check the url"),
        (501, "OpenAI answered 501 Not Implemented: check the url"),
    ],
)
def test_a_fault_that_lasts_is_not_tried_again(
    asking: Asking, provider: Provider, waits: Waits, status: int, said: str
) -> None:
    provider.always(provider.status(status, {"error": {"message": PRIVATE + SECRET}}))

    error = refused(asking, model="m")

    assert said in str(error)
    assert not error.retryable
    assert len(provider.requests) == 1
    assert waits.slept == []


def test_a_model_that_ollama_lacks_is_to_be_pulled(asking: Asking, provider: Provider) -> None:
    provider.always(provider.status(404, {"error": "model 'm' not found"}))

    assert "the model 'm', and fetch it with `ollama pull`" in str(
        refused(asking, name="ollama", model="m")
    )


def test_a_spent_quota_is_not_tried_again(asking: Asking, provider: Provider) -> None:
    provider.always(provider.status(429, {"error": {"code": "insufficient_quota"}}))

    error = refused(asking)

    assert "the account has no quota left" in str(error)
    assert not error.retryable
    assert len(provider.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(asking: Asking, provider: Provider, status: int) -> None:
    provider.always(provider.status(status, location=f"{provider.url}/elsewhere"))

    error = refused(asking)

    assert "it is not followed, set the url" in str(error)
    assert not error.retryable
    assert [asked.path for asked in provider.requests] == ["/v1/embeddings"]


# The network.


def test_a_refused_connection_is_tried_again(asking: Asking, waits: Waits) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but nobody listens
        error = refused(asking, url=f"http://127.0.0.1:{taken.getsockname()[1]}")

    assert "OpenAI could not be reached" in str(error)
    assert "check the url and the network" in str(error)
    assert error.retryable
    assert len(waits.slept) == 2


def test_a_host_that_has_no_address_is_said_to_be_out_of_reach(asking: Asking) -> None:
    error = refused(asking, url="http://nowhere.invalid", retries=0)

    assert "OpenAI " in str(error)
    assert error.retryable


def test_a_connection_that_nobody_accepts_ends_in_time(asking: Asking) -> None:
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for waiting in (first, second):  # take the places there are
            waiting.setblocking(False)  # noqa: FBT003 - the library's own signature
            waiting.connect_ex(full.getsockname())
        began = time.monotonic()
        error = refused(
            asking, url=f"http://127.0.0.1:{full.getsockname()[1]}", retries=0, timeout_s=0.4
        )

    assert "accepted no connection within 0.2 s" in str(error)
    assert error.retryable
    assert time.monotonic() - began < 2


def test_an_answer_that_never_comes_ends_in_time(asking: Asking, provider: Provider) -> None:
    provider.always(provider.silence)
    began = time.monotonic()

    error = refused(asking, timeout_s=0.2, retries=1)

    assert "gave no whole answer within 0.2 s (after 2 attempts)" in str(error)
    assert error.retryable
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    ("head", "drop"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n", b" "),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        (b"HTTP/1.1 200 OK\r\n", b"x-more: 1\r\n"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
)
def test_an_answer_that_drips_ends_in_time(
    asking: Asking, provider: Provider, head: bytes, drop: bytes
) -> None:
    provider.always(provider.drip(head, drop))
    began = time.monotonic()

    error = refused(asking, timeout_s=0.2, retries=0)

    assert "gave no whole answer within 0.2 s" in str(error)
    assert error.retryable
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("how", ["reset", "hang_up", "stop_midway"])
def test_a_connection_that_breaks_is_tried_again(
    asking: Asking, provider: Provider, how: str
) -> None:
    broken = getattr(provider, how)
    provider.will(broken, broken)

    rows = asking().embed(["x"], kind="query")

    np.testing.assert_allclose(rows, asking.right(["x"]), atol=1e-6)
    assert len(provider.requests) == 3

    provider.always(broken)
    error = refused(asking)
    assert "OpenAI broke off the connection" in str(error)
    assert error.retryable


def test_a_host_without_tls_is_not_spoken_to_without_it(asking: Asking, provider: Provider) -> None:
    error = refused(asking, url=provider.url.replace("http:", "https:"))

    assert "OpenAI could not be reached" in str(error)
    assert provider.requests == []


# Answers that are none.


def longer(rows: list[Any]) -> list[Any]:
    return [[*row, 1.0] if i else row for i, row in enumerate(rows)]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: rows[:-1], "1 vectors for 2 texts"),
        (lambda rows: [*rows, rows[0]], "3 vectors for 2 texts"),
        (lambda _: [], "0 vectors for 2 texts"),
        (lambda rows: [[] for _ in rows], "vectors without numbers"),
        (lambda rows: [1.0 for _ in rows], "vectors without numbers"),
        (lambda rows: [[[1.0]] for _ in rows], "vectors without numbers"),
        (longer, "vectors of unequal lengths"),
        (lambda rows: [["a"] * 8 for _ in rows], "or of what is no number"),
        (lambda rows: [[None] * 8, *rows[1:]], "NaN or infinity"),
        (lambda rows: [[float("nan")] * 8, *rows[1:]], "no whole JSON"),
        (lambda rows: [[0.0] * 8, *rows[1:]], "a vector of zeros"),
    ],
)
def test_vectors_that_are_none_are_tried_again(
    asking: Asking, provider: Provider, name: str, change: Any, said: str
) -> None:
    texts = [PRIVATE, "two"]
    provider.will(provider.vectors(change))
    np.testing.assert_allclose(
        asking(name, model="m").embed(texts, kind="document"), asking.right(texts), atol=1e-6
    )
    assert len(provider.requests) == 2

    provider.always(provider.vectors(change))
    error = refused(asking, texts, name=name, model="m", retries=1)
    assert said in str(error)
    assert error.retryable


def indexed(*indexes: Any) -> Any:
    """Return a change of an answer to two texts: its vectors under other indexes."""

    def change(answer: Any) -> Any:
        for row, index in zip(answer["data"], indexes, strict=True):
            row["index"] = index
        return answer

    return change


def without(field: str) -> Any:
    def change(answer: Any) -> Any:
        answer["data"][0].pop(field)
        return answer

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (indexed(0, 0), "two vectors of the index 0"),
        (indexed(1, 2), "without an index that belongs to a text"),
        (indexed(-1, 0), "without an index that belongs to a text"),
        (indexed("1", "0"), "without an index that belongs to a text"),
        (indexed(*[True, False]), "without an index that belongs to a text"),
        (without("index"), "without an index that belongs to a text"),
        (without("embedding"), "no vector at the index 1"),
        (lambda answer: {**answer, "data": [1, 2]}, "without an index"),
        (lambda answer: {**answer, "data": {}}, "no list of vectors"),
        (lambda answer: {**answer, "data": None}, "no list of vectors"),
        (lambda answer: [answer], "no JSON object"),
        (lambda _: {}, "no list of vectors"),
        (lambda _: b"<html>" + PRIVATE.encode() + b"</html>", "no whole JSON"),
        (lambda _: b"", "no whole JSON"),
        (lambda _: b"\xff\xfe", "no whole JSON"),
    ],
)
@pytest.mark.parametrize("name", ["openai", "voyage"])
def test_an_answer_of_another_shape_is_tried_again(
    asking: Asking, provider: Provider, name: str, change: Any, said: str
) -> None:
    provider.will(provider.answer(change))
    rows = asking(name).embed(["one", "two"], kind="document")
    np.testing.assert_allclose(rows, asking.right(["one", "two"]), atol=1e-6)

    provider.always(provider.answer(change))
    error = refused(asking, [PRIVATE, "two"], name=name, retries=1)
    assert said in str(error)
    assert "check the url and the model" in str(error)
    assert error.retryable


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("cohere", lambda answer: {**answer, "embeddings": [[1.0]]}),
        ("cohere", lambda answer: {**answer, "embeddings": {"int8": [[1]]}}),
        ("ollama", lambda answer: {"model": answer["model"]}),
        ("ollama", lambda answer: {"embedding": answer["embeddings"][0]}),
    ],
)
def test_an_answer_without_its_field_is_refused(
    asking: Asking, provider: Provider, name: str, change: Any
) -> None:
    provider.always(provider.answer(change))

    assert f"{name.title()} answered with no " in str(refused(asking, name=name))


def test_json_that_is_cut_off_is_tried_again(asking: Asking, provider: Provider) -> None:
    provider.will(provider.cut)

    rows = asking().embed(["x"], kind="query")

    np.testing.assert_allclose(rows, asking.right(["x"]), atol=1e-6)


def test_an_answer_that_claims_to_be_packed_is_tried_again(
    asking: Asking, provider: Provider
) -> None:
    provider.always(provider.status(200, b"not gzip", content_encoding="gzip"))

    error = refused(asking)

    assert "cannot be unpacked" in str(error)
    assert len(provider.requests) == 3


def test_another_dimension_than_wanted_is_refused(asking: Asking, provider: Provider) -> None:
    provider.always(provider.vectors(lambda rows: [[1.0] * 5 for _ in rows]))

    error = refused(asking, dim=8, model="m")

    assert "OpenAI gave vectors of 5 dimensions instead of 8: check the model 'm'" in str(error)
    assert not error.retryable
    assert len(provider.requests) == 1


def test_another_dimension_than_before_is_refused(asking: Asking, provider: Provider) -> None:
    embedder = asking()
    embedder.embed(["x"], kind="query")
    provider.always(provider.vectors(lambda rows: [[1.0] * 5 for _ in rows]))

    with pytest.raises(EmbedderError, match="gave vectors of 5 dimensions instead of 8"):
        embedder.embed(["y"], kind="query")
    assert embedder.dim == 8


def test_an_answer_that_does_not_end_is_cut_short(asking: Asking, provider: Provider) -> None:
    def endless(handler: Handler, _asked: Asked) -> None:
        handler.close_connection = True
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(64):
            handler.wfile.write(b" " * (1 << 20))

    provider.always(endless)

    error = refused(asking, timeout_s=20.0)

    assert "gave more than the 1572864 bytes that it needs" in str(error)
    assert not error.retryable
    assert len(provider.requests) == 1


def test_the_page_of_an_error_is_not_read_to_its_end(asking: Asking, provider: Provider) -> None:
    def endless(handler: Handler, _asked: Asked) -> None:
        handler.close_connection = True
        handler.wfile.write(b"HTTP/1.1 401 Unauthorized\r\n\r\n")
        while not provider.over.is_set():
            handler.wfile.write(b" " * (1 << 16))

    provider.always(endless)

    assert "answered 401" in str(refused(asking, timeout_s=20.0))


# Too much at once.

TOO_MANY = [
    (400, {"error": {"message": "Invalid 'input': array too long. Expected at most 3"}}),
    (400, {"message": "invalid request: total number of texts must be at most 3 - received 8"}),
    (400, {"detail": "The batch size limit is 3. Your batch size is 8"}),
    (422, {"error": "batch size 8 > maximum allowed batch size 3", "error_type": "Validation"}),
    (413, b"<html>413 Request Entity Too Large</html>"),
    (400, {"error": {"message": "Requested 9 tokens", "code": "max_tokens_per_request"}}),
]


@pytest.mark.parametrize(("status", "body"), TOO_MANY)
def test_a_batch_that_is_too_large_is_halved(
    asking: Asking, provider: Provider, waits: Waits, status: int, body: Any
) -> None:
    def at_most_three(handler: Handler, asked: Asked) -> None:
        behave = provider.status(status, body) if len(asked.texts) > 3 else provider.well
        behave(handler, asked)

    provider.always(at_most_three)
    texts = [f"text {i}" for i in range(19)]

    rows = asking(batch=8).embed(texts, kind="document")

    np.testing.assert_allclose(rows, asking.right(texts), atol=1e-6)
    assert waits.slept == []


def test_a_limit_of_texts_is_learned_once(asking: Asking, provider: Provider) -> None:
    def at_most_two(handler: Handler, asked: Asked) -> None:
        many = provider.status(400, {"error": "batch size must not be larger than 2"})
        (many if len(asked.texts) > 2 else provider.well)(handler, asked)

    provider.always(at_most_two)
    embedder = asking(batch=8)
    embedder.embed([f"text {i}" for i in range(16)], kind="document")
    embedder.embed([f"text {i}" for i in range(4)], kind="document")

    assert [len(batch) for batch in provider.batches] == [8, 4, *[2] * 10]


def test_a_text_that_is_too_long_is_cut_until_it_is_taken(
    asking: Asking, provider: Provider
) -> None:
    def at_most_1000(handler: Handler, asked: Asked) -> None:
        long = {"error": {"message": "This model's maximum context length is 250 tokens"}}
        taken = max(map(len, asked.texts)) <= 1000
        (provider.well if taken else provider.status(400, long))(handler, asked)

    provider.always(at_most_1000)
    long = "0123456789" * 300

    rows = asking().embed(["one", long, "two"], kind="document")

    np.testing.assert_allclose(rows, asking.right(["one", long[:750], "two"]), atol=1e-6)


def test_a_short_text_is_never_cut(asking: Asking, provider: Provider) -> None:
    provider.always(provider.status(400, {"error": {"message": "input is too long"}}))

    error = refused(asking, ["x" * 400])

    assert "OpenAI answered 400 Bad Request: shorten the texts" in str(error)
    assert not error.retryable
    assert [len(text) for (text,) in provider.batches] == [400, 200]


def test_a_request_that_is_sent_back_does_not_decide(asking: Asking, provider: Provider) -> None:
    text = "the batch size is too long " * 100
    provider.always(provider.status(422, {"detail": [{"input": [text]}], "input": text}))

    error = refused(asking, [text, text])

    assert "check the model" in str(error)
    assert len(provider.requests) == 1


def test_llama_cpp_says_500_of_what_is_too_large(asking: Asking, provider: Provider) -> None:
    message = "input is too large to process. increase the physical batch size"
    provider.will(provider.status(500, {"error": {"code": 500, "message": message}}))

    rows = asking().embed(["one", "two"], kind="document")

    np.testing.assert_allclose(rows, asking.right(["one", "two"]), atol=1e-6)
    assert provider.batches == [["one", "two"], ["one"], ["two"]]


# Secrets, and what an error is.


def test_the_key_is_never_shown(
    asking: Asking, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    provider.will(provider.status(500), provider.status(401, {"error": f"bad key {SECRET}"}))
    embedder = asking(api_key=SECRET)

    with pytest.raises(EmbedderError) as raised:
        embedder.embed([PRIVATE], kind="query")

    shown = [repr(embedder), str(embedder), embedder._line.__repr__(), str(raised.value)]
    assert repr(embedder) == "<ProviderEmbedder openai:text-embedding-3-small>"
    for said in (*shown, caplog.text):
        assert SECRET not in said
        assert PRIVATE not in said
    assert provider.requests[0].headers["authorization"] == f"Bearer {SECRET}"


def test_an_error_keeps_what_it_knows_when_it_is_sent_home(
    asking: Asking, provider: Provider
) -> None:
    provider.always(provider.status(503, retry_after="90"))

    error = pickle.loads(pickle.dumps(refused(asking)))  # noqa: S301 - our own bytes

    assert (error.retryable, error.retry_after_s) == (True, 90.0)


def test_one_failing_thread_leaves_the_others_alone(asking: Asking, provider: Provider) -> None:
    def only_good_words(handler: Handler, asked: Asked) -> None:
        (provider.status(400) if asked.texts == ["bad"] else provider.well)(handler, asked)

    provider.always(only_good_words)
    embedder = asking()

    def outcome(word: str) -> str:
        try:
            return str(embedder.embed([word], kind="query").shape)
        except EmbedderError:
            return "refused"

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(outcome, ["good", "bad"] * 12))

    assert found == ["(1, 8)", "refused"] * 12


def test_without_httpx2_the_extra_is_named(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httpx2", None)

    with pytest.raises(MissingDependencyError, match=r"an embedder over HTTP needs.*httpx2") as e:
        asking().embed(["x"], kind="query")
    assert e.value.extra == "http"


def test_nothing_of_the_network_is_imported_before_it_is_needed() -> None:
    program = (
        "import sys\n"
        "from engram_lab.retrieval.embedders import EmbedderOptions, resolve\n"
        "resolve('openai:m', EmbedderOptions(dim=8)).fingerprint\n"
        "print({'httpx2', 'anyio'} & set(sys.modules))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "set()"
