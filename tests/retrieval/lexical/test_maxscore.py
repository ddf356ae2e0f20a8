from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.retrieval.lexical import maxscore
from engram_lab.retrieval.lexical.maxscore import Chunk, Scorer, TermList

if TYPE_CHECKING:
    from numpy.typing import NDArray

WAYS: dict[str, dict[str, float]] = {
    "as it is": {},
    "skips all it can": {"_WORTH_SKIPPING_NS": -1.0, "_SWEEP_NS": 0.0, "_LOOKUP_NS": 0.0},
    "skips, gathers": {
        "_WORTH_SKIPPING_NS": -1.0,
        "_SWEEP_NS": 0.0,
        "_LOOKUP_NS": 0.0,
        "_SPARSE_SHARE": 0,
    },
    "skips, but finds lookups dear": {"_WORTH_SKIPPING_NS": -1.0, "_SWEEP_NS": 0.0},
    "sweeps": {"_SPARSE_SHARE": 10**9},
    "gathers": {"_SPARSE_SHARE": 0},
    "bounds by few groups": {"_GROUPS": 1},
}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    name: str = request.param
    for constant, value in WAYS[name].items():
        monkeypatch.setattr(maxscore, constant, value)
    return name


class Case:
    """A random query over random postings in some parts, and all of its scores."""

    def __init__(self, seed: int, *, size: int, terms: int) -> None:
        chance = np.random.default_rng(seed)
        cuts = np.sort(chance.integers(0, size + 1, int(chance.integers(0, 3))))
        borders = [0, *cuts.tolist(), size]
        self.dead = chance.random(size) < chance.choice([0.0, 0.0, 0.1, 0.9])
        self.scores: NDArray[np.float64] = np.zeros(size)
        lists = []
        for share in sorted(chance.random(terms) ** 4):
            codes = np.where(chance.random(size) < share, chance.integers(1, 6, size), 0)
            weights = np.array([0, *np.sort(chance.random(5))]) / (0.05 + share)
            self.scores += weights[codes]
            chunks = []
            for start, stop in pairwise(borders):
                part = codes[start:stop].astype(np.uint16)
                slots = np.flatnonzero(part).astype(np.int32)
                if chance.random() < share:
                    chunks.append(Chunk(start, stop, None, part))
                elif len(slots):
                    chunks.append(Chunk(start, stop, slots, part[slots]))
            lists.append(TermList(weights, chunks, float(weights.max())))
        self.lists = lists

    def best(self, k: int) -> set[int]:
        """Return the slots of the best k, and of all that tie with the last."""
        alive = np.flatnonzero((self.scores > 0) & ~self.dead)
        if len(alive) > k:
            last = np.sort(self.scores[alive])[-k]
            alive = alive[self.scores[alive] >= last]
        return set(alive.tolist())


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("k", [1, 3, 20, 1000])
def test_the_best_are_found_with_their_scores_to_the_bit(k: int) -> None:
    scorer = Scorer()
    for seed in range(60):
        case = Case(seed, size=[7, 60, 700][seed % 3], terms=[1, 2, 3, 4, 5, 30][seed % 6])

        slots, scores = scorer.best(case.lists, k, dead=case.dead, buried=np.flatnonzero(case.dead))

        assert case.best(k) <= set(slots.tolist())
        assert scores.tolist() == case.scores[slots].tolist()
        assert not case.dead[slots].any()
        assert (scores > 0).all()
        assert len(set(slots.tolist())) == len(slots)
        assert not scorer._sums.any()  # or the next query would be wrong


@pytest.mark.usefixtures("way")
def test_any_slots_are_given_their_scores_to_the_bit() -> None:
    scorer = Scorer()
    for seed in range(40):
        case = Case(seed, size=[7, 60, 700][seed % 3], terms=1 + seed % 4)
        size = len(case.scores)
        chance = np.random.default_rng(seed)
        slots = np.flatnonzero(chance.random(size) < chance.random())

        scores = scorer.among(case.lists, slots, size=size)

        assert scores.tolist() == case.scores[slots].tolist()
        assert not scorer._sums.any()


def test_common_terms_are_not_added_up_where_they_cannot_matter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    added = []
    add = maxscore._Run.add

    def watched(run: maxscore._Run, term: TermList) -> None:
        added.append(term.bound)
        add(run, term)

    monkeypatch.setattr(maxscore._Run, "add", watched)
    size = 1_000_000
    rare = Chunk(0, size, np.arange(0, size, 5000, dtype=np.int32), np.ones(200, np.uint16))
    common = Chunk(0, size, None, np.ones(size, np.uint16))
    lists = [
        TermList(np.array([0, 8.0]), [rare], 8.0),
        TermList(np.array([0, 0.5]), [common], 0.5),
    ]

    slots, scores = Scorer().best(
        lists, 100, dead=np.zeros(size, np.bool_), buried=np.empty(0, np.int64)
    )

    assert added == [8.0]
    assert slots.tolist() == list(range(0, size, 5000))
    assert set(scores.tolist()) == {8.5}


@given(st.lists(st.floats(0, 1), max_size=300), st.integers(1, 12), st.integers(1, 8))
def test_a_bound_is_reached_by_as_many_as_were_asked_for(
    values: list[float], k: int, groups: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(maxscore, "_GROUPS", groups)
        bound = maxscore._kth(np.array(values), k)

    assert bound == 0 or sum(value >= bound for value in values) >= k
