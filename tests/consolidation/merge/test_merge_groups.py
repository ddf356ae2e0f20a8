"""How pairs become groups."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engram_lab.consolidation.merge.groups import stars


def test_a_chain_does_not_join_its_ends() -> None:
    pairs = {(0, 1): 0.9, (1, 2): 0.9, (2, 3): 0.9}
    assert stars(pairs, [0, 1, 2, 3], lambda *_: True) == {0: [(1, 0.9)], 2: [(3, 0.9)]}


def test_what_may_not_be_absorbed_stays() -> None:
    pairs = {(0, 1): 0.9, (0, 2): 0.8}
    assert stars(pairs, [0, 1, 2], lambda _, other: other != 1) == {0: [(2, 0.8)]}


numbers = st.integers(0, 12)
some_pairs = st.dictionaries(
    st.tuples(numbers, numbers).filter(lambda each: each[0] < each[1]), st.floats(0.5, 1)
)


@given(some_pairs, st.randoms(use_true_random=False))
def test_each_is_absorbed_once_by_one_that_it_was_compared_with(
    pairs: dict[tuple[int, int], float], chance: object
) -> None:
    order = sorted({each for pair in pairs for each in pair})
    chance.shuffle(order)  # type: ignore[attr-defined]
    found = stars(pairs, order, lambda *_: True)
    absorbed = [other for others in found.values() for other, _ in others]
    assert len(absorbed) == len(set(absorbed))
    assert not set(absorbed) & set(found)
    assert all(
        pairs[min(one, other), max(one, other)] == score
        for one, others in found.items()
        for other, score in others
    )
    left = set(order) - set(absorbed)
    assert not any(one in left and other in left for one, other in pairs)
