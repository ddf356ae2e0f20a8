from __future__ import annotations

from pathlib import Path

import pytest

from engram_lab.core.errors import EngramError, InvalidInputError
from engram_lab.evaluation.datasets.catalogue import load_dataset, manifests, status
from engram_lab.evaluation.datasets.readers import READERS

HERE = [each.id for each in manifests() if status(each.id).state in {"present", "bundled"}]


def test_the_readers_that_other_tools_rely_on() -> None:
    assert {
        "beir",
        "frames",
        "locomo",
        "longmemeval",
        "madial",
        "multi-hop",
        "realtalk",
        "smart",
        "tiny",
    } <= set(READERS.names())


@pytest.mark.parametrize("name", READERS.names())
def test_every_reader_refuses_an_option_it_does_not_know(name: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="colour"):
        READERS.get(name)(tmp_path, id="mine", options={"colour": "red"})


@pytest.mark.parametrize("name", READERS.names())
def test_every_reader_tells_that_a_folder_is_empty(name: str, tmp_path: Path) -> None:
    with pytest.raises((EngramError, FileNotFoundError)):
        READERS.get(name)(tmp_path, id="mine", options={})


@pytest.mark.parametrize("id_", HERE)
def test_a_set_that_is_here_is_the_same_each_time(id_: str) -> None:
    first, second = load_dataset(id_), load_dataset(id_)

    assert first.hash == second.hash
    assert first.files
    assert first.qrels.height > 0
