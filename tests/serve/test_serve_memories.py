from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.serve.live import HASHING, Live, live, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx2


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live(settings(tmp_path_factory.mktemp("data"))) as found:
        yield found


@pytest.fixture
def acme(served: Live) -> httpx2.Client:
    return served.of("acme")


def created(client: httpx2.Client, content: str, **fields: Any) -> dict[str, Any]:
    answer = client.post("/v1/memories", json={"content": content, **fields})
    assert answer.status_code == 201, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def code(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


# Remember, get, change, forget


def test_what_is_kept_is_found_again(acme: httpx2.Client) -> None:
    made = created(acme, "Ada takes her coffee black", tags=["taste"], importance=0.7)
    found = acme.get(f"/v1/memories/{made['id']}").json()["data"]
    assert found == made
    hits = acme.post("/v1/search", json={"query": "how does Ada take her coffee?"}).json()
    assert hits["data"][0]["memory"]["content"] == "Ada takes her coffee black"
    assert hits["meta"]["strategy"] in {"keyword", "semantic", "hybrid"}


def test_every_answer_has_the_envelope_and_its_id(acme: httpx2.Client) -> None:
    for answer in (
        acme.get("/v1/memories"),
        acme.get("/v1/memories/no-such"),
        acme.get("/nowhere"),
    ):
        assert answer.json()["meta"]["request_id"] == answer.headers["x-request-id"]
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_what_the_client_calls_it_comes_back(acme: httpx2.Client) -> None:
    answer = acme.get("/v1/memories", headers={"X-Correlation-ID": "trace-17"})
    assert answer.headers["x-correlation-id"] == "trace-17"
    assert answer.headers["x-request-id"] != "trace-17"  # usage is counted by an id of our own
    forged = acme.get("/v1/memories", headers={"X-Correlation-ID": "a b\tc" * 60})
    assert "x-correlation-id" not in forged.headers


def test_a_new_memory_says_where_it_is_and_its_version(acme: httpx2.Client) -> None:
    answer = acme.post("/v1/memories", json={"content": "there"})
    assert answer.headers["location"] == f"/v1/memories/{answer.json()['data']['id']}"
    tag = answer.headers["etag"]
    again = acme.get(answer.headers["location"], headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)


def test_nobody_overwrites_what_they_have_not_seen(acme: httpx2.Client) -> None:
    first = acme.post("/v1/memories", json={"content": "one"})
    place, tag = first.headers["location"], first.headers["etag"]
    changed = acme.patch(place, json={"content": "two"}, headers={"If-Match": tag})
    assert changed.json()["data"]["content"] == "two"
    late = acme.patch(place, json={"content": "three"}, headers={"If-Match": tag})
    assert code(late) == (412, "PRECONDITION_FAILED")
    by_body = acme.patch(place, json={"content": "three", "version": 1})
    assert code(by_body) == (412, "PRECONDITION_FAILED")
    both = acme.patch(
        place, json={"pinned": True, "version": 1}, headers={"If-Match": changed.headers["etag"]}
    )
    assert code(both) == (400, "INVALID_REQUEST")
    assert acme.get(place).json()["data"]["content"] == "two"


@pytest.mark.parametrize("tag", ['"x"', "1", 'W/"1-aaaaaaaa"', '"0-aaaaaaaa"'])
def test_an_etag_is_one_of_ours(acme: httpx2.Client, tag: str) -> None:
    place = acme.post("/v1/memories", json={"content": "x"}).headers["location"]
    answer = acme.patch(place, json={"pinned": True}, headers={"If-Match": tag})
    assert code(answer) == (400, "INVALID_REQUEST")


def test_null_clears_a_field_and_silence_leaves_it(acme: httpx2.Client) -> None:
    made = created(acme, "x", source="mail", tags=["a"])
    place = f"/v1/memories/{made['id']}"
    assert acme.patch(place, json={"source": None}).json()["data"]["source"] is None
    assert acme.get(place).json()["data"]["tags"] == ["a"]


def test_what_is_forgotten_comes_back_and_what_is_purged_does_not(acme: httpx2.Client) -> None:
    kept, gone = created(acme, "to come back")["id"], created(acme, "to go")["id"]
    assert acme.delete(f"/v1/memories/{kept}").json()["data"] == {"id": kept, "purged": False}
    assert code(acme.get(f"/v1/memories/{kept}")) == (404, "NOT_FOUND")
    assert acme.post(f"/v1/memories/{kept}/restore").json()["data"]["content"] == "to come back"
    assert acme.delete(f"/v1/memories/{gone}", params={"purge": True}).status_code == 200
    assert code(acme.post(f"/v1/memories/{gone}/restore")) == (404, "NOT_FOUND")


def test_pages_hold_all_memories_once(served: Live) -> None:
    client = served.of("pages")
    made = [created(client, f"page {number}")["id"] for number in range(7)]
    seen, cursor = [], None
    while True:
        params = {"limit": 3} if cursor is None else {"limit": 3, "cursor": cursor}
        answer = client.get("/v1/memories", params=params).json()
        seen += [each["id"] for each in answer["data"]]
        cursor = answer["meta"]["next_cursor"]
        if cursor is None:
            break
    assert seen == made
    assert code(client.get("/v1/memories", params={"cursor": "forged"})) == (400, "INVALID_REQUEST")


def test_a_list_can_be_filtered(served: Live) -> None:
    client = served.of("filtered")
    created(client, "a", importance=0.9)
    created(client, "b", importance=0.1)
    found = client.get("/v1/memories", params={"filter": '{"importance": {"gte": 0.5}}'}).json()
    assert [each["content"] for each in found["data"]] == ["a"]
    for bad in ("{", "[]", '{"nothing": 1}'):
        assert code(client.get("/v1/memories", params={"filter": bad}))[0] == 400


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "content"),
        ({"content": ""}, "content"),
        ({"content": "x", "importance": 2}, "importance"),
        ({"content": "x", "colour": "red"}, "colour"),
        ({"content": "x", "valid_from": "2026-02-01", "valid_to": "2026-01-01"}, "valid"),
        ([1], "dictionary"),
        ("text", "dictionary"),
    ],
)
def test_what_is_wrong_is_named(acme: httpx2.Client, body: Any, said: str) -> None:
    answer = acme.post("/v1/memories", json=body)
    assert code(answer) == (400, "INVALID_REQUEST")
    assert said in answer.json()["error"]["message"]


