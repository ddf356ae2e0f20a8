"""Whoever says which state of a memory they have seen changes that state, or none."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from engram_lab.core.clock import ManualClock
from engram_lab.serve.routes.tags import etag_of
from tests.serve.live import Live, live, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx2

FORGED = '"{version}-0000000000000000"'


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live(settings(tmp_path_factory.mktemp("data"))) as found:
        yield found


@pytest.fixture
def acme(served: Live) -> httpx2.Client:
    return served.of("acme")


def made(client: httpx2.Client, content: str) -> tuple[str, str]:
    """Return the address and the ETag of a new memory."""
    answer = client.post("/v1/memories", json={"content": content})
    return answer.headers["location"], answer.headers["etag"]


def code(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


@pytest.mark.parametrize("how", ["forget", "purge"])
def test_nobody_deletes_what_they_have_not_seen(acme: httpx2.Client, how: str) -> None:
    purge = how == "purge"
    place, old = made(acme, f"to be deleted {purge}")
    new = acme.patch(place, json={"pinned": True}).headers["etag"]
    params = {"purge": purge}
    for tag, said in (
        (old, (412, "PRECONDITION_FAILED")),
        (FORGED.format(version=2), (412, "PRECONDITION_FAILED")),
        ("nonsense", (400, "INVALID_REQUEST")),
    ):
        refused = acme.delete(place, params=params, headers={"If-Match": tag})
        assert code(refused) == said
        assert acme.get(place).headers["etag"] == new
    gone = acme.delete(place, params=params, headers={"If-Match": new})
    assert gone.json()["data"]["purged"] is purge
    assert code(acme.get(place)) == (404, "NOT_FOUND")
    assert (acme.post(f"{place}/restore").status_code == 404) is purge


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_of_many_who_saw_one_state_one_changes_it(acme: httpx2.Client, method: str) -> None:
    place, tag = made(acme, f"wanted by many: {method}")
    answers: list[int] = []

    def change(number: int) -> None:
        body = {"tags": [str(number)]} if method == "PATCH" else None
        told = acme.request(method, place, json=body, headers={"If-Match": tag})
        answers.append(told.status_code)

    threads = [threading.Thread(target=change, args=(number,)) for number in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(answers) == [200, *[412 if method == "PATCH" else 404] * 5]


def test_a_conditional_purge_leaves_no_byte(served: Live) -> None:
    client = served.of("bytes")
    place, tag = made(client, "zymurgy-4711")
    assert client.delete(place, params={"purge": True}, headers={"If-Match": tag}).is_success
    folder = served.running.services.places.folder(served.tenant("bytes").id)
    files = [each for each in folder.rglob("*") if each.is_file()]
    assert files
    assert [each.name for each in files if b"zymurgy" in each.read_bytes()] == []


def test_nobody_restores_what_they_have_not_seen(acme: httpx2.Client) -> None:
    place, seen = made(acme, "one")
    forgotten = acme.delete(place).headers["etag"]
    refused = acme.post(f"{place}/restore", headers={"If-Match": seen})
    assert code(refused) == (412, "PRECONDITION_FAILED")
    assert code(acme.get(place)) == (404, "NOT_FOUND")
    assert code(acme.post(f"{place}/restore", headers={"If-Match": "x"}))[0] == 400
    back = acme.post(f"{place}/restore", headers={"If-Match": forgotten})
    assert back.json()["data"]["content"] == "one"


def test_a_version_without_its_state_is_no_tag(acme: httpx2.Client) -> None:
    place, tag = made(acme, "the state counts")
    refused = acme.patch(
        place, json={"pinned": True}, headers={"If-Match": FORGED.format(version=1)}
    )
    assert code(refused) == (412, "PRECONDITION_FAILED")
    several = f"{FORGED.format(version=1)}, {tag}"
    assert acme.patch(place, json={"pinned": True}, headers={"If-Match": several}).is_success
    any_state = acme.patch(place, json={"pinned": False}, headers={"If-Match": "*"})
    assert any_state.json()["data"]["version"] == 3


def test_an_undone_dream_leaves_no_tag_that_another_state_has(served: Live) -> None:
    client = served.of("dreamer")
    places = [made(client, each)[0] for each in ("Ada likes green tea", "Ada likes green tea.")]
    before = {place: client.get(place).headers["etag"] for place in places}
    run = client.post("/v1/dream", json={"steps": ["merge"]}).json()["data"]["run"]["id"]
    dreamt = {each: client.get(each).headers.get("etag", "") for each in places}
    changed = [each for each in places if dreamt[each] not in {"", before[each]}]
    assert changed
    client.post(f"/v1/dream/{run}/undo")
    for place in changed:
        assert client.get(place).headers["etag"] == before[place]
        theirs = client.patch(place, json={"tags": ["somebody-elses"]})
        assert theirs.headers["etag"].partition("-")[0] == dreamt[place].partition("-")[0]
        asked = client.get(place, headers={"If-None-Match": dreamt[place]})
        assert asked.status_code == 200
        late = client.patch(place, json={"tags": ["mine"]}, headers={"If-Match": dreamt[place]})
        assert code(late) == (412, "PRECONDITION_FAILED")
        assert client.get(place).json()["data"]["tags"] == ["somebody-elses"]


def test_to_be_recalled_changes_no_tag(served: Live) -> None:
    client = served.of("recalled")
    place, tag = made(client, "the harbour opens at six")
    client.post("/v1/search", json={"query": "when does the harbour open?"})
    services = served.running.services
    with services.pool.lease(served.tenant("recalled")) as engine:
        engine.flush()
        (memory,) = engine.select()
    assert memory.access_count == 1
    assert client.get(place, headers={"If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize(
    "change", [{"tags": ("x",)}, {"importance": 0.7}, {"pinned": True}, {"metadata": {"a": 1}}]
)
def test_each_state_of_one_version_has_its_own_tag(served: Live, change: dict[str, Any]) -> None:
    client = served.of("states")
    place, _ = made(client, f"a state {sorted(change)}")
    with served.running.services.pool.lease(served.tenant("states")) as engine:
        memory = engine.get(place.rpartition("/")[2])
    later = replace(memory, updated_at=ManualClock().now())
    assert len({etag_of(memory), etag_of(replace(memory, **change)), etag_of(later)}) == 3
