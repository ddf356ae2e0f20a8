"""Links by session: what was said or remembered one after the other."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from engram_lab.consolidation.links.placing import Ties, Wanted, groups_of, settled
from engram_lab.consolidation.links.temporal import times_of
from engram_lab.consolidation.step import STEPS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from engram_lab.config import DreamSettings
    from engram_lab.consolidation.step import Scene
    from engram_lab.consolidation.view import View
    from engram_lab.core.dreams import Change

__all__ = ["NEXT_IN_SESSION", "SessionLinks"]

NEXT_IN_SESSION: Final = "next_in_session"
"""The type of the links: from each memory of a session to the next one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionLinks:
    """The memories of a session are linked in their order, each with the next one.

    The order is that of time, and of keys where times are alike. What comes in between later parts
    the two that it comes between.

    Attributes:
        weight: Of each link, above 0 and at most 1.
    """

    weight: float = 0.5

    @property
    def name(self) -> str:
        """Its registered name."""
        return "link-sessions"

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What it was set to."""
        return asdict(self)

    def plan(self, view: View, scene: Scene) -> Iterator[Change]:
        """Return the links that are made or end."""
        columns = view.columns
        sessions = groups_of(columns.session_ids)
        scopes = groups_of(columns.scopes)
        has = np.array([each is not None for each in columns.session_ids], np.bool_)
        rows = view.rows(scene.focus)
        rows = rows[rows >= 0]
        rows = rows[has[rows]]
        if not len(rows):
            return
        looked_at = has & np.isin(sessions, sessions[rows]) & view.findable
        members = np.flatnonzero(looked_at)
        order = members[
            np.lexsort((members, times_of(view)[members], scopes[members], sessions[members]))
        ]
        one, two = order[:-1], order[1:]
        follows = (sessions[one] == sessions[two]) & (scopes[one] == scopes[two])
        wanted = Wanted(
            starts=one[follows],
            ends=two[follows],
            weights=np.full(int(follows.sum()), self.weight),
        )
        ties = Ties.of(view, NEXT_IN_SESSION, self.name, columns.keys[members])
        yield from settled(
            ties,
            scene,
            wanted,
            np.ones(len(ties), np.bool_),
            reason="one after the other in a session",
            gone="something lies between them",
        )


@STEPS.register("link-sessions")
def _sessions(settings: DreamSettings) -> SessionLinks:
    return SessionLinks(weight=settings.link_session_weight)
