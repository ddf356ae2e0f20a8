from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.retrieval.dense import keyslots
from engram_lab.retrieval.dense.keyslots import KeySlots

KEYS = st.sets(st.integers(1, 40) | st.integers(2**62, 2**62 + 3), max_size=20).map(sorted)
STEPS = st.lists(st.tuples(st.sampled_from(["put", "remove"]), KEYS), max_size=12)


@given(first=KEYS, steps=STEPS, most_new=st.integers(0, 30))
def test_it_answers_as_a_dictionary_does(
    first: list[int], steps: list[tuple[str, list[int]]], most_new: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keyslots, "_MOST_NEW", most_new)
        known = {key: slot for slot, key in enumerate(first)}
        slots = KeySlots(np.array(first, np.int64), np.arange(len(first)))
        following = len(first)
        for verb, keys in steps:
            if verb == "put":
                added = range(following, following + len(keys))
                slots.put(np.array(keys, np.int64), np.array(added, np.int64))
                known.update(zip(keys, added, strict=True))
                following += len(keys)
            else:
                slots.remove(np.array(keys, np.int64))
                for key in keys:
                    known.pop(key, None)
            asked = np.array([*range(45), *range(2**62, 2**62 + 5)], np.int64)
            expected = [known.get(key, -1) for key in asked.tolist()]
            assert slots.find(asked).tolist() == expected
            assert slots.find(asked[::-1]).tolist() == expected[::-1]
            for key, slot in zip(asked[::7], expected[::7], strict=True):
                assert slots.find(np.array([key])).tolist() == [slot]
    assert slots.find(np.empty(0, np.int64)).tolist() == []
