from __future__ import annotations

import pytest

from engram_lab.core.errors import ConflictError, InvalidInputError
from engram_lab.core.registry import STORES, Registry
from engram_lab.core.sqlite import SqliteStore


@pytest.fixture
def embedders() -> Registry[int]:
    registry: Registry[int] = Registry("embedder")
    registry.add("minilm", 384)
    registry.add("bge", 768)
    return registry


def test_what_is_added_is_found_by_its_name(embedders: Registry[int]) -> None:
    assert embedders.get("minilm") == 384
    assert embedders.names() == ("bge", "minilm")


def test_adding_gives_the_thing_back(embedders: Registry[int]) -> None:
    assert embedders.add("large", 1024) == 1024


def test_a_name_has_one_owner(embedders: Registry[int]) -> None:
    with pytest.raises(ConflictError, match="already is a embedder 'bge': choose another name"):
        embedders.add("bge", 1024)
    assert embedders.get("bge") == 768


def test_an_unknown_name_is_refused_with_the_known_ones(embedders: Registry[int]) -> None:
    with pytest.raises(InvalidInputError, match="no embedder 'word2vec': known are bge, minilm"):
        embedders.get("word2vec")


def test_a_name_that_is_nearly_right_is_met_with_the_right_one(embedders: Registry[int]) -> None:
    with pytest.raises(InvalidInputError, match=r"'minilm2' \(did you mean 'minilm'\?\): known"):
        embedders.get("minilm2")


def test_registries_are_apart(embedders: Registry[int]) -> None:
    other: Registry[int] = Registry("embedder")
    assert other.names() == ()


def test_the_store_of_this_package_is_known() -> None:
    assert STORES.get("sqlite") is SqliteStore
