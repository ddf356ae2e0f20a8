from __future__ import annotations

from pathlib import Path

import pytest

from engram_lab.core.errors import ConfigError, NotFoundError
from engram_lab.evaluation.datasets.manifest import Manifest, read_manifest
from engram_lab.evaluation.datasets.readers import READERS
from engram_lab.evaluation.shipped import shipped

WHOLE = """
id = "some-set"
title = "Some set"
licence = "CC BY 4.0"
licence_url = "https://example.org/licence"
homepage = "https://example.org"
description = "What it is."
citation = "Somebody (2020)."
format = "beir"
folders = ["some", "some-set"]
splits = ["train", "test"]
known_issues = ["One."]

[options]
split = "test"

[variants.train]
split = "train"

[[archives]]
url = "https://example.org/some.zip"
kind = "zip"
strip = "some"
bytes = 12
md5 = "0123456789abcdef0123456789abcdef"

[[files]]
name = "corpus.jsonl"
sha256 = "0000000000000000000000000000000000000000000000000000000000000001"
bytes = 7

[[files]]
name = "qrels/train.tsv"
optional = true

[[statistics]]
memories = 3

[[statistics]]
options = { split = "train" }
queries = 2

[[layouts]]
format = "frames"

[[layouts.files]]
name = "memories.jsonl"
"""


def read(folder: Path, text: str, name: str = "some-set") -> Manifest:
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return read_manifest(path)


def test_everything_a_manifest_may_say(tmp_path: Path) -> None:
    found = read(tmp_path, WHOLE)

    assert (found.id, found.format, found.folders) == ("some-set", "beir", ("some-set", "some"))
    assert found.files[0].sha256 == "0" * 63 + "1"
    assert [each.optional for each in found.files] == [False, True]
    assert found.options == {"split": "test"}
    assert found.variants == {"train": {"split": "train"}}
    assert (found.archives[0].kind, found.archives[0].strip) == ("zip", "some")
    assert found.layouts[1].format == "frames"
    assert found.layouts[0].statistics[1].options == {"split": "train"}
    assert found.fetchable


def test_every_problem_is_named_at_once(tmp_path: Path) -> None:
    broken = (
        WHOLE.replace('licence = "CC BY 4.0"\n', "")
        .replace('id = "some-set"', 'id = "Some Set"')
        .replace('"corpus.jsonl"', '"../corpus.jsonl"')
        .replace("bytes = 7", 'bytes = "7"\ncolour = "red"')
        .replace('kind = "zip"', 'kind = "rar"')
    )

    with pytest.raises(ConfigError) as raised:
        read(tmp_path, broken)

    assert [problem.split(": ")[1] for problem in raised.value.problems] == [
        "id",
        "files[0].name",
        "files[0].bytes",
        "files[0].colour",
        "licence",
        "archives[0].kind",
    ]
    assert all(problem.startswith("some-set.toml: ") for problem in raised.value.problems)


def test_the_id_is_the_name_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="must be the name of the file, 'other'"):
        read(tmp_path, WHOLE, name="other")


def test_a_file_named_twice_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"name 'corpus\.jsonl' more than once"):
        read(tmp_path, WHOLE.replace("qrels/train.tsv", "corpus.jsonl"))


def test_what_is_no_toml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is no TOML"):
        read(tmp_path, "id = ")


def test_a_manifest_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="there is no manifest"):
        read_manifest(tmp_path / "none.toml")


def test_files_without_an_address_cannot_be_fetched(tmp_path: Path) -> None:
    text = WHOLE[: WHOLE.index("[[archives]]")] + '[[files]]\nname = "a"\n'

    assert not read(tmp_path, text).fetchable
    assert read(tmp_path, text + 'url = "https://example.org/a"\n').fetchable


@pytest.mark.parametrize(
    "path", sorted((shipped("datasets") / "manifests").glob("*.toml")), ids=lambda path: path.stem
)
def test_every_shipped_manifest_is_right(path: Path) -> None:
    found = read_manifest(path)

    assert found.title
    assert found.citation
    assert all(layout.format in READERS.names() for layout in found.layouts)
    assert all(layout.files for layout in found.layouts)
    assert found.bundled or found.fetchable


def test_the_readme_of_the_manifests_names_every_field() -> None:
    text = (shipped("datasets") / "manifests" / "README.md").read_text(encoding="utf-8")

    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    for name in Manifest.__dataclass_fields__:
        assert any(f"`{name}`" in row or f"[{name}" in row for row in rows)
