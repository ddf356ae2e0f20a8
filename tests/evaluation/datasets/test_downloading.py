from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from engram_lab.core.errors import DatasetMissingError
from engram_lab.evaluation.datasets.downloading import download
from engram_lab.evaluation.datasets.manifest import PublishedFile

if TYPE_CHECKING:
    from engram_lab.core.progress import Told


DATA = bytes(range(256)) * 2_000


@pytest.fixture
def got(publisher: Any, tmp_path: Path) -> Callable[..., bytes]:
    """Download `/data` and return what came."""

    def get(path: str = "/data", **options: Any) -> bytes:
        return download(
            publisher.url + path,
            tmp_path,
            pinned=options.get("pinned", PublishedFile(name="data")),
            progress=options.get("progress"),
            pause=options.get("pause", lambda _: None),
        ).read_bytes()

    publisher.files["/data"] = DATA
    return get


def test_a_file_comes_whole(publisher: Any, got: Callable[..., bytes]) -> None:
    assert got() == DATA
    assert publisher.requests == [("/data", None)]


def test_progress_goes_from_nothing_to_all(publisher: Any, got: Callable[..., bytes]) -> None:
    told: list[Told] = []

    got(progress=told.append)

    assert {(each.task, each.unit) for each in told} == {("fetching", "bytes")}
    assert (told[0].done, told[-1].done, told[-1].total) == (0, len(DATA), len(DATA))
    assert (told[-1].note, told[-1].standing) == ("data", "done")
    assert [each.done for each in told] == sorted(each.done for each in told)


def test_a_broken_download_goes_on_where_it_stopped(
    publisher: Any, got: Callable[..., bytes]
) -> None:
    publisher.cuts = [100_000, 50_000]

    assert got() == DATA
    assert publisher.requests == [
        ("/data", None),
        ("/data", "bytes=100000-"),
        ("/data", "bytes=150000-"),
    ]


def test_another_run_goes_on_where_the_last_one_stopped(
    publisher: Any, got: Callable[..., bytes]
) -> None:
    publisher.cuts = [10_000, 0, 0, 0, 0]
    with pytest.raises(DatasetMissingError):
        got()
    publisher.requests.clear()

    assert got() == DATA
    assert publisher.requests == [("/data", "bytes=10000-")]


def test_a_file_that_changed_meanwhile_is_begun_anew(
    publisher: Any, got: Callable[..., bytes]
) -> None:
    publisher.cuts = [10_000, 0, 0, 0, 0]
    with pytest.raises(DatasetMissingError):
        got()
    publisher.tag, publisher.files["/data"] = '"two"', DATA[::-1]

    assert got() == DATA[::-1]


@pytest.mark.parametrize("tag", ["", 'W/"weak"'])
def test_nothing_goes_on_where_the_server_does_not_promise_the_same_bytes(
    publisher: Any, got: Callable[..., bytes], tag: str
) -> None:
    publisher.tag, publisher.cuts = tag, [10_000]

    assert got() == DATA
    assert publisher.requests == [("/data", None), ("/data", None)]


def test_a_server_that_always_begins_anew(publisher: Any, got: Callable[..., bytes]) -> None:
    publisher.ranges, publisher.cuts = False, [10_000]

    assert got() == DATA
    assert len(publisher.requests) == 2


def test_more_than_the_server_has_is_begun_anew(
    publisher: Any, got: Callable[..., bytes], tmp_path: Path
) -> None:
    publisher.cuts = [len(DATA) - 1, 0, 0, 0, 0]
    with pytest.raises(DatasetMissingError):
        got()
    publisher.files["/data"] = DATA[:500]

    assert got() == DATA[:500]
    assert [span for _, span in publisher.requests[-2:]] == [f"bytes={len(DATA) - 1}-", None]


@pytest.mark.parametrize("code", [429, 500, 503])
def test_a_busy_server_is_asked_again_after_ever_longer_pauses(
    publisher: Any, got: Callable[..., bytes], code: int
) -> None:
    publisher.refusals = [code, code, code]
    pauses: list[float] = []

    assert got(pause=pauses.append) == DATA
    assert pauses == [2.0, 4.0, 8.0]


def test_what_is_not_there_is_not_asked_for_again(
    publisher: Any, got: Callable[..., bytes]
) -> None:
    with pytest.raises(
        DatasetMissingError, match=r"/none could not be downloaded \(the server answered 404\)"
    ):
        got("/none")
    assert len(publisher.requests) == 1


def test_a_server_that_never_sends_it_all(publisher: Any, got: Callable[..., bytes]) -> None:
    publisher.cuts = [10] * 5

    with pytest.raises(DatasetMissingError, match="5 attempts failed, the last with"):
        got()


def test_without_a_network_the_error_says_what_to_do(tmp_path: Path) -> None:
    pauses: list[float] = []

    with pytest.raises(
        DatasetMissingError, match=r"2 attempts failed.*check the network and the address, or get"
    ):
        download(
            "http://127.0.0.1:9/data",  # nothing listens there
            tmp_path,
            pinned=PublishedFile(name="data"),
            pause=pauses.append,
        )
    assert pauses == [2.0]


def test_redirects_are_followed(publisher: Any, got: Callable[..., bytes]) -> None:
    answer = publisher.answer

    def redirecting(handler: Any) -> None:
        if handler.path == "/old":
            handler.send_response(302)
            handler.send_header("Location", "/data")
            handler.send_header("Content-Length", "0")
            handler.end_headers()
        else:
            answer(handler)

    publisher.answer = redirecting

    assert got("/old") == DATA


def test_an_answer_that_was_packed_unasked_is_unpacked(
    publisher: Any, got: Callable[..., bytes]
) -> None:
    publisher.files["/data"] = gzip.compress(DATA)
    publisher.headers = {"Content-Encoding": "gzip"}

    assert got() == DATA
