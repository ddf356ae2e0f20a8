"""The weights that come along: they name features that exist, and fit what they are for."""

from __future__ import annotations

import pytest

from engram_lab.retrieval.features import FEATURES
from engram_lab.retrieval.learned import LearnedRecord
from engram_lab.retrieval.profiles import BY_HAND, SHIPPED_FILE, shipped_record


@pytest.mark.parametrize("record", [BY_HAND, shipped_record()], ids=["by hand", "shipped"])
def test_all_that_has_a_weight_is_a_feature(record: LearnedRecord) -> None:
    assert set(record.features) <= set(FEATURES.names())
    assert record.features


def test_weights_by_hand_saw_nothing_and_fit_any_embedder() -> None:
    assert (BY_HAND.saw, BY_HAND.scale) == (None, "unit-range")
    assert BY_HAND.fits("anything")
    assert BY_HAND.fits(None)


def test_the_shipped_file_is_the_record_as_it_would_be_written_again() -> None:
    assert LearnedRecord.from_json(SHIPPED_FILE.read_text("utf-8")) == shipped_record()
    assert LearnedRecord.from_json(shipped_record().to_json()) == shipped_record()
    assert shipped_record() is shipped_record()


def test_shipped_weights_are_for_the_embedder_that_comes_along() -> None:
    record = shipped_record()
    assert record.model == "linear"
    assert record.embedder is not None
    assert record.embedder.startswith("minilm/")
