"""Presets: others' constants, each with its source, and none of their defects."""

from __future__ import annotations

import math

import pytest

from engram_lab.config import DreamSettings
from engram_lab.consolidation import steps_of
from engram_lab.consolidation.decay import Ebbinghaus, Exponential, law_of
from engram_lab.consolidation.fade import Fade
from engram_lab.consolidation.presets import PRESETS, preset
from engram_lab.consolidation.prune import Prune
from engram_lab.consolidation.salience import Salience
from engram_lab.core.errors import InvalidInputError
from tests.consolidation.worlds import World

NAMES = ("act-r", "ebbinghaus", "engram-python", "engram-rust", "none")


def test_there_are_five() -> None:
    assert tuple(PRESETS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_each_makes_its_steps_and_its_salience(name: str) -> None:
    settings = preset(name)
    assert isinstance(settings, DreamSettings)
    assert [step.name for step in steps_of(settings)] == settings.steps.split(",")
    Salience.of(settings)
    for key, value in PRESETS[name].values.items():
        assert getattr(settings, key) == value


@pytest.mark.parametrize("name", NAMES)
def test_each_value_has_a_source_and_each_source_a_value(name: str) -> None:
    told = PRESETS[name]
    for key in told.values:
        assert any(key.startswith(each) for each in told.sources), f"{key} has no source"
    for each in told.sources:
        assert any(key.startswith(each) for key in told.values), f"{each} is of no value"


def test_the_constants_are_theirs() -> None:
    rust, python = preset("engram-rust"), preset("engram-python")
    assert law_of(rust) == Exponential(half_life=14.0)
    assert law_of(preset("ebbinghaus")) == Ebbinghaus()
    assert rust.hebbian_rule == "counting"
    fade = Fade.of(rust)
    assert (fade.stale_days, fade.archive_days, fade.most_days) == (30.0, 90.0, 365.0)
    law = law_of(python)
    assert isinstance(law, Exponential)
    assert 2 ** (-1 / law.half_life) == pytest.approx(math.exp(-0.03))


def test_nothing_does_nothing() -> None:
    world = World.telling("a", "b")
    (step,) = steps_of(preset("none"))
    assert list(step.plan(world.view(), world.scene())) == []
    assert dict(step.parameters) == {}


def test_no_preset_prunes_without_a_budget() -> None:
    for name in NAMES:
        prune = Prune.of(preset(name))
        assert (prune.most_memories, prune.most_tokens) == (None, None)


def test_an_unknown_name_lists_those_that_there_are() -> None:
    with pytest.raises(InvalidInputError, match=f"no preset 'letta': give {', '.join(NAMES)}"):
        preset("letta")