def test_a_body_is_json(acme: httpx2.Client) -> None:
    for content, kind in ((b"{", "application/json"), (b"content=x", "text/plain")):
        answer = acme.post("/v1/memories", content=content, headers={"Content-Type": kind})
        assert code(answer) == (400, "INVALID_REQUEST")


def test_a_refusal_never_repeats_what_it_was_given(acme: httpx2.Client) -> None:
    answer = acme.post("/v1/memories", json={"content": {"pin": "4711-secret"}})
    assert "4711" not in answer.text


# Idempotency


def test_a_key_makes_one_memory_however_often_it_is_sent(acme: httpx2.Client) -> None:
    sent: dict[str, Any] = {"json": {"content": "only once"}, "headers": {"Idempotency-Key": "k-1"}}
    first, again = (acme.post("/v1/memories", **sent) for _ in range(2))
    assert again.json()["data"] == first.json()["data"]
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["idempotency-replayed"] == "true"
    other = acme.post(
        "/v1/memories", json={"content": "another"}, headers={"Idempotency-Key": "k-1"}
    )
    assert code(other) == (422, "UNPROCESSABLE")


def test_requests_with_one_key_at_once_are_one(served: Live) -> None:
    client = served.of("at-once")
    ids: list[str] = []

    def ask() -> None:
        answer = client.post(
            "/v1/memories", json={"content": "x"}, headers={"Idempotency-Key": "same"}
        )
        ids.append(answer.json()["data"]["id"])

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(set(ids)) == 1
    assert client.get("/v1/stats").json()["data"]["memories"] == 1


