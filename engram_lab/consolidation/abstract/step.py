"""The step "abstract": a group of related old memories gets a gist, which names its sources."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from engram_lab.consolidation.abstract.extractive import Extractive
from engram_lab.consolidation.abstract.gists import GIST_SOURCE, Gist, fingerprint, gists_of
from engram_lab.consolidation.abstract.groups import Group, Grouping, bonds_of, oldest_first
from engram_lab.consolidation.abstract.protocol import SUMMARISERS, Summariser
from engram_lab.consolidation.decay.protocol import DAY_S
from engram_lab.consolidation.holding import Holding
from engram_lab.consolidation.step import STEPS
from engram_lab.core.dreams import Change
from engram_lab.core.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from engram_lab.config import DreamSettings
    from engram_lab.consolidation.step import Scene
    from engram_lab.consolidation.view import View

__all__ = ["Abstract"]

_NAME = "abstract"


@dataclass(frozen=True, kw_only=True, slots=True)
class Abstract:
    """Makes a memory of type `summary` that tells the gist of a group, linked `derived_from` each.

    A group is of one scope, of memories that recall finds, that still hold, that neither expire nor
    are gists, and that were not changed for `min_days`. It is looked for only around what changed
    or became old enough since the last dream. Sources stay as they are, unless `archives`; then
    those that are not protected are archived, and the gist stands for them. Private sections are
    never read.

    A memory is source of one gist. Where the sources of a gist say something else now, or no longer
    hold, a new gist takes its place: the old one is archived and superseded, or forgotten where a
    source was forgotten, as it may repeat it. Where fewer than two are left, it just goes. A gist
    that somebody archived, pinned or holds important stays as it is.

    Attributes:
        by: What binds a group, in order: "session", "link", "cosine".
        summariser: Tells the gist.
        min_days: Days since the last change, from 0.
        least, most: How many memories a group has.
        cosine: Least cosine of memories that are bound by meaning.
        near: How many nearest of each are looked at.
        link_weight: Least weight of a link that binds.
        chars: Most characters of a gist.
        importance: Of a gist.
        archives: Whether sources are archived.

    Raises:
        InvalidInputError: A group could have fewer memories than it must.
    """

    by: tuple[str, ...] = ("session", "link", "cosine")
    summariser: Summariser = field(default_factory=Extractive)
    min_days: float = 30.0
    least: int = 4
    most: int = 16
    cosine: float = 0.6
    near: int = 10
    link_weight: float = 0.3
    chars: int = 600
    importance: float = 0.5
    archives: bool = False

    def __post_init__(self) -> None:
        if self.most < self.least:
            raise InvalidInputError(
                f"a group of memories has at least {self.least} and at most {self.most}: "
                "set dream.abstract_most to no less than dream.abstract_least"
            )

    @classmethod
    def of(cls, settings: DreamSettings) -> Self:
        """Return it as settings say."""
        return cls(
            by=bonds_of(settings.abstract_by),
            summariser=SUMMARISERS.get(settings.abstract_summariser)(settings),
            min_days=settings.abstract_min_days,
            least=settings.abstract_least,
            most=settings.abstract_most,
            cosine=settings.abstract_cosine,
            near=settings.abstract_near,
            link_weight=settings.abstract_link_weight,
            chars=settings.abstract_chars,
            importance=settings.abstract_importance,
            archives=settings.abstract_archives,
        )

    @property
    def name(self) -> str:
        """Its registered name."""
        return _NAME

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What it was set to."""
        own = {name: getattr(self, name) for name in type(self).__dataclass_fields__}
        own["by"] = list(self.by)
        own["summariser"] = {"name": self.summariser.name, **self.summariser.parameters}
        return own

    def plan(self, view: View, scene: Scene) -> Iterator[Change]:
        """Return gists that take another's place, then new ones, each with its links."""
        holding = Holding.of(view, scene.now_s)
        gists = gists_of(view, holding)
        settled = np.zeros(len(view), np.bool_)
        for gist in gists:
            renewed = None
            if gist.changed and not view.protected[gist.row]:
                renewed = list(self._renewed(view, scene, gist)) if view.findable[gist.row] else []
                yield from renewed
            if renewed is None or any(each.action == "remember" for each in renewed):
                settled[list(gist.sources)] = True
        free, fresh = self._candidates(view, scene, holding)
        grouping = Grouping(
            view,
            scene,
            free=free & ~settled,
            fresh=fresh & ~settled,
            least=self.least,
            most=self.most,
            cosine=self.cosine,
            near=self.near,
            link_weight=self.link_weight,
        )
        for group in grouping.groups(self.by):
            text = self._gist_of(view, group.rows)
            if text:
                yield from self._made(view, scene, group, text)

    def _candidates(
        self, view: View, scene: Scene, holding: Holding
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return which rows may be in a group, and which are so since the last dream."""
        columns = view.columns
        changed = np.where(columns.stale, columns.created_at, columns.updated_at)
        old_from = np.fmax(columns.created_at, changed) + self.min_days * DAY_S
        gist = np.array([each == GIST_SOURCE for each in columns.sources], np.bool_)
        free = view.findable & ~holding.closed & ~gist & np.isnan(columns.expires_at)
        free &= (old_from <= scene.now_s) & (columns.chars > 0)
        in_focus = np.isin(columns.keys, scene.focus)
        return free, free & (in_focus | (old_from > scene.cursor))

    def _gist_of(self, view: View, rows: Sequence[int]) -> str:
        texts = view.texts(np.array(rows, np.int64))
        text = self.summariser.summarise(texts, most_chars=self.chars).strip()
        if len(text) > self.chars:
            raise InvalidInputError(
                f"the summariser {self.summariser.name!r} gave {len(text)} characters and may give "
                f"{self.chars}: let it keep to `most_chars`"
            )
        return text

    def _made(self, view: View, scene: Scene, group: Group, text: str) -> Iterator[Change]:
        columns = view.columns
        mark = fingerprint(view, group.rows)
        gist_id = scene.new_id(_NAME, view.workspace, mark)
        sources = tuple(columns.ids[row] for row in group.rows)
        happened = columns.event_at[list(group.rows)]
        draft: dict[str, Any] = {
            "content": text,
            "type": "summary",
            "workspace": view.workspace,
            "scope": columns.scopes[group.rows[0]],
            "source": GIST_SOURCE,
            "importance": self.importance,
            "metadata": {"gist_of": mark, "gist_sources": len(sources)},
        }
        if not np.isnan(happened).all():
            draft["event_at"] = datetime.fromtimestamp(float(np.nanmax(happened)), UTC)
        yield Change(
            step=_NAME,
            action="remember",
            id=gist_id,
            fields=draft,
            reason=f"the gist of {len(sources)} memories, bound by {group.bond}",
            sources=sources,
        )
        for source in sources:
            yield _link(scene, gist_id, source, "derived_from", reason="a source of the gist")
        if self.archives:
            for row in group.rows:
                if view.findable[row] and not view.protected[row]:
                    yield _archived(view, row, "its gist stands for it", sources=(gist_id,))

    def _renewed(self, view: View, scene: Scene, gist: Gist) -> Iterator[Change]:
        old = view.columns.ids[gist.row]
        rows = oldest_first(view, gist.holding) if gist.holding else ()
        text = self._gist_of(view, rows) if len(rows) > 1 else ""
        made = list(self._made(view, scene, Group(rows, "its former gist"), text)) if text else []
        yield from made
        instead = tuple(each.id for each in made[:1])
        if gist.missing:
            yield Change(
                step=_NAME,
                action="forget",
                id=old,
                reason="a source of this gist was forgotten",
                sources=instead,
                seen=int(view.columns.version[gist.row]),
            )
            return
        if made:
            yield _link(scene, made[0].id, old, "supersedes", reason="the sources changed")
        yield _archived(view, gist.row, "the sources of this gist changed", sources=instead)


def _archived(view: View, row: int, reason: str, *, sources: tuple[str, ...] = ()) -> Change:
    return Change(
        step=_NAME,
        action="update",
        id=view.columns.ids[row],
        fields={"lifecycle": "archived"},
        reason=reason,
        sources=sources,
        seen=int(view.columns.version[row]),
    )


def _link(scene: Scene, from_id: str, to_id: str, type_: str, *, reason: str) -> Change:
    return Change(
        step=_NAME,
        action="link",
        id=scene.new_id(_NAME, type_, from_id, to_id),
        fields={
            "from_id": from_id,
            "to_id": to_id,
            "type": type_,
            "weight": 1.0,
            "source": GIST_SOURCE,
        },
        reason=reason,
    )


STEPS.add(_NAME, Abstract.of)
