from __future__ import annotations

import pytest

from engram_lab.core.errors import InvalidInputError
from engram_lab.retrieval.dense import VECTOR_INDEXES, VectorIndexOptions
from engram_lab.retrieval.dense.registry import check_kind, kind_for


def test_three_indexes_are_registered() -> None:
    assert VECTOR_INDEXES.names() == ("flat", "hnsw", "ivf")


@pytest.mark.parametrize(
    ("size", "kind"),
    [(0, "exact"), (20_000, "exact"), (20_001, "hnsw"), (300_000, "hnsw"), (300_001, "ivf")],
)
def test_the_number_of_vectors_chooses_the_kind(size: int, kind: str) -> None:
    assert kind_for("auto", size) == kind
    assert kind_for("flat", size) == "flat"


@pytest.mark.parametrize(
    ("present", "size", "kind"),
    [
        ("hnsw", 20_000, "hnsw"),
        ("hnsw", 10_001, "hnsw"),
        ("hnsw", 10_000, "exact"),
        ("ivf", 150_001, "ivf"),
        ("ivf", 150_000, "hnsw"),
        ("ivf", 10_000, "exact"),
        ("hnsw", 300_001, "ivf"),
        ("exact", 20_001, "hnsw"),
    ],
)
def test_a_kind_is_left_only_when_far_too_few_are_left(present: str, size: int, kind: str) -> None:
    assert kind_for("auto", size, present=present) == kind


def test_an_unknown_kind_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(InvalidInputError, match=r"'tree'.*auto, exact, flat, hnsw, ivf"):
        check_kind("tree")


def test_options_are_those_that_were_measured() -> None:
    options = VectorIndexOptions(dim=3)
    assert (options.hnsw_links, options.ef_construction, options.ef_search) == (32, 64, 128)
