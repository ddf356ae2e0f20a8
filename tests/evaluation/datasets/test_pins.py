from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from engram_lab.core.errors import DatasetChangedError
from engram_lab.evaluation.datasets.manifest import Layout, PublishedFile
from engram_lab.evaluation.datasets.pins import (
    RECEIVED,
    Received,
    changes,
    read_received,
    write_received,
)

DATA = b"what was published"
SHA256 = hashlib.sha256(DATA).hexdigest()
MD5 = hashlib.md5(DATA, usedforsecurity=False).hexdigest()


def layout(**pins: object) -> Layout:
    return Layout(format="beir", files=(PublishedFile(name="a", **pins),))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "pins",
    [{}, {"sha256": SHA256}, {"md5": MD5}, {"size": len(DATA)}, {"sha256": SHA256, "md5": MD5}],
)
def test_the_published_file_is_no_change(tmp_path: Path, pins: dict[str, object]) -> None:
    (tmp_path / "a").write_bytes(DATA)

    assert changes(tmp_path, layout(**pins)) == ()


@pytest.mark.parametrize(
    ("pins", "change"),
    [
        ({"sha256": SHA256}, "a has the sha256 "),
        ({"md5": MD5}, "a has the md5 "),
        ({"size": len(DATA)}, "a has 19 bytes instead of 18"),
    ],
)
def test_another_file_is_a_change(tmp_path: Path, pins: dict[str, object], change: str) -> None:
    (tmp_path / "a").write_bytes(DATA + b"!")

    (found,) = changes(tmp_path, layout(**pins))

    assert found.startswith(change)


def test_a_file_that_is_not_there_is_no_change(tmp_path: Path) -> None:
    assert changes(tmp_path, layout(sha256=SHA256)) == ()


def test_a_file_is_held_against_what_once_came(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(DATA)
    write_received(tmp_path, {"a": Received(sha256=SHA256, size=len(DATA))})
    assert changes(tmp_path, layout()) == ()

    (tmp_path / "a").write_bytes(DATA[::-1])

    assert changes(tmp_path, layout())[0].endswith(f"instead of {SHA256}")


def test_what_the_manifest_pins_counts_more_than_what_once_came(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(DATA)
    write_received(tmp_path, {"a": Received(sha256="0" * 64, size=1)})

    assert changes(tmp_path, layout(sha256=SHA256)) == ()


def test_a_glance_looks_at_sizes_alone(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(DATA[::-1])
    pinned = layout(sha256=SHA256, size=len(DATA))

    assert changes(tmp_path, pinned, thorough=False) == ()
    assert len(changes(tmp_path, pinned)) == 1
    (tmp_path / "a").write_bytes(b"")
    assert changes(tmp_path, pinned, thorough=False) == ("a has 0 bytes instead of 18",)


def test_what_came_is_read_as_it_was_written(tmp_path: Path) -> None:
    received = {"b/c": Received(sha256="1" * 64, size=3), "a": Received(sha256="2" * 64, size=4)}

    write_received(tmp_path, received)

    assert read_received(tmp_path) == received
    assert read_received(tmp_path / "elsewhere") == {}


@pytest.mark.parametrize("text", ["", "[]", '{"files": {"a": {}}}', '{"files": [1]}', "{}"])
def test_a_record_that_cannot_be_read_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / RECEIVED).write_text(text)

    with pytest.raises(DatasetChangedError, match="remove it to trust the files as they are"):
        read_received(tmp_path)