def test_a_key_means_something_to_its_tenant_alone(served: Live) -> None:
    sent: dict[str, Any] = {"json": {"content": "x"}, "headers": {"Idempotency-Key": "shared"}}
    one, other = (served.of(slug).post("/v1/memories", **sent).json() for slug in ("one", "two"))
    assert one["data"]["id"] != other["data"]["id"]


def test_after_a_restart_a_key_still_makes_nothing_twice(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("again")
    one: dict[str, Any] = {"json": {"content": "once"}, "headers": {"Idempotency-Key": "k"}}
    many: dict[str, Any] = {
        "json": {"memories": [{"content": "a"}, {"content": "b"}]},
        "headers": {"Idempotency-Key": "m"},
    }
    found = []
    for _ in range(2):
        with live(settings(folder), HASHING) as served:
            client = served.of("acme")
            found.append(client.post("/v1/memories", **one).json()["data"]["id"])
            batch = client.post("/v1/memories:batch", **many).json()["data"]
            found.append(sorted(batch["ids"] + batch["known"]))
            assert client.get("/v1/stats").json()["data"]["memories"] == 3
    assert found[:2] == found[2:]


@pytest.mark.parametrize("key", ["", "two words", "x" * 256, "ü"])
def test_an_idempotency_key_is_visible_ascii(acme: httpx2.Client, key: str) -> None:
    answer = acme.post(
        "/v1/memories", json={"content": "x"}, headers={b"Idempotency-Key": key.encode()}
    )
    assert code(answer) == (400, "INVALID_REQUEST")


# Many at once


def test_a_batch_is_kept_whole_or_not_at_all(served: Live) -> None:
    client = served.of("batch")
    good, bad = {"content": "fine"}, {"content": "bad", "scope": "no such scope"}
    answer = client.post("/v1/memories:batch", json={"memories": [good, bad]})
    assert code(answer) == (400, "INVALID_REQUEST")
    assert "row 1" in answer.json()["error"]["message"]
    assert client.get("/v1/stats").json()["data"]["memories"] == 0
    kept = client.post("/v1/memories:batch", json={"memories": [good, bad], "keep_going": True})
    data = kept.json()["data"]
    assert (len(data["ids"]), [each["row"] for each in data["refused"]]) == (1, [1])


def test_a_batch_has_1_to_1000(acme: httpx2.Client) -> None:
    for rows in ([], [{"content": "x"}] * 1001):
        answer = acme.post("/v1/memories:batch", json={"memories": rows})
        assert code(answer) == (400, "INVALID_REQUEST")


# Links


def test_links_are_made_followed_and_closed(served: Live) -> None:
    client = served.of("links")
    a, b = (created(client, each)["id"] for each in ("a", "b"))
    link = client.post("/v1/links", json={"from_id": a, "to_id": b, "weight": 0.5}).json()["data"]
    near = client.get(f"/v1/memories/{a}/related").json()["data"]
    assert [(each["memory"]["id"], each["link"]["id"]) for each in near] == [(b, link["id"])]
    assert client.get("/v1/links", params={"memory_id": b}).json()["data"] == [link]
    assert client.delete(f"/v1/links/{link['id']}").json()["data"]["valid_to"] is not None
    assert client.get("/v1/links", params={"memory_id": b}).json()["data"] == []
    loop = client.post("/v1/links", json={"from_id": a, "to_id": a})
    assert code(loop) == (400, "INVALID_REQUEST")


# Feedback


def test_votes_stand_with_the_memory(served: Live) -> None:
    client = served.of("votes")
    good, bad = (created(client, each)["id"] for each in ("good", "bad"))
    votes = {"query": "which?", "useful": [good], "irrelevant": [bad]}
    assert client.post("/v1/feedback", json=votes).json()["data"] == [
        {"id": good, "useful": 1, "irrelevant": 0},
        {"id": bad, "useful": 0, "irrelevant": 1},
    ]
    found = client.get(f"/v1/memories/{good}").json()["data"]
    assert found["metadata"]["feedback"] == {"useful": 1, "irrelevant": 0}
    assert code(client.post("/v1/feedback", json={}))[0] == 400
