"""Whatever goes out comes in again; what became of a file is told, also to who lost the answer."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.serve.live import Live, live, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx2

LINES, JSON = "application/x-ndjson", "application/json"
PARQUET, ARROW = "application/vnd.apache.parquet", "application/vnd.apache.arrow.stream"
CONTENTS = ("a", "b <private>4711</private>", "c")
GOOD = b'{"content": "good"}\n'
BAD = b'{"content": "bad", "importance": 7}\n'


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live(settings(tmp_path_factory.mktemp("data"))) as found:
        found.tenant("free", plan="free")
        yield found


def filled(served: Live, slug: str) -> httpx2.Client:
    """Return a client of a tenant with versions, a link, metadata and what was forgotten."""
    client = served.of(slug)
    rows = [{"content": each, "metadata": {"at": [1, {"deep": None}]}} for each in CONTENTS]
    ids = client.post("/v1/memories:batch", json={"memories": rows}).json()["data"]["ids"]
    client.patch(f"/v1/memories/{ids[0]}", json={"content": "a, changed", "tags": ["x"]})
    client.post("/v1/links", json={"from_id": ids[0], "to_id": ids[1]})
    client.delete(f"/v1/memories/{ids[2]}")
    return client


def sent(client: httpx2.Client, name: str, content: bytes, **more: Any) -> httpx2.Response:
    return client.post("/v1/import", files={"file": (name, content)}, **more)


def told(answer: httpx2.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def code(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


# Out and in


@pytest.mark.parametrize(
    ("accept", "name", "media"),
    [
        ("*/*", "memories.json", LINES),
        (JSON, "memories.json", JSON),
        (f"{PARQUET};q=0, */*", "memories.json", LINES),
    ],
)
def test_all_of_it_comes_back_to_the_byte(served: Live, accept: str, name: str, media: str) -> None:
    slug = f"{name.replace('.', '-')}-{len(accept)}"
    here, there = filled(served, slug), served.of(f"{slug}-there")
    asked = {"Accept": accept}
    out = here.get("/v1/export", headers=asked)
    assert out.headers["content-type"] == media
    assert told(sent(there, name, out.content))["imported"]["versions"] == 5
    assert there.get("/v1/export", headers=asked).content == out.content


@pytest.mark.parametrize(("accept", "name"), [(PARQUET, "m.parquet"), (ARROW, "m.arrow")])
def test_a_table_comes_back_to_the_last_field(served: Live, accept: str, name: str) -> None:
    slug = name.replace(".", "-")
    here, there = filled(served, slug), served.of(f"{slug}-there")
    for table, count in (("memories", 3), ("versions", 2), ("links", 1)):
        asked: dict[str, Any] = {"headers": {"Accept": accept}, "params": {"table": table}}
        out = here.get("/v1/export", **asked)
        assert out.headers["content-type"] == accept
        assert told(sent(there, name, out.content))["imported"][table] == count
        if table != "versions":  # of which the authors of present states are the import's
            assert there.get("/v1/export", **asked).content == out.content
    client = served.of("nobody")
    assert code(sent(client, name, out.content)) == (400, "INVALID_REQUEST")  # links of nothing


def test_a_table_that_adds_no_memories_needs_no_room(served: Live) -> None:
    here, there = filled(served, "roomy"), served.of("free")
    rows = [{"content": f"{number}"} for number in range(999)]
    there.post("/v1/memories:batch", json={"memories": rows})
    for table, status in (("workspaces", 200), ("memories", 402)):
        asked: dict[str, Any] = {"headers": {"Accept": ARROW}, "params": {"table": table}}
        assert sent(there, "t.arrow", here.get("/v1/export", **asked).content).status_code == status


def test_what_cannot_be_sent_is_not_acceptable(served: Live) -> None:
    client = served.of("acme")
    for accept in ("image/png", f"{PARQUET};q=0"):
        answer = client.get("/v1/export", headers={"Accept": accept})
        assert code(answer) == (406, "NOT_ACCEPTABLE")
        assert LINES in answer.json()["error"]["message"]


# Reports


def test_who_lost_the_answer_finds_the_report_by_the_id_they_gave(served: Live) -> None:
    client = served.of("lost")
    for headers, id_ in (
        ({"Idempotency-Key": "file-1"}, "file-1"),
        ({"X-Request-ID": "trace:2~b"}, "trace:2~b"),
        ({"Idempotency-Key": "file-3", "X-Request-ID": "other"}, "file-3"),
    ):
        answer = sent(client, "x.jsonl", GOOD, headers=headers)
        assert told(answer)["id"] == id_
        assert told(client.get(f"/v1/imports/{id_}")) == told(answer)
        own = answer.headers["x-request-id"]
        assert told(client.get(f"/v1/imports/{own}")) == told(answer)
    forged = sent(client, "x.jsonl", GOOD, headers={"X-Request-ID": "../../x"})
    assert told(forged)["id"] == forged.headers["x-request-id"]
    listed = told_list(client)
    assert [each["id"] for each in listed] == [told(forged)["id"], "file-3", "trace:2~b", "file-1"]
    assert {each["done"] for each in listed} == {True}
    assert told_list(client, limit=1) == listed[:1]
    assert told_list(served.of("another")) == []
    assert code(served.of("another").get("/v1/imports/file-1")) == (404, "NOT_FOUND")


def told_list(client: httpx2.Client, **params: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("/v1/imports", params=params).json()["data"]
    return found


def test_a_file_is_taken_in_once_under_a_key(served: Live) -> None:
    client = served.of("once")
    key = {"Idempotency-Key": "k"}
    first, again = (sent(client, "x.jsonl", GOOD, headers=key) for _ in range(2))
    assert told(again) == told(first)
    assert again.headers["idempotency-replayed"] == "true"
    assert client.get("/v1/stats").json()["data"]["memories"] == 1
    assert code(sent(client, "x.jsonl", GOOD * 2, headers=key)) == (422, "UNPROCESSABLE")
    other = sent(client, "x.jsonl", GOOD, headers=key, params={"workspace": "elsewhere"})
    assert code(other) == (422, "UNPROCESSABLE")
    assert told(client.get("/v1/imports/k")) == told(first)
    bad = sent(client, "x.jsonl", GOOD, headers={"Idempotency-Key": "a/b"})
    assert code(bad) == (400, "INVALID_REQUEST")


def test_a_file_that_is_sent_twice_at_once_under_a_key_is_taken_in_once(served: Live) -> None:
    client = served.of("twice")
    answers: list[int] = []

    def send() -> None:
        answers.append(
            sent(client, "x.jsonl", GOOD * 50, headers={"Idempotency-Key": "k"}).status_code
        )

    threads = [threading.Thread(target=send) for _ in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert set(answers) <= {200, 409}
    assert 200 in answers
    assert client.get("/v1/stats").json()["data"]["memories"] == 50


def test_a_refusal_lists_the_rows_and_stays(served: Live) -> None:
    client = served.of("refused")
    rows = GOOD + BAD * 30
    answer = sent(client, "x.jsonl", rows, headers={"Idempotency-Key": "bad"})
    assert code(answer) == (400, "INVALID_REQUEST")
    error = answer.json()["error"]
    assert error["message"].startswith("30 of 31 rows were refused")
    assert error["details"]["import"] == "bad"
    assert [each["row"] for each in error["details"]["refused"]] == list(range(1, 21))
    assert {"importance" in each["reason"] for each in error["details"]["refused"]} == {True}
    assert error["details"]["more_refused"] == 10
    report = told(client.get("/v1/imports/bad"))
    assert (report["done"], report["error"]) == (True, error["message"])
    assert (report["imported"], len(report["refused"])) == ({}, 30)
    assert client.get("/v1/stats").json()["data"]["memories"] == 0
    mended = sent(client, "x.jsonl", GOOD, headers={"Idempotency-Key": "bad"})
    assert told(mended)["imported"] == {"memories": 1}  # what was refused took nothing in
    assert told(client.get("/v1/imports/bad")) == told(mended)


@pytest.mark.parametrize("name", ["x.exe", "torn.parquet", "torn.arrow", "torn.json"])
def test_what_cannot_be_read_keeps_a_report_without_a_path(served: Live, name: str) -> None:
    client = served.of("torn")
    answer = sent(client, name, b"PAR1 torn")
    assert answer.status_code in {400, 415}
    (latest, *_) = told_list(client)
    assert (latest["done"], latest["error"]) == (True, answer.json()["error"]["message"])
    assert "/" not in latest["error"].replace("JSON/", "")
    assert latest["id"] == answer.headers["x-request-id"]


# Addresses


@pytest.mark.parametrize("path", ["/v1/stats/", "/v1/memories/", "/health/", "/mcp/", "/v1/mcp/"])
def test_an_address_with_a_slash_too_many_leads_nowhere(served: Live, path: str) -> None:
    for client in (served.client(Host="evil.example"), served.of("acme")):
        answer = client.get(path, follow_redirects=False)
        assert code(answer) == (404, "NOT_FOUND")
        assert "location" not in answer.headers
        assert answer.json()["meta"]["request_id"] == answer.headers["x-request-id"]
