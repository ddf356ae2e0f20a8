"""The step "nothing": what a dream is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from engram_lab.consolidation.step import STEPS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engram_lab.config import DreamSettings
    from engram_lab.consolidation.step import Scene
    from engram_lab.consolidation.view import View
    from engram_lab.core.dreams import Change

__all__ = ["Nothing"]

_NAME = "nothing"


@dataclass(frozen=True, slots=True)
class Nothing:
    """Plans nothing: the null that every other step must beat."""

    @classmethod
    def of(cls, _: DreamSettings) -> Self:
        """Return it, whatever settings say."""
        return cls()

    @property
    def name(self) -> str:
        """Its registered name."""
        return _NAME

    @property
    def parameters(self) -> Mapping[str, Any]:
        """There are none."""
        return {}

    def plan(self, view: View, scene: Scene) -> tuple[Change, ...]:  # noqa: ARG002 - as steps are called
        """Return no change."""
        return ()


STEPS.add(_NAME, Nothing.of)
