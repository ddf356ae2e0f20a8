"""The laws of forgetting that a configuration may name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, cast

from engram_lab.config import DreamSettings
from engram_lab.consolidation.decay.act_r import ActR, ActRForm
from engram_lab.consolidation.decay.ebbinghaus import Ebbinghaus
from engram_lab.consolidation.decay.exponential import Exponential
from engram_lab.consolidation.decay.power import Power
from engram_lab.consolidation.decay.protocol import Law
from engram_lab.core.registry import Registry

if TYPE_CHECKING:
    from typing import Any

__all__ = ["LAWS", "LawFactory", "law_of"]

LawFactory = Callable[[DreamSettings], Law]

LAWS: Final[Registry[LawFactory]] = Registry("law of decay", group="engram_lab.decay_laws")
"""What `dream.decay_law` may name: each makes a law from the settings of dreams."""


@LAWS.register("exponential")
def _exponential(settings: DreamSettings) -> Law:
    return Exponential(half_life=settings.decay_half_life_days, per_use=settings.decay_per_use)


@LAWS.register("power")
def _power(settings: DreamSettings) -> Law:
    return Power(
        exponent=settings.decay_exponent,
        scale=settings.decay_scale_days,
        per_use=settings.decay_per_use,
    )


@LAWS.register("act-r")
def _act_r(settings: DreamSettings) -> Law:
    form: Any = settings.decay_form
    return ActR(
        decay=settings.decay_exponent,
        threshold=settings.decay_threshold,
        noise=settings.decay_noise,
        form=cast("ActRForm", form),
    )


@LAWS.register("ebbinghaus")
def _ebbinghaus(_: DreamSettings) -> Law:
    return Ebbinghaus()


def law_of(settings: DreamSettings) -> Law:
    """Return the law that settings name.

    Raises:
        InvalidInputError: There is no law of that name, or it refuses a number.
    """
    return LAWS.get(settings.decay_law)(settings)
