"""The tasks tell a dream that knows the truth from one that gets it wrong, and from their nulls."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from engram_lab.config import EmbeddingSettings, EngineConfig
from engram_lab.evaluation.consolidation.asking import recall, standing
from engram_lab.evaluation.consolidation.filling import staged
from engram_lab.evaluation.consolidation.groups import Sets
from engram_lab.evaluation.consolidation.outcome import Outcome, Setting, Task
from engram_lab.evaluation.consolidation.placebos import PLACEBOS, placebo
from engram_lab.evaluation.consolidation.rewording import REWORDED, in_free_words
from engram_lab.evaluation.consolidation.tasks.lasting import Lasting
from engram_lab.evaluation.consolidation.tasks.merging import Merging, _joined
from engram_lab.evaluation.consolidation.tasks.retaining import Retaining, areas, areas_between
from engram_lab.evaluation.consolidation.tasks.updating import Updating
from engram_lab.evaluation.consolidation.world.making import make_world
from tests.evaluation.consolidation.knowing import KnowingMerge, KnowingSupersede, WrongMerge

CONFIG = EngineConfig(embedding=EmbeddingSettings(model="hashing"))
SETTING = Setting(size=120, seed=5, config=CONFIG)
WORLD = make_world(size=120, seed=5)
WORLDS = (WORLD, make_world(size=120, seed=5, wording="free"))
SHARES = (1.0, 0.75, 0.5, 0.1)
MERGE, SUPERSEDE, WRONG = KnowingMerge(WORLDS), KnowingSupersede(WORLDS), WrongMerge(WORLDS)


def knowing(name: str) -> Task:
    tasks: dict[str, Task] = {
        "merging": Merging(step=MERGE),
        "updating": Updating(merge=MERGE, supersede=SUPERSEDE),
        "retaining": Retaining(
            merge=MERGE,
            supersede=SUPERSEDE,
            prune=lambda _, keep: placebo("lru", keep=keep),
            alone=(),
            budgets=SHARES,
        ),
        "lasting": Lasting(steps=(MERGE, SUPERSEDE), nights=3),
    }
    return tasks[name]


@cache
def outcome(name: str) -> Outcome:
    return knowing(name).run(SETTING)


def means(found: Outcome) -> dict[tuple[str, str], float]:
    values: dict[tuple[str, str], list[float]] = defaultdict(list)
    for each in found.observed:
        values[each.measure, each.system].append(each.value)
    return {key: sum(some) / len(some) for key, some in values.items()}


@pytest.mark.parametrize("name", ["merging", "updating", "retaining", "lasting"])
def test_a_task_gives_the_same_again(name: str) -> None:
    assert knowing(name).run(SETTING) == outcome(name)


@pytest.mark.parametrize("name", ["merging", "updating", "retaining", "lasting"])
def test_values_are_by_unit_and_every_unit_has_a_cluster(name: str) -> None:
    seen = [(each.system, each.measure, each.unit) for each in outcome(name).observed]
    assert len(seen) == len(set(seen))
    assert all(each.cluster for each in outcome(name).observed)


def test_a_merge_that_knows_is_perfect_but_for_what_is_protected() -> None:
    found = means(outcome("merging"))
    assert found["merge_precision", "dream"] == 1.0
    assert found["near_miss_overmerge", "dream"] == 0.0
    assert found["merge_recall", "dream"] > 0.95
    assert found["b3_f1", "dream"] > 0.99


def test_a_merge_that_errs_is_found_out() -> None:
    found = means(Merging(step=WRONG).run(SETTING))
    assert found["merge_precision", "dream"] < 0.2
    assert found["near_miss_overmerge", "dream"] > 0.6


def test_equal_hashes_are_right_and_miss_all_other_words() -> None:
    found = means(outcome("merging"))
    assert found["merge_precision", "exact_hash"] == 1.0
    assert found["merge_recall.exact", "exact_hash"] == 1.0
    assert found["merge_recall.paraphrase", "exact_hash"] == 0.0


def test_joining_by_cosine_gives_connected_components() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(600, 4)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    keys = [f"k{place:03}" for place in range(600)]
    for threshold in (0.5, 0.97, 0.99, 0.999):
        sets = Sets(keys)
        for left, right in np.argwhere(np.triu(vectors @ vectors.T >= threshold, 1)).tolist():
            sets.join(keys[left], keys[right])
        assert _joined(keys, vectors, threshold) == sets.groups()


def test_who_knows_what_was_replaced_answers_with_what_holds() -> None:
    found = means(outcome("updating"))
    assert found["stale@1", "dream"] == 0.0
    assert found["stale@1", "no_dream"] > 0.2
    assert found["current_above_stale", "dream"] > found["current_above_stale", "no_dream"] + 0.2
    assert found["as_of_accuracy", "dream"] > found["as_of_accuracy", "no_dream"]
    assert found["as_known_unchanged", "dream"] == 1.0
    assert found["wrongly_closed", "dream"] == 0.0
    assert found["supersede_precision", "dream"] == 1.0
    assert found["supersede_recall", "dream"] > 0.8


def test_facts_that_are_hidden_under_others_count_as_lost() -> None:
    found = means(Updating(merge=WRONG, supersede=SUPERSEDE).run(SETTING))
    assert found["current@1", "dream"] < means(outcome("updating"))["current@1", "dream"]


def test_retention_falls_with_the_store_and_merging_first_keeps_more() -> None:
    found = means(outcome("retaining"))
    for name in PLACEBOS:
        assert found["retention_auc", "dream"] > found["retention_auc", name]
        assert found["retention.merge", "dream"] > found["retention.merge", name]
    curves = {each.system: each for each in outcome("retaining").curves if "memories" in each.plot}
    for name in PLACEBOS:
        sizes, values = curves[name].x, curves[name].y
        assert list(sizes) == [round(share * len(WORLD.told)) for share in SHARES]
        assert values[0] > values[-1]


def test_pruning_alone_by_a_placebo_is_that_placebo() -> None:
    found = means(outcome("retaining"))
    assert found["retention_auc.prune", "dream"] == found["retention_auc", "lru"]


def test_nothing_that_must_be_kept_is_lost_by_who_knows() -> None:
    found = means(outcome("lasting"))
    assert Lasting().nights == 30
    assert found["survival@3", "dream"] == found["survival@3", "no_dream"] == 1.0
    assert found["drift", "dream"] == found["drift.links", "dream"] == 0.0
    assert found["drift", "random_drop"] > 0.0
    assert dict(outcome("lasting").facts)["lasting.holes.dream"] == 0.0


def test_a_protected_row_that_is_changed_does_not_survive() -> None:
    found = means(Lasting(steps=(WRONG,), nights=2).run(SETTING))
    assert found["survival@2.protected", "dream"] == 1.0  # a step may not even plan it
    assert found["survival@2.valid", "dream"] < 0.7


def test_an_area_is_that_of_the_trapezoids() -> None:
    assert areas([1.0, 0.5, 0.0], [[1.0, 1.0], [1.0, 0.0], [0.0, 0.0]]) == [0.75, 0.25]


def test_an_area_between_two_sizes_is_that_of_straight_lines_that_go_on_level() -> None:
    found = [[1.0, 1.0], [0.0, 1.0], [1.0, 0.0]]
    # From 5 to 15 the first rises from 0.5 to 1 by 10 and stays there, the second is 1.
    assert areas_between([10, 0, 10], [[1.0, 1.0], [0.0, 1.0], [1.0, 1.0]], low=5, high=15) == [
        0.875,
        1.0,
    ]
    assert areas_between([4, 2, 0], found, low=0, high=4) == [0.5, 0.75]


def test_fading_and_gists_are_judged_by_areas_of_their_own() -> None:
    task = Retaining(
        merge=MERGE,
        supersede=SUPERSEDE,
        prune=lambda _, keep: placebo("lru", keep=keep),
        budgets=(1.0, 0.5),
    )
    found = means(task.run(SETTING))
    nulls = set(PLACEBOS)
    by_tokens = {system for measure, system in found if measure == "retention_auc.tokens"}
    pruned = {system for measure, system in found if measure == "retention_auc.prune"}
    assert by_tokens == {"dream", "fade", "abstract", *nulls}
    assert pruned == {"dream", "fade", *nulls}


@pytest.mark.parametrize("name", ["merging", "updating"])
def test_what_is_told_in_free_words_is_judged_by_the_same_measures(name: str) -> None:
    found = means(outcome(name))
    both = [key for key in found if key[0] in REWORDED]
    assert both
    for measure, system in both:
        assert (f"{measure}.reworded", system) in found
    known = {"merging": ("merge_recall", 0.95), "updating": ("as_of_accuracy", 0.5)}[name]
    assert found[f"{known[0]}.reworded", "dream"] > known[1]
    assert all(
        each.measure.endswith(".reworded") == each.unit.startswith("reworded::")
        for each in outcome(name).observed
    )


def test_the_world_in_free_words_is_of_the_same_seed_and_not_too_large() -> None:
    large = in_free_words(replace(SETTING, size=50_000))
    assert (large.size, large.seed) == (2_000, SETTING.seed)
    assert in_free_words(SETTING) == SETTING


def test_what_was_merged_is_answered_by_what_stands_for_it() -> None:
    with staged(SETTING) as stage, stage.copy("x") as play:
        play.engine.dream(steps=[MERGE], yes=True)
        stands = standing(play)
        merged = [key for key, id_ in play.ids.items() if stands.survivor(id_) != id_]
        facts = {each.key: each for each in WORLD.told}
        assert merged
        for key in merged:
            hits = recall(play, facts[key].text.strip(), 10, stands)
            assert play.ids[key] not in {hit.id for hit in hits}
            assert any(facts[key].fact in hit.facts for hit in hits)


def test_what_swallowed_another_fact_does_not_carry_it() -> None:
    with staged(SETTING) as stage, stage.copy("x") as play:
        play.engine.dream(steps=[WRONG], yes=True)
        stands = standing(play)
        for told in WORLD.told:
            value, own = WORLD.facts[told.fact].value, play.ids[told.key]
            if value is None or stands.survivor(own) == own:
                continue
            memory = play.engine.get(stands.survivor(own))
            carried = told.fact in stands.carries(memory.id, memory.content)
            assert carried == value.stands_in(memory.content)
