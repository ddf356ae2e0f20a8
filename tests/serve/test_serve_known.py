"""What is known is not made, nor counted, again; what is said of each memory of a batch holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.serve.live import HASHING, Live, live, settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx2


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live(settings(tmp_path_factory.mktemp("data"))) as found:
        yield found


def counted(client: httpx2.Client) -> int:
    number: int = client.get("/v1/usage").json()["data"]["used"]["memories_created"]
    return number


def history(served: Live, slug: str, id_: str) -> list[str | None]:
    with served.running.services.pool.lease(served.tenant(slug)) as engine:
        return [each.reason for each in engine.history(id_)]


@pytest.mark.parametrize("dedup", ["skip", "merge"])
def test_what_is_known_is_answered_with_200_and_counts_nothing(served: Live, dedup: str) -> None:
    client = served.of(dedup)
    first = client.post("/v1/memories", json={"content": "known"})
    assert (first.status_code, counted(client)) == (201, 1)
    again = client.post("/v1/memories", json={"content": "known", "tags": ["more"], "dedup": dedup})
    assert again.status_code == 200
    assert "location" not in again.headers
    assert again.json()["data"]["id"] == first.json()["data"]["id"]
    assert again.json()["data"]["tags"] == (["more"] if dedup == "merge" else [])
    assert again.headers["etag"] == client.get(first.headers["location"]).headers["etag"]
    assert counted(client) == 1
    new = client.post("/v1/memories", json={"content": "new", "dedup": dedup, "reason": "why not"})
    assert (new.status_code, counted(client)) == (201, 2)
    assert history(served, dedup, new.json()["data"]["id"]) == ["why not"]


@pytest.mark.parametrize("dedup", ["allow", "skip", "merge", "reject"])
def test_a_key_counts_once_also_after_a_restart(tmp_path: Path, dedup: str) -> None:
    asked: dict[str, Any] = {
        "json": {"content": "once <private>4711</private>", "dedup": dedup},
        "headers": {"Idempotency-Key": "k"},
    }
    found = []
    for _ in range(2):
        with live(settings(tmp_path), HASHING) as served:
            client = served.of("acme")
            answer = client.post("/v1/memories", **asked)
            assert answer.status_code == 201, answer.text
            assert "4711" not in answer.text
            found.append((answer.json()["data"], answer.headers["location"]))
            assert counted(client) == 1
            other = {**asked, "json": {"content": "another"}}
            assert client.post("/v1/memories", **other).status_code == 422
    assert found[0] == found[1]
    assert answer.headers["idempotency-replayed"] == "true"


def test_a_batch_does_with_each_memory_what_is_said_of_it(served: Live) -> None:
    client = served.of("each")
    client.post("/v1/memories", json={"content": "known"})
    rows = [
        {"content": "known", "dedup": "skip"},
        {"content": "known", "reason": "a second one"},
        {"content": "known", "dedup": "merge", "tags": ["merged"]},
        {"content": "new", "reason": "because"},
    ]
    kept = client.post("/v1/memories:batch", json={"memories": rows}).json()["data"]
    assert (len(kept["ids"]), len(kept["known"]), kept["refused"]) == (2, 2, [])
    assert [history(served, "each", each) for each in kept["ids"]] == [
        ["a second one"],
        ["because"],
    ]
    assert counted(client) == 3


def test_what_a_memory_says_itself_goes_before_what_the_batch_says(served: Live) -> None:
    client = served.of("before")
    rows = [{"content": "x"}, {"content": "x"}, {"content": "x", "dedup": "allow"}]
    kept = client.post("/v1/memories:batch", json={"memories": rows, "dedup": "skip"}).json()
    assert (len(kept["data"]["ids"]), len(kept["data"]["known"])) == (2, 1)


def test_a_batch_of_many_kinds_is_whole_or_not_at_all_and_names_the_place(served: Live) -> None:
    client = served.of("whole")
    rows: list[dict[str, Any]] = [
        {"content": "a", "reason": "one"},
        {"content": "b", "reason": "two"},
        {"content": "c", "scope": "no such scope", "reason": "two"},
    ]
    answer = client.post("/v1/memories:batch", json={"memories": rows})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith("row 2: ")
    assert client.get("/v1/stats").json()["data"]["memories"] == 0
    kept = client.post("/v1/memories:batch", json={"memories": rows, "keep_going": True}).json()
    assert [each["row"] for each in kept["data"]["refused"]] == [2]
    assert len(kept["data"]["ids"]) == 2
