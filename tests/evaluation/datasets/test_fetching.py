from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engram_lab.core.errors import (
    DatasetChangedError,
    DatasetMissingError,
    EvaluationError,
    InvalidInputError,
)
from engram_lab.evaluation.datasets.fetching import Fetched, fetch, fetch_dataset
from engram_lab.evaluation.datasets.manifest import Archive, Layout, Manifest, PublishedFile
from engram_lab.evaluation.datasets.pins import read_received
from engram_lab.evaluation.shipped import shipped

CORPUS = b'{"_id": "d1", "text": "They dance."}\n'
QUERIES = b'{"_id": "q1", "text": "Who dances?"}\n'

Fetch = Callable[..., Fetched]


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def zipped(**files: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "/").replace("_jsonl", ".jsonl"), data)
    return target.getvalue()


def of_files(publisher: Any, **pins: dict[str, Any]) -> Manifest:
    """Describe two files, each with an address of its own."""
    files = tuple(
        PublishedFile(name=name, url=f"{publisher.url}/{name}", **pins.get(name.split(".")[0], {}))
        for name in ("corpus.jsonl", "sub/queries.jsonl")
    )
    publisher.files["/corpus.jsonl"] = CORPUS
    publisher.files["/sub/queries.jsonl"] = QUERIES
    return Manifest(
        id="some-set",
        title="Some",
        licence="CC0",
        folders=("some-set",),
        layouts=(Layout(format="beir", files=files),),
    )


def of_archive(publisher: Any, data: bytes, **pins: Any) -> Manifest:
    """Describe the same two files in an archive."""
    publisher.files["/some.zip"] = data
    archive = Archive(url=f"{publisher.url}/some.zip", kind="zip", strip="set", **pins)
    files = (PublishedFile(name="corpus.jsonl"), PublishedFile(name="queries.jsonl"))
    known = of_files(publisher)
    return replace(known, archives=(archive,), layouts=(Layout(format="beir", files=files),))


@pytest.fixture
def get(tmp_path: Path) -> Fetch:
    """Fetch into a folder of this test, without pauses."""

    def fetched(known: Manifest, **options: Any) -> Fetched:
        return fetch(known, tmp_path / "data", pause=lambda _: None, **options)

    return fetched


def test_files_are_put_in_their_place(publisher: Any, get: Fetch, tmp_path: Path) -> None:
    found = get(of_files(publisher))

    assert found.fresh
    assert found.folder == tmp_path / "data" / "some-set"
    assert (found.folder / "corpus.jsonl").read_bytes() == CORPUS
    assert (found.folder / "sub" / "queries.jsonl").read_bytes() == QUERIES
    assert [each.name for each in (tmp_path / "data").iterdir()] == ["some-set"]


def test_a_second_time_nothing_is_downloaded(publisher: Any, get: Fetch) -> None:
    get(of_files(publisher))
    publisher.requests.clear()

    assert not get(of_files(publisher)).fresh
    assert publisher.requests == []


def test_files_of_which_none_is_needed_are_fetched_all_the_same(publisher: Any, get: Fetch) -> None:
    known = of_files(publisher)
    files = tuple(replace(each, optional=True) for each in known.files)
    known = replace(known, layouts=(Layout(format="realtalk", files=files),))

    assert get(known).fresh
    assert not get(known).fresh


def test_what_nothing_is_pinned_of_is_told_and_remembered(publisher: Any, get: Fetch) -> None:
    known = of_files(publisher, corpus={"sha256": sha256(CORPUS), "size": len(CORPUS)})

    found = get(known)

    assert found.unpinned == (("sub/queries.jsonl", sha256(QUERIES)),)
    assert read_received(found.folder)["sub/queries.jsonl"].sha256 == sha256(QUERIES)


@pytest.mark.parametrize(
    ("pins", "noun"),
    [({"sha256": "0" * 64}, "sha256"), ({"md5": "0" * 32}, "md5"), ({"size": 1}, "bytes")],
)
def test_what_is_not_the_pinned_file_is_refused_and_not_kept(
    publisher: Any, get: Fetch, tmp_path: Path, pins: dict[str, Any], noun: str
) -> None:
    with pytest.raises(
        DatasetChangedError, match=f"corpus.jsonl came with the {noun} .* instead of"
    ):
        get(of_files(publisher, corpus=pins))
    assert not (tmp_path / "data" / "some-set").exists()
    assert CORPUS not in [
        each.read_bytes() for each in (tmp_path / "data").rglob("*") if each.is_file()
    ]


def test_a_file_that_was_changed_here_is_fetched_anew(publisher: Any, get: Fetch) -> None:
    folder = get(of_files(publisher)).folder
    (folder / "corpus.jsonl").write_bytes(b"changed")

    assert get(of_files(publisher)).fresh
    assert (folder / "corpus.jsonl").read_bytes() == CORPUS


