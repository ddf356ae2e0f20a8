"""A made world is the same for the same seed, and what is said to be true of it is."""

from __future__ import annotations

import hashlib
from collections import Counter
from functools import cache
from itertools import combinations

import pytest

from engram_lab.core.errors import InvalidInputError
from engram_lab.core.text import content_hash
from engram_lab.evaluation.consolidation.world.making import make_world
from engram_lab.evaluation.consolidation.world.told import NEAR_KINDS, World

SIZE = 2_000


@cache
def world(seed: int = 0) -> World:
    return make_world(size=SIZE, seed=seed)


def digest(made: World) -> str:
    return hashlib.sha256(repr(made).encode()).hexdigest()


def test_one_size_and_one_seed_are_one_world() -> None:
    assert digest(make_world(size=200, seed=7)) == digest(make_world(size=200, seed=7))
    assert digest(make_world(size=200, seed=7)) != digest(make_world(size=200, seed=8))
    assert digest(make_world(size=200, seed=7)) != digest(make_world(size=201, seed=7))


def test_a_world_is_the_same_on_every_machine() -> None:
    # It changes with every word of the sentence bank: results of other worlds are not comparable.
    known = "0484e0d1495fbcbfa89d627eda8c6104da17a687afb5b534e9822595f0e1141e"
    assert digest(make_world(size=200, seed=0)) == known


@pytest.mark.parametrize(
    ("size", "seed"), [(49, 0), (1_000_001, 0), (100, -1), (100.0, 0), (True, 0)]
)
def test_a_size_or_a_seed_out_of_bounds_is_refused(size: int, seed: int) -> None:
    with pytest.raises(InvalidInputError, match="whole number"):
        make_world(size=size, seed=seed)


@pytest.mark.parametrize("size", [50, 200, 999])
def test_a_world_has_about_as_many_memories_as_are_asked_for(size: int) -> None:
    assert size <= len(make_world(size=size, seed=3).told) <= size + 20


def test_memories_come_in_the_order_of_telling_and_before_now() -> None:
    told = world().told
    times = [each.recorded_at for each in told]
    assert times == sorted(times)
    assert times[-1] < world().now
    assert [each.key for each in told] == sorted({each.key for each in told})


def test_no_two_facts_are_told_in_the_same_words() -> None:
    facts: dict[str, set[str]] = {}
    for each in world().told:
        facts.setdefault(content_hash(each.text), set()).add(each.fact)
    assert [each for each in facts.values() if len(each) > 1] == []


def test_every_telling_has_the_value_of_its_fact_in_it() -> None:
    told = [(each.text, world().facts[each.fact].value) for each in world().told]
    assert [text for text, value in told if value is not None and not value.stands_in(text)] == []


def test_every_fact_is_told_and_every_memory_tells_one() -> None:
    assert set(world().tellings()) == set(world().facts)


def test_of_what_changes_one_version_holds_and_the_others_ended_before_it_began() -> None:
    slots: dict[str, list[str]] = {}
    for fact in world().facts.values():
        if fact.sort == "version":
            slots.setdefault(fact.slot, []).append(fact.key)
    for keys in slots.values():
        versions = [world().facts[key] for key in keys]
        [current] = [each for each in versions if each.holds]
        assert len(versions) > 1
        assert all(each.ends <= current.begins for each in versions if each.ends is not None)
        assert len({each.value for each in versions}) == len(versions)


def test_tellings_of_one_fact_are_repeats_or_other_words() -> None:
    kinds = Counter(
        content_hash(left.text) == content_hash(right.text)
        for tellings in world().tellings().values()
        for left, right in combinations(tellings, 2)
    )
    assert min(kinds[True], kinds[False]) > SIZE / 20


def test_near_misses_tell_two_facts_and_are_of_every_kind() -> None:
    facts = {each.key: each.fact for each in world().told}
    assert all(facts[each.left] != facts[each.right] for each in world().near_misses)
    counts = Counter(each.kind for each in world().near_misses)
    assert set(counts) == set(NEAR_KINDS)
    assert min(counts.values()) >= 10


def test_a_near_miss_of_another_entity_has_the_value_of_the_first() -> None:
    facts = {each.key: world().facts[each.fact] for each in world().told}
    others = [each for each in world().near_misses if each.kind == "other"]
    for each in others:
        left, right = facts[each.left], facts[each.right]
        assert left.value == right.value
        assert left.entity != right.entity


def test_some_older_facts_arrive_after_newer_ones() -> None:
    tellings = world().tellings()
    late = [fact for fact in world().facts.values() if fact.manner == "late"]
    assert len(late) > 10
    for fact in late:
        [told] = tellings[fact.key]
        later = [
            tellings[each.key][0]
            for each in world().facts.values()
            if each.slot == fact.slot and each.begins > fact.begins
        ]
        assert told.event_at == fact.begins
        assert any(each.recorded_at < told.recorded_at for each in later)


def test_questions_about_the_present_ask_for_what_holds_and_know_what_does_not() -> None:
    for each in world().present:
        assert each.at is None
        assert world().facts[each.answer].holds
        assert each.stale
        assert not any(world().facts[key].holds for key in each.stale)


def test_questions_about_a_moment_ask_for_what_held_then() -> None:
    for each in world().past:
        fact = world().facts[each.answer]
        assert each.at is not None
        assert fact.begins < each.at < (fact.ends or world().now)
        others = [world().facts[key] for key in each.stale]
        assert all(
            other.begins > each.at or (other.ends is not None and other.ends <= each.at)
            for other in others
        )


def test_what_is_wanted_is_asked_for_more_often_the_more_it_is_worth() -> None:
    asked = {each.answer for each in world().wanted}
    held = [each for each in world().facts.values() if each.holds and each.sort != "chatter"]
    worth = {True: [0.0], False: [0.0]}
    for fact in held:
        worth[fact.key in asked].append(fact.worth)
    assert sum(worth[True]) / len(worth[True]) > 1.5 * sum(worth[False]) / len(worth[False])


def test_recalls_find_what_was_told_before_them_and_small_talk_least() -> None:
    recorded = {each.key: each for each in world().told}
    hits: Counter[bool] = Counter()
    for access in world().accesses:
        for key in access.hits:
            assert recorded[key].recorded_at < access.at < world().now
            hits[world().facts[recorded[key].fact].sort == "chatter"] += 1
    told = Counter(world().facts[each.fact].sort == "chatter" for each in world().told)
    assert hits[True] / told[True] < 0.6 * hits[False] / told[False]
    assert hits[True] > 0