def test_a_file_that_was_lost_is_fetched_and_others_stay(publisher: Any, get: Fetch) -> None:
    folder = get(of_files(publisher)).folder
    (folder / "corpus.jsonl").unlink()
    (folder / "notes.txt").write_text("mine")

    get(of_files(publisher))

    assert (folder / "corpus.jsonl").read_bytes() == CORPUS
    assert (folder / "notes.txt").read_text() == "mine"


def test_what_the_publisher_changed_is_noticed(publisher: Any, get: Fetch) -> None:
    known = of_files(publisher)
    folder = get(known).folder
    (folder / "corpus.jsonl").unlink()
    publisher.files["/corpus.jsonl"] = b"another corpus"

    with pytest.raises(
        DatasetChangedError, match=r"corpus\.jsonl came with .* this machine once got"
    ):
        get(known)
    assert not (folder / "corpus.jsonl").exists()
    assert get(known, allow_changed=True).fresh
    assert (folder / "corpus.jsonl").read_bytes() == b"another corpus"
    assert not get(known).fresh


def test_a_download_that_broke_off_leaves_no_folder_and_goes_on(
    publisher: Any, get: Fetch, tmp_path: Path
) -> None:
    known = of_files(publisher, corpus={"sha256": sha256(CORPUS)})
    publisher.cuts = [20, 0, 0, 0, 0]

    with pytest.raises(DatasetMissingError):
        get(known)
    assert not (tmp_path / "data" / "some-set").exists()
    publisher.requests.clear()
    assert get(known).fresh
    assert publisher.requests[0] == ("/corpus.jsonl", "bytes=20-")


def test_what_came_to_nothing_leaves_nothing(publisher: Any, get: Fetch, tmp_path: Path) -> None:
    known = of_files(publisher)
    del publisher.files["/corpus.jsonl"]

    with pytest.raises(DatasetMissingError, match="the server answered 404"):
        get(known)
    assert list((tmp_path / "data").iterdir()) == []


def test_an_archive_is_unpacked(publisher: Any, get: Fetch) -> None:
    data = zipped(set__corpus_jsonl=CORPUS, set__queries_jsonl=QUERIES, set__readme=b"no")

    found = get(of_archive(publisher, data, sha256=sha256(data)))

    assert sorted(each.name for each in found.folder.glob("[!.]*")) == [
        "corpus.jsonl",
        "queries.jsonl",
    ]
    assert found.unpinned == ()


def test_of_an_archive_that_nothing_pins_each_hash_is_told(publisher: Any, get: Fetch) -> None:
    data = zipped(set__corpus_jsonl=CORPUS, set__queries_jsonl=QUERIES)

    found = get(of_archive(publisher, data))

    assert found.unpinned == (
        (f"{publisher.url}/some.zip", sha256(data)),
        ("corpus.jsonl", sha256(CORPUS)),
        ("queries.jsonl", sha256(QUERIES)),
    )


def test_an_archive_without_a_file_is_not_the_described_one(publisher: Any, get: Fetch) -> None:
    with pytest.raises(DatasetChangedError, match=r"came without queries\.jsonl"):
        get(of_archive(publisher, zipped(set__corpus_jsonl=CORPUS)))


def test_an_archive_that_leads_out_is_refused(publisher: Any, get: Fetch, tmp_path: Path) -> None:
    data = zipped(set__corpus_jsonl=CORPUS, set__queries_jsonl=QUERIES, **{"..__evil": b"evil"})

    with pytest.raises(DatasetChangedError, match="leads out of the folder"):
        get(of_archive(publisher, data))
    assert not list(tmp_path.rglob("evil"))


def test_what_nobody_publishes_cannot_be_fetched(publisher: Any, get: Fetch) -> None:
    files = (PublishedFile(name="a"),)
    known = replace(
        of_files(publisher), layouts=(Layout(format="beir", files=files),), homepage="https://x.org"
    )

    with pytest.raises(
        DatasetMissingError, match=r"put its files into .*some-set: see https://x\.org"
    ):
        get(known)


def test_a_folder_that_cannot_be_written_is_named(publisher: Any, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file in its place")

    with pytest.raises(EvaluationError, match="cannot be written"):
        fetch(of_files(publisher), tmp_path / "data")


def test_two_at_once_are_told_apart(publisher: Any, get: Fetch) -> None:
    known = of_files(publisher)
    told: list[bool] = []

    def again(*_: Any) -> None:
        if not told:
            with pytest.raises(EvaluationError, match="is being fetched by another process"):
                get(known)
            told.append(True)

    assert get(known, progress=again).fresh
    assert told


def test_a_bundled_set_is_never_fetched() -> None:
    found = fetch_dataset("tiny")

    assert (found.folder, found.fresh) == (shipped("datasets") / "tiny", False)


def test_a_set_that_is_here_is_not_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGRAM_DATA", str(tmp_path))
    folder = tmp_path / "nfcorpus"
    for name in ("corpus.jsonl", "queries.jsonl", "qrels/test.tsv"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")

    assert fetch_dataset("nfcorpus") == Fetched(folder=folder, fresh=False)


def test_a_set_that_nobody_knows_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="did you mean 'scifact'"):
        fetch_dataset("scifacts")
